//! What is measured of a service while its screen is open.

use jiff::Timestamp;

use super::Model;
use crate::app::event::JobId;
use crate::config::{Prometheus, prometheus};
use crate::domain::measured::{Measured, Rule, Sides};
use crate::domain::{Known, Usage, WorkloadId};

/// What its pods use.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measuring {
    pub known: Known<Usage>,
    /// The last question, and when it was asked.
    pub asked: Option<(JobId, Timestamp)>,
    /// It is not measured here, or not for us: nobody asks again.
    pub given_up: bool,
}

/// What the two sides of its canary measure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CanaryMeasuring {
    /// Whose values these are, or why nobody's: those of another canary are none of it.
    pub sides: Option<Result<Sides, String>>,
    pub measured: Measured,
    /// The last question, and when it was asked.
    pub asked: Option<(JobId, Timestamp)>,
}

impl Model {
    /// How a canary of it is judged by its metrics, where the settings say who measures them.
    pub fn measuring(&self, id: &WorkloadId) -> Option<Rule> {
        let here = self.environment(id).map(|e| &*e.name);
        prometheus::of(&self.settings.prometheus, here).map(Prometheus::rule)
    }
}
