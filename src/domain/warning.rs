//! A Warning event, with what it is about.

use jiff::Timestamp;

use super::{ClusterId, Uid};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub cluster: ClusterId,
    pub namespace: Box<str>,
    /// The event object's own name.
    pub name: Box<str>,
    /// The kind, name and uid of the object it is about.
    pub about_kind: Box<str>,
    pub about: Box<str>,
    pub about_uid: Uid,
    pub reason: Box<str>,
    pub message: Box<str>,
    pub count: u32,
    pub last_seen: Timestamp,
}
