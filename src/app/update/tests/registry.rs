//! Each intent does something in each place that the registry gives it: one that a screen forgets fails here.

use super::logs::reading;
use super::plan::planned;
use super::readers::finding;
use super::record::{opened as recorded, page};
use super::service::opened;
use super::*;
use crate::app::event::Document;
use crate::app::intent::{Entry, Intent, Place, REGISTRY};
use crate::app::update::key;

/// In that place, with room to move both ways.
fn at(place: Place) -> Model {
    let mut model = match place {
        Place::Board => {
            let mut model = fleet();
            keys(&mut model, "j");
            model
        }
        Place::Service => opened(),
        Place::Logs => {
            let mut model = reading();
            keys(&mut model, "/5\n");
            model
        }
        Place::Text => {
            let mut model = opened();
            let effects = keys(&mut model, "y");
            let Some(Effect::FetchYaml { job, .. }) = effects.first() else {
                panic!("{effects:?}")
            };
            let lines = (0..100).map(|n| n.to_string()).collect();
            let read_at = model.now;
            let outcome = Ok(Document { lines, read_at });
            update(&mut model, Event::Fetched { job: *job, outcome });
            keys(&mut model, "/5\n");
            model
        }
        Place::Doctor => {
            let mut model = fleet();
            let effects = keys(&mut model, ":doctor\n");
            let Some(Effect::Diagnose { job, .. }) = effects.first() else {
                panic!("{effects:?}")
            };
            (0..50).for_each(|_| finding(&mut model, *job, false));
            model
        }
        Place::Table => {
            let mut model = table::opened();
            keys(&mut model, "j");
            model
        }
        Place::Record => recorded(page(&[], "rollback")),
        Place::Changes => changes::listed(),
        Place::Matrix => matrix::opened(),
        Place::Builds => builds::opened(),
        Place::Plan => planned(Level::Protected, false),
        Place::Help => {
            let mut model = fleet();
            keys(&mut model, "?");
            model
        }
    };
    // Away from both ends.
    keys(&mut model, "gj");
    assert_eq!(super::super::place(&model), place);
    model
}

#[test]
fn every_intent_does_something_where_the_registry_says_that_it_can() {
    let mut tried = 0;
    let places = |entry: &'static Entry| entry.places.iter().map(move |place| (*place, entry));
    for (place, entry) in REGISTRY.iter().flat_map(places) {
        let mut before = at(place);
        if (place, entry.intent) == (Place::Service, Intent::History) {
            // It leads back from the pods.
            keys(&mut before, "\t");
        }
        let mut after = before.clone();
        let effects = match before.settings.keymap.keys(entry.intent) {
            // Which of its keys it was is all it says.
            [first, ..] if entry.intent == Intent::Favourite => key::pressed(&mut after, *first),
            _ => key::act(&mut after, entry.intent),
        };
        assert!(
            !effects.is_empty() || after != before,
            "{} does nothing in {place:?}",
            entry.name
        );
        tried += 1;
    }
    assert!(tried > REGISTRY.len());
}
