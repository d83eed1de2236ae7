//! The loop and the terminal guard.
