//! The embedded registry: the read side of the OCI distribution API on loopback, and the documents it serves.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::images::Image;
use super::kube::go_json;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// An empty tar, compressed: the one layer of every image here.
const EMPTY: [u8; 32] = [
    31, 139, 8, 0, 0, 9, 110, 136, 0, 255, 98, 24, 5, 163, 96, 20, 140, 88, 0, 8, 0, 0, 255, 255,
    46, 175, 181, 239, 0, 4, 0, 0,
];
const EMPTY_TAR: &str = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

/// What the registry holds of one image, as bytes.
pub struct Documents {
    pub manifest: String,
    pub config: String,
}

impl Documents {
    /// `repository` without the host. They say the same whenever they are asked for, so the digest holds.
    pub fn of(repository: &str, version: &str, commit: &str, created: jiff::Timestamp) -> Self {
        let config = go_json::text(&json!({
            "created": created.to_string(), "architecture": "amd64", "os": "linux",
            "config": {"Labels": {
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.revision": commit,
                "org.opencontainers.image.source": format!("https://git.example.com/{repository}"),
            }},
            "rootfs": {"type": "layers", "diff_ids": [EMPTY_TAR]},
            "history": [{"created": created.to_string(), "created_by": "jenkins"}],
        }));
        let manifest = go_json::text(&json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "size": config.len(), "digest": sha256(config.as_bytes())},
            "layers": [{"mediaType": LAYER, "size": EMPTY.len(), "digest": sha256(&EMPTY)}],
        }));
        Self { manifest, config }
    }

    fn of_image(repository: &str, version: &str, image: &Image) -> Self {
        Self::of(repository, version, &image.commit, image.created)
    }

    pub fn digest(&self) -> String {
        sha256(self.manifest.as_bytes())
    }
}

/// `host` is the registry's own, as images name it.
pub fn answer<B>(cluster: &Arc<Cluster>, host: &str, request: &Request<B>) -> Response<Bytes> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let why = "The operation is unsupported.";
        return error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", why);
    }
    let mut response = found(cluster, host, request);
    let length = response.body().len();
    let headers = response.headers_mut();
    headers.insert("content-length", length.into());
    let version = http::HeaderValue::from_static("registry/2.0");
    headers.insert("docker-distribution-api-version", version);
    if request.method() == Method::HEAD {
        *response.body_mut() = Bytes::new();
    }
    response
}

fn found<B>(cluster: &Arc<Cluster>, host: &str, request: &Request<B>) -> Response<Bytes> {
    let path = request.uri().path();
    let Some(rest) = path.strip_prefix("/v2/") else {
        return error(StatusCode::NOT_FOUND, "UNSUPPORTED", "no such path");
    };
    if rest.is_empty() {
        return document("application/json", None, "{}");
    }
    if let Some(repository) = rest.strip_suffix("/tags/list") {
        let query = request.uri().query().unwrap_or_default();
        return tags(cluster, host, repository, query);
    }
    if let Some((repository, reference)) = rest.split_once("/manifests/") {
        return manifest(cluster, host, repository, reference);
    }
    match rest.split_once("/blobs/") {
        Some((repository, digest)) => blob(cluster, host, repository, digest),
        None => error(StatusCode::NOT_FOUND, "UNSUPPORTED", "no such path"),
    }
}

/// Pages by `n` and `last`, in the order of text, with the next one in `Link`.
fn tags(cluster: &Cluster, host: &str, repository: &str, query: &str) -> Response<Bytes> {
    let Some(tags) = cluster.images.tags(&format!("{host}/{repository}")) else {
        return name_unknown(repository);
    };
    let value = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let limit = value("n").map(str::parse::<usize>);
    let Ok(limit) = limit.transpose() else {
        let why = "invalid number of results requested";
        return error(StatusCode::BAD_REQUEST, "PAGINATION_NUMBER_INVALID", why);
    };
    let last = value("last").unwrap_or_default();
    let rest: Vec<_> = tags.into_keys().filter(|tag| &**tag > last).collect();
    let page = &rest[..limit.map_or(rest.len(), |limit| limit.min(rest.len()))];
    let body = json!({"name": repository, "tags": page});
    let mut response = document("application/json", None, body.to_string());
    if let (Some(last), true) = (page.last(), page.len() < rest.len()) {
        let next = format!(
            "</v2/{repository}/tags/list?n={}&last={last}>; rel=\"next\"",
            page.len()
        );
        if let Ok(next) = next.parse() {
            response.headers_mut().insert("link", next);
        }
    }
    response
}

fn manifest(cluster: &Cluster, host: &str, repository: &str, reference: &str) -> Response<Bytes> {
    let Some(tags) = cluster.images.tags(&format!("{host}/{repository}")) else {
        return name_unknown(repository);
    };
    let mut tags = tags.iter();
    match tags.find(|(tag, image)| *tag == reference || image.digest == reference) {
        Some((tag, image)) => {
            let manifest = Documents::of_image(repository, tag, image).manifest;
            document(MANIFEST, Some(&image.digest), manifest)
        }
        None => error(
            StatusCode::NOT_FOUND,
            "MANIFEST_UNKNOWN",
            "manifest unknown",
        ),
    }
}

fn blob(cluster: &Cluster, host: &str, repository: &str, wanted: &str) -> Response<Bytes> {
    let Some(tags) = cluster.images.tags(&format!("{host}/{repository}")) else {
        return name_unknown(repository);
    };
    if wanted == sha256(&EMPTY) {
        return document("application/octet-stream", Some(wanted), EMPTY.to_vec());
    }
    let mut configs = tags
        .iter()
        .map(|(tag, image)| Documents::of_image(repository, tag, image).config);
    match configs.find(|config| sha256(config.as_bytes()) == wanted) {
        Some(config) => document("application/octet-stream", Some(wanted), config),
        None => error(
            StatusCode::NOT_FOUND,
            "BLOB_UNKNOWN",
            "blob unknown to registry",
        ),
    }
}

fn name_unknown(repository: &str) -> Response<Bytes> {
    let why = format!("repository name not known to registry: {repository}");
    error(StatusCode::NOT_FOUND, "NAME_UNKNOWN", &why)
}

fn document(kind: &str, digest: Option<&str>, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::builder().header("content-type", kind);
    if let Some(digest) = digest {
        response = response.header("docker-content-digest", digest);
    }
    response.body(body.into()).unwrap_or_default()
}

fn error(status: StatusCode, code: &str, why: &str) -> Response<Bytes> {
    let body: Value = json!({"errors": [{"code": code, "message": why}]});
    let mut response = document("application/json", None, body.to_string());
    *response.status_mut() = status;
    response
}

fn sha256(bytes: &[u8]) -> String {
    let bytes = digest(&SHA256, bytes);
    let digits = bytes.as_ref().iter();
    digits.fold("sha256:".to_owned(), |text, byte| {
        text + &format!("{byte:02x}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::images::Behaviour;

    fn cluster() -> Arc<Cluster> {
        let cluster = Cluster::new(1, 1, 10);
        for version in ["1.0.0", "1.1.0", "1.2.0"] {
            let created = jiff::Timestamp::UNIX_EPOCH;
            let image = Image {
                digest: Documents::of("shop/web", version, "c0ffee", created).digest(),
                created,
                commit: "c0ffee".into(),
                behaviour: Behaviour::default(),
            };
            cluster.images.push("host:1/shop/web", version, image);
        }
        Arc::new(cluster)
    }

    fn ask(method: Method, path: &str) -> Response<Bytes> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(())
            .unwrap();
        answer(&cluster(), "host:1", &request)
    }

    fn header(response: &Response<Bytes>, name: &str) -> String {
        let value = response.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap()).to_owned()
    }

    #[test]
    fn tags_come_in_pages() {
        let mut path = "/v2/shop/web/tags/list?n=2".to_owned();
        let mut seen = Vec::new();
        loop {
            let page = ask(Method::GET, &path);
            let body: Value = serde_json::from_slice(page.body()).unwrap();
            seen.push(body["tags"].clone());
            let link = header(&page, "link");
            let Some(next) = link.split(['<', '>']).nth(1) else {
                break;
            };
            path = next.into();
        }
        assert_eq!(seen, [json!(["1.0.0", "1.1.0"]), json!(["1.2.0"])]);
    }

    #[test]
    fn every_digest_is_that_of_the_bytes() {
        let by_tag = ask(Method::GET, "/v2/shop/web/manifests/1.1.0");
        let name = header(&by_tag, "docker-content-digest");
        assert_eq!(sha256(by_tag.body()), name);
        let by_digest = ask(Method::GET, &format!("/v2/shop/web/manifests/{name}"));
        assert_eq!(by_digest.body(), by_tag.body());
        let head = ask(Method::HEAD, "/v2/shop/web/manifests/1.1.0");
        assert_eq!(header(&head, "docker-content-digest"), name);
        assert_eq!(
            header(&head, "content-length"),
            by_tag.body().len().to_string()
        );
        assert!(head.body().is_empty());
        let manifest: Value = serde_json::from_slice(by_tag.body()).unwrap();
        for part in [&manifest["config"], &manifest["layers"][0]] {
            let digest = part["digest"].as_str().unwrap();
            let blob = ask(Method::GET, &format!("/v2/shop/web/blobs/{digest}"));
            assert_eq!(sha256(blob.body()), digest);
            assert_eq!(part["size"], blob.body().len());
        }
        let digest = manifest["config"]["digest"].as_str().unwrap();
        let config = ask(Method::GET, &format!("/v2/shop/web/blobs/{digest}"));
        let config: Value = serde_json::from_slice(config.body()).unwrap();
        let labels = &config["config"]["Labels"];
        assert_eq!(labels["org.opencontainers.image.version"], "1.1.0");
        assert_eq!(labels["org.opencontainers.image.revision"], "c0ffee");
    }

    #[test]
    fn what_is_not_there_says_so() {
        for (path, status, code) in [
            ("/v2/shop/web/manifests/9.9.9", 404, "MANIFEST_UNKNOWN"),
            ("/v2/shop/wbe/manifests/1.0.0", 404, "NAME_UNKNOWN"),
            ("/v2/shop/wbe/tags/list", 404, "NAME_UNKNOWN"),
            ("/v2/shop/web/blobs/sha256:00", 404, "BLOB_UNKNOWN"),
            (
                "/v2/shop/web/tags/list?n=x",
                400,
                "PAGINATION_NUMBER_INVALID",
            ),
            ("/v1/", 404, "UNSUPPORTED"),
        ] {
            let response = ask(Method::GET, path);
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(response.status(), status, "{path}");
            assert_eq!(body["errors"][0]["code"], code, "{path}");
        }
        assert_eq!(ask(Method::PUT, "/v2/").status(), 405);
        assert_eq!(ask(Method::GET, "/v2/").status(), 200);
    }
}
