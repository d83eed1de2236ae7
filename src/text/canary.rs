//! How far a canary is and what comes next, in words.

use crate::domain::canary::{Analysis, At, Canary, Metric, Step};

use super::{count, duration};

/// `20% step 2/5`, and what it really gets where that is something else: `20% (0% now) step 1/5`.
pub fn at(at: &At) -> String {
    let real = at.real.filter(|real| *real != at.set);
    let real = real.map_or_else(String::new, |real| format!(" ({real}% now)"));
    format!("{}%{real} step {}/{}", at.set, at.step, at.steps)
}

/// What the canary is to get and gets, and by whose word.
pub fn weight(at: &At) -> String {
    let of = if at.routed {
        "by the traffic router"
    } else {
        "of the pods that serve"
    };
    match at.real {
        Some(real) => format!("{}% set, {real}% {of}", at.set),
        None => format!("{}% set; what it gets is not known", at.set),
    }
}

/// The step it is at: `step 2 of 5: pause until promoted`.
pub fn now(canary: &Canary, at: &At) -> String {
    let step = canary
        .now()
        .map_or_else(|| "all steps are done".to_owned(), step);
    format!("step {} of {}: {step}", at.step, at.steps)
}

/// The steps that are left: `60%, pause 30s, 100%`.
pub fn next(canary: &Canary) -> Option<String> {
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

/// `success-rate 0.93, wants result[0] >= 0.95: failed, 3 samples, 1 bad`.
pub fn metric(metric: &Metric) -> String {
    let with = |before: &str, text: &str| match text {
        "" => String::new(),
        text => format!("{before}{text}"),
    };
    let value = with(" ", &metric.value);
    let limit = with(", wants ", &metric.limit);
    let samples = count(
        usize::try_from(metric.samples).unwrap_or(usize::MAX),
        "sample",
    );
    let mut said = vec![metric.verdict.word().to_owned(), samples];
    if metric.failed > 0 {
        said.push(format!("{} bad", metric.failed));
    }
    format!("{}{value}{limit}: {}", metric.name, said.join(", "))
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
    }

    #[test]
    fn what_comes_next() {
        let mut canary = sample();
        assert_eq!(next(&canary).unwrap(), "60%, pause 30s, 100%");
        canary.step = 4;
        assert_eq!(next(&canary), None);
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
            "errors [0.2], wants result[0] < 0.1: failed, 3 samples, 1 bad"
        );
        (errors.value, errors.limit) = ("".into(), "".into());
        (errors.verdict, errors.samples, errors.failed) = (Verdict::Running, 1, 0);
        assert_eq!(metric(&errors), "errors: running, 1 sample");
    }
}
