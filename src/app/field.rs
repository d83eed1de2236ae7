//! A one-line text field that compares as its value and cursor.

use tui_input::Input;

/// `tui_input::Input` with an equality, because the model has one.
#[derive(Debug, Clone, Default)]
pub struct Field(pub Input);

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.0.value() == other.0.value() && self.0.cursor() == other.0.cursor()
    }
}

impl Field {
    pub fn value(&self) -> &str {
        self.0.value()
    }
}
