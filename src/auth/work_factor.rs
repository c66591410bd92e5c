//! Limits for the key derivation of an encrypted private key: its parameters come from the file.

use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;

/// The maximum number of PBKDF2 iterations, which take seconds: the largest number in RFC 8018, section 4.2. OpenSSL
/// writes 2048 by default, Java 10,000 and NSS 600,000. For PKCS#12, p12-keystore accepts up to 1,000,000.
const MAX_ITERATIONS: u32 = 10_000_000;

/// The maximum memory for scrypt, in bytes. OpenSSL uses 16 MiB by default. p12-keystore has the same limits.
const MAX_SCRYPT_MEMORY: u64 = 1024 * 1024 * 1024;

/// The maximum parallelization of scrypt, which multiplies its time.
const MAX_SCRYPT_PARALLELIZATION: u16 = 16;

/// Whether the key can be derived in seconds, and with the memory of any machine.
pub fn is_affordable(encryption: &EncryptionScheme) -> bool {
    // PBES1 has at most 65,535 iterations.
    let EncryptionScheme::Pbes2(parameters) = encryption else { return true };
    match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= MAX_ITERATIONS,
        Kdf::Scrypt(scrypt) => {
            let memory = (u64::from(scrypt.block_size) * 128).checked_mul(scrypt.cost_parameter);
            // The scrypt crate panics if the cost parameter is 0.
            scrypt.cost_parameter > 0
                && scrypt.parallelization <= MAX_SCRYPT_PARALLELIZATION
                && memory.is_some_and(|memory| memory <= MAX_SCRYPT_MEMORY)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use pkcs8::pkcs5::pbes2::{EncryptionScheme as Cipher, Parameters, Pbkdf2Params, ScryptParams};

    use super::*;

    fn is_affordable_with(kdf: impl Into<Kdf>) -> bool {
        let encryption = Cipher::Aes256Cbc { iv: [7; 16] };
        is_affordable(&EncryptionScheme::Pbes2(Parameters { kdf: kdf.into(), encryption }))
    }

    #[test]
    fn pbkdf2_iterations_are_limited() {
        let pbkdf2 = |iterations| Pbkdf2Params::hmac_sha256(iterations, b"salt").expect("parameters");
        for iterations in [1, 2048, 600_000, 10_000_000] {
            assert!(is_affordable_with(pbkdf2(iterations)), "{iterations}");
        }
        for iteration_count in [10_000_001, u32::MAX] {
            assert!(!is_affordable_with(Pbkdf2Params { iteration_count, ..pbkdf2(1) }), "{iteration_count}");
        }
    }

    #[test]
    fn scrypt_memory_and_parallelization_are_limited() {
        let is_affordable = |cost_parameter, block_size, parallelization| {
            let salt = b"salt".as_slice().try_into().expect("a salt");
            let key_length = None;
            let scrypt = ScryptParams { salt, cost_parameter, block_size, parallelization, key_length };
            is_affordable_with(Kdf::Scrypt(scrypt))
        };
        for (cost, block_size, parallelization) in [(16_384, 8, 1), (1 << 20, 8, 1), (16_384, 8, 16)] {
            assert!(is_affordable(cost, block_size, parallelization), "{cost} {block_size} {parallelization}");
        }
        for (cost, block_size, parallelization) in
            [(0, 8, 1), (1 << 24, 8, 1), (16_384, u16::MAX, 1), (u64::MAX, 8, 1), (16_384, 8, 17)]
        {
            assert!(!is_affordable(cost, block_size, parallelization), "{cost} {block_size} {parallelization}");
        }
    }
}
