//! The events about one object, the newest first.

use std::cmp::Reverse;

use serde_json::Value;

use super::page::{Page, text};
use crate::text::{pad, width};

/// So many are shown.
const MOST: usize = 50;
/// Cells of the longest reason that is written whole.
const REASON: usize = 24;

pub fn events(page: &mut Page, events: Result<&[Value], &str>) {
    page.make_room(MOST + 3);
    page.title("EVENTS");
    let events = match events {
        Ok(events) => events,
        Err(why) => return page.under(|page| page.line(why)),
    };
    let mut events: Vec<_> = events.iter().collect();
    events.sort_by_cached_key(|event| Reverse(text(last_seen(event))));
    let left = events.len().saturating_sub(MOST);
    events.truncate(MOST);
    let reasons = events.iter().map(|event| width(&text(&event["reason"])));
    let widest = reasons.max().unwrap_or(0).min(REASON);
    page.under(|page| {
        for event in &events {
            page.line(&line(page, event, widest));
        }
        match (events.len(), left) {
            (0, _) => page.line("none in the last hour"),
            (_, 0) => {}
            (_, left) => page.line(&format!("and {left} older")),
        }
    });
}

/// `4m x9  Warning  Failed  manifest unknown (kubelet)`
fn line(page: &Page, event: &Value, widest: usize) -> String {
    let count = event["count"]
        .as_u64()
        .or(event["series"]["count"].as_u64());
    let times = match count {
        Some(count) if count > 1 => format!("x{count}"),
        Some(_) | None => String::new(),
    };
    let by = [&event["source"]["component"], &event["reportingComponent"]].map(text);
    let by = by.into_iter().find(|by| !by.is_empty());
    format!(
        "{:>4} {times:<5} {:<7}  {}  {}{}",
        page.age(last_seen(event)),
        text(&event["type"]),
        pad(&text(&event["reason"]), widest),
        text(&event["message"]).trim_end(),
        by.map_or_else(String::new, |by| format!(" ({by})"))
    )
}

/// Whichever of its times the writer of the event fills.
fn last_seen(event: &Value) -> &Value {
    let times = [
        &event["series"]["lastObservedTime"],
        &event["lastTimestamp"],
        &event["eventTime"],
        &event["metadata"]["creationTimestamp"],
    ];
    times
        .into_iter()
        .find(|at| at.is_string())
        .unwrap_or(&Value::Null)
}
