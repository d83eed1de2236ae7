//! The revisions the cluster keeps, newest number first: the current one, the marked one, those withdrawn.

use crate::app::layout::scrolled;
use crate::app::model::Pane;
use crate::domain::image::short_digest;
use crate::domain::{ImageRef, Presence, Revision};
use crate::text;

use super::super::super::theme::{self, Role};
use super::super::super::widgets::pen::{Pen, cells};
use super::super::super::widgets::table::{Column, Placed, place, scroll_mark};
use super::{View, counts, current, delivery, marked, version_of};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Number,
    Version,
    Digest,
    Build,
    Commit,
    Since,
    Image,
    Pods,
    What,
}

/// Cells before the first column.
const MARKS: u16 = 4;

pub fn history(pen: &mut Pen<'_>, view: &View<'_>) {
    let title_role = if view.screen.pane == Pane::History {
        Role::Strong
    } else {
        Role::Dim
    };
    let title = pen.line(1, 0, "HISTORY", title_role);
    if view.revisions.is_empty() {
        pen.line(title + 2, 0, "not known yet", Role::Dim);
        return;
    }
    let height = usize::from(pen.height().saturating_sub(2));
    let mark = marked(view);
    let at = mark.and_then(|mark| view.revisions.iter().position(|r| r.uid == mark.uid));
    let offset = scrolled(0, at.unwrap_or(0), height);
    let visible = view.revisions.iter().skip(offset).take(height);
    let rows: Vec<_> = visible.map(|revision| row(view, revision)).collect();
    let columns = place(&columns(&rows), pen.width().saturating_sub(MARKS + 1));
    if let Some(mark) = scroll_mark(offset, rows.len(), view.revisions.len()) {
        pen.line(title + 1, 0, &mark, Role::Dim);
    }
    for column in &columns {
        pen.put(MARKS + column.x, 1, column.width, column.title, Role::Dim);
    }
    for (y, row) in (2..).zip(&rows) {
        draw(pen, y, view, row, &columns);
    }
}

/// Cells that the widest row would take, without the words of people.
pub fn wanted(view: &View<'_>) -> u16 {
    let rows: Vec<_> = view.revisions.iter().map(|r| row(view, r)).collect();
    let columns = columns(&rows);
    let gaps = u16::try_from(columns.len() * 2).unwrap_or(0);
    columns.iter().map(|column| column.wants).sum::<u16>() + gaps + MARKS
}

struct Row<'a> {
    revision: &'a Revision,
    /// In the order of [`Part`].
    words: [String; 9],
    /// Of the last of them, the cells that are ours.
    status: u16,
}

fn draw(pen: &mut Pen<'_>, y: u16, view: &View<'_>, row: &Row<'_>, columns: &[Placed<Part>]) {
    let revision = row.revision;
    let is_current = current(view).is_some_and(|live| live.uid == revision.uid);
    let is_marked = marked(view).is_some_and(|mark| mark.uid == revision.uid);
    if is_marked {
        let role = if view.screen.pane == Pane::History {
            Role::Key
        } else {
            Role::Dim
        };
        pen.put(0, y, 1, "❯", role);
    }
    if is_current {
        let (sign, role) = theme::phase(view.standing.phase);
        pen.put(2, y, 1, sign, role);
    } else if counts(view, revision).1 > 0 {
        pen.put(2, y, 1, "•", Role::Good);
    }
    let gone = view.withdrawn.contains(&revision.name);
    for column in columns {
        let role = match column.key {
            Part::Version if is_marked => Role::Strong,
            Part::What if gone => Role::Warn,
            Part::Image if row.words[Part::Image as usize] == MISSING => Role::Bad,
            Part::Digest | Part::Build | Part::Commit | Part::Since | Part::Image => Role::Dim,
            Part::Number | Part::Version | Part::Pods | Part::What => Role::Plain,
        };
        let (x, words) = (MARKS + column.x, &row.words[column.key as usize]);
        match column.key {
            Part::What => pen.put_clause(x, y, column.width, words, role),
            Part::Number
            | Part::Version
            | Part::Digest
            | Part::Build
            | Part::Commit
            | Part::Since
            | Part::Image
            | Part::Pods => pen.put(x, y, column.width, words, role),
        };
    }
}

fn row<'a>(view: &View<'_>, revision: &'a Revision) -> Row<'a> {
    let mut what: Vec<String> = Vec::new();
    if current(view).is_some_and(|r| r.uid == revision.uid) {
        what.push("current".to_owned());
    }
    if view.withdrawn.contains(&revision.name) {
        what.push("withdrawn".to_owned());
    }
    if !revision.former.is_empty() {
        let former: Vec<_> = revision.former.iter().map(u64::to_string).collect();
        what.push(format!("was {}", former.join(", ")));
    }
    let status = cells(&what.join(", "));
    if let Some(cause) = &revision.change_cause {
        what.push(cause.to_string());
    }
    let number = if revision.number == 0 {
        "?".to_owned()
    } else {
        revision.number.to_string()
    };
    let pods = match counts(view, revision) {
        (0, 0) => String::new(),
        (pods, ready) => format!("{ready}/{pods}"),
    };
    Row {
        revision,
        words: [
            number,
            version_of(view, revision),
            digest(view, revision),
            delivery::number(&view.deliveries, revision),
            delivery::commit_of(view, revision),
            text::age(revision.created, view.now()),
            image(view, revision),
            pods,
            what.join(", "),
        ],
        status,
    }
}

/// What its pods run, when one tells; else what its template pins.
pub fn digest(view: &View<'_>, revision: &Revision) -> String {
    let Some(container) = revision.containers.iter().find(|c| !c.init) else {
        return String::new();
    };
    let pinned = ImageRef::parse(&container.image)
        .digest
        .and_then(short_digest);
    let mut running = view
        .pods
        .iter()
        .filter(|pod| pod.revision == revision.pod_hash)
        .flat_map(|pod| pod.containers.iter())
        .filter(|c| c.name == container.name)
        .filter_map(|c| short_digest(&c.image_id));
    running.next().or(pinned).unwrap_or("").to_owned()
}

const MISSING: &str = "missing";

/// What the registries say of all its images together; nothing while one was not asked.
fn image(view: &View<'_>, revision: &Revision) -> String {
    let containers = revision.containers.iter().filter(|c| !c.init);
    let mut word = String::new();
    for container in containers {
        let Some(told) = view.model.chain.image(&container.image) else {
            return String::new();
        };
        match told.presence {
            Presence::Missing => return MISSING.into(),
            Presence::Unverified(_) => word = "unverified".into(),
            Presence::Present { .. } if word.is_empty() => word = "there".into(),
            Presence::Present { .. } => {}
        }
    }
    word
}

fn columns(rows: &[Row<'_>]) -> Vec<Column<Part>> {
    let column = |key: Part, title: &'static str, small: u16, goes| {
        let words = rows.iter().map(|row| row.words[key as usize].as_str());
        Column::holding(words, key, title, small, goes)
    };
    let mut columns = vec![
        column(Part::Number, "REV", 6, 0),
        column(Part::Version, "VERSION", 16, 0),
    ];
    for (part, title, small, goes) in [
        (Part::Digest, "DIGEST", 6, 5),
        (Part::Build, "BUILD", 5, 3),
        (Part::Commit, "COMMIT", 7, 4),
    ] {
        if rows.iter().any(|row| !row.words[part as usize].is_empty()) {
            columns.push(column(part, title, small, goes));
        }
    }
    columns.push(column(Part::Since, "MADE", 4, 0));
    if rows
        .iter()
        .any(|row| !row.words[Part::Image as usize].is_empty())
    {
        columns.push(column(Part::Image, "IMAGE", 7, 1));
    }
    columns.push(column(Part::Pods, "READY", 5, 2));
    let status = rows.iter().map(|row| row.status).max().unwrap_or(0);
    columns.push(Column {
        key: Part::What,
        title: "STATUS",
        least: status.clamp(6, 20),
        wants: status.clamp(6, 40),
        most: u16::MAX,
        goes: 0,
    });
    columns
}
