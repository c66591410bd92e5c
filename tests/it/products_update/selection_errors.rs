//! Selections that are invalid: nothing is changed.

use super::*;
use crate::support::fixtures::{OLD_POWER_BI, POWER_BI, VISIO_2};
use crate::support::snapshot::Transcript;
use crate::tenant::{ADMIN, Response};

const DISABLE: &[&str] = &["--value", "disabled"];

/// The arguments of a run.
struct Case {
    name: &'static str,
    arguments: &'static [&'static str],
}

/// Runs each case with further arguments. Asserts that the command line alone is rejected: no request is sent.
#[track_caller]
fn usage_errors(cases: &[Case], more: &[&str]) -> Transcript {
    let env = TestEnv::signed_in();
    let mut transcript = Transcript::default();
    for Case { name, arguments } in cases {
        transcript.push(name, env.run(&[&["products", "update"], *arguments, more].concat()));
        assert!(env.request_lines().is_empty(), "{name}: {:?}", env.request_lines());
    }
    transcript
}

#[test]
fn conflicting_selections_error() {
    let cases = [
        Case { name: "none", arguments: &[] },
        Case { name: "--except alone", arguments: &["--except", "Power BI Pro"] },
        Case { name: "--all and an id", arguments: &["--all", POWER_BI] },
        Case { name: "--name and an id", arguments: &["--name", "visio", POWER_BI] },
        Case { name: "--all and --name", arguments: &["--all", "--name", "visio"] },
        Case { name: "an id and --except", arguments: &[POWER_BI, "--except", "Visio Plan 1"] },
    ];
    cli_snapshot!(usage_errors(&cases, &["--value", "disabled", "--yes"]), @"
    ===== none =====
    ===== --except alone =====
    exit_code: 2
    ----- stderr -----
    error: nothing is selected: name a PRODUCT, or use --offer-type, --name or --all
    hint: mscommerce product list
    ===== --all and an id =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--all' cannot be used with '[PRODUCT]...'

    Usage: mscommerce product update [PRODUCT]... --value <VALUE> [OPTIONS]

    For more information, try '--help'.
    ===== --name and an id =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--name <PATTERN>' cannot be used with '[PRODUCT]...'

    Usage: mscommerce product update [PRODUCT]... --value <VALUE> [OPTIONS]

    For more information, try '--help'.
    ===== --all and --name =====
    exit_code: 2
    ----- stderr -----
    error: the argument '--all' cannot be used with '--name <PATTERN>'

    Usage: mscommerce product update [PRODUCT]... --value <VALUE> [OPTIONS]

    For more information, try '--help'.
    ===== an id and --except =====
    exit_code: 2
    ----- stderr -----
    error: the argument '[PRODUCT]...' cannot be used with '--except <PRODUCT>'

    Usage: mscommerce product update [PRODUCT]... --value <VALUE> [OPTIONS]

    For more information, try '--help'.
    ");
}

#[test]
fn invalid_arguments_error() {
    let cases = [
        Case { name: "--jobs 0", arguments: &["--all", "--jobs", "0"] },
        Case { name: "--jobs 65", arguments: &["--all", "--jobs", "65"] },
        Case { name: "--jobs x", arguments: &["--all", "--jobs", "x"] },
        Case { name: "unknown scope", arguments: &["--all", "--scope", "everything"] },
        Case { name: "empty pattern", arguments: &["--name", ""] },
        Case { name: "invalid regular expression", arguments: &["--name", "/(/"] },
        Case { name: "empty id", arguments: &[""] },
        Case { name: "blank id", arguments: &[POWER_BI, "  "] },
        Case { name: "id ..", arguments: &["..", POWER_BI] },
        Case { name: "id with line break", arguments: &["a\nb"] },
        Case { name: "empty --except", arguments: &["--all", "--except", ""] },
    ];
    cli_snapshot!(usage_errors(&cases, &["--value", "disabled", "--yes"]), @"
    ===== --jobs 0 =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '0' for '--jobs <N>': 0 is not in 1..=64

    For more information, try '--help'.
    ===== --jobs 65 =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '65' for '--jobs <N>': 65 is not in 1..=64

    For more information, try '--help'.
    ===== --jobs x =====
    exit_code: 2
    ----- stderr -----
    error: invalid value 'x' for '--jobs <N>': invalid digit found in string

    For more information, try '--help'.
    ===== unknown scope =====
    exit_code: 2
    ----- stderr -----
    error: invalid value 'everything' for '--scope <SCOPE>'
      [possible values: product, offer-type, all]

    For more information, try '--help'.
    ===== empty pattern =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '' for '--name <PATTERN>': the pattern is empty

    For more information, try '--help'.
    ===== invalid regular expression =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '/(/' for '--name <PATTERN>': invalid regular expression: found open group without closing ')'

    For more information, try '--help'.
    ===== empty id =====
    exit_code: 2
    ----- stderr -----
    error: '' is not the ID or name of a product
    hint: mscommerce product list
    ===== blank id =====
    exit_code: 2
    ----- stderr -----
    error: '  ' is not a valid ID or name
    ===== id .. =====
    exit_code: 2
    ----- stderr -----
    error: '..' is not a valid ID or name
    ===== id with line break =====
    exit_code: 2
    ----- stderr -----
    error: 'a b' is not the ID or name of a product
    hint: mscommerce product list
    ===== empty --except =====
    exit_code: 2
    ----- stderr -----
    error: '' is not a valid ID or name
    ");
}

#[test]
fn missing_or_unknown_value_error() {
    let cases = [
        Case { name: "missing", arguments: &["--all", "--yes"] },
        Case { name: "unknown", arguments: &["--all", "--yes", "--value", "off"] },
    ];
    cli_snapshot!(usage_errors(&cases, &[]), @"
    ===== missing =====
    exit_code: 2
    ----- stderr -----
    error: the new value is missing: set --value VALUE or --enabled true|false
    ===== unknown =====
    exit_code: 2
    ----- stderr -----
    error: invalid value 'off' for '--value <VALUE>': use enabled, disabled or only-trials-without-payment-method (short: trials)

    For more information, try '--help'.
    ");
}

#[test]
fn trials_for_offer_types_error() {
    let cases = [
        Case { name: "all, --yes", arguments: &["--scope", "all", "--yes"] },
        Case { name: "all, --dry-run", arguments: &["--scope", "all", "--dry-run"] },
        Case { name: "offer-type, --yes", arguments: &["--scope", "offer-type", "--yes"] },
        Case { name: "offer-type, --dry-run", arguments: &["--scope", "offer-type", "--dry-run"] },
    ];
    cli_snapshot!(usage_errors(&cases, &["--all", "--value", "trials"]), @"
    ===== all, --yes =====
    ===== all, --dry-run =====
    ===== offer-type, --yes =====
    ===== offer-type, --dry-run =====
    exit_code: 2
    ----- stderr -----
    error: offer types accept enabled and disabled only; trials are for products
    hint: omit --scope to change products only
    ");
}

#[test]
fn no_terminal_without_yes_error() {
    let env = TestEnv::signed_in();
    let token = env.tenant.issue_token(ADMIN, HOME_TENANT, 3600);
    let mut transcript = Transcript::default();
    for (name, variables) in
        [("cached sign-in", &[][..]), ("environment token", &[("MSCOMMERCE_TOKEN", token.as_str())])]
    {
        for selection in [&["--all"][..], &[POWER_BI, VISIO_2], &[POWER_BI, "--confirm"], &["--name", "no such name"]] {
            let arguments = [&["product", "update", "--value", "disabled"][..], selection].concat();
            let case = format!("{name}, {}", selection.join(" "));
            transcript.push(case, env.run_with_env(variables, &arguments));
        }
    }
    // Piped input does not count as an answer.
    let arguments = ["products", "update", "--all", "--value", "disabled"];
    transcript.push("piped answer", env.run_with_stdin(&arguments, "y\n"));
    cli_snapshot!(transcript, @"
    ===== cached sign-in, --all =====
    ===== cached sign-in, CFQ7TTC0H9MP CFQ7TTC0HD32 =====
    ===== cached sign-in, CFQ7TTC0H9MP --confirm =====
    ===== cached sign-in, --name no such name =====
    ===== environment token, --all =====
    ===== environment token, CFQ7TTC0H9MP CFQ7TTC0HD32 =====
    ===== environment token, CFQ7TTC0H9MP --confirm =====
    ===== environment token, --name no such name =====
    ===== piped answer =====
    exit_code: 2
    ----- stderr -----
    error: confirmation required, but standard input is not a terminal; nothing was changed
    hint: add --yes to skip the confirmation prompt, or --dry-run to preview the changes
    ");
    assert!(env.request_lines().is_empty(), "{:?}", env.request_lines());
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}

/// Runs with and without `--dry-run`. Asserts that both runs list, fail in the same way and change nothing.
#[track_caller]
fn assert_rejected(env: &TestEnv, arguments: &[&str]) -> CliResult {
    env.tenant.forget_requests();
    let result = update(env, arguments).assert_code(1);
    env.assert_nothing_changed();
    assert!(!env.request_lines().is_empty(), "the error needs the list: {arguments:?}");
    let dry_run = env.run(&[&["products", "update"], arguments, &["--dry-run"]].concat());
    assert_eq!((dry_run.code, &dry_run.stderr), (1, &result.stderr), "{arguments:?}");
    env.assert_nothing_changed();
    result
}

/// Runs each case and collects the errors.
#[track_caller]
fn selection_errors(env: &TestEnv, cases: &[Case]) -> Transcript {
    let mut transcript = Transcript::default();
    for Case { name, arguments } in cases {
        transcript.push(name, assert_rejected(env, &[arguments, DISABLE].concat()));
    }
    transcript
}

#[test]
fn unknown_selection_suggests_nearest() {
    let cases = [
        Case { name: "misspelled name", arguments: &["Power BI Prof"] },
        Case { name: "known id and misspelled name", arguments: &[POWER_BI, "Vizio Plan 1"] },
        Case { name: "renumbered id", arguments: &[OLD_POWER_BI, POWER_BI] },
        Case { name: "offer type", arguments: &["SaaS"] },
        Case { name: "misspelled offer type", arguments: &["Sofware as a Service", "--scope", "offer-type"] },
    ];
    cli_snapshot!(selection_errors(&TestEnv::signed_in(), &cases), @"
    ===== misspelled name =====
    exit_code: 1
    ----- stderr -----
    error: no product has the ID or name 'Power BI Prof'
      similar products:
        Power BI Pro (CFQ7TTC0H9MP)
        Power BI Premium (standalone) (CFQ7TTC0H6RP)
        Power Automate RPA (CFQ7TTC0LSGZ)
    hint: mscommerce product list
    hint: use --offer-type TYPE for an offer type, such as SaaS
    ===== known id and misspelled name =====
    exit_code: 1
    ----- stderr -----
    error: no product has the ID or name 'Vizio Plan 1'
      similar products:
        Visio Plan 1 (CFQ7TTC0HD33)
        Visio Plan 2 (CFQ7TTC0HD32)
    hint: mscommerce product list
    hint: use --offer-type TYPE for an offer type, such as SaaS
    ===== renumbered id =====
    exit_code: 1
    ----- stderr -----
    error: no product has the ID or name 'CFQ7TTC0L3PB'
    hint: use the new ID CFQ7TTC0H9MP (Power BI Pro) instead of CFQ7TTC0L3PB: mscommerce product get CFQ7TTC0H9MP
    ===== offer type =====
    exit_code: 1
    ----- stderr -----
    error: no product has the ID or name 'SaaS'
    hint: mscommerce product list
    hint: use --offer-type TYPE for an offer type, such as SaaS
    ===== misspelled offer type =====
    exit_code: 1
    ----- stderr -----
    error: no offer type has the ID or name 'Sofware as a Service'
      similar offer types:
        Software as a Service (SaaS)
        Power BI Visuals (POWERBIVISUALS)
        Dynamics 365 Dataverse Apps (DYNAMICSCE)
        Dynamics 365 Business Central (DYNAMICSBC)
    hint: mscommerce product list --scope offer-type
    hint: omit --scope to select products, or use --scope all to select both
    ");
}

#[test]
fn ambiguous_name_error() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "Twin", "Enabled"),
        Product::new("CFQ7TTC0BBBB", "TWIN", "Enabled"),
        Product::new("CFQ7TTC0CCCC", "Alone", "Enabled"),
    ]);
    cli_snapshot!(assert_rejected(&env, &["Alone", "twin", "--value", "disabled"]), @"
    exit_code: 1
    ----- stderr -----
    error: 'twin' matches 2 products; nothing was changed
      Twin (CFQ7TTC0AAAA)
      TWIN (CFQ7TTC0BBBB)
    hint: specify one of them by its ID
    ");
    // --except accepts an ambiguous name: it excludes every match.
    let result = update(&env, &["--all", "--except", "twin", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0CCCC"]);
}

#[test]
fn duplicate_list_entries_are_one_product() {
    let env = TestEnv::signed_in();
    let twice = |value| Product::new("CFQ7TTC0AAAA", "Twice", value);
    env.tenant.set_products(vec![twice("Enabled"), twice("Enabled")]);
    let result = update(&env, &["--all", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0AAAA"]);
    assert_eq!(env.updated_ids(), ["CFQ7TTC0AAAA"]);
    // The id is not ambiguous.
    env.tenant.forget_requests();
    let result = update(&env, &["CFQ7TTC0AAAA", "--value", "enabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0AAAA"]);
    assert_eq!(env.updated_ids(), ["CFQ7TTC0AAAA"]);
}

#[test]
fn selection_without_match_is_an_error() {
    let cases = [
        Case { name: "name", arguments: &["--name", "no such name"] },
        // Patterns match names, not ids.
        Case { name: "part of an id", arguments: &["--name", "CFQ7TTC0"] },
        Case {
            name: "everything excluded",
            arguments: &["--name", "visio", "--except", "Visio Plan 1", "--except", VISIO_2],
        },
    ];
    cli_snapshot!(selection_errors(&TestEnv::signed_in(), &cases), @"
    ===== name =====
    exit_code: 1
    ----- stderr -----
    error: no products match 'no such name' (17 checked); nothing was changed
    hint: mscommerce product list
    ===== part of an id =====
    exit_code: 1
    ----- stderr -----
    error: no products match 'CFQ7TTC0' (17 checked); nothing was changed
    hint: mscommerce product list
    ===== everything excluded =====
    exit_code: 1
    ----- stderr -----
    error: nothing to change: the selection is empty
    hint: mscommerce product list
    ");
}

#[test]
fn selection_in_empty_tenant_is_an_error() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(Vec::new());
    let cases = [
        Case { name: "--all", arguments: &["--all"] },
        Case { name: "--name", arguments: &["--name", "visio"] },
        Case { name: "ids", arguments: &[POWER_BI, VISIO_2] },
    ];
    cli_snapshot!(selection_errors(&env, &cases), @"
    ===== --all =====
    exit_code: 1
    ----- stderr -----
    error: nothing to change: the selection is empty
    hint: mscommerce product list
    ===== --name =====
    exit_code: 1
    ----- stderr -----
    error: no products match 'visio' (0 checked); nothing was changed
    hint: mscommerce product list
    ===== ids =====
    exit_code: 1
    ----- stderr -----
    error: 2 of 2 IDs or names do not identify one product; nothing was changed
      no product has the ID or name 'CFQ7TTC0H9MP'
      no product has the ID or name 'CFQ7TTC0HD32'
    hint: mscommerce product list
    hint: use --offer-type TYPE for an offer type, such as SaaS
    ");
}

#[test]
fn except_without_match_is_an_error() {
    let cases = [
        Case { name: "misspelled name", arguments: &["--all", "--except", "Power BI Prof"] },
        Case { name: "second name", arguments: &["--all", "--except", "Power BI Pro", "--except", "no such thing"] },
        Case { name: "not selected", arguments: &["--name", "visio", "--except", "Power BI Pro"] },
        Case { name: "offer type", arguments: &["--all", "--except", "SaaS"] },
        Case { name: "renumbered id", arguments: &["--all", "--except", OLD_POWER_BI] },
    ];
    cli_snapshot!(selection_errors(&TestEnv::signed_in(), &cases), @"
    ===== misspelled name =====
    exit_code: 1
    ----- stderr -----
    error: --except 'Power BI Prof' does not match the selection; nothing was changed
      similar names:
        Power BI Pro (CFQ7TTC0H9MP)
        Power BI Premium (standalone) (CFQ7TTC0H6RP)
        Power Automate RPA (CFQ7TTC0LSGZ)
    hint: mscommerce product list
    ===== second name =====
    exit_code: 1
    ----- stderr -----
    error: --except 'no such thing' does not match the selection; nothing was changed
    hint: mscommerce product list
    ===== not selected =====
    exit_code: 1
    ----- stderr -----
    error: --except 'Power BI Pro' does not match the selection; nothing was changed
      similar names:
        Visio Plan 1 (CFQ7TTC0HD33)
        Visio Plan 2 (CFQ7TTC0HD32)
    hint: mscommerce product list
    ===== offer type =====
    exit_code: 1
    ----- stderr -----
    error: --except 'SaaS' does not match the selection; nothing was changed
    hint: mscommerce product list
    ===== renumbered id =====
    exit_code: 1
    ----- stderr -----
    error: --except 'CFQ7TTC0L3PB' does not match the selection; nothing was changed
      similar names:
        Power Automate per user (CFQ7TTC0LH3L)
        Power Apps per user (CFQ7TTC0LH2H)
        Power Automate RPA (CFQ7TTC0LSGZ)
        Power BI Premium (standalone) (CFQ7TTC0H6RP)
        Power BI Pro (CFQ7TTC0H9MP)
    hint: use the new ID CFQ7TTC0H9MP (Power BI Pro) instead of CFQ7TTC0L3PB: mscommerce product get CFQ7TTC0H9MP
    hint: mscommerce product list
    ");
}

#[test]
fn product_without_id_must_be_excluded() {
    let env = TestEnv::signed_in();
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "With an id", "Enabled"),
        Product::new("", "Without one", "Enabled").with("productId", Value::Null),
    ]);
    let cases = [
        Case { name: "--all", arguments: &["--all"] },
        Case { name: "names", arguments: &["Without one", "With an id"] },
        Case { name: "--name", arguments: &["--name", "with"] },
    ];
    cli_snapshot!(selection_errors(&env, &cases), @"
    ===== --all =====
    ===== names =====
    ===== --name =====
    exit_code: 1
    ----- stderr -----
    error: the service returned Without one without an ID, so it cannot be changed
      nothing was changed
    hint: exclude it: --except 'Without one'
    ");
    let result = update(&env, &["--all", "--except", "without one", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0AAAA"]);
    let result = update(&env, &["With an id", "--value", "enabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0AAAA"]);
}

#[test]
fn unknown_scope_must_be_excluded() {
    let env = TestEnv::signed_in();
    let bundle = Product::new("", "A bundle", "Enabled").with("scope", "Bundle");
    env.tenant.set_products(vec![
        Product::new("CFQ7TTC0AAAA", "A product", "Enabled"),
        bundle.with("scopeId", "B1").with("scopeValue", "A bundle"),
    ]);
    cli_snapshot!(assert_rejected(&env, &["--all", "--value", "disabled"]), @"
    exit_code: 1
    ----- stderr -----
    error: the service returned A bundle (B1) with the scope 'Bundle', which this version cannot change
      nothing was changed
    hint: exclude it: --except 'A bundle'
    ");
    let result = update(&env, &["--all", "--except", "B1", "--value", "disabled"]).assert_code(0);
    assert_eq!(result.ids_with_outcome("changed"), ["CFQ7TTC0AAAA"]);
}

#[test]
fn failed_list_request_changes_nothing() {
    let env = TestEnv::signed_in();
    let fault = Response::json(500, &json!({"errorCode": "Code", "reason": "Reason."}));
    // The selection needs both lists.
    env.tenant.fail_next("scope=OfferType", fault);
    cli_snapshot!(update(&env, &["--all", "--scope", "all", "--value", "disabled"]), @"
    exit_code: 1
    ----- stderr -----
    error: could not list the offer types: the service returned 500 Internal Server Error
      Code: Reason.
      correlation ID: [UUID]
    hint: Try again later. If it persists, give Microsoft support the correlation ID.
    ");
    env.assert_nothing_changed();
}

#[test]
fn every_unknown_id_is_named_at_once() {
    let env = TestEnv::signed_in();
    let old = ["CFQ7TTC0KP0P", "CFQ7TTC0KP0N", "cfq7ttc0kxg6", "CFQ7TTC0KXG7", "CFQ7TTC0L3PB", "CFQ7TTC0KXND"];
    let old = [&old[..], &["CFQ7TTC0KXNC", "CFQ7TTC0KXN9", "CFQ7TTC0KXN8", "CFQ7TTC0AAAA", VISIO_2]].concat();
    let result = assert_rejected(&env, &[&old[..], DISABLE].concat());
    let new = ["LH2H", "LH3L", "LSGZ", "H6RP", "H9MP", "HDB1", "HDB0", "HD33", "HD32"];
    for new in new.map(|suffix| format!("CFQ7TTC0{suffix}")) {
        let hints = result.stderr.lines().filter(|line| line.starts_with(&format!("hint: use the new ID {new} ")));
        let hints: Vec<&str> =
            hints.filter(|hint| hint.ends_with(&format!(": mscommerce product get {new}"))).collect();
        assert_eq!(hints.len(), 1, "{new}\n{}", result.stderr);
    }
    result.stderr_contains(&[
        "error: 10 of 11 IDs or names do not identify one product; nothing was changed\n",
        "the ID or name 'CFQ7TTC0AAAA'",
    ]);
    let except = ["--all", "--except", OLD_POWER_BI, "--except", "Vizio", "--except", POWER_BI];
    cli_snapshot!(assert_rejected(&env, &[&except[..], DISABLE].concat()), @"
    exit_code: 1
    ----- stderr -----
    error: 2 of 3 IDs or names do not identify one exception; nothing was changed
      --except 'CFQ7TTC0L3PB' does not match the selection
        similar names:
          Power Automate per user (CFQ7TTC0LH3L)
          Power Apps per user (CFQ7TTC0LH2H)
          Power Automate RPA (CFQ7TTC0LSGZ)
          Power BI Premium (standalone) (CFQ7TTC0H6RP)
          Power BI Pro (CFQ7TTC0H9MP)
      --except 'Vizio' does not match the selection
        similar names:
          Visio Plan 1 (CFQ7TTC0HD33)
          Visio Plan 2 (CFQ7TTC0HD32)
    hint: use the new ID CFQ7TTC0H9MP (Power BI Pro) instead of CFQ7TTC0L3PB: mscommerce product get CFQ7TTC0H9MP
    hint: mscommerce product list
    ");
}

#[test]
fn joined_ids_error_shows_separated_ids() {
    let cases = [
        Case { name: "commas", arguments: &["CFQ7TTC0H9MP,CFQ7TTC0HD33"] },
        Case { name: "commas and blanks", arguments: &["CFQ7TTC0H9MP, cfq7ttc0hd33,", "CFQ7TTC0HD32"] },
        Case { name: "trailing comma", arguments: &["CFQ7TTC0H9MP,", "CFQ7TTC0HD32"] },
        Case { name: "--except", arguments: &["--all", "--except", "CFQ7TTC0H9MP;CFQ7TTC0HD33"] },
    ];
    let mut transcript = usage_errors(&cases, &["--value", "disabled", "--yes"]);
    let env = TestEnv::signed_in();
    transcript.push("get", env.run(&["product", "get", "CFQ7TTC0H9MP,CFQ7TTC0HD33"]));
    assert!(env.request_lines().is_empty());
    cli_snapshot!(transcript, @"
    ===== commas =====
    exit_code: 2
    ----- stderr -----
    error: 'CFQ7TTC0H9MP,CFQ7TTC0HD33' is not an ID: separate IDs with spaces, not commas
    hint: mscommerce product update CFQ7TTC0H9MP CFQ7TTC0HD33 --value Disabled
    ===== commas and blanks =====
    exit_code: 2
    ----- stderr -----
    error: 'CFQ7TTC0H9MP, cfq7ttc0hd33,' is not an ID: separate IDs with spaces, not commas
    hint: use CFQ7TTC0H9MP cfq7ttc0hd33
    ===== trailing comma =====
    exit_code: 2
    ----- stderr -----
    error: 'CFQ7TTC0H9MP,' is not an ID: separate IDs with spaces, not commas
    hint: use CFQ7TTC0H9MP
    ===== --except =====
    exit_code: 2
    ----- stderr -----
    error: 'CFQ7TTC0H9MP;CFQ7TTC0HD33' is not an ID: separate IDs with spaces, not commas
    hint: use --except CFQ7TTC0H9MP --except CFQ7TTC0HD33
    ===== get =====
    exit_code: 2
    ----- stderr -----
    error: 'CFQ7TTC0H9MP,CFQ7TTC0HD33' is not an ID: separate IDs with spaces, not commas
    hint: mscommerce product get CFQ7TTC0H9MP
    ");
}

#[test]
fn joined_names_error_has_hint() {
    let env = TestEnv::signed_in();
    for text in ["Power BI Pro, visio plan 1", "CFQ7TTC0H9MP,Visio Plan 1"] {
        let result = assert_rejected(&env, &[&[text], DISABLE].concat());
        result.stderr_contains(&["hint: separate IDs and names with spaces, and quote each name separately\n"]);
    }
    assert_rejected(&env, &[&["Nothing, at all"], DISABLE].concat()).stderr_lacks("separate");
}

#[test]
fn glob_pattern_that_selects_nothing_has_hint() {
    let env = TestEnv::signed_in();
    cli_snapshot!(assert_rejected(&env, &[&["--name", "Power*"], DISABLE].concat()), @"
    exit_code: 1
    ----- stderr -----
    error: no products match 'Power*' (17 checked); nothing was changed
    hint: use part of the name, or a regular expression such as '/^Power.*Pro$/'; * and ? are not wildcards in --name
    hint: mscommerce product list
    ");
}

#[test]
fn unclosed_regular_expression_error() {
    let cases = [
        Case { name: "/[", arguments: &["--name", "/["] },
        Case { name: "/visio", arguments: &["--name", "/visio"] },
        Case { name: "/", arguments: &["--name", "/"] },
    ];
    cli_snapshot!(usage_errors(&cases, &["--value", "disabled", "--yes"]), @"
    ===== /[ =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '/[' for '--name <PATTERN>': a regular expression must end with /

    For more information, try '--help'.
    ===== /visio =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '/visio' for '--name <PATTERN>': a regular expression must end with /

    For more information, try '--help'.
    ===== / =====
    exit_code: 2
    ----- stderr -----
    error: invalid value '/' for '--name <PATTERN>': a regular expression must end with /

    For more information, try '--help'.
    ");
}
