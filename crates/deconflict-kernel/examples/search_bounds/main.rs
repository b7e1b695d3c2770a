//! `search_bounds [SEED] [PAIRS]`: tries to break every bound of the kernel with so many pairs of
//! legs, and other things in proportion. Ends with an error when one is broken.

mod search;

use std::process::ExitCode;
use std::time::Instant;

/// Pairs between two lines of progress.
const ROUND: u64 = 20_000_000;

fn main() -> ExitCode {
    let mut asked = std::env::args().skip(1).map(|number| number.parse::<u64>());
    let seed = asked.next().and_then(Result::ok).unwrap_or(1);
    let pairs = asked.next().and_then(Result::ok).unwrap_or(1_000_000_000);
    let begun = Instant::now();
    let mut random = search::Random(seed);
    let mut worst: Vec<search::Worst> = Vec::new();
    while worst.first().map_or(0, |of| of.tried) < pairs {
        let round = search::all(&mut random, ROUND.min(pairs));
        if worst.is_empty() {
            worst = round;
        } else {
            for (of, more) in worst.iter_mut().zip(round) {
                of.tried += more.tried;
                of.ratio = of.ratio.max(more.ratio);
            }
        }
        eprintln!(
            "{:.0} s: {} million pairs, worst {:.3}",
            begun.elapsed().as_secs_f64(),
            worst[0].tried / 1_000_000,
            worst.iter().fold(0.0_f64, |most, of| most.max(of.ratio)),
        );
    }
    println!("seed {seed}\n\n| bound | tried | worst, of what is allowed |\n|---|---|---|");
    for of in &worst {
        println!("| {} | {} | {:.3} |", of.of, of.tried, of.ratio);
    }
    if worst.iter().all(|of| of.ratio <= 1.0) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
