//! What containers use, what they may use, and what that means, in words.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ContainerState, Pod, Run};

/// Close to a limit, in percent: of memory the end is near, of processor time it is reached.
const MEMORY_NEAR: u64 = 90;
const CPU_NEAR: u64 = 95;

/// Processor time in thousandths of a core, memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    pub cpu: u64,
    pub memory: u64,
}

/// What a container asks for, and what it is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    pub requested_cpu: Option<u64>,
    pub requested_memory: Option<u64>,
    pub cpu_limit: Option<u64>,
    pub memory_limit: Option<u64>,
}

/// What was measured last, by pod and container.
pub type Usage = BTreeMap<Box<str>, BTreeMap<Box<str>, Amount>>;

/// Thousandths of what a quantity says: `250m`, `1.5`, `12345n`, `2k`, `128Mi`, `1e3`. `None` when it is none.
pub fn thousandths(quantity: &str) -> Option<u64> {
    let text = quantity.trim();
    let (number, factor) = if let Ok(number) = text.parse::<f64>() {
        (number, 1.0)
    } else {
        let (at, _) = text.char_indices().find(|(_, c)| c.is_ascii_alphabetic())?;
        (text[..at].parse::<f64>().ok()?, factor(&text[at..])?)
    };
    let value = number * factor * 1000.0;
    // Past 2^53 a float is no longer exact, and nothing that is measured is that large.
    (value.is_finite() && (0.0..9.0e15).contains(&value)).then(|| rounded(value))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller has looked at the range"
)]
fn rounded(value: f64) -> u64 {
    value.round() as u64
}

fn factor(suffix: &str) -> Option<f64> {
    let powers = [
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
    ];
    let found = powers.iter().find(|(name, _)| *name == suffix);
    found.map(|(_, factor)| *factor)
}

/// `12m`, `1.5`, in cores.
pub fn cores(thousandths: u64) -> String {
    match thousandths {
        0..1_000 => format!("{thousandths}m"),
        _ => format!("{}.{}", thousandths / 1000, thousandths % 1000 / 100),
    }
}

/// `640Ki`, `92Mi`, `1.5Gi`.
pub fn size(bytes: u64) -> String {
    let (mib, gib) = (1 << 20, 1 << 30);
    match bytes {
        bytes if bytes < mib => format!("{}Ki", bytes >> 10),
        bytes if bytes < gib => format!("{}Mi", bytes / mib),
        bytes => format!("{}.{}Gi", bytes / gib, bytes % gib * 10 / gib),
    }
}

/// The containers of a pod together; and what they are held to, when each of them is.
pub fn of_pod(pod: &Pod, usage: &Usage) -> Option<(Amount, Bounds)> {
    let measured = usage.get(&pod.name)?;
    let mut total = Amount::default();
    for amount in measured.values() {
        total.cpu += amount.cpu;
        total.memory += amount.memory;
    }
    let speak = pod.containers.iter().filter(|c| !c.init);
    let sum = |of: fn(&Bounds) -> Option<u64>| {
        let mut values = speak.clone().map(|c| of(&c.bounds));
        values.try_fold(0_u64, |sum, value| sum.checked_add(value?))
    };
    let bounds = Bounds {
        requested_cpu: sum(|b| b.requested_cpu),
        requested_memory: sum(|b| b.requested_memory),
        cpu_limit: sum(|b| b.cpu_limit),
        memory_limit: sum(|b| b.memory_limit),
    };
    Some((total, bounds))
}

/// `92% of limit`, else `40% of request`; nothing where there is neither.
pub fn share(used: u64, limit: Option<u64>, requested: Option<u64>) -> Option<String> {
    let part = |of: Option<u64>| used.saturating_mul(100).checked_div(of?);
    match (part(limit), part(requested)) {
        (Some(percent), _) => Some(format!("{percent}% of limit")),
        (None, Some(percent)) => Some(format!("{percent}% of request")),
        (None, None) => None,
    }
}

/// What one should know of a pod: close to a limit, or killed for its memory before. `now` is the cluster's clock.
pub fn hints(pod: &Pod, usage: Option<&Usage>, now: Timestamp) -> Vec<String> {
    let measured = usage.and_then(|usage| usage.get(&pod.name));
    let several = pod.containers.iter().filter(|c| !c.init).count() > 1;
    let mut hints = Vec::new();
    for container in &pod.containers {
        let name = if several {
            format!("{} ", container.name)
        } else {
            String::new()
        };
        let amount = measured.and_then(|measured| measured.get(&container.name));
        let words = of_container(container, amount.copied(), now).into_iter();
        hints.extend(words.map(|words| format!("{name}{words}")));
    }
    hints
}

fn runs(container: &ContainerState) -> bool {
    matches!(container.run, Run::Running { .. })
}

fn of_container(container: &ContainerState, amount: Option<Amount>, now: Timestamp) -> Vec<String> {
    let mut hints = Vec::new();
    let percent = |used: u64, limit: Option<u64>| used.saturating_mul(100).checked_div(limit?);
    if let Some(amount) = amount {
        let bounds = container.bounds;
        match percent(amount.memory, bounds.memory_limit) {
            Some(percent) if percent >= MEMORY_NEAR => {
                hints.push(format!("memory {percent}% of limit"));
            }
            Some(_) | None => {}
        }
        if percent(amount.cpu, bounds.cpu_limit).is_some_and(|percent| percent >= CPU_NEAR) {
            hints.push("CPU at its limit: throttled likely".to_owned());
        }
    }
    // What is broken now says so itself; that what runs was killed before is seen nowhere else.
    let killed = container.last.as_ref().filter(|_| runs(container));
    if let Some(last) = killed.filter(|last| &*last.reason == "OOMKilled") {
        let minutes = |at: Timestamp| now.duration_since(at).as_secs().max(0) / 60;
        let when = match last.at.map(minutes) {
            Some(0) => " just now".to_owned(),
            Some(m @ 1..60) => format!(" {m}m ago"),
            Some(m @ 60..1440) => format!(" {}h ago", m / 60),
            Some(m) => format!(" {}d ago", m / 1440),
            None => String::new(),
        };
        hints.push(format!("out of memory{when}"));
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Kind;
    use crate::domain::fixture::{ago, ended, now, pod};

    #[test]
    fn quantities_as_the_server_writes_them() {
        for (text, want) in [
            ("250m", Some(250)),
            ("1", Some(1_000)),
            ("1.5", Some(1_500)),
            ("0", Some(0)),
            ("12345678n", Some(12)),
            ("900u", Some(1)),
            ("2k", Some(2_000_000)),
            ("1e3", Some(1_000_000)),
            ("1E3", Some(1_000_000)),
            ("128Mi", Some(134_217_728_000)),
            ("1Gi", Some(1_073_741_824_000)),
            ("", None),
            ("-1", None),
            ("lots", None),
            ("1Zi", None),
            ("1e300", None),
            ("inf", None),
            ("NaN", None),
        ] {
            assert_eq!(thousandths(text), want, "{text:?}");
        }
    }

    #[test]
    fn amounts_in_words() {
        assert_eq!([cores(7), cores(1_560)], ["7m", "1.5"]);
        assert_eq!(
            [size(655_360), size(96 << 20), size(1_610_612_736)],
            ["640Ki", "96Mi", "1.5Gi"]
        );
        assert_eq!(share(46, Some(50), Some(10)).unwrap(), "92% of limit");
        assert_eq!(share(46, None, Some(40)).unwrap(), "115% of request");
        assert_eq!(share(46, None, None), None);
        assert_eq!(share(46, Some(0), None), None);
    }

    #[test]
    fn what_is_close_to_a_limit_and_what_was_killed_is_said() {
        let mut pod = pod(Kind::Deployment, "new", "a");
        let container = &mut pod.containers[0];
        container.bounds.memory_limit = Some(1000);
        container.bounds.cpu_limit = Some(500);
        container.restarts = 3;
        let used = |cpu, memory| {
            let amount = Amount { cpu, memory };
            let of_pod = BTreeMap::from([("web".into(), amount)]);
            Usage::from([("checkout-new-a".into(), of_pod)])
        };
        assert!(hints(&pod, Some(&used(400, 899)), now()).is_empty());
        assert_eq!(
            hints(&pod, Some(&used(480, 920)), now()),
            ["memory 92% of limit", "CPU at its limit: throttled likely"]
        );
        let mut last = ended("OOMKilled", 137, "");
        last.at = Some(ago(240));
        pod.containers[0].last = Some(Box::new(last));
        assert_eq!(hints(&pod, None, now()), ["out of memory 4m ago"]);
        let (amount, bounds) = of_pod(&pod, &used(480, 920)).unwrap();
        assert_eq!(
            (amount.cpu, bounds.cpu_limit, bounds.requested_cpu),
            (480, Some(500), None)
        );
    }
}
