//! Does time tell a secret? `cargo run --release --example timing -- [SEED] [SAMPLES]`
//!
//! The test of dudect (Reparaz, Balasch, Verbauwhede 2017): a path is run again and again with a
//! secret that stays and with secrets drawn anew, in random order, and Welch's t says whether the
//! two kinds take different times. What both sides of a check know anyway is drawn anew for both.
//! Times above a few bounds are left out one bound after the other, for they are mostly of
//! interruptions; the worst t of all bounds counts. Above 5 a path tells its secret.
//!
//! The last path tells it on purpose: where that is not found, nothing is proven, and this fails.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use deconflict_sealed::cells::Cells;
use deconflict_sealed::receiver::{Question, Receiver};
use deconflict_sealed::seed::Seed;
use deconflict_sealed::sender::{public_key, Answer, Sender};
use deconflict_sealed::SSID_LENGTH;
use sha2::{Digest, Sha512};
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

const TOLD: f64 = 5.0;
/// Shares of the fastest that are kept, one after the other.
const KEPT: [f64; 7] = [0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0];
const SLOTS: [u32; 1] = [7];
const PER_SLOT: usize = 4;
const WIDTH: usize = 10;
const AT_ONCE: usize = 256;

/// Bytes without end of a number to begin with.
struct Drawn {
    seed: u64,
    count: u64,
}

impl Drawn {
    fn bytes(&mut self) -> [u8; 64] {
        self.count += 1;
        let hash = Sha512::new()
            .chain_update(self.seed.to_be_bytes())
            .chain_update(self.count.to_be_bytes());
        hash.finalize().into()
    }

    fn secret(&mut self) -> [u8; 32] {
        let mut half = [0; 32];
        half.copy_from_slice(&self.bytes()[..32]);
        half
    }

    fn cells(&mut self) -> Vec<u8> {
        let mut cells = Vec::new();
        for _ in 0..PER_SLOT {
            cells.extend_from_slice(&self.bytes()[..WIDTH]);
        }
        cells
    }
}

fn receiver(seed: [u8; 32], ssid: [u8; SSID_LENGTH], sender: [u8; 32]) -> Receiver {
    let key = public_key(&Seed::new(sender)).expect("a drawn seed has a key");
    Receiver::new(Seed::new(seed), ssid, &key).expect("its key is one")
}

fn ask(receiver: &Receiver, cells: &[u8]) -> Question {
    let sizes = [(cells.len() / WIDTH) as u32];
    let cells = Cells::new(&SLOTS, &sizes, WIDTH, cells).expect("they add up");
    let question = receiver.ask(&cells, PER_SLOT, 1);
    question.expect("there are not too many")
}

fn evaluate(sender: &Sender, points: &[u8]) -> Answer {
    let answer = sender.evaluate(&SLOTS, PER_SLOT, points, 1);
    answer.expect("they are points")
}

/// One way of a secret: what is made ready for one of the two kinds, and what is timed then.
struct Path {
    name: &'static str,
    /// Whether it tells its secret on purpose.
    told: bool,
    ready: fn(bool, &mut Drawn) -> Work,
}

type Work = Box<dyn FnOnce()>;

/// The secret that stays, or one drawn anew.
fn chosen(fixed: bool, drawn: &mut Drawn) -> [u8; 32] {
    let anew = drawn.secret();
    if fixed {
        [0x5a; 32]
    } else {
        anew
    }
}

const PATHS: [Path; 7] = [
    Path {
        name: "ask: blinds and pads of the seed",
        told: false,
        ready: |fixed, drawn| {
            let (ssid, sender, cells) = (drawn.secret(), drawn.secret(), drawn.cells());
            let receiver = receiver(chosen(fixed, drawn), ssid, sender);
            Box::new(move || drop(black_box(ask(&receiver, &cells))))
        },
    },
    Path {
        name: "ask: which cells",
        told: false,
        ready: |fixed, drawn| {
            let receiver = receiver(drawn.secret(), drawn.secret(), drawn.secret());
            let anew = drawn.cells();
            let cells = if fixed { (0..40).collect() } else { anew };
            Box::new(move || drop(black_box(ask(&receiver, &cells))))
        },
    },
    Path {
        name: "ask: how many cells, none or all",
        told: false,
        ready: |fixed, drawn| {
            let receiver = receiver(drawn.secret(), drawn.secret(), drawn.secret());
            let mut cells = drawn.cells();
            if fixed {
                cells.clear();
            }
            Box::new(move || drop(black_box(ask(&receiver, &cells))))
        },
    },
    Path {
        name: "evaluate: the key, and the nonce of the proof",
        told: false,
        ready: |fixed, drawn| {
            let (ssid, cells) = (drawn.secret(), drawn.cells());
            let asked = ask(&receiver(drawn.secret(), ssid, drawn.secret()), &cells);
            let sender = Sender::new(Seed::new(chosen(fixed, drawn)), ssid).expect("a key");
            Box::new(move || drop(black_box(evaluate(&sender, asked.points()))))
        },
    },
    Path {
        name: "tags of own cells: the key and the cells",
        told: false,
        ready: |fixed, drawn| {
            let (ssid, anew) = (drawn.secret(), drawn.cells());
            let sender = Sender::new(Seed::new(chosen(fixed, drawn)), ssid).expect("a key");
            let cells: Vec<u8> = if fixed { (0..40).collect() } else { anew };
            Box::new(move || {
                let sizes = [PER_SLOT as u32];
                let cells = Cells::new(&SLOTS, &sizes, WIDTH, &cells).expect("they add up");
                drop(black_box(sender.tags(&cells, 1)));
            })
        },
    },
    Path {
        name: "finalize: blinds of the seed",
        told: false,
        ready: |fixed, drawn| {
            let (ssid, sender, cells) = (drawn.secret(), drawn.secret(), drawn.cells());
            let asked = ask(&receiver(chosen(fixed, drawn), ssid, sender), &cells);
            let sender = Sender::new(Seed::new(sender), ssid).expect("a key");
            let answer = evaluate(&sender, asked.points());
            Box::new(move || {
                let tags = asked.finalize(&answer.evaluated, &answer.proofs, 1);
                drop(black_box(tags.expect("the proofs hold")));
            })
        },
    },
    Path {
        name: "told on purpose: a scalar multiplied in its own time",
        told: true,
        ready: |fixed, drawn| {
            let anew = Scalar::from_bytes_mod_order_wide(&drawn.bytes());
            let point = RistrettoPoint::mul_base(&anew);
            // Sparse, as no drawn scalar is.
            let secret = if fixed {
                Scalar::from(1_u128 << 100)
            } else {
                anew
            };
            Box::new(move || {
                for _ in 0..PER_SLOT {
                    black_box(RistrettoPoint::vartime_double_scalar_mul_basepoint(
                        &secret,
                        &point,
                        &Scalar::ONE,
                    ));
                }
            })
        },
    },
];

/// Time a path so many times; nanoseconds, and whether the secret was the one that stays.
fn timed(path: &Path, samples: usize, drawn: &mut Drawn) -> Vec<(f64, bool)> {
    let mut times = Vec::with_capacity(samples);
    while times.len() < samples {
        let kinds: Vec<bool> = (0..AT_ONCE).map(|_| drawn.bytes()[0] & 1 == 0).collect();
        let ready: Vec<(bool, Work)> = kinds
            .into_iter()
            .map(|fixed| (fixed, (path.ready)(fixed, drawn)))
            .collect();
        for (fixed, work) in ready {
            let begun = Instant::now();
            work();
            times.push((begun.elapsed().as_nanos() as f64, fixed));
        }
    }
    times
}

/// Welch's t between the two kinds, of the times up to a bound.
fn welch(times: &[(f64, bool)]) -> f64 {
    let [one, other] = [true, false].map(|kind| {
        let own = times.iter().filter(|(_, fixed)| *fixed == kind);
        let own: Vec<f64> = own.map(|(time, _)| *time).collect();
        let count = own.len() as f64;
        let mean = own.iter().sum::<f64>() / count;
        let spread = own.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, spread / count)
    });
    (one.0 - other.0) / (one.1 + other.1).sqrt()
}

fn worst(mut times: Vec<(f64, bool)>) -> f64 {
    times.sort_by(|one, other| one.0.total_cmp(&other.0));
    KEPT.iter()
        .map(|share| welch(&times[..(times.len() as f64 * share) as usize]))
        .fold(
            0.0,
            |worst, t| if t.abs() > f64::abs(worst) { t } else { worst },
        )
}

fn main() -> ExitCode {
    let mut given = std::env::args().skip(1);
    let mut number = |default: u64| given.next().map_or(Ok(default), |text| text.parse());
    let (Ok(seed), Ok(samples)) = (number(1), number(100_000)) else {
        eprintln!("timing [SEED] [SAMPLES]: both are numbers");
        return ExitCode::from(2);
    };
    let mut drawn = Drawn { seed, count: 0 };
    let mut held = true;
    println!("seed {seed}, {samples} times each path; |t| above {TOLD} tells\n");
    for path in PATHS {
        let times = timed(&path, samples as usize, &mut drawn);
        let mean_us = times.iter().map(|(time, _)| time).sum::<f64>() / times.len() as f64 / 1e3;
        let t = worst(times);
        let tells = t.abs() > TOLD;
        held &= tells == path.told;
        let sign = if tells == path.told {
            "as it must"
        } else {
            "NOT AS IT MUST"
        };
        println!("{:52} {mean_us:7.0} us  t {t:8.2}  {sign}", path.name);
    }
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
