//! Which test stands for which fault.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const NETWORK: &str = "tests/cli/network/mod.rs";
const RETRIES: &str = "tests/cli/network/retries.rs";
const TLS: &str = "tests/cli/network/tls.rs";
const PROXIES: &str = "tests/cli/network/proxies.rs";
const WAITING: &str = "tests/cli/bulk/waiting.rs";
const BROWSER: &str = "tests/cli/connect_browser.rs";
const SAVED: &str = "tests/cli/saved.rs";
const TOGETHER: &str = "tests/cli/saved_together.rs";
const STEERING: &str = "tests/cli/terminal/steering.rs";
const PROMPTS: &str = "tests/cli/terminal/prompts.rs";
const PASSING: &str = "tests/cli/faults/passing.rs";
const CODES: &str = "tests/cli/faults/codes.rs";
const DISK: &str = "tests/cli/faults/disk.rs";
const CTRL_C: &str = "tests/cli/faults/ctrl_c.rs";
const SCHEDULES: &str = "tests/cli/faults/schedules.rs";
const UNCERTAIN: &str = "tests/cli/faults/uncertain.rs";
const RETRY: &str = "src/http/retry.rs";
const THROTTLE: &str = "src/http/throttle.rs";
const DIAGNOSIS: &str = "src/http/diagnosis.rs";
const LISTENER: &str = "src/identity/browser/listener.rs";

/// The fault, the file, and the test.
const ROWS: &[(&str, &str, &str)] = &[
    ("refused", NETWORK, "a_refused_connection_is_told_as_that"),
    ("refused", PASSING, "a_refused_connection_is_tried_again"),
    ("reset", NETWORK, "a_server_that_accepts_and_closes_is_told_as_a_connection_that_broke_off"),
    ("reset", PASSING, "a_connection_that_breaks_off_is_tried_again"),
    ("temporary DNS failure", DIAGNOSIS, "names_that_cannot_be_looked_up_just_now_may_be_found_at_another_try"),
    ("time-out", NETWORK, "a_server_that_never_answers_is_given_up_when_the_time_is_over"),
    ("time-out", RETRY, "more_time_for_all_is_more_time_for_each"),
    ("truncated body", NETWORK, "a_body_that_is_cut_off_is_not_taken_for_an_answer"),
    ("truncated body", PASSING, "a_connection_that_breaks_off_is_tried_again"),
    ("truncated body", RETRIES, "a_change_whose_answer_was_lost_is_made_again_and_told_as_made"),
    ("408, 429, 500, 502, 503, 504", RETRIES, "a_fault_that_passes_is_not_even_told"),
    ("408, 429, 500, 502, 503, 504", RETRY, "only_what_may_pass_is_tried_again"),
    ("up to four more tries", WAITING, "without_a_time_to_wait_for_a_fault_is_given_four_more_tries"),
    ("up to four more tries", PASSING, "a_fifth_broken_connection_is_the_last"),
    ("exponential with full jitter", RETRY, "four_more_tries_follow_each_after_up_to_twice_the_wait"),
    ("Retry-After in seconds", WAITING, "a_change_that_is_put_off_is_made_later_under_a_correlation_id_of_its_own"),
    ("Retry-After as a date", WAITING, "a_date_is_waited_for_too"),
    ("Retry-After as a date", THROTTLE, "a_wait_is_seconds_or_a_date"),
    (
        "Retry-After beyond the time left",
        WAITING,
        "a_wait_longer_than_the_timeout_fails_at_once_and_the_rest_is_not_sent",
    ),
    ("a long wait is told", WAITING, "a_longer_wait_is_told"),
    ("token requests the same", RETRIES, "token_requests_are_tried_again"),
    ("token requests the same", WAITING, "a_token_request_that_is_put_off_is_sent_again"),
    ("token requests the same", PASSING, "a_token_request_whose_connection_breaks_off_is_tried_again"),
    ("a code is never sent twice", BROWSER, "a_code_that_may_have_arrived_is_not_sent_again"),
    ("a code is never sent twice", CODES, "a_code_whose_request_breaks_off_is_not_sent_again"),
    ("400, 403, 404, 409, 3xx", RETRIES, "a_fault_that_lasts_is_told_at_once"),
    ("400, 403, 404, 409, 3xx", PASSING, "what_lasts_is_sent_once"),
    ("401 after one refresh", SAVED, "a_refused_token_is_renewed_once_and_the_request_sent_again"),
    ("401 after one refresh", SAVED, "a_token_that_is_refused_twice_asks_for_another_sign_in"),
    ("other DNS failures", DIAGNOSIS, "names_that_cannot_be_looked_up_just_now_may_be_found_at_another_try"),
    ("other DNS failures", NETWORK, "a_name_that_cannot_be_resolved_is_told_as_that"),
    ("TLS failures", PASSING, "a_secure_connection_that_does_not_come_about_is_not_tried_again"),
    ("the timeout bounds the command", RETRIES, "the_time_that_is_left_ends_the_tries"),
    ("the timeout bounds the command", WAITING, "the_timeout_is_for_the_whole_run_and_what_was_not_sent_is_told"),
    ("ten seconds to connect", PASSING, "a_connection_that_nobody_accepts_is_given_up_after_ten_seconds"),
    ("a stalled body", NETWORK, "a_body_that_never_ends_within_the_time_is_given_up_as_well"),
    ("TLS: old version", TLS, "a_server_that_speaks_only_an_old_tls_version_is_told_as_that"),
    ("TLS: unknown issuer", TLS, "an_issuer_that_is_not_trusted_is_told_as_that"),
    ("TLS: wrong name", TLS, "a_certificate_for_another_name_is_told_as_that"),
    ("TLS: expired", TLS, "a_certificate_that_has_expired_is_told_as_that"),
    ("a proxy refuses", PROXIES, "a_proxy_that_refuses_the_connection_is_named"),
    ("a proxy refuses", PROXIES, "a_proxy_that_forbids_the_host_is_told_as_that"),
    ("redirects", NETWORK, "a_redirect_is_never_followed"),
    ("a body over 8 MiB", NETWORK, "a_body_larger_than_8_mib_is_refused_whether_or_not_its_length_is_told"),
    ("control characters", STEERING, "names_that_would_steer_the_terminal_come_out_harmless_in_every_format"),
    ("control characters", STEERING, "what_the_services_say_in_errors_comes_out_harmless"),
    ("control characters", STEERING, "what_a_sign_in_shows_comes_out_harmless"),
    ("forty processes", TOGETHER, "forty_at_once_on_a_token_that_ends_all_succeed_and_renew_it_once"),
    ("killed at any moment", TOGETHER, "whoever_is_killed_while_renewing_leaves_the_old_sign_in_or_the_new_one"),
    ("a full disk", DISK, "a_full_disk_loses_no_sign_in"),
    ("a read-only disk", DISK, "a_disk_that_cannot_be_written_to_loses_no_sign_in"),
    ("Ctrl-C: browser", CTRL_C, "while_a_browser_is_waited_for"),
    ("Ctrl-C: device code", CTRL_C, "between_two_polls_for_a_device_code"),
    ("Ctrl-C: a wait before another try", CTRL_C, "while_the_service_wants_to_be_left_alone"),
    ("Ctrl-C: a listing", CTRL_C, "while_a_listing_is_waited_for"),
    ("Ctrl-C: a prompt", CTRL_C, "at_the_prompt_for_a_password"),
    ("Ctrl-C: a prompt", PROMPTS, "ctrl_c_at_a_hidden_prompt_ends_it_and_restores_the_terminal"),
    ("listener: wrong state", BROWSER, "what_does_not_belong_to_the_sign_in_is_refused_and_the_sign_in_goes_on"),
    ("listener: missing state", LISTENER, "an_answer_needs_the_state_of_this_sign_in"),
    ("listener: replayed code", CODES, "a_code_that_is_brought_several_times_is_redeemed_once"),
    ("listener: foreign Host", BROWSER, "another_sites_name_that_leads_here_is_refused"),
    ("listener: oversized", BROWSER, "a_body_larger_than_any_answer_is_refused"),
    ("listener: slow", BROWSER, "what_browsers_do_besides_disturbs_nothing"),
    ("all of them at random", SCHEDULES, "whatever_befalls_a_run_nothing_is_changed_told_or_recorded_wrongly"),
    (
        "an answer that was lost",
        UNCERTAIN,
        "a_change_that_may_have_been_made_before_a_renewal_failed_is_not_told_as_unmade",
    ),
    (
        "an answer that was lost",
        UNCERTAIN,
        "a_change_that_may_have_been_made_before_a_renewal_is_not_told_as_refused_alone",
    ),
    ("an answer that was lost", UNCERTAIN, "an_undo_whose_answer_was_lost_is_not_taken_back_by_the_next_one"),
];

/// Whether the source has a function of this name that is a test.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let start = format!("fn {name}(");
    let before = lines.iter().position(|line| line.starts_with(&start)).map_or(&[][..], |at| &lines[..at]);
    let attributes = before.iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    attributes.into_iter().any(|line| *line == "#[test]")
}

#[test]
fn every_fault_has_its_tests() {
    let mut sources = BTreeMap::new();
    for (fault, file, name) in ROWS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let source = sources.entry(file).or_insert_with(|| fs::read_to_string(path).unwrap());
        assert!(has_test(source, name), "{fault}: {file} has no test {name}");
    }
}
