//! Warning events.

use serde::de::Error as _;
use serde_json::Error;

use super::{count, reason_of, required};
use crate::domain::{ClusterId, Warning};
use crate::sources::kube::wire;

/// An event of either API; the newest of its times counts.
///
/// # Errors
/// When it has no name or no time, or is not an event.
pub fn warning(cluster: &ClusterId, raw: &str) -> Result<Warning, Error> {
    let event: wire::Event<'_> = serde_json::from_str(raw)?;
    let about = event
        .involved_object
        .or(event.regarding)
        .unwrap_or_default();
    let (series_count, series_time) = event.series.map_or((None, None), |series| {
        (series.count, series.last_observed_time)
    });
    let times = [
        series_time,
        event.last_timestamp,
        event.deprecated_last_timestamp,
        event.event_time,
        event.first_timestamp,
    ];
    let last_seen = times.into_iter().flatten().max();
    let message = event.message.or(event.note).unwrap_or_default();
    let (reason, message) = reason_of(&event.reason, &message);
    Ok(Warning {
        cluster: cluster.clone(),
        namespace: event.metadata.namespace[..].into(),
        name: required(&event.metadata.name, "name")?.into(),
        about_kind: about.kind[..].into(),
        about: about.name[..].into(),
        about_uid: about.uid[..].into(),
        reason,
        message,
        count: count(series_count.or(event.count).or(event.deprecated_count)).max(1),
        last_seen: last_seen
            .or(event.metadata.creation_timestamp)
            .ok_or_else(|| Error::custom("the event has no time"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Result<Warning, Error> {
        let raw = format!(
            r#"{{"metadata":{{"name":"web.1","namespace":"shop"}},"type":"Warning","reason":"Failed",{fields}}}"#
        );
        warning(&"c".into(), &raw)
    }

    #[test]
    fn times_counts_and_subjects_of_both_apis() {
        let about = r#""involvedObject":{"kind":"Pod","name":"web-1","uid":"p"}"#;
        let regarding = r#""regarding":{"kind":"Pod","name":"web-1","uid":"p"}"#;
        for (fields, count, at, message) in [
            (
                format!(
                    r#"{about},"message":"m","count":9,"firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-02T00:00:00Z","eventTime":null"#
                ),
                9,
                "2026-01-02T00:00:00Z",
                "m",
            ),
            (
                format!(
                    r#"{about},"eventTime":"2026-01-01T00:00:00.123456Z","lastTimestamp":null,"firstTimestamp":null"#
                ),
                1,
                "2026-01-01T00:00:00.123456Z",
                "",
            ),
            (
                format!(
                    r#"{about},"count":2,"eventTime":"2026-01-01T00:00:00Z","series":{{"count":5,"lastObservedTime":"2026-01-04T00:00:00.5Z"}}"#
                ),
                5,
                "2026-01-04T00:00:00.5Z",
                "",
            ),
            (
                format!(
                    r#"{regarding},"note":"n","deprecatedCount":3,"deprecatedLastTimestamp":"2026-01-05T00:00:00Z""#
                ),
                3,
                "2026-01-05T00:00:00Z",
                "n",
            ),
        ] {
            let warning = read(&fields).unwrap();
            assert_eq!(warning.count, count, "{fields}");
            assert_eq!(warning.last_seen, at.parse().unwrap(), "{fields}");
            assert_eq!(&*warning.message, message);
            assert_eq!(&*warning.about_kind, "Pod");
            assert_eq!(&*warning.about, "web-1");
            assert_eq!(warning.about_uid, "p".into());
            assert_eq!(&*warning.reason, "Failed");
        }
        assert!(read(about).is_err(), "an event without any time");
    }

    #[test]
    fn an_endless_message_is_cut() {
        let long = "x".repeat(100_000);
        let warning = read(&format!(
            r#""message":"{long}","lastTimestamp":"2026-01-05T00:00:00Z""#
        ));
        assert!(warning.unwrap().message.len() < 1100);
    }
}
