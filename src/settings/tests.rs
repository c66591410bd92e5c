use super::*;
use crate::cli::{Cli, Command};
use clap::Parser;

fn settings(flags: &[&str], variables: &[(&str, &str)]) -> Result<Settings> {
    let cli = Cli::try_parse_from(["mscommerce", "status"].iter().chain(flags)).expect("a command line");
    assert!(matches!(cli.command, Command::Status(_)));
    Settings::new(&cli.global, variables.iter().copied().collect())
}

#[test]
fn flag_takes_precedence_over_variable_and_default() {
    let chosen =
        settings(&["--profile", "a"], &[("MSCOMMERCE_PROFILE", "b"), ("MSCOMMERCE_OUTPUT", "JSON")]).expect("settings");
    assert_eq!((chosen.profile.value.as_str(), chosen.profile.source), ("a", Source::Flag("--profile")));
    assert_eq!((chosen.format.value, chosen.format.source), (Format::Json, Source::Env("MSCOMMERCE_OUTPUT")));
    let endpoint = chosen.endpoint;
    assert_eq!((endpoint.value.as_str(), endpoint.source), ("https://licensing.m365.microsoft.com/", Source::Default));
}

#[test]
fn empty_variable_counts_as_unset() {
    let settings = settings(&[], &[("MSCOMMERCE_OUTPUT", ""), ("MSCOMMERCE_PROFILE", " ")]).expect("settings");
    assert_eq!((settings.profile.value.as_str(), settings.profile.source), ("default", Source::Default));
}

#[test]
fn invalid_value_error_names_variable() {
    for (variable, value) in [("MSCOMMERCE_OUTPUT", "xml"), ("MSCOMMERCE_PROFILE", "a b")] {
        let error = settings(&[], &[(variable, value)]).err().expect("an error");
        assert!(error.message().contains(variable), "{error:?}");
    }
    let error =
        settings(&[], &[("MSCOMMERCE_TOKEN", "Bearer abc")]).expect("settings").env_token().expect_err("an error");
    assert!(error.message().contains("MSCOMMERCE_TOKEN") && !error.summary().contains("abc"), "{error:?}");
}
