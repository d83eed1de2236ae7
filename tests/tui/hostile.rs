//! Words that attack the terminal or the layout, in every field that comes from outside.

use ratatui::buffer::Buffer;
use rolldeck::app::event::{Document, LogNews};
use rolldeck::app::model::Stage;
use rolldeck::app::update::update;
use rolldeck::app::{Effect, Event, Model};
use rolldeck::domain::{Failure, FailureKind};
use rolldeck::plan::{CheckId, Finding, Follow};
use unicode_width::UnicodeWidthStr;

use super::cells::drawn;
use super::night::{Service, log_lines, model, night, press};
use super::plans::{asked, says, with_follow, with_plan};

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

fn check(buffer: &Buffer, model: &Model, words: &str, hint: &str) {
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
        hints.contains(hint),
        "the keys stay in their place: {hints:?}"
    );
}

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// With our own signs and with ASCII alone.
fn check_both(model: &mut Model, words: &str, hint: &str) {
    for ascii in [false, true] {
        model.settings.display.ascii = ascii;
        check(&drawn(model), model, words, hint);
    }
}

#[test]
fn hostile_words_leave_cells_and_layout_alone() {
    for words in hostile() {
        for keys in [&[][..], &["enter"], &["enter", "e"], &["y"]] {
            for (width, height) in SIZES {
                let mut model = model(&poisoned(&words), width, height);
                let effects = press(&mut model, keys);
                answer_yaml(&mut model, &effects, &words);
                check_both(&mut model, &words, "? help");
            }
        }
    }
}

fn answer_yaml(model: &mut Model, effects: &[Effect], words: &str) {
    for effect in effects {
        if let Effect::FetchYaml { job, .. } = effect {
            let outcome = Ok(Document {
                lines: vec![words.to_owned(); 3],
                read_at: super::night::now(),
            });
            update(model, Event::Fetched { job: *job, outcome });
        }
    }
}

#[test]
fn hostile_logs_leave_cells_and_layout_alone() {
    for words in hostile() {
        for (width, height) in SIZES {
            let mut model = model(&night(), width, height);
            for effect in press(&mut model, &["enter", "l", "t"]) {
                if let Effect::StreamLogs { job, .. } = effect {
                    let news = LogNews::Lines {
                        lines: log_lines(7, |_| words.clone()),
                        unseen: 1,
                    };
                    update(&mut model, Event::Logged { job, news });
                }
            }
            check_both(&mut model, &words, "? help");
        }
    }
}

#[test]
fn a_hostile_record_leaves_cells_and_layout_alone() {
    for words in hostile() {
        for (width, height) in SIZES {
            for mut model in super::record::of_words(&words, width, height) {
                check_both(&mut model, &words, "? help");
            }
        }
    }
}

#[test]
fn hostile_plans_headers_and_notes_leave_cells_and_layout_alone() {
    for words in hostile() {
        for (width, height) in SIZES {
            let refused = Failure::new(FailureKind::Refused, words.clone()).hint(words.clone());
            let mut plan = with_plan(width, height, |mut plan, shown| {
                plan.rule.clone_from(&words);
                plan.kubectl.clone_from(&words);
                plan.meanwhile.clone_from(&words);
                plan.from.version.clone_from(&words);
                plan.workload.name = words.as_str().into();
                shown.workload.namespace = words.as_str().into();
                plan.differences[0].text.clone_from(&words);
                plan.differences[1].what.clone_from(&words);
                let block = says(CheckId::DryRun, Finding::Block, &words);
                shown.stage = asked(plan, vec![block]);
                shown.moved = Some(words.clone());
                shown.said = Some(words.clone());
            });
            check_both(&mut plan, &words, "esc back");
            let mut model = with_plan(width, height, |_, shown| {
                shown.stage = Stage::Refused { failure: refused };
            });
            check_both(&mut model, &words, "esc back");
            let mut model = with_follow(width, height, Follow::Failed(words.clone()));
            model.follows[0].goal.by.clone_from(&words);
            model.follows[0].goal.from_version.clone_from(&words);
            model.clusters[0].id = words.as_str().into();
            model.clusters[0].scope.namespaces = vec![words.as_str().into()];
            model.clusters[0].scope.note = Some(words.clone());
            check_both(&mut model, &words, "? help");
        }
    }
}
