//! A failure as a person meets it: what kind, one clear sentence, and what to do.

use serde::Serialize;

/// Decides the exit code and the tone of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The command line or a name on it. Exit 2.
    Usage,
    /// A file of ours or a kubeconfig. Exit 2.
    Config,
    /// The login or a permission. Exit 1.
    Denied,
    /// No answer, or not a usable one. Exit 1.
    Unreachable,
    /// It is not there. Exit 1.
    NotFound,
    /// A write that must not be done, or that the gate did not pass. Exit 3.
    Refused,
    /// Exit 124.
    TimedOut,
    /// It was done and did not come out well. Exit 1.
    Failed,
    /// Our own mistake. Exit 1.
    Internal,
}

/// Sentences may hold words from outside: they are escaped where they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub kind: FailureKind,
    pub sentence: String,
    pub hints: Vec<String>,
}

impl Failure {
    pub fn new(kind: FailureKind, sentence: impl Into<String>) -> Self {
        Self {
            kind,
            sentence: sentence.into(),
            hints: Vec::new(),
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The sentence and its hints where there is but one line: `no such file (write it as …)`.
    pub fn line(&self) -> String {
        let hints = self.hints.iter();
        hints.fold(self.sentence.clone(), |line, hint| {
            format!("{line} ({hint})")
        })
    }

    pub fn exit_code(&self) -> u8 {
        match self.kind {
            FailureKind::Usage | FailureKind::Config => 2,
            FailureKind::Refused => 3,
            FailureKind::TimedOut => 124,
            FailureKind::Denied
            | FailureKind::Unreachable
            | FailureKind::NotFound
            | FailureKind::Failed
            | FailureKind::Internal => 1,
        }
    }
}
