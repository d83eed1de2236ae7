//! How answers are dressed: tables for people, discovery for clients, compression, and the server's clock.

use http::Request;
use serde_json::{Value, json};

use super::place::{Place, daemon_set, deployment, name_of, stateful_set};
use crate::support::api::Api;

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

/// The columns that kubectl shows without `-o wide`.
fn columns(table: &Value) -> Vec<&str> {
    let columns = table["columnDefinitions"].as_array().unwrap().iter();
    let shown = columns.filter(|column| column["priority"] == 0);
    shown
        .map(|column| column["name"].as_str().unwrap())
        .collect()
}

fn wide(table: &Value) -> Vec<&str> {
    let columns = table["columnDefinitions"].as_array().unwrap().iter();
    columns
        .map(|column| column["name"].as_str().unwrap())
        .collect()
}

/// By the columns' names, without the ages.
fn cells(table: &Value, row: usize) -> Value {
    let names = wide(table);
    let cells = table["rows"][row]["cells"].as_array().unwrap();
    assert_eq!(names.len(), cells.len());
    let pairs = names.iter().zip(cells);
    pairs
        .filter(|(name, _)| !["Age", "Last Seen", "First Seen"].contains(*name))
        .map(|(name, cell)| ((*name).to_owned(), cell.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn tables_of_the_workloads() {
    let place = Place::new("tables");
    place.create(
        "deployments",
        &deployment("web", "1", &json!({"replicas": 2})),
    );
    place.create(
        "statefulsets",
        &stateful_set("db", "1", &json!({"replicas": 1})),
    );
    let agent = place.create("daemonsets", &daemon_set("agent", "1", &json!({})));
    place.wait_complete("deployments", "web", "1");
    place.wait_complete("statefulsets", "db", "1");
    let agent = place.wait_complete("daemonsets", name_of(&agent), "1");
    let table = |plural: &str| {
        let table = place.admin.get_as(&place.collection(plural), TABLE).ok();
        assert_eq!(table["kind"], "Table");
        assert_eq!(table["apiVersion"], "meta.k8s.io/v1");
        assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
        assert!(table["metadata"]["resourceVersion"].is_string());
        table
    };
    let image = |name: &str| format!("registry.test/shop/{name}:1");
    let web = table("deployments");
    assert_eq!(
        columns(&web),
        ["Name", "Ready", "Up-to-date", "Available", "Age"]
    );
    let expected = json!({"Name": "web", "Ready": "2/2", "Up-to-date": 2, "Available": 2,
        "Containers": "app", "Images": image("web"), "Selector": "app=web"});
    assert_eq!(cells(&web, 0), expected);
    let sets = table("replicasets");
    assert_eq!(
        columns(&sets),
        ["Name", "Desired", "Current", "Ready", "Age"]
    );
    let found = cells(&sets, 0);
    assert_eq!(
        (&found["Desired"], &found["Current"], &found["Ready"]),
        (&json!(2), &json!(2), &json!(2))
    );
    let db = table("statefulsets");
    assert_eq!(columns(&db), ["Name", "Ready", "Age"]);
    let expected =
        json!({"Name": "db", "Ready": "1/1", "Containers": "app", "Images": image("db")});
    assert_eq!(cells(&db, 0), expected);
    let daemons = table("daemonsets");
    assert_eq!(
        columns(&daemons),
        [
            "Name",
            "Desired",
            "Current",
            "Ready",
            "Up-to-date",
            "Available",
            "Node Selector",
            "Age"
        ]
    );
    let wanted = &agent["status"]["desiredNumberScheduled"];
    let found = cells(&daemons, 0);
    for column in ["Desired", "Current", "Ready", "Up-to-date", "Available"] {
        assert_eq!(found[column], *wanted, "{column}");
    }
    assert_eq!(found["Node Selector"], "<none>");
    let pods = table("pods");
    assert_eq!(
        columns(&pods),
        ["Name", "Ready", "Status", "Restarts", "Age"]
    );
    assert_eq!(
        wide(&pods)[5..],
        ["IP", "Node", "Nominated Node", "Readiness Gates"]
    );
    let count = pods["rows"].as_array().unwrap().len();
    assert_eq!(u64::try_from(count).unwrap(), 3 + wanted.as_u64().unwrap());
    for row in 0..count {
        let found = cells(&pods, row);
        assert_eq!(
            (&found["Ready"], &found["Status"]),
            (&json!("1/1"), &json!("Running"))
        );
        assert_eq!(found["Restarts"].to_string().trim_matches('"'), "0");
        assert_eq!(
            (&found["Nominated Node"], &found["Readiness Gates"]),
            (&json!("<none>"), &json!("<none>"))
        );
    }
    let revisions = table("controllerrevisions");
    assert_eq!(
        columns(&revisions),
        ["Name", "Controller", "Revision", "Age"]
    );
    let found = cells(&revisions, 1);
    assert_eq!(
        (&found["Controller"], &found["Revision"]),
        (&json!("statefulset.apps/db"), &json!(1))
    );
    // One object is a table of one row.
    let one = place
        .admin
        .get_as(&format!("{}/web", place.apps("deployments")), TABLE)
        .ok();
    assert_eq!(one["rows"].as_array().unwrap().len(), 1);
    assert_eq!(cells(&one, 0), cells(&web, 0));
}

#[test]
fn tables_of_trouble() {
    let place = Place::new("trouble");
    for (name, tag, reason, status) in [
        (
            "pull",
            "1-unpullable",
            "ImagePullBackOff",
            "ImagePullBackOff",
        ),
        ("crash", "1-crash", "CrashLoopBackOff", "CrashLoopBackOff"),
        (
            "config",
            "1-noconfig",
            "CreateContainerConfigError",
            "CreateContainerConfigError",
        ),
    ] {
        place.create(
            "deployments",
            &deployment(name, tag, &json!({"replicas": 1})),
        );
        let pod = place.wait_waiting(name, reason);
        let path = format!("{}/{}", place.core("pods"), name_of(&pod));
        let found = crate::support::wait::until(reason, || {
            let table = place.admin.get_as(&path, TABLE).ok();
            let found = cells(&table, 0);
            (found["Status"] == status).then_some(found)
        });
        assert_eq!(found["Ready"], "0/1");
    }
    let web = place
        .admin
        .get_as(&format!("{}/pull", place.apps("deployments")), TABLE)
        .ok();
    assert_eq!(cells(&web, 0)["Ready"], "0/1");
    let events = place.admin.get_as(&place.core("events"), TABLE).ok();
    assert_eq!(
        columns(&events),
        ["Last Seen", "Type", "Reason", "Object", "Message"]
    );
    let rows = events["rows"].as_array().unwrap().len();
    let objects: Vec<_> = (0..rows).map(|row| cells(&events, row)).collect();
    assert!(
        objects.iter().any(|found| found["Type"] == "Normal"
            && found["Reason"] == "ScalingReplicaSet"
            && found["Object"] == "deployment/pull"),
        "{objects:?}"
    );
}

#[test]
fn tables_of_the_rest() {
    let place = Place::new("rest");
    place.secret("a", &json!({}));
    let table = |path: &str| place.admin.get_as(path, TABLE).ok();
    let namespaces = table(&format!("/api/v1/namespaces/{}", place.namespace));
    assert_eq!(columns(&namespaces), ["Name", "Status", "Age"]);
    assert_eq!(
        cells(&namespaces, 0),
        json!({"Name": place.namespace, "Status": "Active"})
    );
    let nodes = table("/api/v1/nodes");
    assert_eq!(
        columns(&nodes),
        ["Name", "Status", "Roles", "Age", "Version"]
    );
    let node = cells(&nodes, 0);
    assert_eq!(
        (&node["Status"], &node["Roles"]),
        (&json!("Ready"), &json!("<none>"))
    );
    let secrets = table(&place.core("secrets"));
    assert_eq!(columns(&secrets), ["Name", "Type", "Data", "Age"]);
    assert_eq!(
        cells(&secrets, 0),
        json!({"Name": "a", "Type": "Opaque", "Data": 1})
    );
    let nothing = table(&place.apps("deployments"));
    assert_eq!(nothing["rows"], json!([]));
}

#[test]
fn metadata_alone() {
    let place = Place::new("partial");
    place.secret("a", &json!({"x": "y"}));
    let accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    let object = place
        .admin
        .get_as(&format!("{}/a", place.core("secrets")), accept)
        .ok();
    assert_eq!(object["kind"], "PartialObjectMetadata");
    assert_eq!(object["apiVersion"], "meta.k8s.io/v1");
    assert_eq!(object["metadata"]["labels"]["x"], "y");
    assert!(object.get("data").is_none());
}

#[test]
fn clients_discover_what_there_is() {
    let place = Place::new("discovery");
    let version = place.admin.get("/version").ok();
    assert_eq!(
        (&version["major"], &version["minor"]),
        (&json!("1"), &json!("36"))
    );
    assert!(
        version["gitVersion"]
            .as_str()
            .unwrap()
            .starts_with("v1.36.")
    );
    let core = place.admin.get("/api").ok();
    assert_eq!(
        (&core["kind"], &core["versions"]),
        (&json!("APIVersions"), &json!(["v1"]))
    );
    let groups = place.admin.get("/apis").ok();
    assert_eq!(groups["kind"], "APIGroupList");
    for (name, version) in [
        ("apps", "apps/v1"),
        ("autoscaling", "autoscaling/v2"),
        ("authorization.k8s.io", "authorization.k8s.io/v1"),
    ] {
        let groups = groups["groups"].as_array().unwrap();
        let group = groups
            .iter()
            .find(|group| group["name"] == name)
            .expect(name);
        assert_eq!(group["preferredVersion"]["groupVersion"], version);
    }
    let resources = |path: &str| {
        let list = place.admin.get(path).ok();
        assert_eq!(list["kind"], "APIResourceList");
        list["resources"].as_array().unwrap().clone()
    };
    let (apps, core) = (resources("/apis/apps/v1"), resources("/api/v1"));
    for (list, plural, kind, short, namespaced) in [
        (&apps, "deployments", "Deployment", json!(["deploy"]), true),
        (&apps, "replicasets", "ReplicaSet", json!(["rs"]), true),
        (&apps, "statefulsets", "StatefulSet", json!(["sts"]), true),
        (&apps, "daemonsets", "DaemonSet", json!(["ds"]), true),
        (&core, "pods", "Pod", json!(["po"]), true),
        (&core, "events", "Event", json!(["ev"]), true),
        (&core, "namespaces", "Namespace", json!(["ns"]), false),
        (&core, "nodes", "Node", json!(["no"]), false),
    ] {
        let resource = list.iter().find(|one| one["name"] == plural).expect(plural);
        assert_eq!(
            (&resource["kind"], &resource["shortNames"]),
            (&json!(kind), &short)
        );
        assert_eq!(resource["namespaced"], namespaced);
        assert_eq!(resource["singularName"], kind.to_lowercase());
        let verbs = resource["verbs"].as_array().unwrap();
        for verb in ["get", "list", "watch", "create", "patch", "delete"] {
            assert!(verbs.contains(&json!(verb)), "{plural}: {verb}");
        }
    }
    for name in [
        "deployments/status",
        "deployments/scale",
        "statefulsets/scale",
    ] {
        assert!(apps.iter().any(|one| one["name"] == name), "{name}");
    }
    assert!(core.iter().any(|one| one["name"] == "pods/log"));
}

#[test]
fn long_answers_are_compressed_when_asked() {
    let place = Place::new("gzip");
    let data = json!({"a": "eHh4".repeat(30_000)});
    for name in ["a", "b"] {
        let object =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data});
        place.create("secrets", &object);
    }
    let path = place.core("secrets");
    let ask = |encoding: &str| {
        let request = Request::get(&path).header("accept-encoding", encoding);
        place.admin.ask(request.body(Vec::new()).unwrap())
    };
    let (plain, packed) = (ask("identity"), ask("gzip"));
    assert_eq!(plain.header("content-encoding"), "");
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 10 < plain.body.len());
    assert!(packed.body.starts_with(&[0x1f, 0x8b]));
    // A client that unpacks sees the same.
    let unpacked = Api::new(&place.side.kubeconfig()).get(&path).unwrap();
    assert!(unpacked["items"] == plain.json()["items"]);
}

#[test]
fn every_answer_is_dated() {
    let place = Place::new("date");
    for path in [
        "/version".to_owned(),
        place.core("secrets"),
        place.core("pods/nobody"),
    ] {
        let answer = place.admin.get(&path);
        let date = jiff::fmt::rfc2822::parse(answer.header("date")).unwrap();
        let off = jiff::Timestamp::now().duration_since(date.timestamp());
        assert!(off.as_secs().abs() < 60, "{path}: {off}");
        assert!(
            answer
                .header("content-type")
                .starts_with("application/json"),
            "{path}"
        );
    }
}
