//! What each of Entra's codes means, and what to do about it.

/// In hints, `{connect}` stands for the command that signs in; see
/// [`SignInCommand::fill`](crate::auth::SignInCommand::fill).
const BROWSER: &str = "{connect}";

/// The meaning of a refusal and what to type next.
pub struct Advice {
    pub meaning: &'static str,
    pub hints: &'static [&'static str],
}

const fn told(meaning: &'static str, hints: &'static [&'static str]) -> Advice {
    Advice { meaning, hints }
}

const NOT_ASSIGNED: Advice =
    told("the application is not assigned to this service", &["ask an administrator of the tenant to assign it"]);

/// What a refusal means, and what to do about it. `is_application` tells whether an application was refused, rather
/// than a person.
pub fn advice(code: Option<u32>, error: &str, is_application: bool) -> Advice {
    if is_application {
        return code.and_then(for_application).unwrap_or_else(|| for_application_by_error(error));
    }
    code.and_then(by_code).unwrap_or_else(|| by_error(error))
}

fn by_code(code: u32) -> Option<Advice> {
    Some(match code {
        50126 => told("the user name or the password is wrong", &[BROWSER]),
        50034 => told(
            "there is no such user in this tenant",
            &["look at the spelling of the user name; a guest has to name the tenant: {connect at TENANT}"],
        ),
        50053 => told(
            "the account is locked, or signs in from an address that is held to be risky",
            &["wait a while and try again, or ask an administrator of the tenant to unlock it"],
        ),
        50055 => told("the password has expired; the browser lets you set a new one", &[BROWSER]),
        50057 => told("the account is disabled", &["ask an administrator of the tenant to enable it"]),
        50076 | 50079 => {
            told("multi-factor sign-in is required, which the browser can do and a password alone cannot", &[BROWSER])
        }
        53003 => told(
            "a Conditional Access policy blocks this sign-in",
            &["give the correlation id above to whoever owns the tenant's Conditional Access policies"],
        ),
        50173 | 70008 | 700_082 => told("the saved sign-in was revoked or has expired", &["{connect again}"]),
        65001 => told(
            "nobody has consented to this client in this tenant",
            &["an administrator of the tenant can consent while signing in: {connect at TENANT}"],
        ),
        500_011 | 650_052 => told(
            "the M365 License Manager service is not in this tenant",
            &["look at the tenant: {connect at TENANT}; a tenant without Microsoft 365 has no such service"],
        ),
        700_016 => told(
            "the client id is not known in this tenant",
            &["look at --client-id and MSCOMMERCE_CLIENT_ID, at the tenant, and at the cloud (AZURE_AUTHORITY_HOST)"],
        ),
        90002 => told(
            "there is no such tenant here, or it is in another cloud",
            &[
                "look at the tenant's name (--tenant, or AZURE_TENANT_ID for connect); for a national cloud set AZURE_AUTHORITY_HOST",
            ],
        ),
        50011 => told(
            "the redirect address is not allowed for this client id",
            &["try another way in: {connect} --device-code", "or hand over a token: {connect} --with-token"],
        ),
        7_000_218 => told(
            "this client id may not be used without a secret",
            &["look at --client-id and MSCOMMERCE_CLIENT_ID, or try another way in: {connect} --with-token"],
        ),
        501_051 => NOT_ASSIGNED,
        50105 => told(
            "the user is not assigned to this application",
            &["ask an administrator of the tenant to assign the user"],
        ),
        _ => return None,
    })
}

/// The codes that an application meets (entra-docs, "error codes").
fn for_application(code: u32) -> Option<Advice> {
    Some(match code {
        7_000_215 => told("the client secret is wrong", &["the secret's value is needed, not its id"]),
        7_000_222 => told("the client secret has expired", &["make a new one in the app registration"]),
        7_000_218 | 700_025 => told(
            "this client id is that of a public client, which has no secret and no certificate",
            &["look at AZURE_CLIENT_ID or --client-id: an app registration's application (client) id is needed"],
        ),
        700_027 => told(
            "the certificate is not registered with the application, or the signature is wrong",
            &[
                "compare the thumbprints above with those in the app registration, under Certificates & secrets",
                "add the certificate (without its key) there where it is missing",
            ],
        ),
        700_211 | 700_212 | 700_213 | 70021 | 7_002_138 => told(
            "no federated credential of the application fits the token's issuer, subject and audience",
            &[
                "compare iss, sub and aud above with the app registration's federated credentials: every character counts, upper or lower case too",
            ],
        ),
        700_024 => told(
            "what the application presented is not valid at this time",
            &["look at this machine's clock, and at when the certificate or the federated token ends"],
        ),
        50027 => told(
            "what the application presented is no token that Entra can read",
            &["look at the file or the service that the federated token comes from"],
        ),
        700_016 | 7_000_229 => told(
            "the application is not known in this tenant",
            &[
                "look at AZURE_CLIENT_ID or --client-id, at the tenant, and at the cloud (AZURE_AUTHORITY_HOST)",
                "an application of another tenant needs an administrator's consent in this one",
            ],
        ),
        90002 => told(
            "there is no such tenant here, or it is in another cloud",
            &[
                "look at how the tenant is named (--tenant, --tenants-file, AZURE_TENANT_ID); for a national cloud set AZURE_AUTHORITY_HOST",
            ],
        ),
        500_011 | 650_052 => told(
            "the M365 License Manager service is not in this tenant",
            &[
                "look at how the tenant is named (--tenant, --tenants-file, AZURE_TENANT_ID); one without Microsoft 365 has no such service",
            ],
        ),
        65001 => told(
            "nobody has consented to this application in this tenant",
            &["an administrator of the tenant grants consent in the app registration, under API permissions"],
        ),
        53003 => told(
            "a Conditional Access policy for workload identities blocks this application",
            &["give the correlation id above to whoever owns the tenant's Conditional Access policies"],
        ),
        501_051 => NOT_ASSIGNED,
        _ => return None,
    })
}

fn for_application_by_error(error: &str) -> Advice {
    match error {
        "invalid_client" => told(
            "Entra does not accept what the application presented",
            &["look at the app registration, under Certificates & secrets"],
        ),
        _ => told("Entra refused it", &["look at AZURE_CLIENT_ID, AZURE_TENANT_ID and the app registration"]),
    }
}

fn by_error(error: &str) -> Advice {
    match error {
        "access_denied" | "authorization_declined" => told("it was declined", &["{connect}"]),
        "expired_token" | "bad_verification_code" => {
            told("the code has expired or is not valid any more", &["{connect} --device-code"])
        }
        "interaction_required" | "login_required" | "consent_required" => {
            told("a person has to answer in the browser", &[BROWSER])
        }
        "invalid_grant" => told("Entra does not accept these credentials", &["{connect}"]),
        _ => told("Entra refused it", &["for the other ways to sign in: mscommerce connect --help"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_wire_protocol_has_advice() {
        for code in [
            50126, 50034, 50053, 50055, 50057, 50076, 50079, 53003, 50173, 70008, 700_082, 65001, 500_011, 650_052,
            700_016, 90002, 50011, 7_000_218, 50105,
        ] {
            assert!(by_code(code).is_some_and(|advice| !advice.hints.is_empty()), "{code}");
        }
        for code in [
            7_000_215, 7_000_222, 700_027, 700_213, 70021, 7_002_138, 501_051, 700_016, 90002, 500_011, 650_052, 65001,
            53003, 7_000_218,
        ] {
            assert!(for_application(code).is_some_and(|advice| !advice.hints.is_empty()), "{code}");
        }
    }

    #[test]
    fn no_advice_for_an_application_asks_for_a_person() {
        for advice in [for_application(700_016), for_application(65001)].into_iter().flatten() {
            assert!(advice.hints.iter().all(|hint| !hint.contains("{connect")));
        }
    }
}
