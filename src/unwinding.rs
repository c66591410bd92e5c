//! An unwinder that finds nothing to unwind.
//!
//! A panic aborts (`panic = "abort"`) and `build.rs` leaves out the tables that an unwinder reads, but the standard library
//! still asks for one when a backtrace is wanted, and so every start would load the system's `libgcc_s`. Its static twin is
//! no way out: without tables it aborts the process that wants a backtrace. These stand in for it: a backtrace is empty.
#![allow(unsafe_code, reason = "the names are those of the Itanium C++ ABI, which the standard library declares")]

use std::ffi::{c_int, c_void};

/// The answer of an unwinder at the outermost frame.
const END_OF_STACK: c_int = 5;

type Frame = *mut c_void;
type Visit = extern "C" fn(Frame, *mut c_void) -> c_int;

#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_visit: Visit, _with: *mut c_void) -> c_int {
    END_OF_STACK
}

/// What is asked of a frame, of which there is none.
macro_rules! never_asked {
    ($($name:ident($($argument:ty),*) $(-> $answer:ty)?;)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name($(_: $argument),*) $(-> $answer)? {
            std::process::abort()
        }
    )*};
}

never_asked! {
    _Unwind_FindEnclosingFunction(*mut c_void) -> *mut c_void;
    _Unwind_GetCFA(Frame) -> usize;
    _Unwind_GetDataRelBase(Frame) -> usize;
    _Unwind_GetIP(Frame) -> usize;
    _Unwind_GetIPInfo(Frame, *mut c_int) -> usize;
    _Unwind_GetLanguageSpecificData(Frame) -> *mut c_void;
    _Unwind_GetRegionStart(Frame) -> usize;
    _Unwind_GetTextRelBase(Frame) -> usize;
    _Unwind_Resume(*mut c_void) -> !;
    _Unwind_SetGR(Frame, c_int, usize);
    _Unwind_SetIP(Frame, usize);
}
