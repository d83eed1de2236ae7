//! Samples, and what is said of them: median, p95, worst.

use std::collections::BTreeMap;

use serde_json::{Value, json};

#[derive(Default)]
pub struct Report {
    /// (what, program) -> samples.
    samples: BTreeMap<(String, String), Vec<f64>>,
}

impl Report {
    pub fn add(&mut self, what: &str, program: &str, sample: f64) {
        eprintln!("  {program:10} {what:45} {sample:.3}");
        let key = (what.to_owned(), program.to_owned());
        self.samples.entry(key).or_default().push(sample);
    }

    pub fn json(&self) -> Value {
        let mut rows: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
        for ((what, program), samples) in &self.samples {
            let of_program = rows.entry(what).or_default();
            of_program.insert(program, summary(samples));
        }
        json!(rows)
    }
}

fn summary(samples: &[f64]) -> Value {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
    json!({
        "samples": sorted.len(),
        "median": rounded(quantile(&sorted, 50)),
        "p95": rounded(quantile(&sorted, 95)),
        "p99": rounded(quantile(&sorted, 99)),
        "worst": rounded(quantile(&sorted, 100)),
    })
}

/// The smallest sample that so many percent are not above.
fn quantile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}
