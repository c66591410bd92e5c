//! `disconnect` and the record of changes, which outlives every sign-in.

use super::*;
use crate::support::fixtures::POWER_BI;

#[test]
fn the_record_stays_and_it_is_said_where() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    let before = fs::read(env.history_path()).unwrap();
    let path = env.history_path();
    let kept = ["record of changes", path.to_str().unwrap(), "mscommerce history"];
    // Each time, whether there is something to forget or not.
    for (arguments, told) in [
        (&["disconnect"][..], "Signed out: default"),
        (&["disconnect"], "Nobody was signed in"),
        (&["logout", "--all"], "Nobody was signed in"),
    ] {
        let result =
            env.run(arguments).assert_code(0).stdout_is_empty().stderr_contains(&[told]).stderr_contains(&kept);
        assert!(!result.stderr.contains("warning"), "{}", result.stderr);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    env.sign_in(crate::tenant::ADMIN);
    env.run(&["disconnect", "--all"]).assert_code(0).stderr_contains(&kept);
    assert_eq!(history(&env, &[]).column("id"), [POWER_BI]);
    env.run(&["undo", "--yes"]).assert_code(4).stdout_is_empty().stderr_contains(&["nobody is signed in"]);
}

#[test]
fn nothing_is_said_of_it_where_there_is_none_or_less_is_to_be_said() {
    let env = TestEnv::signed_in();
    let result = env.run(&["disconnect"]).assert_code(0).stderr_contains(&["Signed out: default"]);
    assert!(!result.stderr.contains("record"), "{}", result.stderr);
    let result = TestEnv::new().run(&["disconnect"]).assert_code(0);
    assert!(!result.stderr.contains("record"), "{}", result.stderr);

    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    assert_eq!(env.run(&["disconnect", "-q"]).assert_code(0).stderr, "");
    assert_eq!(env.history().len(), 1);
}

#[test]
fn a_sign_in_anew_can_take_back_what_was_changed_before() {
    let env = TestEnv::signed_in();
    env.run(&["product", "update", POWER_BI, "--value", "disabled"]).assert_code(0);
    env.run(&["disconnect"]).assert_code(0);
    env.sign_in(crate::tenant::ADMIN);
    env.run(&["undo", "--yes"]).assert_code(0).stderr_contains(&["1 changed"]);
    assert_eq!(env.tenant.value(POWER_BI), "Enabled");
}
