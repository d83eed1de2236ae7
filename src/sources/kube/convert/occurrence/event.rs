//! Events: they live for an hour, so they only add to what durable objects tell.

use serde_json::Error;

use super::{line, workload};
use crate::domain::occurrence::{Difference, Gathered, Origin, Scaling, What};
use crate::domain::{ClusterId, Occurrence, WorkloadId, generated_name};
use crate::sources::kube::convert::{capped, warning};

/// Bytes of a message on its line; the whole of it is there to read.
const SHORT: usize = 80;
const SCALED: &str = "ScalingReplicaSet";

/// A warning is a line; the scaling of a ReplicaSet tells from how many to how many.
pub fn event(cluster: &ClusterId, raw: &str, into: &mut Gathered) -> Result<(), Error> {
    let event = warning(cluster, raw)?;
    let (kind, name) = (&*event.about_kind, &*event.about);
    if &*event.reason == SCALED {
        let service = workload(cluster, &event.namespace, (kind, name));
        let numbers = from_to(&event.message);
        into.scalings.extend(
            service
                .zip(numbers)
                .map(|(service, (set, from, to))| Scaling {
                    service,
                    set: set.into(),
                    at: event.last_seen,
                    from,
                    to,
                }),
        );
        return Ok(());
    }
    let owners = generated_name::owners(kind, name).map(|(kind, name)| WorkloadId {
        cluster: cluster.clone(),
        namespace: event.namespace.clone(),
        kind,
        name: name.into(),
    });
    let times = match event.count {
        1 => String::new(),
        count => format!(" (x{count})"),
    };
    into.others.push(Occurrence {
        at: event.last_seen,
        what: What::Warning,
        services: owners.collect(),
        words: format!("{}: {}{times}", event.reason, capped(&event.message, SHORT)),
        known_from: "event",
        difference: Difference::Words(vec![
            format!(
                "{} of {kind} {name}{times}, last at {}",
                event.reason, event.last_seen
            ),
            event.message.to_string(),
        ]),
        ..line(
            cluster,
            (&event.namespace, name),
            &kind.to_lowercase(),
            Origin::Events,
        )
    });
    Ok(())
}

/// `Scaled up replica set web-7d9f from 2 to 6`
fn from_to(message: &str) -> Option<(&str, u32, u32)> {
    let (before, to) = message.rsplit_once(" to ")?;
    let (before, from) = before.rsplit_once(" from ")?;
    let (_, set) = before.rsplit_once(' ')?;
    Some((set, from.parse().ok()?, to.parse().ok()?))
}
