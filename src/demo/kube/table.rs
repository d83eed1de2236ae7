//! Rows for a person: what `kubectl get` prints.

mod cells;
mod pod;

use serde_json::{Value, json};

use super::kind::{
    ANALYSIS_RUNS, AUTOSCALERS, CONFIG_MAPS, CONTROLLER_REVISIONS, DAEMON_SETS, DEPLOYMENTS,
    DISRUPTION_BUDGETS, EVENTS, Kind, NAMESPACES, NODES, PODS, REPLICA_SETS, RESOURCE_QUOTAS,
    ROLLOUTS, SECRETS, SERVICES, STATEFUL_SETS,
};
use super::object::Kept;
use super::server::Call;

/// What stands in the columns of a kind, from an object and its age.
type Cells = fn(&cells::Source<'_>) -> Vec<Value>;

struct Layout {
    kind: &'static Kind,
    /// By comma; `#` is a number, `+` is shown with `-o wide` only.
    columns: &'static str,
    cells: Cells,
}

static LAYOUTS: [Layout; 17] = [
    layout(
        &PODS,
        "Name,Ready,Status,Restarts,Age,+IP,+Node,+Nominated Node,+Readiness Gates",
        pod::cells,
    ),
    layout(
        &DEPLOYMENTS,
        "Name,Ready,Up-to-date,Available,Age,+Containers,+Images,+Selector",
        cells::deployment,
    ),
    layout(
        &REPLICA_SETS,
        "Name,#Desired,#Current,#Ready,Age,+Containers,+Images,+Selector",
        cells::replica_set,
    ),
    layout(
        &STATEFUL_SETS,
        "Name,Ready,Age,+Containers,+Images",
        cells::stateful_set,
    ),
    layout(
        &DAEMON_SETS,
        "Name,#Desired,#Current,#Ready,#Up-to-date,#Available,Node Selector,Age,+Containers,+Images,+Selector",
        cells::daemon_set,
    ),
    layout(
        &ROLLOUTS,
        "Name,#Desired,#Current,#Up-to-date,#Available,Age",
        cells::rollout,
    ),
    layout(&ANALYSIS_RUNS, "Name,Status,Age", cells::analysis_run),
    layout(
        &CONTROLLER_REVISIONS,
        "Name,Controller,Revision,Age",
        cells::revision,
    ),
    layout(
        &EVENTS,
        "Last Seen,Type,Reason,Object,+Subobject,+Source,Message,+First Seen,+Count,+Name",
        cells::event,
    ),
    layout(&NAMESPACES, "Name,Status,Age", cells::namespace),
    layout(
        &NODES,
        "Name,Status,Roles,Age,Version,+Internal-IP,+External-IP,+OS-Image,+Kernel-Version,+Container-Runtime",
        cells::node,
    ),
    layout(&CONFIG_MAPS, "Name,Data,Age", cells::config_map),
    layout(&SECRETS, "Name,Type,Data,Age", cells::secret),
    layout(
        &SERVICES,
        "Name,Type,Cluster-IP,External-IP,Port(s),Age,+Selector",
        cells::service,
    ),
    layout(&RESOURCE_QUOTAS, "Name,Request,Limit,Age", cells::quota),
    layout(
        &AUTOSCALERS,
        "Name,Reference,Targets,MinPods,MaxPods,Replicas,Age",
        cells::autoscaler,
    ),
    layout(
        &DISRUPTION_BUDGETS,
        "Name,Min Available,Max Unavailable,Allowed Disruptions,Age",
        cells::disruption_budget,
    ),
];
static OTHER: Layout = layout(&PODS, "Name,Age", cells::other);

const fn layout(kind: &'static Kind, columns: &'static str, cells: Cells) -> Layout {
    Layout {
        kind,
        columns,
        cells,
    }
}

fn layout_of(kind: &'static Kind) -> &'static Layout {
    let found = LAYOUTS.iter().find(|layout| layout.kind == kind);
    found.unwrap_or(&OTHER)
}

/// A list as a table.
pub fn of(call: &Call, kind: &'static Kind, items: &[Kept], metadata: &Value) -> Value {
    let rows = items.iter().map(|item| one(call, kind, item));
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": columns(kind), "rows": rows.collect::<Vec<_>>(),
    })
}

/// One object as a table of one row, with or without the columns' names.
pub fn row(call: &Call, kind: &'static Kind, item: &Kept, named: bool) -> Value {
    let columns = if named { columns(kind) } else { Value::Null };
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": item.version.to_string()},
        "columnDefinitions": columns, "rows": [one(call, kind, item)],
    })
}

fn columns(kind: &'static Kind) -> Value {
    let columns = layout_of(kind).columns.split(',');
    columns
        .map(|column| {
            let name = column.trim_start_matches(['#', '+']);
            json!({
                "name": name, "description": "", "priority": i32::from(column.starts_with('+')),
                "type": if column.starts_with('#') { "integer" } else { "string" },
                "format": if name == "Name" { "name" } else { "" },
            })
        })
        .collect()
}

fn one(call: &Call, kind: &'static Kind, item: &Kept) -> Value {
    let object = item.value();
    let source = cells::Source {
        object: &object,
        now: call.api.cluster.clock.now(),
    };
    let cells = (layout_of(kind).cells)(&source);
    match call.query.get("includeObject") {
        "None" => json!({"cells": cells, "object": null}),
        "Object" => json!({"cells": cells, "object": object}),
        _ => json!({"cells": cells, "object": {
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"],
        }}),
    }
}
