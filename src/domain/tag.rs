//! The order of tags by what they say themselves. When each was made is known only after a look at it.

use std::cmp::Ordering;

/// Words that make a version come before the one without them.
const BEFORE: [&str; 6] = ["alpha", "beta", "dev", "pre", "rc", "snapshot"];

/// By version, the newest first; then names without one, from the end of the alphabet; last what only signs images.
pub fn newest_first(mut tags: Vec<Box<str>>) -> Vec<Box<str>> {
    let order = |a: &str, b: &str| {
        let by_kind = Kind::of(a).cmp(&Kind::of(b));
        by_kind.then_with(|| by_version(b, a))
    };
    tags.sort_unstable_by(|a, b| order(a, b));
    tags.dedup();
    tags
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Version,
    Name,
    /// `sha256-9f2c….sig`, as cosign writes them.
    Signature,
}

impl Kind {
    fn of(tag: &str) -> Self {
        let number = tag.strip_prefix('v').unwrap_or(tag);
        if tag.starts_with("sha256-") {
            Self::Signature
        } else if number.starts_with(|c: char| c.is_ascii_digit()) {
            Self::Version
        } else {
            Self::Name
        }
    }
}

/// `1.9` before `1.10`, `2.0-rc1` before `2.0`. Tags that say the same in other words have an order as well.
fn by_version(a: &str, b: &str) -> Ordering {
    let plain = |tag| str::strip_prefix(tag, 'v').unwrap_or(tag);
    let (mut left, mut right) = (plain(a), plain(b));
    loop {
        let (one, left_rest) = Piece::first(left);
        let (other, right_rest) = Piece::first(right);
        match one.cmp(&other) {
            Ordering::Equal if one == Piece::End => return a.cmp(b),
            Ordering::Equal => (left, right) = (left_rest, right_rest),
            order => return order,
        }
    }
}

/// One after the other they make a version; the later variants are the newer ones.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    /// `-rc`: what comes before the version that ends here.
    Before(&'a str),
    End,
    Text(&'a str),
    /// Its length without leading zeros, and its digits.
    Number(usize, &'a str),
}

impl<'a> Piece<'a> {
    fn first(text: &'a str) -> (Self, &'a str) {
        if text.is_empty() {
            return (Self::End, "");
        }
        let is_number = text.starts_with(|c: char| c.is_ascii_digit());
        let end = text.find(|c: char| c.is_ascii_digit() != is_number);
        let (piece, rest) = text.split_at(end.unwrap_or(text.len()));
        if is_number {
            let digits = piece.trim_start_matches('0');
            return (Self::Number(digits.len(), digits), rest);
        }
        let word = piece.trim_start_matches(['-', '.', '_']);
        let starts = |before: &str| {
            let start = word.get(..before.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(before))
        };
        if BEFORE.iter().any(|before| starts(before)) {
            (Self::Before(piece), rest)
        } else {
            (Self::Text(piece), rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_newest_version_comes_first() {
        let want = [
            "v2.15.0-alpine",
            "2.15.0",
            "2.15.0-rc10",
            "2.15.0-rc9",
            "2.9.1",
            "2.9",
            "1.0",
            "20261123-812",
            "main-813",
            "main-99",
            "latest",
            "sha256-9f2c41.sig",
        ];
        // Dates are numbers, and those are large.
        let want: Vec<Box<str>> = [&want[7..8], &want[..7], &want[8..]]
            .concat()
            .into_iter()
            .map(Into::into)
            .collect();
        let mut mixed = want.clone();
        mixed.reverse();
        mixed.push("1.0".into());
        assert_eq!(newest_first(mixed), want);
    }

    proptest! {
        #[test]
        fn it_is_an_order(tags in prop::collection::vec("v?[0-9arc.-]{1,8}", 0..40)) {
            let tags: Vec<Box<str>> = tags.into_iter().map(Into::into).collect();
            let sorted = newest_first(tags.clone());
            let mut turned = tags;
            turned.reverse();
            prop_assert_eq!(newest_first(turned), sorted.clone());
            for (n, tag) in sorted.iter().enumerate() {
                let before = &sorted[..n];
                let wrong = before.iter().find(|b| by_version(b, tag).is_lt() && Kind::of(b) == Kind::of(tag));
                prop_assert_eq!(wrong, None);
            }
        }
    }
}
