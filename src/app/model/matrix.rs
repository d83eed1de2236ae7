//! The matrix: what a person set, and what is worked out from the rows of the board and kept until one of them changes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::app::event::JobId;
use crate::app::field::Field;
use crate::domain::matrix::{Digests, Row, Sort};
use crate::domain::{ClusterId, Environment, Known, WorkloadId};

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
    /// What is shown, kept in step before every view.
    pub table: Table,
    /// Something that any of its cells rests on is another now.
    pub stale: bool,
}

/// Every service over all environments.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    pub environments: Vec<Environment>,
    /// In their order.
    pub rows: Vec<Row>,
    /// Those that the filter hides.
    pub hidden: Vec<Row>,
    /// The order and the filter that made it so.
    pub by: (Sort, String),
}

impl Table {
    /// Whatever the filter hides.
    pub fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().chain(&self.hidden)
    }
}
