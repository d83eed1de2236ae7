//! Clients, feeds, jobs and the clock; runs every effect but the terminal's.
