//! Supported formats of certificate and key.

use base64::prelude::{BASE64_STANDARD as STANDARD, Engine as _};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::pem::LineEnding;
use pkcs8::pkcs5::pbes2::Parameters;

use super::*;
use crate::support::fixtures::LIST_NOTE;
use crate::tenant::certificates::RsaKey;

const PASSWORD: &str = "open, sesame! ÄÖÜ";

/// The key encrypted as OpenSSL does it.
pub(super) fn encrypted_key(certificate: &TestCertificate, password: &str) -> String {
    let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(2048, b"simulated salt", [7; 16]).unwrap();
    let key = PrivateKeyInfoRef::try_from(certificate.key_pkcs8_der.as_slice()).unwrap();
    let encrypted = key.encrypt_with_params(parameters, password).unwrap();
    encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap().to_string()
}

#[test]
fn pem_order_and_format_do_not_matter() {
    let env = TestEnv::new();
    let certificate = registered(&env);
    let (pkcs8, pkcs1, signed) = (certificate.key_pem(), certificate.key_pkcs1_pem(), certificate.certificate_pem());
    let explained = "Bag Attributes\n    friendlyName: mscommerce in CI\nKey Attributes: <No Attributes>\n";
    for (form, content) in [
        ("key first", format!("{pkcs8}{signed}")),
        ("certificate first", format!("{signed}{pkcs8}")),
        ("PKCS#1, key first", format!("{pkcs1}{signed}")),
        ("PKCS#1, certificate first", format!("{signed}{pkcs1}")),
        ("Windows line ends", format!("{pkcs8}{signed}").replace('\n', "\r\n")),
        ("no line end at the end", format!("{pkcs8}{signed}").trim_end().to_owned()),
        ("text around", format!("{explained}{signed}{explained}{pkcs8}the end\n")),
        ("blank lines between", format!("\n\n{pkcs8}\n\n\n{signed}\n\n")),
    ] {
        let result = list_by_certificate(&env, &env.write("app.pem", content));
        assert_eq!((result.code, result.stderr.as_str()), (0, LIST_NOTE), "{form}");
    }
}

#[test]
fn pem_with_bom_or_utf16_is_accepted() {
    let env = TestEnv::new();
    let pem = both(&registered(&env));
    let marked = format!("\u{feff}{pem}");
    // Windows PowerShell 5.1 writes the one with `Set-Content -Encoding utf8`, and the other with `>`.
    let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for content in [marked.into_bytes(), wide] {
        list_by_certificate(&env, &env.write("app.pem", content)).assert_code(0);
    }
}

#[test]
fn chain_uses_certificate_of_key() {
    let env = TestEnv::new();
    let certificate = registered(&env);
    let issuer = TestCertificate::rsa_with(RsaKey::Other).certificate_pem();
    let (key, signed) = (certificate.key_pem(), certificate.certificate_pem());
    for content in
        [format!("{key}{signed}{issuer}"), format!("{issuer}{signed}{key}"), format!("{issuer}{key}{signed}")]
    {
        list_by_certificate(&env, &env.write("app.pem", content)).assert_code(0);
    }
}

#[test]
fn chain_may_contain_ec_certificate() {
    let env = TestEnv::new();
    let issuer = TestCertificate::elliptic().certificate_pem();
    let file = env.write("app.pem", issuer + &both(&registered(&env)));
    list_by_certificate(&env, &file).assert_code(0);
}

#[test]
fn valid_certificate_beside_expired_is_used() {
    let env = TestEnv::new();
    let certificate = registered(&env);
    let ended = TestCertificate::rsa_expired().certificate_pem();
    let (key, signed) = (certificate.key_pem(), certificate.certificate_pem());
    for content in [format!("{key}{signed}{ended}"), format!("{key}{ended}{signed}")] {
        list_by_certificate(&env, &env.write("app.pem", content)).assert_code(0);
    }
}

#[test]
fn encrypted_pem_key_is_accepted() {
    let env = TestEnv::new();
    let certificate = registered(&env);
    let (key, signed) = (encrypted_key(&certificate, PASSWORD), certificate.certificate_pem());
    for content in [format!("{key}{signed}"), format!("{signed}{key}"), format!("{signed}{key}").replace('\n', "\r\n")]
    {
        let file = env.write("app.pem", content);
        let result = list_with(&env, &[(CERTIFICATE, &file), (CERTIFICATE_PASSWORD, PASSWORD)]).assert_code(0);
        assert_eq!(result.stderr, LIST_NOTE);
    }
}

#[test]
fn pfx_opens_with_password() {
    let env = TestEnv::new();
    let certificate = registered(&env);
    for is_modern in [true, false] {
        for password in [PASSWORD, " blank at both ends ", ""] {
            let file = env.write("app.pfx", certificate.pfx(password, is_modern));
            let result = list_with(&env, &[(CERTIFICATE, &file), (CERTIFICATE_PASSWORD, password)]);
            assert_eq!((result.code, result.stderr.as_str()), (0, LIST_NOTE), "modern: {is_modern}, {password:?}");
        }
        // Files from Azure Key Vault have an empty password, and users set no variable for it.
        let file = env.write("app.pfx", certificate.pfx("", is_modern));
        list_by_certificate(&env, &file).assert_code(0);
    }
}

#[test]
fn unneeded_certificate_password_is_ignored() {
    let env = TestEnv::new();
    let file = env.write("app.pem", both(&registered(&env)));
    list_with(&env, &[(CERTIFICATE, &file), (CERTIFICATE_PASSWORD, PASSWORD)]).assert_code(0);
}

#[test]
fn certificate_file_name_does_not_matter() {
    let env = TestEnv::new();
    let certificate = registered(&env);
    list_by_certificate(&env, &env.write("app.pfx", both(&certificate))).assert_code(0);
    list_by_certificate(&env, &env.write("app.pem", certificate.pfx("", true))).assert_code(0);
    list_by_certificate(&env, &env.write("größe & mehr", both(&certificate))).assert_code(0);
}

#[test]
fn certificate_path_is_relative_to_working_dir() {
    let env = TestEnv::new();
    env.write("app.pem", both(&registered(&env)));
    let mut command = env.command(&["products", "list"]);
    command.current_dir(env.home()).envs(app_with(&[(CERTIFICATE, "app.pem")]));
    CliResult::from(command.output().unwrap()).assert_code(0);
}

#[cfg(unix)]
#[test]
fn connect_prompts_for_certificate_password() {
    let env = TestEnv::new();
    let certificate = registered(&env);
    let file = env.write("app.pfx", certificate.pfx(PASSWORD, true));
    let connect = ["connect", "--application", "--client-id", APP_ID, "--tenant", HOME_TENANT, "--certificate", &file];
    let mut session = crate::support::pty::PtySession::run(env.command(&connect));
    session.expect("Password");
    session.expect_hidden_input();
    session.type_keys(&format!("{PASSWORD}\n"));
    let output = session.finish();
    assert_eq!(output.code, 0, "{}", output.screen);
    assert!(!output.screen.contains(PASSWORD), "{}", output.screen);
    assert_eq!(env.cache()["profiles"]["default"]["method"], "application");
}

#[test]
fn pem_that_lost_its_lines_is_accepted() {
    let env = TestEnv::new();
    let certificate = registered(&env);
    let pem = both(&certificate);
    let encrypted = encrypted_key(&certificate, PASSWORD) + &certificate.certificate_pem();
    for pem in [pem, encrypted] {
        for (form, content) in [
            ("line ends became blanks", pem.replace('\n', " ")),
            ("escaped line ends", pem.replace('\n', "\\n")),
            ("escaped Windows line ends", pem.replace('\n', "\\r\\n")),
            ("no line ends", pem.replace('\n', "")),
            ("indented", format!("    {}", pem.replace('\n', "\n    "))),
            ("tabs and blanks at the ends", pem.replace('\n', " \t\n")),
            ("in quotation marks", format!("\"{}\"", pem.trim_end())),
            ("as JSON", serde_json::to_string(&pem).unwrap()),
            ("base64", STANDARD.encode(&pem)),
        ] {
            let file = env.write("app.pem", content);
            let result = list_with(&env, &[(CERTIFICATE, &file), (CERTIFICATE_PASSWORD, PASSWORD)]);
            assert_eq!((result.code, result.stderr.as_str()), (0, LIST_NOTE), "{form}");
        }
    }
}

#[test]
fn base64_of_pfx_is_accepted() {
    let env = TestEnv::new();
    let pfx = STANDARD.encode(registered(&env).pfx("", true));
    let lines: Vec<&str> = (0..pfx.len()).step_by(76).map(|at| &pfx[at..pfx.len().min(at + 76)]).collect();
    for content in [pfx.clone(), format!("{pfx}\n"), format!("\u{feff}\"{pfx}\"\r\n"), lines.join("\r\n")] {
        let result = list_by_certificate(&env, &env.write("app.pfx", content));
        assert_eq!((result.code, result.stderr.as_str()), (0, LIST_NOTE));
    }
}

#[test]
fn line_end_of_certificate_password_is_ignored() {
    let env = TestEnv::new();
    let certificate = registered(&env);
    let pem = encrypted_key(&certificate, PASSWORD) + &certificate.certificate_pem();
    for content in [certificate.pfx(PASSWORD, true), certificate.pfx(PASSWORD, false), pem.into_bytes()] {
        let file = env.write("app.pfx", content);
        for password in [format!("{PASSWORD}\n"), format!("{PASSWORD}\r\n"), format!("\u{feff}{PASSWORD}\r\n")] {
            let result = list_with(&env, &[(CERTIFICATE, &file), (CERTIFICATE_PASSWORD, &password)]);
            assert_eq!((result.code, result.stderr.as_str()), (0, LIST_NOTE), "{password:?}");
        }
    }
    // A password may end in a line end.
    let file = env.write("app.pfx", certificate.pfx("a\n", true));
    list_with(&env, &[(CERTIFICATE, &file), (CERTIFICATE_PASSWORD, "a\n")]).assert_code(0);
}

#[test]
fn white_space_around_certificate_path_is_ignored() {
    let env = TestEnv::new();
    let file = env.write("app.pem", both(&registered(&env)));
    for path in [format!("{file}\r"), format!(" {file}\r\n"), format!("\u{feff}{file}")] {
        list_by_certificate(&env, &path).assert_code(0);
    }
}
