//! The data protection of Windows (DPAPI): what it seals can be opened by the same user on the same machine alone.
#![allow(unsafe_code, reason = "Windows offers it as functions of C alone")]

use std::io;
use std::ptr::{null, null_mut};

use secrecy::zeroize::{Zeroize, Zeroizing};
use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Cryptography::{
    CRYPT_INTEGER_BLOB, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData, CryptUnprotectData,
};

/// Seals bytes for this user.
pub fn seal(plain: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    transformed(plain, |input, output| {
        // SAFETY: both blobs live through the call, and everything else may be null.
        unsafe { CryptProtectData(input, null(), null(), null(), null(), CRYPTPROTECT_UI_FORBIDDEN, output) }
    })
}

/// Opens what [`seal`] returned. Fails for another user, on another machine, and where the bytes were changed.
pub fn open(sealed: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    transformed(sealed, |input, output| {
        // SAFETY: both blobs live through the call, and everything else may be null.
        unsafe { CryptUnprotectData(input, null_mut(), null(), null(), null(), CRYPTPROTECT_UI_FORBIDDEN, output) }
    })
}

fn transformed(
    bytes: &[u8],
    call: impl Fn(*const CRYPT_INTEGER_BLOB, *mut CRYPT_INTEGER_BLOB) -> i32,
) -> io::Result<Zeroizing<Vec<u8>>> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    // What is read only is never written through this pointer.
    let input = CRYPT_INTEGER_BLOB { cbData: length, pbData: bytes.as_ptr().cast_mut() };
    let mut output = CRYPT_INTEGER_BLOB { cbData: 0, pbData: null_mut() };
    if call(&raw const input, &raw mut output) == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so that the output points to as many bytes as it says, which are ours alone until
    // they are given back, once.
    unsafe {
        let made = std::slice::from_raw_parts_mut(output.pbData, output.cbData as usize);
        let copy = Zeroizing::new(made.to_vec());
        made.zeroize();
        LocalFree(output.pbData.cast());
        Ok(copy)
    }
}
