//! What is watched and asked: namespaces, wishes, permissions.

use super::*;

/// Of the wish list, when that is asked for.
fn epoch(effects: &[Effect]) -> Option<u64> {
    effects.iter().find_map(|effect| match effect {
        Effect::Watch { epochs, .. } => epochs.get(&"prod-eu".into()).copied(),
        _ => None,
    })
}

#[test]
fn the_wish_list_is_sent_when_it_changes_and_never_for_nothing() {
    let (mut model, effects) = model_with(&Config::default(), None);
    assert_eq!(epoch(&effects), Some(0));
    let wanted = effects.iter().find_map(|effect| match effect {
        Effect::Watch { wanted, .. } => Some(wanted),
        _ => None,
    });
    let wanted = wanted.unwrap_or_else(|| panic!("{effects:?}"));
    assert_eq!(wanted.len(), 6);
    assert!(wanted.iter().all(|source| source.namespace.is_none()));
    put(&mut model, &[steady("auth")]);
    assert_eq!(put(&mut model, &[steady("auth"), steady("b")]), []);
    // A stalled one gets its pods and revisions watched.
    put(&mut model, &[stalled("checkout")]);
    let sent = update(&mut model, Event::Ticked(fixture::now()));
    let watched = |f: fn(&Feed) -> bool| model.watched.iter().filter(|s| f(&s.feed)).count();
    assert_eq!(watched(|f| matches!(f, Feed::PodsOf { .. })), 1, "{sent:?}");
    assert_eq!(watched(|f| matches!(f, Feed::RevisionsOf { .. })), 1);
    assert_eq!(watched(|f| *f == Feed::ReplicaSets), 0);
    for kind in Kind::ALL {
        let source = source(kind, None);
        news(
            &mut model,
            source.clone(),
            vec![Update::Change(Change::Synced(source))],
        );
    }
    assert!(model.watched.iter().any(|s| s.feed == Feed::ReplicaSets));
}

#[test]
fn at_most_eight_pod_watches_and_they_stay() {
    let mut model = start();
    let many: Vec<_> = (0..20).map(|i| stalled(&format!("s{i:02}"))).collect();
    put(&mut model, &many);
    update(&mut model, Event::Ticked(fixture::now()));
    let pods = |model: &Model| -> Vec<SourceId> {
        let of_pods = model
            .watched
            .iter()
            .filter(|s| matches!(s.feed, Feed::PodsOf { .. }));
        of_pods.cloned().collect()
    };
    let first = pods(&model);
    assert_eq!(first.len(), 8);
    put(&mut model, &[stalled("a-new-one")]);
    update(&mut model, Event::Ticked(fixture::now()));
    assert_eq!(pods(&model), first);
    // The open one comes before all of them.
    keys(&mut model, "G\n");
    let open = model.board.cursor.clone().unwrap().0;
    assert!(
        pods(&model)
            .iter()
            .any(|s| matches!(&s.feed, Feed::PodsOf { workload, .. } if *workload == open))
    );
    assert_eq!(pods(&model).len(), 8);
}

#[test]
fn the_scope_follows_the_context_the_rights_and_the_keys() {
    let (mut model, _) = model_with(&Config::default(), Some("shop"));
    assert_eq!(model.clusters[0].scope.namespaces, ["shop".into()]);
    let effects = keys(&mut model, "0");
    assert_eq!(epoch(&effects), Some(1));
    let denied = Update::Health(Health::Denied("list deployments".into()));
    let effects = news(&mut model, source(Kind::Deployment, None), vec![denied]);
    assert_eq!(model.clusters[0].scope.namespaces, ["shop".into()]);
    assert!(
        model.clusters[0]
            .scope
            .note
            .as_ref()
            .unwrap()
            .contains("shop alone")
    );
    assert_eq!(epoch(&effects), Some(2));
    // News of an epoch that is over is dropped.
    let put = Update::Change(Change::Put(Item::Workload(Box::new(steady("late")))));
    let (source, at) = (source(Kind::Deployment, Some("shop")), model.now);
    update(
        &mut model,
        Event::Fed {
            source,
            epoch: 1,
            at,
            updates: vec![put],
        },
    );
    assert_eq!(model.fleet.workloads().count(), 0);
    keys(&mut model, ":ns pay\n");
    assert_eq!(model.clusters[0].scope.namespaces, ["pay".into()]);
    keys(&mut model, "1");
    assert_eq!(model.clusters[0].scope.namespaces, ["shop".into()]);
    let all = Config {
        namespaces: Namespaces::All,
        ..Config::default()
    };
    assert!(
        model_with(&all, Some("shop")).0.clusters[0]
            .scope
            .namespaces
            .is_empty()
    );
}

#[test]
fn a_missing_permission_is_asked_once_and_stops_the_key() {
    let mut model = start();
    let asked = |effects: &[Effect]| {
        effects
            .iter()
            .filter(|e| matches!(e, Effect::AskPermission { .. }))
            .count()
    };
    assert_eq!(asked(&put(&mut model, &[stalled("checkout")])), 1);
    assert_eq!(asked(&keys(&mut model, "jkjk")), 0);
    let told = Event::PermissionTold {
        cluster: "prod-eu".into(),
        namespace: "shop".into(),
        kind: Kind::Deployment,
        outcome: Ok(Some("patch deployments".into())),
    };
    update(&mut model, told);
    assert_eq!(keys(&mut model, "R"), []);
    assert!(model.overlay.is_none() && model.notice.unwrap().text.contains("patch deployments"));
}

/// Who may write Deployments may perhaps not write StatefulSets.
#[test]
fn a_permission_is_asked_and_told_for_each_kind() {
    let mut model = start();
    let mut set = stalled("vault");
    set.id.kind = Kind::StatefulSet;
    let (deployment, set) = (stalled("checkout").id, set.id);
    model.board.cursor = None;
    let mut asked = Vec::new();
    for id in [&deployment, &set, &deployment, &set] {
        model.board.cursor = Some((id.clone(), "u".into()));
        let mut effects = Vec::new();
        super::super::board::ask_permission(&mut model, &mut effects);
        asked.extend(effects.iter().map(|effect| match effect {
            Effect::AskPermission { kind, .. } => *kind,
            other => panic!("{other:?}"),
        }));
    }
    assert_eq!(asked, [Kind::Deployment, Kind::StatefulSet]);
    let told = Event::PermissionTold {
        cluster: "prod-eu".into(),
        namespace: "shop".into(),
        kind: Kind::StatefulSet,
        outcome: Ok(Some("patch statefulsets".into())),
    };
    update(&mut model, told);
    let missing = |id| super::super::missing_permission(&model, id);
    assert_eq!(missing(&set).as_deref(), Some("patch statefulsets"));
    assert_eq!(missing(&deployment), None);
}
