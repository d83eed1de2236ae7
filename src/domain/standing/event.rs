//! What a Warning event about a pod says, when the pod itself is not watched or does not tell.

use crate::domain::{Container, Warning};

use super::Reason;
use super::trouble::Trouble;
use super::words;

/// Any cause, from the event alone.
pub(super) fn trouble(warning: &Warning, containers: &[Container]) -> Option<Trouble> {
    let message = &*warning.message;
    match &*warning.reason {
        "Failed" | "BackOff" | "InspectFailed" | "ErrImageNeverPull" if is_image(warning) => {
            let image = words::quoted(message)
                .filter(|image| containers.iter().any(|c| *c.image == **image));
            let first = || {
                containers
                    .iter()
                    .find(|c| !c.init)
                    .map_or("", |c| &*c.image)
            };
            let reason = if &*warning.reason == "InspectFailed" {
                "InvalidImageName"
            } else {
                &warning.reason
            };
            let text = words::image(reason, message, image.unwrap_or_else(first));
            Some(Trouble::new(Reason::ImagePull, text, true))
        }
        "BackOff" => Some(Trouble::new(Reason::CrashLoop, back_off(warning), true)),
        "Failed" if is_config(message) => {
            let text = format!(
                "config: {}",
                words::clause(message.trim_start_matches("Error: "))
            );
            Some(Trouble::new(Reason::Config, text, true))
        }
        "Failed" => {
            let text = format!(
                "cannot start: {}",
                words::clause(message.trim_start_matches("Error: "))
            );
            Some(Trouble::new(Reason::CreateFailed, text, true))
        }
        "FailedPostStartHook" | "FailedPreStartHook" => {
            let hook = warning.reason.trim_start_matches("Failed");
            let text = format!("{hook} failed: {}", words::clause(message));
            Some(Trouble::new(Reason::CreateFailed, text, true))
        }
        "FailedScheduling" => Some(Trouble::new(
            Reason::Unschedulable,
            words::unschedulable(message),
            false,
        )),
        "Unhealthy" => Some(Trouble::new(
            Reason::NotReady,
            words::unhealthy(message),
            false,
        )),
        "Evicted" => {
            let text = format!("evicted: {}", words::clause(message));
            Some(Trouble::new(Reason::Evicted, text, false))
        }
        _ => preparing(warning),
    }
}

/// Why a pod is not beyond creating: volumes and sandboxes.
pub(super) fn preparing(warning: &Warning) -> Option<Trouble> {
    let message = &*warning.message;
    let reason = match &*warning.reason {
        "FailedMount" | "FailedAttachVolume" if is_config(message) => Reason::Config,
        "FailedMount" | "FailedAttachVolume" | "FailedCreatePodSandBox" => Reason::CreateFailed,
        _ => return None,
    };
    let what = if &*warning.reason == "FailedCreatePodSandBox" {
        "sandbox"
    } else {
        "volume"
    };
    Some(Trouble::new(
        reason,
        format!("{what}: {}", words::last_part(message)),
        false,
    ))
}

fn is_image(warning: &Warning) -> bool {
    let message = &*warning.message;
    &*warning.reason == "ErrImageNeverPull"
        || &*warning.reason == "InspectFailed"
        || message.contains("pull")
        || message.contains("Pull")
}

fn is_config(message: &str) -> bool {
    let names = ["secret", "configmap", "Secret", "ConfigMap"]
        .iter()
        .any(|kind| message.contains(kind));
    names
        && ["not found", "couldn't find key"]
            .iter()
            .any(|lack| message.contains(lack))
}

/// `Back-off restarting failed container web in pod …`
fn back_off(warning: &Warning) -> String {
    let container = warning
        .message
        .split("failed container ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    match container.filter(|name| !name.is_empty()) {
        Some(name) => format!("crash loop of container {name}"),
        None => "crash loop".to_owned(),
    }
}
