//! Who may send what: the only maker of passes, and `actions::send` takes nothing without one.

/// What the person has given so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    pub readonly: bool,
    /// `!` armed writes and the ten minutes have not passed.
    pub armed: bool,
    /// enter on the button (`open`), `y` (`guarded`, `protected`), or `--yes`.
    pub confirmed: bool,
    /// The service's name, typed.
    pub typed_name: String,
    /// `O` with a reason.
    pub override_reason: Option<String>,
}

/// What still stands between a plan and its execution, in the order in which to say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    ReadOnly,
    Arming,
    /// A must-check has not answered.
    Answer(super::CheckId),
    /// Blocked, and no reason lifts it.
    Blocked(super::CheckId),
    /// Blocked; `O` and a reason lift it.
    Override(super::CheckId),
    Confirmation,
    Name,
}

/// Proof that the gate was passed. Only this module makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    kind: PassKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassKind {
    DryRun,
    Real,
}

impl Pass {
    pub fn kind(&self) -> PassKind {
        self.kind
    }
}
