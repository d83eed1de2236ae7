//! One Prometheus: its login, and a question to it, directly or through the API server.

use ::http::header::AUTHORIZATION;
use ::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::convert;
use super::error::{Refusal, refusal, through};
use crate::config::{Prometheus as Settings, Proxy};
use crate::sources::http::{self, Ask, Http, Redirects, Url};
use crate::sources::kube::{Cluster, path};
use crate::sources::{secret, words};

/// A few numbers are asked for.
const LARGEST: usize = 1 << 20;

#[derive(Clone)]
pub enum Server {
    Direct(Direct),
    Through {
        name: String,
        cluster: Cluster,
        namespace: String,
        service: String,
        /// Before `api/v1`, with a slash at its end when there is one.
        path: String,
    },
}

#[derive(Clone)]
pub struct Direct {
    name: String,
    http: Http,
    base: Url,
    login: HeaderMap,
}

/// Whether one of the settings answers. `cluster`: the one whose API server leads there, where one does.
///
/// # Errors
/// Why it does not.
pub async fn answers(
    settings: &Settings,
    environment: &Proxy,
    cluster: Option<&Cluster>,
) -> Result<(), Refusal> {
    let behind = cluster.and_then(|cluster| Server::behind(settings, cluster));
    let server = match behind {
        Some(server) => server,
        None => Server::Direct(Direct::new(settings, environment).await?),
    };
    let body = server.get("query", &[("query", "vector(1)")]).await?;
    let answer = convert::instant(&body);
    answer
        .map(|_| ())
        .map_err(|why| Refusal::new(settings.name(), &why))
}

impl Server {
    /// Behind the API server of this cluster. `None`: the settings give an address instead.
    pub fn behind(settings: &Settings, cluster: &Cluster) -> Option<Self> {
        let through = settings.through()?;
        let path = match through.path {
            "" => String::new(),
            path => format!("{path}/"),
        };
        Some(Self::Through {
            name: settings.name().to_owned(),
            cluster: cluster.clone(),
            namespace: through.namespace.to_owned(),
            service: through.service.to_owned(),
            path,
        })
    }

    /// The body of a good answer to `query` or `query_range`. Asked once.
    pub async fn get(&self, what: &str, query: &[(&str, &str)]) -> Result<Bytes, Refusal> {
        match self {
            Self::Direct(direct) => direct.get(what, query).await,
            Self::Through {
                name,
                cluster,
                namespace,
                service,
                path,
            } => {
                let rest = format!("{path}api/v1/{what}");
                let path = path::through((namespace, service), &rest, query);
                let answer = cluster.get_through(&path).await;
                answer
                    .map(|answer| answer.body)
                    .map_err(|why| through(name, &why))
            }
        }
    }
}

impl Direct {
    /// Reads the secret. Connects nowhere yet.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub async fn new(settings: &Settings, environment: &Proxy) -> Result<Self, Refusal> {
        let name = settings.name();
        let wrong = |why: String| Refusal::new(name, &why);
        let url = settings.url.as_deref().unwrap_or_default();
        let base = http::base(url).map_err(|why| wrong(format!("url: {why}")))?;
        let mut login = HeaderMap::new();
        if let Some(from) = &settings.token {
            let token = secret::read(from).await;
            let token = token.map_err(|why| wrong(format!("token: {why}")))?;
            let text = match &settings.user {
                Some(user) => {
                    let pair = STANDARD.encode(format!("{user}:{}", token.reveal()));
                    format!("Basic {pair}")
                }
                None => format!("Bearer {}", token.reveal()),
            };
            let value = HeaderValue::from_str(&text);
            let mut value = value.map_err(|_| wrong("token: no header can hold it".into()))?;
            value.set_sensitive(true);
            login.insert(AUTHORIZATION, value);
        }
        let http = Http::new(
            &base,
            settings.ca.as_deref(),
            environment,
            Redirects::Follow,
        )
        .await;
        Ok(Self {
            name: name.to_owned(),
            http: http.map_err(|why| wrong(why.message))?,
            base,
            login,
        })
    }

    async fn get(&self, what: &str, query: &[(&str, &str)]) -> Result<Bytes, Refusal> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}api/v1/{what}", url.path()));
        url.query_pairs_mut().extend_pairs(query);
        let mut ask = Ask::get(url);
        ask.headers = self.login.clone();
        ask.largest = LARGEST;
        let answer = self.http.ask(&ask).await;
        let answer = answer.map_err(|why| Refusal::new(&self.name, &why.message))?;
        if answer.status.is_success() && !words::is_html(&answer.headers) {
            return Ok(answer.body);
        }
        Err(refusal(&self.name, &answer))
    }
}
