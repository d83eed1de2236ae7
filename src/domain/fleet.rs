//! Everything that is known of all clusters, folded from their changes.

/// See [`Fleet::apply`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fleet;
