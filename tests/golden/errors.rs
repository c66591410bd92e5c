//! Wrong usage, missing sign-ins and faults of the service: the recorded behaviour of the executable that a
//! restructuring must not change.

use crate::lossy_proxy::LossyProxy;
use crate::session::Session;
use crate::tenant::Response;

#[test]
fn usage_errors_golden() {
    let mut session = Session::signed_in();
    for line in [
        "",
        "nonsense",
        "products",
        "products list --value sometimes",
        "products list --scope everything",
        "products list --name '/(/'",
        "products list --name ''",
        "products list --query '[?'",
        "products list -o yaml",
        "products list --jobs 0",
        "products list --timeout 0",
        "products list --tenant 'no/tenant'",
        "products list --profile ''",
        "product get",
        "product get CFQ7TTC0H9MP --offer-type SaaS",
        "product update CFQ7TTC0H9MP",
        "product update CFQ7TTC0H9MP --value enabled --enabled true",
        "product update CFQ7TTC0H9MP --enabled maybe",
        "product update CFQ7TTC0H9MP --value enabled --confirm",
        "products update --value enabled",
        "products update --all --name visio --value enabled",
        "products update --name visio --except CFQ7TTC0HD33 --value enabled --dry-run",
        "products update CFQ7TTC0HD33 --except CFQ7TTC0HD32 --value enabled",
        "baseline check",
        "baseline export --force",
        "history --limit many",
        "connect --password-stdin",
        "connect --device-code --with-token",
        "connect --client-secret-stdin",
        "completions tcsh",
        "status extra",
    ] {
        session.run(line);
    }
    session.call("products list").env("MSCOMMERCE_OUTPUT", "yaml").run();
    session.call("products list").env("MSCOMMERCE_ENDPOINT", "http://example.org").run();
    session.call("products list").env("MSCOMMERCE_ENDPOINT", "ftp://example.org").run();
    session.call("connect --device-code").env("AZURE_AUTHORITY_HOST", "ftp://example.org").run();
    session.assert("usage_errors");
}

#[test]
fn not_signed_in_golden() {
    let mut session = Session::new();
    session.write("base.toml", "default = \"Disabled\"\n");
    for line in [
        "policy list",
        "policy get",
        "products list",
        "products list -o json",
        "products list --tenant contoso.example --tenant fabrikam.example",
        "product get CFQ7TTC0H9MP",
        "product update CFQ7TTC0H9MP --value disabled",
        "products update --all --value disabled --yes",
        "baseline export",
        "baseline check base.toml",
        "baseline apply base.toml --yes",
        "history",
        "undo --yes",
        "disconnect",
    ] {
        session.run(line);
    }
    session.assert("not_signed_in");
}

const LIST: &str = "products list --name visio -o csv";
const UPDATE: &str = "product update CFQ7TTC0H9MP --value disabled -o json";

fn fault(status: u16) -> Response {
    Response::text(status, "application/json", r#"{"errorCode":"Trouble","reason":"Now."}"#)
}

#[test]
fn refusals_golden() {
    let mut session = Session::signed_in();
    for status in [400, 401, 403, 404, 409, 501] {
        session.note(&format!("The service answers {status}."));
        session.tenant.fail_next("GET ", fault(status));
        session.run(LIST);
        session.tenant.fail_next("PUT ", fault(status));
        session.run(UPDATE);
        session.tenant.set_value("CFQ7TTC0H9MP", "Enabled");
    }
    session.note("401 during several changes, one after the other.");
    session.tenant.fail_times(2, "PUT ", fault(401));
    session.run("products update --name plan --value trials --yes --jobs 1 -o csv");
    session.note("A redirect.");
    session.tenant.fail_next("GET ", Response::text(302, "text/html", "").header("location", "https://example.org/"));
    session.run(LIST);
    session.assert("refusals");
}

#[test]
fn faults_golden() {
    let mut session = Session::signed_in();
    for status in [429, 500, 503] {
        session.note(&format!("The service answers {status} once."));
        session.tenant.fail_times(1, "GET ", fault(status));
        session.run(LIST);
        session.tenant.fail_times(1, "PUT ", fault(status));
        session.run(UPDATE);
        session.tenant.set_value("CFQ7TTC0H9MP", "Enabled");
    }
    session.note("429 with Retry-After.");
    session.tenant.fail_next("GET ", fault(429).header("retry-after", "1"));
    session.run(LIST);
    session.tenant.fail_next("PUT ", fault(429).header("retry-after", "1"));
    session.run("products update --name visio --value trials --yes -o csv --jobs 1");
    session.note("429 with a Retry-After that is longer than --timeout.");
    session.tenant.fail_next("GET ", fault(429).header("retry-after", "1000"));
    session.run(LIST);
    session.assert("faults");
}

#[test]
fn lasting_faults_golden() {
    let mut session = Session::signed_in();
    session.note("The service answers 500 to every attempt.");
    session.tenant.fail_next("GET ", fault(500));
    session.run(LIST);
    session.tenant.fail_next("PUT ", fault(500));
    session.run("products update --name visio --value enabled --yes -o json --jobs 1");
    session.note("Nothing listens at the endpoint.");
    session.call(&format!("{LIST} --timeout 1")).env("MSCOMMERCE_ENDPOINT", "http://127.0.0.1:1").run();
    session.assert("lasting_faults");
}

#[test]
fn lost_responses_golden() {
    let mut session = Session::signed_in();
    session.note("The response to the first change is lost.");
    let once = LossyProxy::start(&session.tenant.url(), 1);
    session.call(UPDATE).env("MSCOMMERCE_ENDPOINT", once.url()).run();
    session.note("The responses to all changes are lost.");
    let always = LossyProxy::start(&session.tenant.url(), usize::MAX);
    session
        .call("products update --name visio --value enabled --yes --jobs 1 -o json")
        .env("MSCOMMERCE_ENDPOINT", always.url())
        .run();
    session.run("history -o csv");
    session.run(LIST);
    session.run("undo --yes -o csv");
    session.assert("lost_responses");
}
