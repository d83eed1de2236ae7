//! Objects of any kind as rows, in the server's own columns.

use jiff::Timestamp;

use super::Uid;

/// Rows that are kept of one kind: of more only the first are shown, and it is said.
pub const MOST_ROWS: usize = 5_000;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub title: Box<str>,
    /// Shown only when there is all the room that one wants.
    pub wide: bool,
    pub number: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Empty for what is in none.
    pub namespace: Box<str>,
    pub name: Box<str>,
    pub uid: Uid,
    pub created: Option<Timestamp>,
    /// The kind and the name of what controls it.
    pub owner: Option<(Box<str>, Box<str>)>,
    /// What stands in each column.
    pub cells: Box<[Box<str>]>,
}
