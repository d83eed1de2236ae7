//! What went out together with the service: it may have to go back with it.

use jiff::{SignedDuration, Timestamp};

use super::{CheckId, Finding, Verdict};
use crate::domain::version::version;
use crate::domain::{Fleet, Workload};
use crate::text;

/// A pipeline that rolls several services out needs a while from the first to the last.
const TOGETHER: SignedDuration = SignedDuration::from_mins(2);

/// Others of the namespace whose template was written within two minutes of this one's, by the same manager, for
/// the same owner (a Helm release, an application), or with the same version. From what the feeds know, by the
/// times of the field managers.
pub fn verdict(fleet: &Fleet, workload: &Workload, now: Timestamp) -> Option<Verdict> {
    let (_, at) = workload.written_by.as_ref()?;
    let names: Vec<_> = fleet
        .workloads()
        .filter(|other| together(workload, other))
        .map(|other| &*other.id.name)
        .collect();
    (!names.is_empty()).then(|| Verdict {
        check: CheckId::Siblings,
        finding: Finding::Warn,
        sentence: format!(
            "went out with {} {} ago: {}",
            workload.id.name,
            text::age(*at, now),
            text::list(&names)
        ),
    })
}

fn together(workload: &Workload, other: &Workload) -> bool {
    let place = |w: &Workload| (w.id.cluster.clone(), w.id.namespace.clone());
    if other.uid == workload.uid || place(other) != place(workload) {
        return false;
    }
    let (Some((who, at)), Some((their, then))) = (&workload.written_by, &other.written_by) else {
        return false;
    };
    let near = at.duration_since(*then).abs() <= TOGETHER;
    let owned = workload.manager.is_some() && workload.manager == other.manager;
    let of = |w: &Workload| version(&w.containers, w.version_label.as_deref(), None);
    near && (who == their || owned || of(workload) == of(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{ago, containers, now, workload};
    use crate::domain::source::Feed;
    use crate::domain::{Change, Item, Kind, Manager, SourceId};

    /// In the namespace shop, by this manager, so many seconds ago.
    fn other(name: &str, by: &str, seconds: i64) -> Workload {
        let mut other = workload(Kind::Deployment);
        (other.id.name, other.uid) = (name.into(), name.into());
        other.written_by = Some((by.into(), ago(seconds)));
        other.containers = containers("shop/catalog:1.0");
        other
    }

    fn said(others: Vec<Workload>) -> Option<String> {
        let source = SourceId {
            cluster: "prod-eu".into(),
            namespace: None,
            feed: Feed::Workloads(Kind::Deployment),
        };
        let mut this = workload(Kind::Deployment);
        this.manager = Some(Manager::Helm("shop".into()));
        let mut fleet = Fleet::default();
        for each in others.into_iter().chain([this.clone()]) {
            fleet.apply(&source, Change::Put(Item::Workload(Box::new(each))));
        }
        verdict(&fleet, &this, now()).map(|verdict| verdict.sentence)
    }

    #[test]
    fn near_in_time_and_by_the_same_hand() {
        let (mut elsewhere, mut version, mut owned) = (
            other("elsewhere", "kubectl-set", 240),
            other("by-version", "someone", 250),
            other("by-owner", "someone", 230),
        );
        elsewhere.id.namespace = "other".into();
        version.containers = containers("shop/x:2.15.0");
        owned.manager = Some(Manager::Helm("shop".into()));
        assert_eq!(
            said(vec![
                other("catalog", "kubectl-set", 300),
                other("late", "kubectl-set", 10),
                other("old", "kubectl-set", 90_000),
                other("stranger", "someone", 240),
                elsewhere,
                version,
                owned,
            ])
            .as_deref(),
            Some("went out with checkout 4m ago: by-owner, by-version and catalog")
        );
        assert_eq!(said(vec![other("stranger", "someone", 240)]), None);
    }
}
