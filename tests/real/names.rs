//! No test on the real control plane disappears unseen.

use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn the_tests_are_those_of_the_list() {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--list", "--format", "terse"])
        .output()
        .unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let here: BTreeSet<_> = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .collect();
    let expected: BTreeSet<_> = include_str!("expected.txt").lines().collect();
    let gone: Vec<_> = expected.difference(&here).collect();
    let new: Vec<_> = here.difference(&expected).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "tests/real/expected.txt names {gone:?}, which are not here, and lacks {new:?}"
    );
}
