//! The history of a Helm release as lines.

use jiff::Timestamp;

use super::{age, pad, width};
use crate::domain::ChartRelease;

const TITLES: [&str; 6] = [
    "REV",
    "UPDATED",
    "STATUS",
    "CHART",
    "APP VERSION",
    "DESCRIPTION",
];

/// One row of cells for each, in the order of the titles.
pub fn chart_cells(release: &ChartRelease, now: Timestamp) -> [String; 6] {
    let updated = release.updated.map(|at| format!("{} ago", age(at, now)));
    [
        release.revision.to_string(),
        updated.unwrap_or_else(|| "unknown".into()),
        release.status.to_string(),
        release.chart.to_string(),
        release.app_version.to_string(),
        release.description.to_string(),
    ]
}

pub fn chart_titles() -> [&'static str; 6] {
    TITLES
}

/// Titles and rows, each column as wide as its widest.
pub fn chart_lines(releases: &[ChartRelease], now: Timestamp) -> Vec<String> {
    let mut rows = vec![TITLES.map(str::to_owned)];
    rows.extend(releases.iter().map(|release| chart_cells(release, now)));
    let widest: [usize; 6] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| width(&row[column]));
        cells.max().unwrap_or(0)
    });
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widest);
        let cells: Vec<_> = cells.map(|(cell, wide)| pad(cell, wide)).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let release = |revision, description: &str| ChartRelease {
            revision,
            status: "superseded".into(),
            updated: (revision > 1).then_some(Timestamp::UNIX_EPOCH),
            chart: "web-1.2.0".into(),
            app_version: "7.1".into(),
            description: description.into(),
        };
        let now = "1970-01-01T02:00:00Z".parse().unwrap();
        assert_eq!(
            chart_lines(
                &[release(12, "Rollback to 1"), release(1, "Install complete")],
                now
            ),
            [
                "REV  UPDATED  STATUS      CHART      APP VERSION  DESCRIPTION",
                "12   2h ago   superseded  web-1.2.0  7.1          Rollback to 1",
                "1    unknown  superseded  web-1.2.0  7.1          Install complete",
            ]
        );
    }
}
