//! The system's allocator or mimalloc, chosen once for the whole process, so that one
//! build measures both. The choice costs each of them the same look at a byte.

use mimalloc::MiMalloc;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_char;
use std::sync::atomic::{AtomicU8, Ordering};

/// Who sets it to anything measures with mimalloc.
pub const VARIABLE: &str = "DIALBACK_BENCH_MIMALLOC";

const UNKNOWN: u8 = 0;
const SYSTEM: u8 = 1;
const MIMALLOC: u8 = 2;

static CHOICE: AtomicU8 = AtomicU8::new(UNKNOWN);

unsafe extern "C" {
    fn getenv(name: *const c_char) -> *mut c_char;
}

pub struct Chosen;

/// Before the first allocation nothing else may be asked than libc.
fn choice() -> u8 {
    match CHOICE.load(Ordering::Relaxed) {
        UNKNOWN => {
            // SAFETY: the name ends with a NUL, and no other thread is there yet.
            let is_set = !unsafe { getenv(c"DIALBACK_BENCH_MIMALLOC".as_ptr()) }.is_null();
            let choice = if is_set { MIMALLOC } else { SYSTEM };
            CHOICE.store(choice, Ordering::Relaxed);
            choice
        }
        known => known,
    }
}

// SAFETY: everything is handed on to one allocator, the same for the whole process.
unsafe impl GlobalAlloc for Chosen {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe {
            match choice() {
                MIMALLOC => MiMalloc.alloc(layout),
                _ => System.alloc(layout),
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe {
            match choice() {
                MIMALLOC => MiMalloc.alloc_zeroed(layout),
                _ => System.alloc_zeroed(layout),
            }
        }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe {
            match choice() {
                MIMALLOC => MiMalloc.realloc(at, layout, size),
                _ => System.realloc(at, layout, size),
            }
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe {
            match choice() {
                MIMALLOC => MiMalloc.dealloc(at, layout),
                _ => System.dealloc(at, layout),
            }
        }
    }
}
