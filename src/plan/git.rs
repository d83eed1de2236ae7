//! What git says against a write: who would put it back and when, and the two ways out, as offers.

use serde_json::Value;

use super::check::CheckState;
use super::kubectl;
use super::{
    Check, CheckId, Document, Evidence, Finding, FreshSync, Keeper, ObjectRef, Offer, OfferId,
    Plan, Step, Verdict,
};
use crate::domain::{Automatic, Suspension, Sync, SyncKind, Verbatim, WorkloadId};
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
}

/// Adds what keeps the workload as git has it to a plan that writes something else.
pub fn guard(plan: &mut Plan, evidence: &Evidence, change: Change<'_>) {
    let verdict = match &evidence.keeper {
        Keeper::None => return,
        Keeper::Found(fresh) => {
            plan.offers.extend(suspend(evidence, fresh));
            found(&fresh.sync, evidence)
        }
        Keeper::Unknown { named, why } => owner(
            Finding::Unverified,
            format!(
                "{named} owns it, and whether it puts back what git says by itself is not known: {why}"
            ),
        ),
    };
    plan.checks.retain(|check| check.id != CheckId::Owner);
    let at = plan
        .checks
        .partition_point(|check| check.id < CheckId::Owner);
    let state = CheckState::Answered(verdict);
    plan.checks.insert(
        at,
        Check {
            id: CheckId::Owner,
            state,
        },
    );
    plan.offers.extend(patch(plan, evidence, change));
}

fn owner(finding: Finding, sentence: String) -> Verdict {
    Verdict {
        check: CheckId::Owner,
        finding,
        sentence,
    }
}

/// Whether what keeps it undoes the write.
fn found(sync: &Sync, evidence: &Evidence) -> Verdict {
    let id = &sync.id;
    if sync.keeps == Some(false) {
        let sentence = format!("its mark names {id}, which does not list it among what it keeps");
        return owner(Finding::Warn, sentence);
    }
    match (sync.reverts(), &sync.suspension) {
        (Some(when), _) => {
            let finding = match (&sync.automatic, id.kind) {
                // What it installed stays until there is something newer to install.
                (Automatic::NextChange, SyncKind::HelmRelease) => Finding::Warn,
                _ => Finding::Block,
            };
            owner(finding, format!("{id} owns it, and {when}"))
        }
        (None, Some(by)) => {
            let ago = text::age(by.at, evidence.read_at);
            let by = &by.by;
            owner(
                Finding::Warn,
                format!("{id} owns it; its sync is suspended by {by}, {ago} ago"),
            )
        }
        (None, None) => owner(
            Finding::Warn,
            format!(
                "{id} owns it and does not sync by itself: a sync by hand puts back what git says"
            ),
        ),
    }
}

/// Only what would undo the write is worth suspending.
fn suspend(evidence: &Evidence, fresh: &FreshSync) -> Option<Offer> {
    let sync = &fresh.sync;
    if sync.keeps == Some(false) {
        return None;
    }
    sync.reverts()?;
    let note = Suspension {
        id: evidence.stamp.id.clone(),
        by: evidence.stamp.by.clone(),
        at: evidence.stamp.at,
        was: fresh.parts.switch.clone().unwrap_or_default(),
    };
    let body = switch::off(sync, &fresh.parts, &note).ok()?;
    let step = Step::SyncPatch {
        object: ObjectRef::of_sync(&sync.id),
        body: Verbatim(body.into()),
        what: format!("suspend the sync of {}", sync.id),
    };
    let text = match &sync.parent {
        None => format!("suspend {} first; one key resumes it later", sync.id),
        Some(parent) => format!("suspend {} first; {parent} may undo that", sync.id),
    };
    let mut offer = Offer::new(OfferId::SuspendSync, 's', text, vec![step]);
    let also = match sync.id.kind {
        SyncKind::HelmRelease => "",
        SyncKind::Application | SyncKind::Kustomization => ", for all that it keeps",
    };
    let sentence = format!(
        "{} is suspended first, and stays so until it is resumed{also}",
        sync.id
    );
    offer.instead = Some(Box::new(owner(Finding::Warn, sentence)));
    Some(offer)
}

/// The same change as a patch of the manifest, when there is any.
fn patch(plan: &Plan, evidence: &Evidence, change: Change<'_>) -> Option<Offer> {
    let id = &evidence.workload.id;
    let manifest = match change {
        Change::Template(before, after) => change::template(id, before, after)?,
        Change::Replicas(count) => change::replicas(id, count),
    };
    let yaml = yaml::of(&manifest);
    let text = "the change for git: a patch in a file and on the clipboard";
    let mut offer = Offer::new(OfferId::GitPatch, 'g', text, Vec::new());
    offer.document = Some(Box::new(Document {
        name: file_name(id, &evidence.stamp.id),
        text: format!("{}{yaml}", head(plan, evidence)),
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

/// What it is, where it belongs, and how one tries it, as comments.
fn head(plan: &Plan, evidence: &Evidence) -> String {
    let id = &evidence.workload.id;
    let mut lines = vec![
        format!(
            "{id} in {}: {} -> {}",
            id.namespace, plan.arrow.0, plan.arrow.1
        ),
        "A strategic merge patch: a patch of a kustomization takes it as it is, and so does".into(),
        format!(
            "kubectl{} patch {id} --patch-file THIS --dry-run=server",
            kubectl::place(&id.cluster, &id.namespace)
        ),
    ];
    if let Keeper::Found(fresh) = &evidence.keeper {
        let sync = &fresh.sync;
        let target = match &*sync.target {
            "" => String::new(),
            target => format!(", {target}"),
        };
        lines.push(format!("For {}: {}{target}", sync.id, sync.source));
    }
    let comment = |line: &String| format!("# {}\n", text::escape(line));
    lines.iter().map(comment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sync::sample as sync_sample;
    use crate::domain::{Fleet, SyncParts};
    use crate::plan::verbs::rollback::sample;
    use crate::plan::{Target, Verb, gate, plan as make};

    pub fn kept(automatic: Automatic) -> Evidence {
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

    fn healing() -> Evidence {
        kept(Automatic::Heals { within: None })
    }

    #[test]
    fn a_write_that_is_undone_is_blocked_until_the_sync_is_suspended_first() {
        let mut plan = plan(&healing());
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
            let mut evidence = healing();
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
        let plan = plan(&healing());
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
        let mut evidence = healing();
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
