//! The matrix, as far as it is not worked out from the rows of the board.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::app::event::JobId;
use crate::app::field::Field;
use crate::domain::matrix::{Digests, Sort};
use crate::domain::{ClusterId, Known, WorkloadId};

/// Service by environment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MatrixScreen {
    /// The last question for digests, and when it was asked.
    pub asked: Option<(JobId, Timestamp)>,
    /// What the pods of each cluster ran when they were last read.
    pub digests: BTreeMap<ClusterId, Known<Digests>>,
    /// The service and the environment of the marked cell; the first until a key moves it.
    pub cursor: Option<(String, String)>,
    pub offset: usize,
    pub sort: Sort,
    pub filter: Field,
    pub filtering: bool,
    /// What is promoted together, by where it comes from.
    pub marks: BTreeSet<WorkloadId>,
}
