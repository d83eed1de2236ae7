//! Everything that can be tested without a server.

mod tidy;
