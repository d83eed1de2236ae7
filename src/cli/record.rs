//! `rolldeck record`: what was done here, newest first. It reads a file, and asks no server unless it is told to.

use serde::Serialize;

use crate::actions::record::Limit;
use crate::actions::{Recorder, interrupted};
use crate::config::Config;
use crate::domain::Failure;
use crate::domain::release_record::{Action, HandedOver, Page, Stands, Torn};
use crate::engine::clock;
use crate::text;
use crate::text::action::{arrow, outcome, whole};

use super::Outcome;
use super::args::{Form, READS, Record};
use super::output;
use super::session::Session;

pub async fn run(config: &Config, args: &Record) -> Outcome {
    let now = clock::now();
    let limit = Limit {
        since: args.since.and_then(|ago| now.checked_sub(ago).ok()),
        ..Limit::NONE
    };
    let recorder = Recorder::new(&config.state_dir);
    if args.settle {
        settle(config, &recorder).await?;
    }
    let page = recorder.read(limit).await?;
    let fits = |action: &&Action| {
        let fits = |wanted: &String| {
            let (id, sending) = (&action.sending.workload, &action.sending);
            [&*id.name, &*id.to_string(), &*sending.id].contains(&wanted.as_str())
        };
        args.service.as_ref().is_none_or(fits)
    };
    let actions: Vec<&Action> = page.actions.iter().filter(fits).collect();
    let here = |handed: &&HandedOver| {
        let name = handed.object.rsplit('/').next();
        let fits = |wanted: &String| handed.object == *wanted || name == Some(wanted.as_str());
        args.service.as_ref().is_none_or(fits)
    };
    let handed: Vec<&HandedOver> = page.handed.iter().filter(here).collect();
    match args.output {
        Form::Json => {
            let rows = actions
                .iter()
                .map(|&action| Row::new(action, config, &page));
            output::json(&Report {
                actions: rows.collect(),
                handed_over: &handed,
                torn: &page.torn,
                orphans: page.orphans,
            })?;
        }
        Form::Lines => {
            // One that is asked for by its id is told whole.
            let asked = |action: &Action| args.service.as_ref() == Some(&action.sending.id);
            if let ([action], []) = (&actions[..], &handed[..])
                && asked(action)
            {
                for line in whole(action, under_way(action, &page), now) {
                    output::line(&line)?;
                }
            } else {
                lines((&actions, &handed), config, &page)?;
            }
            for words in amiss(&page) {
                output::aside(&words);
            }
        }
    }
    Ok(0)
}

/// Of the cluster that is connected to; those of others stay as they are.
async fn settle(config: &Config, recorder: &Recorder) -> Result<(), Failure> {
    let session = Session::connect(config, READS).await?;
    for one in interrupted::settle(&session.cluster, recorder, clock::now).await? {
        let what = format!("{} of {}", one.sending.verb, one.sending.workload);
        match &one.outcome {
            Ok(after) if after.last => {}
            Ok(after) => output::aside(&format!(
                "{what}: {} so far; a request may still be on its way: look again in a minute",
                after.sentence
            )),
            Err(why) => output::aside(&format!("{what} cannot be looked at: {why}")),
        }
    }
    Ok(())
}

/// Both, in the order of their times.
fn lines(
    (actions, handed): (&[&Action], &[&HandedOver]),
    config: &Config,
    page: &Page,
) -> Result<(), Failure> {
    let head = [
        "WHEN (UTC)",
        "ID",
        "WHO",
        "WHERE",
        "SERVICE",
        "VERB",
        "FROM -> TO",
        "OUTCOME",
        "REASON, COMMAND",
    ];
    let row = |action: &&Action| {
        let (sending, id) = (&action.sending, &action.sending.workload);
        let place = environment(config, action).unwrap_or(&id.cluster.0);
        let reasons = [&sending.reason, &sending.override_reason];
        let reasons: Vec<_> = reasons.into_iter().flatten().map(String::as_str).collect();
        vec![
            text::moment(sending.at),
            sending.id.clone(),
            action.who(),
            format!("{place} {}", id.namespace),
            id.to_string(),
            sending.verb.clone(),
            arrow(action).replace('→', "->"),
            outcome(action, under_way(action, page)),
            reasons.join("; "),
        ]
    };
    let actions = actions
        .iter()
        .map(|action| (action.sending.at, row(action)));
    let handed = handed.iter().map(|handed| (handed.at, of_program(handed)));
    let mut rows: Vec<_> = actions.chain(handed).collect();
    rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
    output::table(&head, &rows)
}

/// Another program had the terminal: what it did is not known.
fn of_program(handed: &HandedOver) -> Vec<String> {
    let namespace = handed.namespace.as_deref().unwrap_or_default();
    vec![
        text::moment(handed.at),
        String::new(),
        handed.who(),
        format!("{} {namespace}", handed.cluster),
        handed.object.clone(),
        "hand-over".into(),
        String::new(),
        handed.outcome.clone(),
        // The last column: it may be long.
        handed.line(),
    ]
}

fn under_way(action: &Action, page: &Page) -> bool {
    page.under_way.contains(&action.sending.id)
}

fn environment<'a>(config: &'a Config, action: &Action) -> Option<&'a str> {
    let id = &action.sending.workload;
    let here = config.environments.iter().find(|e| e.holds(id));
    here.map(|e| e.name.as_str())
}

/// What the file holds that is no action.
fn amiss(page: &Page) -> Vec<String> {
    let torn = page.torn.iter().map(|torn| {
        format!(
            "at byte {} of the record {} bytes are no line of it",
            torn.at, torn.bytes
        )
    });
    let orphans = (page.orphans > 0).then(|| {
        let lines = text::count(page.orphans, "line");
        format!("the record holds {lines} of actions whose first line is missing")
    });
    torn.chain(orphans).collect()
}

/// The record, as JSON; the names are kept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    actions: Vec<Row<'a>>,
    handed_over: &'a [&'a HandedOver],
    torn: &'a [Torn],
    orphans: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    #[serde(flatten)]
    action: &'a Action,
    environment: Option<&'a str>,
    stands: Stands,
    under_way: bool,
    /// How it stands, in words.
    outcome: String,
    /// Seconds from when it was sent.
    answered_after: Option<f64>,
    ended_after: Option<f64>,
}

impl<'a> Row<'a> {
    fn new(action: &'a Action, config: &'a Config, page: &Page) -> Self {
        let seconds = |after: Option<jiff::SignedDuration>| after.map(|after| after.as_secs_f64());
        let under_way = under_way(action, page);
        Self {
            environment: environment(config, action),
            stands: action.stands(),
            under_way,
            outcome: outcome(action, under_way),
            answered_after: seconds(action.answered_after()),
            ended_after: seconds(action.ended_after()),
            action,
        }
    }
}
