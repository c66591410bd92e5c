//! The meaning of Entra's error codes, and hints for each.

/// Error keys, their meaning, and the hints. Hints may contain the placeholders of
/// [`SignInCommand::expand`](super::sign_in_command::SignInCommand::expand).
type Advice<K> = (&'static [K], &'static str, &'static [&'static str]);

const REJECTED: &str = "Entra refused it";
const NO_SUCH_TENANT: &str = "there is no such tenant here, or it is in another cloud";
const NO_SUCH_SERVICE: &str = "the M365 License Manager service is not in this tenant";
const NOT_ASSIGNED: Advice<u32> = (
    &[501_051],
    "the application is not assigned to this service",
    &["ask an administrator of the tenant to assign it"],
);
const HINT_CORRELATION_ID: &str =
    "give the correlation id above to whoever owns the tenant's Conditional Access policies";

/// Advice for user sign-ins, by the number after `AADSTS` (entra-docs, "error codes").
const USER_ADVICE: &[Advice<u32>] = &[
    (&[50126], "the user name or the password is wrong", &["{sign-in}"]),
    (
        &[50034],
        "there is no such user in this tenant",
        &["look at the spelling of the user name; a guest has to name the tenant: {sign-in-tenant}"],
    ),
    (
        &[50053],
        "the account is locked, or signs in from an address that is held to be risky",
        &["wait a while and try again, or ask an administrator of the tenant to unlock it"],
    ),
    (&[50055], "the password has expired; the browser lets you set a new one", &["{sign-in}"]),
    (&[50057], "the account is disabled", &["ask an administrator of the tenant to enable it"]),
    (
        &[50076, 50079],
        "multi-factor sign-in is required, which the browser can do and a password alone cannot",
        &["{sign-in}"],
    ),
    (&[53003], "a Conditional Access policy blocks this sign-in", &[HINT_CORRELATION_ID]),
    (&[50173, 70008, 700_082], "the saved sign-in was revoked or has expired", &["{sign-in-any-tenant}"]),
    (
        &[65001],
        "nobody has consented to this client in this tenant",
        &["an administrator of the tenant can consent while signing in: {sign-in-tenant}"],
    ),
    (
        &[500_011, 650_052],
        NO_SUCH_SERVICE,
        &["look at the tenant: {sign-in-tenant}; a tenant without Microsoft 365 has no such service"],
    ),
    (
        &[700_016],
        "the client id is not known in this tenant",
        &["look at --client-id and MSCOMMERCE_CLIENT_ID, at the tenant, and at the cloud (AZURE_AUTHORITY_HOST)"],
    ),
    (
        &[90002],
        NO_SUCH_TENANT,
        &[
            "look at the tenant's name (--tenant, or AZURE_TENANT_ID for connect); for a national cloud set AZURE_AUTHORITY_HOST",
        ],
    ),
    (
        &[50011],
        "the redirect address is not allowed for this client id",
        &["try another way in: {sign-in} --device-code", "or hand over a token: {sign-in} --with-token"],
    ),
    (
        &[7_000_218],
        "this client id may not be used without a secret",
        &["look at --client-id and MSCOMMERCE_CLIENT_ID, or try another way in: {sign-in} --with-token"],
    ),
    NOT_ASSIGNED,
    (
        &[50105],
        "the user is not assigned to this application",
        &["ask an administrator of the tenant to assign the user"],
    ),
];

/// Advice for user sign-ins by the OAuth `error` value. Used if the code is missing or not in [`USER_ADVICE`].
const USER_ADVICE_BY_ERROR: &[Advice<&str>] = &[
    (&["access_denied", "authorization_declined"], "it was declined", &["{sign-in}"]),
    (
        &["expired_token", "bad_verification_code"],
        "the code has expired or is not valid any more",
        &["{sign-in} --device-code"],
    ),
    (
        &["interaction_required", "login_required", "consent_required"],
        "a person has to answer in the browser",
        &["{sign-in}"],
    ),
    (&["invalid_grant"], "Entra does not accept these credentials", &["{sign-in}"]),
];

/// Advice for application sign-ins, by the number after `AADSTS` (entra-docs, "error codes").
const APPLICATION_ADVICE: &[Advice<u32>] = &[
    (&[7_000_215], "the client secret is wrong", &["the secret's value is needed, not its id"]),
    (&[7_000_222], "the client secret has expired", &["make a new one in the app registration"]),
    (
        &[7_000_218, 700_025],
        "this client id is that of a public client, which has no secret and no certificate",
        &["look at AZURE_CLIENT_ID or --client-id: an app registration's application (client) id is needed"],
    ),
    (
        &[700_027],
        "the certificate is not registered with the application, or the signature is wrong",
        &[
            "compare the thumbprints above with those in the app registration, under Certificates & secrets",
            "add the certificate (without its key) there where it is missing",
        ],
    ),
    (
        &[700_211, 700_212, 700_213, 70021, 7_002_138],
        "no federated credential of the application fits the token's issuer, subject and audience",
        &[
            "compare iss, sub and aud above with the app registration's federated credentials: every character counts, upper or lower case too",
        ],
    ),
    (
        &[700_024],
        "what the application presented is not valid at this time",
        &["look at this machine's clock, and at when the certificate or the federated token ends"],
    ),
    (
        &[50027],
        "what the application presented is no token that Entra can read",
        &["look at the file or the service that the federated token comes from"],
    ),
    (
        &[700_016, 7_000_229],
        "the application is not known in this tenant",
        &[
            "look at AZURE_CLIENT_ID or --client-id, at the tenant, and at the cloud (AZURE_AUTHORITY_HOST)",
            "an application of another tenant needs an administrator's consent in this one",
        ],
    ),
    (
        &[90002],
        NO_SUCH_TENANT,
        &[
            "look at how the tenant is named (--tenant, --tenants-file, AZURE_TENANT_ID); for a national cloud set AZURE_AUTHORITY_HOST",
        ],
    ),
    (
        &[500_011, 650_052],
        NO_SUCH_SERVICE,
        &[
            "look at how the tenant is named (--tenant, --tenants-file, AZURE_TENANT_ID); one without Microsoft 365 has no such service",
        ],
    ),
    (
        &[65001],
        "nobody has consented to this application in this tenant",
        &["an administrator of the tenant grants consent in the app registration, under API permissions"],
    ),
    (&[53003], "a Conditional Access policy for workload identities blocks this application", &[HINT_CORRELATION_ID]),
    NOT_ASSIGNED,
];

/// Advice for application sign-ins by the OAuth `error` value.
const APPLICATION_ADVICE_BY_ERROR: &[Advice<&str>] = &[(
    &["invalid_client"],
    "Entra does not accept what the application presented",
    &["look at the app registration, under Certificates & secrets"],
)];

/// Returns the meaning of an error and its hints. Looks up `code` first, then the OAuth `error` value.
pub fn advice_for(code: Option<u32>, error: &str, is_application: bool) -> (&'static str, &'static [&'static str]) {
    let (by_code, by_error, fallback): (_, _, &[&str]) = if is_application {
        let fallback = &["look at AZURE_CLIENT_ID, AZURE_TENANT_ID and the app registration"];
        (APPLICATION_ADVICE, APPLICATION_ADVICE_BY_ERROR, fallback)
    } else {
        (USER_ADVICE, USER_ADVICE_BY_ERROR, &["for the other ways to sign in: mscommerce connect --help"])
    };
    let advice = code.and_then(|code| find(by_code, |known| *known == code));
    advice.or_else(|| find(by_error, |known| *known == error)).unwrap_or((REJECTED, fallback))
}

fn find<K>(table: &[Advice<K>], matches: impl Fn(&K) -> bool) -> Option<(&'static str, &'static [&'static str])> {
    table.iter().find(|(keys, ..)| keys.iter().any(&matches)).map(|(_, meaning, hints)| (*meaning, *hints))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn application_advice_has_no_sign_in_placeholder() {
        let hints = APPLICATION_ADVICE.iter().flat_map(|(_, _, hints)| *hints);
        let by_error = APPLICATION_ADVICE_BY_ERROR.iter().flat_map(|(_, _, hints)| *hints);
        assert!(hints.chain(by_error).all(|hint| !hint.contains("{sign-in")));
    }

    #[test]
    fn codes_with_advice_match_troubleshooting_docs() {
        let page = include_str!("../../docs/troubleshooting.md");
        let sections: Vec<&str> = page.split("\n### AADSTS").skip(1).collect();
        assert_eq!(sections.len(), 2, "one for users, one for applications");
        for (section, table) in sections.into_iter().zip([USER_ADVICE, APPLICATION_ADVICE]) {
            let rows = section.lines().filter_map(|line| line.strip_prefix("| AADSTS")?.split('|').next());
            let documented: BTreeSet<u32> =
                rows.flat_map(|codes| codes.split(", AADSTS")).map(|code| code.trim().parse().expect(code)).collect();
            let with_advice: BTreeSet<u32> = table.iter().flat_map(|(codes, ..)| *codes).copied().collect();
            assert_eq!(with_advice, documented);
            for (codes, meaning, hints) in table {
                assert!(page.contains(&format!("`{meaning}`")), "{meaning}");
                assert!(!hints.is_empty(), "{codes:?}");
            }
        }
    }
}
