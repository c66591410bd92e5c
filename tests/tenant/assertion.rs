//! What an application proves itself with instead of a secret: a JWT that it signed, or one of another issuer.

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

/// How long an assertion may be good for \[ED/certificate-credentials\].
const LONGEST_LIFE: i64 = 10 * 60;
/// How many seconds the two clocks may differ.
const SKEW: i64 = 5;

/// Whether the assertion proves who sent it to this address.
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

/// The signature, by the key of a registered certificate \[ED/certificate-credentials\].
///
/// Entra also takes the SHA-1 digest that `x5t` is for; here, as in the contract, only `x5t#S256` counts. That it
/// refuses a certificate outside its validity with this code is unverified.
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

/// What a JWT of the application's own has to say \[ED/certificate-credentials\].
///
/// That Entra insists on a GUID as the `jti` is unverified, and so is the OAuth error for another `sub`.
fn check_claims(claims: &Value, audience: &str) -> Result<(), OAuthError> {
    if !is_app(&claims["sub"]) {
        return Err(OAuthError::new(700_021));
    }
    // A list of audiences is refused as malformed [openid-client issue 348].
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

/// A token of another issuer. Its signature means nothing: nobody signs tokens in this world.
///
/// Everything is compared with regard to case \[Azure/login issue 517\].
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

/// One audience or several: Kubernetes always lists them.
fn audiences_in(claim: &Value) -> Vec<&str> {
    match claim {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

/// A time that is missing lies long ago, which is how Entra reads it \[MSAL .NET issue 4951\].
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

/// The digest that the client sent, as Entra's refusals show it.
fn thumbprint(header: &Value) -> String {
    let digest = ["x5t#S256", "x5t"].into_iter().map(|name| digest_in(&header[name])).find(|it| !it.is_empty());
    digest.unwrap_or_default().iter().map(|byte| format!("{byte:02X}")).collect()
}
