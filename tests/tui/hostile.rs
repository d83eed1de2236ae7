//! Words that attack the terminal or the layout, in every field that comes from outside.

use ratatui::buffer::Buffer;
use rolldeck::app::Model;
use unicode_width::UnicodeWidthStr;

use super::cells::drawn;
use super::night::{Service, model, night, press};

fn hostile() -> Vec<String> {
    vec![
        "\x1b[2J\x1b]0;owned\x07\x1b[31mred".to_owned(),
        "\u{9b}31m\u{202e}reversed\u{2066}\u{200f}".to_owned(),
        "x".repeat(10_000),
        "日本語の版".repeat(20),
        "e\u{301}\u{302}\u{303}\u{304}\u{305}".repeat(200),
        "a\r\nb\tc\0d\u{200b}\u{feff}\u{2028}".to_owned(),
    ]
}

/// One service whose every word is this.
fn poisoned(words: &str) -> Vec<Service> {
    let mut services = night();
    let service = services
        .iter_mut()
        .find(|service| !service.warnings.is_empty())
        .unwrap();
    let boxed: Box<str> = words.into();
    service.workload.containers[0].image = boxed.clone();
    service.workload.version_label = Some(boxed.clone());
    service.workload.written_by = service
        .workload
        .written_by
        .take()
        .map(|(_, at)| (boxed.clone(), at));
    for revision in &mut service.revisions {
        revision.containers[0].image = boxed.clone();
        revision.change_cause = Some(boxed.clone());
    }
    for pod in &mut service.pods {
        pod.node = Some(boxed.clone());
        pod.reason = Some((boxed.clone(), boxed.clone()));
    }
    for warning in &mut service.warnings {
        warning.reason = boxed.clone();
        warning.message = boxed.clone();
    }
    services
}

fn check(buffer: &Buffer, model: &Model, words: &str) {
    for cell in &buffer.content {
        let symbol = cell.symbol();
        assert!(
            !symbol.chars().any(char::is_control),
            "{symbol:?} of {words:?}"
        );
        assert!(
            !symbol.contains(['\u{202e}', '\u{200f}', '\u{2066}', '\u{200b}']),
            "{symbol:?}"
        );
        assert!(
            symbol.chars().count() <= 4 && symbol.width() <= 2,
            "{symbol:?}"
        );
    }
    let last = model.height - 1;
    let hints: String = (0..model.width)
        .map(|x| buffer[(x, last)].symbol())
        .collect();
    assert!(
        hints.contains("? help"),
        "the keys stay in their place: {hints:?}"
    );
}

#[test]
fn hostile_words_leave_cells_and_layout_alone() {
    for words in hostile() {
        for keys in [&[][..], &["enter"], &["enter", "e"]] {
            for (width, height) in [(80, 24), (120, 40)] {
                let mut model = model(&poisoned(&words), width, height);
                press(&mut model, keys);
                check(&drawn(&model), &model, &words);
            }
        }
    }
}
