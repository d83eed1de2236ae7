//! One short clause for a person out of what kubelets and controllers write, the cause first.

use jiff::SignedDuration;

use crate::domain::pod::Ended;

/// Longer than any row; in characters.
const LONGEST: usize = 160;

/// The first line, not too long. Not escaped.
pub(super) fn clause(message: &str) -> String {
    let line = message
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("");
    line.chars().take(LONGEST).collect()
}

/// `4m`: whole units, because such spans are estimates.
pub(super) fn span(span: SignedDuration) -> String {
    match span.as_secs().max(0) {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3_600 => format!("{}m", seconds / 60),
        seconds @ 3_600..86_400 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

pub(super) fn pods(n: u32) -> String {
    if n == 1 {
        "1 pod".into()
    } else {
        format!("{n} pods")
    }
}

pub(super) fn is_image_reason(reason: &str) -> bool {
    matches!(
        reason,
        "ErrImagePull"
            | "ImagePullBackOff"
            | "ErrImageNeverPull"
            | "InvalidImageName"
            | "ImageInspectError"
            | "RegistryUnavailable"
            | "SignatureValidationFailed"
    )
}

/// Why an image cannot be had, as far as the runtime's words tell.
pub(super) fn image(reason: &str, message: &str, image: &str) -> String {
    // A port or a tag may look like a status.
    let name = image.to_lowercase();
    let host = name.split('/').next().unwrap_or_default();
    let message = message.to_lowercase().replace(&name, "").replace(host, "");
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let what = match reason {
        "ErrImageNeverPull" => "image not on the node, and it may not be pulled",
        "InvalidImageName" => "invalid image name",
        "ImageInspectError" => "image cannot be inspected",
        "SignatureValidationFailed" => "image signature not accepted",
        _ if says(&["toomanyrequests", "rate limit", "429"]) => "registry limits pulls",
        _ if says(&[
            "unauthorized",
            "authorization failed",
            "access denied",
            "401",
            "403",
            "forbidden",
        ]) =>
        {
            "no access to image"
        }
        _ if says(&["manifest unknown", "not found", "no such manifest"]) => "image not found",
        _ if says(&[
            "no such host",
            "connection refused",
            "timeout",
            "unreachable",
            "deadline",
        ]) =>
        {
            "registry cannot be reached for"
        }
        _ if says(&["x509", "certificate"]) => "registry certificate not accepted for",
        _ if says(&["no match for platform", "exec format"]) => "no image for this platform",
        "RegistryUnavailable" => "registry unavailable for",
        _ => "image cannot be pulled",
    };
    format!("{}: {image}", what.trim_end_matches(" for"))
}

/// How a run ended: `OOMKilled, 14 restarts`, `exit 1: cannot open /etc/app.yaml`.
pub(super) fn ended(ended: &Ended, count: u32) -> String {
    let message = telling_line(&ended.message);
    let how = match (&*ended.reason, ended.exit_code, ended.signal) {
        ("OOMKilled", ..) => return format!("OOMKilled{}", restarts(count)),
        ("StartError" | "ContainerCannotRun", ..) => "cannot start".to_owned(),
        ("DeadlineExceeded", ..) => "ran past its deadline".to_owned(),
        ("ContainerStatusUnknown", ..) => "its node lost track of it".to_owned(),
        (_, _, Some(signal)) if signal != 0 => format!("signal {signal}"),
        (_, 0, _) => "exit 0: ends instead of serving".to_owned(),
        (_, code @ 126, _) => format!("exit {code}: not executable"),
        (_, code @ 127, _) => format!("exit {code}: command not found"),
        (_, code @ 137, _) => format!("exit {code}: killed"),
        (_, code @ 139, _) => format!("exit {code}: segmentation fault"),
        (_, code @ 143, _) => format!("exit {code}: terminated"),
        (_, code, _) => format!("exit {code}"),
    };
    match message {
        Some(message) if how.contains(':') => format!("{how}, {message}"),
        Some(message) => format!("{how}: {message}"),
        None => format!("{how}{}", restarts(count)),
    }
}

pub(super) fn restarts(count: u32) -> String {
    match count {
        0 => String::new(),
        1 => ", 1 restart".into(),
        n => format!(", {n} restarts"),
    }
}

/// `0/3 nodes are available: 3 Insufficient cpu. preemption: …` without what nobody can use.
pub(super) fn unschedulable(message: &str) -> String {
    let line = clause(message);
    let tally = line.split("nodes are available: ").nth(1).unwrap_or(&line);
    let tally = tally
        .split(". preemption:")
        .next()
        .unwrap_or(tally)
        .trim_end_matches('.');
    if tally.is_empty() {
        return "unschedulable".into();
    }
    format!("unschedulable: {tally}")
}

/// `Readiness probe failed: HTTP probe failed with statuscode: 503`
pub(super) fn unhealthy(message: &str) -> String {
    let line = clause(message);
    match line.split_once(" probe failed: ") {
        Some((probe, why)) if !why.is_empty() => format!("{} probe: {why}", probe.to_lowercase()),
        _ => format!("not ready: {line}"),
    }
}

/// The last part of `MountVolume.SetUp failed for volume "x" : secret "y" not found`.
pub(super) fn last_part(message: &str) -> String {
    let line = clause(message);
    line.rsplit_once(" : ")
        .map_or(line.clone(), |(_, last)| last.to_owned())
}

/// What stands between the first two quotes.
pub(super) fn quoted(message: &str) -> Option<&str> {
    message.split('"').nth(1)
}

/// A termination message may be the end of a log: the line that names an error, else the last.
fn telling_line(message: &str) -> Option<String> {
    const TELLING: [&str; 6] = ["panic", "fatal", "error", "exception", "cannot", "failed"];
    let lines = || {
        message
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    let tells = |line: &&str| {
        let line = line.to_lowercase();
        TELLING.iter().any(|word| line.contains(word))
    };
    lines()
        .find(tells)
        .or_else(|| lines().next_back())
        .map(clause)
}
