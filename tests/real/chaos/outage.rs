//! The API server killed, or stopped for a while, at a random moment of many actions.

use std::collections::BTreeMap;
use std::time::Duration;

use rolldeck::plan::{Target, Verb};

use super::{Dice, Hand, agree, count, fresh, lines_of, page, settle, times, was_sent};
use crate::support::api::RUNTIME;
use crate::support::control_plane::ControlPlane;

const ROUNDS: u32 = 2;
/// Actions on their way when it happens.
const ACTIONS: u32 = 10;

#[test]
fn a_server_that_dies_in_the_middle_leaves_record_note_and_cluster_in_agreement() {
    let plane = ControlPlane::own();
    let namespace = plane.namespace("outage");
    let mut dice = Dice::new("outage");
    let home = tempfile::tempdir().unwrap();
    let hand = Hand::new(&plane.owner("chaos-outage", Some(&namespace)), home.path());
    let (mut figures, mut sent) = (BTreeMap::new(), 0);
    for round in 0..times(ROUNDS) {
        let names = (0..ACTIONS).map(|n| format!("outage-{round}-{n}"));
        let services: Vec<_> = names.map(|name| fresh(&plane, &namespace, &name)).collect();
        let tasks: Vec<_> = services
            .iter()
            .map(|service| {
                let verb = [Verb::Rollback, Verb::Pause][dice.place(2)];
                let ready = RUNTIME.block_on(async {
                    let request = hand.look(service, Some(verb), Target::Proposed).await?;
                    hand.ready(&request).await
                });
                let (ready, hand) = (ready.expect("a plan"), hand.clone());
                (ready, hand, dice.moment(60))
            })
            .collect();
        // All at once, each after a moment of its own.
        let tasks: Vec<_> = tasks
            .into_iter()
            .map(|(ready, hand, moment)| {
                RUNTIME.spawn(async move {
                    tokio::time::sleep(moment).await;
                    hand.execute(ready).await
                })
            })
            .collect();
        std::thread::sleep(dice.moment(90));
        if round % 2 == 0 {
            plane.stop();
            std::thread::sleep(dice.moment(500));
            plane.start();
        } else {
            plane.freeze();
            std::thread::sleep(Duration::from_millis(500) + dice.moment(1_000));
            plane.thaw();
        }
        for task in tasks {
            let progress = RUNTIME.block_on(task).unwrap();
            sent += usize::from(was_sent(&progress));
        }
        settle(&hand);
        let page = page(&hand.recorder);
        assert_eq!(page.actions.len(), sent, "no line is lost");
        for service in &services {
            let id = hand.id(service);
            let mut of = page.actions.iter().filter(|a| a.sending.workload == id);
            if let Some(action) = of.next() {
                count(&mut figures, agree(action, &service.read(&plane)));
            }
            assert_eq!(of.next(), None, "one each");
        }
    }
    for event in ["sending", "answered", "found"] {
        let twice = lines_of(&hand.recorder, event)
            .into_iter()
            .find(|(_, n)| *n > 1);
        assert_eq!(twice, None, "{event}");
    }
    eprintln!(
        "{sent} actions on their way in {} outages: {figures:?}",
        times(ROUNDS)
    );
}
