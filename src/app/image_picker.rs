//! The images that a container can have: the tags of its repository, or those that its revisions had.

use jiff::{SignedDuration, Timestamp};

use super::event::JobId;
use crate::domain::{Chain, Container, ImageRef, Known, Tags, known};
use crate::text;

/// So many tags can be gone through; typing finds the others.
const MOST: usize = 200;
/// Of the first so many every date is asked for, and they stand by those.
const DATED: usize = 20;
/// Rows in sight.
const IN_VIEW: usize = 8;
/// How long what a registry said of a tag counts.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

#[derive(Debug, Clone, PartialEq)]
pub struct ImagePicker {
    /// The main one first.
    pub containers: Vec<Container>,
    /// Whose image it is.
    pub at: usize,
    /// Other images that it had, newest first.
    pub had: Vec<Box<str>>,
    /// Of the repository of its image, newest first as far as they tell themselves.
    pub tags: Known<Tags>,
    /// What can be taken, as whole references.
    pub rows: Vec<Box<str>>,
    /// So many tags have in them what is typed.
    pub fit: usize,
    /// The row that the arrows put into the field.
    pub chosen: Option<Box<str>>,
    /// The question for tags, and the last one for what they are.
    pub jobs: (JobId, JobId),
    /// What was asked for in the last one.
    pub asked: Vec<Box<str>>,
}

impl ImagePicker {
    pub fn new(containers: Vec<Container>) -> Self {
        Self {
            containers,
            at: 0,
            had: Vec::new(),
            tags: Known::default(),
            rows: Vec::new(),
            fit: 0,
            chosen: None,
            jobs: (JobId::default(), JobId::default()),
            asked: Vec::new(),
        }
    }

    pub fn container(&self) -> Option<&Container> {
        self.containers.get(self.at)
    }

    /// The image that the container has.
    pub fn present(&self) -> &str {
        self.container().map_or("", |container| &container.image)
    }

    /// Makes the rows: after another listing, another word in the field, or news of an image.
    pub fn refit(&mut self, typed: &str, chain: &Chain) {
        let Some(tags) = self.tags.value() else {
            self.rows.clone_from(&self.had);
            return;
        };
        let present = self.present();
        let repository = ImageRef::parse(present).repository;
        let word = match &self.chosen {
            // The arrows filter nothing.
            Some(_) => return self.rows = by_date(std::mem::take(&mut self.rows), chain),
            None => filter(typed.trim(), present),
        };
        let mut fitting = tags.names.iter().filter(|tag| tag.contains(word));
        let first = fitting.by_ref().take(MOST);
        let rows = first.map(|tag| format!("{repository}:{tag}").into());
        let rows: Vec<Box<str>> = rows.collect();
        self.fit = rows.len() + fitting.count();
        self.rows = by_date(rows, chain);
    }

    /// The next row or the one before, which is chosen from now on.
    pub fn choose(&mut self, down: bool) -> Option<&str> {
        let last = self.rows.len().saturating_sub(1);
        let to = match (self.place(), down) {
            (None, true) => 0,
            (None, false) => last,
            (Some(at), true) => (at + 1).min(last),
            (Some(at), false) => at.saturating_sub(1),
        };
        self.chosen = Some(self.rows.get(to)?.clone());
        self.chosen.as_deref()
    }

    pub fn place(&self) -> Option<usize> {
        let chosen = self.chosen.as_ref()?;
        self.rows.iter().position(|row| row == chosen)
    }

    pub fn in_view(&self) -> &[Box<str>] {
        let first = self.place().unwrap_or(0).saturating_sub(IN_VIEW - 1);
        let end = (first + IN_VIEW).min(self.rows.len());
        self.rows.get(first..end).unwrap_or_default()
    }

    /// The images that are worth a look now: what is in view, and those whose dates order the first rows.
    pub fn unknown(&self, chain: &Chain, now: Timestamp) -> Vec<Box<str>> {
        if self.tags.value().is_none() {
            return Vec::new();
        }
        let known = |image: &str| {
            let told = chain.image(image);
            told.is_some_and(|told| told.whole && now.duration_since(told.at) < FRESH)
        };
        let mut unknown: Vec<Box<str>> = Vec::new();
        for image in self.in_view().iter().chain(self.rows.iter().take(DATED)) {
            if !known(image) && !unknown.contains(image) {
                unknown.push(image.clone());
            }
        }
        unknown
    }

    /// What the rows are, and what is not among them.
    pub fn words(&self) -> String {
        let repository = ImageRef::parse(self.present()).repository;
        let had = match self.had.len() {
            0 => "no other image of it is known from its revisions",
            _ => "the arrow keys take one of these",
        };
        match (&self.tags.state, self.tags.value()) {
            (known::State::Failed { why, .. }, None) => format!("no tags: {why}; {had}"),
            (known::State::Loading, None) => format!("reading the tags of {repository} …; {had}"),
            (known::State::Never | known::State::Fresh, None) => had.to_owned(),
            (_, Some(tags)) => self.of_tags(tags),
        }
    }

    /// `newest 200 of 50,000 by version order, dates of those in view`.
    fn of_tags(&self, tags: &Tags) -> String {
        let more = if tags.whole { "" } else { "more than " };
        let all = format!("{more}{}", text::thousands(tags.names.len()));
        if self.fit == 0 {
            let words = "has this in it; enter takes what is typed";
            return format!("none of {all} tags {words}");
        }
        let of = if self.fit < tags.names.len() {
            format!("{} of {all} tags that fit", text::thousands(self.fit))
        } else {
            format!("{all} tags")
        };
        if self.fit <= DATED && tags.whole {
            return format!("{of}, by date");
        }
        let newest = match self.rows.len() {
            shown if shown < self.fit => format!("newest {shown} of {of}"),
            _ => of,
        };
        format!(
            "{newest} by version order; the first {DATED} by date, other dates of those in view"
        )
    }
}

/// What of the text in the field a tag has to have in it; nothing while the field is as it was.
fn filter<'a>(typed: &'a str, present: &str) -> &'a str {
    if typed == present {
        return "";
    }
    let repository = ImageRef::parse(present).repository;
    let rest = typed.strip_prefix(repository).unwrap_or(typed);
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    rest.split('@').next().unwrap_or_default()
}

/// The first of them by date, newest first, once a registry has told of all of these; those without a date after them.
fn by_date(mut rows: Vec<Box<str>>, chain: &Chain) -> Vec<Box<str>> {
    let first = rows.len().min(DATED);
    let told = |image: &str| chain.image(image).is_some_and(|told| told.whole);
    if rows[..first].iter().all(|image| told(image)) {
        let created = |image: &str| chain.image(image)?.manifest.as_ref()?.created;
        rows[..first].sort_by_key(|image| std::cmp::Reverse(created(image)));
    }
    rows
}
