//! The picker of `i`: tags as they are listed, what is asked of the registry for them, and what goes on without one.

use super::*;
use crate::app::event::JobId;
use crate::app::image_picker::ImagePicker;
use crate::domain::chain::ImageTold;
use crate::domain::{Failure, FailureKind, Manifest, Presence, Tags, tag};

const REPOSITORY: &str = "shop/checkout";

/// After `i`; the question for the tags.
fn asked() -> (Model, JobId) {
    let mut model = fleet();
    let effects = keys(&mut model, "i");
    let listing = effects.iter().find_map(|effect| match effect {
        Effect::ListTags { job, image } => Some((*job, image.clone())),
        _ => None,
    });
    let (job, image) = listing.unwrap();
    assert_eq!(*image, *fixture::IMAGE);
    (model, job)
}

fn listed(model: &mut Model, job: JobId, names: impl Iterator<Item = String>) -> Vec<Effect> {
    let tags = Tags {
        names: tag::newest_first(names.map(Into::into).collect()),
        whole: true,
    };
    let outcome = Ok(tags);
    update(model, Event::TagsListed { job, outcome })
}

/// The images that are to be looked at, and those looks that are called off.
fn looks(effects: &[Effect]) -> (Vec<Box<str>>, usize) {
    let images = effects.iter().filter_map(|effect| match effect {
        Effect::ReadImages { images, .. } => Some(images.clone()),
        _ => None,
    });
    let cancels = effects
        .iter()
        .filter(|e| matches!(e, Effect::Cancel { .. }));
    (images.flatten().collect(), cancels.count())
}

/// Made so many seconds ago.
fn tell(model: &mut Model, tag: &str, seconds: i64) -> Vec<Effect> {
    let digest: Box<str> = format!("sha256:{tag}").into();
    let told = ImageTold {
        presence: Presence::Present {
            digest: digest.clone(),
            at: model.now,
        },
        manifest: Some(Manifest {
            digest,
            platforms: Vec::new(),
            created: Some(fixture::ago(seconds)),
            labels: BTreeMap::default(),
        }),
        whole: true,
        at: model.now,
    };
    let image = format!("{REPOSITORY}:{tag}").into();
    update(model, Event::ImageTold { image, told })
}

fn picker(model: &Model) -> &ImagePicker {
    match &model.overlay {
        Some(Overlay::Plan(shown)) => match &shown.stage {
            Stage::Asking(question) => match &question.about {
                crate::app::model::About::Image(picker) => picker,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn field(model: &Model) -> &str {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        panic!("{:?}", model.overlay)
    };
    match &shown.stage {
        Stage::Asking(question) => question.field.value(),
        other => panic!("{other:?}"),
    }
}

fn tags(model: &Model) -> Vec<&str> {
    let rows = picker(model).rows.iter();
    rows.map(|row| row.rsplit(':').next().unwrap()).collect()
}

#[test]
fn tags_stand_by_version_until_all_dates_are_known() {
    let (mut model, job) = asked();
    let names = ["2.9", "2.14.1", "2.15.0", "2.15.0-rc1"].map(String::from);
    let (images, _) = looks(&listed(&mut model, job, names.into_iter()));
    assert_eq!(images.len(), 4);
    assert_eq!(tags(&model), ["2.15.0", "2.15.0-rc1", "2.14.1", "2.9"]);
    assert_eq!(tell(&mut model, "2.15.0", 90), []);
    tell(&mut model, "2.15.0-rc1", 100);
    tell(&mut model, "2.9", 10);
    assert_eq!(tags(&model), ["2.15.0", "2.15.0-rc1", "2.14.1", "2.9"]);
    tell(&mut model, "2.14.1", 200);
    assert_eq!(tags(&model), ["2.9", "2.15.0", "2.15.0-rc1", "2.14.1"]);
    assert_eq!(picker(&model).words(), "4 tags, by date");
    update(&mut model, Event::Key(Key::plain(Code::Down)));
    assert_eq!(field(&model), "shop/checkout:2.9");
    // What is known is not asked again.
    keys(&mut model, "\x1b");
    let effects = keys(&mut model, "i");
    let Some(Effect::ListTags { job, .. }) = effects.first() else {
        panic!("{effects:?}")
    };
    let names = ["2.9", "2.14.1"].map(String::from);
    assert_eq!(
        looks(&listed(&mut model, *job, names.into_iter())).0.len(),
        0
    );
}

#[test]
fn what_is_typed_filters_and_any_tag_can_be_typed() {
    let (mut model, job) = asked();
    let names = ["2.9.1", "2.14.1", "2.15.0", "main-7"].map(String::from);
    listed(&mut model, job, names.into_iter());
    keys(&mut model, "^u.1");
    assert_eq!(tags(&model), ["2.15.0", "2.14.1", "2.9.1"]);
    assert_eq!(picker(&model).words(), "3 of 4 tags that fit, by date");
    keys(&mut model, "^ushop/checkout:2.1");
    assert_eq!(tags(&model), ["2.15.0", "2.14.1"]);
    keys(&mut model, "^u3.0");
    assert_eq!(tags(&model), [""; 0]);
    let words = "none of 4 tags has this in it; enter takes what is typed";
    assert_eq!(picker(&model).words(), words);
    let effects = keys(&mut model, "\n");
    let target = effects.iter().find_map(|effect| match effect {
        Effect::Gather { request, .. } => Some(request.target.clone()),
        _ => None,
    });
    let Some(Target::Image { image, .. }) = target else {
        panic!("{effects:?}")
    };
    assert_eq!(image, "shop/checkout:3.0");
    assert!(
        looks(&effects).1 >= 2,
        "what the picker waited for is called off: {effects:?}"
    );
}

#[test]
fn fifty_thousand_tags_cost_what_is_in_view() {
    let (mut model, job) = asked();
    let effects = listed(&mut model, job, (0..50_000).map(|n| format!("1.0.{n}")));
    let (images, _) = looks(&effects);
    assert_eq!(images.len(), 20);
    assert_eq!(picker(&model).rows.len(), 200);
    assert_eq!(tags(&model)[..2], ["1.0.49999", "1.0.49998"]);
    let words = picker(&model).words();
    assert!(
        words.starts_with("newest 200 of 50,000 tags by version order"),
        "{words}"
    );
    // To the end of the list, with a look at what comes into view and nothing else.
    let mut asked = 0;
    for _ in 0..200 {
        let effects = update(&mut model, Event::Key(Key::plain(Code::Down)));
        let (images, cancels) = looks(&effects);
        assert!(images.len() <= 28 && cancels <= 1, "{images:?}");
        asked += usize::from(!images.is_empty());
        for image in images {
            tell(&mut model, image.rsplit(':').next().unwrap(), 1);
        }
    }
    assert!(asked <= 200, "{asked}");
    assert_eq!(field(&model), "shop/checkout:1.0.49800");
    let words = || picker(&model).words();
    println!(
        "50,000 tags: 20 looks at first, {asked} more to go through 200 of them; {}",
        words()
    );
    keys(&mut model, "^u4999");
    assert_eq!(picker(&model).fit, 15);
    keys(&mut model, "^u7");
    assert_eq!(picker(&model).rows.len(), 200);
    let words = picker(&model).words();
    let want = "newest 200 of 17,195 of 50,000 tags that fit by version order";
    assert!(words.starts_with(want), "{words}");
}

#[test]
fn without_a_registry_it_is_said_and_typing_goes_on() {
    let (mut model, job) = asked();
    keys(&mut model, "^u2");
    let sentence = "R: connection refused";
    let outcome = Err(Failure::new(FailureKind::Unreachable, sentence));
    update(&mut model, Event::TagsListed { job, outcome });
    let words = picker(&model).words();
    assert!(
        words.starts_with("no tags: R: connection refused; "),
        "{words}"
    );
    keys(&mut model, ".16.0");
    assert_eq!(field(&model), "2.16.0");
    let effects = keys(&mut model, "\n");
    assert!(effects.iter().any(|e| matches!(e, Effect::Gather { .. })));
    // An answer for a box that is closed changes nothing.
    let before = model.clone();
    assert_eq!(listed(&mut model, job, ["1".to_owned()].into_iter()), []);
    assert_eq!(model, before);
}
