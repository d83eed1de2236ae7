//! What each event does to the model. One file per screen or concern; this one only dispatches.

mod arm;
mod ask;
pub mod batch;
mod board;
pub mod build;
pub mod builds;
pub mod changes;
pub mod clusters;
pub mod commits;
mod connection;
pub mod doctor;
mod feed;
mod find;
mod follow;
pub mod handover;
pub mod image;
mod key;
pub mod login;
mod logs;
pub mod matrix;
mod measuring;
mod namespaces;
mod palette;
pub mod picker;
mod plan;
mod progress;
mod promotion;
mod record;
mod releases;
pub mod service;
pub mod settings;
mod start;
mod sync;
pub mod table;
mod text;
mod tick;
mod usage;

use jiff::{SignedDuration, Timestamp};

use super::effect::Effect;
use super::event::{Event, JobId};
use super::model::{Model, Notice};
use super::wishes;

pub use key::{place, stop_at};
pub use palette::{Choice, choices};
pub use plan::{missing, missing_permission};

/// How long a notice stands, in seconds.
const NOTICE_SECONDS: i64 = 8;

/// Folds one event in and says what has to be done about it.
pub fn update(model: &mut Model, event: Event) -> Vec<Effect> {
    let mut effects = dispatch(model, event);
    effects.extend(palette::run_first(model));
    effects.extend(batch::tend(model));
    wishes::refresh(model, &mut effects);
    board::ask_permission(model, &mut effects);
    effects
}

fn dispatch(model: &mut Model, event: Event) -> Vec<Effect> {
    match event {
        Event::Key(key) => key::pressed(model, key),
        Event::Pasted(text) => key::pasted(model, &text),
        Event::Resized { width, height } => resized(model, (width, height)),
        Event::Ticked(now) => tick::ticked(model, now),
        Event::Resumed => resumed(model),
        Event::Connection { cluster, state } => connection::moved(model, cluster, state),
        Event::Fed {
            source,
            epoch,
            at,
            updates,
        } => feed::fed(model, &source, (epoch, at), updates),
        Event::JobsTold {
            server,
            at,
            outcome,
        } => builds::told(model, &server, at, outcome),
        Event::BuildsRead { job, of, outcome } => builds::read(model, job, &of, outcome),
        Event::BuildMade { build, image } => builds::made(model, &build, image),
        Event::ImageTold { image, told } => builds::image_told(model, image, told),
        Event::CommitsTold { between, outcome } => commits::told(model, &between, outcome),
        Event::TagsListed { job, outcome } => ask::tags_listed(model, job, outcome),
        Event::JobRead { job, outcome } => build::read(model, job, outcome),
        Event::BuildLogged { job, outcome } => text::build_logged(model, job, outcome),
        Event::BuildProgressed { job, progress } => build::progressed(model, job, progress),
        Event::ImagePlanned { job, outcome } => image::planned(model, job, outcome),
        Event::ImageProgressed { job, news } => image::progressed(model, job, news),
        Event::DigestsTold(told) => matrix::told(model, *told),
        Event::Gathered { job, outcome } => plan::gathered(model, job, outcome),
        Event::Checked { job, verdict } => plan::checked(model, job, verdict),
        Event::Progressed { job, progress } => progress::progressed(model, job, progress),
        Event::Logged { job, news } => logs::logged(model, job, news),
        Event::Fetched { job, outcome } => text::fetched(model, job, outcome),
        Event::ReleasesRead { job, outcome } => releases::read(model, job, outcome),
        Event::ChangesTold {
            job,
            cluster,
            outcome,
        } => changes::told_changes(model, (job, &cluster), outcome),
        Event::Measured { job, outcome } => usage::measured(model, job, outcome),
        Event::CanaryMeasured { job, outcome } => measuring::told(model, job, outcome),
        Event::NamesListed { job, outcome } => picker::listed(model, job, outcome),
        Event::PermissionTold {
            cluster,
            namespace,
            kind,
            outcome,
        } => board::permission_told(model, &cluster, (namespace, kind), outcome),
        Event::LookedBack {
            cluster,
            interrupted,
        } => record::looked_back(model, &cluster, interrupted),
        Event::RecordRead { job, outcome } => record::read(model, job, outcome),
        Event::Recorded => record::again(model),
        Event::Diagnosed { job, finding } => doctor::diagnosed(model, job, finding),
        Event::Discovered { cluster, outcome } => table::discovered(model, &cluster, outcome),
        Event::TableRead { job, news } => table::read(model, job, news),
        Event::ProgramsMissing { job, missing } => handover::programs_missing(model, job, missing),
        Event::HandedBack { handed, ended } => handover::handed_back(model, *handed, ended),
        Event::Configured { outcome } => settings::configured(model, outcome),
        Event::Unnotified { why } => said(model, why, true),
        Event::Saved { outcome } => sync::saved(model, outcome),
        Event::LoggedIn { cluster, outcome } => login::ended(model, &cluster, outcome),
        Event::Copied { file } => {
            let also = file.map_or_else(String::new, |file| format!("; also in {file}"));
            said(model, format!("copied{also}"), false)
        }
    }
}

fn resumed(model: &mut Model) -> Vec<Effect> {
    model.dirty = true;
    vec![Effect::Redraw]
}

fn resized(model: &mut Model, (width, height): (u16, u16)) -> Vec<Effect> {
    (model.width, model.height, model.dirty) = (width, height, true);
    Vec::new()
}

fn said(model: &mut Model, words: String, bad: bool) -> Vec<Effect> {
    notice(model, words, bad);
    Vec::new()
}

/// Says something for a few seconds.
pub fn notice(model: &mut Model, text: impl Into<String>, bad: bool) {
    model.notice = Some(Notice {
        text: text.into(),
        bad,
        until: later(model.now, NOTICE_SECONDS),
    });
    model.dirty = true;
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}

fn next_job(model: &mut Model) -> JobId {
    model.next_job += 1;
    JobId(model.next_job)
}

#[cfg(test)]
mod tests;
