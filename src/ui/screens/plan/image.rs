//! What a container can be set to: the tags of its repository, with all that is known of each.

use crate::app::Model;
use crate::app::deliveries::maker;
use crate::app::image_picker::ImagePicker;
use crate::domain::image::short_digest;
use crate::domain::{Container, ImageRef, Presence, Revision, WorkloadId, commit};
use crate::text;

use super::super::super::theme::Role;
use super::super::super::widgets::pen::{Piece, piece};
use super::super::super::widgets::table::{Column, Placed, place};
use super::body::Lines;

/// Cells of the words on the left.
const LABEL: u16 = 11;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Tag,
    Digest,
    Made,
    Commit,
    Build,
    Runs,
}

/// The words of a row, in the order of [`Part`].
struct Shown<'a> {
    image: &'a str,
    words: [String; 6],
}

pub fn lines(model: &Model, picker: &ImagePicker, id: &WorkloadId, width: u16) -> Lines {
    let Some(container) = picker.container() else {
        return Lines::new();
    };
    let others = match picker.containers.len() {
        1 => String::new(),
        n => format!("   {} of {n}, tab is the next", picker.at + 1),
    };
    let mut lines = vec![
        vec![
            label("container"),
            piece(&*container.name, Role::Strong),
            piece(others, Role::Dim),
        ],
        vec![label("now"), piece(&*container.image, Role::Plain)],
    ];
    if picker.tags.value().is_none() {
        lines.extend(had(picker));
    } else {
        let rows = picker.in_view().iter();
        let rows: Vec<_> = rows
            .map(|image| shown(model, (id, container), image))
            .collect();
        lines.extend(table(picker, &rows, width.saturating_sub(LABEL)));
    }
    let words = text::escape(&picker.words()).into_owned();
    let room = usize::from(width.saturating_sub(LABEL));
    let words = text::wrap(&words, room).into_iter();
    lines.extend(words.map(|line| vec![label(""), piece(line, Role::Dim)]));
    lines
}

fn label(words: &str) -> Piece {
    piece(text::pad(words, LABEL.into()), Role::Dim)
}

/// The images of its revisions, where no registry tells more.
fn had(picker: &ImagePicker) -> impl Iterator<Item = Vec<Piece>> {
    picker.in_view().iter().enumerate().map(|(n, image)| {
        let words = if n == 0 { "it had" } else { "" };
        vec![label(words), piece(&**image, role(picker, image))]
    })
}

fn role(picker: &ImagePicker, image: &str) -> Role {
    match &picker.chosen {
        Some(chosen) if **chosen == *image => Role::Strong,
        Some(_) | None => Role::Plain,
    }
}

fn shown<'a>(
    model: &Model,
    (id, container): (&WorkloadId, &Container),
    image: &'a str,
) -> Shown<'a> {
    let told = model.chain.image(image);
    let manifest = told.and_then(|told| told.manifest.as_ref());
    let digest = match told.map(|told| &told.presence) {
        Some(Presence::Present { digest, .. }) => short_digest(digest).unwrap_or_default(),
        Some(Presence::Missing) => "missing",
        Some(Presence::Unverified(_)) => "unknown",
        None => "…",
    };
    let made_by = maker(model, id, image);
    // What the image says itself is about these very bytes.
    let source = manifest.and_then(|manifest| manifest.commit());
    let source = source.or_else(|| Some(&*made_by?.0.sources.first()?.revision));
    let build = made_by.map_or_else(String::new, |(build, _)| format!("#{}", build.id.number));
    let created = manifest.and_then(|manifest| manifest.created);
    let words = [
        ImageRef::parse(image).tag.unwrap_or_default().to_owned(),
        digest.to_owned(),
        created.map_or_else(String::new, |at| text::coarse_age(at, model.now)),
        commit::short(source.unwrap_or_default()).to_owned(),
        build,
        runs(model, (id, container), image),
    ];
    Shown {
        image,
        words: words.map(|words| text::escape(&words).into_owned()),
    }
}

/// Which of its revisions have it.
fn runs(model: &Model, (id, container): (&WorkloadId, &Container), image: &str) -> String {
    if tagged(&container.image) == image {
        return "it has this".into();
    }
    let has = |revision: &&Revision| {
        let mut own = revision
            .containers
            .iter()
            .filter(|c| c.name == container.name);
        own.any(|c| tagged(&c.image) == image)
    };
    let revisions = model.fleet.workload(id).map(|w| model.fleet.revisions(w));
    let had = revisions.into_iter().flatten().find(has);
    had.map_or_else(String::new, |revision| format!("rev {}", revision.number))
}

/// Without the digest that it may be pinned to.
fn tagged(image: &str) -> &str {
    match image.split_once('@') {
        Some((tagged, _)) if ImageRef::parse(tagged).tag.is_some() => tagged,
        Some(_) | None => image,
    }
}

fn table(picker: &ImagePicker, rows: &[Shown<'_>], width: u16) -> Lines {
    let column = |part: Part, title: &'static str, small, goes| {
        let words = rows.iter().map(|row| row.words[part as usize].as_str());
        Column::holding(words, part, title, small, goes)
    };
    let columns = place(
        &[
            column(Part::Tag, "TAG", 12, 0),
            column(Part::Digest, "DIGEST", 6, 3),
            column(Part::Made, "MADE", 4, 0),
            column(Part::Commit, "COMMIT", 7, 2),
            column(Part::Build, "BUILD", 5, 1),
            column(Part::Runs, "", 6, 0),
        ],
        width,
    );
    if rows.is_empty() {
        return Lines::new();
    }
    let titles = across(&columns, Role::Dim, |column| column.title);
    let mut lines = vec![[vec![label("")], titles].concat()];
    lines.extend(rows.iter().map(|row| {
        let role = role(picker, row.image);
        let mark = if role == Role::Strong { "❯" } else { "" };
        let mark = text::pad_left(mark, usize::from(LABEL) - 1) + " ";
        let words = across(&columns, role, |column| &row.words[column.key as usize]);
        [vec![piece(mark, Role::Key)], words].concat()
    }));
    lines
}

fn across<'a>(
    columns: &[Placed<Part>],
    role: Role,
    words: impl Fn(&Placed<Part>) -> &'a str,
) -> Vec<Piece> {
    let padded = columns.iter().map(|column| {
        let gap = if column.x == 0 { "" } else { "  " };
        let words = text::pad(words(column), column.width.into());
        piece(format!("{gap}{words}"), role)
    });
    padded.collect()
}
