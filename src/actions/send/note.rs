//! The body of a note on what another program wrote, from a read right before.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::SendError;
use crate::domain::template::{CanonicalHash, canonical_hash};
use crate::domain::{ActionNote, Uid};
use crate::plan::ObjectRef;
use crate::plan::patch::{self, Note};
use crate::sources::kube::{Cluster, Error, convert, path};

/// Bound to the object that was shown, and to the template that is there now.
pub async fn body(
    cluster: &Cluster,
    (object, place): (&ObjectRef, &str),
    uid: &Uid,
    (note, before): (&ActionNote, &CanonicalHash),
) -> Result<String, SendError> {
    #[derive(Deserialize)]
    struct Object<'a> {
        #[serde(borrow)]
        metadata: Meta<'a>,
    }
    #[derive(Deserialize)]
    struct Meta<'a> {
        uid: &'a str,
        annotations: Option<IgnoredAny>,
    }
    let answer = cluster.get(place).await?;
    let text = String::from_utf8_lossy(&answer.body);
    let unusable = |error: serde_json::Error| Error::Unusable {
        about: format!("read {}", path::describe(place)),
        status: 200,
        message: format!("the answer cannot be read: {error}"),
    };
    let read: Object<'_> = serde_json::from_str(&text).map_err(unusable)?;
    if *read.metadata.uid != *uid.0 {
        let words = format!("{} was deleted and created again", object.name);
        return Err(SendError::Changed(words));
    }
    let template = convert::raw_template(&text).map_err(unusable)?;
    let to = canonical_hash(template).map_err(unusable)?;
    let mut note = ActionNote { to, ..note.clone() };
    // What stays was not withdrawn.
    if note.to == *before {
        note.from.clear();
    }
    let note = Note {
        note: &note,
        into_map: read.metadata.annotations.is_some(),
    };
    Ok(patch::note(uid, template, &note).map_err(unusable)?)
}
