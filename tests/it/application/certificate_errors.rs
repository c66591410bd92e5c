//! Files that are no certificate with its key, or one that Entra would not take.

use super::certificates::encrypted_key;
use super::*;
use crate::tenant::certificates::RsaKey;

/// The file is refused, by the variable and by the flag, for this reason and before anything is sent.
#[track_caller]
fn expect_refused(env: &TestEnv, file: &str, more: &[(&'static str, &str)], reasons: &[&str]) {
    let proof = [&[(CERTIFICATE, file)], more].concat();
    let result = list_with(env, &proof).assert_code(4).stdout_is_empty().stderr_contains(reasons);
    let result = result.stderr_contains(&[CERTIFICATE, file]);
    expect_no_key(&result);

    let mut command = env.command(&[
        "connect",
        "--application",
        "--client-id",
        APP_ID,
        "--tenant",
        HOME_TENANT,
        "--certificate",
        file,
        "-vvv",
    ]);
    command.envs(more.iter().copied());
    let result = CliResult::from(command.output().unwrap()).assert_code(4).stdout_is_empty().stderr_contains(reasons);
    let result = result.stderr_contains(&["--certificate", file]);
    assert!(!result.stderr.contains(CERTIFICATE), "nobody set that: {}", result.stderr);
    expect_no_key(&result);
    assert!(env.request_lines().is_empty());
    assert!(!env.cache_path().exists());
}

#[track_caller]
fn expect_no_key(result: &CliResult) {
    for secret in ["BEGIN", "MII", "sesame"] {
        assert!(!result.stderr.contains(secret), "{}", result.stderr);
    }
}

/// The same for a file of this content.
#[track_caller]
fn expect_content_refused(content: impl AsRef<[u8]>, reasons: &[&str]) {
    let env = TestEnv::new();
    expect_refused(&env, &env.write("app.pem", content), &[], reasons);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let env = TestEnv::new();
    let missing = text_of(env.home().join("missing.pem"));
    let directory = text_of(env.home().to_owned());
    for file in [&missing, &directory] {
        list_by_certificate(&env, file).assert_code(4).stdout_is_empty().stderr_contains(&[CERTIFICATE, file]);
        // A flag is the command line's affair.
        connect(&env, &["--certificate", file], "")
            .assert_code(2)
            .stdout_is_empty()
            .stderr_contains(&["--certificate", file]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_file_without_anything_in_it_is_said_to_be_empty() {
    expect_content_refused("", &["empty"]);
}

#[test]
fn a_file_that_is_neither_pem_nor_pfx_is_said_to_be_that() {
    for garbage in [&b"nothing of that kind\n"[..], &[0; 100], &[0x30, 0x82, 0x10, 0x00, 0x02], b"\xff\xfe\x00"] {
        expect_content_refused(garbage, &["neither PEM nor PKCS#12 (PFX)"]);
    }
}

#[test]
fn a_pfx_file_that_was_cut_off_is_refused() {
    let whole = TestCertificate::rsa().pfx("", true);
    expect_content_refused(&whole[..whole.len() / 2], &["PKCS#12"]);
}

#[test]
fn pem_that_was_cut_off_or_damaged_is_refused() {
    let certificate = TestCertificate::rsa();
    let whole = both(&certificate);
    expect_content_refused(&whole[..whole.len() - 40], &["app.pem: "]);
    expect_content_refused(whole.replacen("MII", "!!!", 1), &["PEM cannot be read"]);
    let emptied = "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n".to_owned();
    expect_content_refused(emptied + &certificate.certificate_pem(), &["private key"]);
}

#[test]
fn a_key_without_a_certificate_and_a_certificate_without_a_key_are_told_apart() {
    let certificate = TestCertificate::rsa();
    expect_content_refused(certificate.certificate_pem(), &["no private key", "hint: "]);
    expect_content_refused(certificate.key_pem(), &["no certificate", "hint: "]);
    expect_content_refused(certificate.key_pkcs1_pem(), &["no certificate", "hint: "]);
    let public = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n".to_owned();
    expect_content_refused(public + &certificate.certificate_pem(), &["no private key"]);
}

#[test]
fn a_certificate_in_der_is_explained() {
    let certificate = TestCertificate::rsa();
    expect_content_refused(&certificate.certificate_der, &["app.pem: ", "PKCS#12"]);
    expect_content_refused(&certificate.key_pkcs8_der, &["app.pem: ", "PKCS#12"]);
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let other = TestCertificate::rsa_with(RsaKey::Other);
    expect_content_refused(
        TestCertificate::rsa().key_pem() + &other.certificate_pem(),
        &["the private key does not belong to the certificate"],
    );
}

#[test]
fn a_certificate_out_of_its_time_is_refused_with_the_time() {
    let (ended, early) = (TestCertificate::rsa_expired(), TestCertificate::rsa_not_yet_valid());
    expect_content_refused(both(&ended), &["the certificate ended at 20", "hint: "]);
    expect_content_refused(both(&early), &["the certificate is not valid before 20", "hint: "]);
}

#[test]
fn an_elliptic_key_is_refused_as_another_kind() {
    let elliptic = TestCertificate::elliptic();
    expect_content_refused(both(&elliptic), &["RSA key"]);
    let env = TestEnv::new();
    let file = env.write("app.pfx", elliptic.pfx("", true));
    expect_refused(&env, &file, &[], &["RSA key"]);
}

#[test]
fn a_password_that_is_missing_or_wrong_is_said_to_be_that() {
    let env = TestEnv::new();
    let certificate = TestCertificate::rsa();
    let pem = encrypted_key(&certificate, "sesame") + &certificate.certificate_pem();
    for (name, content) in [
        ("modern.pfx", certificate.pfx("sesame", true)),
        ("old.pfx", certificate.pfx("sesame", false)),
        ("app.pem", pem.into_bytes()),
    ] {
        let file = env.write(name, content);
        expect_refused(&env, &file, &[], &["it needs a password"]);
        for wrong in ["Sesame", "sesame ", "sésame"] {
            let password = (CERTIFICATE_PASSWORD, wrong);
            expect_refused(&env, &file, &[password], &["the password does not open it"]);
        }
    }
}

#[test]
fn a_key_encrypted_in_the_old_way_is_explained() {
    let certificate = TestCertificate::rsa();
    let header = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n";
    let key = certificate.key_pkcs1_pem().replace("-----BEGIN RSA PRIVATE KEY-----\n", header);
    expect_content_refused(key + &certificate.certificate_pem(), &["encrypted", "hint: ", "openssl pkcs8 -topk8"]);
}

#[test]
fn a_key_encrypted_in_an_unknown_way_is_not_the_passwords_fault() {
    let certificate = TestCertificate::rsa();
    let env = TestEnv::new();
    // OpenSSL before 1.1.0 made keys of passwords by SHA-1: the last number of the algorithm's id is 7 for it.
    let old = reencoded(&encrypted_key(&certificate, "sesame"), |der| {
        let sha256 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09];
        let at = der.windows(sha256.len()).position(|bytes| bytes == sha256).unwrap();
        der[at + sha256.len() - 1] = 7;
    });
    let file = env.write("app.pem", old + &certificate.certificate_pem());
    let result = list_with(&env, &[(CERTIFICATE, &file), (CERTIFICATE_PASSWORD, "sesame")]).assert_code(4);
    let result = result.stderr_contains(&[&file, "hint: ", "openssl pkcs8 -topk8"]);
    assert!(!result.stderr.contains("the password does not open it"), "{}", result.stderr);
}

/// The encrypted key with its content changed.
fn reencoded(pem: &str, change: impl FnOnce(&mut [u8])) -> String {
    let (_, document) = pkcs8::SecretDocument::from_pem(pem).unwrap();
    let mut der = document.as_bytes().to_vec();
    change(&mut der);
    let document = pkcs8::SecretDocument::try_from(der.as_slice()).unwrap();
    document.to_pem("ENCRYPTED PRIVATE KEY", pkcs8::der::pem::LineEnding::LF).unwrap().to_string()
}

#[test]
fn a_file_that_is_too_large_is_not_read_to_its_end() {
    expect_content_refused(vec![b'x'; 2 * 1024 * 1024], &["is larger than 1 MiB"]);
}

#[test]
fn status_looks_at_no_file() {
    let env = TestEnv::new();
    let missing = text_of(env.home().join("missing.pem"));
    run(&env, &app_with(&[(CERTIFICATE, &missing)]), &["status"]).assert_code(0);
}
