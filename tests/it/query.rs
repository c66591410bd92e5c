//! `--query`.

use serde_json::json;

use crate::support::env::TestEnv;
use crate::support::snapshot::Transcript;

const NAMES: &str = "[?contains(name, 'Visio')].name";

#[test]
fn query_json_output() {
    let env = TestEnv::signed_in();
    let run = |query: &str| env.run(&["products", "list", "-o", "json", "--query", query]).assert_code(0).json();
    assert_eq!(run(NAMES), json!(["Visio Plan 1", "Visio Plan 2"]));
    assert_eq!(run("length(@)"), json!(17));
    assert_eq!(run("[0].nothing"), json!(null));
    assert_eq!(
        run("[?id=='CFQ7TTC0H9MP'].{product: name, value: policyValue}"),
        json!([{"product": "Power BI Pro", "value": "Enabled"}])
    );
}

#[test]
fn query_tsv_prints_plain_values() {
    let env = TestEnv::signed_in();
    let run = |query: &str| env.run(&["products", "list", "-o", "tsv", "--query", query]).assert_code(0).stdout;
    assert_eq!(run(NAMES), "Visio Plan 1\nVisio Plan 2\n");
    assert_eq!(run("[?id=='CFQ7TTC0H9MP'] | [0].policyValue"), "Enabled\n");
    assert_eq!(
        run("[?contains(name, 'Visio')].[id, name]"),
        "CFQ7TTC0HD33\tVisio Plan 1\nCFQ7TTC0HD32\tVisio Plan 2\n"
    );
    assert_eq!(run("[0].nothing"), "");
    let one = env.run(&["product", "get", "CFQ7TTC0H9MP", "-o", "tsv", "--query", "policyValue"]).assert_code(0);
    assert_eq!(one.stdout, "Enabled\n");
}

#[test]
fn query_result_with_records_is_a_table() {
    let env = TestEnv::signed_in();
    let query = "[?contains(name, 'Visio')].{product: name, value: policyValue}";
    let run = |format: &str| env.run(&["products", "list", "-o", format, "--query", query]).assert_code(0).stdout;
    assert_eq!(run("csv"), "product,value\nVisio Plan 1,Disabled\nVisio Plan 2,Disabled\n");
    assert_eq!(run("table"), "product       value\nVisio Plan 1  Disabled\nVisio Plan 2  Disabled\n");
    let markdown = "| product | value |\n| --- | --- |\n| Visio Plan 1 | Disabled |\n| Visio Plan 2 | Disabled |\n";
    assert_eq!(run("markdown"), markdown);
    // Values that are not objects are printed as plain text.
    let names = env.run(&["products", "list", "--query", NAMES]).assert_code(0);
    assert_eq!(names.stdout, "Visio Plan 1\nVisio Plan 2\n");
}

#[test]
fn invalid_query_is_usage_error() {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for query in ["[?id==", "", "nosuch(@)(", "[*"] {
        let arguments = ["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--query", query];
        transcript.push(format!("'{query}'"), env.run(&arguments));
    }
    cli_snapshot!(transcript, @"
    ===== '[?id==' =====
    exit_code: 2
    ----- stderr -----
    error: --query: Parse error: Unexpected nud token -- found Eof (at character 7)
    hint: see https://jmespath.org/tutorial.html
    ===== '' =====
    exit_code: 2
    ----- stderr -----
    error: --query: Parse error: Unexpected nud token -- found Eof (at character 1)
    hint: see https://jmespath.org/tutorial.html
    ===== 'nosuch(@)(' =====
    exit_code: 2
    ----- stderr -----
    error: --query: Parse error: Invalid function name -- found Eof (at character 11)
    hint: see https://jmespath.org/tutorial.html
    ===== '[*' =====
    exit_code: 2
    ----- stderr -----
    error: --query: Parse error: Unexpected nud token -- found Eof (at character 3)
    hint: see https://jmespath.org/tutorial.html
    ");
    assert!(env.request_lines().is_empty());
}

#[test]
fn query_error_after_update_reports_error() {
    let env = TestEnv::signed_in();
    let arguments = ["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--query", "abs(name)"];
    cli_snapshot!(env.run(&arguments), @r#"
    exit_code: 1
    ----- stdout -----
    {
      "policyId": "AllowSelfServicePurchase",
      "scope": "product",
      "id": "CFQ7TTC0H9MP",
      "name": "Power BI Pro",
      "policyValue": "Disabled",
      "wantedValue": "Disabled",
      "previousValue": "Enabled",
      "outcome": "changed",
      "error": null
    }
    ----- stderr -----
    Changed in tenant 11111111-1111-4111-8111-111111111111: Power BI Pro (CFQ7TTC0H9MP): Enabled → Disabled
    error: --query: Argument 0 expects type number, given string (at character 4)
    "#);
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Disabled");
    // A list comes out whole, too, whatever the format.
    let arguments =
        ["products", "update", "--all", "--value", "disabled", "--yes", "-o", "tsv", "--query", "sum([].name)"];
    let result = env.run(&arguments).assert_code(1).stderr_contains(&["error: --query:", "array[number]"]);
    assert_eq!(result.records().len(), 17);
}

#[test]
fn query_with_mistake_is_usage_error_before_any_request() {
    let env = TestEnv::signed_in();
    let run = |query: &str| {
        env.run(&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--query", query])
            .assert_code(2)
            .stdout_is_empty()
    };
    let mut transcript = Transcript::default();
    for query in ["items(@)", "length(name, id)", "length()", "sort_by(@, name)", "abs('a')", "[::0]", "[?id==`a\"`]"] {
        transcript.push(query, run(query));
    }
    cli_snapshot!(transcript, @r#"
    ===== items(@) =====
    exit_code: 2
    ----- stderr -----
    error: --query: Call to undefined function items (at character 6)
    hint: see https://jmespath.org/tutorial.html
    ===== length(name, id) =====
    exit_code: 2
    ----- stderr -----
    error: --query: Too many arguments: expected 1, found 2 (at character 7)
    hint: see https://jmespath.org/tutorial.html
    ===== length() =====
    exit_code: 2
    ----- stderr -----
    error: --query: Not enough arguments: expected 1, found 0 (at character 7)
    hint: see https://jmespath.org/tutorial.html
    ===== sort_by(@, name) =====
    exit_code: 2
    ----- stderr -----
    error: --query: Argument 1 expects type expref, given object (at character 8)
    hint: write & before an expression that a function evaluates: sort_by(@, &name)
    hint: see https://jmespath.org/tutorial.html
    ===== abs('a') =====
    exit_code: 2
    ----- stderr -----
    error: --query: Argument 0 expects type number, given string (at character 4)
    hint: see https://jmespath.org/tutorial.html
    ===== [::0] =====
    exit_code: 2
    ----- stderr -----
    error: --query: Invalid slice (at character 5)
    hint: see https://jmespath.org/tutorial.html
    ===== [?id==`a"`] =====
    exit_code: 2
    ----- stderr -----
    error: --query: Parse error: Unable to parse literal JSON a": expected value at line 1 column 1 (at character 7)
    hint: write text in single quotes: [?policyValue=='Enabled']
    hint: see https://jmespath.org/tutorial.html
    "#);
    for (open, close) in [("(", ")"), ("[", "]"), ("!", ""), ("length(", ")")] {
        let count = 120_000 / (open.len() + close.len());
        run(&format!("{}@{}", open.repeat(count), close.repeat(count))).stderr_contains(&["more than 300 operators"]);
    }
    for operator in ["|@", "||a", "[]", ".a"] {
        let count = 120_000 / operator.len();
        run(&format!("a{}", operator.repeat(count))).stderr_contains(&["more than 300 operators"]);
    }
    assert!(env.request_lines().is_empty());
    assert_eq!(env.tenant.value("CFQ7TTC0H9MP"), "Enabled");
}

#[test]
fn query_keeps_order_of_fields() {
    let env = TestEnv::signed_in();
    let run = |format: &str, query: &str| {
        env.run(&["products", "list", "-o", format, "--query", query]).assert_code(0).stdout
    };
    let visio = "[?name=='Visio Plan 1']";
    let renamed = format!("{visio}.{{Name:name,Id:id,Value:policyValue}}");
    assert_eq!(run("tsv", &renamed), "Visio Plan 1\tCFQ7TTC0HD33\tDisabled\n");
    assert_eq!(run("csv", &renamed), "Name,Id,Value\nVisio Plan 1,CFQ7TTC0HD33,Disabled\n");
    // A filter keeps the record's own order, and so does a hash with the record's names if it changes them.
    let record = "AllowSelfServicePurchase,product,CFQ7TTC0HD33,Visio Plan 1,Disabled\n";
    assert_eq!(run("csv", visio), format!("policyId,scope,id,name,policyValue\n{record}"));
    assert_eq!(run("tsv", visio), record.replace(',', "\t"));
    assert_eq!(run("csv", &format!("{visio}.{{name:name,id:id}}")), "name,id\nVisio Plan 1,CFQ7TTC0HD33\n");
    assert_eq!(
        run("csv", &format!("{visio}.merge({{b:id,a:name}}, {{z:'y'}})")),
        "b,a,z\nCFQ7TTC0HD33,Visio Plan 1,y\n"
    );
    // The last hash with the same keys decides.
    let twice = format!("{visio}.{{a:id,b:name}} | [].{{b:b,a:a}}");
    assert_eq!(run("tsv", &twice), "Visio Plan 1\tCFQ7TTC0HD33\n");
    let nested = run("json", &format!("{visio} | [0].{{z:{{y:name,x:id}},a:@}}"));
    let positions = ["\"z\"", "\"y\"", "\"x\"", "\"a\"", "\"policyId\"", "\"scope\"", "\"policyValue\""];
    let positions = positions.map(|name| nested.find(name).unwrap_or_else(|| panic!("{name}\n{nested}")));
    assert!(positions.is_sorted(), "{nested}");
    assert_eq!(run("tsv", &format!("{visio}.[{{z:name,a:id}}]")), "{\"z\":\"Visio Plan 1\",\"a\":\"CFQ7TTC0HD33\"}\n");
}

#[test]
fn query_reads_plain_literal_as_text() {
    let env = TestEnv::signed_in();
    let run = |query: &str| env.run(&["products", "list", "-o", "tsv", "--query", query]).assert_code(0).stdout;
    assert_eq!(run("[?policyValue==`Disabled` && contains(name, `Visio`)].id"), "CFQ7TTC0HD33\nCFQ7TTC0HD32\n");
    assert_eq!(run("[?name==`Visio Plan 1`].id"), "CFQ7TTC0HD33\n");
    assert_eq!(run("length([?`true`])"), "17\n");
}

#[test]
fn query_keeps_exit_code() {
    let env = TestEnv::new();
    env.run(&["doctor", "-o", "tsv", "--query", "[?outcome=='failed'].step"])
        .assert_code(1)
        .stdout
        .lines()
        .for_each(|line| assert_eq!(line, "credential"));
}
