//! The README says what the program does: its keys are those of the registry, its picture is what is drawn.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rolldeck::app::intent::{Group, REGISTRY};
use rolldeck::app::keymap::Keymap;

use super::cells::drawn;
use super::night::{model, night};
use super::svg::svg;

const BEGIN: &str = "rewrites it -->\n";
const END: &str = "<!-- end of keys -->";

/// With this variable set the files are written instead of compared.
const UPDATE: &str = "UPDATE_README";

fn check(file: &str, wanted: &str) {
    let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == wanted,
        "{file} is old: {UPDATE}=1 cargo test readme rewrites it"
    );
}

#[test]
fn readme_keys_are_those_of_the_registry() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let begin = readme.find(BEGIN).unwrap() + BEGIN.len();
    let end = readme.find(END).unwrap();
    check(
        "README.md",
        &format!("{}{}{}", &readme[..begin], keys(), &readme[end..]),
    );
}

fn keys() -> String {
    let keymap = Keymap::build(&BTreeMap::new()).unwrap();
    let mut table = String::from("| Keys | Name | |\n|---|---|---|\n");
    for group in Group::ALL {
        for entry in REGISTRY.iter().filter(|entry| entry.group == group) {
            let keys: Vec<_> = keymap
                .keys(entry.intent)
                .iter()
                .map(|key| format!("`{key}`"))
                .collect();
            writeln!(
                table,
                "| {} | `{}` | {} |",
                keys.join(" "),
                entry.name,
                entry.title
            )
            .unwrap();
        }
    }
    table
}

#[test]
fn readme_picture_is_what_is_drawn() {
    check("assets/screen.svg", &svg(&drawn(&model(&night(), 120, 17))));
}
