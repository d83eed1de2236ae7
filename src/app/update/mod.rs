//! `update`: events in, effects out.
