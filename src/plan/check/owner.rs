//! Who would put another template back after the write, or would be refused by it.

use super::{CheckId, Finding, Verdict};
use crate::domain::Manager;

/// As far as the object tells.
pub fn verdict(manager: Option<&Manager>) -> Verdict {
    let Some(manager) = manager else {
        return Verdict {
            check: CheckId::Owner,
            finding: Finding::Ok,
            sentence: "nothing on the object says that anybody else owns the template".to_owned(),
        };
    };
    let sentence = match manager {
        Manager::Sync(sync) => format!(
            "{sync} owns it: its next sync puts the version from git back, with self-heal within seconds"
        ),
        Manager::Helm(name) => format!(
            "Helm release {name} owns it: the next helm upgrade brings its own version back; helm rollback {name} goes back for all of it"
        ),
        Manager::LastApplied => {
            "it was made with kubectl apply: the next apply of the same file brings its version back"
                .to_owned()
        }
        Manager::Flagger(name) => format!(
            "the Canary {name} of Flagger made it: its next promotion writes its template again, and its own status never tells of this"
        ),
        Manager::Apply(name) => format!(
            "{name} owns the template by server-side apply: its next apply conflicts with this write, or forces its version back"
        ),
    };
    Verdict {
        check: CheckId::Owner,
        finding: Finding::Warn,
        sentence,
    }
}

/// The same of something else than a template that is written: `what` is it, `it` where that is clear.
pub fn of_field(manager: &Manager, what: &str) -> Verdict {
    let sentence = match manager {
        Manager::Sync(sync) => format!("{sync} owns {what}: its next sync puts back what git says"),
        Manager::Helm(name) => format!(
            "Helm release {name} owns {what}: where its chart sets this, the next helm upgrade brings that back"
        ),
        Manager::LastApplied => format!(
            "kubectl apply made {what}: where its file sets this, the next apply brings that back"
        ),
        Manager::Flagger(name) => format!("the Canary {name} of Flagger owns {what}"),
        Manager::Apply(name) => format!(
            "{name} owns {what} by server-side apply: where it sets this, its next apply conflicts or brings that back"
        ),
    };
    Verdict {
        check: CheckId::Owner,
        finding: Finding::Warn,
        sentence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{SyncKind, SyncRef};

    #[test]
    fn everybody_is_named() {
        for (manager, word) in [
            (
                Manager::Sync(SyncRef {
                    kind: SyncKind::Kustomization,
                    namespace: None,
                    name: "a".into(),
                }),
                "Flux kustomization a",
            ),
            (Manager::Helm("web".into()), "Helm release web"),
            (Manager::LastApplied, "kubectl apply"),
            (Manager::Apply("ci".into()), "ci owns the template"),
            (Manager::Flagger("web".into()), "Canary web of Flagger"),
        ] {
            let verdict = verdict(Some(&manager));
            assert_eq!(verdict.finding, Finding::Warn);
            assert!(verdict.sentence.contains(word), "{}", verdict.sentence);
        }
        assert_eq!(verdict(None).finding, Finding::Ok);
    }
}
