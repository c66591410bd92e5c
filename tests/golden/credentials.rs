//! `connect`, `status`, `disconnect` and credentials in the environment: the recorded behaviour of the executable that
//! a restructuring must not change.

use crate::session::Session;
use crate::tenant::certificates::TestCertificate;
use crate::tenant::{
    ADMIN, APP_ID, APP_SECRET, CUSTOMER_DOMAIN, CUSTOMER_TENANT, DISABLED, DeviceApproval, EXPIRED,
    FEDERATION_AUDIENCE, GITHUB_ISSUER, GITHUB_SUBJECT, HOME_DOMAIN, HOME_TENANT, LOCKED, MFA, NOBODY, PASSWORD,
    READ_PERMISSION, READER, federated_token,
};

const LIST: &str = "products list --name visio -o csv";

#[test]
fn connect_golden() {
    let mut session = Session::new();
    session.run("status");
    session.call(&format!("connect --username {ADMIN} --password-stdin")).input(PASSWORD).run();
    session.run_in_every_format("status");
    session.run("status --query tenantId -o tsv");
    session
        .call(&format!("connect --username {ADMIN} --password-stdin --tenant {CUSTOMER_DOMAIN}"))
        .input(PASSWORD)
        .run();
    session.call(&format!("login --username {ADMIN} --password-stdin -q")).input(format!("{PASSWORD}\n")).run();
    session.call(&format!("connect --username {ADMIN} --password-stdin")).input("wrong").run();
    for user in [MFA, DISABLED, LOCKED, EXPIRED, "stranger@contoso.example"] {
        session.call(&format!("connect --username {user} --password-stdin")).input(PASSWORD).run();
    }
    session
        .call(&format!("connect --username {ADMIN} --password-stdin --tenant nowhere.example"))
        .input(PASSWORD)
        .run();
    session.run(&format!("connect --username {ADMIN}"));

    session.note("A device code.");
    session.tenant.set_approving_user(READER);
    session.run("connect --device-code");
    session.run("status -o json");
    session.run(LIST);
    session.tenant.device_approval(DeviceApproval::PendingThenApprove(2));
    session.run(&format!("connect --device-code --tenant {CUSTOMER_DOMAIN}"));
    for approval in [DeviceApproval::Decline, DeviceApproval::Expire, DeviceApproval::ConditionalAccess] {
        session.note(&format!("{approval:?}"));
        session.tenant.device_approval(approval);
        session.run("connect --device-code");
    }

    session.note("An access token.");
    let token = session.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    session.call("connect --with-token").input(format!("{token}\n")).run();
    session.run("status -o json");
    session.run(LIST);
    session.call("connect --with-token").input("not a token").run();
    let expired = session.tenant.issue_token(ADMIN, HOME_TENANT, -60);
    session.call("connect --with-token").input(expired).run();
    session.call(&format!("connect --with-token --tenant {CUSTOMER_DOMAIN}")).input(&token).run();

    session.note("Profiles and the end of a sign-in.");
    session.call(&format!("connect --profile lab --username {READER} --password-stdin")).input(PASSWORD).run();
    session.run("status --profile lab -o json");
    session.call("status --query '[profile, account]' -o tsv").env("MSCOMMERCE_PROFILE", "lab").run();
    session.run(&format!("{LIST} --profile lab"));
    session.run(&format!("{LIST} --profile none"));
    session.run("status --profile none");
    session.run("disconnect --profile none");
    session.run("disconnect");
    session.run("disconnect");
    session.run("status");
    session.run("logout --all");
    session.run("disconnect --all -o json");
    session.assert("connect");
}

#[test]
fn renewal_golden() {
    let mut session = Session::new();
    session.call(&format!("connect --username {ADMIN} --password-stdin")).input(PASSWORD).run();
    session.expire_token_soon();
    session.note("The token ends within five minutes, and is renewed.");
    session.run(LIST);
    session.run(LIST);
    session.note("The sign-in is used at another tenant.");
    session.run(&format!("{LIST} --tenant {CUSTOMER_DOMAIN}"));
    session.run(&format!("{LIST} --tenant {CUSTOMER_TENANT}"));
    session.run("status -o json");
    session.run(&format!("status -o json --tenant {CUSTOMER_DOMAIN}"));
    session.note("The service refuses the access token, so that it is renewed.");
    session.tenant.revoke_access_tokens();
    session.run(LIST);
    session.note("The refresh token is revoked, too.");
    session.tenant.revoke_access_tokens();
    session.tenant.revoke_refresh_tokens();
    session.run(LIST);
    session.run("product update CFQ7TTC0HD33 --value enabled");
    session.run("products update --name visio --value enabled --yes -o json");
    session.run("status -o json");
    session.assert("renewal");
}

/// A command with the application in the environment.
fn as_application<'s>(session: &'s mut Session, line: &str) -> crate::session::Call<'s> {
    session.call(line).env("AZURE_CLIENT_ID", APP_ID).env("AZURE_TENANT_ID", HOME_TENANT)
}

#[test]
fn environment_golden() {
    let mut session = Session::new();
    session.note("MSCOMMERCE_TOKEN.");
    let token = session.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let reader = session.tenant.issue_token(READER, HOME_TENANT, 3600);
    let nobody = session.tenant.issue_token(NOBODY, HOME_TENANT, 3600);
    let expired = session.tenant.issue_token(ADMIN, HOME_TENANT, -60);
    for line in
        [LIST, "status -o json", "product update CFQ7TTC0HD33 --value enabled -o csv", "history -o csv", "disconnect"]
    {
        session.call(line).env("MSCOMMERCE_TOKEN", &token).run();
    }
    session.call("product update CFQ7TTC0HD33 --value disabled").env("MSCOMMERCE_TOKEN", &reader).run();
    session.call(LIST).env("MSCOMMERCE_TOKEN", &nobody).run();
    session.call(LIST).env("MSCOMMERCE_TOKEN", &expired).run();
    session.call(LIST).env("MSCOMMERCE_TOKEN", "nonsense").run();
    session.call(LIST).env("MSCOMMERCE_TOKEN", "").run();
    session.call(&format!("{LIST} --tenant {CUSTOMER_DOMAIN}")).env("MSCOMMERCE_TOKEN", &token).run();

    session.note("An application with a secret.");
    as_application(&mut session, LIST).env("AZURE_CLIENT_SECRET", APP_SECRET).run();
    as_application(&mut session, "status -o json").env("AZURE_CLIENT_SECRET", APP_SECRET).run();
    let elsewhere = format!("{LIST} --tenant {CUSTOMER_DOMAIN}");
    as_application(&mut session, &elsewhere).env("AZURE_CLIENT_SECRET", APP_SECRET).run();
    let update = "product update CFQ7TTC0HD32 --value enabled -o csv";
    as_application(&mut session, update).env("AZURE_CLIENT_SECRET", APP_SECRET).run();
    as_application(&mut session, LIST).env("AZURE_CLIENT_SECRET", "wrong").run();
    as_application(&mut session, LIST).run();
    session.call(LIST).env("AZURE_CLIENT_ID", APP_ID).env("AZURE_CLIENT_SECRET", APP_SECRET).run();
    as_application(&mut session, LIST).env("AZURE_CLIENT_SECRET", APP_SECRET).env("MSCOMMERCE_TOKEN", &reader).run();
    session.note("The application may only read, and then nothing.");
    session.tenant.grant_app(&[READ_PERMISSION]);
    as_application(&mut session, update).env("AZURE_CLIENT_SECRET", APP_SECRET).run();
    session.tenant.grant_app(&[]);
    as_application(&mut session, LIST).env("AZURE_CLIENT_SECRET", APP_SECRET).run();
    session.assert("environment");
}

#[test]
fn application_golden() {
    let mut session = Session::new();
    let connect = format!("connect --application --client-id {APP_ID} --tenant {HOME_DOMAIN}");
    session.call(&format!("{connect} --client-secret-stdin")).input(APP_SECRET).run();
    session.run("status -o json");
    session.run(LIST);
    session.run("product update CFQ7TTC0HD33 --value enabled -o csv");
    session.run(&format!("{LIST} --tenant {CUSTOMER_DOMAIN}"));
    session.call(&format!("{connect} --client-secret-stdin")).input("wrong").run();
    session.run(&connect);
    session.note("A certificate.");
    let certificate = TestCertificate::rsa();
    session.tenant.register_certificate(&certificate.certificate_der);
    let pem = certificate.key_pem() + &certificate.certificate_pem();
    let path = session.write_secret("application.pem", &pem);
    as_application(&mut session, LIST).env("AZURE_CLIENT_CERTIFICATE_PATH", &path).run();
    session.run(&format!("{connect} --certificate missing.pem"));
    session.run(&format!("{connect} --certificate application.pem"));
    session.note("Tokens of other issuers.");
    session.tenant.federate("https://cluster.example/issuer", "subject", FEDERATION_AUDIENCE);
    session.tenant.federate(GITHUB_ISSUER, GITHUB_SUBJECT, FEDERATION_AUDIENCE);
    let token = federated_token("https://cluster.example/issuer", "subject", FEDERATION_AUDIENCE, 600);
    session.write_secret("federated", &token);
    as_application(&mut session, LIST).env("AZURE_FEDERATED_TOKEN_FILE", "federated").run();
    session.run(&format!("{connect} --federated-token-file federated"));
    let variables = session.tenant.github_oidc();
    let mut call = as_application(&mut session, LIST);
    for (name, value) in &variables {
        call = call.env(name, value);
    }
    call.run();
    session.run(&format!("{connect} --github-oidc"));
    session.run("disconnect");
    session.assert("application");
}
