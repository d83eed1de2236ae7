//! The command line without a cluster: exit codes, words, and a terminal given back.

mod handover;
mod record;
mod server;
mod settings;
mod terminal;
mod words;
