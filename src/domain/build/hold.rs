//! A job that a rolldeck switched off for a time: who, until when and why stand in the first line of its description.

use jiff::{SignedDuration, Timestamp};

use super::Job;

/// What the line begins with; people read it too.
const MARK: &str = "held by rolldeck until ";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobHold {
    /// `user@host`.
    pub by: Box<str>,
    /// Nothing is switched on by itself then: it is said that the hold is over.
    pub until: Timestamp,
    pub why: Box<str>,
}

impl JobHold {
    /// The end of a hold that begins now and lasts so many seconds, at the next full minute: that is how it is shown.
    pub fn end(now: Timestamp, seconds: u32) -> Timestamp {
        let end = now.as_second() + i64::from(seconds);
        let minute = end.div_euclid(60) + i64::from(end.rem_euclid(60) > 0);
        let end = Timestamp::from_second(minute * 60);
        end.unwrap_or(now + SignedDuration::from_secs(seconds.into()))
    }

    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until <= now
    }

    /// The description of a job that is held, before which there was this one.
    pub fn described(&self, before: Option<&str>) -> String {
        let why = self.why.replace(['\r', '\n'], " ");
        let line = format!("{MARK}{} by {}: {why}", self.until, self.by);
        match plain(before) {
            "" => line,
            rest => format!("{line}\n{rest}"),
        }
    }

    fn read(description: &str) -> Option<Self> {
        let line = description.lines().next()?.strip_prefix(MARK)?;
        let (until, rest) = line.split_once(" by ")?;
        let (by, why) = rest.split_once(": ")?;
        Some(Self {
            by: by.into(),
            until: until.parse().ok()?,
            why: why.trim_end().into(),
        })
    }
}

impl Job {
    /// Somebody who switched it on again by hand has ended it, whatever the description still says.
    pub fn hold(&self) -> Option<JobHold> {
        let description = self.description.as_deref();
        JobHold::read(description.filter(|_| !self.buildable)?)
    }

    /// Its description without the line of a hold.
    pub fn own_description(&self) -> &str {
        plain(self.description.as_deref())
    }
}

fn plain(description: Option<&str>) -> &str {
    let description = description.unwrap_or_default();
    match JobHold::read(description) {
        Some(_) => description.split_once('\n').map_or("", |(_, rest)| rest),
        None => description,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::build::sample;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hold() -> JobHold {
        JobHold {
            by: "oncall@bastion".into(),
            until: at("2026-11-27T15:40:00Z"),
            why: "INC-812: carts are lost".into(),
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_what_stood_there_comes_back() {
        for before in [None, Some("builds the shop\nask ana")] {
            let text = hold().described(before);
            assert!(
                text.starts_with(
                    "held by rolldeck until 2026-11-27T15:40:00Z by oncall@bastion: INC"
                ),
                "{text}"
            );
            let mut job = sample::job();
            job.description = Some(text.into());
            assert_eq!(job.hold(), None, "it is on");
            job.buildable = false;
            assert_eq!(job.hold(), Some(hold()));
            assert_eq!(job.own_description(), before.unwrap_or_default());
            // One hold after the other leaves one line.
            let again = hold().described(job.description.as_deref());
            assert_eq!(Some(&*again), job.description.as_deref());
        }
    }

    #[test]
    fn what_others_wrote_is_no_hold() {
        let mut job = sample::job();
        job.buildable = false;
        for text in [
            "frozen until monday",
            "held by rolldeck until monday by ana: x",
            "held by rolldeck until 2026-11-27T15:40:00Z",
            "x\nheld by rolldeck until 2026-11-27T15:40:00Z by ana: x",
        ] {
            job.description = Some(text.into());
            assert_eq!(job.hold(), None, "{text}");
            assert_eq!(job.own_description(), text);
        }
        let mut broken = hold();
        broken.why = "one\ntwo".into();
        job.description = Some(broken.described(None).into());
        assert_eq!(&*job.hold().unwrap().why, "one two");
    }

    #[test]
    fn it_ends_with_a_full_minute() {
        for (now, seconds, end) in [
            ("2026-11-27T14:39:12Z", 3600, "2026-11-27T15:40:00Z"),
            ("2026-11-27T14:40:00Z", 3600, "2026-11-27T15:40:00Z"),
            ("2026-11-27T23:59:30Z", 90, "2026-11-28T00:01:00Z"),
        ] {
            assert_eq!(JobHold::end(at(now), seconds), at(end));
        }
        assert!(hold().is_over(at("2026-11-27T15:40:00Z")));
        assert!(!hold().is_over(at("2026-11-27T15:39:59Z")));
    }
}
