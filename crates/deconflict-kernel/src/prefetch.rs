//! Memory that will be read soon, asked for early. Changes no answer; without it most of the time
//! of a large set goes by waiting.

#[cfg(target_arch = "x86_64")]
const LINE_BYTES: usize = 64;

/// Asks for the cache line that an element begins in; of none, nothing happens.
#[inline(always)]
pub fn soon<T>(items: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(item) = items.get(index) {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        // SAFETY: a hint; it reads nothing, and the address is that of a live element.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(item).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (items, index);
}

/// Asks for every cache line that an element lies in.
#[inline(always)]
pub fn whole_soon<T>(items: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(item) = items.get(index) {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        let begin: *const i8 = std::ptr::from_ref(item).cast();
        for offset in (0..size_of::<T>()).step_by(LINE_BYTES) {
            // SAFETY: as in `soon`; the address lies within the live element.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(begin.add(offset)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (items, index);
}
