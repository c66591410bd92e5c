//! `doctor`, `man`, `completions`, `--help` and `--version`: the recorded behaviour of the executable that a
//! restructuring must not change.

use crate::session::Session;
use crate::tenant::{ADMIN, APP_ID, APP_SECRET, CUSTOMER_DOMAIN, HOME_TENANT, Role};

#[test]
fn doctor_golden() {
    let mut session = Session::new();
    session.note("Not signed in.");
    session.call("doctor -o tsv --query '[].[step, target, outcome]'").concurrent().run();
    let mut session = signed_in_after(session);
    for line in [
        "doctor -o json".to_owned(),
        "doctor -o markdown".to_owned(),
        format!("doctor -o tsv --query '[].[step, target, outcome]' --tenant {CUSTOMER_DOMAIN}"),
        "doctor --tenant nowhere.example -o tsv --query '[].[step, target, outcome]'".to_owned(),
    ] {
        session.call(&line).concurrent().run();
    }
    session.note("An application.");
    session
        .call("doctor -o tsv --query '[].[step, target, outcome]'")
        .env("AZURE_CLIENT_ID", APP_ID)
        .env("AZURE_TENANT_ID", HOME_TENANT)
        .env("AZURE_CLIENT_SECRET", APP_SECRET)
        .concurrent()
        .run();
    session.note("The account has no role.");
    session.tenant.set_role(ADMIN, Role::None);
    session.call("doctor -o json --query '[-3:]'").concurrent().run();
    session.assert("doctor");
}

fn signed_in_after(mut session: Session) -> Session {
    let connect = format!("connect --username {ADMIN} --password-stdin");
    session.call(&connect).input(crate::tenant::PASSWORD).run();
    session
}

#[test]
fn tools_golden() {
    let mut session = Session::new();
    session.run("--version");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        session.call(&format!("completions {shell}")).length_only().run();
    }
    session.call("man").length_only().run();
    session.run("man --directory pages");
    for line in ["--help", "help", "products --help", "products list --help", "help product update"] {
        session.call(line).length_only().run();
    }
    session.note("Candidates for a shell, with the products of the last listing.");
    let mut session = signed_in_after(session);
    session.run("products list --scope all -o csv --query '[0].id'");
    for words in ["prod", "product ''", "product get vis", "product get CFQ7TTC0HD", "products list --value ''"] {
        let count = words.split(' ').count().to_string();
        let call = session.call(&format!("-- mscommerce {words}")).env("MSCOMMERCE_COMPLETE", "bash");
        call.env("_CLAP_COMPLETE_INDEX", &count).env("_CLAP_IFS", "\n").run();
    }
    session.assert("tools");
}
