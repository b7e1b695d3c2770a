//! Ctrl-C while the kernel works without the GIL.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::OnceLock;
use std::thread::{self, ThreadId};
use std::time::Instant;

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

/// So often Python may act on signals: soon enough for whoever waits, seldom enough for no cost.
const LOOK_MS: u64 = 100;

/// Asked by all threads of a piece of work whether it goes on; the one that called looks at signals.
pub struct Interrupt {
    caller: ThreadId,
    begun: Instant,
    next_ms: AtomicU64,
    raised: OnceLock<PyErr>,
}

impl Interrupt {
    pub fn of_this_thread() -> Self {
        Interrupt {
            caller: thread::current().id(),
            begun: Instant::now(),
            next_ms: AtomicU64::new(LOOK_MS),
            raised: OnceLock::new(),
        }
    }

    /// False from when a signal's handler raised something: by Ctrl-C, unless it is handled otherwise.
    pub fn goes_on(&self) -> bool {
        if self.raised.get().is_some() {
            return false;
        }
        // Python runs the handlers of signals in its main thread only, so no other needs to look.
        if thread::current().id() != self.caller {
            return true;
        }
        let now_ms = self.begun.elapsed().as_millis() as u64;
        if now_ms < self.next_ms.load(Ordering::Relaxed) {
            return true;
        }
        self.next_ms.store(now_ms + LOOK_MS, Ordering::Relaxed);
        match Python::attach(|py| py.check_signals()) {
            Ok(()) => true,
            Err(error) => {
                // Set by this thread alone, and once: from now on nothing is asked any more.
                self.raised.get_or_init(|| error);
                false
            }
        }
    }

    /// What was made, or what the handler raised where it was ended.
    pub fn whole<T>(self, made: Option<T>) -> PyResult<T> {
        match (made, self.raised.into_inner()) {
            (_, Some(error)) => Err(error),
            (Some(made), None) => Ok(made),
            (None, None) => Err(PyKeyboardInterrupt::new_err(())),
        }
    }
}
