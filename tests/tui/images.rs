//! The picker of `i`, and what is known of the images that one may go back to.

use std::collections::BTreeMap;

use rolldeck::app::event::{Event, JobId};
use rolldeck::app::model::{About, Overlay, Stage};
use rolldeck::app::{Model, update};
use rolldeck::domain::chain::ImageTold;
use rolldeck::domain::{Failure, FailureKind, Manifest, Presence, Tags, tag};

use super::builds::with_builds;
use super::night::{DAY, HOUR, MINUTE, ago, press};
use super::snapshots::check;

const REPOSITORY: &str = "registry.example/shop/checkout";

fn there(created: i64, commit: &str) -> ImageTold {
    let digest: Box<str> = format!("sha256:{commit}0000").into();
    let label = |(name, value): (&str, &str)| (name.into(), value.into());
    ImageTold {
        presence: Presence::Present {
            digest: digest.clone(),
            at: ago(20),
        },
        manifest: Some(Manifest {
            digest,
            platforms: Vec::new(),
            created: Some(ago(created)),
            labels: BTreeMap::from([label(("org.opencontainers.image.revision", commit))]),
        }),
        whole: true,
        at: ago(20),
    }
}

fn told(model: &mut Model, version: &str, told: ImageTold) {
    let image = format!("{REPOSITORY}:{version}").into();
    update(model, Event::ImageTold { image, told });
}

/// After `i`, with the question for the tags.
fn asked(width: u16, height: u16) -> (Model, JobId) {
    let mut model = with_builds(width, height);
    press(&mut model, &["i"]);
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        panic!("{:?}", model.overlay)
    };
    let Stage::Asking(question) = &shown.stage else {
        panic!("{:?}", shown.stage)
    };
    let About::Image(picker) = &question.about else {
        panic!("{:?}", question.about)
    };
    let job = picker.jobs.0;
    (model, job)
}

fn with_tags(names: Vec<Box<str>>, width: u16, height: u16) -> Model {
    let (mut model, job) = asked(width, height);
    let names = tag::newest_first(names);
    let outcome = Ok(Tags { names, whole: true });
    update(&mut model, Event::TagsListed { job, outcome });
    model
}

#[test]
fn tags_with_dates_commits_and_builds() {
    check("image_tags", |w, h| {
        let names = ["2.15.0", "2.14.1", "2.13.0", "2.16.0-rc1", "hotfix-pay"];
        let mut model = with_tags(names.map(Into::into).into(), w, h);
        told(&mut model, "2.15.0", there(2 * MINUTE, "a1b9e3c"));
        told(&mut model, "2.14.1", there(14 * DAY, "03fe21d"));
        told(&mut model, "2.13.0", there(40 * DAY, "9911c0a"));
        told(&mut model, "2.16.0-rc1", there(3 * HOUR, "50e1ff2"));
        let gone = ImageTold {
            presence: Presence::Missing,
            manifest: None,
            ..there(0, "")
        };
        told(&mut model, "hotfix-pay", gone);
        press(&mut model, &["down", "down"]);
        model
    });
}

#[test]
fn very_many_tags_say_what_is_left_out() {
    check("image_many", |w, h| {
        let names = (0..50_000).map(|n| format!("2.15.{n}").into()).collect();
        let mut model = with_tags(names, w, h);
        told(&mut model, "2.15.49999", there(2 * MINUTE, "77c01d0"));
        model
    });
}

#[test]
fn a_registry_that_says_no_is_one_sentence() {
    check("image_denied", |w, h| {
        let (mut model, job) = asked(w, h);
        let why = "registry.example: it wants a login, and there is none";
        let outcome = Err(Failure::new(FailureKind::Denied, why));
        update(&mut model, Event::TagsListed { job, outcome });
        model
    });
}

/// The board with what registries told of the past of some services.
fn with_pasts(width: u16, height: u16) -> Model {
    let mut model = with_builds(width, height);
    let past = |model: &mut Model, name: &str, found: bool| {
        let mut rows = model.board.rows.iter();
        let row = rows.find(|row| *row.id.name == *name).unwrap();
        let workload = model.fleet.workload(&row.id).unwrap();
        let revisions = model.fleet.revisions(workload).iter().skip(1);
        let images = revisions.map(|revision| revision.containers[0].image.clone());
        for image in images.collect::<Vec<_>>() {
            let presence = if found {
                there(0, "").presence
            } else {
                Presence::Missing
            };
            let told = ImageTold {
                presence,
                manifest: None,
                whole: false,
                at: ago(20),
            };
            update(model, Event::ImageTold { image, told });
        }
    };
    past(&mut model, "checkout", true);
    past(&mut model, "auth", true);
    past(&mut model, "catalog", false);
    model
}

#[test]
fn the_board_says_who_has_no_way_back_and_in_wide_mode_how_many_there_are() {
    check("images_board", |w, h| {
        let mut model = with_pasts(w, h);
        press(&mut model, &["ctrl-w"]);
        model
    });
}

#[test]
fn the_service_says_how_many_it_can_go_back_to() {
    check("images_service", |w, h| {
        let mut model = with_pasts(w, h);
        told(&mut model, "2.13.0", there(40 * DAY, "9911c0a"));
        press(&mut model, &["enter"]);
        model
    });
}
