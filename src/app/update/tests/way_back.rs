//! The images that one may go back to: which are looked for in the background, and what is said of them.

use super::*;
use crate::app::way_back::WayBack;
use crate::domain::chain::ImageTold;
use crate::domain::{Presence, Revision};

/// A service with its current revision and three older ones.
fn with_past(verify: bool) -> Model {
    let config = Config {
        registries: crate::config::Registries {
            verify,
            ..crate::config::Registries::default()
        },
        ..Config::default()
    };
    let (mut model, _) = model_with(&config, None);
    let mut workload = steady("checkout");
    workload.uid = "w".into();
    workload.containers = fixture::containers(fixture::IMAGE);
    put(&mut model, &[workload]);
    for kind in Kind::ALL {
        let synced = Change::Synced(source(kind, None));
        news(&mut model, source(kind, None), vec![Update::Change(synced)]);
    }
    keys(&mut model, "\n");
    let of_revisions = |s: &&SourceId| matches!(s.feed, Feed::RevisionsOf { .. });
    let source = model.watched.iter().find(of_revisions).unwrap().clone();
    let revision = |number, name: &str, tag: &str| {
        let image = format!("shop/checkout:{tag}");
        Update::Change(Change::Put(Item::Revision(Box::new(Revision {
            containers: fixture::containers(&image),
            ..fixture::revision(Kind::Deployment, number, name, &image)
        }))))
    };
    let revisions = vec![
        revision(42, "new", "2.15.0"),
        revision(41, "a", "2.14.1"),
        revision(40, "b", "2.14.0"),
        revision(39, "c", "2.13.0"),
    ];
    news(&mut model, source, revisions);
    model
}

fn watched(effects: &[Effect]) -> Option<Vec<&str>> {
    effects.iter().find_map(|effect| match effect {
        Effect::WatchImages(images) => Some(images.iter().map(|image| &**image).collect()),
        _ => None,
    })
}

fn tick(model: &mut Model, seconds: i64) -> Vec<Effect> {
    let now = model.now + SignedDuration::from_secs(seconds);
    update(model, Event::Ticked(now))
}

fn tell(model: &mut Model, tag: &str, presence: Presence) {
    let told = ImageTold {
        presence,
        manifest: None,
        whole: false,
        at: model.now,
    };
    let image = format!("shop/checkout:{tag}").into();
    update(model, Event::ImageTold { image, told });
}

fn words(model: &Model) -> Option<String> {
    let workload = model.fleet.workloads().next().unwrap();
    WayBack::of(model, workload).words()
}

#[test]
fn past_images_are_looked_for_once_the_board_stands_and_not_when_it_is_off() {
    let mut model = with_past(true);
    let past = [
        "shop/checkout:2.14.1",
        "shop/checkout:2.14.0",
        "shop/checkout:2.13.0",
    ];
    assert_eq!(watched(&tick(&mut model, 20)), Some(past.to_vec()));
    assert_eq!(watched(&tick(&mut model, 20)), None, "the same are wanted");
    model.settings.verify_images = false;
    assert_eq!(watched(&tick(&mut model, 20)), Some(Vec::new()));
    let mut off = with_past(false);
    assert_eq!(watched(&tick(&mut off, 20)), None);
}

#[test]
fn how_many_can_still_be_pulled_is_counted_and_that_there_is_none_is_said() {
    let mut model = with_past(true);
    let there = |digest: &str| Presence::Present {
        digest: digest.into(),
        at: fixture::now(),
    };
    assert_eq!(words(&model), None);
    tell(&mut model, "2.14.1", there("sha256:aa"));
    assert_eq!(words(&model).as_deref(), Some("1 of 3 verified back"));
    tell(&mut model, "2.14.0", there("sha256:bb"));
    tell(&mut model, "2.13.0", Presence::Missing);
    assert_eq!(
        words(&model).as_deref(),
        Some("2 of 3 verified back, 1 missing")
    );
    tell(&mut model, "2.13.0", there("sha256:cc"));
    assert_eq!(words(&model).as_deref(), Some("3 verified back"));
    // The same news again changes nothing on the screen.
    model.dirty = false;
    tell(&mut model, "2.13.0", there("sha256:cc"));
    assert!(!model.dirty);
    for tag in ["2.14.1", "2.14.0"] {
        tell(&mut model, tag, Presence::Missing);
    }
    tell(
        &mut model,
        "2.13.0",
        Presence::Unverified("R: closed".into()),
    );
    assert_eq!(
        words(&model).as_deref(),
        Some("0 of 3 verified back, 2 missing")
    );
    tell(&mut model, "2.13.0", Presence::Missing);
    let none = "none verified back: every past image is missing";
    assert_eq!(words(&model).as_deref(), Some(none));
}
