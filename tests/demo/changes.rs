//! `w` in a world of a hundred services: the change that broke one, among all the others and named to nobody.

use crate::support::pty::{Launch, picture};

#[test]
fn among_a_hundred_services_the_right_change_is_one_of_the_first_three_lines() {
    for (scenario, service, change) in [
        ("bad-image", "deploy/catalog", "2.14.0 → 2."),
        ("crash-loop", "deploy/payments", "8.3.0 → 8."),
    ] {
        let home = tempfile::tempdir().unwrap();
        let terminal = Launch::new(home.path())
            .variable("TMPDIR", &home.path().to_string_lossy())
            .with(&["demo", "--services", "100", "--scenario", scenario])
            .size(160, 40)
            .open();
        terminal.wait_for("all services, and the one that hangs", |screen| {
            let text = picture(screen);
            text.contains("services · 1 stalled")
        });
        terminal.keys("w");
        terminal.wait_for("all that was read", |screen| {
            let text = picture(screen);
            text.contains("likeliest before ") && text.contains(" lines, read ")
        });
        let text = terminal.picture();
        let mut first = text
            .lines()
            .skip_while(|line| !line.contains("TIME"))
            .skip(1)
            .take(3);
        assert!(
            first.any(|line| line.contains(service) && line.contains(change)),
            "{text}"
        );
    }
}
