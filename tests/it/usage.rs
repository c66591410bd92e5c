//! Wrong command lines: a clear error, exit 2, and no request.

use crate::support::env::TestEnv;

#[test]
fn wrong_usage_is_told_and_touches_no_network() {
    let env = TestEnv::signed_in();
    let wrong: &[(&[&str], &str)] = &[
        (&[], "Usage: mscommerce"),
        (&["prodcuts"], "unrecognized subcommand 'prodcuts'"),
        (&["products"], "Usage: mscommerce products"),
        (&["products", "list", "--scope", "everything"], "[possible values: product, offer-type, all]"),
        (
            &["products", "list", "--value", "off"],
            "the values are enabled, disabled and only-trials-without-payment-method",
        ),
        (&["products", "list", "--name", "/(/"], "no regular expression"),
        (&["products", "list", "--name", ""], "the pattern is empty"),
        (&["products", "list", "-o", "xml"], "[possible values: table, json, csv, tsv, markdown]"),
        (&["products", "list", "--timeout", "0"], "0 is not in 1..=86400"),
        (&["products", "list", "--tenant", "a/b"], "'a/b' is no tenant"),
        (&["products", "list", "--tenant", "common"], "'common' is no tenant"),
        (&["products", "list", "--profile", "a b"], "'a b' is no profile name"),
        (&["products", "list", "-q", "-v"], "cannot be used with"),
        (&["product", "get"], "required arguments were not provided"),
        (&["product", "get", "CFQ7TTC0H9MP", "--offer-type", "SaaS"], "cannot be used with"),
        (&["product", "update", "CFQ7TTC0H9MP"], "--value <VALUE>|--enabled <BOOL>"),
        (&["product", "update", "CFQ7TTC0H9MP", "--value", "disabled", "--enabled", "true"], "cannot be used with"),
        (&["product", "update", "CFQ7TTC0H9MP", "--enabled", "yes"], "it is either true or false"),
        (&["product", "update", "--value", "disabled"], "required arguments were not provided"),
        (&["product", "update", "--offer-type", "SaaS", "--value", "trials"], "trials are for products only"),
        (&["policy", "get", "A", "--policy-id", "B"], "cannot be used with"),
        (&["connect", "--device-code", "--username", "a"], "cannot be used with"),
        (&["connect", "--password-stdin"], "--username"),
        (&["connect", "--redirect-port", "0"], "0 is not in 1..=65535"),
        (&["disconnect", "--all", "--profile", "a"], "cannot be used with"),
    ];
    for (arguments, said) in wrong {
        env.run(arguments).assert_code(2).stdout_is_empty().stderr_contains(&[said]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn a_wrong_environment_is_told_by_the_name_of_its_variable() {
    let env = TestEnv::signed_in();
    for (variable, value) in [
        ("MSCOMMERCE_OUTPUT", "xml"),
        ("MSCOMMERCE_PROFILE", "a b"),
        ("MSCOMMERCE_ENDPOINT", "http://licensing.m365.microsoft.com"),
        ("MSCOMMERCE_ENDPOINT", "not a web address"),
        ("MSCOMMERCE_TOKEN", "two words"),
    ] {
        env.run_with_env(&[(variable, value)], &["products", "list"])
            .assert_code(2)
            .stdout_is_empty()
            .stderr_contains(&["error: ", variable]);
    }
    for (variable, value) in [("AZURE_AUTHORITY_HOST", "http://login.example"), ("AZURE_TENANT_ID", "a b")] {
        env.run_with_env(&[(variable, value)], &["connect", "--no-browser"])
            .assert_code(2)
            .stderr_contains(&["error: ", variable]);
    }
    assert!(env.request_lines().is_empty());
}

#[test]
fn the_version_is_printed_for_scripts() {
    let result = TestEnv::new().run(&["--version"]).assert_code(0);
    assert_eq!(result.stdout, format!("mscommerce {}\n", env!("CARGO_PKG_VERSION")));
}
