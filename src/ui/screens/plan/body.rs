//! What a plan says above its foot: all of it when there is room, else what nobody may miss.

use crate::app::Model;
use crate::app::intent::Intent;
use crate::app::model::{PlanBox, Stage};
use crate::app::words;
use crate::plan::{Check, CheckId, Finding, OfferId, Plan, Step, Verb, Verdict, check::CheckState};
use crate::text;

use super::super::super::theme::{self, Role};
use super::super::super::widgets::change::fit_change;
use super::super::super::widgets::pen::{Piece, cells, piece};
use super::super::super::widgets::table::scroll_mark;

use super::asked;

pub type Lines = Vec<Vec<Piece>>;

/// What is in sight, and the words for the edge about what is not.
pub struct Body {
    pub lines: Lines,
    pub mark: String,
}

/// Too tall for `rows`, a plan is folded until the first key down, which unfolds it; from there on the keys scroll.
pub fn body(model: &Model, shown: &PlanBox, width: u16, rows: usize) -> Body {
    match pages(model, shown, width, rows) {
        (_, Some(mut lines)) if shown.offset == 0 => {
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
        (whole, Some(_)) => scrolled(whole, shown.offset - 1, rows),
        (whole, None) => scrolled(whole, shown.offset, rows),
    }
}

/// The offset at which the last line is in sight.
pub fn furthest(model: &Model, shown: &PlanBox, width: u16, rows: usize) -> usize {
    let (whole, folded) = pages(model, shown, width, rows);
    whole.len().saturating_sub(rows) + usize::from(folded.is_some())
}

/// All of it, and as it is folded when that is too tall.
fn pages(model: &Model, shown: &PlanBox, width: u16, rows: usize) -> (Lines, Option<Lines>) {
    match &shown.stage {
        Stage::Shown { plan, verdicts, .. } | Stage::Executing { plan, verdicts, .. } => {
            let page = Page {
                moved: shown.moved.as_deref(),
                plan,
                verdicts,
                width,
            };
            let all = (usize::MAX, usize::MAX);
            (page.lines(Fold::Whole, all), page.folded(rows))
        }
        Stage::Asking(_)
        | Stage::Gathering { .. }
        | Stage::Refused { .. }
        | Stage::Unknown { .. } => (sentences(model, shown, width), None),
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
        Some(moved) => what_moved(moved, Fold::Whole, width),
        None => Lines::new(),
    };
    if !lines.is_empty() {
        lines.push(Vec::new());
    }
    match &shown.stage {
        Stage::Asking(question) => {
            let of = Some(&shown.workload);
            lines.extend(asked::lines(model, question, of, width));
        }
        Stage::Gathering { since } => {
            let words = format!(
                "reading the object, its revisions and its pods … {}",
                text::age(*since, model.now)
            );
            lines.push(vec![piece(words, Role::Plain)]);
        }
        Stage::Refused { failure } => {
            lines.extend(paragraph(&failure.sentence, Role::Bad, Fold::Whole, width));
            for hint in &failure.hints {
                lines.extend(paragraph(hint, Role::Plain, Fold::Whole, width));
            }
        }
        Stage::Unknown { plan, why } => {
            let unknown = "Whether it was written is not known.";
            lines.extend(arrow(plan, Fold::Whole, width));
            lines.push(Vec::new());
            lines.extend(differences(plan, width));
            lines.push(Vec::new());
            lines.extend(paragraph(unknown, Role::Bad, Fold::Whole, width));
            lines.extend(paragraph(why, Role::Plain, Fold::Whole, width));
        }
        Stage::Shown { .. } | Stage::Executing { .. } => {}
    }
    lines
}

/// How much of a plan is said: each leaves out what those before it do, and something more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fold {
    Whole,
    /// The checks that are fine share one line, and so do those that are asked.
    Shared,
    /// No empty line between its parts.
    Close,
    /// A sentence is cut after one line.
    Cut,
    /// The checks that nobody could answer share a line, and the rule that chose is not told.
    Tight,
}

impl Fold {
    fn lines_of(self, sentence: &str, width: u16) -> Vec<String> {
        if self < Self::Cut {
            text::wrap(sentence, usize::from(width))
        } else {
            vec![text::fit(&text::escape(sentence), usize::from(width))]
        }
    }
}

const FOLDS: [Fold; 4] = [Fold::Shared, Fold::Close, Fold::Cut, Fold::Tight];

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
        let needs = |fold| self.lines(fold, (0, usize::MAX)).len();
        if needs(Fold::Whole) + differences <= rows {
            return None;
        }
        let enough = differences.min(DIFFERENCES);
        let fold = FOLDS.into_iter().find(|fold| needs(*fold) + enough <= rows);
        let fold = fold.unwrap_or(Fold::Tight);
        let changes = rows.saturating_sub(needs(fold)).max(1);
        // What follows the checks stays in sight, whatever they say.
        let rest = self.lines(fold, (changes, 0)).len();
        Some(self.lines(fold, (changes, rows.saturating_sub(rest))))
    }

    /// With at most so many lines of what differs, and of the checks.
    fn lines(&self, fold: Fold, (changes, checks): (usize, usize)) -> Lines {
        let changes = cut(differences(self.plan, self.width), changes);
        let parts = [
            moved(self.moved, fold, self.width),
            arrow(self.plan, fold, self.width),
            changes,
            self.checks(fold, checks),
            consequences((self.plan, self.verdicts), fold, self.width),
        ];
        let gaps = [self.moved.is_some(), true, true, true, false];
        let mut lines = Lines::new();
        for (part, gap) in parts.into_iter().zip(gaps) {
            lines.extend(part);
            lines.extend((gap && fold < Fold::Close).then(Vec::new));
        }
        lines
    }

    /// The must-checks first, then what stands in the way, then the rest; those that share a line come last.
    /// Beyond `most` lines they are named alone.
    fn checks(&self, fold: Fold, most: usize) -> Lines {
        let checks = self.plan.checks.iter();
        let mut told: Vec<_> = checks.map(|check| tell(check, self.verdicts)).collect();
        told.sort_by_key(Told::rank);
        let shares = |told: &Told| match told.finding {
            None | Some(Finding::Ok) => fold >= Fold::Shared,
            Some(Finding::Unverified) => fold == Fold::Tight,
            Some(Finding::Warn | Finding::Block) => false,
        };
        let (sharing, alone): (Vec<_>, Vec<_>) = told.into_iter().partition(shares);
        let wrapped = |told: &Told| line_of_check(told.finding, &told.sentence, fold, self.width);
        let named = |finding, count: String, told: &[&Told]| {
            let names: Vec<_> = told.iter().map(|told| told.check.name()).collect();
            let words = format!("{count}: {}", names.join(", "));
            line_of_check(finding, &words, fold, self.width)
        };
        let mut together = Lines::new();
        for finding in [Some(Finding::Unverified), None, Some(Finding::Ok)] {
            let same = sharing.iter().filter(|told| told.finding == finding);
            match same.collect::<Vec<_>>().as_slice() {
                [] => {}
                [one] => together.extend(wrapped(one)),
                several => {
                    let count = format!("{} checks", several.len());
                    together.extend(named(finding, count, several));
                }
            }
        }
        let mut lines: Lines = alone.iter().flat_map(wrapped).collect();
        if fold == Fold::Tight && lines.len() + together.len() > most {
            // A line each here.
            let kept = most.saturating_sub(together.len() + 1);
            lines.truncate(kept);
            let more: Vec<_> = alone.iter().skip(kept).collect();
            let finding = more.first().and_then(|told| told.finding);
            lines.extend(named(finding, format!("{} more", more.len()), &more));
        }
        lines.extend(together);
        lines.truncate(most);
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
    let (from, to) = plan.arrow.clone();
    let mut lines = vec![vec![
        piece(from, Role::Plain),
        piece("  →  ", Role::Dim),
        piece(to, Role::Strong),
    ]];
    if plan.rule.is_empty() || fold == Fold::Tight {
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
    // Where there is room for one line, the first says more than a count.
    let counted = lines.len() > most && most > 1;
    let Some(kept) = most.checked_sub(1).filter(|_| counted) else {
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

impl Told {
    /// Where it stands among all.
    fn rank(&self) -> (bool, u8, CheckId) {
        let finding = match self.finding {
            Some(Finding::Block) => 0,
            Some(Finding::Warn) => 1,
            Some(Finding::Unverified) => 2,
            None => 3,
            Some(Finding::Ok) => 4,
        };
        let must = self.check.must();
        (!must, if must { 0 } else { finding }, self.check)
    }
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
        | Role::Found
        | Role::Named(_) => Role::Plain,
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
        CheckId::Image => "whether the registry has the image",
        CheckId::Origin => "where it comes from",
        CheckId::Soak => "how it did where it comes from",
        CheckId::Config => "whether everything it names exists",
        CheckId::Settings => "what it is set up with where it comes from",
        CheckId::Owner => "who else writes it",
        CheckId::Paused => "whether it is paused",
        CheckId::Strategy => "which pods follow",
        CheckId::Hold => "whether something holds it",
        CheckId::Withdrawn => "whether it was rolled back from before",
        CheckId::Changed => "whether its ConfigMaps and Secrets changed since",
        CheckId::Commits => "which commits it takes back",
        CheckId::Quota => "whether quotas leave room for extra pods",
        CheckId::Downtime => "who is served meanwhile",
        CheckId::Readiness => "what ready says",
        CheckId::History => "which way back there is",
        CheckId::Siblings => "what went out with it",
        CheckId::Builds => "the builds on their way",
        CheckId::Autoscaler => "who else sets the number",
        CheckId::Analysis => "what the analyses say",
        CheckId::Metrics => "what the canary measures",
        CheckId::Presence => "who else is at it",
        CheckId::Controller => "whether a controller acts on it",
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
        all if all <= STEPS || fold == Fold::Whole => all,
        _ => STEPS - 1,
    };
    let told = |step: &&Step| line(step.what(), Role::Plain);
    let mut lines = first_steps(plan, room);
    lines.extend(steps.iter().take(shown).map(told));
    if let more @ 1.. = steps.len() - shown {
        let words = format!("{more} pods more, in the same way");
        lines.push(line(&words, Role::Dim));
    }
    lines
}

/// What is done before the patch.
fn first_steps(plan: &Plan, room: usize) -> Lines {
    let steps = plan.all_steps().take_while(|step| step.is_beside());
    let before = steps.filter(|_| plan.request.verb != Verb::ResumeSync);
    let line = |step: &Step| {
        vec![
            piece(padded("first", 12), Role::Dim),
            piece(text::fit(&text::escape(step.what()), room), Role::Plain),
        ]
    };
    before.map(line).collect()
}

/// The steps after the first, how long it may take and who is served meanwhile, the steps that a key adds, and the command that does the same.
fn consequences((plan, verdicts): (&Plan, &[Verdict]), fold: Fold, width: u16) -> Lines {
    let mut lines = next_steps(plan, fold, width);
    lines.extend(paragraph(&plan.outlook(), Role::Plain, fold, width));
    for offer in plan.open_offers(verdicts) {
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
