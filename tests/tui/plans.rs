//! Plans and what follows them, in each of their states.

use jiff::Timestamp;
use rolldeck::app::field::Field;
use rolldeck::app::model::{Armed, Following, Overlay, PlanBox, ReasonField, Row, Stage};
use rolldeck::app::update::update;
use rolldeck::app::{Event, Model};
use rolldeck::domain::{Failure, FailureKind};
use rolldeck::plan::check::CheckState;
use rolldeck::plan::expected::{Expected, Past};
use rolldeck::plan::{
    Ask, Check, CheckId, Difference, Finding, Follow, Goal, Milestone, ObjectRef, Offer, OfferId,
    Plan, Request, Side, Stamp, Step, Target, Verb, Verdict,
};

use super::cells::{drawn, text};
use super::night::{ago, model, night, now, press};
use super::snapshots::{check, with_keys};

/// The plan that takes checkout back, as the verb would make it.
pub fn back_plan(model: &Model) -> Plan {
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
        arrow: ("2.15.0 (rev 39)".into(), "2.14.1 (rev 38, 77c01d)".into()),
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
        expected: Some(Expected {
            seconds: 40,
            from: Past::Record(3),
        }),
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
        verb: Verb::Rollback,
        template: None,
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
        scaled: None,
        expected: Some(40),
        gone: None,
        turned: None,
        held: None,
    }
}

/// The model with this plan's box in some state over the board.
pub fn with_plan(width: u16, height: u16, make: impl FnOnce(Box<Plan>, &mut PlanBox)) -> Model {
    let mut model = with_keys(width, height, &["R"]);
    model.arming = Some(Armed { until: ago(-600) });
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

pub fn may() -> Verdict {
    let sentence = "you may patch deployments in shop";
    says(CheckId::Permission, Finding::Ok, sentence)
}

pub fn accepted() -> Verdict {
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
fn what_a_verb_asks_before_it_plans() {
    check("ask_replicas", |w, h| with_keys(w, h, &["s"]));
    check("ask_image", |w, h| with_keys(w, h, &["i", "down"]));
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
                waiting: None,
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
                "it is paused: the write works, but no new pod starts until it is resumed",
            )),
        });
        let text = "resume it as well, so that it moves";
        let resume = Offer::new(OfferId::Resume, 'u', text, plan.steps.clone());
        plan.offers.push(resume);
        plan.take(OfferId::Resume, true);
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

/// However long the words of the cluster are, those that decide stay in sight.
#[test]
fn long_words_do_not_push_out_what_decides() {
    let long = "a word, ".repeat(60);
    let model = with_plan(80, 24, |mut plan, shown| {
        plan.rule.clone_from(&long);
        plan.meanwhile.clone_from(&long);
        let block = says(CheckId::DryRun, Finding::Block, &long);
        shown.stage = asked(plan, vec![may(), block]);
        shown.moved = Some(long.clone());
    });
    let screen = text(&drawn(&model));
    for words in [
        "2.15.0 (rev 39)  →  2.14.1",
        "image  registry.example",
        "BLOCK       a word",
        "warn        helm",
        "unverified  Secret pay-key",
        "kubectl -n shop rollout undo",
        "O and a reason override this",
    ] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
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

/// Every check that may warn does, and in long words.
fn warned_plan(width: u16, height: u16) -> Model {
    with_plan(width, height, |mut plan, shown| {
        plan.checks.retain(|check| check.id.must());
        // A plan to scale has the autoscaler, that of a canary its own, and few of the others.
        let elsewhere = [
            CheckId::Autoscaler,
            CheckId::Presence,
            CheckId::Analysis,
            CheckId::Metrics,
            CheckId::Controller,
        ];
        let here = |check: &CheckId| !check.must() && !elsewhere.contains(check);
        for check in CheckId::ALL.into_iter().filter(here) {
            let sentence = format!(
                "{} says what is risked, in a sentence that is longer than one line of the smallest screen",
                check.name()
            );
            let finding = match check {
                CheckId::Differs => Finding::Ok,
                CheckId::Image | CheckId::Config | CheckId::Changed | CheckId::Quota => {
                    Finding::Unverified
                }
                _ => Finding::Warn,
            };
            let state = CheckState::Answered(says(check, finding, &sentence));
            plan.checks.push(Check { id: check, state });
        }
        shown.stage = asked(plan, vec![may(), accepted()]);
    })
}

#[test]
fn plan_with_every_warning() {
    check("plan_warned", warned_plan);
}

#[test]
fn no_warning_hides_another_or_what_decides() {
    let screen = text(&drawn(&warned_plan(80, 24)));
    for words in [
        "2.15.0 (rev 39)  →  2.14.1",
        "image  registry.example",
        "unverified  4 checks: image, config, changed, quota",
        "5 of 6 keep serving",
        "kubectl -n shop rollout undo",
        "y, then type checkout",
    ] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    // By its sentence, or by its name where there is no room.
    let warned = CheckId::ALL.into_iter();
    let of_others = [
        CheckId::Autoscaler,
        CheckId::Presence,
        CheckId::Analysis,
        CheckId::Metrics,
        CheckId::Controller,
    ];
    for check in warned.filter(|check| !of_others.contains(check)) {
        assert!(screen.contains(check.name()), "{}: {screen}", check.name());
    }
}

/// However far it was asked to go, the next key back is seen.
#[test]
fn the_way_back_from_the_end_is_not_dead() {
    for keys in [&["R"][..], &["?"]] {
        for end in [&["G"][..], &["ctrl-f"; 40], &["j"; 300]] {
            let mut model = match keys {
                ["R"] => tall_plan(80, 24, 0),
                _ => with_keys(80, 24, keys),
            };
            press(&mut model, end);
            let furthest = rolldeck::ui::furthest(&model);
            rolldeck::app::stop_at(&mut model, furthest);
            let last = text(&drawn(&model));
            press(&mut model, &["j"]);
            assert_eq!(text(&drawn(&model)), last, "it is the end");
            rolldeck::app::stop_at(&mut model, furthest);
            press(&mut model, &["k"]);
            assert_ne!(text(&drawn(&model)), last, "{keys:?} {end:?}");
        }
    }
}

pub fn with_follow(width: u16, height: u16, state: Follow) -> Model {
    let mut model = model(&night(), width, height);
    let goal = goal(&model, ago(52));
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
        let words = "verified: 6/6 pods run 2.14.1 (77c01d), ready for 30s, 0 restarts, 52s in all, expected 40s";
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
        let at = ago(-second);
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
        let milestone = |done, text: &str| Milestone {
            done,
            text: text.into(),
        };
        let milestones = [
            (true, "server accepted"),
            (true, "controller saw it"),
            (false, "6 of 6 pods run 77c01d, 5 ready"),
            (false, "ready for 12s of 30s"),
            (false, "old pods gone"),
        ];
        let milestones = milestones.map(|(done, text)| milestone(done, text));
        with_follow(w, h, Follow::Pending(milestones.into()))
    });
}
