//! From the model to cells.
