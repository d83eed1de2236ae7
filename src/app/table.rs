//! Plain tables of any kind: which rows are shown, in which order.

use std::cmp::Ordering;

use super::effect::TableOf;
use super::event::JobId;
use super::field::Field;
use super::filter::Filter;
use crate::domain::table::{Column, Row, Table};
use crate::domain::{ApiKind, ClusterId, Known};
use crate::text::{escape, width};

/// One kind as a plain table, read when it was opened or asked for again.
#[derive(Debug, Clone, PartialEq)]
pub struct TableScreen {
    /// As it was asked for.
    pub name: String,
    pub cluster: ClusterId,
    /// `None` while it is looked up by its name.
    pub of: Option<TableOf>,
    pub job: JobId,
    pub table: Known<Table>,
    /// Pages are still coming.
    pub reading: bool,
    /// So many rows are not kept; `Some(None)`: nobody knows how many.
    pub beyond: Option<Option<u64>>,
    /// Places in the table of the rows that pass the filter, in their order.
    pub shown: Vec<usize>,
    /// Cells that each column wants.
    pub widths: Vec<u16>,
    pub at: usize,
    pub offset: usize,
    pub filter: Field,
    pub filtering: bool,
    /// A column, and whether its order is reversed.
    pub sort: Option<(usize, bool)>,
    pub wide: bool,
}

impl TableScreen {
    pub fn new(name: &str, cluster: ClusterId, job: JobId) -> Self {
        Self {
            name: name.to_owned(),
            cluster,
            of: None,
            job,
            table: Known::default(),
            reading: true,
            beyond: None,
            shown: Vec::new(),
            widths: Vec::new(),
            at: 0,
            offset: 0,
            filter: Field::default(),
            filtering: false,
            sort: None,
            wide: false,
        }
    }

    pub fn kind(&self) -> Option<&ApiKind> {
        self.of.as_ref().map(|of| &of.kind)
    }

    pub fn row(&self) -> Option<&Row> {
        self.table.value()?.rows.get(*self.shown.get(self.at)?)
    }

    /// The columns in sight, by their place.
    pub fn columns(&self) -> impl Iterator<Item = (usize, &Column)> {
        let columns = self.table.value().map_or(&[][..], |table| &table.columns);
        let wide = self.wide;
        columns
            .iter()
            .enumerate()
            .filter(move |(_, column)| wide || !column.wide)
    }

    /// Rows of more than one namespace say theirs.
    pub fn with_namespace(&self) -> bool {
        self.of
            .as_ref()
            .is_some_and(|of| of.kind.namespaced && of.namespaces.len() != 1)
    }

    /// After the rows, the filter or the order changed. The cursor stays on its object.
    pub fn arrange(&mut self) {
        let Some((table, _)) = &self.table.last else {
            return;
        };
        let cursor = self
            .shown
            .get(self.at)
            .and_then(|at| table.rows.get(*at))
            .map(|row| row.uid.clone());
        let filter = Filter::parse(self.filter.value());
        let fits = |row: &Row| {
            let words = [&row.namespace, &row.name]
                .into_iter()
                .chain(row.cells.iter());
            filter.fits_text(&words.map(|word| &**word).collect::<Vec<_>>().join(" "))
        };
        let all = table.rows.iter().enumerate();
        self.shown = all.filter(|(_, row)| fits(row)).map(|(at, _)| at).collect();
        if let Some((column, reversed)) = self.sort {
            let age = table
                .columns
                .get(column)
                .is_some_and(|c| &*c.title == "Age");
            self.shown.sort_by(|one, other| {
                let (one, other) = (&table.rows[*one], &table.rows[*other]);
                let order = if age {
                    other.created.cmp(&one.created)
                } else {
                    compare(cell(one, column), cell(other, column))
                };
                if reversed { order.reverse() } else { order }
            });
        }
        let found =
            cursor.and_then(|uid| self.shown.iter().position(|at| table.rows[*at].uid == uid));
        self.at = found
            .unwrap_or(self.at)
            .min(self.shown.len().saturating_sub(1));
    }

    /// Takes one page in; the first one takes the place of what was there.
    pub fn take(&mut self, page: Table, first: bool, at: jiff::Timestamp) {
        let mut table = match self.table.last.take() {
            Some((table, _)) if !first => table,
            Some(_) | None => Table {
                columns: page.columns,
                rows: Vec::new(),
            },
        };
        if first {
            self.widths = table
                .columns
                .iter()
                .map(|column| cells(&column.title))
                .collect();
        }
        for row in &page.rows {
            for (width, cell) in self.widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(cells(cell));
            }
        }
        table.rows.extend(page.rows);
        self.table.learn(table, at);
        self.arrange();
    }
}

pub fn cell(row: &Row, column: usize) -> &str {
    row.cells.get(column).map_or("", |cell| cell)
}

fn cells(text: &str) -> u16 {
    u16::try_from(width(&escape(text))).unwrap_or(u16::MAX)
}

/// Numbers at the beginning count as such: `9` before `10`, `3/12` before `10/12`.
fn compare(one: &str, other: &str) -> Ordering {
    let number = |text: &str| {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        text[..end].parse::<f64>().ok()
    };
    match (number(one), number(other)) {
        (Some(a), Some(b)) => a.total_cmp(&b).then_with(|| one.cmp(other)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => one.cmp(other),
    }
}
