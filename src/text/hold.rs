//! The hold of a job in words.

use jiff::Timestamp;

use super::{clock, date};
use crate::domain::build::JobHold;

/// `held until 15:40 by oncall@bastion: INC-812`; that it is over is said, because nothing ends it by itself.
pub fn held(hold: &JobHold, now: Timestamp) -> String {
    let JobHold { by, until, why } = hold;
    let end = match date(*until, now) {
        day if day == date(now, now) => clock(*until),
        day => format!("{day} {}", clock(*until)),
    };
    if hold.is_over(now) {
        format!("still held, though only until {end}, by {by}: {why}")
    } else {
        format!("held until {end} by {by}: {why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_and_after_its_end() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let hold = JobHold {
            by: "oncall@bastion".into(),
            until: at("2026-11-27T15:40:00Z"),
            why: "INC-812".into(),
        };
        let said = |now: &str| held(&hold, at(now));
        assert_eq!(
            said("2026-11-27T15:00:00Z"),
            "held until 15:40 by oncall@bastion: INC-812"
        );
        assert_eq!(
            said("2026-11-27T16:00:00Z"),
            "still held, though only until 15:40, by oncall@bastion: INC-812"
        );
        let late = said("2026-11-29T16:00:00Z");
        assert!(late.contains("27 Nov 15:40"), "{late}");
    }
}
