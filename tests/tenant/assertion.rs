//! Client assertions: a JWT that the application signed, or a federated token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::APP_ID;
use super::application::{Application, FederatedCredential};
use super::oauth_error::OAuthError;
use super::token::{claims_of, header_of, parts_of};

/// The maximum lifetime of an assertion \[ED/certificate-credentials\].
const LONGEST_LIFE: i64 = 10 * 60;
/// The permitted clock skew in seconds.
const SKEW: i64 = 5;

/// Checks a client assertion for this audience.
pub(super) fn check(application: &Application, assertion: &str, audience: &str) -> Result<(), OAuthError> {
    let (header, claims) = header_of(assertion)
        .zip(claims_of(assertion))
        .filter(|(header, claims)| header.is_object() && claims.is_object())
        .ok_or_else(|| OAuthError::new(50027))?;
    if is_app(&claims["iss"]) {
        check_signature(application, assertion, &header)?;
        check_claims(&claims, audience)
    } else {
        check_federated(application, &claims)
    }
}

/// Checks the signature against the registered certificates \[ED/certificate-credentials\].
///
/// Entra also accepts the SHA-1 digest in `x5t`; here, as in the contract, only `x5t#S256` is read. That Entra
/// rejects a certificate outside its validity period with this code is unverified.
fn check_signature(application: &Application, assertion: &str, header: &Value) -> Result<(), OAuthError> {
    if header["typ"] != "JWT" {
        return Err(OAuthError::new(50027));
    }
    let sha256 = |der: &[u8]| URL_SAFE_NO_PAD.encode(Sha256::digest(der));
    let has_sha256_as_sha1 = digest_in(&header["x5t"]).len() == 32;
    let certificate = application
        .certificates
        .iter()
        .find(|der| !has_sha256_as_sha1 && header["x5t#S256"] == sha256(der).as_str())
        .ok_or_else(|| OAuthError::about(700_027, &thumbprint(header)))?;
    let (_, certificate) = X509Certificate::from_der(certificate).expect("only certificates are registered");
    let invalid = |reason: &str| {
        let text = format!("Client assertion contains an invalid signature. [Reason - {reason}]");
        Err(OAuthError::new(700_027).saying(&text))
    };
    let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, &certificate.public_key().subject_public_key.data);
    let [head, body, signature] = parts_of(assertion).ok_or_else(|| OAuthError::new(50027))?;
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    if header["alg"] != "PS256" || key.verify(format!("{head}.{body}").as_bytes(), &signature).is_err() {
        return invalid("The provided signature value did not match the expected signature value.");
    }
    if !certificate.validity().is_valid() {
        return invalid("The key used is expired.");
    }
    Ok(())
}

/// Checks the claims of a JWT signed by the application \[ED/certificate-credentials\].
///
/// Unverified: that Entra requires a GUID as the `jti`, and the OAuth error for another `sub`.
fn check_claims(claims: &Value, audience: &str) -> Result<(), OAuthError> {
    if !is_app(&claims["sub"]) {
        return Err(OAuthError::new(700_021));
    }
    // A list of audiences is malformed [openid-client issue 348].
    let (Some(meant_for), Some(_)) = (claims["aud"].as_str(), guid_in(&claims["jti"])) else {
        return Err(OAuthError::new(50027));
    };
    if meant_for != audience {
        return Err(OAuthError::new(700_023));
    }
    let now = Utc::now().timestamp();
    let (from, until) = (time_in(&claims["nbf"]), time_in(&claims["exp"]));
    if from > now + SKEW || until <= now || until - from > LONGEST_LIFE + SKEW {
        return Err(untimely(claims));
    }
    Ok(())
}

/// Checks a federated token. Its signature is not checked: simulated tokens are unsigned.
///
/// The comparison is case-sensitive \[Azure/login issue 517\].
fn check_federated(application: &Application, claims: &Value) -> Result<(), OAuthError> {
    let [issuer, subject] = ["iss", "sub"].map(|name| claims[name].as_str().unwrap_or_default());
    let audiences = audiences_in(&claims["aud"]);
    let mut fitting: Vec<&FederatedCredential> = application.federated.iter().collect();
    fitting.retain(|known| known.issuer == issuer);
    if fitting.is_empty() {
        return Err(OAuthError::about(700_211, issuer));
    }
    fitting.retain(|known| known.subject == subject);
    if fitting.is_empty() {
        return Err(OAuthError::about(700_213, subject));
    }
    fitting.retain(|known| audiences.contains(&known.audience.as_str()));
    if fitting.is_empty() {
        return Err(OAuthError::about(700_212, &audiences.join(", ")));
    }
    if time_in(&claims["exp"]) <= Utc::now().timestamp() { Err(untimely(claims)) } else { Ok(()) }
}

fn is_app(claim: &Value) -> bool {
    claim.as_str().is_some_and(|id| id.eq_ignore_ascii_case(APP_ID))
}

fn guid_in(claim: &Value) -> Option<Uuid> {
    claim.as_str().and_then(|text| Uuid::parse_str(text).ok())
}

/// One audience or a list: Kubernetes always uses a list.
fn audiences_in(claim: &Value) -> Vec<&str> {
    match claim {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// A missing time is 0, as in Entra \[MSAL .NET issue 4951\].
fn time_in(claim: &Value) -> i64 {
    claim.as_i64().unwrap_or_default()
}

fn untimely(claims: &Value) -> OAuthError {
    let written = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
    let claimed = |name| written(DateTime::from_timestamp(time_in(&claims[name]), 0).unwrap_or_default());
    let (now, from, until) = (written(Utc::now()), claimed("nbf"), claimed("exp"));
    let times = format!("Current time: {now}, assertion valid from {from}, expiry time of assertion {until}.");
    OAuthError::about(700_024, &times)
}

fn digest_in(member: &Value) -> Vec<u8> {
    member.as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).unwrap_or_default()
}

/// The digest that the client sent, as Entra's errors show it.
fn thumbprint(header: &Value) -> String {
    let digest = ["x5t#S256", "x5t"].into_iter().map(|name| digest_in(&header[name])).find(|it| !it.is_empty());
    digest.unwrap_or_default().iter().map(|byte| format!("{byte:02X}")).collect()
}
