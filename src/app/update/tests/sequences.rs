//! Any sequence of keys, news, answers and time.

use super::plan::answer;
use super::*;

#[derive(Debug, Clone)]
enum Act {
    Key(Key),
    Put(usize, bool),
    Gone(usize),
    Tick(i64),
    Answer(u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let chars: Vec<char> = "jkgGqyRsulpez/:S!O?nfc01 checkout-xyz".chars().collect();
    let codes = vec![
        Code::Enter,
        Code::Esc,
        Code::Tab,
        Code::Backspace,
        Code::Up,
        Code::Down,
        Code::PageDown,
    ];
    let act = prop_oneof![
        4 => prop::sample::select(chars).prop_map(|c| Act::Key(Key::char(c))),
        2 => prop::sample::select(codes).prop_map(|c| Act::Key(Key::plain(c))),
        1 => prop::sample::select(vec!['z', 'w', 'f', 'b', 'r']).prop_map(|c| Act::Key(Key::ctrl(c))),
        2 => (0_usize..6, any::<bool>()).prop_map(|(i, bad)| Act::Put(i, bad)),
        1 => (0_usize..6).prop_map(Act::Gone),
        1 => (0_i64..700).prop_map(Act::Tick),
        2 => (0_u8..5).prop_map(Act::Answer),
    ];
    prop::collection::vec(act, 1..80)
}

const NAMES: [&str; 6] = ["auth", "billing", "checkout", "search", "inventory", "cart"];

/// Answers the last thing that was asked for, in one of several ways.
fn answered(model: &mut Model, how: u8) -> Vec<Effect> {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        return Vec::new();
    };
    let job = shown.job;
    match &shown.stage {
        Stage::Asking(_) => keys(model, "\n"),
        Stage::Gathering { .. } => {
            let mut evidence = sample::evidence();
            evidence.level = [Level::Open, Level::Guarded, Level::Protected][usize::from(how) % 3];
            evidence.request = shown.request.clone();
            update(
                model,
                Event::Gathered {
                    job,
                    outcome: Ok(Box::new(evidence)),
                },
            )
        }
        Stage::Shown { .. } => {
            let check = CheckId::ALL[usize::from(how) % CheckId::ALL.len()];
            let finding = if how == 4 {
                Finding::Block
            } else {
                Finding::Ok
            };
            answer(model, check, finding)
        }
        Stage::Executing { .. } => {
            let at = model.now;
            update(
                model,
                Event::Progressed {
                    job,
                    progress: Progress::Done { at },
                },
            )
        }
        Stage::Refused { .. } | Stage::Unknown { .. } => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_sequence_panics_moves_the_selection_or_slips_past_the_gate(acts in acts()) {
        let mut model = fleet();
        keys(&mut model, "g");
        let mut now: Timestamp = fixture::now();
        for act in acts {
            let before = model.board.cursor.clone();
            let is_key = matches!(act, Act::Key(_));
            let effects = match act {
                Act::Key(key) => update(&mut model, Event::Key(key)),
                Act::Put(i, bad) => put(&mut model, &[if bad { stalled(NAMES[i]) } else { steady(NAMES[i]) }]),
                Act::Gone(i) => {
                    let workload = steady(NAMES[i]);
                    let gone = Change::Gone(ItemId::Workload(workload.id, workload.uid));
                    news(&mut model, source(Kind::Deployment, None), vec![Update::Change(gone)])
                }
                Act::Tick(seconds) => {
                    now += SignedDuration::from_secs(seconds);
                    update(&mut model, Event::Ticked(now))
                }
                Act::Answer(how) => answered(&mut model, how),
            };
            settle(&mut model);
            for effect in effects {
                if let Effect::Execute { plan, answers, verdicts, .. } = effect {
                    prop_assert!(crate::plan::gate::pass(plan.level, &plan, &verdicts, &answers).is_ok());
                }
            }
            if let (false, true, Some((id, uid))) = (is_key, model.board.held, before) {
                let stays = model.fleet.workload(&id).is_some_and(|w| w.uid == uid);
                prop_assert!(!stays || model.board.cursor == Some((id, uid)));
            }
        }
    }
}

#[test]
fn an_empty_fleet_answers_every_key() {
    let mut model = start();
    assert_eq!(model.fleet, Fleet::default());
    keys(&mut model, "jkgGRlpeyz\n!/x\n\x1bSn");
}
