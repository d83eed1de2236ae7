//! What became of an action: every milestone until it is verified, or the reason why it is not.

use ratatui::layout::Rect;

use crate::app::Model;
use crate::app::intent::Intent;
use crate::app::model::Following;
use crate::app::words::key;
use crate::plan::{Follow, Scaled, Verb};
use crate::text;

use super::super::theme::Role;
use super::super::widgets::frame_box::{Edge, frame_box};
use super::super::widgets::pen::{Pen, cells};

/// Draws the open ones at the bottom of the area, the newest lowest.
pub fn follows(pen: &mut Pen<'_>, model: &Model) {
    let mut bottom = pen.height();
    for following in model.follows.iter().rev().filter(|f| f.open) {
        let lines = lines(model, following, pen.width().saturating_sub(4));
        let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
        if height + 3 > bottom {
            return;
        }
        bottom -= height;
        let area = Rect::new(pen.area.x, pen.area.y + bottom, pen.width(), height);
        draw(pen, area, model, following, &lines);
    }
}

fn draw(
    pen: &mut Pen<'_>,
    area: Rect,
    model: &Model,
    following: &Following,
    lines: &[Vec<(String, Role)>],
) {
    let goal = &following.goal;
    let words = goal.verb.words();
    let verb = match following.state {
        Follow::Pending(_) => words.doing,
        Follow::Done(_) => words.done,
        Follow::Failed(_) => words.plain,
    };
    let versions = match goal.verb {
        Verb::Rollback | Verb::SetImage | Verb::PromoteImage | Verb::HelmRollback => {
            format!("{} → {}", goal.from_version, goal.to_version)
        }
        Verb::Scale => match goal.scaled {
            Some(Scaled::To(to)) => format!("to {to}"),
            Some(Scaled::Between(min, max)) => format!("to {min} at least, {max} at most"),
            None => String::new(),
        },
        Verb::DeletePod => {
            let gone = goal.gone.iter().map(|gone| gone.name.to_string());
            gone.collect()
        }
        Verb::Pause
        | Verb::Resume
        | Verb::Restart
        | Verb::Promote
        | Verb::PromoteFull
        | Verb::SetWeight
        | Verb::Retry => goal.to_version.clone(),
        Verb::Abort => goal.from_version.clone(),
        Verb::ResumeSync => String::new(),
    };
    let title = format!("{verb}  {} {versions}", goal.workload.name);
    let back = key(model, Intent::Back);
    let (accepted, closes) = match following.state {
        Follow::Pending(_) => {
            let age = text::age(goal.accepted, model.clock_of(&goal.workload));
            let words = match goal.expected {
                Some(seconds) => {
                    let expected = text::duration(seconds.into());
                    format!("{age} of about {expected}, by {}", goal.by)
                }
                None => format!("accepted {age} ago by {}", goal.by),
            };
            (words, format!("{back} hides it"))
        }
        Follow::Done(_) | Follow::Failed(_) => {
            (format!("by {}", goal.by), format!("{back} closes"))
        }
    };
    let bottom_left = if following.resumed {
        "begun before this session"
    } else {
        ""
    };
    let edge = Edge {
        title: &title,
        top_right: (&accepted, None),
        bottom_left,
        bottom_right: &closes,
    };
    let mut inside = frame_box(pen, area, &edge);
    for (y, line) in (0..).zip(lines) {
        line.iter()
            .fold(0, |x, (words, role)| inside.line(x, y, words, *role));
    }
}

/// Milestones run on over as many lines as they need.
fn lines(model: &Model, following: &Following, width: u16) -> Vec<Vec<(String, Role)>> {
    let milestones = match &following.state {
        Follow::Pending(milestones) => milestones,
        Follow::Done(words) => return whole(words, Role::Good, width),
        Follow::Failed(words) => {
            let next = next_words(model, following.goal.verb);
            let mut lines = whole(words, Role::Bad, width);
            lines.extend(whole(&next, Role::Plain, width));
            return lines;
        }
    };
    let mut lines: Vec<Vec<(String, Role)>> = vec![Vec::new()];
    let mut used = 0;
    for milestone in milestones {
        let (sign, role) = if milestone.done {
            ("ok ", Role::Good)
        } else {
            (".. ", Role::Dim)
        };
        let needs = 3 + cells(&milestone.text) + 3;
        if used > 0 && used + needs > width {
            lines.push(Vec::new());
            used = 0;
        }
        used += needs;
        let role_of_text = if milestone.done {
            Role::Dim
        } else {
            Role::Plain
        };
        if let Some(line) = lines.last_mut() {
            line.push((sign.to_owned(), role));
            line.push((format!("{}   ", milestone.text), role_of_text));
        }
    }
    lines
}

/// What helps when it went wrong.
fn next_words(model: &Model, verb: Verb) -> String {
    let key = |intent| key(model, intent);
    match verb {
        Verb::Rollback => format!("press {} for a new plan", key(Intent::RollBack)),
        Verb::Pause => format!("press {} for a new plan", key(Intent::PauseOrResume)),
        Verb::ResumeSync => format!("press {} for a new plan", key(Intent::ResumeSync)),
        Verb::Scale => format!("press {} for a new plan", key(Intent::Scale)),
        Verb::Promote | Verb::PromoteFull | Verb::SetWeight | Verb::Abort | Verb::Retry => {
            format!("press {} to abort it", key(Intent::Abort))
        }
        Verb::Resume
        | Verb::Restart
        | Verb::SetImage
        | Verb::PromoteImage
        | Verb::DeletePod
        | Verb::HelmRollback => {
            format!("press {} to plan a rollback", key(Intent::RollBack))
        }
    }
}

fn whole(words: &str, role: Role, width: u16) -> Vec<Vec<(String, Role)>> {
    text::wrap(words, usize::from(width))
        .into_iter()
        .map(|line| vec![(line, role)])
        .collect()
}
