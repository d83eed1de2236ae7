//! One polite look after the other at the images that one may go back to: whether their registries still have them.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::client::Registries;
use super::error::Error;
use super::place::Place;
use crate::domain::Presence;
use crate::sources::Clock;

/// Between two looks: at most 120 a minute, however many images there are.
const PAUSE: Duration = Duration::from_millis(500);
/// How long what a registry said of a tag counts; of a digest it counts for good.
const KEPT: SignedDuration = SignedDuration::from_mins(15);
/// How long a registry is left alone after its first failure, and at most.
const REST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(900);
/// When nothing is due, it is looked again so often whether something is.
const IDLE: Duration = Duration::from_secs(15);

/// What was looked at, and what is left alone until when. It holds no more than is wanted.
pub struct Rounds {
    clock: Clock,
    /// When each is due again.
    due: HashMap<Box<str>, Timestamp>,
    /// Repositories that we may not look at.
    closed: HashMap<String, Timestamp>,
    /// Registries that failed, how often, and until when they are left alone.
    resting: HashMap<String, (u32, Timestamp)>,
    /// Where among those that are wanted it goes on.
    at: usize,
}

impl Rounds {
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            due: HashMap::new(),
            closed: HashMap::new(),
            resting: HashMap::new(),
            at: 0,
        }
    }

    /// Others are wanted, the most wanted first: what was learned of the rest is forgotten.
    pub fn want(&mut self, wanted: &[Box<str>]) {
        let kept: HashSet<_> = wanted.iter().collect();
        self.due.retain(|image, _| kept.contains(image));
        self.at = 0;
    }

    /// Looks at the next that is due, and says how long to wait before the next look. Nothing is learned when none is
    /// due, or when the registry failed: what it said before still counts.
    pub async fn look(
        &mut self,
        registries: &Registries,
        wanted: &[Box<str>],
    ) -> (Option<(Box<str>, Presence)>, Duration) {
        let begun = (self.clock)();
        let Some(image) = self.next(wanted, begun) else {
            return (None, IDLE);
        };
        let found = registries.look(&image, &[]).await;
        let now = (self.clock)();
        let took = Duration::try_from(now.duration_since(begun)).unwrap_or_default();
        let presence = self.note(&image, found, now);
        // Who answers slowly gets as long to rest.
        (presence.map(|presence| (image, presence)), PAUSE.max(took))
    }

    fn next(&mut self, wanted: &[Box<str>], now: Timestamp) -> Option<Box<str>> {
        let count = wanted.len();
        let places = (self.at..count).chain(0..self.at.min(count));
        let place = { places }.find(|place| self.is_due(&wanted[*place], now))?;
        self.at = place + 1;
        Some(wanted[place].clone())
    }

    fn is_due(&self, image: &str, now: Timestamp) -> bool {
        if self.due.get(image).is_some_and(|due| now < *due) {
            return false;
        }
        let Ok(place) = Place::of(image) else {
            return true;
        };
        let rests = self.resting.get(&place.host);
        let closed = self.closed.get(&repository(&place));
        rests.is_none_or(|(_, until)| *until <= now) && closed.is_none_or(|until| *until <= now)
    }

    fn note(
        &mut self,
        image: &str,
        found: Result<Presence, Error>,
        now: Timestamp,
    ) -> Option<Presence> {
        let later = now.checked_add(KEPT).unwrap_or(Timestamp::MAX);
        let Ok(place) = Place::of(image) else {
            self.due.insert(image.into(), Timestamp::MAX);
            return found.err().map(|why| Presence::Unverified(why.to_string()));
        };
        let presence = match found {
            Ok(presence) => presence,
            Err(why) if why.needs_login() => {
                self.closed.insert(repository(&place), later);
                return Some(Presence::Unverified(why.to_string()));
            }
            Err(why) => {
                self.rest(place.host, why.retry_after(), now);
                return None;
            }
        };
        let good = matches!(presence, Presence::Present { .. }) && place.is_pinned();
        let due = if good { Timestamp::MAX } else { later };
        self.due.insert(image.into(), due);
        self.resting.remove(&place.host);
        Some(presence)
    }

    /// Longer after each failure, and as long as the registry asks for.
    fn rest(&mut self, host: String, asked: Option<Duration>, now: Timestamp) {
        let (failures, until) = self.resting.entry(host).or_insert((0, now));
        let wait = REST * 2_u32.pow((*failures).min(5));
        let wait = wait.max(asked.unwrap_or_default()).min(LONGEST);
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::ZERO);
        *failures += 1;
        *until = now.checked_add(wait).unwrap_or(Timestamp::MAX);
    }
}

fn repository(place: &Place) -> String {
    format!("{}/{}", place.host, place.repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn rounds() -> Rounds {
        Rounds::new(|| Timestamp::UNIX_EPOCH)
    }

    fn wanted(images: &[&str]) -> Vec<Box<str>> {
        images.iter().map(|image| (*image).into()).collect()
    }

    fn there() -> Presence {
        Presence::Present {
            digest: "sha256:aa".into(),
            at: at(0),
        }
    }

    fn throttled(seconds: u64) -> Error {
        Error::Throttled {
            host: "r.example".into(),
            retry_after: Some(Duration::from_secs(seconds)),
        }
    }

    #[test]
    fn each_is_looked_at_once_in_its_time_and_a_digest_for_good() {
        let mut rounds = rounds();
        let wanted = wanted(&["r.example/a:1", "r.example/b@sha256:aa"]);
        for image in &wanted {
            assert_eq!(rounds.next(&wanted, at(0)).as_ref(), Some(image));
            rounds.note(image, Ok(there()), at(0));
        }
        assert_eq!(rounds.next(&wanted, at(899)), None);
        assert_eq!(rounds.next(&wanted, at(900)).as_ref(), Some(&wanted[0]));
        rounds.note(&wanted[0], Ok(there()), at(900));
        assert_eq!(rounds.next(&wanted, at(1_000)), None);
        // What is no longer wanted takes no room.
        rounds.want(&[]);
        assert_eq!(rounds.due.len(), 0);
    }

    #[test]
    fn a_registry_that_fails_is_left_alone_and_the_others_are_not() {
        let mut rounds = rounds();
        let wanted = wanted(&["r.example/a:1", "r.example/a:2", "other.example/a:1"]);
        assert_eq!(rounds.note(&wanted[0], Err(throttled(0)), at(0)), None);
        assert_eq!(rounds.next(&wanted, at(1)).as_ref(), Some(&wanted[2]));
        rounds.note(&wanted[2], Ok(there()), at(1));
        assert_eq!(rounds.next(&wanted, at(29)), None);
        assert!(rounds.next(&wanted, at(30)).is_some());
        for (failure, rest) in [(2, 60), (3, 120), (4, 240), (5, 480), (6, 900), (7, 900)] {
            rounds.note(&wanted[0], Err(throttled(0)), at(0));
            assert_eq!(rounds.next(&wanted[..1], at(rest - 1)), None, "{failure}");
            assert!(rounds.next(&wanted[..1], at(rest)).is_some(), "{failure}");
        }
        rounds.note(&wanted[0], Ok(there()), at(0));
        rounds.note(&wanted[1], Err(throttled(80)), at(0));
        assert_eq!(rounds.next(&wanted[1..2], at(79)), None, "as it asks");
        assert!(rounds.next(&wanted[1..2], at(80)).is_some());
    }

    #[test]
    fn a_repository_that_is_closed_to_us_is_asked_once() {
        let mut rounds = rounds();
        let wanted = wanted(&[
            "r.example/a:1",
            "r.example/a:2",
            "r.example/b:1",
            "not//one",
        ]);
        let denied = Error::Denied {
            host: "r.example".into(),
            about: "a:1".into(),
            message: String::new(),
        };
        let told = rounds.note(&wanted[0], Err(denied), at(0));
        assert!(matches!(told, Some(Presence::Unverified(_))), "{told:?}");
        assert_eq!(rounds.next(&wanted, at(1)).as_ref(), Some(&wanted[2]));
        assert_eq!(rounds.next(&wanted, at(1)).as_ref(), Some(&wanted[3]));
        let none = Error::NotAnImage {
            image: "not//one".into(),
        };
        rounds.note(&wanted[3], Err(none), at(1));
        rounds.note(&wanted[2], Ok(there()), at(1));
        assert_eq!(rounds.next(&wanted, at(600)), None);
    }
}
