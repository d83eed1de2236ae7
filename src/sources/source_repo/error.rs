//! What can go wrong between here and a source repository, and what a person is told about it.

use std::time::Duration;

/// `about` names the repository: `github.com/shop/cart`. Nothing in it is escaped, and no secret is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{program} is not installed here")]
    NotInstalled { program: &'static str },
    /// In the last words of git or svn.
    #[error("{about}: {said}")]
    Failed { about: String, said: String },
    #[error("{about}: no answer within {}s", limit.as_secs())]
    Late { about: String, limit: Duration },
    /// Never pushed there, or gone with a force-push.
    #[error("{about} has no commit {id}")]
    NoCommit { about: String, id: String },
    /// The copy of it on this machine.
    #[error("the copy of {about} in {folder}: {said}")]
    Copy {
        about: String,
        folder: String,
        said: String,
    },
}
