//! The only room that acts: reads for a plan, checks that ask, the one function that writes, the record.
