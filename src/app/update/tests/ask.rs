//! What a verb asks before it plans.

use super::*;
use crate::app::model::PlanBox;

fn shown(model: &Model) -> &PlanBox {
    let Some(Overlay::Plan(shown)) = &model.overlay else {
        panic!("{:?}", model.overlay)
    };
    shown
}

fn gathered(effects: &[Effect]) -> Option<Target> {
    effects.iter().find_map(|effect| match effect {
        Effect::Gather { request, .. } => Some(request.target.clone()),
        _ => None,
    })
}

#[test]
fn a_number_is_asked_with_the_present_one_in_the_field() {
    for (typed, want) in [
        ("s\n", Some(6)),
        ("s^u9\n", Some(9)),
        ("s^u0\n", Some(0)),
        ("s^u\n", None),
        ("s^u-1\n", None),
        ("sx\n", None),
        ("s^u99999\n", None),
        ("s^u12345678901\n", None),
    ] {
        let mut model = fleet();
        let effects = keys(&mut model, typed);
        let shows = model.board.rows[0].desired;
        let want = want.map(|to| Target::Replicas { shown: shows, to });
        assert_eq!(gathered(&effects), want, "{typed}");
        assert_eq!(shown(&model).said.is_some(), want.is_none(), "{typed}");
    }
}

#[test]
fn esc_leaves_the_question_and_nothing_was_read() {
    let mut model = fleet();
    assert_eq!(gathered(&keys(&mut model, "s3\x1b")), None);
    assert_eq!(model.overlay, None);
}

#[test]
fn a_daemon_set_is_not_asked() {
    let mut model = start();
    let mut daemon = steady("agent");
    daemon.id.kind = Kind::DaemonSet;
    let put = Update::Change(Change::Put(Item::Workload(Box::new(daemon))));
    news(&mut model, source(Kind::DaemonSet, None), vec![put]);
    keys(&mut model, "s");
    assert_eq!(model.overlay, None);
    let said = &model.notice.as_ref().unwrap().text;
    assert!(said.contains("not scaled by a number"), "{said}");
}

#[test]
fn what_moved_is_asked_again_of_the_number_that_is_there() {
    let mut model = fleet();
    put(&mut model, &[sample::workload("2.15.0")]);
    model.board.cursor = Some((sample::id(), "d1".into()));
    let effects = keys(&mut model, "s^u9\n");
    let gather = effects.iter().find_map(|effect| match effect {
        Effect::Gather { job, request } => Some((*job, request.clone())),
        _ => None,
    });
    let (job, request) = gather.unwrap();
    let mut evidence = sample::evidence();
    evidence.request = request;
    evidence.workload.desired = 7;
    let outcome = Ok(Box::new(evidence));
    update(&mut model, Event::Gathered { job, outcome });
    let shown = shown(&model);
    let moved = shown.moved.as_deref().unwrap();
    assert!(moved.contains("was scaled from 6 to 7"), "{moved}");
    assert_eq!(shown.request.target, Target::Replicas { shown: 7, to: 9 });
    assert!(matches!(shown.stage, Stage::Shown { .. }));
}

#[test]
fn an_image_is_asked_with_the_present_one_and_a_tag_alone_is_enough() {
    let image = |image: &str| {
        Some(Target::Image {
            container: Some("web".into()),
            image: image.into(),
        })
    };
    let present = fixture::IMAGE;
    let repository = crate::domain::ImageRef::parse(present).repository;
    for (typed, want) in [
        ("i^u2.16.0\n", image(&format!("{repository}:2.16.0"))),
        ("i^uother/web:3\n", image("other/web:3")),
        ("i\n", image(present)),
        ("i^u\n", None),
        ("i x\n", None),
    ] {
        let mut model = fleet();
        let effects = keys(&mut model, typed);
        assert_eq!(gathered(&effects), want, "{typed}");
    }
}

#[test]
fn the_arrows_take_what_it_had_and_tab_goes_to_the_next_container() {
    let mut model = start();
    let mut workload = stalled("checkout");
    let sidecar = crate::domain::Container {
        name: "mesh".into(),
        image: "mesh:1".into(),
        init: false,
    };
    workload.uid = "w".into();
    workload.containers = [&workload.containers[..], &[sidecar]].concat().into();
    put(&mut model, &[workload]);
    keys(&mut model, "\n");
    let of_revisions = |s: &&SourceId| matches!(s.feed, Feed::RevisionsOf { .. });
    let source = model.watched.iter().find(of_revisions).unwrap().clone();
    let old = fixture::revision(Kind::Deployment, 41, "old", fixture::OLD_IMAGE);
    let change = Change::Put(Item::Revision(Box::new(old)));
    news(&mut model, source, vec![Update::Change(change)]);
    keys(&mut model, "i");
    let field = |model: &Model| match &shown(model).stage {
        Stage::Asking(question) => question.field.value().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(field(&model), fixture::IMAGE);
    update(&mut model, Event::Key(Key::plain(Code::Down)));
    assert_eq!(field(&model), fixture::OLD_IMAGE);
    keys(&mut model, "\t");
    assert_eq!(field(&model), "mesh:1");
    let effects = keys(&mut model, "^u2\n");
    let want = Target::Image {
        container: Some("mesh".into()),
        image: "mesh:2".into(),
    };
    assert_eq!(gathered(&effects), Some(want));
}
