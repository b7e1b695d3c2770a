//! Large arrays on large pages. Changes no answer; the first touch of memory otherwise costs more
//! than filling it, a page at a time.

use std::alloc::{alloc_zeroed, handle_alloc_error, Layout};

use crate::vec3::Vec3;

/// A large page of every platform that has them (x86-64, and aarch64 with small pages of 4 KiB).
const PAGE: usize = 2 << 20;

/// A type of which all bytes zero are a value.
///
/// # Safety
///
/// They are, of every instance.
pub unsafe trait Zero: Copy {}

// SAFETY: whole numbers and floating-point numbers of zero bytes are 0.
unsafe impl Zero for i64 {}
// SAFETY: three floating-point numbers.
unsafe impl Zero for Vec3 {}

/// An array of zeros whose memory has not been touched yet.
pub fn zeros<T: Zero>(count: usize) -> Vec<T> {
    let Ok(layout) = Layout::array::<T>(count) else {
        return Vec::new();
    };
    if layout.size() == 0 {
        return Vec::new();
    }
    // SAFETY: the size is not zero.
    let from = unsafe { alloc_zeroed(layout) }.cast::<T>();
    if from.is_null() {
        handle_alloc_error(layout);
    }
    // SAFETY: just allocated for so many, by the layout that `Vec` frees it with; zero bytes are
    // values of `T`.
    let mut made = unsafe { Vec::from_raw_parts(from, count, count) };
    on_large_pages(&mut made);
    made
}

/// An empty array with room for so many.
pub fn roomy<T>(count: usize) -> Vec<T> {
    let mut made = Vec::with_capacity(count);
    on_large_pages(&mut made);
    made
}

/// Asks that memory not touched yet comes in large pages; where none are to be had, nothing happens.
fn on_large_pages<T>(items: &mut Vec<T>) {
    #[cfg(all(target_os = "linux", not(miri)))]
    {
        use std::ffi::{c_int, c_void};
        extern "C" {
            fn madvise(from: *mut c_void, length: usize, advice: c_int) -> c_int;
        }
        /// From <asm-generic/mman-common.h>.
        const MADV_HUGEPAGE: c_int = 14;

        let from = items.as_mut_ptr().cast::<u8>();
        let bytes = items.capacity() * size_of::<T>();
        let skip = from.align_offset(PAGE);
        let whole = bytes.saturating_sub(skip) / PAGE * PAGE;
        if whole > 0 {
            // SAFETY: all of it lies within the array's own memory, whose content and place a hint
            // does not change. Refused, it leaves everything as it was.
            unsafe { madvise(from.add(skip).cast(), whole, MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = (items, PAGE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_every_size_hold_what_they_are_given() {
        for count in [0, 1, 1_000, PAGE / 8, PAGE] {
            let mut items = roomy(count);
            items.extend(0..count);
            assert!(items.into_iter().eq(0..count));
            let mut zeros = zeros::<i64>(count);
            assert!(zeros.len() == count && zeros.iter().all(|&zero| zero == 0));
            zeros.fill(1);
            zeros.push(1);
            assert!(zeros.into_iter().sum::<i64>() == count as i64 + 1);
        }
    }
}
