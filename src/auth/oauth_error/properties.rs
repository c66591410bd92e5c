//! What has to hold of Entra's refusals, whatever the answer holds.

use super::OAuthError;
use crate::auth::SignInCommand;
use crate::fuzzing::printed;
use crate::http::Response;
use crate::text::display_excerpt;

/// A refusal names its error, and is told harmlessly.
pub fn refusal(answer: &Response) {
    let Some(refusal) = OAuthError::of(answer) else { return };
    let by_redirect = OAuthError::from_redirect(refusal.error.clone(), refusal.error_description.clone());
    for refusal in [refusal, by_redirect] {
        for is_application in [false, true] {
            let error = display_excerpt(&refusal.error);
            let connect = SignInCommand { is_application, ..SignInCommand::new("default", None) };
            let printed = printed(&refusal.clone().into_error("could not sign in", &connect));
            assert!(printed.contains(&error), "{error:?} is not in {printed}");
            assert!(printed.starts_with("error: could not sign in: "), "{printed}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::proptests::parse_response as answer;
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_refusal_of_entra_is_told_harmlessly(
            texts in proptest::collection::vec(any::<String>(), 5),
            code in any::<u64>(),
            repeated in 1_usize..5000,
        ) {
            let body = json!({
                "error": texts[0],
                "error_description": format!("AADSTS{code}: {} Trace ID: {}", texts[1].repeat(repeated), texts[2]),
                "error_codes": [code],
                "suberror": texts[3],
                "correlation_id": texts[4],
            });
            refusal(&answer(format!("400\n{body}").as_bytes()));
        }
    }
}
