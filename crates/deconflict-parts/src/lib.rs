//! Work on a large set shared out among threads; no answer depends on how many there are.
//!
//! Where the system gives no more threads, the caller's does their part.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Builder;

/// Works on `0..count`, each number once, by threads that take the next one left and keep what they
/// find in a state of their own; returns the states, in no order that means anything.
pub fn share_out<S: Send>(
    count: usize,
    threads: usize,
    new: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) + Sync,
) -> Vec<S> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut state = new();
        loop {
            let k = next.fetch_add(1, Ordering::Relaxed);
            if k >= count {
                return state;
            }
            work(&mut state, k);
        }
    };
    std::thread::scope(|scope| {
        let run = &run;
        let running: Vec<_> = (1..threads.min(count))
            .map_while(|_| Builder::new().spawn_scoped(scope, run).ok())
            .collect();
        let mut states = vec![run()];
        for thread in running {
            match thread.join() {
                Ok(state) => states.push(state),
                // Nothing here panics; were it to, half an answer must not pass for a whole one.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        states
    })
}

/// What `work` makes of each item, in the order of the items.
pub fn map_in_parts<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let take = |made: &mut Vec<(usize, R)>, k: usize| made.push((k, work(&items[k])));
    let mut made: Vec<_> = share_out(items.len(), threads, Vec::new, take)
        .into_iter()
        .flatten()
        .collect();
    made.sort_unstable_by_key(|&(k, _)| k);
    made.into_iter().map(|(_, result)| result).collect()
}

/// Works on each item, in threads that take the next one left.
pub fn each_in_parts<T: Send>(items: &mut [T], threads: usize, work: impl Fn(&mut T) + Sync) {
    let count = items.len();
    let left = Mutex::new(items.iter_mut());
    let take = |_: &mut (), _: usize| {
        let item = left.lock().unwrap_or_else(PoisonError::into_inner).next();
        item.into_iter().for_each(&work);
    };
    share_out(count, threads, || (), take);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_taken_once() {
        for count in [0, 1, 2, 1_000] {
            for threads in [0, 1, 2, 7, 1_000] {
                let states = share_out(count, threads, Vec::new, |own, k| own.push(k));
                let mut taken = states.concat();
                taken.sort_unstable();
                assert!(taken.into_iter().eq(0..count));
            }
        }
    }

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1_283).collect();
        for threads in [0, 1, 3, usize::MAX] {
            let twice = map_in_parts(&items, threads, |item| item * 2);
            assert!(twice.into_iter().eq(items.iter().map(|item| item * 2)));
        }
    }

    #[test]
    fn every_item_is_worked_on_once() {
        for threads in [0, 1, 3, usize::MAX] {
            let mut items = vec![0_u8; 1_283];
            each_in_parts(&mut items, threads, |item| *item += 1);
            assert!(items.iter().all(|&item| item == 1));
        }
    }
}
