//! A release that stops on purpose part-way: how far it is, what it waits for, and what comes next.

use jiff::{SignedDuration, Timestamp};

use super::pair::route::Route;
use super::{Revision, Workload};

pub mod analysis;
pub mod flagger;

pub use self::analysis::{Analysis, Metric, Verdict};
pub use self::flagger::Flagger;

/// What the controller that moves it says, in the same words for every provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    pub provider: Provider,
    pub reported: Reported,
    /// The controller's own words about that. Not escaped.
    pub message: Box<str>,
    /// The pod hash of the revision that all goes to without the canary; empty while there is none.
    pub stable: Box<str>,
    /// That of the template, which equals `stable` once it is promoted.
    pub current: Box<str>,
    /// What is to go to the canary now, of `whole`.
    pub set: u32,
    /// What goes to it by the traffic router, when there is one.
    pub routed: Option<u32>,
    /// All of the traffic, in the unit of the weights: 100 unless the router counts finer.
    pub whole: u32,
    /// How many steps are done.
    pub step: u32,
    pub steps: Box<[Step]>,
    pub pause: Option<Pause>,
    /// Somebody or something gave it up: all goes to `stable`, and the template still asks for the other.
    pub aborted: bool,
    pub aborted_at: Option<Timestamp>,
    /// The field of the abort is there, be it as false: a test of it has to say the same.
    pub abort_is_written: bool,
    /// Told to leave out the steps that are left.
    pub promoted_fully: bool,
    /// Those that the status names.
    pub analyses: Box<[Analysis]>,
    /// Whose template it runs, when it has none of its own: `Deployment cart`.
    pub template_of: Option<Box<str>>,
    /// The workload of the same kind that all goes to without the canary, when that is not the one it is about.
    pub stable_in: Option<Box<str>>,
    /// What only Flagger says.
    pub flagger: Option<Box<Flagger>>,
    /// What only the two of a pair say.
    pub pair: Option<Box<Pair>>,
    pub restart: Option<Restart>,
    /// To an older revision it goes without steps while fewer than so many lie between that and `stable`.
    pub rollback_window: u32,
}

/// All pods older than this are made anew, one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    pub at: Timestamp,
    pub done: bool,
}

/// A canary that is a Deployment of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// That sends to both, or to the canary alone where a route tells them apart.
    pub service: Box<str>,
    /// Those of the canary that serve, and all others, behind one Service.
    pub serve: Option<(u32, u32)>,
    /// That is what the Service sends to, and not only what the two Deployments say of their pods.
    pub by_endpoints: bool,
    pub route: Option<Routed>,
}

/// What sends to the two by weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    pub route: Box<Route>,
    /// The Service of the stable one.
    pub stable: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    ArgoRollouts,
    Flagger,
    /// A Deployment that stands still half-way through a rollout. Its own status names no revision.
    PausedDeployment,
    /// A StatefulSet whose partition keeps its first pods as they are.
    Partition,
    /// A Deployment beside another one, behind the same Service.
    Pair,
}

/// The controller's own verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    Healthy,
    Degraded,
    Progressing,
    Paused,
    /// Nothing yet, or a word that this version does not know.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Weight(u32),
    /// For so long, or until somebody promotes it.
    Pause(Option<SignedDuration>),
    Analysis,
    Experiment,
    /// One of several, before it gets any of the traffic.
    Check,
    /// Anything else, by its name in the spec.
    Other(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    pub by: PausedBy,
    pub since: Option<Timestamp>,
    /// When it goes on by itself.
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PausedBy {
    Step,
    /// Before the new side of a blue-green release gets the traffic.
    BlueGreen,
    /// A hook that is asked again and again, and has not said yes.
    Gate,
    /// An analysis or experiment that told neither good nor bad.
    Inconclusive,
    /// `spec.paused`. It hides a pause of a step, whose time goes on.
    Hand,
    Other,
}

/// How far a canary is, in the numbers of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each is a word of its own
pub struct At {
    pub set: Percent,
    /// What it really gets: by the traffic router, else by its share of the pods that serve. `None` when neither is known.
    pub real: Option<Percent>,
    pub routed: bool,
    /// That share is of the ready endpoints of its Service.
    pub by_endpoints: bool,
    /// Its steps are checks of what gets no traffic yet.
    pub checks: bool,
    /// So many of so many pods, of one that is moved by its pods and without steps.
    pub pods: Option<(u32, u32)>,
    /// A person sets its weight in what routes to it.
    pub by_route: bool,
    /// What routes to it sends more there, whatever the weight.
    pub also: bool,
    /// The step it is at, from 1.
    pub step: u32,
    pub steps: u32,
}

pub type Percent = u32;

impl Provider {
    pub const ALL: [Self; 5] = [
        Self::ArgoRollouts,
        Self::Flagger,
        Self::PausedDeployment,
        Self::Partition,
        Self::Pair,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::ArgoRollouts => "Argo Rollouts",
            Self::Flagger => "Flagger",
            Self::PausedDeployment => "a Deployment paused half-way",
            Self::Partition => "a partition",
            Self::Pair => "a pair",
        }
    }

    /// A controller of canaries moves it, and says how far it is. Without one the numbers of pods say that, and it
    /// goes on when somebody changes the object.
    pub fn has_controller(self) -> bool {
        matches!(self, Self::ArgoRollouts | Self::Flagger)
    }
}

impl Canary {
    /// One without a controller: so many of so many pods, until somebody changes that.
    pub fn by_pods(provider: Provider, by: PausedBy, (new, all): (u32, u32)) -> Self {
        Self {
            provider,
            reported: Reported::Paused,
            message: Box::default(),
            stable: Box::default(),
            current: Box::default(),
            set: new,
            routed: None,
            whole: all,
            step: 0,
            steps: Box::default(),
            pause: Some(Pause {
                by,
                since: None,
                until: None,
            }),
            aborted: false,
            aborted_at: None,
            abort_is_written: false,
            promoted_fully: false,
            analyses: Box::default(),
            template_of: None,
            stable_in: None,
            flagger: None,
            pair: None,
            restart: None,
            rollback_window: 0,
        }
    }

    /// The revision of the template is what all goes to. What names no revision is not: absent equals absent.
    pub fn is_promoted(&self) -> bool {
        if let Some(flagger) = &self.flagger {
            return flagger.phase.is_at_rest();
        }
        !self.current.is_empty() && self.current == self.stable
    }

    /// Two revisions share the traffic, or are to.
    pub fn is_partial(&self) -> bool {
        match self.provider {
            Provider::Flagger => {
                let flagger = self.flagger.as_ref();
                return flagger.is_some_and(|flagger| flagger.phase.is_under_way() || self.aborted);
            }
            Provider::PausedDeployment | Provider::Pair => return true,
            Provider::ArgoRollouts | Provider::Partition => {}
        }
        !self.stable.is_empty() && !self.current.is_empty() && self.current != self.stable
    }

    /// So many of so many pods, of one whose weight is just that.
    pub fn pods(&self) -> Option<(u32, u32)> {
        let by_pods = !self.provider.has_controller() && self.route().is_none();
        by_pods.then_some((self.set, self.whole))
    }

    /// What sends to it by weight, of one that a person moves.
    pub fn route(&self) -> Option<&Routed> {
        self.pair.as_ref()?.route.as_ref()
    }

    /// What each rule of its route gives it that sends to both, of an `HTTPRoute`.
    pub fn shares(&self) -> Vec<Percent> {
        let Some((pair, routed)) = self
            .pair
            .as_ref()
            .and_then(|p| Some((p, p.route.as_ref()?)))
        else {
            return Vec::new();
        };
        let shares = routed.route.shares(&pair.service, &routed.stable);
        let percent = |(new, all): (u32, u32)| share(new.into(), u64::from(all.max(1)));
        shares.map(percent).collect()
    }

    /// What its route sends there whatever the weight: `header x-canary`.
    pub fn also(&self) -> Option<String> {
        let pair = self.pair.as_ref()?;
        let routed = pair.route.as_ref()?;
        routed.route.also(&pair.service, &routed.stable)
    }

    /// The Deployment that it serves beside, of one that a person moves.
    pub fn beside(&self) -> Option<&str> {
        let pair = self.provider == Provider::Pair;
        self.stable_in.as_deref().filter(|_| pair)
    }

    /// Flagger sets its scale, and says how it stands.
    pub fn is_moved_by_flagger(&self) -> bool {
        let phase = self.flagger.as_ref().map(|flagger| flagger.phase);
        phase.is_some_and(|phase| {
            phase.is_at_rest() || phase.is_under_way() || phase == flagger::Phase::Failed
        })
    }

    /// Its sides are revisions of the workload itself, which `stable` and `current` name.
    pub fn is_within(&self) -> bool {
        self.stable_in.is_none()
    }

    /// Why it was given up, in its controller's words: `Rollout aborted update to revision 3: <why>`. Not escaped.
    pub fn cause(&self) -> Option<&str> {
        let (_, rest) = self.message.split_once("update to revision ")?;
        rest.split_once(": ").map(|(_, cause)| cause)
    }

    /// By the traffic router, when there is one.
    pub fn gets(&self) -> Option<Percent> {
        let whole = u64::from(self.whole.max(1));
        self.routed.map(|routed| share(routed.into(), whole))
    }

    /// What its step does, `None` when all are done.
    pub fn now(&self) -> Option<&Step> {
        self.steps.get(usize::try_from(self.step).ok()?)
    }

    /// The steps after the one it is at.
    pub fn next(&self) -> &[Step] {
        let from = usize::try_from(self.step).unwrap_or(usize::MAX);
        self.steps.get(from.saturating_add(1)..).unwrap_or_default()
    }
}

/// `None` unless two revisions share the traffic.
pub fn at<'a>(
    workload: &Workload,
    revisions: impl IntoIterator<Item = &'a Revision>,
) -> Option<At> {
    let canary = workload.canary.as_deref().filter(|c| c.is_partial())?;
    let steps = u32::try_from(canary.steps.len()).unwrap_or(u32::MAX);
    let whole = u64::from(canary.whole.max(1));
    let percent = |part: u32| share(part.into(), whole);
    let by_pods = || serve(workload, canary, revisions);
    Some(At {
        set: percent(canary.set),
        real: canary.gets().or_else(by_pods),
        routed: canary.routed.is_some(),
        by_endpoints: canary.pair.as_ref().is_some_and(|pair| pair.by_endpoints),
        checks: canary.steps.last() == Some(&Step::Check),
        pods: canary.pods(),
        by_route: canary.route().is_some(),
        also: canary.also().is_some(),
        step: canary.step.saturating_add(1).min(steps),
        steps,
    })
}

/// The canary's share of the pods that serve. Of a StatefulSet no revision tells how many of its own do, so that it is
/// known only where all of them serve.
fn serve<'a>(
    workload: &Workload,
    canary: &Canary,
    revisions: impl IntoIterator<Item = &'a Revision>,
) -> Option<Percent> {
    if let Some(pair) = &canary.pair {
        let (new, old) = pair.serve?;
        let all = new.saturating_add(old);
        return (all > 0).then(|| share(new.into(), all.into()));
    }
    let counts = workload.counts;
    let all = counts.available;
    let mut revisions = revisions.into_iter();
    let new = match canary.provider {
        // Where its stable side is another workload, the shares of the one are those of nothing.
        _ if !canary.is_within() => return None,
        Provider::ArgoRollouts | Provider::Flagger => {
            revisions.find(|r| r.pod_hash == canary.current)?.available
        }
        Provider::PausedDeployment => {
            let numbered = |r: &&Revision| Some(r.number) == workload.revision;
            revisions.find(numbered)?.available
        }
        Provider::Pair => return None,
        Provider::Partition => (all == counts.total).then_some(counts.updated)?,
    };
    (all > 0).then(|| share(new.min(all).into(), all.into()))
}

impl At {
    /// Its numbers say more than its phase.
    pub fn is_told(&self) -> bool {
        self.steps > 0 || self.pods.is_some() || self.by_route
    }
}

fn share(part: u64, whole: u64) -> Percent {
    u32::try_from(part * 100 / whole).unwrap_or(u32::MAX)
}

#[cfg(test)]
/// At the second of five steps, `pause until promoted` after 20 %.
pub(crate) fn sample() -> Canary {
    Canary {
        provider: Provider::ArgoRollouts,
        reported: Reported::Paused,
        message: "CanaryPauseStep".into(),
        stable: "old".into(),
        current: "new".into(),
        set: 20,
        routed: None,
        whole: 100,
        step: 1,
        steps: [
            Step::Weight(20),
            Step::Pause(None),
            Step::Weight(60),
            Step::Pause(Some(SignedDuration::from_secs(30))),
            Step::Weight(100),
        ]
        .into(),
        pause: Some(Pause {
            by: PausedBy::Step,
            since: Some(super::fixture::ago(1320)),
            until: None,
        }),
        aborted: false,
        aborted_at: None,
        abort_is_written: false,
        promoted_fully: false,
        analyses: [].into(),
        template_of: None,
        stable_in: None,
        flagger: None,
        pair: None,
        restart: None,
        rollback_window: 0,
    }
}

#[cfg(test)]
/// Promoted long ago.
pub(crate) fn healthy() -> Canary {
    Canary {
        reported: Reported::Healthy,
        message: "".into(),
        stable: "new".into(),
        set: 100,
        step: 5,
        pause: None,
        ..sample()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Kind;
    use crate::domain::fixture::{IMAGE, OLD_IMAGE, revision, workload};

    fn world(canary: Canary, available: (u32, u32)) -> (Workload, [Revision; 2]) {
        let mut cart = workload(Kind::Rollout);
        cart.canary = Some(Box::new(canary));
        cart.counts.available = available.0 + available.1;
        let mut new = revision(Kind::Rollout, 8, "new", IMAGE);
        let mut old = revision(Kind::Rollout, 7, "old", OLD_IMAGE);
        (new.available, old.available) = available;
        (cart, [new, old])
    }

    #[test]
    fn what_it_gets_is_said_by_the_router_else_by_the_pods_that_serve() {
        let (cart, revisions) = world(sample(), (1, 4));
        let found = at(&cart, &revisions).unwrap();
        assert_eq!((found.set, found.real, found.routed), (20, Some(20), false));
        assert_eq!((found.step, found.steps), (2, 5));
        let (cart, revisions) = world(sample(), (0, 4));
        assert_eq!(at(&cart, &revisions).unwrap().real, Some(0));
        assert_eq!(at(&cart, &[]).unwrap().real, None, "not known");
        let (cart, revisions) = world(sample(), (0, 0));
        assert_eq!(at(&cart, &revisions).unwrap().real, None, "nothing serves");
        let routed = Canary {
            routed: Some(150),
            set: 200,
            whole: 1000,
            ..sample()
        };
        let (cart, revisions) = world(routed, (1, 4));
        let found = at(&cart, &revisions).unwrap();
        assert_eq!((found.set, found.real, found.routed), (20, Some(15), true));
    }

    #[test]
    fn without_a_controller_the_pods_tell() {
        let half_way = Canary::by_pods(Provider::PausedDeployment, PausedBy::Hand, (3, 7));
        let (mut web, [mut new, old]) = world(half_way, (3, 4));
        (web.id.kind, web.revision) = (Kind::Deployment, Some(42));
        new.number = 42;
        let found = at(&web, &[new, old]).unwrap();
        assert_eq!(
            (found.set, found.real, found.pods),
            (42, Some(42), Some((3, 7)))
        );
        assert_eq!(at(&web, &[]).unwrap().real, None, "not known");
        let held = Canary {
            stable: "old".into(),
            current: "new".into(),
            ..Canary::by_pods(Provider::Partition, PausedBy::Step, (2, 6))
        };
        let mut db = workload(Kind::StatefulSet);
        db.canary = Some(Box::new(held));
        db.counts.updated = 2;
        let found = at(&db, &[]).unwrap();
        assert_eq!((found.set, found.real), (33, Some(33)));
        db.counts.available = 5;
        assert_eq!(
            at(&db, &[]).unwrap().real,
            None,
            "which one does not serve?"
        );
    }

    #[test]
    fn only_two_revisions_make_a_canary() {
        let (cart, revisions) = world(healthy(), (5, 0));
        assert_eq!(at(&cart, &revisions), None);
        assert!(healthy().is_promoted());
        let unknown = Canary {
            stable: "".into(),
            current: "".into(),
            ..sample()
        };
        assert!(!unknown.is_promoted() && !unknown.is_partial());
    }

    #[test]
    fn a_success_without_a_number_is_hollow() {
        for (value, samples, hollow) in [
            ("[0.97]", 3, false),
            ("\"0.97\"", 1, false),
            ("true", 1, false),
            ("[0.97,0.98]", 1, false),
            ("[0.97]", 0, true),
            ("", 3, true),
            ("[]", 3, true),
            ("null", 3, true),
            ("[NaN]", 3, true),
            ("[0.97,NaN]", 3, true),
            ("+Inf", 3, true),
        ] {
            let mut metric = Metric {
                name: "rate".into(),
                verdict: Verdict::Successful,
                value: value.into(),
                limit: "result[0] >= 0.95".into(),
                samples,
                failed: 0,
            };
            assert_eq!(metric.is_hollow(), hollow, "{value} {samples}");
            metric.verdict = Verdict::Failed;
            assert!(!metric.is_hollow(), "it does not pass");
        }
    }

    #[test]
    fn the_steps_that_are_left() {
        let mut canary = sample();
        assert_eq!(canary.now(), Some(&Step::Pause(None)));
        assert_eq!(canary.next().len(), 3);
        canary.step = 5;
        assert_eq!(canary.now(), None);
        assert!(canary.next().is_empty());
        let (cart, revisions) = world(canary, (5, 0));
        assert_eq!(
            at(&cart, &revisions).unwrap().step,
            5,
            "never past the last"
        );
    }
}
