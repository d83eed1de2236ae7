//! What a plan says above its foot: all of it when there is room, else what nobody may miss.

use crate::app::Model;
use crate::app::intent::Intent;
use crate::app::model::{PlanBox, Stage};
use crate::app::words;
use crate::plan::{Check, CheckId, Finding, OfferId, Plan, Step, Verdict, check::CheckState};
use crate::text;

use super::super::super::theme::{self, Role};
use super::super::super::widgets::change::fit_change;
use super::super::super::widgets::pen::{Piece, cells, piece};
use super::super::super::widgets::table::scroll_mark;

type Lines = Vec<Vec<Piece>>;

/// What is in sight, and the words for the edge about what is not.
pub struct Body {
    pub lines: Lines,
    pub mark: String,
}

/// Too tall for `rows`, a plan is folded until the first key down, which unfolds it; from there on the keys scroll.
pub fn body(model: &Model, shown: &PlanBox, width: u16, rows: usize) -> Body {
    let (whole, folded) = match &shown.stage {
        Stage::Shown { plan, verdicts, .. } | Stage::Executing { plan, verdicts, .. } => {
            let page = Page {
                moved: shown.moved.as_deref(),
                plan,
                verdicts,
                width,
            };
            (page.lines(WHOLE, usize::MAX), page.folded(rows))
        }
        Stage::Gathering { .. } | Stage::Refused { .. } | Stage::Unknown { .. } => {
            (sentences(model, shown, width), None)
        }
    };
    match folded {
        Some(mut lines) if shown.offset == 0 => {
            let below = lines.len().saturating_sub(rows);
            lines.truncate(rows);
            let down = words::key(model, Intent::Down);
            let mark = match (shown.typing(), below) {
                (true, _) => String::new(),
                (false, 0) => format!("{down} shows all"),
                (false, below) => format!("{down} shows all, ↓ {below}"),
            };
            Body { lines, mark }
        }
        Some(_) => scrolled(whole, shown.offset - 1, rows),
        None => scrolled(whole, shown.offset, rows),
    }
}

fn scrolled(lines: Lines, offset: usize, rows: usize) -> Body {
    let total = lines.len();
    let offset = offset.min(total.saturating_sub(rows));
    Body {
        lines: lines.into_iter().skip(offset).take(rows).collect(),
        mark: scroll_mark(offset, rows, total).unwrap_or_default(),
    }
}

/// What is said when there is no list of checks.
fn sentences(model: &Model, shown: &PlanBox, width: u16) -> Lines {
    // There is no new plan yet, or none at all.
    let mut lines = match shown.moved.as_deref() {
        Some(moved) => what_moved(moved, WHOLE, width),
        None => Lines::new(),
    };
    if !lines.is_empty() {
        lines.push(Vec::new());
    }
    match &shown.stage {
        Stage::Gathering { since } => {
            let words = format!(
                "reading the object, its revisions and its pods … {}",
                text::age(*since, model.now)
            );
            lines.push(vec![piece(words, Role::Plain)]);
        }
        Stage::Refused { failure } => {
            lines.extend(paragraph(&failure.sentence, Role::Bad, WHOLE, width));
            for hint in &failure.hints {
                lines.extend(paragraph(hint, Role::Plain, WHOLE, width));
            }
        }
        Stage::Unknown { plan, why } => {
            let unknown = "Whether it was written is not known.";
            lines.extend(arrow(plan, WHOLE, width));
            lines.push(Vec::new());
            lines.extend(differences(plan, width));
            lines.push(Vec::new());
            lines.extend(paragraph(unknown, Role::Bad, WHOLE, width));
            lines.extend(paragraph(why, Role::Plain, WHOLE, width));
        }
        Stage::Shown { .. } | Stage::Executing { .. } => {}
    }
    lines
}

/// How much of a plan is said.
#[derive(Clone, Copy)]
struct Fold {
    /// The checks that are fine share one line, and so do those that are asked.
    shared: bool,
    /// An empty line between its parts.
    gaps: bool,
    /// A sentence takes as many lines as it needs; else it is cut after one.
    wrapped: bool,
}

impl Fold {
    fn lines_of(self, sentence: &str, width: u16) -> Vec<String> {
        if self.wrapped {
            text::wrap(sentence, usize::from(width))
        } else {
            vec![text::fit(&text::escape(sentence), usize::from(width))]
        }
    }
}

const WHOLE: Fold = Fold {
    shared: false,
    gaps: true,
    wrapped: true,
};

/// From the least that is folded to the most.
const FOLDS: [Fold; 3] = [
    Fold {
        shared: true,
        ..WHOLE
    },
    Fold {
        shared: true,
        gaps: false,
        wrapped: true,
    },
    Fold {
        shared: true,
        gaps: false,
        wrapped: false,
    },
];

/// More is folded before fewer of the differences than these are in sight.
const DIFFERENCES: usize = 3;

/// A plan and the answers to its checks.
struct Page<'a> {
    moved: Option<&'a str>,
    plan: &'a Plan,
    verdicts: &'a [Verdict],
    width: u16,
}

impl Page<'_> {
    /// `None` when all of it fits.
    fn folded(&self, rows: usize) -> Option<Lines> {
        let differences = differences(self.plan, self.width).len();
        let needs = |fold| self.lines(fold, 0).len();
        if needs(WHOLE) + differences <= rows {
            return None;
        }
        let enough = differences.min(DIFFERENCES);
        let fold = FOLDS.into_iter().find(|fold| needs(*fold) + enough <= rows);
        let fold = fold.unwrap_or(FOLDS[2]);
        Some(self.lines(fold, rows.saturating_sub(needs(fold)).max(1)))
    }

    /// With at most so many lines of what differs.
    fn lines(&self, fold: Fold, most: usize) -> Lines {
        let changes = cut(differences(self.plan, self.width), most);
        let parts = [
            moved(self.moved, fold, self.width),
            arrow(self.plan, fold, self.width),
            changes,
            self.checks(fold),
            consequences(self.plan, fold, self.width),
        ];
        let gaps = [self.moved.is_some(), true, true, true, false];
        let mut lines = Lines::new();
        for (part, gap) in parts.into_iter().zip(gaps) {
            lines.extend(part);
            lines.extend((gap && fold.gaps).then(Vec::new));
        }
        lines
    }

    /// Those that share a line come last.
    fn checks(&self, fold: Fold) -> Lines {
        let told = self
            .plan
            .checks
            .iter()
            .map(|check| tell(check, self.verdicts));
        let quiet = |told: &Told| matches!(told.finding, None | Some(Finding::Ok));
        let (sharing, alone): (Vec<_>, Vec<_>) = told.partition(|told| fold.shared && quiet(told));
        let wrapped = |told: &Told| line_of_check(told.finding, &told.sentence, fold, self.width);
        let mut lines: Lines = alone.iter().flat_map(wrapped).collect();
        for finding in [None, Some(Finding::Ok)] {
            let same = || sharing.iter().filter(|told| told.finding == finding);
            match same().count() {
                0 | 1 => lines.extend(same().flat_map(wrapped)),
                count => {
                    let names: Vec<_> = same().map(|told| told.check.name()).collect();
                    let words = format!("{count} checks: {}", names.join(", "));
                    lines.extend(line_of_check(finding, &words, fold, self.width));
                }
            }
        }
        lines
    }
}

fn moved(moved: Option<&str>, fold: Fold, width: u16) -> Lines {
    let Some(moved) = moved else {
        return Lines::new();
    };
    let mut lines = what_moved(moved, fold, width);
    lines.extend(paragraph("This is the new plan.", Role::Warn, fold, width));
    lines
}

fn what_moved(moved: &str, fold: Fold, width: u16) -> Lines {
    let words = format!("The object moved while you looked: {moved}");
    paragraph(&words, Role::Warn, fold, width)
}

/// From -> to, and the rule that chose.
fn arrow(plan: &Plan, fold: Fold, width: u16) -> Lines {
    let (from, to) = plan.arrow();
    let mut lines = vec![vec![
        piece(from, Role::Plain),
        piece("  →  ", Role::Dim),
        piece(to, Role::Strong),
    ]];
    if plan.rule.is_empty() {
        return lines;
    }
    let rule = format!("chosen: {}", plan.rule);
    lines.extend(paragraph(&rule, Role::Dim, fold, width));
    lines
}

fn differences(plan: &Plan, width: u16) -> Lines {
    let all = &plan.differences;
    let widest = all.iter().map(|d| text::width(&d.what)).max();
    let label = widest.unwrap_or(0).min(24);
    let mut before = "";
    let mut lines = Lines::new();
    for difference in all {
        // What several lines are about is said once.
        let what = match difference.what.as_str() {
            what if what == before => "",
            what => what,
        };
        before = &difference.what;
        let what = padded(what, label);
        let room = width.saturating_sub(cells(&what) + 2);
        lines.push(vec![
            piece(format!("{what}  "), Role::Dim),
            piece(fit_change(&difference.text, room), Role::Plain),
        ]);
    }
    lines
}

/// The first of the lines, with a last one that counts the others.
fn cut(mut lines: Lines, most: usize) -> Lines {
    let Some(kept) = most.checked_sub(1).filter(|_| lines.len() > most) else {
        lines.truncate(most);
        return lines;
    };
    let more = format!("… and {} lines more", lines.len() - kept);
    lines.truncate(kept);
    lines.push(vec![piece(more, Role::Dim)]);
    lines
}

/// What became of one check.
struct Told {
    check: CheckId,
    /// `None`: it is asked.
    finding: Option<Finding>,
    sentence: String,
}

fn tell(check: &Check, verdicts: &[Verdict]) -> Told {
    let answer = match &check.state {
        CheckState::Answered(verdict) => Some(verdict),
        CheckState::Asking(_) => verdicts.iter().find(|v| v.check == check.id),
    };
    Told {
        check: check.id,
        finding: answer.map(|verdict| verdict.finding),
        sentence: match answer {
            Some(verdict) => verdict.sentence.clone(),
            None => format!("{} …", question(check.id)),
        },
    }
}

fn line_of_check(finding: Option<Finding>, sentence: &str, fold: Fold, width: u16) -> Lines {
    let (word, role) = finding.map_or(("asking", Role::Dim), theme::finding);
    let sentence_role = match role {
        Role::Bad => Role::Strong,
        Role::Plain
        | Role::Strong
        | Role::Dim
        | Role::Good
        | Role::Moving
        | Role::Warn
        | Role::Key
        | Role::Found => Role::Plain,
    };
    let sentences = fold.lines_of(sentence, width.saturating_sub(12));
    let words = std::iter::once(word).chain(std::iter::repeat(""));
    let line = |(word, sentence)| {
        vec![
            piece(format!("{}  ", padded(word, 10)), role),
            piece(sentence, sentence_role),
        ]
    };
    words.zip(sentences).map(line).collect()
}

/// What is being asked, while there is no answer.
pub fn question(check: CheckId) -> &'static str {
    match check {
        CheckId::Permission => "whether you may",
        CheckId::Unchanged => "whether it is still as you saw it",
        CheckId::Differs => "what differs",
        CheckId::DryRun => "whether the server accepts it (dry run)",
        CheckId::Config => "whether everything it names exists",
        CheckId::Owner => "who else writes it",
        CheckId::Paused => "whether it is paused",
        CheckId::Strategy => "which pods follow",
        CheckId::Hold => "whether something holds it",
    }
}

/// Folded, more steps than these are counted.
const STEPS: usize = 4;

/// What is done after the patch, a line each.
fn next_steps(plan: &Plan, fold: Fold, width: u16) -> Lines {
    let offered = plan.offers.iter();
    let deleted = offered.filter(|offer| offer.taken && offer.id == OfferId::DeletePods);
    let steps = plan.steps.iter().skip(1);
    let steps: Vec<_> = steps
        .chain(deleted.flat_map(|offer| &offer.steps))
        .collect();
    let room = usize::from(width.saturating_sub(12));
    let line = |what: &str, role| {
        vec![
            piece(padded("then", 12), Role::Dim),
            piece(text::fit(&text::escape(what), room), role),
        ]
    };
    let shown = match steps.len() {
        all if all <= STEPS || !fold.shared => all,
        _ => STEPS - 1,
    };
    let told = |step: &&Step| line(step.what(), Role::Plain);
    let mut lines: Lines = steps.iter().take(shown).map(told).collect();
    if let more @ 1.. = steps.len() - shown {
        let words = format!("{more} pods more, in the same way");
        lines.push(line(&words, Role::Dim));
    }
    lines
}

/// The steps after the first, who is served meanwhile, the steps that a key adds, and the command that does the same.
fn consequences(plan: &Plan, fold: Fold, width: u16) -> Lines {
    let mut lines = next_steps(plan, fold, width);
    lines.extend(paragraph(&plan.meanwhile, Role::Plain, fold, width));
    for offer in &plan.offers {
        let word = if offer.taken { "added" } else { "offered" };
        let role = if offer.taken { Role::Good } else { Role::Dim };
        lines.push(vec![
            piece(format!("{}  ", padded(word, 10)), role),
            piece(offer.key.to_string(), Role::Key),
            piece(format!(" {}", offer.text), Role::Plain),
        ]);
    }
    lines.extend(command(&plan.kubectl, width));
    lines
}

/// On several lines as a shell takes it, broken between two words or within one.
fn command(words: &str, width: u16) -> Lines {
    let words = text::escape(words);
    let mut rest = &*words;
    let mut lines = Lines::new();
    for line in text::wrap(&words, usize::from(width.saturating_sub(2))) {
        rest = rest.strip_prefix(&*line).unwrap_or_default();
        let end = match rest.as_bytes().first() {
            None => "",
            Some(b' ') => " \\",
            Some(_) => "\\",
        };
        rest = rest.trim_start();
        lines.push(vec![piece(format!("{line}{end}"), Role::Dim)]);
    }
    lines
}

fn paragraph(words: &str, role: Role, fold: Fold, width: u16) -> Lines {
    let lines = fold.lines_of(words, width).into_iter();
    lines.map(|line| vec![piece(line, role)]).collect()
}

fn padded(words: &str, cells: usize) -> String {
    text::pad(&text::escape(words), cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_is_one_command_for_a_shell() {
        let words = "kubectl --context arn:aws:eks:eu-west-1:123456789012:cluster/prod undo";
        for width in 12..80 {
            let lines = command(words, width);
            let lines: Vec<_> = lines.iter().map(|line| line[0].text.as_str()).collect();
            assert!(lines.iter().all(|line| line.len() <= usize::from(width)));
            assert_eq!(lines.join("\n").replace("\\\n", ""), words, "{width}");
        }
    }
}
