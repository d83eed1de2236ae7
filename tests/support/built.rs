//! What the scripts of the tests put into the user's cache folder.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that this script, `tests/helm/build`, made for its present versions; `None` before it has run.
pub fn found(script: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let output = Command::new(path).arg("--check").output();
    let output = output.expect("bash is here");
    let folder = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| folder.trim().into())
}

/// # Panics
/// Before the script has run, with its name.
pub fn folder(script: &str) -> PathBuf {
    found(script).unwrap_or_else(|| panic!("something is not here: run {script} once (minutes)"))
}
