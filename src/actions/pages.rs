//! Lists of the API, page by page.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::sources::kube::{Cluster, Error, path};

/// All objects of the list at this path.
pub async fn every<T: DeserializeOwned>(cluster: &Cluster, list: &str) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let query = [("limit", "500"), ("continue", token.as_str())];
        let asked = if token.is_empty() { 1 } else { 2 };
        let place = path::with_query(list.to_owned(), &query[..asked]);
        let answer = cluster.list(&place).await?;
        let page: Page<T> =
            serde_json::from_slice(&answer.body).map_err(|why| Error::Unusable {
                about: format!("list {}", path::describe(&place)),
                status: 200,
                message: format!("the answer cannot be read: {why}"),
            })?;
        found.extend(page.items.unwrap_or_default());
        token = page.metadata.next;
        if token.is_empty() {
            return Ok(found);
        }
    }
}

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default)]
    metadata: Meta,
    items: Option<Vec<T>>,
}

#[derive(Deserialize, Default)]
struct Meta {
    #[serde(rename = "continue", default)]
    next: String,
}
