//! The contract on the real control plane that the tests of this binary share.

use std::path::PathBuf;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::Value;

use crate::contract::http::Http;
use crate::contract::place::Forgotten;
use crate::support::argo_rollouts;
use crate::support::control_plane::ControlPlane;
use crate::support::keeper::Keeper;

/// How one gets in.
struct Doors {
    plane: &'static ControlPlane,
    admin: Http,
    reader: PathBuf,
}

static SHARED: LazyLock<Doors> = LazyLock::new(|| Doors::to(ControlPlane::shared()));
static WITH_ROLLOUTS: LazyLock<Doors> = LazyLock::new(|| Doors::to(argo_rollouts::plane()));

impl Doors {
    fn to(plane: &'static ControlPlane) -> Self {
        Self {
            plane,
            admin: Http::new(&plane.admin_kubeconfig()),
            reader: plane.reader("contract-reader", None),
        }
    }
}

pub struct Side(&'static Doors);

#[allow(clippy::unused_self)] // the embedded cluster's has the same shape
impl Side {
    pub fn new() -> Self {
        Self(&SHARED)
    }

    /// The one where Argo Rollouts run, with their controller.
    pub fn with_rollouts() -> Self {
        Self(&WITH_ROLLOUTS)
    }

    pub fn namespace(&self, prefix: &str) -> String {
        self.0.plane.namespace(prefix)
    }

    pub fn admin(&self) -> Http {
        self.0.admin.clone()
    }

    pub fn reader(&self) -> Http {
        Http::new(&self.0.reader)
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.0.plane.admin_kubeconfig()
    }

    pub fn reader_kubeconfig(&self) -> PathBuf {
        self.0.reader.clone()
    }

    /// What a length in a spec must say so that it lasts so many seconds.
    pub fn lasting(&self, seconds: u32) -> u32 {
        seconds
    }

    /// A collection whose first versions are forgotten.
    pub fn forget(&self, collection: &str) -> Forgotten {
        static DOOR: LazyLock<(Keeper, Http)> = LazyLock::new(|| {
            let (server, kubeconfig) = ControlPlane::shared().forgetful();
            (server, Http::new(&kubeconfig))
        });
        let admin = DOOR.1.clone();
        let list = admin.get(&format!("{collection}?limit=1")).ok();
        let token = list["metadata"]["continue"]
            .as_str()
            .expect("a second page");
        let token = BASE64.decode(token).expect("base64");
        let mut token: Value = serde_json::from_slice(&token).expect("JSON");
        token["rv"] = 50.into();
        Forgotten {
            admin,
            version: 50,
            token: BASE64.encode(token.to_string()),
        }
    }

    /// The container `crier` of a pod writes a line.
    pub fn say(&self, _pod: &Value, line: &str) {
        self.0.plane.cry(line);
    }
}
