//! `man`: the manual pages, checked by the programs that show them.

use std::fs;
use std::path::PathBuf;

use crate::support::env::TestEnv;

/// Writes all pages, and returns their paths.
fn write_pages(env: &TestEnv) -> Vec<PathBuf> {
    let directory = env.home().join("man");
    env.run(&["man", "--directory", directory.to_str().unwrap()]).assert_code(0);
    let mut pages: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|page| page.unwrap().path()).collect();
    pages.sort();
    pages
}

#[test]
fn man_writes_a_page_per_command() {
    let env = TestEnv::new();
    let directory = env.home().join("made/man");
    let result = env.run(&["man", "--directory", directory.to_str().unwrap()]);
    let mut pages: Vec<String> =
        fs::read_dir(&directory).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    pages.sort();
    result.assert_code(0).stdout_is_empty().stderr_contains(&[&format!("Wrote {} pages", pages.len())]);
    for page in ["mscommerce.1", "mscommerce-product-update.1", "mscommerce-baseline-check.1", "mscommerce-doctor.1"] {
        assert!(pages.iter().any(|known| known == page), "{pages:?}");
        let text = fs::read_to_string(directory.join(page)).unwrap();
        let name = page.trim_end_matches(".1");
        let title = format!(".TH {name} 1 \"\" \"mscommerce {}\" \"mscommerce manual\"", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&title), "{text}");
    }
    assert!(!pages.iter().any(|page| page.contains("help")), "{pages:?}");
    let main = env.run(&["man"]).assert_code(0);
    assert_eq!(main.stdout, fs::read_to_string(directory.join("mscommerce.1")).unwrap());
    fs::write(env.home().join("file"), "").unwrap();
    let file = env.home().join("file");
    cli_snapshot!(env.run(&["man", "--directory", file.to_str().unwrap()]), @"
    exit_code: 1
    ----- stderr -----
    error: could not write to [TMP]/file: [OS ERROR]
    ");
}

#[test]
fn man_pages_have_the_usual_sections() {
    let env = TestEnv::new();
    for page in write_pages(&env) {
        let text = fs::read_to_string(&page).unwrap();
        let sections =
            ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "\"EXIT STATUS\"", "ENVIRONMENT", "FILES", "\"SEE ALSO\""];
        let found = text.lines().filter_map(|line| line.strip_prefix(".SH "));
        let found: Vec<&str> = found.filter(|section| sections.contains(section)).collect();
        assert_eq!(found, sections, "{page:?}");
        assert!(!text.contains('\u{1b}') && !text.contains("EXTRA"), "{page:?}");
    }
    insta::assert_snapshot!(
        "mscommerce-undo",
        env.read("man/mscommerce-undo.1").replace(env!("CARGO_PKG_VERSION"), "[VERSION]")
    );
    assert!(env.read("man/mscommerce.1").contains("MSCOMMERCE_PROFILE"));
    assert!(!env.read("man/mscommerce-product-get.1").contains("product\\-id"));
}

// macOS has other versions of both programs.
#[cfg(target_os = "linux")]
#[test]
fn man_pages_pass_man_and_mandoc() {
    use std::process::Command;

    use crate::support::is_installed;

    let env = TestEnv::new();
    let pages = write_pages(&env);
    if is_installed("mandoc") {
        let lint = Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).args(&pages).output().unwrap();
        let found = String::from_utf8(lint.stdout).unwrap();
        // The date would be that of the build, and style messages name long lines, which scroll nowhere.
        let is_defect = |line: &&str| !line.contains("missing date") && !line.contains(" STYLE: ");
        assert_eq!(found.lines().filter(is_defect).collect::<Vec<_>>(), [] as [&str; 0]);
    }
    if is_installed("man") && is_installed("groff") {
        for page in pages {
            let arguments = ["--warnings", "--encoding=UTF-8", "--local-file", "--troff-device=utf8", "--ditroff"];
            let man = Command::new("man").env("LC_ALL", "C.UTF-8").args(arguments).arg(&page).output().unwrap();
            assert_eq!(String::from_utf8(man.stderr).unwrap(), "", "{page:?}");
            assert!(man.status.success() && !man.stdout.is_empty());
        }
    }
}
