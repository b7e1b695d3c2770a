//! Work on a large set shared out among threads; no answer depends on how many there are.
//!
//! Where the system gives no more threads, the caller's does their part.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, ScopedJoinHandle};

/// Items that are worth another thread.
const PART: usize = 4_096;
/// Items that a thread takes at a time.
const AT_ONCE: usize = 256;

/// Works on parts that make up `0..count`; returns what each came to, in the order of the parts.
pub fn in_parts<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    let parts = threads.clamp(1, (count / PART).max(1));
    if parts == 1 {
        return vec![work(0..count)];
    }
    let bound = |k: usize| (count as u128 * k as u128 / parts as u128) as usize;
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..parts)
            .map(|k| {
                let own = move || work(bound(k)..bound(k + 1));
                (own, Builder::new().spawn_scoped(scope, own))
            })
            .collect();
        let came_to = running.into_iter().map(|(own, thread)| {
            match thread.map(ScopedJoinHandle::join) {
                Ok(Ok(found)) => found,
                // Nothing here panics; were it to, half an answer must not pass for a whole one.
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(_) => own(),
            }
        });
        came_to.collect()
    })
}

/// Works on each item, in threads that take some at a time.
pub fn each_in_parts<T: Send>(items: &mut [T], threads: usize, work: impl Fn(&mut T) + Sync) {
    let helpers = threads.min(items.len().div_ceil(AT_ONCE)).saturating_sub(1);
    let parts = Mutex::new(items.chunks_mut(AT_ONCE));
    let take = || loop {
        let part = parts.lock().unwrap_or_else(PoisonError::into_inner).next();
        match part {
            Some(own) => own.iter_mut().for_each(&work),
            None => return,
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..helpers {
            if Builder::new().spawn_scoped(scope, take).is_err() {
                break;
            }
        }
        take();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_whole_in_order() {
        for count in [0, 1, PART, 3 * PART + 5, 40 * PART] {
            for threads in [0, 1, 2, 7, usize::MAX] {
                let parts = in_parts(count, threads, |part| part.collect::<Vec<_>>());
                assert!(parts.concat().into_iter().eq(0..count));
            }
        }
    }

    #[test]
    fn every_item_is_worked_on_once() {
        for threads in [0, 1, 3, usize::MAX] {
            let mut items = vec![0_u8; 5 * AT_ONCE + 3];
            each_in_parts(&mut items, threads, |item| *item += 1);
            assert!(items.iter().all(|&item| item == 1));
        }
    }
}
