//! Certificate files that cannot be used.

use std::time::Instant;

use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::pem::LineEnding;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{EncryptionScheme as Cipher, Kdf, Parameters, Pbkdf2Params, ScryptParams};
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};

use super::certificates::encrypted_key;
use super::*;
use crate::support::server::TEST_TIMEOUT;
use crate::support::snapshot::Transcript;
use crate::tenant::certificates::RsaKey;

/// Runs with the file in the variable and with the flag. Asserts that both fail alike, and that nothing is sent, saved or
/// leaked.
#[track_caller]
fn run_with_file(transcript: &mut Transcript, name: &str, env: &TestEnv, file: &str, password: Option<&str>) {
    let password = password.map(|password| (CERTIFICATE_PASSWORD, password));
    let credential: Vec<_> = [(CERTIFICATE, file)].into_iter().chain(password).collect();
    let by_variable = transcript.push(name, list_with(env, &credential));
    assert_no_key(&by_variable);

    let flags =
        ["connect", "--application", "--client-id", APP_ID, "--tenant", HOME_TENANT, "--certificate", file, "-vvv"];
    let mut command = env.command(&flags);
    command.envs(password);
    let by_flag = CliResult::from(command.output().unwrap()).assert_code(by_variable.code).stdout_is_empty();
    let error = by_variable.stderr.replace(CERTIFICATE, "--certificate");
    assert!(by_flag.stderr.ends_with(&error), "{name}\n{error}\n{}", by_flag.stderr);
    assert_no_key(&by_flag);
    assert!(env.request_lines().is_empty());
    assert!(!env.cache_path().exists());
}

#[track_caller]
fn assert_no_key(result: &CliResult) {
    for secret in ["BEGIN", "MII", "sesame"] {
        assert!(!result.stderr.contains(secret), "{}", result.stderr);
    }
}

#[test]
fn excessive_work_factor_is_refused_at_once() {
    let certificate = registered(&TestEnv::new());
    let pbkdf2 = |iteration_count| {
        Kdf::Pbkdf2(Pbkdf2Params { iteration_count, ..Pbkdf2Params::hmac_sha256(2048, b"simulated salt").unwrap() })
    };
    let scrypt = |cost_parameter, parallelization| {
        Kdf::Scrypt(ScryptParams {
            salt: b"simulated salt".as_slice().try_into().unwrap(),
            cost_parameter,
            block_size: 8,
            parallelization,
            key_length: None,
        })
    };
    let pem = |kdf: Kdf| {
        let parameters = Parameters { kdf, encryption: Cipher::Aes256Cbc { iv: [7; 16] } };
        let key = EncryptedPrivateKeyInfoRef {
            encryption_algorithm: EncryptionScheme::Pbes2(parameters),
            encrypted_data: OctetStringRef::new(&[0; 64]).unwrap(),
        };
        let key = SecretDocument::encode_msg(&key).unwrap().to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap();
        (key.to_string() + &certificate.certificate_pem()).into_bytes()
    };
    let cases = [
        ("PBKDF2", pem(pbkdf2(u32::MAX))),
        ("scrypt, memory", pem(scrypt(1 << 40, 1))),
        ("scrypt, time", pem(scrypt(1 << 14, u16::MAX))),
        ("scrypt, zero", pem(scrypt(0, 1))),
        ("PKCS#12", with_most_iterations(&certificate.pfx("sesame", true))),
    ];
    let mut transcript = Transcript::default();
    for (name, content) in cases {
        let env = TestEnv::new();
        let started = Instant::now();
        run_with_file(&mut transcript, name, &env, &env.write("app.pem", content), Some("sesame"));
        // Each of these would take minutes or more.
        assert!(started.elapsed() < TEST_TIMEOUT, "{name}: {:?}", started.elapsed());
    }
    cli_snapshot!(transcript, @"
    ===== PBKDF2 =====
    ===== scrypt, memory =====
    ===== scrypt, time =====
    ===== scrypt, zero =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: the private key is encrypted with an excessive work factor
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: convert the private key, then append the certificate: openssl pkcs8 -topk8 -v2 aes-256-cbc -in [TMP]/app.pem -out key.pem
    ===== PKCS#12 =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: the PKCS#12 file is encrypted with an excessive work factor or without parameters
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: export it again with AES-256 and SHA-256
    ");
}

/// Replaces 2000 iterations of a PFX file's MAC by the largest number. It is the last element of the last sequence.
fn with_most_iterations(pfx: &[u8]) -> Vec<u8> {
    let (rest, iterations) = pfx.split_at(pfx.len() - 4);
    assert_eq!(iterations, [2, 2, 0x07, 0xd0]);
    let mut changed = [rest, &[2, 4, 0x7f, 0xff, 0xff, 0xff]].concat();
    // The lengths of the whole file and of the last sequence.
    let is_last = |start: &usize| {
        pfx[*start] == 0x30 && pfx[start + 2] == 0x30 && start + 2 + usize::from(pfx[start + 1]) == pfx.len()
    };
    let last = (0..pfx.len() - 2).rev().find(is_last).unwrap();
    changed[last + 1] += 2;
    let length = u16::from_be_bytes([changed[2], changed[3]]) + 2;
    changed[2..4].copy_from_slice(&length.to_be_bytes());
    changed
}

#[test]
fn unreadable_certificate_file_error_message() {
    let env = TestEnv::new();
    let missing = text_of(env.home().join("missing.pem"));
    let directory = text_of(env.home().to_owned());
    let mut transcript = Transcript::default();
    for (name, file) in [("missing", &missing), ("directory", &directory)] {
        transcript.push(format!("{name}, variable"), list_by_certificate(&env, file));
        // A flag is a usage error.
        transcript.push(format!("{name}, flag"), connect(&env, &["--certificate", file], ""));
    }
    cli_snapshot!(transcript, @"
    ===== missing, variable =====
    exit_code: 4
    ----- stderr -----
    error: could not read the certificate [TMP]/missing.pem: [OS ERROR]
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: check AZURE_CLIENT_CERTIFICATE_PATH
    ===== missing, flag =====
    exit_code: 2
    ----- stderr -----
    error: could not read the certificate [TMP]/missing.pem: [OS ERROR]
      the path comes from --certificate
    hint: check --certificate
    ===== directory, variable =====
    exit_code: 4
    ----- stderr -----
    error: could not read the certificate [TMP]: [OS ERROR]
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: check AZURE_CLIENT_CERTIFICATE_PATH
    ===== directory, flag =====
    exit_code: 2
    ----- stderr -----
    error: could not read the certificate [TMP]: [OS ERROR]
      the path comes from --certificate
    hint: check --certificate
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn invalid_certificate_file_error_messages() {
    let (certificate, other) = (TestCertificate::rsa(), TestCertificate::rsa_with(RsaKey::Other));
    let (key, signed) = (certificate.key_pem(), certificate.certificate_pem());
    let (pem, pfx, elliptic) = (both(&certificate), certificate.pfx("", true), TestCertificate::elliptic());
    let legacy_header = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n";
    let legacy_key = certificate.key_pkcs1_pem().replace("-----BEGIN RSA PRIVATE KEY-----\n", legacy_header);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("text", b"nothing of that kind\n".to_vec()),
        ("zeros", vec![0; 100]),
        ("start of DER", vec![0x30, 0x82, 0x10, 0x00, 0x02]),
        ("start of UTF-16", b"\xff\xfe\x00".to_vec()),
        ("truncated PFX", pfx[..pfx.len() / 2].to_vec()),
        ("truncated PEM", pem[..pem.len() - 40].into()),
        ("damaged PEM", pem.replacen("MII", "!!!", 1).into()),
        ("empty PEM key", format!("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n{signed}").into()),
        ("certificate without key", signed.clone().into()),
        ("key without certificate", key.clone().into()),
        ("PKCS#1 key without certificate", certificate.key_pkcs1_pem().into()),
        ("public key", format!("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n{signed}").into()),
        ("certificate in DER", certificate.certificate_der.clone()),
        ("key in DER", certificate.key_pkcs8_der.clone()),
        ("key of another certificate", (key + &other.certificate_pem()).into()),
        ("expired", both(&TestCertificate::rsa_expired()).into()),
        ("not yet valid", both(&TestCertificate::rsa_not_yet_valid()).into()),
        ("EC key in PEM", both(&elliptic).into()),
        ("EC key in PFX", elliptic.pfx("", true)),
        ("legacy key encryption", (legacy_key + &signed).into()),
        ("over 1 MiB", vec![b'x'; 2 * 1024 * 1024]),
    ];
    let mut transcript = Transcript::default();
    for (name, content) in cases {
        let env = TestEnv::new();
        run_with_file(&mut transcript, name, &env, &env.write("app.pem", content), None);
    }
    cli_snapshot!(transcript, @"
    ===== empty =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: the file is empty
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    ===== text =====
    ===== zeros =====
    ===== start of DER =====
    ===== start of UTF-16 =====
    ===== truncated PFX =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: not a PEM or PKCS#12 (PFX) file, or damaged
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: use a file that also contains the private key; a certificate alone (.cer, .p7b) is not enough
    ===== truncated PEM =====
    ===== damaged PEM =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: invalid PEM
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: convert the private key, then append the certificate: openssl pkcs8 -topk8 -v2 aes-256-cbc -in [TMP]/app.pem -out key.pem
    ===== empty PEM key =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: the private key is damaged, too short, or of an unsupported type
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: use an RSA key of at least 2048 bits: openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=mscommerce -keyout key.pem -out certificate.pem
    ===== certificate without key =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: the file does not contain a private key
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: combine both in one file: cat key.pem certificate.pem > both.pem
    ===== key without certificate =====
    ===== PKCS#1 key without certificate =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: the file does not contain a certificate
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: combine both in one file: cat key.pem certificate.pem > both.pem
    ===== public key =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: the file does not contain a private key
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: combine both in one file: cat key.pem certificate.pem > both.pem
    ===== certificate in DER =====
    ===== key in DER =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: not a PEM or PKCS#12 (PFX) file, or damaged
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: use a file that also contains the private key; a certificate alone (.cer, .p7b) is not enough
    ===== key of another certificate =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: the private key does not match the certificate
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: combine a certificate and its own private key in one file
    ===== expired =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: the certificate expired at [TIME]
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: create a new certificate, and add it to the app registration
    ===== not yet valid =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: the certificate is not valid before [TIME]
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: check this machine's clock, or wait until then
    ===== EC key in PEM =====
    ===== EC key in PFX =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: the private key has the unsupported type ECDSA
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: use an RSA key of at least 2048 bits: openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=mscommerce -keyout key.pem -out certificate.pem
    ===== legacy key encryption =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: invalid PEM
      the private key uses OpenSSL's legacy encryption
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: convert the private key, then append the certificate: openssl pkcs8 -topk8 -v2 aes-256-cbc -in [TMP]/app.pem -out key.pem
    ===== over 1 MiB =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem is not a certificate: it is larger than 1 MiB
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    ");
}

#[test]
fn certificate_password_error_messages() {
    let env = TestEnv::new();
    let certificate = TestCertificate::rsa();
    let pem = encrypted_key(&certificate, "sesame") + &certificate.certificate_pem();
    let mut transcript = Transcript::default();
    for (file, content) in [
        ("modern.pfx", certificate.pfx("sesame", true)),
        ("old.pfx", certificate.pfx("sesame", false)),
        ("app.pem", pem.into_bytes()),
    ] {
        let path = env.write(file, content);
        run_with_file(&mut transcript, &format!("{file} without password"), &env, &path, None);
        for wrong in ["Sesame", "sesame ", "sésame"] {
            run_with_file(&mut transcript, &format!("{file} with '{wrong}'"), &env, &path, Some(wrong));
        }
    }
    cli_snapshot!(transcript, @"
    ===== modern.pfx without password =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/modern.pfx: a password is required
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: set AZURE_CLIENT_CERTIFICATE_PASSWORD to the file's password
    ===== modern.pfx with 'Sesame' =====
    ===== modern.pfx with 'sesame ' =====
    ===== modern.pfx with 'sésame' =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/modern.pfx: wrong password
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: set AZURE_CLIENT_CERTIFICATE_PASSWORD to the file's password
    ===== old.pfx without password =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/old.pfx: a password is required
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: set AZURE_CLIENT_CERTIFICATE_PASSWORD to the file's password
    ===== old.pfx with 'Sesame' =====
    ===== old.pfx with 'sesame ' =====
    ===== old.pfx with 'sésame' =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/old.pfx: wrong password
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: set AZURE_CLIENT_CERTIFICATE_PASSWORD to the file's password
    ===== app.pem without password =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: a password is required
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: set AZURE_CLIENT_CERTIFICATE_PASSWORD to the file's password
    ===== app.pem with 'Sesame' =====
    ===== app.pem with 'sesame ' =====
    ===== app.pem with 'sésame' =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: wrong password
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: set AZURE_CLIENT_CERTIFICATE_PASSWORD to the file's password
    ");
}

#[test]
fn unsupported_key_encryption_error_message() {
    let certificate = TestCertificate::rsa();
    let env = TestEnv::new();
    // OpenSSL before 1.1.0 derived keys with SHA-1, whose algorithm id ends in 7.
    let old = with_changed_der(&encrypted_key(&certificate, "sesame"), |der| {
        let sha256 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09];
        let at = der.windows(sha256.len()).position(|bytes| bytes == sha256).unwrap();
        der[at + sha256.len() - 1] = 7;
    });
    let file = env.write("app.pem", old + &certificate.certificate_pem());
    cli_snapshot!(list_with(&env, &[(CERTIFICATE, &file), (CERTIFICATE_PASSWORD, "sesame")]), @"
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pem: the encrypted private key cannot be read
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: convert the private key, then append the certificate: openssl pkcs8 -topk8 -v2 aes-256-cbc -in [TMP]/app.pem -out key.pem
    ");
}

/// The encrypted key with its DER changed.
fn with_changed_der(pem: &str, change: impl FnOnce(&mut [u8])) -> String {
    let (_, document) = pkcs8::SecretDocument::from_pem(pem).unwrap();
    let mut der = document.as_bytes().to_vec();
    change(&mut der);
    let document = pkcs8::SecretDocument::try_from(der.as_slice()).unwrap();
    document.to_pem("ENCRYPTED PRIVATE KEY", pkcs8::der::pem::LineEnding::LF).unwrap().to_string()
}

#[test]
fn status_does_not_read_certificate() {
    let env = TestEnv::new();
    let missing = text_of(env.home().join("missing.pem"));
    run(&env, &app_with(&[(CERTIFICATE, &missing)]), &["status"]).assert_code(0);
}

/// The outermost sequence with an indefinite length.
fn with_indefinite_length(der: &[u8]) -> Vec<u8> {
    assert_eq!(der[..2], [0x30, 0x82], "a sequence with two bytes of length");
    [&[0x30, 0x80], &der[4..], &[0, 0]].concat()
}

#[test]
fn ber_pfx_error_shows_how_to_rewrite_it() {
    let env = TestEnv::new();
    let pfx = with_indefinite_length(&TestCertificate::rsa().pfx("sesame", true));
    let mut transcript = Transcript::default();
    run_with_file(&mut transcript, "BER", &env, &env.write("app.pfx", pfx), Some("sesame"));
    cli_snapshot!(transcript, @"
    ===== BER =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pfx: the PKCS#12 (PFX) file uses BER; only DER is supported
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: convert it to PEM: openssl pkcs12 -in [TMP]/app.pfx -out app.pem
    ");
}

#[test]
fn quoted_certificate_password_error_names_quotation_marks() {
    let env = TestEnv::new();
    let pfx = TestCertificate::rsa().pfx("sesame", true);
    let mut transcript = Transcript::default();
    run_with_file(&mut transcript, "quoted", &env, &env.write("app.pfx", pfx), Some("\"sesame\"\n"));
    cli_snapshot!(transcript, @"
    ===== quoted =====
    exit_code: 4
    ----- stderr -----
    error: [TMP]/app.pfx: wrong password
      the password begins and ends with a quotation mark
      the path comes from AZURE_CLIENT_CERTIFICATE_PATH
    hint: set AZURE_CLIENT_CERTIFICATE_PASSWORD to the file's password
    ");
}
