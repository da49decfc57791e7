//! The planted bugs of `tests/planted` still fit the core: `tests/planted/run` is too slow for every change, but a patch
//! that no longer applies would go unnoticed until somebody runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A planted bug is a slip, not a rewrite.
const LINES: usize = 8;
/// The issue asks for ten.
const LEAST: usize = 14;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are in a folder of the workspace")
}

fn patches() -> Vec<PathBuf> {
    let all = std::fs::read_dir(root().join("tests/planted"))
        .expect("the folder of the patches")
        .map(|entry| entry.expect("an entry of the folder").path());
    let mut all: Vec<PathBuf> = all.filter(|path| path.extension().is_some_and(|ext| ext == "patch")).collect();
    all.sort();
    all
}

#[test]
fn every_planted_bug_still_applies() {
    let patches = patches();
    assert!(patches.len() >= LEAST, "{} planted bugs", patches.len());
    for patch in patches {
        let output = Command::new("git").arg("-C").arg(root()).args(["apply", "--check"]).arg(&patch).output();
        let output = output.expect("git runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} no longer applies; make it anew: {said}", patch.display());
    }
}

#[test]
fn every_planted_bug_is_small_in_the_core_alone_and_says_what_is_wrong() {
    for patch in patches() {
        let text = std::fs::read_to_string(&patch).expect("a patch is text");
        let name = patch.display();
        let (head, diff) = text.split_once("\ndiff --git ").unwrap_or_else(|| panic!("{name} has no diff"));
        let (sentence, check) = head.split_once("\nFound by: ").unwrap_or_else(|| panic!("{name}: found by what?"));
        assert!(sentence.trim_end().ends_with('.') && !check.trim().is_empty(), "{name}: {head}");
        let files = diff.lines().filter(|line| line.starts_with("+++ "));
        assert!(files.clone().all(|file| file.starts_with("+++ b/core/src/")), "{name} is about the core");
        let count = |sign: &str, file: &str| {
            diff.lines().filter(|line| line.starts_with(sign) && !line.starts_with(file)).count()
        };
        assert!(count("+", "+++").max(count("-", "---")) <= LINES, "{name} changes too much");
    }
}
