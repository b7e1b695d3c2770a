//! What the bare group operations of a private check cost on this machine, in one thread.
//!
//!     cargo run --release --locked -p deconflict-sealed --example group_operations [PER_SLOT]
//!
//! One line of JSON: processor time of each in microseconds. `python -m bench.bench_sealed` holds
//! the kernel against it: everything else the kernel does (encoding, decoding, hashing, looking for
//! doubles, threads) is what it costs above that. Points and scalars are the textbook ones: nothing
//! of how the kernel saves work is used here, but the multiplication of many points by weights at
//! once, as RFC 9497 describes it.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use deconflict_sealed::suite::{Mode, Suite};
use sha2::{Digest, Sha512};
use std::hint::black_box;

const COUNT: usize = 2_048;

/// What this thread has had of a processor, in nanoseconds; how busy others are is not in it.
fn processor_ns() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux kernel");
    let first = told.split_whitespace().next().expect("three numbers");
    first.parse().expect("a number")
}

fn each_us(times: usize, mut work: impl FnMut(usize)) -> f64 {
    let begun = processor_ns();
    (0..times).for_each(&mut work);
    (processor_ns() - begun) as f64 / 1e3 / times as f64
}

fn scalar(number: usize) -> Scalar {
    let wide = Sha512::digest(number.to_le_bytes());
    Scalar::from_bytes_mod_order_wide(&wide.into())
}

fn main() {
    let asked = std::env::args().nth(1).map(|word| word.parse());
    let per_slot: usize = asked.transpose().expect("a number of points").unwrap_or(32);
    let suite = Suite::new(Mode::Poprf).expect("domains are short");
    let inputs: Vec<[u8; 10]> = (0..COUNT)
        .map(|number| {
            let mut input = [0; 10];
            input[2..].copy_from_slice(&(number as u64).to_be_bytes());
            input
        })
        .collect();
    let scalars: Vec<Scalar> = (0..COUNT).map(scalar).collect();
    let mut points = vec![RistrettoPoint::default(); COUNT];
    let hash_to_group = each_us(COUNT, |at| {
        points[at] = suite
            .hash_to_group(&inputs[at])
            .expect("no neutral element");
    });
    let multiply = each_us(COUNT, |at| {
        black_box(black_box(scalars[at]) * black_box(points[at]));
    });
    let multiply_generator = each_us(COUNT, |at| {
        black_box(RistrettoPoint::mul_base(black_box(&scalars[at])));
    });
    let slots = COUNT / per_slot.min(COUNT);
    let weigh_slot = each_us(slots, |slot| {
        let own = slot * per_slot..((slot + 1) * per_slot).min(COUNT);
        black_box(RistrettoPoint::vartime_multiscalar_mul(
            &scalars[own.clone()],
            &points[own],
        ));
    });
    let verify_two = each_us(COUNT / 4, |at| {
        let (s, c) = (&scalars[at], &scalars[at + 1]);
        black_box(RistrettoPoint::vartime_double_scalar_mul_basepoint(
            c,
            &points[at],
            s,
        ));
        black_box(RistrettoPoint::vartime_multiscalar_mul(
            [s, c],
            [&points[at], &points[at + 1]],
        ));
    });
    println!(
        "{{\"hash_to_group_us\": {hash_to_group:.3}, \"multiply_us\": {multiply:.3}, \
         \"multiply_generator_us\": {multiply_generator:.3}, \"weigh_point_us\": {:.3}, \
         \"verify_slot_us\": {verify_two:.3}}}",
        weigh_slot / per_slot.min(COUNT) as f64
    );
}
