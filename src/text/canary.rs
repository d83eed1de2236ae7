//! How far a canary is and what comes next, in words.

use crate::domain::canary::{Analysis, At, Canary, Metric, Provider, Step};
use crate::domain::pair::route::Route;

use super::{count, duration};

/// `20% step 2/5`, and what it really gets where that is something else: `20% (0% now) step 1/5`.
pub fn at(at: &At) -> String {
    if at.checks {
        return format!("check {}/{}", at.step, at.steps);
    }
    let real = at.real.filter(|real| *real != at.set);
    let real = real.map_or_else(String::new, |real| format!(" ({real}% now)"));
    if let Some((new, all)) = at.pods {
        return format!("{}%{real} {new} of {all} pods", at.set);
    }
    if at.by_route {
        let also = if at.also { " and more" } else { "" };
        return format!("{}%{real}{also} by its route", at.set);
    }
    format!("{}%{real} step {}/{}", at.set, at.step, at.steps)
}

/// What the canary is to get and gets, and by whose word.
pub fn weight(at: &At) -> String {
    if at.checks {
        return "none of it yet: it is checked first".into();
    }
    let of = if at.routed {
        "by the traffic router"
    } else if at.by_endpoints {
        "of the Service's ready endpoints"
    } else {
        "of the pods that serve"
    };
    match at.real {
        Some(real) => format!("{}% set, {real}% {of}", at.set),
        None => format!("{}% set; what it gets is not known", at.set),
    }
}

/// The step it is at: `step 2 of 5: pause until promoted`; without steps how many pods are of it.
pub fn now(canary: &Canary, at: &At) -> String {
    if let Some((new, all)) = at.pods {
        return format!("{new} of {all} pods are of the canary");
    }
    if let Some(routed) = canary.route() {
        return routed_by(canary, &routed.route, at);
    }
    if canary.steps.is_empty() {
        return match at.real.filter(|_| at.routed) {
            Some(0) => "the new side gets none of the traffic",
            Some(_) => "the new side gets all of the traffic",
            None => "it has no steps, and goes on by itself",
        }
        .into();
    }
    let step = canary
        .now()
        .map_or_else(|| "all steps are done".to_owned(), step);
    format!("step {} of {}: {step}", at.step, at.steps)
}

/// `httproute/checkout gives it 20%`, with what its rules have otherwise and what comes whatever the weight.
fn routed_by(canary: &Canary, route: &Route, at: &At) -> String {
    let name = route.called();
    let shares = canary.shares();
    let given = if shares.iter().all(|share| *share == at.set) {
        format!("{name} gives it {}%", at.set)
    } else {
        let all: Vec<_> = shares.iter().map(|share| format!("{share}%")).collect();
        format!("{name} gives it {} by its rules", all.join(", "))
    };
    let also = canary.also();
    let also = also.map_or_else(String::new, |also| format!(", and all by {also}"));
    given + &also
}

/// The steps that are left: `60%, pause 30s, 100%`.
pub fn next(canary: &Canary) -> Option<String> {
    match canary.provider {
        Provider::ArgoRollouts if canary.steps.is_empty() && canary.routed == Some(0) => {
            return Some("all of the traffic at once".into());
        }
        Provider::ArgoRollouts | Provider::Flagger => {}
        Provider::PausedDeployment => return Some("the other pods, once it is resumed".into()),
        Provider::Partition => return Some("the next pod, once the partition is lower".into()),
        Provider::Pair => {
            let beside = canary.beside()?;
            return Some(format!("{beside} takes its images, once it is promoted"));
        }
    }
    let steps: Vec<_> = canary.next().iter().map(step).collect();
    (!steps.is_empty()).then(|| steps.join(", "))
}

/// All of them, as they follow one another.
pub fn all(canary: &Canary) -> String {
    let steps: Vec<_> = canary.steps.iter().map(step).collect();
    steps.join(", ")
}

pub fn step(step: &Step) -> String {
    match step {
        Step::Weight(weight) => format!("{weight}%"),
        Step::Pause(None) => "pause until promoted".into(),
        Step::Pause(Some(lasts)) => {
            format!(
                "pause {}",
                duration(u64::try_from(lasts.as_secs()).unwrap_or(0))
            )
        }
        Step::Analysis => "analysis".into(),
        Step::Experiment => "experiment".into(),
        Step::Check => "check".into(),
        Step::Other(name) => (*name).into(),
    }
}

/// `cart-6b-2-1 failed: metric "errors" assessed Failed`.
pub fn analysis(run: &Analysis) -> String {
    let verdict = run.verdict.word();
    match &*run.message {
        "" => format!("{} {verdict}", run.name),
        message => format!("{} {verdict}: {message}", run.name),
    }
}

/// `success-rate 0.93: failed, 3 samples, 1 bad, wants result[0] >= 0.95`: a narrow screen cuts the end.
pub fn metric(metric: &Metric) -> String {
    let with = |before: &str, text: &str| match text {
        "" => String::new(),
        text => format!("{before}{text}"),
    };
    let value = with(" ", &metric.value);
    let limit = with(", wants ", &metric.limit);
    let mut said = vec![metric.verdict.word().to_owned()];
    if metric.is_hollow() {
        said.push("but nothing was measured".into());
    }
    // Not every provider counts them.
    if metric.samples > 0 || metric.is_hollow() {
        let samples = usize::try_from(metric.samples).unwrap_or(usize::MAX);
        said.push(count(samples, "sample"));
    }
    if metric.failed > 0 {
        said.push(format!("{} bad", metric.failed));
    }
    format!("{}{value}: {}{limit}", metric.name, said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::canary::{Verdict, sample};

    #[test]
    fn what_it_gets_is_said_where_it_is_not_what_was_set() {
        let mut found = At {
            set: 20,
            real: Some(20),
            routed: false,
            by_endpoints: false,
            checks: false,
            pods: None,
            by_route: false,
            also: false,
            step: 2,
            steps: 5,
        };
        assert_eq!(at(&found), "20% step 2/5");
        assert_eq!(weight(&found), "20% set, 20% of the pods that serve");
        assert_eq!(now(&sample(), &found), "step 2 of 5: pause until promoted");
        (found.real, found.routed) = (Some(0), true);
        assert_eq!(at(&found), "20% (0% now) step 2/5");
        assert_eq!(weight(&found), "20% set, 0% by the traffic router");
        found.real = None;
        assert_eq!(at(&found), "20% step 2/5");
        assert_eq!(weight(&found), "20% set; what it gets is not known");
        (found.pods, found.real) = (Some((1, 5)), Some(0));
        assert_eq!(at(&found), "20% (0% now) 1 of 5 pods");
        assert_eq!(now(&sample(), &found), "1 of 5 pods are of the canary");
        (found.real, found.routed, found.by_endpoints) = (Some(10), false, true);
        assert_eq!(
            weight(&found),
            "20% set, 10% of the Service's ready endpoints"
        );
        (found.pods, found.real, found.by_route) = (None, None, true);
        assert_eq!(at(&found), "20% by its route");
        found.also = true;
        assert_eq!(at(&found), "20% and more by its route");
    }

    #[test]
    fn what_comes_next() {
        let mut canary = sample();
        assert_eq!(next(&canary).unwrap(), "60%, pause 30s, 100%");
        canary.step = 4;
        assert_eq!(next(&canary), None);
    }

    #[test]
    fn of_two_sides_one_has_all_of_it() {
        let two_sides = |routed| Canary {
            steps: [].into(),
            routed,
            ..sample()
        };
        let said = |canary: &Canary| {
            let at = At {
                set: 0,
                real: canary.routed,
                routed: canary.routed.is_some(),
                by_endpoints: false,
                checks: false,
                pods: None,
                by_route: false,
                also: false,
                step: 0,
                steps: 0,
            };
            (now(canary, &at), next(canary))
        };
        let (now, next) = said(&two_sides(Some(0)));
        assert_eq!(now, "the new side gets none of the traffic");
        assert_eq!(next.as_deref(), Some("all of the traffic at once"));
        let (now, next) = said(&two_sides(Some(100)));
        assert_eq!(now, "the new side gets all of the traffic");
        assert_eq!(next, None);
        assert_eq!(
            said(&two_sides(None)).0,
            "it has no steps, and goes on by itself"
        );
    }

    #[test]
    fn a_metric_with_its_limit() {
        let mut errors = Metric {
            name: "errors".into(),
            verdict: Verdict::Failed,
            value: "[0.2]".into(),
            limit: "result[0] < 0.1".into(),
            samples: 3,
            failed: 1,
        };
        assert_eq!(
            metric(&errors),
            "errors [0.2]: failed, 3 samples, 1 bad, wants result[0] < 0.1"
        );
        (errors.value, errors.limit) = ("".into(), "".into());
        (errors.verdict, errors.samples, errors.failed) = (Verdict::Running, 1, 0);
        assert_eq!(metric(&errors), "errors: running, 1 sample");
        (errors.value, errors.verdict) = ("[NaN]".into(), Verdict::Successful);
        assert_eq!(
            metric(&errors),
            "errors [NaN]: successful, but nothing was measured, 1 sample"
        );
    }
}
