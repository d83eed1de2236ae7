//! The record on the screen.

use rolldeck::actions::record::sending_words;
use rolldeck::app::event::JobId;
use rolldeck::app::update::update;
use rolldeck::app::{Effect, Event, Model};
use rolldeck::domain::release_record::{
    Answered, Became, Checked, Ended, Found, Gathering, Line, Outcome, Page, Sending, Side, Torn,
};
use rolldeck::domain::{ClusterId, Kind, WorkloadId};
use rolldeck::plan::Stamp;

use super::night::{CLUSTER, DAY, HOUR, MINUTE, NAMESPACE, ago, model, night, press};
use super::snapshots::check;

/// `(id, service, verb, versions, seconds ago)`.
fn sent(id: &str, service: &str, verb: &str, (from, to): (&str, &str), age: i64) -> Sending {
    let side = |number, version: &str| Side {
        number,
        name: format!("{service}-{number}"),
        version: version.into(),
    };
    let check = |check: &str, finding: &str, sentence: &str| Checked {
        check: check.into(),
        finding: finding.into(),
        sentence: sentence.into(),
    };
    let workload = WorkloadId {
        cluster: ClusterId::from(CLUSTER),
        namespace: NAMESPACE.into(),
        kind: Kind::Deployment,
        name: service.into(),
    };
    let (uid, at) = (format!("uid-{service}").as_str().into(), ago(age));
    let stamp = Stamp {
        id: id.into(),
        by: "oncall@bastion".into(),
        at,
    };
    let versions = (from.to_owned(), to.to_owned());
    Sending {
        from: side(42, from),
        to: side(41, to),
        server_user: Some("sso:oncall".into()),
        reason: Some("INC-812: carts are lost".into()),
        checks: vec![
            check("permission", "ok", "you may patch deployments in shop"),
            check("unchanged", "ok", "unchanged since you looked"),
            check(
                "config",
                "warn",
                "ConfigMap checkout-cfg changed 3h ago by helm",
            ),
        ],
        steps: vec![format!("replace the pod template of deploy/{service}")],
        ..sending_words(&stamp, (verb, at), (&workload, &uid), versions)
    }
}

fn answered(of: &Sending, outcome: Outcome, sentence: &str) -> Line {
    Line::Answered(Answered {
        id: of.id.clone(),
        at: of.at + jiff::SignedDuration::from_secs(1),
        outcome,
        accepted: 0,
        sentence: sentence.into(),
    })
}

fn ended(of: &Sending, verified: bool, sentence: &str) -> Line {
    Line::Ended(Ended {
        id: of.id.clone(),
        at: of.at + jiff::SignedDuration::from_secs(52),
        workload: of.workload.clone(),
        verified,
        sentence: sentence.into(),
    })
}

fn act(of: Sending, end: impl FnOnce(&Sending) -> Option<Line>) -> Vec<Line> {
    let end = end(&of);
    std::iter::once(Line::Sending(Box::new(of)))
        .chain(end)
        .collect()
}

/// Those that came to an end.
fn ends() -> Vec<Vec<Line>> {
    let verified = "verified: 10/10 pods run 2026.11.3, ready for 30s, 0 restarts, 1m12s in all";
    let superseded = "not verified: superseded by kubectl-set, which set 5.6.0";
    let moved = "Nothing was written: helm moved deploy/search from 4.4.0 to 4.4.1.";
    let same = ("2026.11.3", "2026.11.3");
    vec![
        act(sent("01", "storefront", "restart", same, 20 * DAY), |of| {
            Some(ended(of, true, verified))
        }),
        act(
            sent("02", "billing", "rollback", ("5.5.0", "5.4.0"), 2 * DAY),
            |of| Some(ended(of, false, superseded)),
        ),
        act(
            sent("03", "search", "pause", ("4.4.0", "4.4.0"), 5 * HOUR),
            |of| Some(answered(of, Outcome::Refused, moved)),
        ),
    ]
}

/// Those whose end is not known.
fn open_ends() -> Vec<Vec<Line>> {
    let lost = "the answer was lost (read deployments/auth in shop: no answer within 30s)";
    let left = "its note is on the object; 2 of the 3 pods that it was to delete are still there";
    vec![
        act(
            sent("04", "auth", "rollback", ("7.0.2", "7.0.1"), HOUR),
            |of| Some(answered(of, Outcome::Unknown, lost)),
        ),
        act(
            sent("05", "ledger", "resume", ("2.3.0", "2.3.0"), 30 * MINUTE),
            |of| {
                Some(answered(
                    of,
                    Outcome::Accepted,
                    "the server accepted every step",
                ))
            },
        ),
        act(
            sent(
                "06",
                "inventory",
                "rollback",
                ("0.31.3", "0.31.2"),
                12 * MINUTE,
            ),
            |of| {
                Some(Line::Found(Found {
                    id: of.id.clone(),
                    at: ago(5 * MINUTE),
                    became: Became::Applied,
                    sentence: left.into(),
                }))
            },
        ),
        act(
            sent("07", "mailer", "restart", ("1.1.8", "1.1.8"), 9 * MINUTE),
            |_| None,
        ),
    ]
}

/// One action of each end.
fn page() -> Page {
    let end = "verified: 6/6 pods run 2.14.1 (77c01d), ready for 30s, 0 restarts, 52s in all";
    let back = Sending {
        override_reason: Some("helm owns it, told the owners".into()),
        ..sent(
            "08",
            "checkout",
            "rollback",
            ("2.15.0", "2.14.1"),
            4 * MINUTE,
        )
    };
    let mut lines = [ends(), open_ends()].concat();
    lines.push(act(back, |of| Some(ended(of, true, end))));
    let pause = sent("09", "checkout", "pause", ("2.14.1", "2.14.1"), 3);
    lines.push(act(pause, |_| None));
    let mut gathering = Gathering::default();
    let lines = lines.into_iter().flatten().rev();
    lines.for_each(|line| gathering.take(line));
    let mut page = gathering.end(0);
    page.under_way = vec!["09".into()];
    page
}

fn read(model: &mut Model, effects: &[Effect], page: Page) {
    let job = effects.iter().find_map(|effect| match effect {
        Effect::ReadRecord { job } => Some(*job),
        _ => None,
    });
    let job: JobId = job.expect("a key asks for it");
    let outcome = Ok(page);
    update(model, Event::RecordRead { job, outcome });
}

fn opened(width: u16, height: u16, page: Page, keys: &[&str]) -> Model {
    let mut model = model(&night(), width, height);
    let effects = press(&mut model, &["a"]);
    read(&mut model, &effects, page);
    press(&mut model, keys);
    model
}

#[test]
fn record() {
    check("record", |w, h| opened(w, h, page(), &["j"]));
}

#[test]
fn record_that_is_torn_and_long() {
    check("record_torn", |w, h| {
        let mut page = page();
        page.torn = vec![Torn {
            at: 1_234,
            bytes: 17,
        }];
        page.unread = 50_000_000;
        opened(w, h, page, &["/", "c", "h", "e", "enter"])
    });
}

#[test]
fn record_of_nothing() {
    check("record_empty", |w, h| opened(w, h, Page::default(), &[]));
}

#[test]
fn record_of_one_action() {
    check("record_action", |w, h| {
        opened(w, h, page(), &["j", "enter"])
    });
}

/// Every word of the record, and everything that it names.
pub fn of_words(words: &str, width: u16, height: u16) -> [Model; 2] {
    let mut page = page();
    for action in &mut page.actions {
        let sending = &mut action.sending;
        sending.workload.name = words.into();
        sending.workload.namespace = words.into();
        sending.workload.cluster = ClusterId::from(words);
        for text in [
            &mut sending.verb,
            &mut sending.by,
            &mut sending.from.version,
            &mut sending.to.name,
            &mut sending.checks[2].sentence,
            &mut sending.steps[0],
        ] {
            words.clone_into(text);
        }
        sending.reason = Some(words.into());
        sending.server_user = Some(words.into());
        if let Some(ended) = &mut action.ended {
            words.clone_into(&mut ended.sentence);
        }
    }
    [&["j"][..], &["j", "enter"]].map(|keys| opened(width, height, page.clone(), keys))
}
