//! The kind `HTTPRoute` on a control plane, as `tests/gateway_api/build` fetched it.

use super::built;
use super::control_plane::ControlPlane;
use super::wait;

pub fn install(plane: &ControlPlane) {
    let file = built::folder("tests/gateway_api/build").join("httproutes.yaml");
    // It is too long for the annotation of an apply.
    plane.kubectl(&["create", "-f", &file.to_string_lossy()]);
    let routes = "/apis/gateway.networking.k8s.io/v1/httproutes";
    wait::until("the API server serves HTTPRoutes", || {
        plane.admin().get(routes).ok()
    });
}
