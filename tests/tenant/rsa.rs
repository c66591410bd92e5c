//! RSA keys made at run time, so that no key is ever committed.
//!
//! The crate that signs and checks in these tests uses RSA keys, but cannot make them.

use crypto_bigint::rand_core::UnwrapErr;
use crypto_bigint::{BoxedUint, ConcatenatingMul as _, NonZero, Resize as _};
use crypto_primes::hazmat::{SetBits, SmallFactorsSieveFactory};
use crypto_primes::{Flavor, is_prime, sieve_and_find};
use getrandom::SysRng;

const PRIME_BITS: u32 = 1024;
const MODULUS_BITS: u32 = 2 * PRIME_BITS;
const PUBLIC_EXPONENT: u32 = 65537;

/// The algorithm of an RSA key \[RFC 8017, appendix A.1\]: the object identifier 1.2.840.113549.1.1.1, then NULL.
const RSA_ENCRYPTION: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A new private key of 2048 bits, in PKCS#8.
pub(super) fn private_key() -> Vec<u8> {
    let (p, q) = (prime(), prime());
    // Whoever uses the key may expect the larger prime first.
    let (p, q) = if p > q { (p, q) } else { (q, p) };
    let (p_less_one, q_less_one) = (less_one(&p), less_one(&q));
    let exponent = BoxedUint::from(PUBLIC_EXPONENT).resize(MODULUS_BITS);
    let totient = NonZero::new(p_less_one.concatenating_mul(&q_less_one)).expect("no prime is 1");
    let d = exponent.invert_mod(&totient).expect("the primes were chosen for this exponent");
    let remainder = |of: &BoxedUint| d.rem_vartime(&NonZero::new(of.clone()).expect("no prime is 1"));
    let inverse = q.invert_mod(&NonZero::new(p.clone()).expect("no prime is 0")).expect("two primes are coprime");
    let numbers = [
        BoxedUint::zero(),
        p.concatenating_mul(&q),
        exponent,
        d.clone(),
        p.clone(),
        q.clone(),
        remainder(&p_less_one),
        remainder(&q_less_one),
        inverse,
    ];
    let pkcs1 = element(SEQUENCE, &numbers.iter().map(integer).collect::<Vec<_>>().concat());
    let parts = [integer(&BoxedUint::zero()), RSA_ENCRYPTION.to_vec(), element(OCTET_STRING, &pkcs1)];
    element(SEQUENCE, &parts.concat())
}

/// A prime that goes with the public exponent; the product of two has all the bits that are asked for.
fn prime() -> BoxedUint {
    let sieve = SmallFactorsSieveFactory::new(Flavor::Any, PRIME_BITS, SetBits::TwoMsb).expect("enough bits");
    let exponent = NonZero::new(BoxedUint::from(PUBLIC_EXPONENT)).expect("not 0");
    let suits = |candidate: &BoxedUint| !bool::from(less_one(candidate).rem_vartime(&exponent).is_zero());
    sieve_and_find(&mut UnwrapErr(SysRng), sieve, |_, candidate| suits(candidate) && is_prime(Flavor::Any, candidate))
        .expect("random bits")
        .expect("more primes than anybody needs")
}

fn less_one(number: &BoxedUint) -> BoxedUint {
    number.wrapping_sub(BoxedUint::one())
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// A number in DER: no leading zeros, except one where the first bit would make it negative.
fn integer(number: &BoxedUint) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let leading = bytes.iter().take_while(|&&byte| byte == 0).count();
    let mut content = bytes[leading..].to_vec();
    if content.first().is_none_or(|&first| first >= 0x80) {
        content.insert(0, 0);
    }
    element(INTEGER, &content)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("no part of a key is that long").to_be_bytes();
    let mut encoded = vec![tag];
    match length {
        [0, short @ ..0x80] => encoded.push(short),
        [0, long] => encoded.extend([0x81, long]),
        longer => encoded.extend([0x82, longer[0], longer[1]]),
    }
    encoded.extend(content);
    encoded
}
