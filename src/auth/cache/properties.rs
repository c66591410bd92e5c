//! What has to hold of the file of sign-ins, whatever it holds.

use super::TokenCache;
use super::sealing;
use crate::auth::credential::CacheFile;
use crate::secret::SecretBytes;

/// The file is refused without a word of it, or reads the same once it is written again.
pub fn sign_ins(file: &[u8]) {
    // What Windows sealed is judged by what it is made of.
    let Ok(file) = sealing::open(SecretBytes::from(file.to_vec())) else { return };
    match TokenCache::parse(&file) {
        Ok(content) => {
            let written = written(&content);
            match TokenCache::parse(&written) {
                Ok(again) => assert_eq!(self::written(&again), written),
                Err(why) => panic!("what was written is refused: {why}"),
            }
        }
        Err(why) => {
            let words = why.split(|character: char| !character.is_ascii_alphabetic()).filter(|word| !word.is_empty());
            let words = words.collect::<Vec<_>>().join(" ");
            let known = ["it is damaged at line column", "its layout is number and this version knows and"];
            assert!(known.contains(&words.as_str()), "{why}");
        }
    }
}

fn written(content: &CacheFile) -> Vec<u8> {
    match serde_json::to_vec(content) {
        Ok(text) => text,
        Err(error) => panic!("it cannot be written: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::{Value, json};

    /// A profile's sign-in, with members of the right type but for one at times.
    fn sign_in() -> impl Strategy<Value = Value> {
        let methods = vec!["browser", "device-code", "password", "token", "application", "Browser"];
        let authorities = vec!["https://login.example", "http://[::1]:8400/a/../b?c", "mailto:a", "", "https://a b"];
        let times =
            vec!["2026-01-01T00:00:00Z", "2026-01-01T00:00:60+23:59", "+262142-12-31T23:59:59.999999999Z", "now"];
        let token = (any::<String>(), select(times), vec(any::<String>(), 0..3))
            .prop_map(|(token, ends, domains)| json!({"accessToken": token, "expiresAt": ends, "domains": domains}));
        (
            option::of(any::<String>()),
            any::<String>(),
            select(methods),
            select(authorities),
            option::of(any::<String>()),
            btree_map(any::<String>(), token, 0..3),
        )
            .prop_map(|(account, id, method, authority, refresh_token, tenants)| {
                json!({"account": account, "tenantId": id, "method": method, "authority": authority, "scope": "s",
                    "refreshToken": refresh_token, "tenants": tenants})
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_file_is_refused_without_a_word_of_it_or_kept_as_it_is(
            profiles in btree_map("[a-z]{1,8}", sign_in(), 0..3),
            version in 0_u64..4,
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = json!({"version": version, "profiles": profiles}).to_string();
            sign_ins(whole.as_bytes());
            sign_ins(&whole.as_bytes()[..cut.index(whole.len())]);
        }

        #[test]
        fn a_file_of_anything_is_refused_without_a_word_of_it(text in any::<String>()) {
            sign_ins(text.as_bytes());
        }
    }
}
