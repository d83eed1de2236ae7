//! The hash in the names of ReplicaSets and ControllerRevisions.

use serde_json::Value;

use crate::demo::kube::go_json;

/// FNV-1a of the text, written as the controllers write theirs.
pub fn of(template: &Value) -> String {
    let text = go_json::text(template);
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    safe(hash)
}

/// The digits of a number in letters that make no words.
fn safe(hash: u32) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let digits = hash.to_string();
    let letter = |digit: u8| char::from(LETTERS[usize::from(digit) % LETTERS.len()]);
    digits.bytes().map(letter).collect()
}
