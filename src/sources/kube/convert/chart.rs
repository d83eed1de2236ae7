//! The Secrets and ConfigMaps that Helm stores its releases in. Values are skipped while reading, and of manifests
//! only names and one pod template are kept.

mod manifest;

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Error;

use super::{MESSAGE, REASON, capped};
use crate::domain::{ChartManifest, ChartRelease, WorkloadId};

use manifest::Hook;

/// A release that unpacks to more is none that Helm could store.
const UNPACKED: u64 = 64 << 20;

#[derive(Deserialize)]
struct Stored {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    release: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Release {
    version: u32,
    info: Info,
    chart: Chart,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Rendered {
    manifest: String,
    hooks: Vec<Hook>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Info {
    /// With the offset of whoever ran it; empty in a release that never got that far.
    last_deployed: String,
    status: String,
    description: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Chart {
    metadata: Option<Metadata>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    name: String,
    version: String,
    app_version: String,
}

/// `secret`: the API server has wrapped the text of a Secret once more.
///
/// # Errors
/// When it does not hold a release. The words never hold a piece of it.
pub fn chart_release(raw: &str, secret: bool) -> Result<ChartRelease, Error> {
    let release: Release = unpack(raw, secret)?;
    let info = &release.info;
    let chart = release.chart.metadata.unwrap_or_default();
    Ok(ChartRelease {
        revision: release.version,
        status: capped(&info.status, REASON),
        updated: info.last_deployed.parse::<Timestamp>().ok(),
        chart: capped(&format!("{}-{}", chart.name, chart.version), REASON),
        app_version: capped(&chart.app_version, REASON),
        description: capped(&info.description, MESSAGE),
    })
}

/// What the same object puts into the cluster, and the pod template that it has for `of`.
///
/// # Errors
/// As above.
pub fn chart_manifest(raw: &str, secret: bool, of: &WorkloadId) -> Result<ChartManifest, Error> {
    let rendered: Rendered = unpack(raw, secret)?;
    Ok(manifest::read(&rendered.manifest, &rendered.hooks, of))
}

fn unpack<T: DeserializeOwned>(raw: &str, secret: bool) -> Result<T, Error> {
    let hidden = |what: &str| Error::custom(format!("the release {what}"));
    let stored: Stored = serde_json::from_str(raw).map_err(|_| hidden("is not in the object"))?;
    let mut packed = stored.data.release.into_bytes();
    for _ in 0..if secret { 2 } else { 1 } {
        packed = STANDARD
            .decode(&packed)
            .map_err(|_| hidden("is not in base64"))?;
    }
    let mut text = Vec::new();
    if packed.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(&*packed)
            .take(UNPACKED)
            .read_to_end(&mut text)
            .map_err(|_| hidden("cannot be unpacked"))?;
    } else {
        text = packed;
    }
    serde_json::from_slice(&text).map_err(|_| hidden("cannot be read"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;

    use super::*;

    fn packed(release: &serde_json::Value) -> String {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(release.to_string().as_bytes()).unwrap();
        STANDARD.encode(gzip.finish().unwrap())
    }

    fn stored(text: &str) -> String {
        json!({"metadata": {"name": "sh.helm.release.v1.web.v2"}, "data": {"release": text}})
            .to_string()
    }

    #[test]
    fn a_release_is_read_without_its_values() {
        let release = json!({
            "name": "web", "version": 2, "config": {"password": "hunter2"}, "manifest": "password: hunter2",
            "info": {"status": "deployed", "last_deployed": "2026-11-27T10:00:00.5+02:00", "description": "Upgrade complete"},
            "chart": {"metadata": {"name": "web", "version": "1.2.0", "appVersion": "7.1"}, "values": {"password": "hunter2"}},
        });
        let text = packed(&release);
        let want = ChartRelease {
            revision: 2,
            status: "deployed".into(),
            updated: Some("2026-11-27T08:00:00.5Z".parse().unwrap()),
            chart: "web-1.2.0".into(),
            app_version: "7.1".into(),
            description: "Upgrade complete".into(),
        };
        assert_eq!(chart_release(&stored(&text), false).unwrap(), want);
        assert_eq!(
            chart_release(&stored(&STANDARD.encode(&text)), true).unwrap(),
            want
        );
        let plain = STANDARD.encode(release.to_string());
        assert_eq!(chart_release(&stored(&plain), false).unwrap(), want);
    }

    #[test]
    fn what_cannot_be_read_says_nothing_of_what_it_holds() {
        let broken = STANDARD.encode(r#"{"version": "hunter2", "config": "hunter2"}"#);
        for raw in [
            r#"{"data": {"release": 7, "password": "hunter2"}}"#.to_owned(),
            stored("hunter2 is no base64"),
            stored(&broken),
            stored(&STANDARD.encode([0x1f, 0x8b, 1, 2, 3])),
        ] {
            let said = chart_release(&raw, false).unwrap_err().to_string();
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
