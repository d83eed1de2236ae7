//! What is appended comes back, whatever was cut off, and nothing is written that has no place.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::domain::release_record::{Action, Became, Found, Stands};
use crate::plan::verbs::rollback::sample;

fn at() -> Timestamp {
    sample::AT.parse().unwrap()
}

fn sent(id: &str) -> Line {
    let answers = Answers {
        reason: Some("2.15.0 loses\ncarts".into()),
        override_reason: Some("INC-812".into()),
        ..Answers::default()
    };
    let mut line = sending(&sample::plan(), &answers, &[], Some("oncall"), at());
    line.id = id.into();
    Line::Sending(Box::new(line))
}

fn answered(id: &str) -> Line {
    Line::Answered(Answered {
        id: id.into(),
        at: at(),
        outcome: Outcome::Accepted,
        accepted: 1,
        sentence: "line\nbreak".into(),
    })
}

fn found(id: &str, sentence: &str) -> Line {
    Line::Found(Found {
        id: id.into(),
        at: at(),
        became: Became::Applied,
        sentence: sentence.into(),
    })
}

fn ended(id: &str, sentence: &str) -> Line {
    Line::Ended(Ended {
        id: id.into(),
        at: at(),
        workload: sample::plan().workload,
        verified: true,
        sentence: sentence.into(),
    })
}

fn whole(path: &Path) -> Page {
    read(path, Limit::NONE).unwrap()
}

fn ids(page: &Page) -> Vec<&str> {
    page.actions.iter().map(|a| &*a.sending.id).collect()
}

#[tokio::test]
async fn what_was_confirmed_and_never_begun_is_an_action_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(folder.path());
    let sending = sending(&sample::plan(), &Answers::default(), &[], None, at());
    let why = "not begun, because cart failed".to_owned();
    let line = Line::NotBegun(Box::new(NotBegun {
        sending: sending.clone(),
        why,
    }));
    assert!(recorder.append(line).await.unwrap());
    let page = whole(recorder.path());
    let [action] = &page.actions[..] else {
        panic!("{page:?}");
    };
    assert_eq!(
        (&action.sending, action.stands()),
        (&sending, Stands::NotBegun)
    );
    assert_eq!(action.sentence(), Some("not begun, because cart failed"));
    assert!(page.torn.is_empty() && page.orphans == 0);
    let undone = plan::inverse::inverse(action).unwrap_err();
    assert!(undone.sentence.starts_with("There is nothing to undo"));
}

#[tokio::test]
async fn lines_come_back_as_one_action() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(&folder.path().join("new/rolldeck"));
    for line in [sent("a"), answered("a"), ended("a", "verified")] {
        assert!(recorder.append(line).await.unwrap());
    }
    let page = whole(recorder.path());
    let [action] = &page.actions[..] else {
        panic!("{page:?}");
    };
    assert_eq!(Line::Sending(Box::new(action.sending.clone())), sent("a"));
    assert_eq!(action.stands(), Stands::Verified);
    assert_eq!(action.sentence(), Some("verified"));
    assert_eq!(action.who(), "oncall@bastion (oncall)");
    assert_eq!((page.torn.len(), page.orphans, page.unread), (0, 0, 0));
    let mode = std::fs::metadata(recorder.path()).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

/// As it was written before there were templates and deletions in it.
#[test]
fn an_older_record_is_read() {
    let Line::Sending(line) = sent("a") else {
        unreachable!()
    };
    let mut value = serde_json::to_value(Line::Sending(line)).unwrap();
    let fields = value.as_object_mut().unwrap();
    assert!(fields.remove("template").is_some() && fields.remove("generation").is_some());
    let line: Line = serde_json::from_value(value).unwrap();
    let Line::Sending(line) = line else {
        panic!("{line:?}");
    };
    assert_eq!((line.template, line.deletes.len()), (None, 0));
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_line_costs_that_line_only() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(folder.path());
    recorder.append(sent("a")).await.unwrap();
    let one = std::fs::read(recorder.path()).unwrap();
    for cut in 1..one.len() {
        std::fs::write(recorder.path(), [&one, &one[..cut]].concat()).unwrap();
        recorder.append(sent("b")).await.unwrap();
        let page = whole(recorder.path());
        // Without its line's end alone it is whole.
        let cut_off = usize::from(cut + 1 < one.len());
        assert_eq!(page.torn.len(), cut_off, "cut at {cut}");
        for torn in &page.torn {
            assert_eq!((torn.at, torn.bytes), (one.len() as u64, cut));
        }
        assert_eq!((ids(&page)[0], ids(&page).last()), ("b", Some(&"a")));
    }
}

#[tokio::test]
async fn many_writers_mix_no_lines() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(folder.path());
    let writers = (0..20).map(|n| {
        let recorder = recorder.clone();
        async move { recorder.append(sent(&n.to_string())).await.unwrap() }
    });
    futures::future::join_all(writers).await;
    let page = whole(recorder.path());
    assert_eq!((page.actions.len(), page.torn.len()), (20, 0));
}

#[tokio::test]
async fn an_end_is_written_once_and_only_where_the_action_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (Recorder::new(folder.path()), Recorder::new(folder.path()));
    assert!(!here.append(ended("a", "before it was sent")).await.unwrap());
    here.append(sent("a")).await.unwrap();
    let both = futures::join!(
        here.append(ended("a", "one")),
        there.append(ended("a", "one"))
    );
    assert!(both.0.unwrap() != both.1.unwrap(), "one of the two");
    assert!(!there.append(ended("a", "late")).await.unwrap());
    let page = whole(here.path());
    assert_eq!(page.actions[0].sentence(), Some("one"));
    assert_eq!(page.orphans, 0);
}

#[tokio::test]
async fn what_was_found_is_written_once_and_never_against_the_sender() {
    let folder = tempfile::tempdir().unwrap();
    let recorders: Vec<_> = (0..8).map(|_| Recorder::new(folder.path())).collect();
    assert!(!recorders[0].append(found("a", "early")).await.unwrap());
    for id in ["a", "b", "c"] {
        recorders[0].append(sent(id)).await.unwrap();
    }
    let looks = recorders.iter().map(|r| r.append(found("a", "applied")));
    let written = futures::future::join_all(looks).await;
    assert_eq!(written.into_iter().filter(|w| *w == Ok(true)).count(), 1);
    recorders[0].append(answered("b")).await.unwrap();
    assert!(!recorders[1].append(found("b", "late")).await.unwrap());
    // The sender that was only slow is heard, and the end comes after what was found.
    assert!(recorders[0].append(answered("a")).await.unwrap());
    assert!(recorders[0].append(ended("a", "verified")).await.unwrap());
    let page = whole(recorders[0].path());
    assert_eq!(ids(&page), ["c", "b", "a"]);
    let stands: Vec<_> = page.actions.iter().map(Action::stands).collect();
    assert_eq!(stands, [Stands::Sent, Stands::Accepted, Stands::Verified]);
    assert!(page.actions[2].found.is_some());
}

#[tokio::test]
async fn a_long_record_is_read_from_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(folder.path());
    let mut text = String::new();
    let lines = [sent("n?"), answered("n?")].map(|line| serde_json::to_string(&line).unwrap());
    for n in 0..50_000 {
        for line in &lines {
            text += &line.replace("n?", &format!("n{n}"));
            text.push('\n');
        }
    }
    std::fs::write(recorder.path(), &text).unwrap();
    let limit = Limit {
        actions: 1_000,
        bytes: 4 << 20,
        since: None,
    };
    let page = recorder.read(limit).await.unwrap();
    assert_eq!(page.actions.len(), 1_000);
    assert_eq!(page.actions[0].sending.id, "n49999");
    assert!(page.actions.iter().all(|a| a.answered.is_some()));
    assert!(page.unread > text.len() as u64 * 9 / 10, "{}", page.unread);
    assert_eq!(page.orphans, 0, "what lies before is no orphan");
    let few = Limit {
        bytes: 10_000,
        ..Limit::NONE
    };
    assert!(recorder.read(few).await.unwrap().actions.len() < 20);
}

#[test]
fn older_actions_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let mut text = String::new();
    for (n, id) in ["a", "b", "c"].into_iter().enumerate() {
        let Line::Sending(mut line) = sent(id) else {
            unreachable!()
        };
        line.at = at() + jiff::SignedDuration::from_hours(i64::try_from(n).unwrap());
        text += &serde_json::to_string(&Line::Sending(line)).unwrap();
        text.push('\n');
    }
    std::fs::write(&path, &text).unwrap();
    let since = Some(at() + jiff::SignedDuration::from_mins(30));
    let page = read(
        &path,
        Limit {
            since,
            ..Limit::NONE
        },
    )
    .unwrap();
    assert_eq!(ids(&page), ["c", "b"]);
    assert_eq!(page.unread, text.len() as u64 / 3 - 1);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let recorder = Recorder::new(&file.join("x"));
    for failure in [
        recorder.append(sent("a")).await.unwrap_err(),
        recorder.begin("a").await.unwrap_err(),
    ] {
        assert!(failure.sentence.starts_with("The release record "));
    }
    assert!(whole(&folder.path().join("none")).actions.is_empty());
}

proptest! {
    /// Whatever is cut off or spoiled, every line that is whole is there, and every piece that is none is told.
    #[test]
    fn a_record_cut_anywhere_keeps_its_whole_lines(
        count in 1_usize..6,
        from in 0.0_f64..1.0,
        to in 0.0_f64..1.0,
        spoiled in proptest::option::of((0.0_f64..1.0, any::<u8>())),
    ) {
        let mut bytes = Vec::new();
        for n in 0..count {
            for line in [sent(&n.to_string()), answered(&n.to_string())] {
                bytes.extend(serde_json::to_vec(&line).unwrap());
                bytes.push(b'\n');
            }
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let place = |share: f64| (bytes.len() as f64 * share) as usize;
        let (from, to) = (place(from.min(to)), place(from.max(to)));
        let spoiled = spoiled.map(|(at, byte)| (place(at), byte));
        if let Some((at, byte)) = spoiled {
            bytes[at] = byte;
        }
        let kept = &bytes[from..to];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, kept).unwrap();
        let page = whole(&path);
        let pieces = kept.split(|byte| *byte == b'\n').filter(|piece| !piece.is_empty());
        let (good, bad): (Vec<_>, Vec<_>) =
            pieces.partition(|piece| serde_json::from_slice::<Line>(piece).is_ok());
        let told = page.actions.iter().map(|a| 1 + usize::from(a.answered.is_some()));
        prop_assert_eq!(told.sum::<usize>() + page.orphans, good.len());
        let mut torn: Vec<_> = page.torn.iter().collect();
        torn.sort_by_key(|torn| torn.at);
        let places = torn.iter().map(|torn| {
            let at = usize::try_from(torn.at).unwrap();
            &kept[at..at + torn.bytes]
        });
        prop_assert_eq!(places.collect::<Vec<_>>(), bad);
    }
}
