//! What git says against a write: who would put it back and when, and the two ways out, as offers.

use serde_json::Value;

use super::{
    CheckId, Document, Evidence, Finding, FreshSync, Keeper, ObjectRef, Offer, OfferId, Plan, Step,
    Verdict, check, kubectl,
};
use crate::domain::{
    Automatic, Manager, Suspension, Sync, SyncKind, Verbatim, Workload, WorkloadId,
};
use crate::text;

mod change;
pub mod switch;
mod yaml;

/// What git has, and a plan writes otherwise.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// The second of two pod templates in place of the first.
    Template(&'a Value, &'a Value),
    Replicas(u32),
    /// So many of its first pods keep their template.
    Partition(u32),
    /// It moves again. Git has the pause only where somebody wrote it there.
    Resumed,
}

/// One object that a plan writes to.
#[derive(Debug)]
pub struct Written<'a> {
    /// `deploy/checkout`.
    pub name: String,
    pub manager: Option<&'a Manager>,
    pub keeper: &'a Keeper,
    /// The change for git; `None` when git says the same.
    pub manifest: Option<Manifest>,
    /// Git may say nothing of what is written.
    pub perhaps: bool,
}

/// The same change as git would have it.
#[derive(Debug)]
pub enum Manifest {
    /// A strategic merge patch.
    Merge(Value),
    /// The operations of a JSON Patch, where the lists of the kind have no keys.
    Operations(Value),
}

impl<'a> Written<'a> {
    pub fn workload(workload: &'a Workload, keeper: &'a Keeper, change: Change<'_>) -> Self {
        let id = &workload.id;
        let manifest = match change {
            Change::Template(before, after) => change::template(id, before, after),
            Change::Replicas(count) => Some(change::replicas(id, count)),
            Change::Partition(to) => Some(change::partition(id, to)),
            Change::Resumed => Some(change::resumed(id)),
        };
        Self {
            name: id.to_string(),
            manager: workload.manager.as_ref(),
            keeper,
            manifest: manifest.map(Manifest::Merge),
            perhaps: matches!(change, Change::Resumed),
        }
    }
}

/// Adds what keeps the workload as git has it to a plan that writes something else.
pub fn guard(plan: &mut Plan, evidence: &Evidence, change: Change<'_>) {
    if evidence.keeper == Keeper::None {
        return;
    }
    let own = Written::workload(&evidence.workload, &evidence.keeper, change);
    guard_all(plan, evidence, &[own]);
}

/// The same for a plan that writes to these objects.
pub fn guard_all(plan: &mut Plan, evidence: &Evidence, written: &[Written<'_>]) {
    let verdict = of_all(written, evidence);
    plan.checks.retain(|check| check.id != CheckId::Owner);
    plan.add(verdict.into());
    plan.offers.extend(suspend(evidence, written));
    plan.offers.extend(patch(plan, evidence, written));
}

/// What is said of each owner, the worst first; of one that owns several of them once.
fn of_all(written: &[Written<'_>], evidence: &Evidence) -> Verdict {
    let mut said: Vec<Verdict> = Vec::new();
    for (at, one) in written.iter().enumerate() {
        if written[..at].iter().any(|before| same_owner(before, one)) {
            continue;
        }
        let its = written.iter().filter(|other| same_owner(other, one));
        let names: Vec<_> = its.map(|one| &*one.name).collect();
        let own = written.len() == 1 && one.name == evidence.workload.id.to_string();
        let what = if own {
            "it".into()
        } else {
            names.join(" and ")
        };
        said.extend(of_one(one, &what, evidence));
    }
    said.sort_by_key(|verdict| rank(verdict.finding));
    let finding = said.first().map_or(Finding::Ok, |verdict| verdict.finding);
    let sentences: Vec<_> = said.into_iter().map(|verdict| verdict.sentence).collect();
    if sentences.is_empty() {
        let words = "nothing on what is written says that anybody else owns it";
        return owner(Finding::Ok, words.into());
    }
    owner(finding, sentences.join("; "))
}

fn same_owner(one: &Written<'_>, other: &Written<'_>) -> bool {
    match (one.keeper, other.keeper) {
        (Keeper::Found(a), Keeper::Found(b)) => {
            let lists = |fresh: &FreshSync| fresh.sync.keeps != Some(false);
            a.sync.id == b.sync.id && lists(a) == lists(b) && one.perhaps == other.perhaps
        }
        (Keeper::Unknown { named: a, .. }, Keeper::Unknown { named: b, .. }) => a == b,
        (Keeper::None, Keeper::None) => one.manager == other.manager,
        _ => false,
    }
}

/// The worst first.
fn rank(finding: Finding) -> u8 {
    match finding {
        Finding::Block => 0,
        Finding::Unverified => 1,
        Finding::Warn => 2,
        Finding::Ok => 3,
    }
}

/// `None` where nobody else owns it.
fn of_one(written: &Written<'_>, what: &str, evidence: &Evidence) -> Option<Verdict> {
    match written.keeper {
        Keeper::None => {
            let manager = written.manager?;
            let verdict = check::owner::of_field(manager, what);
            Some(verdict)
        }
        Keeper::Found(fresh) => Some(found(&fresh.sync, (what, written.perhaps), evidence)),
        Keeper::Unknown { named, why } => Some(owner(
            Finding::Unverified,
            format!(
                "{named} owns {what}, and whether it puts back what git says by itself is not known: {why}"
            ),
        )),
    }
}

fn owner(finding: Finding, sentence: String) -> Verdict {
    Verdict {
        check: CheckId::Owner,
        finding,
        sentence,
    }
}

/// Whether what keeps it undoes the write.
fn found(sync: &Sync, (what, perhaps): (&str, bool), evidence: &Evidence) -> Verdict {
    let id = &sync.id;
    if sync.keeps == Some(false) {
        let of = if what == "it" {
            "its mark".into()
        } else {
            format!("the mark of {what}")
        };
        let sentence = format!("{of} names {id}, which does not list it among what it keeps");
        return owner(Finding::Warn, sentence);
    }
    match (sync.reverts(), &sync.suspension) {
        (Some(when), _) if perhaps => owner(
            Finding::Warn,
            format!("{id} owns {what}; where git has this too, {when}"),
        ),
        (Some(when), _) => {
            let finding = match (&sync.automatic, id.kind) {
                // What it installed stays until there is something newer to install.
                (Automatic::NextChange, SyncKind::HelmRelease) => Finding::Warn,
                _ => Finding::Block,
            };
            owner(finding, format!("{id} owns {what}, and {when}"))
        }
        (None, Some(by)) => {
            let ago = text::age(by.at, evidence.read_at);
            let by = &by.by;
            owner(
                Finding::Warn,
                format!("{id} owns {what}; its sync is suspended by {by}, {ago} ago"),
            )
        }
        (None, None) => owner(
            Finding::Warn,
            format!(
                "{id} owns {what} and does not sync by itself: a sync by hand puts back what git says"
            ),
        ),
    }
}

/// Only what would undo the write is worth suspending.
fn suspend(evidence: &Evidence, written: &[Written<'_>]) -> Option<Offer> {
    let mut syncs: Vec<&FreshSync> = Vec::new();
    for one in written {
        if let Keeper::Found(fresh) = one.keeper
            && fresh.sync.keeps != Some(false)
            && fresh.sync.reverts().is_some()
            && syncs.iter().all(|other| other.sync.id != fresh.sync.id)
        {
            syncs.push(fresh);
        }
    }
    let steps: Option<Vec<_>> = syncs.iter().map(|fresh| off(evidence, fresh)).collect();
    let names: Vec<_> = syncs
        .iter()
        .map(|fresh| fresh.sync.id.to_string())
        .collect();
    let names = names.join(" and ");
    let text = match &syncs[..] {
        [] => return None,
        [fresh] => match &fresh.sync.parent {
            None => format!("suspend {names} first; one key resumes it later"),
            Some(parent) => format!("suspend {names} first; {parent} may undo that"),
        },
        _ => format!("suspend {names} first; one key each resumes them later"),
    };
    let mut offer = Offer::new(OfferId::SuspendSync, 's', text, steps?);
    let of_all = |fresh: &&FreshSync| fresh.sync.id.kind != SyncKind::HelmRelease;
    let also = if syncs.iter().any(of_all) {
        ", for all that it keeps"
    } else {
        ""
    };
    let stays = match syncs.len() {
        1 => format!("is suspended first, and stays so until it is resumed{also}"),
        _ => format!("are suspended first, and stay so until they are resumed{also}"),
    };
    let verdict = owner(Finding::Warn, format!("{names} {stays}"));
    offer.instead = Some(Box::new(verdict));
    Some(offer)
}

fn off(evidence: &Evidence, fresh: &FreshSync) -> Option<Step> {
    let sync = &fresh.sync;
    let note = Suspension {
        id: evidence.stamp.id.clone(),
        by: evidence.stamp.by.clone(),
        at: evidence.stamp.at,
        was: fresh.parts.switch.clone().unwrap_or_default(),
    };
    let body = switch::off(sync, &fresh.parts, &note).ok()?;
    Some(Step::SyncPatch {
        object: ObjectRef::of_sync(&sync.id),
        body: Verbatim(body.into()),
        what: format!("suspend the sync of {}", sync.id),
    })
}

/// The same change as a patch of each manifest that git has, when there is any.
fn patch(plan: &Plan, evidence: &Evidence, written: &[Written<'_>]) -> Option<Offer> {
    let kept = written.iter().filter(|one| *one.keeper != Keeper::None);
    let parts: Vec<_> = kept
        .filter_map(|one| Some((one, one.manifest.as_ref()?)))
        .collect();
    if parts.is_empty() {
        return None;
    }
    let id = &evidence.workload.id;
    let first = format!(
        "{id} in {}: {} -> {}",
        id.namespace, plan.arrow.0, plan.arrow.1
    );
    let texts = parts.iter().enumerate().map(|(at, (one, manifest))| {
        let mut lines = if at == 0 {
            vec![first.clone()]
        } else {
            Vec::new()
        };
        lines.extend(head(one, manifest, id));
        let comment = |line: &String| format!("# {}\n", text::escape(line));
        let head: String = lines.iter().map(comment).collect();
        let (Manifest::Merge(value) | Manifest::Operations(value)) = manifest;
        format!("{head}{}", yaml::of(value))
    });
    let texts: Vec<_> = texts.collect();
    let text = "the change for git: a patch in a file and on the clipboard";
    let mut offer = Offer::new(OfferId::GitPatch, 'g', text, Vec::new());
    offer.document = Some(Box::new(Document {
        name: file_name(id, &evidence.stamp.id),
        text: texts.join("---\n"),
    }));
    Some(offer)
}

fn file_name(id: &WorkloadId, action: &str) -> String {
    let kind = id.kind.short();
    let safe = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "-");
    format!(
        "{}-{kind}-{}-{action}.yaml",
        safe(&id.namespace),
        safe(&id.name)
    )
}

/// What it is, where it belongs, and how one tries it.
fn head(written: &Written<'_>, manifest: &Manifest, id: &WorkloadId) -> Vec<String> {
    let (kind, of_type) = match manifest {
        Manifest::Merge(_) => ("A strategic merge patch", ""),
        Manifest::Operations(_) => ("A JSON patch", " --type json"),
    };
    let mut lines = vec![
        format!("{kind}: a patch of a kustomization takes it as it is, and so does"),
        format!(
            "kubectl{} patch {}{of_type} --patch-file THIS --dry-run=server",
            kubectl::place(&id.cluster, &id.namespace),
            written.name
        ),
    ];
    if let Keeper::Found(fresh) = written.keeper {
        let sync = &fresh.sync;
        let target = match &*sync.target {
            "" => String::new(),
            target => format!(", {target}"),
        };
        lines.push(format!("For {}: {}{target}", sync.id, sync.source));
    }
    lines
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::sync::sample as sync_sample;
    use crate::domain::{Fleet, SyncParts};
    use crate::plan::check::CheckState;
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{Target, Verb, gate, plan as make};

    fn kept(automatic: Automatic) -> Evidence {
        let mut evidence = sample::evidence();
        let automated = r#"{"prune":true,"selfHeal":true}"#;
        evidence.keeper = Keeper::Found(Box::new(FreshSync {
            sync: sync_sample(automatic),
            parts: SyncParts {
                sync_policy: true,
                switch: Some(automated.into()),
                ..SyncParts::default()
            },
        }));
        evidence
    }

    fn plan(evidence: &Evidence) -> Plan {
        make(&Fleet::default(), evidence, sample::AT.parse().unwrap()).unwrap()
    }

    fn owner_of(plan: &Plan) -> &Verdict {
        let check = plan.checks.iter().find(|c| c.id == CheckId::Owner).unwrap();
        let CheckState::Answered(verdict) = &check.state else {
            panic!("{check:?}");
        };
        verdict
    }

    /// What puts back what git says at once.
    pub fn healing() -> Keeper {
        kept(Automatic::Heals { within: None }).keeper
    }

    fn healed() -> Evidence {
        kept(Automatic::Heals { within: None })
    }

    #[test]
    fn a_write_that_is_undone_is_blocked_until_the_sync_is_suspended_first() {
        let mut plan = plan(&healed());
        let said = owner_of(&plan);
        assert_eq!(said.finding, Finding::Block);
        assert!(
            said.sentence.contains("Argo CD application shop owns it"),
            "{}",
            said.sentence
        );
        let override_it = |plan: &Plan| {
            let missing = gate::missing(plan.level, plan, &[], &super::super::Answers::default());
            missing.contains(&super::super::Missing::Override(CheckId::Owner))
        };
        assert!(override_it(&plan));
        plan.take(OfferId::SuspendSync, true);
        assert!(!override_it(&plan));
        assert_eq!(owner_of(&plan).finding, Finding::Warn);
        let what: Vec<_> = plan.all_steps().map(Step::what).collect();
        assert_eq!(what[0], "suspend the sync of Argo CD application shop");
        assert!(what[1].starts_with("replace the pod template"), "{what:?}");
        assert_eq!((plan.number(0), plan.number(1)), (0, 0));
        let steps: Vec<_> = plan.all_steps().collect();
        assert!(!plan.begins_at(steps[0]) && plan.begins_at(steps[1]));
        plan.take(OfferId::SuspendSync, false);
        assert!(override_it(&plan));
        assert_eq!(plan.all_steps().count(), 1);
    }

    #[test]
    fn each_way_of_keeping_is_told() {
        let suspended = || {
            let mut evidence = kept(Automatic::Off);
            if let Keeper::Found(fresh) = &mut evidence.keeper {
                fresh.sync.suspension = Some(Box::new(Suspension {
                    id: "x".into(),
                    by: "me@here".into(),
                    at: "2026-01-01T11:48:00Z".parse().unwrap(),
                    was: String::new(),
                }));
            }
            evidence
        };
        let not_its = || {
            let mut evidence = healed();
            if let Keeper::Found(fresh) = &mut evidence.keeper {
                fresh.sync.keeps = Some(false);
            }
            evidence
        };
        let unknown = || {
            let mut evidence = sample::evidence();
            evidence.keeper = Keeper::Unknown {
                named: crate::domain::SyncRef {
                    kind: SyncKind::Kustomization,
                    namespace: None,
                    name: "apps".into(),
                },
                why: "needs get kustomizations".into(),
            };
            evidence
        };
        for (evidence, finding, words, suspends) in [
            (
                kept(Automatic::NextChange),
                Finding::Block,
                "with the next commit",
                true,
            ),
            (
                kept(Automatic::Off),
                Finding::Warn,
                "does not sync by itself",
                false,
            ),
            (
                suspended(),
                Finding::Warn,
                "suspended by me@here, 12m ago",
                false,
            ),
            (not_its(), Finding::Warn, "does not list it", false),
            (
                unknown(),
                Finding::Unverified,
                "needs get kustomizations",
                false,
            ),
        ] {
            let plan = plan(&evidence);
            let said = owner_of(&plan);
            assert_eq!(said.finding, finding, "{}", said.sentence);
            assert!(said.sentence.contains(words), "{}", said.sentence);
            let ids: Vec<_> = plan.offers.iter().map(|offer| offer.id).collect();
            assert_eq!(ids.contains(&OfferId::SuspendSync), suspends, "{words}");
            assert!(ids.contains(&OfferId::GitPatch));
        }
    }

    #[test]
    fn the_patch_for_git_says_what_it_is_and_changes_nothing_else() {
        let plan = plan(&healed());
        let patch = plan
            .offers
            .iter()
            .find(|o| o.id == OfferId::GitPatch)
            .unwrap();
        let document = patch.document.as_deref().unwrap();
        assert_eq!(document.name, "shop-deploy-checkout-a1b2.yaml");
        let (head, yaml): (Vec<_>, Vec<_>) =
            document.text.lines().partition(|l| l.starts_with('#'));
        assert!(
            head[0].contains("deploy/checkout in shop: 2.15.0"),
            "{head:?}"
        );
        assert!(
            head[3].contains("https://git.example/shop deploy/prod, main"),
            "{head:?}"
        );
        assert_eq!(
            yaml.join("\n"),
            "apiVersion: \"apps/v1\"\nkind: \"Deployment\"\nmetadata:\n  name: \"checkout\"\n  namespace: \"shop\"\nspec:\n  template:\n    spec:\n      containers:\n        - image: \"shop/checkout:2.14.1\"\n          name: \"web\""
        );
    }

    #[test]
    fn another_number_of_replicas_is_put_back_as_well() {
        let mut evidence = healed();
        evidence.request.verb = Verb::Scale;
        evidence.request.target = Target::Replicas { shown: 6, to: 8 };
        let plan = plan(&evidence);
        assert_eq!(owner_of(&plan).finding, Finding::Block);
        let [suspend, patch] = &plan.offers[..] else {
            panic!("{:?}", plan.offers);
        };
        assert_eq!(suspend.id, OfferId::SuspendSync);
        let text = &patch.document.as_deref().unwrap().text;
        assert!(text.contains("6 replicas -> 8 replicas"), "{text}");
        assert!(text.trim_end().ends_with("spec:\n  replicas: 8"), "{text}");
    }
}
