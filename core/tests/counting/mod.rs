//! An allocator that counts.

#![allow(unsafe_code, reason = "only an allocator can count allocations, and its trait is unsafe; it passes all on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, which keeps count of the bytes that are taken.
pub(crate) struct Counting;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// What malloc takes for `bytes`: 8 more, in steps of 16, and 32 at least (glibc).
fn chunk(bytes: usize) -> usize {
    (bytes + 8).next_multiple_of(16).max(32)
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.fetch_add(chunk(layout.size()), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(chunk(layout.size()), Ordering::Relaxed);
        unsafe { System.dealloc(place, layout) }
    }
}

/// Bytes taken now.
pub(crate) fn taken() -> usize {
    TAKEN.load(Ordering::Relaxed)
}
