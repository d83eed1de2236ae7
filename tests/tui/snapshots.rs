//! Every screen as a person sees it.

use std::fmt::Write as _;

use jiff::Timestamp;
use rolldeck::app::event::{Diagnosis, Document, LogNews};
use rolldeck::app::field::Field;
use rolldeck::app::model::{Armed, Following, Overlay, PlanBox, ReasonField, Row, Stage};
use rolldeck::app::update::update;
use rolldeck::app::{Effect, Event, Model};
use rolldeck::domain::{Connection, Failure, FailureKind, Health, Update};
use rolldeck::plan::check::CheckState;
use rolldeck::plan::{
    Ask, Check, CheckId, Difference, Finding, Follow, Goal, Milestone, ObjectRef, Offer, OfferId,
    Plan, Request, Side, Stamp, Step, Target, Verb, Verdict,
};

use super::cells::{drawn, styles, text};
use super::night::{feed, fresh, model, night, now, press};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// The text at three sizes, then the styles at 80x24, with colour and without; the text may not differ between them.
fn check(name: &str, make: impl Fn(u16, u16) -> Model) {
    let mut shown = String::new();
    for (width, height) in SIZES {
        let buffer = drawn(&make(width, height));
        writeln!(shown, "== {width}x{height}\n{}", text(&buffer).trim_end()).unwrap();
    }
    let mut model = make(80, 24);
    let with_color = drawn(&model);
    model.settings.display.color = false;
    let without = drawn(&model);
    assert_eq!(
        text(&with_color),
        text(&without),
        "colour never carries words"
    );
    write!(
        shown,
        "== styles\n{}== styles, NO_COLOR\n{}",
        styles(&with_color),
        styles(&without)
    )
    .unwrap();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, shown);
    });
}

#[test]
fn board() {
    check("board", |w, h| model(&night(), w, h));
}

#[test]
fn board_in_ascii() {
    let mut model = model(&night(), 80, 24);
    model.settings.display.ascii = true;
    let shown = text(&drawn(&model));
    assert!(shown.is_ascii(), "{shown}");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("board_ascii", shown);
    });
}

#[test]
fn board_without_answer() {
    check("board_no_answer", |w, h| {
        let mut model = model(&night(), w, h);
        let since = super::night::ago(48);
        let next = super::night::ago(-4);
        let sources: Vec<_> = model.sources.keys().cloned().collect();
        for source in sources {
            let health = Health::Retrying {
                since,
                why: "connection reset".into(),
                next,
            };
            feed(&mut model, source, vec![Update::Health(health)]);
        }
        for state in model.sources.values_mut() {
            state.contact = Some(since);
        }
        rolldeck::app::settle(&mut model);
        model
    });
}

#[test]
fn nothing_reachable() {
    check("nothing", |w, h| {
        let mut model = fresh(w, h);
        let failure = Failure::new(
            FailureKind::Config,
            "no kubeconfig: ~/.kube/config is not there, and this is not a pod",
        )
        .hint("give one with --kubeconfig FILE or KUBECONFIG=FILE");
        let state = Connection::Failed {
            failure,
            since: now(),
            next: super::night::ago(-5),
        };
        let cluster = model.cluster.clone();
        update(&mut model, Event::Connection { cluster, state });
        model
    });
}

#[test]
fn connecting() {
    check("connecting", |w, h| {
        let mut model = fresh(w, h);
        let doing = "running the credential plugin aws".to_owned();
        let state = Connection::Connecting {
            doing,
            since: super::night::ago(3),
        };
        let cluster = model.cluster.clone();
        update(&mut model, Event::Connection { cluster, state });
        model
    });
}

#[test]
fn service() {
    check("service", |w, h| with_keys(w, h, &["enter", "j"]));
}

#[test]
fn help() {
    check("help", |w, h| with_keys(w, h, &["?"]));
}

#[test]
fn palette() {
    check("palette", |w, h| with_keys(w, h, &[":", "r"]));
}

#[test]
fn namespaces() {
    check("namespaces", |w, h| {
        with_keys(w, h, &[":", "n", "s", "enter"])
    });
}

#[test]
fn events() {
    check("events", |w, h| with_keys(w, h, &["e"]));
}

#[test]
fn logs() {
    check("logs", |w, h| {
        let mut model = model(&night(), w, h);
        let effects = press(&mut model, &["enter", "l"]);
        let job = effects
            .iter()
            .find_map(|effect| {
                if let Effect::StreamLogs { job, .. } = effect {
                    Some(*job)
                } else {
                    None
                }
            })
            .expect("l asks for logs");
        let lines = (1..=60).map(|n| format!("03:04:{n:02} GET /checkout 500 upstream refused"));
        let lines = LogNews::Lines(lines.collect());
        update(&mut model, Event::Logged { job, news: lines });
        let why = Some("the container stopped".to_owned());
        update(
            &mut model,
            Event::Logged {
                job,
                news: LogNews::Ended { why },
            },
        );
        press(&mut model, &["/", "5", "0", "0", "enter"]);
        model
    });
}

#[test]
fn doctor() {
    check("doctor", |w, h| {
        let mut model = model(&night(), w, h);
        let effects = press(&mut model, &[":", "d", "o", "c", "t", "o", "r", "enter"]);
        let job = effects
            .iter()
            .find_map(|effect| {
                if let Effect::Diagnose { job, .. } = effect {
                    Some(*job)
                } else {
                    None
                }
            })
            .expect("doctor asks");
        for (finding, about, sentence, hint) in [
            (
                Finding::Ok,
                "connection",
                "https://10.0.0.1:6443 answers in 12 ms, v1.36.3",
                None,
            ),
            (
                Finding::Warn,
                "events",
                "no rights to list events in shop",
                Some("reasons come from conditions alone; ask for list and watch of events"),
            ),
            (
                Finding::Block,
                "clock",
                "the server's clock is 42s ahead",
                None,
            ),
        ] {
            let finding = Diagnosis {
                finding,
                about: about.into(),
                sentence: sentence.into(),
                hint: hint.map(str::to_owned),
                last: about == "clock",
            };
            update(&mut model, Event::Diagnosed { job, finding });
        }
        model
    });
}

/// The plan that takes checkout back, as the verb would make it.
fn back_plan(model: &Model) -> Plan {
    let row = &model.board.rows[0];
    let workload = model.fleet.workload(&row.id).unwrap();
    let revisions = model.fleet.revisions(workload);
    let side = |index: usize, version: &str, digest: Option<&str>| Side {
        revision: revisions[index].number,
        name: revisions[index].name.clone(),
        version: version.into(),
        short_digest: digest.map(str::to_owned),
        template: revisions[index].template,
    };
    let stamp = Stamp {
        id: "r1".into(),
        by: "oncall@bastion".into(),
        at: now(),
    };
    Plan {
        request: Request {
            verb: Verb::Rollback,
            workload: row.id.clone(),
            uid: row.uid.clone(),
            shown: workload.template,
            target: Target::Proposed,
        },
        stamp,
        workload: row.id.clone(),
        uid: row.uid.clone(),
        phase: row.standing.phase,
        level: model.level(&row.id),
        from: side(0, "2.15.0", None),
        to: side(1, "2.14.1", Some("77c01d")),
        rule: "most of its pods serve".into(),
        differences: vec![
            Difference {
                what: "image".into(),
                text: "registry.example/shop/checkout  2.15.0 → 2.14.1".into(),
            },
            Difference {
                what: "env".into(),
                text: "-PAYMENT_URL +LEGACY_PAY".into(),
            },
        ],
        checks: back_checks(),
        steps: vec![step(row, "replace the pod template")],
        offers: Vec::new(),
        goal: goal(model, now()),
        meanwhile: "5 of 6 keep serving".into(),
        kubectl: "kubectl -n shop rollout undo deploy/checkout --to-revision=38".into(),
        read_at: now(),
    }
}

fn step(row: &Row, what: &str) -> Step {
    Step::JsonPatch {
        object: ObjectRef {
            cluster: row.id.cluster.clone(),
            namespace: row.id.namespace.clone(),
            api: "apps/v1",
            resource: "deployments",
            name: row.id.name.clone(),
        },
        body: rolldeck::domain::Verbatim("[]".into()),
        what: what.into(),
    }
}

/// Two are still asked.
fn back_checks() -> Vec<Check> {
    let told = |check, finding, sentence: &str| Check {
        id: check,
        state: CheckState::Answered(says(check, finding, sentence)),
    };
    vec![
        Check {
            id: CheckId::Permission,
            state: CheckState::Asking(Ask::Permission),
        },
        told(
            CheckId::Unchanged,
            Finding::Ok,
            "unchanged since you looked",
        ),
        Check {
            id: CheckId::DryRun,
            state: CheckState::Asking(Ask::DryRun),
        },
        told(
            CheckId::Differs,
            Finding::Ok,
            "the target differs in more than its hash",
        ),
        told(
            CheckId::Owner,
            Finding::Warn,
            "helm release checkout owns the template: its next upgrade brings 2.15.0 back",
        ),
        told(
            CheckId::Config,
            Finding::Unverified,
            "Secret pay-key: no rights to read it",
        ),
    ]
}

fn goal(model: &Model, accepted: Timestamp) -> Goal {
    let row = &model.board.rows[0];
    let workload = model.fleet.workload(&row.id).unwrap();
    let to = &model.fleet.revisions(workload)[1];
    Goal {
        generation: 8,
        id: "r1".into(),
        workload: row.id.clone(),
        uid: row.uid.clone(),
        from_version: "2.15.0".into(),
        to_version: "2.14.1".into(),
        to: rolldeck::domain::template::canonical_hash("{}").unwrap(),
        revision_name: to.name.clone(),
        containers: to.containers.clone(),
        accepted,
        by: "oncall@bastion".into(),
        ready_for: 30,
    }
}

/// The model with this plan's box in some state over the board.
pub fn with_plan(width: u16, height: u16, make: impl FnOnce(Box<Plan>, &mut PlanBox)) -> Model {
    let mut model = with_keys(width, height, &["R"]);
    model.arming = Some(Armed {
        until: super::night::ago(-600),
    });
    let plan = Box::new(back_plan(&model));
    let Some(Overlay::Plan(shown)) = &mut model.overlay else {
        panic!("R opens a plan");
    };
    make(plan, shown);
    model
}

pub fn says(check: CheckId, finding: Finding, sentence: &str) -> Verdict {
    Verdict {
        check,
        finding,
        sentence: sentence.into(),
    }
}

fn may() -> Verdict {
    let sentence = "you may patch deployments in shop";
    says(CheckId::Permission, Finding::Ok, sentence)
}

fn accepted() -> Verdict {
    let sentence = "the server accepts the patch (dry run)";
    says(CheckId::DryRun, Finding::Ok, sentence)
}

pub fn asked(plan: Box<Plan>, verdicts: Vec<Verdict>) -> Stage {
    Stage::Shown {
        plan,
        verdicts,
        asked: now(),
    }
}

#[test]
fn plan() {
    check("plan", |w, h| {
        let mut model = with_plan(w, h, |plan, shown| shown.stage = asked(plan, vec![may()]));
        model.arming = None;
        model
    });
}

#[test]
fn plan_with_a_block_and_the_reason_against_it() {
    check("plan_block", |w, h| {
        with_plan(w, h, |plan, shown| {
            let sentence = "admission webhook \"quota\" denied the request: no more than 4 pods";
            let block = says(CheckId::DryRun, Finding::Block, sentence);
            shown.stage = asked(plan, vec![may(), block]);
            shown.reason = Some(ReasonField {
                field: Field(tui_input::Input::new(
                    "INC-812, quota is being raised".into(),
                )),
                overrides: true,
            });
        })
    });
}

#[test]
fn plan_with_the_name_being_typed() {
    check("plan_name", |w, h| {
        with_plan(w, h, |plan, shown| {
            shown.stage = asked(plan, vec![may(), accepted()]);
            shown.name = Some(Field(tui_input::Input::new("chec".into())));
        })
    });
}

#[test]
fn plan_refused() {
    check("plan_refused", |w, h| {
        with_plan(w, h, |_, shown| {
            let failure = Failure::new(
                FailureKind::Refused,
                "deploy/checkout has only one revision, so there is nothing to roll back to.",
            );
            shown.stage = Stage::Refused {
                failure: failure.hint("kubectl -n shop set image deploy/checkout … goes forward"),
            };
        })
    });
}

#[test]
fn plan_being_sent() {
    check("plan_executing", |w, h| {
        with_plan(w, h, |plan, shown| {
            shown.stage = Stage::Executing {
                plan,
                verdicts: vec![may(), accepted()],
                step: 0,
            };
        })
    });
}

#[test]
fn plan_without_an_answer() {
    check("plan_unknown", |w, h| {
        with_plan(w, h, |plan, shown| {
            shown.stage = Stage::Unknown {
                plan,
                why: "the connection was lost after the patch was sent".into(),
            };
        })
    });
}

/// A paused workload, most of it answered, and more differences than any of the screens has lines.
fn tall_plan(width: u16, height: u16, offset: usize) -> Model {
    with_plan(width, height, |mut plan, shown| {
        for n in 1..=60 {
            plan.differences.push(Difference {
                what: "env".into(),
                text: format!("+FLAG_{n}"),
            });
        }
        plan.checks.push(Check {
            id: CheckId::Paused,
            state: CheckState::Answered(says(
                CheckId::Paused,
                Finding::Warn,
                "it is paused: the write works, but nothing moves until resumed",
            )),
        });
        plan.offers.push(Offer {
            id: OfferId::Resume,
            key: 'u',
            text: "resume it as well, so that it moves".into(),
            step: plan.steps[0].clone(),
            taken: true,
        });
        shown.stage = asked(plan, vec![may(), accepted()]);
        shown.moved = Some("somebody set 2.15.0 8s ago".into());
        shown.offset = offset;
    })
}

#[test]
fn plan_taller_than_the_screen_is_folded() {
    check("plan_tall", |w, h| tall_plan(w, h, 0));
}

#[test]
fn plan_taller_than_the_screen_scrolls() {
    check("plan_scrolled", |w, h| tall_plan(w, h, 58));
}

/// What decides stands on the smallest screen without a key, while checks are asked and once they have answered.
#[test]
fn nothing_that_decides_is_below_the_fold() {
    for verdicts in [vec![], vec![may(), accepted()]] {
        let mut model = tall_plan(80, 24, 0);
        let Some(Overlay::Plan(shown)) = &mut model.overlay else {
            panic!("a plan is open")
        };
        let Stage::Shown { verdicts: told, .. } = &mut shown.stage else {
            panic!("it is shown")
        };
        *told = verdicts;
        let screen = text(&drawn(&model));
        for words in [
            "ROLL BACK  deploy/checkout",
            "2.15.0 (rev 39)  →  2.14.1",
            "image  registry.example",
            "The object moved",
            "warn        helm",
            "warn        it is paused",
            "unverified  Secret pay-key",
            "ok          ",
            "5 of 6 keep serving",
            "added       u resume it",
            "kubectl -n shop rollout undo",
            "j shows all",
            "esc cancels",
        ] {
            assert!(screen.contains(words), "{words}: {screen}");
        }
        press(&mut model, &["G"]);
        assert!(text(&drawn(&model)).contains("ok          unchanged since"));
    }
}

#[test]
fn yaml() {
    check("yaml", |w, h| {
        let mut model = model(&night(), w, h);
        let effects = press(&mut model, &["y"]);
        let job = effects
            .iter()
            .find_map(|effect| {
                if let Effect::FetchYaml { job, .. } = effect {
                    Some(*job)
                } else {
                    None
                }
            })
            .expect("y asks for yaml");
        let mut lines = vec!["apiVersion: apps/v1".to_owned(), "kind: Deployment".into()];
        lines.extend((1..80).map(|n| format!("  line-{n}: \"value {n}\"")));
        let outcome = Ok(Document {
            lines,
            read_at: now(),
        });
        update(&mut model, Event::Fetched { job, outcome });
        model
    });
}

pub fn with_follow(width: u16, height: u16, state: Follow) -> Model {
    let mut model = model(&night(), width, height);
    let goal = goal(&model, super::night::ago(52));
    model.follows.push(Following {
        goal,
        state,
        open: true,
        resumed: false,
    });
    model
}

#[test]
fn follow_that_ended_well() {
    check("follow_done", |w, h| {
        let words = "verified: 6/6 pods run 2.14.1 (77c01d), ready for 30s, 0 restarts, 52s in all";
        with_follow(w, h, Follow::Done(words.into()))
    });
}

#[test]
fn follow_that_did_not() {
    check("follow_failed", |w, h| {
        let words = "not verified: superseded by kubectl-set, which set 2.15.1";
        with_follow(w, h, Follow::Failed(words.into()))
    });
}

/// The end of what was begun here stays until it was seen, however soon it comes.
#[test]
fn the_end_of_a_followed_action_stays_until_it_is_closed() {
    let mut model = with_follow(120, 40, Follow::Done("verified: all".into()));
    for second in 0..60 {
        let at = super::night::ago(-second);
        update(&mut model, Event::Ticked(at));
        rolldeck::app::settle(&mut model);
    }
    assert!(text(&drawn(&model)).contains("verified: all"));
    press(&mut model, &["esc"]);
    assert!(!text(&drawn(&model)).contains("verified: all"));
}

#[test]
fn follow() {
    check("follow", |w, h| {
        let mut model = model(&night(), w, h);
        let goal = goal(&model, super::night::ago(22));
        let milestone = |done, text: &str| Milestone {
            done,
            text: text.into(),
        };
        let state = Follow::Pending(vec![
            milestone(true, "server accepted"),
            milestone(true, "controller saw it"),
            milestone(false, "6 of 6 pods run 77c01d, 5 ready"),
            milestone(false, "ready for 12s of 30s"),
            milestone(false, "old pods gone"),
        ]);
        model.follows.push(Following {
            goal,
            state,
            open: true,
            resumed: false,
        });
        model
    });
}

fn with_keys(width: u16, height: u16, keys: &[&str]) -> Model {
    let mut model = model(&night(), width, height);
    press(&mut model, keys);
    model
}
