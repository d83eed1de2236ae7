//! `!`: writes in protected environments, for as long as somebody is there.

use crate::app::effect::Effect;
use crate::app::model::{Armed, Model};

use super::{later, notice};

/// How long it lasts without a key.
pub const ARMED_SECONDS: i64 = 600;

/// Any key puts off the end of arming: it goes off when nobody is there.
pub fn stay(model: &mut Model) {
    let (now, until) = (model.now, later(model.now, ARMED_SECONDS));
    if let Some(armed) = model.arming.as_mut().filter(|armed| armed.until > now) {
        armed.until = until;
    }
}

/// On until ten minutes pass without a key, or off.
pub fn turn(model: &mut Model) -> Vec<Effect> {
    if model.settings.readonly {
        notice(model, "this session is read-only: nothing arms it", true);
    } else if model.arming.take().is_some() {
        notice(model, "writes in protected environments are off", false);
    } else {
        model.arming = Some(Armed {
            until: later(model.now, ARMED_SECONDS),
        });
    }
    Vec::new()
}
