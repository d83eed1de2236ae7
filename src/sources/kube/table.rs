//! Objects of any kind as the rows that the server makes of them, page by page.

use serde::Deserialize;
use serde_json::Value;

use super::client::Cluster;
use super::error::Error;
use super::path;
use crate::domain::ApiKind;
use crate::domain::table::{Column, Row, Table};

const AS_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
/// What a cell holds at most, in bytes: thousands of rows are kept.
const LONGEST_CELL: usize = 240;

/// One page.
pub struct Page {
    pub table: Table,
    /// Leads to the next one.
    pub token: Option<String>,
    /// So many are behind it, when the server says.
    pub remaining: Option<u64>,
}

/// The page after `token`, or the first, of at most `limit` rows.
pub async fn page(
    cluster: &Cluster,
    kind: &ApiKind,
    namespace: Option<&str>,
    (limit, token): (usize, Option<&str>),
) -> Result<Page, Error> {
    let limit = limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    query.extend(token.map(|token| ("continue", token)));
    let path = path::with_query(kind.path(namespace), &query);
    let answer = cluster.list_as(&path, AS_TABLE).await?;
    let wire: Wire = serde_json::from_slice(&answer.body).map_err(|error| Error::Unusable {
        about: format!("read {}", path::describe(&path)),
        status: 200,
        message: format!("the answer cannot be read: {error}"),
    })?;
    Ok(wire.page())
}

/// A table, or the plain list that a server gives which cannot make one.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Wire {
    kind: String,
    metadata: ListMetadata,
    column_definitions: Vec<Definition>,
    rows: Vec<WireRow>,
    items: Vec<Object>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ListMetadata {
    #[serde(rename = "continue")]
    token: String,
    remaining_item_count: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Definition {
    name: String,
    #[serde(rename = "type")]
    form: String,
    priority: i32,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireRow {
    cells: Vec<Value>,
    object: Option<Object>,
}

/// Of all that an object holds only what names it.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Object {
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    name: Box<str>,
    namespace: Option<Box<str>>,
    uid: Box<str>,
    creation_timestamp: Option<jiff::Timestamp>,
    owner_references: Vec<Owner>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Owner {
    kind: Box<str>,
    name: Box<str>,
    controller: bool,
}

impl Wire {
    fn page(self) -> Page {
        let token = Some(self.metadata.token).filter(|token| !token.is_empty());
        let table = if self.kind == "Table" {
            Table {
                columns: self
                    .column_definitions
                    .into_iter()
                    .map(Into::into)
                    .collect(),
                rows: self.rows.into_iter().map(Into::into).collect(),
            }
        } else {
            let name = Column {
                title: "Name".into(),
                wide: false,
                number: false,
            };
            let rows = self.items.into_iter().map(|object| {
                let cells = [object.metadata.name.clone()].into();
                object.row(cells)
            });
            Table {
                columns: vec![name],
                rows: rows.collect(),
            }
        };
        Page {
            table,
            token,
            remaining: self.metadata.remaining_item_count,
        }
    }
}

impl From<Definition> for Column {
    fn from(definition: Definition) -> Self {
        Self {
            title: definition.name.into(),
            wide: definition.priority > 0,
            number: matches!(&*definition.form, "integer" | "number"),
        }
    }
}

impl From<WireRow> for Row {
    fn from(row: WireRow) -> Self {
        let cells = row.cells.into_iter().map(cell).collect();
        row.object.unwrap_or_default().row(cells)
    }
}

impl Object {
    fn row(self, cells: Box<[Box<str>]>) -> Row {
        let metadata = self.metadata;
        let mut owners = metadata.owner_references.into_iter();
        let owner = owners.find(|owner| owner.controller);
        Row {
            namespace: metadata.namespace.unwrap_or_default(),
            name: metadata.name,
            uid: (&*metadata.uid).into(),
            created: metadata.creation_timestamp,
            owner: owner.map(|owner| (owner.kind, owner.name)),
            cells,
        }
    }
}

fn cell(value: Value) -> Box<str> {
    let mut text = match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    if text.len() > LONGEST_CELL {
        let end = (0..=LONGEST_CELL)
            .rev()
            .find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(value: Value) -> Page {
        serde_json::from_value::<Wire>(value).unwrap().page()
    }

    #[test]
    fn rows_hold_what_the_server_prints_and_nothing_of_the_object() {
        let long = "x".repeat(1000);
        let page = page(json!({
            "kind": "Table",
            "metadata": {"continue": "more", "remainingItemCount": 7},
            "columnDefinitions": [
                {"name": "Name", "type": "string", "priority": 0},
                {"name": "Data", "type": "integer", "priority": 0},
                {"name": "Images", "type": "string", "priority": 1},
            ],
            "rows": [{"cells": ["keys", 2, long], "object": {"metadata": {
                "name": "keys", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z",
                "ownerReferences": [{"kind": "Other", "name": "x"}, {"kind": "App", "name": "shop", "controller": true}],
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "hunter2"},
            }}}],
        }));
        assert_eq!(
            (page.token.as_deref(), page.remaining),
            (Some("more"), Some(7))
        );
        let wide: Vec<_> = page
            .table
            .columns
            .iter()
            .map(|c| (c.wide, c.number))
            .collect();
        assert_eq!(wide, [(false, false), (false, true), (true, false)]);
        let row = &page.table.rows[0];
        assert_eq!(
            (&*row.name, &*row.namespace, &*row.cells[1]),
            ("keys", "shop", "2")
        );
        assert_eq!(row.owner, Some(("App".into(), "shop".into())));
        assert!(row.cells[2].len() < 250);
        assert!(!format!("{row:?}").contains("hunter2"));
    }

    #[test]
    fn a_server_that_makes_no_tables_gives_names() {
        let page = page(
            json!({"kind": "WidgetList", "metadata": {}, "items": [{"metadata": {"name": "a", "uid": "u"}}]}),
        );
        assert_eq!(&*page.table.columns[0].title, "Name");
        assert_eq!(&*page.table.rows[0].cells[0], "a");
        assert_eq!(page.token, None);
    }
}
