//! What was interrupted is looked at once, and told once.

use super::*;
use crate::actions::interrupted::settle;
use crate::actions::record::{Limit, Line, sending};
use crate::domain::Kind;
use crate::domain::release_record::{Action, Became, Sending, Stands};
use crate::plan::aftermath::Interrupted;

fn later() -> Timestamp {
    clock() + jiff::SignedDuration::from_mins(2)
}

/// On the cluster of the tests.
async fn begun(folder: &std::path::Path) -> Recorder {
    begun_as(folder, |_| {}).await
}

async fn begun_as(folder: &std::path::Path, change: impl FnOnce(&mut Sending)) -> Recorder {
    let recorder = Recorder::new(folder);
    let mut line = sending(&sample::plan(), &Answers::default(), &[], None, clock());
    line.workload.cluster = with_object(200, &json!(null)).0.id().clone();
    change(&mut line);
    recorder
        .append(Line::Sending(Box::new(line)))
        .await
        .unwrap();
    recorder
}

async fn only(recorder: &Recorder) -> Action {
    let page = recorder.read(Limit::NONE).await.unwrap();
    let [action] = <[Action; 1]>::try_from(page.actions).unwrap();
    action
}

/// The object when it is asked for, and lists of nothing.
fn with_object(status: u16, object: &Value) -> (Cluster, Asked) {
    let object = object.clone();
    server(move |_, path| {
        if path.contains("/deployments/") || path.contains("/rollouts/") {
            (status, object.clone())
        } else {
            (200, json!({"metadata": {}, "items": []}))
        }
    })
}

fn became(found: &[Interrupted]) -> Vec<Result<Became, String>> {
    let outcomes = found.iter().map(|one| one.outcome.clone());
    outcomes.map(|one| one.map(|after| after.became)).collect()
}

#[tokio::test]
async fn what_is_found_goes_into_the_record_and_is_not_looked_at_again() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = begun(folder.path()).await;
    let id = sample::plan().stamp.id;
    let (cluster, asked) = with_object(200, &live("2.14.1", "d1", Some(&id)));
    let found = settle(&cluster, &recorder, clock).await.unwrap();
    assert_eq!(became(&found), [Ok(Became::Applied)]);
    assert_eq!(
        only(&recorder).await.stands(),
        Stands::Interrupted(Became::Applied)
    );
    let requests = asked.lock().unwrap().len();
    assert_eq!((requests, writes(&asked)), (4, 0));
    assert!(settle(&cluster, &recorder, clock).await.unwrap().is_empty());
    assert_eq!(
        asked.lock().unwrap().len(),
        requests,
        "nothing is asked again"
    );
}

#[tokio::test]
async fn what_may_still_arrive_is_not_settled() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = begun(folder.path()).await;
    let (cluster, _) = with_object(200, &live("2.15.0", "d1", None));
    let found = settle(&cluster, &recorder, clock).await.unwrap();
    assert_eq!(became(&found), [Ok(Became::NotApplied)]);
    assert!(!found[0].settled());
    assert_eq!(only(&recorder).await.stands(), Stands::Sent);
    settle(&cluster, &recorder, later).await.unwrap();
    assert_eq!(
        only(&recorder).await.stands(),
        Stands::Interrupted(Became::NotApplied)
    );
}

#[tokio::test]
async fn what_is_gone_is_unknown_for_ever_and_what_cannot_be_read_is_not() {
    for (status, want) in [(404, Some(Became::Unknown)), (403, None)] {
        let folder = tempfile::tempdir().unwrap();
        let recorder = begun(folder.path()).await;
        let (cluster, _) = with_object(status, &failure(status, &json!(null)));
        let found = settle(&cluster, &recorder, later).await.unwrap();
        assert_eq!(became(&found)[0].clone().ok(), want);
        let stands = only(&recorder).await.stands();
        assert_eq!(stands, want.map_or(Stands::Sent, Stands::Interrupted));
    }
}

/// What is no verb of a workload is looked at as one that not every kind has.
#[tokio::test]
async fn what_was_to_be_built_for_a_rollout_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = begun_as(folder.path(), |line| {
        line.verb = "build".into();
        line.workload.kind = Kind::Rollout;
    })
    .await;
    let (cluster, _) = with_object(200, &live("2.15.0", "d1", None));
    let found = settle(&cluster, &recorder, later).await.unwrap();
    assert_eq!(became(&found), [Ok(Became::Unknown)]);
    let stands = only(&recorder).await.stands();
    assert_eq!(stands, Stands::Interrupted(Became::Unknown));
}

#[tokio::test]
async fn what_is_under_way_or_elsewhere_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = begun(folder.path()).await;
    let (cluster, asked) = with_object(200, &live("2.15.0", "d1", None));
    let under_way = recorder.begin(&sample::plan().stamp.id).await.unwrap();
    assert!(settle(&cluster, &recorder, later).await.unwrap().is_empty());
    drop(under_way);
    let text = std::fs::read_to_string(recorder.path()).unwrap();
    let elsewhere = text.replace(r#""cluster":""#, r#""cluster":"other-"#);
    std::fs::write(recorder.path(), elsewhere).unwrap();
    assert!(settle(&cluster, &recorder, later).await.unwrap().is_empty());
    assert!(asked.lock().unwrap().is_empty());
}
