//! How these tests start rolldeck and read its screen.

use std::path::Path;

use vt100::Screen;

use crate::support::fixtures::Service;
use crate::support::pty::{Launch, Terminal, picture};

/// Verified after two seconds of readiness in place of thirty. The registry of the fixtures' images is nowhere, and
/// nobody is asked where.
pub const QUICK: &str =
    "verifySeconds: 2\nregistries: [{host: registry.test, address: '127.0.0.1:1'}]\n";

/// rolldeck on a namespace, as somebody opens it.
pub fn open(kubeconfig: &Path, home: &Path) -> Terminal {
    launch(kubeconfig, home).open()
}

pub fn launch(kubeconfig: &Path, home: &Path) -> Launch {
    Launch::new(home).config(QUICK).kubeconfig(kubeconfig)
}

/// The board's rows: below the header and the titles, above the keys.
pub fn rows(screen: &Screen) -> Vec<String> {
    let text = picture(screen);
    text.lines()
        .skip_while(|line| !line.contains("SERVICE"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

pub fn row_of(screen: &Screen, name: &str) -> Option<String> {
    rows(screen)
        .into_iter()
        .find(|row| row.split_whitespace().any(|word| word == name))
}

/// Until the service is the first row, stalled, and its row says `why`.
pub fn wait_first_and_stalled(terminal: &Terminal, service: &Service, why: &str) {
    let what = format!("{} as the first row, stalled, with {why:?}", service.name);
    terminal.wait_for(&what, |screen| {
        rows(screen).first().is_some_and(|row| {
            row.contains(&service.name) && row.contains("stalled") && row.contains(why)
        })
    });
}

/// `R`, and until every check of the plan has its answer.
pub fn wait_plan(terminal: &Terminal) {
    terminal.wait_for("a plan whose checks have all answered", |screen| {
        let text = picture(screen);
        text.contains("ROLL BACK") && text.contains("chosen:") && !text.contains("asking ")
    });
}

/// The same for a plan that has nothing to choose, by the verb in its title.
pub fn wait_plan_to(terminal: &Terminal, verb: &str) {
    terminal.wait_for("a plan whose checks have all answered", |screen| {
        let text = picture(screen);
        text.contains(verb) && text.contains("kubectl ") && !text.contains("asking ")
    });
}

/// The lines of the plan that start with this finding.
pub fn findings(terminal: &Terminal, finding: &str) -> Vec<String> {
    let text = terminal.picture();
    text.lines()
        .filter_map(|line| line.split('│').nth(1))
        .map(|line| line.trim().to_owned())
        .filter(|line| line.split_whitespace().next() == Some(finding))
        .collect()
}
