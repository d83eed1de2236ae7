//! Ages, durations and moments in words. Moments are UTC, so that two people read the same.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// Coarse: `48s` up to a minute, then `4m`, `3h`, `41d`. A moment in the future counts as now.
pub fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// As [`age`], but in steps of ten seconds up to a minute: for columns in which many ages count at once, where
/// every second of each would be bytes on a slow line.
pub fn coarse_age(since: Timestamp, now: Timestamp) -> String {
    match now.duration_since(since).as_secs().max(0) {
        seconds @ 0..60 => format!("{}s", seconds / 10 * 10),
        60.. => age(since, now),
        ..0 => age(now, now),
    }
}

/// Two units at most: `12s`, `4m12s`, `10m`, `1h5m`, `2d3h`.
pub fn duration(seconds: u64) -> String {
    let (large, small) = match seconds {
        0..60 => return format!("{seconds}s"),
        60..3_600 => ((seconds / 60, 'm'), (seconds % 60, 's')),
        3_600..86_400 => ((seconds / 3_600, 'h'), (seconds % 3_600 / 60, 'm')),
        _ => ((seconds / 86_400, 'd'), (seconds % 86_400 / 3_600, 'h')),
    };
    match small.0 {
        0 => format!("{}{}", large.0, large.1),
        _ => format!("{}{}{}{}", large.0, large.1, small.0, small.1),
    }
}

/// How much of a deadline has passed: `4m12s of 10m`.
pub fn of_deadline(since: Timestamp, now: Timestamp, deadline_seconds: u64) -> String {
    let passed = now.duration_since(since).as_secs();
    format!(
        "{} of {}",
        duration(u64::try_from(passed).unwrap_or(0)),
        duration(deadline_seconds)
    )
}

/// The time of day in UTC: `14:02`.
pub fn clock(at: Timestamp) -> String {
    let at = utc(at);
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// To the millisecond, in UTC: `14:02:09.123`.
pub fn millis(at: Timestamp) -> String {
    utc(at).strftime("%H:%M:%S%.3f").to_string()
}

/// What a person typed for a duration, in whole seconds: `90s`, `5m`, `1h30m`, `2d`. `None`: it is none, or
/// shorter than a second. Longer than a century is a century.
pub fn seconds(typed: &str) -> Option<u32> {
    // `14:02:07` is a time of day, though the library takes it for a length of time as well.
    let typed = Some(typed.trim()).filter(|typed| !typed.contains(':'))?;
    let span: Span = typed.parse().ok()?;
    let span = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    let seconds = u64::try_from(span.as_secs()).ok()?;
    Some(u32::try_from(seconds).unwrap_or(u32::MAX)).filter(|seconds| *seconds > 0)
}

/// The day in UTC: `14 Nov`, with the year when it is not `now`'s: `14 Nov 2025`.
pub fn date(at: Timestamp, now: Timestamp) -> String {
    let (at, now) = (utc(at), utc(now));
    let form = if at.year() == now.year() {
        "%-d %b"
    } else {
        "%-d %b %Y"
    };
    at.strftime(form).to_string()
}

/// The second in UTC: `2026-11-23 03:04:12`.
pub fn moment(at: Timestamp) -> String {
    utc(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A moment as a person types it, in UTC: `14:02` (the last time that it was), `2026-11-27T14:02`, or how long ago:
/// `20m`, `1h30m`, `20m ago`.
pub fn typed_moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(ago) = seconds(
        text.strip_suffix("ago")
            .unwrap_or(text)
            .trim_start_matches('-'),
    ) {
        return now.checked_sub(SignedDuration::from_secs(ago.into())).ok();
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let at = |at: DateTime| Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp());
    if let Ok(civil) = text.trim_end_matches('Z').parse::<DateTime>() {
        return at(civil);
    }
    let time: Time = text.contains(':').then(|| text.parse().ok())??;
    let today = at(utc(now).date().to_datetime(time))?;
    if today <= now {
        return Some(today);
    }
    at(utc(now).date().yesterday().ok()?.to_datetime(time))
}

fn utc(at: Timestamp) -> DateTime {
    at.to_zoned(TimeZone::UTC).datetime()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn moments_as_people_type_them() {
        let now = at("2026-11-27T14:30:00Z");
        for (text, want) in [
            ("14:02", Some("2026-11-27T14:02:00Z")),
            ("14:02:07", Some("2026-11-27T14:02:07Z")),
            // Not yet today: it was yesterday.
            ("23:50", Some("2026-11-26T23:50:00Z")),
            ("2026-11-20T14:02", Some("2026-11-20T14:02:00Z")),
            ("2026-11-20 14:02:01", Some("2026-11-20T14:02:01Z")),
            ("2026-11-20T14:02:00Z", Some("2026-11-20T14:02:00Z")),
            ("2026-11-20T16:02:00+02:00", Some("2026-11-20T14:02:00Z")),
            (" 20m ", Some("2026-11-27T14:10:00Z")),
            ("20m ago", Some("2026-11-27T14:10:00Z")),
            ("1h30m", Some("2026-11-27T13:00:00Z")),
            ("-2d", Some("2026-11-25T14:30:00Z")),
            ("25:00", None),
            ("20", None),
            ("m", None),
            ("", None),
            ("soon", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(typed_moment(text, now), want.map(at), "{text}");
        }
    }

    #[test]
    fn ages_and_durations() {
        for (seconds, coarse, fine) in [
            (0, "0s", "0s"),
            (59, "59s", "59s"),
            (60, "1m", "1m"),
            (252, "4m", "4m12s"),
            (3_599, "59m", "59m59s"),
            (3_900, "1h", "1h5m"),
            (86_399, "23h", "23h59m"),
            (183_600, "2d", "2d3h"),
        ] {
            let since = at("2026-11-14T12:00:00Z");
            let now = since + SignedDuration::from_secs(seconds);
            assert_eq!(age(since, now), coarse);
            assert_eq!(duration(seconds.unsigned_abs()), fine);
        }
        let now = at("2026-11-14T12:00:00Z");
        assert_eq!(age(at("2026-11-14T12:00:07Z"), now), "0s");
        assert_eq!(
            of_deadline(at("2026-11-14T11:55:48Z"), now, 600),
            "4m12s of 10m"
        );
        assert_eq!(
            of_deadline(at("2026-11-14T12:55:48Z"), now, 600),
            "0s of 10m"
        );
    }

    #[test]
    fn durations_that_are_typed() {
        for (typed, want) in [
            ("90s", Some(90)),
            (" 5m ", Some(300)),
            ("1h30m", Some(5_400)),
            ("2d", Some(172_800)),
            ("0s", None),
            ("5", None),
            ("m", None),
            ("5µ", None),
            ("99999999999s", Some(u32::MAX)),
            ("99999999d", None),
            ("", None),
        ] {
            assert_eq!(seconds(typed), want, "{typed:?}");
        }
    }

    #[test]
    fn moments() {
        let now = at("2026-11-23T21:00:00Z");
        assert_eq!(millis(at("2026-11-14T04:02:59.0456Z")), "04:02:59.045");
        assert_eq!(clock(at("2026-11-14T04:02:59Z")), "04:02");
        assert_eq!(moment(at("2026-11-14T04:02:59.9Z")), "2026-11-14 04:02:59");
        assert_eq!(date(at("2026-11-04T04:02:59Z"), now), "4 Nov");
        assert_eq!(date(at("2025-11-14T04:02:59Z"), now), "14 Nov 2025");
    }
}
