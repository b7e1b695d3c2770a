//! Whole sets against every pair without any filter, and against every pair on its own.

mod made;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use deconflict_kernel::findings::Finding;
use made::{made, Random};

/// Panics with the first finding that is not the same to the bit.
fn assert_same(found: &[Finding], wanted: &[Finding], of: &str) {
    let told = |finding: &Finding| format!("{finding:?}");
    for k in 0..found.len().max(wanted.len()) {
        let (found, wanted) = (found.get(k).map(told), wanted.get(k).map(told));
        assert_eq!(found, wanted, "{of}, finding {k}");
    }
}

/// How many sets; `SETS` asks for more.
fn sets() -> u64 {
    let asked = std::env::var("SETS")
        .ok()
        .and_then(|sets| sets.parse().ok());
    asked.unwrap_or(400)
}

fn seed() -> u64 {
    let asked = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    asked.unwrap_or(1)
}

#[test]
fn the_filter_excludes_nothing_that_the_exact_check_finds() {
    let mut found = 0;
    for set in 0..sets() {
        let mut random = Random(seed() << 32 | set);
        let made = made(&mut random, 16);
        let threads = 1 + random.below(3);
        let Ok(wanted) = made.without_filter() else {
            assert!(made.screened(threads).is_err());
            continue;
        };
        let screened = made.screened(threads).unwrap();
        assert_same(&screened, &wanted, &format!("seed {} set {set}", seed()));
        found += wanted.len();
    }
    assert!(found as u64 >= sets() / 2, "{found}");
}

#[test]
fn a_pair_comes_to_the_same_alone_and_among_others() {
    let mut found = 0;
    for set in 0..sets() / 4 {
        let mut random = Random(seed() << 32 | 1 << 31 | set);
        let made = made(&mut random, 14);
        let Ok(together) = made.screened(2) else {
            continue;
        };
        for j in 0..made.len() {
            for i in 0..j {
                let own: Vec<Finding> = together
                    .iter()
                    .filter(|f| (f.i, f.j) == (i, j))
                    .map(|f| Finding { i: 0, j: 1, ..*f })
                    .collect();
                let alone = made.pair(i, j).screened(1).unwrap();
                assert_same(&own, &alone, &format!("seed {} set {set}: {i} {j}", seed()));
                found += own.len();
            }
        }
    }
    assert!(found as u64 >= sets() / 8, "{found}");
}

#[test]
fn a_screening_that_is_ended_tells_nothing() {
    let (mut whole, mut ended) = (0, 0);
    for set in 0..(sets() / 10).max(4) {
        let made = made(&mut Random(seed() << 32 | 1 << 30 | set), 16);
        let Ok(wanted) = made.screened(1) else {
            continue;
        };
        for asked in 0..12 {
            let left = AtomicUsize::new(asked);
            let goes_on = || {
                left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
                    .is_ok()
            };
            match made.screened_while(1, &goes_on).unwrap() {
                Some(found) => {
                    whole += 1;
                    assert_same(&found, &wanted, &format!("seed {} set {set}", seed()));
                }
                None => ended += 1,
            }
        }
    }
    assert!(whole > 0 && ended > 0, "{whole} {ended}");
}
