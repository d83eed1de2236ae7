//! Turns data into safe words.
