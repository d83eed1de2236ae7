//! The control plane itself does what the other tests rely on.

use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::wait;

#[test]
fn pods_fare_as_the_tag_of_their_image_says() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("fates");
    let good = Service::new(&namespace, "good");
    good.run(plane, "1.0");
    let pod = good.pods(plane).remove(0);
    let image_id = pod["status"]["containerStatuses"][0]["imageID"]
        .as_str()
        .unwrap();
    assert!(
        image_id.starts_with("registry.test/shop/good@sha256:"),
        "{image_id}"
    );
    for (tag, reason) in [
        ("1-unpullable", "ImagePullBackOff"),
        ("1-crash", "CrashLoopBackOff"),
        ("1-oom", "CrashLoopBackOff"),
        ("1-noconfig", "CreateContainerConfigError"),
    ] {
        let service = Service::new(&namespace, &format!("service-{tag}"));
        service.create(plane, tag);
        service.wait_waiting(plane, reason);
    }
    let unready = Service::new(&namespace, "unready");
    unready.create(plane, "1-unready");
    wait::until("the Unhealthy event", || {
        let events = plane
            .admin()
            .items(&format!("/api/v1/namespaces/{namespace}/events"));
        events
            .iter()
            .any(|event| event["reason"] == "Unhealthy")
            .then_some(())
    });
    good.set_image(plane, "2.0");
    good.wait_complete(plane, "2.0");
}

#[test]
fn logs_of_simulated_pods_can_be_read() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("logs");
    let service = Service::new(&namespace, "talker").replicas(1);
    service.run(plane, "1.0");
    let pod = service.pods(plane).remove(0);
    let name = pod["metadata"]["name"].as_str().unwrap();
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/log");
    assert_eq!(plane.admin().text(&path).unwrap(), "ready to serve\n");
    let previous = plane
        .admin()
        .text(&format!("{path}?previous=true"))
        .unwrap();
    assert_eq!(previous, "panic: out of luck\n");
}

#[test]
fn an_own_plane_can_be_frozen_stopped_and_started() {
    let plane = ControlPlane::own();
    let namespace = plane.namespace("shop");
    let service = Service::new(&namespace, "web");
    service.run(&plane, "1.0");
    plane.stop();
    assert_eq!(plane.admin().get("/version").unwrap_err().status, 0);
    plane.start();
    assert_eq!(service.live_image(&plane), service.image("1.0"));
    plane.freeze();
    plane.thaw();
    service.set_image(&plane, "2.0");
    service.wait_complete(&plane, "2.0");
}

#[test]
fn users_have_the_rights_that_their_names_say() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("rights");
    let reader = crate::support::api::Api::new(&plane.reader("rights-reader", None));
    let editor = crate::support::api::Api::new(&plane.editor("rights-editor", &namespace));
    let service = Service::new(&namespace, "web");
    service.run(plane, "1.0");
    let change = serde_json::json!({"metadata": {"labels": {"a": "b"}}});
    assert!(reader.get(&service.path()).is_ok());
    assert_eq!(
        reader.patch(&service.path(), &change).unwrap_err().status,
        403
    );
    assert!(editor.patch(&service.path(), &change).is_ok());
    assert_eq!(
        editor
            .get("/api/v1/namespaces/kube-system")
            .unwrap_err()
            .status,
        403
    );
    let asked = plane.asked_by("rights-reader");
    assert!(
        asked
            .iter()
            .any(|asked| asked.verb == "patch" && asked.status == 403),
        "{asked:?}"
    );
}
