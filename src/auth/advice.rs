//! The meaning of Entra's error codes, and hints for each.

/// Error keys, their meaning, and the hints. Hints may contain the placeholders of
/// [`SignInCommand::expand`](super::sign_in_command::SignInCommand::expand).
type Advice<K> = (&'static [K], &'static str, &'static [&'static str]);

const REJECTED: &str = "rejected by Microsoft Entra ID";
const NO_SUCH_TENANT: &str = "the tenant does not exist in this cloud";
const NO_SUCH_SERVICE: &str = "the M365 License Manager service is not available in this tenant";
const NOT_ASSIGNED: Advice<u32> = (
    &[501_051],
    "the application is not assigned to M365 License Manager",
    &["ask an administrator of the tenant to assign the application"],
);
const HINT_CORRELATION_ID: &str =
    "give the correlation ID above to the administrator of the tenant's Conditional Access policies";

/// Advice for user sign-ins, by the number after `AADSTS` (entra-docs, "error codes").
const USER_ADVICE: &[Advice<u32>] = &[
    (&[50126], "wrong user name or password", &["{sign-in}"]),
    (
        &[50034],
        "the user does not exist in this tenant",
        &["check the user name; guests must specify the tenant: {sign-in-tenant}"],
    ),
    (
        &[50053],
        "the account is locked, or its IP address is considered risky",
        &["try again later, or ask an administrator of the tenant to unlock the account"],
    ),
    (&[50055], "the password has expired; sign in with a browser to set a new one", &["{sign-in}"]),
    (&[50057], "the account is disabled", &["ask an administrator of the tenant to enable the account"]),
    (&[50076, 50079], "multi-factor authentication is required; sign in with a browser", &["{sign-in}"]),
    (&[53003], "a Conditional Access policy blocks this sign-in", &[HINT_CORRELATION_ID]),
    (&[50173, 70008, 700_082], "the saved sign-in has expired or was revoked", &["{sign-in-any-tenant}"]),
    (
        &[65001],
        "this client has no consent in this tenant",
        &["ask an administrator of the tenant to sign in and consent: {sign-in-tenant}"],
    ),
    (&[500_011, 650_052], NO_SUCH_SERVICE, &["sign in to a tenant that has Microsoft 365: {sign-in-tenant}"]),
    (
        &[700_016],
        "the client ID does not exist in this tenant",
        &["check --client-id, MSCOMMERCE_CLIENT_ID, the tenant, and the cloud (AZURE_AUTHORITY_HOST)"],
    ),
    (
        &[90002],
        NO_SUCH_TENANT,
        &[
            "check the tenant (--tenant, or AZURE_TENANT_ID for connect), and set AZURE_AUTHORITY_HOST for a national cloud",
        ],
    ),
    (
        &[50011],
        "the redirect URI is not registered for this client ID",
        &[
            "sign in with a device code: {sign-in} --device-code",
            "sign in with an access token: {sign-in} --with-token",
        ],
    ),
    (
        &[7_000_218],
        "this client ID requires a client secret",
        &["check --client-id and MSCOMMERCE_CLIENT_ID, or sign in with an access token: {sign-in} --with-token"],
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
    (&["access_denied", "authorization_declined"], "the sign-in was declined", &["{sign-in}"]),
    (
        &["expired_token", "bad_verification_code"],
        "the code has expired or is no longer valid",
        &["{sign-in} --device-code"],
    ),
    (
        &["interaction_required", "login_required", "consent_required"],
        "user interaction is required; sign in with a browser",
        &["{sign-in}"],
    ),
    (&["invalid_grant"], "the credentials were rejected", &["{sign-in}"]),
];

/// Advice for application sign-ins, by the number after `AADSTS` (entra-docs, "error codes").
const APPLICATION_ADVICE: &[Advice<u32>] = &[
    (&[7_000_215], "wrong client secret", &["use the secret's value, not its ID"]),
    (&[7_000_222], "the client secret has expired", &["create a new client secret in the app registration"]),
    (
        &[7_000_218, 700_025],
        "this client ID belongs to a public client, which cannot use a secret or a certificate",
        &["set AZURE_CLIENT_ID or --client-id to the application (client) ID of an app registration"],
    ),
    (
        &[700_027],
        "the certificate is not registered for the application, or the signature is invalid",
        &[
            "compare the thumbprints above with those in the app registration, under Certificates & secrets",
            "add the certificate (without its private key) to the app registration if it is missing",
        ],
    ),
    (
        &[700_211, 700_212, 700_213, 70021, 7_002_138],
        "no federated credential of the application matches the token's issuer, subject and audience",
        &["compare iss, sub and aud above with the app registration's federated credentials; case matters"],
    ),
    (
        &[700_024],
        "the client assertion is not valid at this time",
        &["check this machine's clock, and when the certificate or federated token expires"],
    ),
    (
        &[50027],
        "the client assertion is not a valid token",
        &["check the file or service that provides the federated token"],
    ),
    (
        &[700_016, 7_000_229],
        "the application does not exist in this tenant",
        &[
            "check AZURE_CLIENT_ID or --client-id, the tenant, and the cloud (AZURE_AUTHORITY_HOST)",
            "if the application is from another tenant, ask an administrator to grant consent in this one",
        ],
    ),
    (
        &[90002],
        NO_SUCH_TENANT,
        &[
            "check the tenant (--tenant, --tenants-file, AZURE_TENANT_ID), and set AZURE_AUTHORITY_HOST for a national cloud",
        ],
    ),
    (
        &[500_011, 650_052],
        NO_SUCH_SERVICE,
        &["specify a tenant that has Microsoft 365 (--tenant, --tenants-file, AZURE_TENANT_ID)"],
    ),
    (
        &[65001],
        "this application has no consent in this tenant",
        &["ask an administrator of the tenant to grant consent in the app registration, under API permissions"],
    ),
    (&[53003], "a Conditional Access policy for workload identities blocks this application", &[HINT_CORRELATION_ID]),
    NOT_ASSIGNED,
];

/// Advice for application sign-ins by the OAuth `error` value.
const APPLICATION_ADVICE_BY_ERROR: &[Advice<&str>] = &[(
    &["invalid_client"],
    "the application's credential was rejected",
    &["check the app registration, under Certificates & secrets"],
)];

/// Returns the meaning of an error and its hints. Looks up `code` first, then the OAuth `error` value.
pub fn advice_for(code: Option<u32>, error: &str, is_application: bool) -> (&'static str, &'static [&'static str]) {
    let (by_code, by_error, fallback): (_, _, &[&str]) = if is_application {
        let fallback = &["check AZURE_CLIENT_ID, AZURE_TENANT_ID and the app registration"];
        (APPLICATION_ADVICE, APPLICATION_ADVICE_BY_ERROR, fallback)
    } else {
        (USER_ADVICE, USER_ADVICE_BY_ERROR, &["see the other sign-in methods: mscommerce connect --help"])
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
