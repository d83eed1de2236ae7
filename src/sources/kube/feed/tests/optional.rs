//! A kind that the server may not have.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_there_costs_one_request_and_may_come_and_go() {
    let missing = || {
        status(
            404,
            r#"{"message":"the server could not find the requested resource"}"#,
        )
    };
    let others = r#"{"resources":[{"name":"applications"}]}"#;
    let there =
        r#"{"resources":[{"name":"applications"},{"name":"rollouts"},{"name":"rollouts/status"}]}"#;
    let rollouts = source(Feed::Workloads(Kind::Rollout));
    let replies = vec![
        missing(),
        ok(others),
        ok(there),
        list(&["a"], "7"),
        missing(),
        missing(),
    ];
    let mut scene = Scene::first(rollouts, replies);
    assert_eq!(words(&scene.hear(299).await), ["synced", "live", "absent"]);
    assert_eq!(scene.asked().len(), 1);
    // Argo CD has the same group.
    assert_eq!(words(&scene.hear(300).await), ["synced", "absent"]);
    let heard = words(&scene.hear(302).await);
    assert_eq!(heard[..2], ["put a", "synced"]);
    // Its definition was taken away: the rows go.
    assert!(heard.contains(&"reset ".to_owned()), "{heard:?}");
    assert_eq!(heard.last().unwrap(), "absent");
    let paths: Vec<_> = scene.asked().into_iter().map(|(_, path)| path).collect();
    assert_eq!(paths[0], "/apis/argoproj.io/v1alpha1");
    assert!(
        paths[3].starts_with("/apis/argoproj.io/v1alpha1/rollouts?"),
        "{paths:?}"
    );
}
