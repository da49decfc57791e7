//! The one way to the shared test data, which is read where it lies and is no part of this repository.
#![allow(clippy::disallowed_methods, reason = "the ban is for the core; its tests read test data")]

use std::path::{Path, PathBuf};

/// A file: its path inside the shared folder, and its bytes.
pub(crate) type File = (String, Vec<u8>);

/// `CROSSPOINT_SHARED`, else `shared` beside the repository. None where that is not a folder: said on standard error,
/// and a failure where `CI` is `true`.
pub(crate) fn root() -> Option<PathBuf> {
    let root = match std::env::var_os("CROSSPOINT_SHARED") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
    };
    if root.is_dir() {
        return Some(root);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "CI runs with the shared test data; none at {}",
        root.display()
    );
    eprintln!("passed over: no shared test data at {}", root.display());
    None
}

/// Every file under `folder` with one of these endings, by rising path. Empty where there is no shared data; a failure
/// where there is but the folder has no such file.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<File> {
    let Some(root) = root() else { return Vec::new() };
    let mut found = Vec::new();
    collect(&root, &root.join(folder), endings, &mut found);
    assert!(!found.is_empty(), "no {endings:?} under {folder} of the shared test data");
    found.sort();
    found
}

fn collect(root: &Path, folder: &Path, endings: &[&str], found: &mut Vec<File>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a listed entry can be read").path();
        let name = path.strip_prefix(root).expect("found under the root").to_string_lossy().into_owned();
        if path.is_dir() {
            collect(root, &path, endings, found);
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            found.push((name, bytes));
        }
    }
}
