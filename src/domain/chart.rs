//! What Helm keeps of each time that it installed, upgraded or rolled back a chart.

use jiff::Timestamp;
use serde::Serialize;

/// One revision of a release. The values that went into it are never read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChartRelease {
    pub revision: u32,
    /// `deployed`, `superseded`, `failed`, `pending-upgrade`, …
    pub status: Box<str>,
    /// When it was installed, in Helm's own words of it.
    pub updated: Option<Timestamp>,
    /// `web-1.2.0`.
    pub chart: Box<str>,
    /// Empty when the chart names none.
    pub app_version: Box<str>,
    /// `Upgrade complete`, `Rollback to 1`, or why it failed.
    pub description: Box<str>,
}
