//! Plain tables: the kinds of a cluster, and the rows of one, page by page and no more than are kept.

use std::sync::Arc;

use super::Shared;
use crate::app::effect::TableOf;
use crate::app::event::{Event, JobId, TableNews};
use crate::domain::table::MOST_ROWS;
use crate::domain::{ClusterId, Failure};
use crate::sources::kube::{discovery, table};

const PAGE: usize = 500;

pub(super) async fn kinds(shared: Arc<Shared>, cluster: ClusterId) {
    let outcome = match shared.connected(&cluster) {
        Ok(client) => discovery::kinds(&client)
            .await
            .map_err(|error| error.failure()),
        Err(failure) => Err(failure),
    };
    shared.send(Event::Discovered { cluster, outcome }).await;
}

pub(super) async fn read(shared: Arc<Shared>, job: JobId, of: TableOf) {
    let news = match pages(&shared, job, &of).await {
        Ok(beyond) => TableNews::End { beyond },
        Err(failure) => TableNews::Failed(failure),
    };
    shared.send(Event::TableRead { job, news }).await;
}

/// What is beyond the rows that were read; `Some(None)`: there is more, nobody says how much.
async fn pages(shared: &Shared, job: JobId, of: &TableOf) -> Result<Option<Option<u64>>, Failure> {
    let cluster = shared.connected(&of.cluster)?;
    let places: Vec<Option<&str>> = match of.namespaces.as_slice() {
        [] => vec![None],
        named => named.iter().map(|name| Some(&**name)).collect(),
    };
    let (mut count, mut first) = (0, true);
    for (place, namespace) in places.iter().enumerate() {
        let last = place + 1 == places.len();
        let mut token: Option<String> = None;
        loop {
            let from = (PAGE.min(MOST_ROWS - count), token.as_deref());
            let page = table::page(&cluster, &of.kind, *namespace, from).await;
            let page = page.map_err(|error| error.failure())?;
            count += page.table.rows.len();
            let table = page.table;
            let news = TableNews::Page { table, first };
            shared.send(Event::TableRead { job, news }).await;
            (first, token) = (false, page.token);
            if count >= MOST_ROWS && (token.is_some() || !last) {
                return Ok(Some(page.remaining.filter(|_| last)));
            }
            if token.is_none() {
                break;
            }
        }
    }
    Ok(None)
}
