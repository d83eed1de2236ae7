//! A Secret: which keys it has, and never what is in them. Only its metadata was read.

use std::collections::BTreeSet;

use serde_json::Value;

use super::page::{Page, array};

pub fn secret(page: &mut Page, object: &Value) {
    page.title("KEYS");
    let writes = array(&object["metadata"]["managedFields"]).iter();
    let owned = writes.flat_map(|write| {
        let fields = write["fieldsV1"]["f:data"].as_object();
        fields
            .into_iter()
            .flatten()
            .filter_map(|(key, _)| key.strip_prefix("f:"))
    });
    let keys: BTreeSet<&str> = owned.collect();
    page.under(|page| {
        for key in &keys {
            page.line(key);
        }
        if keys.is_empty() {
            page.line("nothing tells their names");
        }
        page.line("rolldeck does not read what is in them");
    });
}
