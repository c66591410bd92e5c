//! Client assertions: certificates and federated tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::tenant::certificates::{RsaKey, TestCertificate};
use super::tenant::{
    APP_ID, CUSTOMER_TENANT, FEDERATION_AUDIENCE, GITHUB_ISSUER, GITHUB_SUBJECT, HOME_DOMAIN, HOME_TENANT, SCOPE,
    SimulatedTenant, claims_of, federated_token, jwt, send,
};
use super::{assert_error, claims, token_request};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[test]
fn assertion_must_be_a_jwt() {
    let tenant = SimulatedTenant::start();
    let certificate = TestCertificate::rsa();
    tenant.register_certificate(&certificate.certificate_der);
    for malformed in ["not a JWT", "a.b.c", "W10.W10.W10", "e30.e30", "e30.e30.e30.e30"] {
        assert_error(&sign_in(&tenant, HOME_TENANT, malformed), "invalid_request", 50027);
    }
    let mut header = header(&certificate);
    header["typ"] = "JOSE".into();
    let assertion = signed(&certificate, &header, &own_claims(&tenant, HOME_TENANT));
    assert_error(&sign_in(&tenant, HOME_TENANT, &assertion), "invalid_request", 50027);
    for assertion_type in ["", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"] {
        let response = sign_in_as(&tenant, HOME_TENANT, &assertion, assertion_type);
        assert_error(&response, "invalid_request", 900_144);
    }
    assert_eq!(tenant.assertions().len(), 8);
}

#[test]
fn assertion_certificate_digest_is_required() {
    let tenant = SimulatedTenant::start();
    let [certificate, stranger] = [RsaKey::Default, RsaKey::Other].map(TestCertificate::rsa_with);
    tenant.register_certificate(&certificate.certificate_der);
    let (sha1, sha256) = (digest(&certificate.sha1()), digest(&certificate.sha256()));
    for header in [
        json!({"alg": "PS256", "typ": "JWT"}),
        json!({"alg": "PS256", "typ": "JWT", "x5t": sha1}),
        json!({"alg": "PS256", "typ": "JWT", "x5t": sha256}),
        json!({"alg": "PS256", "typ": "JWT", "x5t": sha256, "x5t#S256": sha256}),
        json!({"alg": "PS256", "typ": "JWT", "x5t#S256": sha1}),
        json!({"alg": "PS256", "typ": "JWT", "x5t#S256": certificate.sha256()}),
        json!({"alg": "PS256", "typ": "JWT", "x5t#S256": digest(&stranger.sha256())}),
    ] {
        let assertion = signed(&certificate, &header, &own_claims(&tenant, HOME_TENANT));
        let response = sign_in(&tenant, HOME_TENANT, &assertion);
        assert_error(&response, "invalid_client", 700_027);
        assert!(response["error_description"].as_str().unwrap().contains("is not registered on application"));
    }
    let both = json!({"alg": "PS256", "typ": "JWT", "x5t": sha1, "x5t#S256": sha256});
    let assertion = signed(&certificate, &both, &own_claims(&tenant, HOME_TENANT));
    assert!(sign_in(&tenant, HOME_TENANT, &assertion)["access_token"].is_string());
}

#[test]
fn assertion_signature_is_verified() {
    let tenant = SimulatedTenant::start();
    let [certificate, stranger] = [RsaKey::Default, RsaKey::Other].map(TestCertificate::rsa_with);
    let (expired, early) = (TestCertificate::rsa_expired(), TestCertificate::rsa_not_yet_valid());
    let elliptic = TestCertificate::elliptic();
    for known in [&certificate, &expired, &early, &elliptic] {
        tenant.register_certificate(&known.certificate_der);
    }
    let claims = own_claims(&tenant, HOME_TENANT);
    let good = signed(&certificate, &header(&certificate), &claims);
    let (unsigned, _) = good.rsplit_once('.').unwrap();
    let mut rs256 = header(&certificate);
    rs256["alg"] = "RS256".into();
    for assertion in [
        format!("{unsigned}."),
        jwt_signed(&certificate, &header(&certificate), &claims, &RSA_PKCS1_SHA256),
        jwt_signed(&certificate, &rs256, &claims, &RSA_PKCS1_SHA256),
        signed(&certificate, &rs256, &claims),
        signed(&stranger, &header(&certificate), &claims),
        signed(&certificate, &header(&elliptic), &claims),
        signed(&certificate, &header(&expired), &claims),
        signed(&certificate, &header(&early), &claims),
    ] {
        let response = sign_in(&tenant, HOME_TENANT, &assertion);
        assert_error(&response, "invalid_client", 700_027);
        assert!(response["error_description"].as_str().unwrap().contains("contains an invalid signature"));
    }
    assert!(sign_in(&tenant, HOME_TENANT, &good)["access_token"].is_string());
}

#[test]
fn assertion_claims_are_verified() {
    let tenant = SimulatedTenant::start();
    let certificate = TestCertificate::rsa();
    tenant.register_certificate(&certificate.certificate_der);
    let now = Utc::now().timestamp();
    let defaults = own_claims(&tenant, HOME_TENANT);
    let other_tenant = own_claims(&tenant, CUSTOMER_TENANT)["aud"].clone();
    for (changed, value, error, code) in [
        ("aud", json!("https://login.microsoftonline.com/"), "invalid_client", 700_023),
        ("aud", other_tenant, "invalid_client", 700_023),
        ("aud", own_claims(&tenant, HOME_DOMAIN)["aud"].clone(), "invalid_client", 700_023),
        ("aud", json!([defaults["aud"]]), "invalid_request", 50027),
        ("sub", json!("another"), "invalid_client", 700_021),
        ("jti", json!("not a GUID"), "invalid_request", 50027),
        ("jti", Value::Null, "invalid_request", 50027),
        ("nbf", json!(now + 60), "invalid_client", 700_024),
        ("nbf", Value::Null, "invalid_client", 700_024),
        ("exp", json!(now), "invalid_client", 700_024),
        ("exp", Value::Null, "invalid_client", 700_024),
        ("exp", json!(now + 660), "invalid_client", 700_024),
    ] {
        let mut claims = defaults.clone();
        claims[changed] = value;
        let assertion = signed(&certificate, &header(&certificate), &claims);
        assert_error(&sign_in(&tenant, HOME_TENANT, &assertion), error, code);
    }
}

#[test]
fn federated_token_matching_is_case_sensitive() {
    let tenant = SimulatedTenant::start();
    let workflow = |ending: &str| format!("repo:contoso/licences:{ending}");
    tenant.federate(GITHUB_ISSUER, GITHUB_SUBJECT, FEDERATION_AUDIENCE);
    tenant.federate(GITHUB_ISSUER, &workflow("environment:billing"), "another audience");
    tenant.federate("https://other.example", "someone", FEDERATION_AUDIENCE);
    for (issuer, subject, audience, code) in [
        ("https://unknown.example", GITHUB_SUBJECT, FEDERATION_AUDIENCE, 700_211),
        ("https://TOKEN.actions.githubusercontent.com", GITHUB_SUBJECT, FEDERATION_AUDIENCE, 700_211),
        (GITHUB_ISSUER, "someone", FEDERATION_AUDIENCE, 700_213),
        (GITHUB_ISSUER, "repo:Contoso/licences:ref:refs/heads/main", FEDERATION_AUDIENCE, 700_213),
        (GITHUB_ISSUER, GITHUB_SUBJECT, "api://azureadtokenexchange", 700_212),
        (GITHUB_ISSUER, GITHUB_SUBJECT, "another audience", 700_212),
    ] {
        let token = federated_token(issuer, subject, audience, 300);
        assert_error(&sign_in(&tenant, HOME_TENANT, &token), "invalid_client", code);
    }
    let expired = federated_token(GITHUB_ISSUER, GITHUB_SUBJECT, FEDERATION_AUDIENCE, -1);
    assert_error(&sign_in(&tenant, HOME_TENANT, &expired), "invalid_client", 700_024);
    let good = federated_token(GITHUB_ISSUER, GITHUB_SUBJECT, FEDERATION_AUDIENCE, 300);
    let mut several = claims_of(&good).unwrap();
    several["aud"] = json!(["another", FEDERATION_AUDIENCE]);
    for token in [good, jwt(&several)] {
        assert_eq!(claims(&sign_in(&tenant, HOME_TENANT, &token))["appidacr"], "2");
    }
}

#[test]
fn github_oidc_endpoint_needs_request_token() {
    let tenant = SimulatedTenant::start();
    tenant.federate(GITHUB_ISSUER, GITHUB_SUBJECT, FEDERATION_AUDIENCE);
    let [(url_name, url), (token_name, request_token)] = tenant.github_oidc();
    assert_eq!([url_name, token_name], ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);
    assert!(url.ends_with("?api-version=2.0"), "{url}");
    let bearer = format!("bearer {request_token}");
    let headers = [("authorization", bearer.as_str())];
    let for_audience = format!("{url}&audience=api%3A%2F%2FAzureADTokenExchange");
    for (address, audience) in [(&url, "https://github.com/contoso"), (&for_audience, FEDERATION_AUDIENCE)] {
        let response = send("GET", address, &headers, "");
        assert_eq!((response.status, &response.json()["count"]), (200, &json!(1)));
        let claims = claims_of(response.json()["value"].as_str().unwrap()).unwrap();
        assert_eq!([&claims["iss"], &claims["sub"], &claims["aud"]], [GITHUB_ISSUER, GITHUB_SUBJECT, audience]);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    }
    let token = send("GET", &for_audience, &headers, "").json()["value"].as_str().unwrap().to_owned();
    assert!(sign_in(&tenant, HOME_TENANT, &token)["access_token"].is_string());

    assert_eq!(send("GET", &url, &[("authorization", "bearer another")], "").status, 401);
    assert_eq!(send("GET", &url, &[], "").status, 401);
    assert_eq!(send("GET", &url.replace("2.0", "1.0"), &headers, "").status, 400);
    assert_eq!(send("POST", &url, &headers, "").status, 404);
}

fn header(certificate: &TestCertificate) -> Value {
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate.certificate_der));
    json!({"alg": "PS256", "typ": "JWT", "x5t#S256": digest})
}

/// What a good assertion for this tenant says.
fn own_claims(tenant: &SimulatedTenant, at: &str) -> Value {
    let now = Utc::now().timestamp();
    json!({
        "aud": format!("{}/{at}/oauth2/v2.0/token", tenant.url()),
        "iss": APP_ID,
        "sub": APP_ID,
        "jti": Uuid::new_v4().to_string(),
        "nbf": now,
        "exp": now + 600,
    })
}

fn signed(certificate: &TestCertificate, header: &Value, claims: &Value) -> String {
    jwt_signed(certificate, header, claims, &RSA_PSS_SHA256)
}

fn jwt_signed(
    certificate: &TestCertificate,
    header: &Value,
    claims: &Value,
    padding: &'static dyn RsaEncoding,
) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let key = RsaKeyPair::from_pkcs8(&certificate.key_pkcs8_der).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A thumbprint as it stands in a JWT.
fn digest(thumbprint: &str) -> String {
    let bytes = thumbprint.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    URL_SAFE_NO_PAD.encode(bytes.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect::<Vec<_>>())
}

fn sign_in(tenant: &SimulatedTenant, at: &str, assertion: &str) -> Value {
    sign_in_as(tenant, at, assertion, ASSERTION_TYPE)
}

fn sign_in_as(tenant: &SimulatedTenant, at: &str, assertion: &str, assertion_type: &str) -> Value {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", APP_ID),
        ("client_assertion_type", assertion_type),
        ("client_assertion", assertion),
        ("scope", SCOPE),
    ];
    token_request(tenant, at, &form)
}
