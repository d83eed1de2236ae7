//! Service by environment: what stands where, what of it is the same, and how far the rest lies behind.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ClusterId, Environment, Level, Phase, Pin, WorkloadId};

/// The digests that pods run, by their workload and the image that it asks for.
pub type Digests = BTreeMap<WorkloadId, Vec<(Box<str>, Box<str>)>>;

/// What runs a service in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    pub id: WorkloadId,
    pub version: String,
    pub phase: Phase,
    /// `sha256:…` of what its pods run: more than one while they run more than one, none when nobody knows.
    pub digests: Vec<Box<str>>,
    /// When it was last changed.
    pub since: Option<Timestamp>,
}

/// One service over all environments.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub service: Box<str>,
    /// Of the environments that run it, in their order, as far as is known.
    pub cells: Vec<Cell>,
}

/// One service in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The place of the environment.
    pub at: usize,
    /// By their ids; more than one in two namespaces or of two kinds.
    pub running: Vec<Running>,
    /// Set against the next environment before it that runs the service, by its place. Of several the worst.
    pub beside: Option<(usize, Beside)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// The same digest.
    Same,
    /// The same version; of one of them nobody knows the digest.
    SameName,
    /// The same, of a part of its pods: it is on its way there, or a canary of it.
    InPart,
    /// The same version, and another digest.
    OtherDigest,
    Behind(Drift),
    Ahead(Drift),
    /// Another version, and neither history knows that of the other.
    Apart,
}

/// How far two environments are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drift {
    /// So many versions came there that did not come here.
    pub versions: usize,
    /// When the first of them came.
    pub since: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// What differs first, the farthest apart on top.
    #[default]
    Drift,
    Name,
    /// The worst of its cells first.
    Trouble,
}

/// The namespaces of a cluster that are looked at; empty: all.
pub type Scope<'a> = (&'a ClusterId, &'a [Box<str>]);

/// The environments of the settings that are in scope, in the order in which a version goes through them: first those
/// that `way` names, as it has them, then the others as they are. Without any, each namespace is one of its own.
pub fn environments<'a>(
    (settings, way): (&[Environment], &[String]),
    scopes: &[Scope<'_>],
    seen: impl Iterator<Item = &'a WorkloadId>,
) -> Vec<Environment> {
    let in_scope = |one: &&Environment| {
        scopes.iter().any(|(cluster, names)| {
            let covers = |name: &str| one.namespaces.iter().any(|n| n == name);
            *one.cluster == *cluster.0
                && (names.is_empty()
                    || one.namespaces.is_empty()
                    || names.iter().any(|name| covers(name)))
        })
    };
    let mut known: Vec<_> = settings.iter().filter(in_scope).cloned().collect();
    if known.is_empty() {
        return own(scopes, seen);
    }
    let place = |one: &Environment| way.iter().position(|name| *name == one.name);
    known.sort_by_key(|one| place(one).unwrap_or(usize::MAX));
    known
}

/// What is promoted goes through this one: `way` names it, or names none.
pub fn is_on(way: &[String], environment: &Environment) -> bool {
    way.is_empty() || way.contains(&environment.name)
}

/// `prod-eu/shop`; less where that is enough.
fn own<'a>(scopes: &[Scope<'_>], seen: impl Iterator<Item = &'a WorkloadId>) -> Vec<Environment> {
    let mut found: BTreeMap<&ClusterId, Vec<Box<str>>> = BTreeMap::new();
    let mut last = None;
    for id in seen {
        // A fleet has those of a namespace one after the other: most cost one comparison.
        let place = (&id.cluster, &id.namespace);
        if last.replace(place) == Some(place) {
            continue;
        }
        let names = found.entry(&id.cluster).or_default();
        if !names.contains(&id.namespace) {
            names.push(id.namespace.clone());
        }
    }
    let one_each = scopes.iter().all(|(_, names)| names.len() == 1);
    let mut all = Vec::new();
    for (cluster, named) in scopes {
        let seen = found.remove(cluster).unwrap_or_default();
        let names = if named.is_empty() { &seen[..] } else { named };
        let called = |name: &str| match (scopes.len(), one_each) {
            (1, _) => name.to_owned(),
            (_, true) => cluster.to_string(),
            (_, false) => format!("{cluster}/{name}"),
        };
        let own = |name, namespaces| Environment {
            name,
            cluster: cluster.to_string(),
            namespaces,
            protection: Level::default(),
            color: None,
            pin: Pin::default(),
        };
        if names.is_empty() {
            all.push(own(cluster.to_string(), Vec::new()));
        }
        all.extend(names.iter().map(|ns| own(called(ns), vec![ns.to_string()])));
    }
    all
}

/// A row for each service, by name. `running` has each with the service that it runs; `history` is what a workload ran,
/// the newest first, each with when it came.
pub fn rows<'a>(
    environments: &[Environment],
    running: impl Iterator<Item = (&'a str, Running)>,
    history: impl Fn(&WorkloadId) -> Vec<(String, Timestamp)>,
) -> Vec<Row> {
    let mut rows: BTreeMap<&str, BTreeMap<usize, Vec<Running>>> = BTreeMap::new();
    for (service, one) in running {
        if let Some(at) = environments.iter().position(|e| e.holds(&one.id)) {
            let cells = rows.entry(service).or_default();
            cells.entry(at).or_default().push(one);
        }
    }
    let row = |(service, found): (&str, BTreeMap<usize, Vec<Running>>)| {
        let mut cells: Vec<Cell> = Vec::with_capacity(found.len());
        for (at, mut running) in found {
            running.sort_by(|a, b| a.id.cmp(&b.id));
            let before = cells.last();
            let beside = before.and_then(|cell| Some((cell.at, cell.beside(&running, &history)?)));
            cells.push(Cell {
                at,
                running,
                beside,
            });
        }
        let service = service.into();
        Row { service, cells }
    };
    rows.into_iter().map(row).collect()
}

fn compare(
    here: &Running,
    there: &Running,
    history: &impl Fn(&WorkloadId) -> Vec<(String, Timestamp)>,
) -> Beside {
    let known = !here.digests.is_empty() && !there.digests.is_empty();
    let same_name = here.version == there.version;
    let whole = !matches!(
        here.phase,
        Phase::Canary | Phase::Rolling | Phase::RollingBack | Phase::Stalled
    );
    match (known, same_name) {
        (true, _) if here.digests == there.digests && !whole => return Beside::InPart,
        (false, true) if !whole => return Beside::InPart,
        (true, _) if here.digests == there.digests => return Beside::Same,
        (true, true) => return Beside::OtherDigest,
        (false, true) => return Beside::SameName,
        (_, false) => {}
    }
    if let Some(drift) = drift(&history(&there.id), &there.version, &here.version) {
        return Beside::Behind(drift);
    }
    match drift(&history(&here.id), &here.version, &there.version) {
        Some(drift) => Beside::Ahead(drift),
        None => Beside::Apart,
    }
}

/// What came from `old` to `new`, by the history of where `new` runs: each version once.
fn drift(history: &[(String, Timestamp)], new: &str, old: &str) -> Option<Drift> {
    let from = history.iter().position(|(version, _)| version == new)?;
    let to = history.iter().position(|(version, _)| version == old)?;
    let between = history.get(from..to).filter(|list| !list.is_empty())?;
    let mut versions: Vec<_> = between.iter().map(|(version, _)| version).collect();
    versions.sort();
    versions.dedup();
    let since = between.iter().map(|(_, at)| *at).min()?;
    Some(Drift {
        versions: versions.len(),
        since,
    })
}

impl Cell {
    /// How these stand to what runs here.
    fn beside(
        &self,
        running: &[Running],
        history: &impl Fn(&WorkloadId) -> Vec<(String, Timestamp)>,
    ) -> Option<Beside> {
        let each = running.iter().map(|here| {
            let there = self.counterpart(&here.id);
            there.map_or(Beside::Apart, |there| compare(here, there, history))
        });
        each.max_by_key(|beside| beside.rank())
    }

    /// What stands here for a workload of another environment: the only one, else the only one of its kind in a namespace
    /// called the same, else the only one of its kind, else the only one in such a namespace.
    pub fn counterpart(&self, of: &WorkloadId) -> Option<&Running> {
        let alike: [fn(&WorkloadId, &WorkloadId) -> bool; 4] = [
            |_, _| true,
            |a, b| a.kind == b.kind && a.namespace == b.namespace,
            |a, b| a.kind == b.kind,
            |a, b| a.namespace == b.namespace,
        ];
        alike.iter().find_map(|alike| {
            let mut found = self.running.iter().filter(|one| alike(&one.id, of));
            found.next().filter(|_| found.next().is_none())
        })
    }
}

impl Row {
    /// Some of its environments run something else.
    pub fn differs(&self) -> bool {
        self.cells
            .iter()
            .any(|cell| cell.beside.is_some_and(|(_, b)| b.differs()))
    }

    /// Of the environment at this place.
    pub fn cell(&self, at: usize) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.at == at)
    }

    fn farthest(&self) -> Option<(usize, Reverse<Timestamp>)> {
        let drifts = self.cells.iter().filter_map(|cell| match cell.beside?.1 {
            Beside::Behind(drift) | Beside::Ahead(drift) => Some(drift),
            Beside::Same
            | Beside::SameName
            | Beside::InPart
            | Beside::OtherDigest
            | Beside::Apart => None,
        });
        drifts.map(|d| (d.versions, Reverse(d.since))).max()
    }

    fn worst(&self) -> Option<Phase> {
        let running = self.cells.iter().flat_map(|cell| &cell.running);
        running.map(|one| one.phase).min()
    }
}

impl Beside {
    /// Of several the one that says most, the farthest apart last.
    fn rank(self) -> (u8, usize) {
        match self {
            Self::Same => (0, 0),
            Self::SameName => (1, 0),
            Self::InPart => (2, 0),
            Self::Ahead(drift) => (3, drift.versions),
            Self::Behind(drift) => (4, drift.versions),
            Self::Apart => (5, 0),
            Self::OtherDigest => (6, 0),
        }
    }

    pub fn differs(self) -> bool {
        match self {
            Self::Same | Self::SameName => false,
            Self::InPart | Self::OtherDigest | Self::Behind(_) | Self::Ahead(_) | Self::Apart => {
                true
            }
        }
    }
}

/// Rows of the same rank stand by their names.
pub fn sort(rows: &mut [Row], by: Sort) {
    rows.sort_by(|a, b| a.service.cmp(&b.service));
    match by {
        Sort::Name => {}
        Sort::Drift => rows.sort_by_cached_key(|row| {
            let alone = row.cells.len() < 2;
            (Reverse(row.differs()), alone, Reverse(row.farthest()))
        }),
        Sort::Trouble => rows.sort_by_key(Row::worst),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Kind;

    fn id(cluster: &str, namespace: &str, name: &str) -> WorkloadId {
        WorkloadId {
            cluster: cluster.into(),
            namespace: namespace.into(),
            kind: Kind::Deployment,
            name: name.into(),
        }
    }

    fn environment(name: &str, cluster: &str, namespaces: &[&str]) -> Environment {
        Environment {
            name: name.into(),
            cluster: cluster.into(),
            namespaces: namespaces.iter().map(|n| (*n).into()).collect(),
            protection: Level::Guarded,
            color: None,
            pin: Pin::Tag,
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn run(id: &WorkloadId, version: &str, digests: &[&str]) -> Running {
        Running {
            id: id.clone(),
            version: version.into(),
            phase: Phase::Steady,
            digests: digests.iter().map(|digest| (*digest).into()).collect(),
            since: None,
        }
    }

    fn rows(
        environments: &[Environment],
        running: &[Running],
        history: impl Fn(&WorkloadId) -> Vec<(String, Timestamp)>,
    ) -> Vec<Row> {
        let running = running.iter().map(|one| (&*one.id.name, one.clone()));
        super::rows(environments, running, history)
    }

    fn beside(
        there: (&str, &[&str]),
        here: (&str, &[&str]),
        ran: &[(&str, i64)],
    ) -> Option<Beside> {
        let (dev, prod) = (id("dev", "shop", "web"), id("prod", "shop", "web"));
        let environments = [
            environment("dev", "dev", &[]),
            environment("prod", "prod", &[]),
        ];
        let running = [run(&dev, there.0, there.1), run(&prod, here.0, here.1)];
        let history = |of: &WorkloadId| match &*of.cluster.0 {
            "dev" => ran.iter().map(|(v, t)| ((*v).to_owned(), at(*t))).collect(),
            _ => vec![(here.0.to_owned(), at(1))],
        };
        let rows = rows(&environments, &running, history);
        assert_eq!(rows[0].cells[0].beside, None);
        rows[0].cells[1].beside.map(|(_, beside)| beside)
    }

    #[test]
    fn what_comes_to_a_part_of_the_pods_is_not_the_same_yet() {
        let (staging, prod) = (id("one", "staging", "web"), id("one", "prod", "web"));
        let there = run(&staging, "1", &["a"]);
        for (phase, want) in [
            (Phase::Canary, Beside::InPart),
            (Phase::Rolling, Beside::InPart),
            (Phase::Stalled, Beside::InPart),
            (Phase::Degraded, Beside::Same),
        ] {
            let here = Running {
                phase,
                ..run(&prod, "1", &["a"])
            };
            let found = compare(&here, &there, &|_| Vec::new());
            assert_eq!(found, want, "{phase}");
            assert_eq!(found.differs(), want == Beside::InPart);
        }
    }

    #[test]
    fn a_digest_counts_more_than_a_name() {
        let of = |there, here| beside(there, here, &[]).unwrap();
        assert_eq!(of(("1", &["a"]), ("1", &["a"])), Beside::Same);
        assert_eq!(of(("latest", &["a"]), ("1", &["a"])), Beside::Same);
        assert_eq!(of(("1", &["a"]), ("1", &["b"])), Beside::OtherDigest);
        assert_eq!(of(("1", &["a", "b"]), ("1", &["a"])), Beside::OtherDigest);
        assert_eq!(of(("1", &[]), ("1", &["a"])), Beside::SameName);
        assert_eq!(of(("2", &["b"]), ("1", &["a"])), Beside::Apart);
    }

    #[test]
    fn a_drift_is_what_came_there_and_not_here_and_since_when() {
        let ran = [("4", 40), ("3", 30), ("2", 20), ("1", 10)];
        let of = |there: &str, here: &str| beside((there, &[]), (here, &[]), &ran).unwrap();
        let drift = |versions, since| Drift {
            versions,
            since: at(since),
        };
        assert_eq!(of("4", "2"), Beside::Behind(drift(2, 30)));
        assert_eq!(of("4", "3"), Beside::Behind(drift(1, 40)));
        // Rolled back there: what runs here is not in its past.
        assert_eq!(of("3", "4"), Beside::Apart);
        assert_eq!(of("4", "0.9"), Beside::Apart);
        // The same version twice, as a restart makes it, is one version.
        let twice = [("2", 30), ("2", 20), ("1", 10)];
        let behind = beside(("2", &[]), ("1", &[]), &twice);
        assert_eq!(behind, Some(Beside::Behind(drift(1, 20))));
    }

    #[test]
    fn environments_are_those_in_scope_else_each_namespace() {
        let (eu, us) = (ClusterId::from("eu"), ClusterId::from("us"));
        let shop: [Box<str>; 1] = ["shop".into()];
        let settings = [
            environment("b", "eu", &["shop"]),
            environment("a", "us", &[]),
        ];
        let names = |settings: &[Environment], scopes: &[Scope<'_>], seen: &[WorkloadId]| {
            let found = environments((settings, &[]), scopes, seen.iter());
            found.into_iter().map(|e| e.name).collect::<Vec<_>>()
        };
        let both: [Scope<'_>; 2] = [(&eu, &shop), (&us, &shop)];
        assert_eq!(names(&settings, &both, &[]), ["b", "a"], "in their order");
        assert_eq!(names(&settings, &both[..1], &[]), ["b"]);
        let pay: [Box<str>; 1] = ["pay".into()];
        assert_eq!(
            names(&settings[..1], &[(&eu, &pay)], &[]),
            ["pay"],
            "none is in scope"
        );
        assert_eq!(names(&[], &both, &[]), ["eu", "us"]);
        let seen = [id("eu", "pay", "x"), id("eu", "shop", "x")];
        assert_eq!(names(&[], &[(&eu, &[])], &seen), ["pay", "shop"]);
        assert_eq!(
            names(&[], &[(&eu, &[]), (&us, &[])], &seen),
            ["eu/pay", "eu/shop", "us"]
        );
    }

    #[test]
    fn what_differs_comes_first_and_what_is_in_one_place_alone_last() {
        let ids: Vec<_> = ["a", "b", "c", "d"]
            .iter()
            .flat_map(|name| [id("dev", "shop", name), id("prod", "shop", name)])
            .collect();
        let environments = [
            environment("dev", "dev", &[]),
            environment("prod", "prod", &[]),
        ];
        let running = ids
            .iter()
            .enumerate()
            .filter_map(|(n, id)| match (&*id.name, n % 2) {
                ("a", 1) => None,
                ("b", _) => Some(run(id, "1", &[])),
                ("c", n) => Some(run(id, ["3", "2"][n], &[])),
                ("d", n) => Some(run(id, ["3", "1"][n], &[])),
                (_, _) => Some(run(id, "9", &[])),
            });
        let ran = |_: &WorkloadId| {
            [("3", 30), ("2", 20), ("1", 10)]
                .map(|(v, t)| (v.to_owned(), at(t)))
                .to_vec()
        };
        let mut rows = rows(&environments, &running.collect::<Vec<_>>(), ran);
        assert!(rows[0].cell(1).is_none() && rows[0].cells.len() == 1);
        sort(&mut rows, Sort::Drift);
        let names: Vec<_> = rows.iter().map(|row| &*row.service).collect();
        assert_eq!(names, ["d", "c", "b", "a"]);
        sort(&mut rows, Sort::Name);
        assert_eq!(&*rows[0].service, "a");
    }

    #[test]
    fn a_way_of_its_own_outranks_the_order_of_the_environments() {
        let (eu, us) = (ClusterId::from("eu"), ClusterId::from("us"));
        let settings =
            ["prod", "sandbox", "dev", "staging"].map(|name| environment(name, "eu", &[]));
        let way = ["dev", "staging", "prod"].map(str::to_owned);
        let found = environments((&settings, &way), &[(&eu, &[]), (&us, &[])], [].iter());
        let names: Vec<_> = found.iter().map(|e| &*e.name).collect();
        assert_eq!(names, ["dev", "staging", "prod", "sandbox"]);
        assert_eq!(found.iter().filter(|e| is_on(&way, e)).count(), 3);
        assert!(found.iter().all(|e| is_on(&[], e)));
    }

    #[test]
    fn of_several_each_stands_beside_its_own_and_the_worst_is_told() {
        let environments = [
            environment("dev", "dev", &[]),
            environment("prod", "prod", &[]),
        ];
        let set = |cluster, namespace| WorkloadId {
            kind: Kind::StatefulSet,
            ..id(cluster, namespace, "web")
        };
        let deployment = |cluster, namespace| id(cluster, namespace, "web");
        let of = |running: &[(WorkloadId, &str)]| {
            let running: Vec<_> = running
                .iter()
                .map(|(id, digest)| run(id, "1", &[digest]))
                .collect();
            let rows = rows(&environments, &running, |_| Vec::new());
            assert_eq!(rows.len(), 1);
            rows[0].cells[1].beside.map(|(_, beside)| beside)
        };
        let twice = [
            (deployment("dev", "shop"), "a"),
            (deployment("dev", "pay"), "b"),
        ];
        let there = |shop, pay| {
            [
                (deployment("prod", "shop"), shop),
                (deployment("prod", "pay"), pay),
            ]
        };
        assert_eq!(
            of(&[&twice[..], &there("a", "b")].concat()),
            Some(Beside::Same)
        );
        assert_eq!(
            of(&[&twice[..], &there("a", "c")].concat()),
            Some(Beside::OtherDigest)
        );
        // Nothing says which of the two it comes from.
        let elsewhere = [(deployment("prod", "other"), "a")];
        assert_eq!(of(&[&twice[..], &elsewhere].concat()), Some(Beside::Apart));
        // Of two kinds each has its own, whatever the namespaces are called.
        let kinds = [(deployment("dev", "x"), "a"), (set("dev", "x"), "b")];
        let here = [(deployment("prod", "y"), "a"), (set("prod", "y"), "b")];
        assert_eq!(of(&[&kinds[..], &here].concat()), Some(Beside::Same));
    }
}
