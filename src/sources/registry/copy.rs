//! An image from one repository to another, byte for byte: the digest stays, nothing is built again.

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::header::LOCATION;
use http::{HeaderValue, Method, StatusCode};
use reqwest::Response;

use super::client::{Raw, Registries, manifest_path, of_digest};
use super::convert::Descriptor;
use super::error::Error;
use super::exchange::{Ask, Payload, Right, Who, unusable};
use super::login::{Login, PullSecret};
use super::place::Place;

/// An answer to a write is short.
const ANSWER: usize = 1 << 20;
/// An index of indexes has no use.
const DEPTH: usize = 3;

/// From where to where, with whose login.
#[derive(Clone, Copy)]
struct Way<'a> {
    from: (&'a Place, &'a Login),
    to: (&'a Place, &'a Login),
}

impl Registries {
    /// Copies `from` to `to`: each blob that is not there yet, then the manifests, the tag last. The digest. Layers go
    /// through here piece by piece; none is kept. Within one registry they are mounted where it can.
    ///
    /// # Errors
    /// Which part failed. What was copied until then stays, without a tag.
    pub async fn copy_image(
        &self,
        from: &str,
        to: &str,
        secrets: &[PullSecret],
    ) -> Result<Box<str>, Error> {
        let (from, to) = (Place::of(from)?, Place::of(to)?);
        let ask = |login: Login| {
            let from = from.clone();
            async move {
                let raw = self.raw(&from, &login).await?;
                Ok((raw, login))
            }
            .boxed()
        };
        let (raw, reader) = self.by(&from, secrets, &ask).await?;
        let (raw, reader) = (&raw, &reader);
        let push = |writer: Login| {
            let (from, to) = (from.clone(), to.clone());
            async move {
                let way = Way {
                    from: (&from, reader),
                    to: (&to, &writer),
                };
                self.put(way, raw, DEPTH).await
            }
            .boxed()
        };
        self.by(&to, secrets, &push).await?;
        Ok(raw.digest.clone())
    }

    /// A manifest with all it names.
    fn put<'a>(
        &'a self,
        way: Way<'a>,
        raw: &'a Raw,
        depth: usize,
    ) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let document = &raw.document;
            if depth == 0 && !document.manifests.is_empty() {
                let words = "it is an index of indexes of indexes";
                return Err(unusable(way.from.0, &way.from.0.words(), words));
            }
            for child in &document.manifests {
                let source = of_digest(way.from.0, &child.digest)?;
                let child_raw = self.raw(&source, way.from.1).await?;
                let target = of_digest(way.to.0, &child.digest)?;
                let way = Way {
                    from: (&source, way.from.1),
                    to: (&target, way.to.1),
                };
                self.put(way, &child_raw, depth - 1).await?;
            }
            for blob in document.config.iter().chain(&document.layers) {
                if blob.urls.is_empty() {
                    self.blob(way, blob).await?;
                }
            }
            let mut ask = Ask::new(Method::PUT, manifest_path(way.to.0), way.to.0.words());
            ask.content_type = Some(raw.kind.clone());
            ask.body = Payload::Bytes(raw.bytes.clone());
            let exchange = &self.inner.exchange;
            exchange.whole(push(way), ask, ANSWER).await.map(|_| ())
        }
        .boxed()
    }

    async fn blob(&self, way: Way<'_>, blob: &Descriptor) -> Result<(), Error> {
        let exchange = &self.inner.exchange;
        let digest = of_digest(way.to.0, &blob.digest)?.reference;
        let about = format!("a layer of {}", way.to.0.words());
        let path = format!("blobs/{digest}");
        let head = Ask::new(Method::HEAD, path.as_str(), about.as_str());
        match exchange.whole(push(way), head, 1).await {
            Ok(_) => return Ok(()),
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        let mount = if way.from.0.host == way.to.0.host {
            format!("?mount={digest}&from={}", way.from.0.repository)
        } else {
            String::new()
        };
        let open = Ask::new(
            Method::POST,
            format!("blobs/uploads/{mount}"),
            about.as_str(),
        );
        let opened = exchange.send(push(way), open).await?;
        if opened.status() == StatusCode::CREATED {
            return Ok(());
        }
        let upload = upload(way.to.0, &opened, &digest, &about)?;
        let source = Ask::new(
            Method::GET,
            path,
            format!("a layer of {}", way.from.0.words()),
        );
        let reader = Who {
            place: way.from.0,
            login: way.from.1,
            right: Right::Pull,
        };
        let bytes = exchange.send(reader, source).await?;
        let length = bytes.content_length().unwrap_or(blob.size);
        let mut ask = Ask::new(Method::PUT, upload, about);
        ask.content_type = Some(HeaderValue::from_static("application/octet-stream"));
        ask.body = if length == 0 {
            Payload::Bytes(Bytes::new())
        } else {
            Payload::Stream(bytes, length)
        };
        exchange.whole(push(way), ask, ANSWER).await.map(|_| ())
    }
}

/// Where the bytes go, on the registry itself.
fn upload(to: &Place, opened: &Response, digest: &str, about: &str) -> Result<String, Error> {
    let location = opened.headers().get(LOCATION);
    let next = location.and_then(|value| opened.url().join(value.to_str().ok()?).ok());
    let mut next = next.ok_or_else(|| unusable(to, about, "it does not say where to send it"))?;
    if next.origin() != opened.url().origin() {
        return Err(unusable(
            to,
            about,
            "it wants the bytes sent somewhere else",
        ));
    }
    next.query_pairs_mut().append_pair("digest", digest);
    Ok(next.to_string())
}

fn push(way: Way<'_>) -> Who<'_> {
    Who {
        place: way.to.0,
        login: way.to.1,
        right: Right::Push,
    }
}
