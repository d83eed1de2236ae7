//! What a person means. One registry gives keys, hints, help and palette their words.
