//! Windows Data Protection API (DPAPI): only the same user on the same machine can decrypt the data.
#![allow(unsafe_code, reason = "DPAPI is a C interface")]

use std::io;
use std::ptr::{null, null_mut};

use secrecy::zeroize::{Zeroize, Zeroizing};
use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Cryptography::{
    CRYPT_INTEGER_BLOB, CRYPTPROTECT_UI_FORBIDDEN, CryptProtectData, CryptUnprotectData,
};

/// Encrypts bytes for the current user.
pub fn encrypt(plain: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    call_dpapi(plain, |input, output| {
        // SAFETY: both blobs outlive the call, and the other pointers may be null.
        unsafe { CryptProtectData(input, null(), null(), null(), null(), CRYPTPROTECT_UI_FORBIDDEN, output) }
    })
}

/// Decrypts the output of [`encrypt`]. Fails for another user, on another machine, or if the bytes were modified.
pub fn decrypt(encrypted: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    call_dpapi(encrypted, |input, output| {
        // SAFETY: both blobs outlive the call, and the other pointers may be null.
        unsafe { CryptUnprotectData(input, null_mut(), null(), null(), null(), CRYPTPROTECT_UI_FORBIDDEN, output) }
    })
}

fn call_dpapi(
    bytes: &[u8],
    call: impl Fn(*const CRYPT_INTEGER_BLOB, *mut CRYPT_INTEGER_BLOB) -> i32,
) -> io::Result<Zeroizing<Vec<u8>>> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    // DPAPI does not write to its input, although the pointer is mutable.
    let input = CRYPT_INTEGER_BLOB { cbData: length, pbData: bytes.as_ptr().cast_mut() };
    let mut output = CRYPT_INTEGER_BLOB { cbData: 0, pbData: null_mut() };
    if call(&raw const input, &raw mut output) == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the output points to `cbData` bytes that this process owns and frees once.
    unsafe {
        let owned = std::slice::from_raw_parts_mut(output.pbData, output.cbData as usize);
        let copy = Zeroizing::new(owned.to_vec());
        owned.zeroize();
        LocalFree(output.pbData.cast());
        Ok(copy)
    }
}
