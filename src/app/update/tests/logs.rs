//! Logs read together: pods that come and go, how far back, searched and narrowed, in bounded memory.

use super::service::opened;
use super::*;
use crate::app::effect::LogWish;
use crate::app::event::JobId;
use crate::app::logs::{Containers, LogScreen, Span};
use crate::app::model::Search;
use crate::domain::{LogLine, Pod, Run};

pub fn logs(model: &Model) -> &LogScreen {
    let Some(Screen::Logs(screen)) = model.screens.last() else {
        panic!("{:?}", model.screens)
    };
    screen
}

/// All pods of the service that is open, as the cluster lists them.
pub fn pods(model: &mut Model, pods: &[Pod]) -> Vec<Effect> {
    let of_pods = |s: &&SourceId| matches!(s.feed, Feed::PodsOf { .. });
    let source = model.watched.iter().find(of_pods).unwrap().clone();
    let item = |pod: &Pod| Item::Pod(Box::new(pod.clone()));
    let change = Change::Reset(source.clone(), pods.iter().map(item).collect());
    news(model, source, vec![Update::Change(change)])
}

pub fn pod(hash: &str, suffix: &str) -> Pod {
    fixture::pod(Kind::Deployment, hash, suffix)
}

/// The logs of two old pods, with three hundred lines.
pub fn reading() -> Model {
    let mut model = opened();
    pods(&mut model, &[pod("old", "a"), pod("old", "b")]);
    keys(&mut model, "l");
    lines(&mut model, (0..300).map(|n| n.to_string()));
    model
}

fn lines(model: &mut Model, texts: impl IntoIterator<Item = String>) {
    let line = |text: String| LogLine {
        stream: 0,
        at: None,
        text: text.into(),
        note: false,
    };
    let news = LogNews::Lines {
        lines: texts.into_iter().map(line).collect(),
        unseen: 0,
    };
    let job = logs(model).job;
    update(model, Event::Logged { job, news });
}

fn wishes(effects: &[Effect]) -> Vec<(JobId, LogWish)> {
    let wish = |effect: &Effect| match effect {
        Effect::StreamLogs { job, wish } => Some((*job, wish.clone())),
        _ => None,
    };
    effects.iter().filter_map(wish).collect()
}

/// The only wish, as `pod restarts runs`.
fn wished(effects: &[Effect]) -> Vec<String> {
    let wishes = wishes(effects);
    let [(_, wish)] = wishes.as_slice() else {
        panic!("{effects:?}")
    };
    let words = |s: &crate::app::effect::LogStream| format!("{} {} {}", s.pod, s.restarts, s.runs);
    wish.streams.iter().map(words).collect()
}

fn notes(model: &Model) -> Vec<&str> {
    let notes = logs(model).kept.lines().filter(|line| line.note);
    notes.map(|line| &*line.text).collect()
}

#[test]
fn what_is_read_follows_the_pods() {
    let mut model = opened();
    let effects = keys(&mut model, "l");
    assert!(wishes(&effects).is_empty(), "no pod is known");
    let effects = pods(&mut model, &[pod("old", "a"), pod("old", "b")]);
    assert_eq!(
        wished(&effects),
        ["checkout-old-a 0 true", "checkout-old-b 0 true"]
    );
    assert!(notes(&model).is_empty(), "what was there is no news");
    lines(&mut model, ["one".to_owned()]);

    let mut restarted = pod("old", "a");
    restarted.containers[0].restarts = 1;
    restarted.containers[0].last = Some(Box::new(fixture::ended("OOMKilled", 137, "")));
    let mut starting = pod("new", "c");
    starting.containers[0].run = fixture::waiting("ContainerCreating", "");
    let effects = pods(&mut model, &[restarted.clone(), starting.clone()]);
    assert_eq!(wished(&effects), ["checkout-old-a 1 true"]);
    let said = [
        "checkout-old-b is gone",
        "checkout-old-a was restarted: OOMKilled (exit 137)",
    ];
    assert_eq!(notes(&model), said);
    assert_eq!(logs(&model).sources.silent, 1);

    starting.containers[0].run = Run::Running { since: None };
    let effects = pods(&mut model, &[restarted.clone(), starting.clone()]);
    assert_eq!(
        wished(&effects),
        ["checkout-old-a 1 true", "checkout-new-c 0 true"]
    );
    assert_eq!(notes(&model)[2], "checkout-new-c is new");
    let screen = logs(&model);
    let sources = screen.sources.iter();
    let words: Vec<_> = sources
        .map(|(_, s)| screen.sources.revision_word(s))
        .collect();
    assert_eq!(words, [Some("old"), Some("old"), Some("new")]);
    assert!(
        pods(&mut model, &[restarted, starting]).is_empty(),
        "nothing new"
    );
    let job = logs(&model).job;
    assert!(keys(&mut model, "q").contains(&Effect::Cancel { job }));
}

#[test]
fn one_pod_alone_each_container_and_the_run_before() {
    let mut model = opened();
    let (mut first, mut second) = (pod("new", "a"), pod("new", "b"));
    let mut mesh = first.containers[0].clone();
    mesh.name = "mesh".into();
    first.containers = [first.containers[0].clone(), mesh].into();
    second.containers[0].restarts = 2;
    pods(&mut model, &[first, second]);
    let mut choices = Vec::new();
    for keyed in ["l", "\t", "\t", "\t", "p"] {
        let effects = keys(&mut model, keyed);
        choices.push(wished(&effects).len());
    }
    assert_eq!(
        choices,
        [2, 1, 1, 2, 1],
        "all, each alone, all, one of the run before"
    );
    assert!(logs(&model).choice.previous);
    keys(&mut model, "p");
    for (containers, streams) in [
        (Containers::One("mesh".into()), 1),
        (Containers::One("web".into()), 2),
        (Containers::All, 3),
        (Containers::Main, 2),
    ] {
        let effects =
            super::super::logs::act(&mut model, crate::app::intent::Intent::NextContainer);
        assert_eq!(wished(&effects).len(), streams, "{containers:?}");
        assert_eq!(logs(&model).choice.containers, containers);
    }
    keys(&mut model, "q\tl");
    assert_eq!(
        logs(&model).choice.pod.as_deref(),
        Some("checkout-new-a"),
        "the marked pod"
    );
}

#[test]
fn how_far_back_is_asked_for_anew_and_bounded() {
    let mut model = reading();
    for (keyed, span, tail, since) in [
        ("3", Span::Seconds(300), 50_000, Some(300)),
        ("1", Span::Kept, 50_000, None),
        (":since 1h30m\n", Span::Seconds(5_400), 50_000, Some(5_400)),
        ("0", Span::Tail, 2_000, None),
    ] {
        let before = logs(&model).job;
        let effects = keys(&mut model, keyed);
        assert!(effects.contains(&Effect::Cancel { job: before }));
        let (job, wish) = wishes(&effects).remove(0);
        assert_eq!((wish.tail, wish.since), (tail, since), "{keyed}");
        assert_eq!((logs(&model).span, logs(&model).job), (span, job));
        assert_eq!(logs(&model).kept.total(), 0);
    }
    keys(&mut model, ":since soon\n");
    assert!(model.notice.unwrap().text.contains("soon is no duration"));
}

#[test]
fn a_search_goes_to_the_newest_place_and_from_there_both_ways() {
    let mut model = reading();
    let line = |i: usize| match i % 100 {
        50 => format!("{i} ERROR"),
        _ => i.to_string(),
    };
    let job = logs(&model).job;
    lines(&mut model, (300..600).map(line));
    for (keyed, at) in [
        ("/error\n", Some(550)),
        ("N", Some(450)),
        ("N", Some(350)),
        ("N", Some(350)),
        ("n", Some(450)),
        ("/q\x1b", Some(450)),
        ("f", None),
    ] {
        keys(&mut model, keyed);
        assert_eq!(logs(&model).at, at, "{keyed:?}");
    }
    assert!(logs(&model).search == Search::default());
    let news = LogNews::Ended {
        why: Some("gone".into()),
    };
    update(&mut model, Event::Logged { job, news });
    assert_eq!(logs(&model).ended, Some(Some("gone".into())));
}

#[test]
fn only_lines_that_fit_also_those_that_come() {
    let mut model = reading();
    keys(&mut model, "&99\n");
    assert_eq!(logs(&model).kept.len(), 3);
    lines(&mut model, ["999".to_owned(), "1".to_owned()]);
    assert_eq!(logs(&model).kept.len(), 4);
    keys(&mut model, "/299\n");
    assert_eq!(logs(&model).at, Some(299), "a search among them");
    let copied = keys(&mut model, "c");
    assert_eq!(
        copied,
        [Effect::Copy {
            text: "a  99\na  199\na  299\na  999".into()
        }]
    );
    keys(&mut model, "3");
    lines(&mut model, ["12".to_owned(), "1".to_owned()]);
    assert_eq!(
        logs(&model).kept.len(),
        0,
        "the choice stays: {:?}",
        logs(&model).only
    );
    keys(&mut model, "&\x1b");
    assert_eq!(logs(&model).kept.len(), 2);
}

#[test]
fn memory_is_bounded_and_what_one_reads_stays() {
    let mut model = reading();
    keys(&mut model, "/299\n");
    let long = "x".repeat(100_000);
    for _ in 0..20 {
        lines(&mut model, (0..20).map(|_| long.clone()));
    }
    let kept = &logs(&model).kept;
    assert!(
        kept.dropped > 300 && kept.total() < 200,
        "{} {}",
        kept.dropped,
        kept.total()
    );
    assert_eq!(logs(&model).at, Some(299));
    assert_eq!(
        kept.place(299),
        0,
        "what one read is gone: the oldest that is left"
    );
    let news = LogNews::Lines {
        lines: Vec::new(),
        unseen: 7,
    };
    let job = logs(&model).job;
    update(&mut model, Event::Logged { job, news });
    assert_eq!(logs(&model).kept.unseen, 7);
}
