//! Real shapes of objects, one table a kind.
