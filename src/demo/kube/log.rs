//! The log of a pod's container, whole or as it is written.

use super::answer::Answer;
use super::object::Key;
use super::refusal::Refusal;
use super::server::Call;

pub fn log(_call: &Call, _key: &Key) -> Result<Answer, Refusal> {
    Err(Refusal::NoSuchPath)
}
