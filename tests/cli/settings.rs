//! Settings that are told, completions, and the man page: none of it needs a cluster.

use crate::support::pty::Launch;

fn said(home: &std::path::Path, arguments: &[&str]) -> (i32, String, String) {
    let launch = arguments
        .iter()
        .fold(Launch::new(home), |launch, argument| {
            launch.argument(argument)
        });
    let output = launch.run();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn every_setting_is_told_with_where_it_comes_from() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("mine.yaml");
    std::fs::write(
        &file,
        "verifySeconds: 7\ndisplay: {theme: {bad: magenta}}\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let (code, out, err) = said(
        home.path(),
        &["config", "--config", file, "--context", "eu"],
    );
    assert_eq!((code, &*err), (0, ""));
    let row = |name: &str| {
        let line = out.lines().find(|line| line.starts_with(name));
        let words: Vec<_> = line
            .unwrap_or_else(|| panic!("{name}\n{out}"))
            .split("  ")
            .collect();
        let words = words
            .into_iter()
            .map(str::trim)
            .filter(|word| !word.is_empty());
        words.map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(row("verifySeconds"), ["verifySeconds", "7", file]);
    assert_eq!(row("context"), ["context", "eu", "--context"]);
    assert_eq!(
        row("display.theme.bad"),
        ["display.theme.bad", "magenta", file]
    );
    assert_eq!(
        row("display.theme.good"),
        ["display.theme.good", "green", "default"]
    );

    let arguments = ["config", "--config", file, "-o", "json"];
    let rows: serde_json::Value = serde_json::from_str(&said(home.path(), &arguments).1).unwrap();
    let seven = |row: &serde_json::Value| row["name"] == "verifySeconds" && row["value"] == "7";
    assert!(rows.as_array().unwrap().iter().any(seven), "{rows}");
}

#[test]
fn settings_that_are_wrong_are_said_and_completions_are_there_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("broken.yaml");
    std::fs::write(&file, "display: {theme: {bad: pink}}\n").unwrap();
    let file = file.to_str().unwrap();
    let (code, out, err) = said(home.path(), &["config", "--config", file]);
    assert_eq!((code, &*out), (2, ""));
    assert!(err.contains("line 1") && err.contains("pink"), "{err}");
    for shell in ["bash", "zsh", "fish"] {
        let (code, out, _) = said(home.path(), &["completions", shell, "--config", file]);
        assert!(code == 0 && out.contains("rollback"), "{shell}: {out}");
    }
}

#[test]
fn the_man_page_has_every_verb_and_its_arguments() {
    let home = tempfile::tempdir().unwrap();
    let (code, page, _) = said(home.path(), &["man"]);
    assert_eq!(code, 0);
    assert!(page.contains(".TH rolldeck"), "{page}");
    let help = said(home.path(), &["help"]).1;
    let verbs = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let verbs: Vec<_> = verbs.take_while(|line| !line.is_empty()).collect();
    assert!(verbs.len() > 8, "{help}");
    for verb in verbs {
        let name = verb.split_whitespace().next().unwrap();
        let section = format!(".SH \"{}\"", name.to_uppercase());
        assert!(
            name == "help" || page.contains(&section),
            "{section}\n{page}"
        );
    }
    assert!(page.contains("\\-\\-delete\\-pods"), "{page}");
}

#[test]
fn a_file_that_is_written_counts_at_once_and_a_broken_one_says_where() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("mine.yaml");
    std::fs::write(&file, "verifySeconds: 7\n").unwrap();
    let launch = Launch::new(home.path()).argument("--config");
    let terminal = launch.argument(file.to_str().unwrap()).open();
    terminal.wait_text("No cluster to show.");
    std::fs::write(&file, "verifySeconds: 7\nkyes: {help: [Q]}\n").unwrap();
    terminal.wait_text("line 2, column 1: unknown key kyes");
    std::fs::write(&file, "keys: {help: [Q]}\n").unwrap();
    terminal.wait_text("settings read again");
    terminal.keys("Q");
    terminal.wait_text("KEYS");
}
