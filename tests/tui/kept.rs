//! Services that Argo CD or Flux keep as git has them, on the board, on their screen and in a plan.

use rolldeck::app::Model;
use rolldeck::domain::source::Feed;
use rolldeck::domain::{
    Automatic, Change, Health, Item, Manager, Suspension, Sync, SyncId, SyncKind, SyncRef,
    SyncState, Update,
};
use rolldeck::plan::check::CheckState;
use rolldeck::plan::{CheckId, Finding, Offer, OfferId, Step};

use super::cells::{drawn, text};
use super::night::{CLUSTER, MINUTE, Service, ago, feed, model, night, press, source};
use super::plans::{accepted, asked, may, says, with_plan};
use super::snapshots::check;

const NAME: &str = "catalog";

fn named() -> SyncRef {
    SyncRef {
        kind: SyncKind::Application,
        namespace: None,
        name: "shop-catalog".into(),
    }
}

fn sync(automatic: Automatic, state: SyncState) -> Sync {
    Sync {
        id: SyncId {
            cluster: CLUSTER.into(),
            kind: SyncKind::Application,
            namespace: "argocd".into(),
            name: "shop-catalog".into(),
        },
        uid: "a1".into(),
        automatic,
        prunes: true,
        state,
        health: "Healthy".into(),
        message: "".into(),
        source: "https://git.example/shop deploy/catalog".into(),
        target: "main".into(),
        applied: "a1b9e3c".into(),
        suspension: None,
        parent: None,
        keeps: Some(true),
    }
}

fn suspended() -> Sync {
    let mut sync = sync(Automatic::Off, SyncState::OutOfSync);
    sync.suspension = Some(Box::new(Suspension {
        id: "r1".into(),
        by: "oncall@bastion".into(),
        at: ago(12 * MINUTE),
        was: r#"{"prune":true,"selfHeal":true}"#.into(),
    }));
    sync
}

/// The night, with one service that Argo CD keeps.
fn kept() -> Vec<Service> {
    let mut services = night();
    let catalog = services.iter_mut().find(|s| *s.workload.id.name == *NAME);
    catalog.unwrap().workload.manager = Some(Manager::Sync(named()));
    services
}

fn tell(model: &mut Model, of: Feed, sync: Option<Sync>) {
    let source = source(of);
    let item = |sync: Sync| Item::Sync {
        of: match &source.feed {
            Feed::SyncOf { workload, .. } => Some(workload.clone()),
            _ => None,
        },
        sync: Box::new(sync),
    };
    let mut updates: Vec<_> = sync
        .map(item)
        .into_iter()
        .map(|item| Update::Change(Change::Put(item)))
        .collect();
    updates.push(Update::Change(Change::Synced(source.clone())));
    feed(model, source, updates);
}

fn board_with(sync: Sync, width: u16, height: u16) -> Model {
    let mut model = model(&kept(), width, height);
    tell(
        &mut model,
        Feed::Suspended(SyncKind::Application),
        Some(sync),
    );
    rolldeck::app::settle(&mut model);
    model
}

/// Opened with the cursor on it.
fn open(model: &mut Model) -> Feed {
    press(model, &["/", "c", "a", "t", "a", "enter", "enter"]);
    let row = model.board.rows.iter().find(|row| *row.id.name == *NAME);
    Feed::SyncOf {
        workload: row.unwrap().id.clone(),
        sync: named(),
    }
}

#[test]
fn a_suspended_sync_stays_above_the_keys_and_in_its_row() {
    check("kept_board", |w, h| board_with(suspended(), w, h));
}

#[test]
fn the_service_says_what_keeps_it() {
    check("kept_service", |w, h| {
        let mut model = model(&kept(), w, h);
        let of = open(&mut model);
        let healing = sync(Automatic::Heals { within: None }, SyncState::OutOfSync);
        tell(&mut model, of, Some(healing));
        model
    });
}

#[test]
fn what_is_not_known_is_said() {
    let mut model = model(&kept(), 120, 40);
    let of = open(&mut model);
    let shown = |model: &Model| text(&drawn(model));
    assert!(shown(&model).contains("Argo CD application shop-catalog: being read …"));
    let denied = Update::Health(Health::Denied("needs list applications.argoproj.io".into()));
    feed(&mut model, source(of.clone()), vec![denied]);
    let said = shown(&model);
    assert!(
        said.contains("shop-catalog: needs list applications.argoproj.io"),
        "{said}"
    );
    // It is said where it is looked for, and nowhere else.
    assert_eq!(said.matches("needs list").count(), 1, "{said}");
    tell(&mut model, of, None);
    assert!(
        shown(&model).contains("not on this cluster"),
        "{}",
        shown(&model)
    );
}

#[test]
fn a_plan_that_git_undoes_offers_both_ways_out() {
    for taken in [false, true] {
        let name = if taken {
            "kept_plan_taken"
        } else {
            "kept_plan"
        };
        check(name, |w, h| {
            with_plan(w, h, |mut plan, shown| {
                let id = suspended().id;
                let says_owner = |finding, words: &str| says(CheckId::Owner, finding, words);
                let block = format!(
                    "{id} owns it, and it heals itself: what git says is back within seconds"
                );
                let owner = plan.checks.iter_mut().find(|c| c.id == CheckId::Owner);
                owner.unwrap().state = CheckState::Answered(says_owner(Finding::Block, &block));
                let what = format!("suspend {id} first; one key resumes it later");
                let step = Step::SyncPatch {
                    object: plan.steps[0].object().unwrap().clone(),
                    body: rolldeck::domain::Verbatim("[]".into()),
                    what: format!("suspend the sync of {id}"),
                };
                let mut suspend = Offer::new(OfferId::SuspendSync, 's', what, vec![step]);
                let first = format!(
                    "{id} is suspended first, and stays so until it is resumed, for all that it keeps"
                );
                suspend.instead = Some(Box::new(says_owner(Finding::Warn, &first)));
                plan.offers.push(suspend);
                let patch = "the change for git: a patch in a file and on the clipboard";
                plan.offers
                    .push(Offer::new(OfferId::GitPatch, 'g', patch, Vec::new()));
                plan.take(OfferId::SuspendSync, taken);
                shown.stage = asked(plan, vec![may(), accepted()]);
            })
        });
    }
}
