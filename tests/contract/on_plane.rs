//! The contract on the real control plane that the tests of this binary share.

use std::path::PathBuf;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::Value;

use crate::contract::http::Http;
use crate::contract::place::Forgotten;
use crate::support::control_plane::ControlPlane;
use crate::support::keeper::Keeper;

static ADMIN: LazyLock<Http> =
    LazyLock::new(|| Http::new(&ControlPlane::shared().admin_kubeconfig()));
static READER_KUBECONFIG: LazyLock<PathBuf> =
    LazyLock::new(|| ControlPlane::shared().reader("contract-reader", None));
static READER: LazyLock<Http> = LazyLock::new(|| Http::new(&READER_KUBECONFIG));

pub struct Side(&'static ControlPlane);

#[allow(clippy::unused_self)] // the embedded cluster's has the same shape
impl Side {
    pub fn new() -> Self {
        Self(ControlPlane::shared())
    }

    pub fn namespace(&self, prefix: &str) -> String {
        self.0.namespace(prefix)
    }

    pub fn admin(&self) -> Http {
        ADMIN.clone()
    }

    pub fn reader(&self) -> Http {
        READER.clone()
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.0.admin_kubeconfig()
    }

    pub fn reader_kubeconfig(&self) -> PathBuf {
        READER_KUBECONFIG.clone()
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
        self.0.cry(line);
    }
}
