//! What the server fills in and what it does not accept, as far as the kinds of this world need it.

use serde_json::Value;

use super::kind::Kind;
use super::refusal::Refusal;

/// Fills in what was left out.
pub fn fill(_kind: &'static Kind, _value: &mut Value) {}

/// Refuses what the real server refuses.
pub fn check(_kind: &'static Kind, _value: &Value) -> Result<(), Refusal> {
    Ok(())
}
