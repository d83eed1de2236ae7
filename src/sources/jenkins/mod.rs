//! Jenkins: what is built, by which job, and the writes that start and stop it.
