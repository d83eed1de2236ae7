//! What is asked of a Docker engine: builds, tags, pushes, pulls, and what it has.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::{
    BuildImageOptionsBuilder, CreateImageOptionsBuilder, ListImagesOptionsBuilder,
    PushImageOptionsBuilder, TagImageOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, BollardRequest, body_try_stream};
use bytes::Bytes;
use futures::stream::{self, BoxStream, Stream, StreamExt, TryStreamExt};
use http::HeaderValue;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::context;
use super::convert;
use super::error::Error;
use crate::config::DockerEngine;
use crate::domain::image_work::{ImageWork, LocalImage};
use crate::domain::{Arguments, ImageRef};
use crate::sources::registry::Login;

/// How long the engine may take to begin an answer: before a build it unpacks all files.
const LIMIT: u64 = 120;
/// How long a build, a push or a pull may say nothing: a step may well work as long as that.
const SILENT: Duration = Duration::from_secs(3_600);
const SOCKET: &str = "unix:///var/run/docker.sock";
const PIECE: usize = 64 << 10;

/// What is built.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Build {
    pub folder: PathBuf,
    /// Within the folder: `Dockerfile`.
    pub dockerfile: String,
    /// `shop/web:1.0`.
    pub tag: String,
    pub arguments: Arguments,
    pub labels: HashMap<String, String>,
    /// Of its steps: `none`, `host`. Absent: the engine's own.
    pub network: Option<String>,
}

/// News as they come. The first error is the last item; without [`ImageWork::Done`] it did not come to its end.
/// Dropping it ends a build, and leaves a push where it is.
pub type Working = BoxStream<'static, Result<ImageWork, Error>>;

/// One engine. Cheap to clone.
#[derive(Clone)]
pub struct Docker {
    engine: bollard::Docker,
    host: String,
}

impl Docker {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// There is no such socket, or the certificates cannot be used.
    pub fn new(address: &DockerEngine) -> Result<Self, Error> {
        let host = address.host.clone().filter(|host| !host.is_empty());
        let host = host.unwrap_or_else(|| SOCKET.to_owned());
        let version = API_DEFAULT_VERSION;
        let engine = if host.starts_with("unix://") {
            bollard::Docker::connect_with_unix(&host, LIMIT, version)
        } else if let Some(folder) = &address.certificates {
            let [key, own, ca] = ["key.pem", "cert.pem", "ca.pem"].map(|name| folder.join(name));
            bollard::Docker::connect_with_ssl(&host, &key, &own, &ca, LIMIT, version)
        } else if host.starts_with("tcp://") || host.starts_with("http://") {
            bollard::Docker::connect_with_http(&host, LIMIT, version)
        } else {
            return Err(Error::Unreached {
                host,
                message: "only unix:// and tcp:// addresses are known here".into(),
            });
        };
        let engine = engine.map_err(|why| Error::of(&host, "connect", &why))?;
        let engine = engine.with_request_modifier(url_safe);
        Ok(Self { engine, host })
    }

    /// `unix:///var/run/docker.sock`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its version.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn version(&self) -> Result<String, Error> {
        let version = self.whole("the engine's version", self.engine.version());
        let version = version.await?;
        Ok(version.version.unwrap_or_default())
    }

    /// All images with their labels, in one request.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn images(&self) -> Result<Vec<LocalImage>, Error> {
        let options = ListImagesOptionsBuilder::new().digests(true).build();
        let images = self.engine.list_images(Some(options));
        let images = self.whole("the engine's images", images).await?;
        Ok(images.into_iter().map(convert::image).collect())
    }

    /// Sends the folder and builds it.
    pub fn build_folder(&self, build: Build) -> Working {
        let about = format!("build {}", build.tag);
        let late = about.clone();
        let (docker, engine) = (self.clone(), self.engine.clone());
        let started = async move {
            let (folder, file) = (build.folder.clone(), build.dockerfile.clone());
            let packed = tokio::task::spawn_blocking(move || context::pack(&folder, &file)).await;
            let packed = packed.map_err(|why| files(&build.folder, &why.to_string()))??;
            let options = BuildImageOptionsBuilder::new()
                .dockerfile(&build.dockerfile)
                .t(&build.tag)
                .buildargs(&build.arguments.0.into_iter().collect())
                .labels(&build.labels)
                .rm(true)
                .forcerm(true);
            let options = match &build.network {
                Some(network) => options.networkmode(network),
                None => options,
            };
            let error = move |why: &bollard::errors::Error| docker.error(&about, why);
            Ok(owned(engine, options.build(), packed, error))
        };
        heard(stream::once(started).try_flatten().boxed(), late)
    }

    /// Gives it another name.
    ///
    /// # Errors
    /// There is no such image.
    pub async fn tag(&self, image: &str, name: &str) -> Result<(), Error> {
        let parts = ImageRef::parse(name);
        let options = TagImageOptionsBuilder::new()
            .repo(parts.repository)
            .tag(parts.tag.unwrap_or("latest"))
            .build();
        let tagged = self.engine.tag_image(image, Some(options));
        self.whole(&format!("tag {image}"), tagged).await
    }

    /// Sends an image to its registry, layer by layer. The login is that of docker, which the engine does not know.
    pub fn push_to_registry(&self, image: &str, login: Option<&Login>) -> Working {
        let parts = ImageRef::parse(image);
        let options = PushImageOptionsBuilder::new()
            .tag(parts.tag.unwrap_or("latest"))
            .build();
        let sent =
            self.engine
                .push_image(parts.repository, Some(options), Some(credentials(login)));
        self.moving(format!("push {image}"), login, sent.map_ok(convert::push))
    }

    /// Fetches an image from its registry.
    pub fn pull(&self, image: &str, login: Option<&Login>) -> Working {
        let parts = ImageRef::parse(image);
        let options = CreateImageOptionsBuilder::new()
            .from_image(parts.repository)
            .tag(parts.digest.or(parts.tag).unwrap_or("latest"))
            .build();
        let fetched = self
            .engine
            .create_image(Some(options), None, Some(credentials(login)));
        self.moving(
            format!("pull {image}"),
            login,
            fetched.map_ok(convert::pull),
        )
    }

    /// Between the engine and a registry, without what it logs in with.
    fn moving(
        &self,
        about: String,
        login: Option<&Login>,
        news: impl Stream<Item = Result<Option<ImageWork>, bollard::errors::Error>> + Send + 'static,
    ) -> Working {
        let (docker, late) = (self.clone(), about.clone());
        let hidden = login.map(Login::hidden).unwrap_or_default();
        let told = news.map_err(move |why| docker.error(&about, &why).without(&hidden));
        let told = told.try_filter_map(|work| async move { Ok(work) });
        heard(told.boxed(), late)
    }

    /// The library gives a limit to the beginning of an answer, and none to its end.
    async fn whole<T>(
        &self,
        about: &str,
        answer: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, Error> {
        let late = |_| Error::Late {
            about: about.to_owned(),
        };
        let answer = timeout(Duration::from_secs(LIMIT), answer).await;
        answer.map_err(late)?.map_err(|why| self.error(about, &why))
    }

    fn error(&self, about: &str, error: &bollard::errors::Error) -> Error {
        Error::of(&self.host, about, error)
    }
}

/// Ends with an error when nothing is heard for too long.
fn heard(working: Working, about: String) -> Working {
    let next = move |working: Option<Working>| {
        let about = about.clone();
        async move {
            let mut working = working?;
            match timeout(SILENT, working.next()).await {
                Ok(news) => news.map(|news| (news, Some(working))),
                Err(_) => Some((Err(Error::Late { about }), None)),
            }
        }
    };
    stream::unfold(Some(working), next).boxed()
}

/// A build whose stream owns all it needs.
fn owned(
    engine: bollard::Docker,
    options: bollard::query_parameters::BuildImageOptions,
    files: std::fs::File,
    error: impl Fn(&bollard::errors::Error) -> Error + Send + 'static,
) -> Working {
    let (news, told) = futures::channel::mpsc::channel(8);
    let building = async move {
        let body = body_try_stream(pieces(tokio::fs::File::from_std(files)));
        let said = engine.build_image(options, None, Some(body));
        let said = said.map(move |info| info.map(convert::build).map_err(|why| error(&why)));
        let works = said
            .map_ok(|works| stream::iter(works.into_iter().map(Ok)))
            .try_flatten();
        // Whoever listened is gone: then the build ends with the connection.
        let _ = works.map(Ok).forward(news).await;
    };
    let silent = stream::once(building).filter_map(|()| async { None });
    stream::select(silent, told).boxed()
}

fn pieces(file: tokio::fs::File) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    stream::try_unfold(file, |mut file| async move {
        let mut piece = bytes::BytesMut::with_capacity(PIECE);
        let read = file.read_buf(&mut piece).await?;
        Ok((read > 0).then(|| (piece.freeze(), file)))
    })
}

fn credentials(login: Option<&Login>) -> DockerCredentials {
    match login {
        Some(Login::Password { user, secret }) => DockerCredentials {
            username: Some(user.clone()),
            password: Some(secret.clone()),
            ..DockerCredentials::default()
        },
        Some(Login::Identity(token)) => DockerCredentials {
            identitytoken: Some(token.clone()),
            ..DockerCredentials::default()
        },
        Some(Login::Anonymous) | None => DockerCredentials::default(),
    }
}

/// The engine reads the other alphabet of base64: without it some passwords are dropped.
fn url_safe(mut request: BollardRequest) -> BollardRequest {
    if let Some(value) = request.headers_mut().get_mut("x-registry-auth")
        && let Ok(text) = value.to_str()
        && let Ok(mut safe) = HeaderValue::from_str(&text.replace('+', "-").replace('/', "_"))
    {
        safe.set_sensitive(true);
        *value = safe;
    }
    request
}

fn files(folder: &Path, message: &str) -> Error {
    Error::Files {
        place: folder.display().to_string(),
        message: message.to_owned(),
    }
}
