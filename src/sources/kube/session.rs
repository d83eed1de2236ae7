//! A login and the client that was made with it, renewed once for everybody when it ends.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::client::Cluster;
use super::credential::{self, Login};
use super::discovery::Served;
use super::error::Error;
use super::kubeconfig::{self, Access};
use crate::config::Connection;
use crate::domain::ClusterId;
use crate::sources::Clock;
use crate::sources::hidden::Hidden;

const CONNECT: Duration = Duration::from_secs(5);
/// A login is renewed this long before it ends.
const AHEAD: SignedDuration = SignedDuration::from_secs(10);
/// A login that failed is not tried again before this, so that many feeds do not start many login commands.
const REST: SignedDuration = SignedDuration::from_secs(10);

/// Reads the kubeconfig, logs in and builds the client. Nothing is asked of the API server, so that the feeds
/// can start at once; [`super::identify`] asks who the cluster is, beside them. Takes as long as the login
/// command does, 15 s at most. `report` is told what it is doing.
pub async fn connect(
    connection: &Connection,
    clock: Clock,
    report: impl Fn(String),
) -> Result<Cluster, Error> {
    report("reading the kubeconfig".into());
    let access = open(connection.clone()).await?;
    if let Some(command) = credential::command(&access.config) {
        report(format!("running the login command {command}"));
    }
    cluster(access, connection, clock, None).await
}

/// A login by hand: the context's login command, to be run with the terminal.
pub struct ByHand {
    connection: Connection,
    command: Option<Command>,
    /// `aws`.
    pub name: String,
    /// What else a person can do.
    pub hint: String,
}

impl ByHand {
    /// Reads the kubeconfig; nothing is run.
    ///
    /// # Errors
    /// The context has no login command: the hint says what to do.
    pub async fn prepare(connection: &Connection) -> Result<Self, Error> {
        let access = open(connection.clone()).await?;
        let hint = access.login_hint();
        let command = credential::by_hand(&access.config).transpose()?;
        let name = credential::command(&access.config).unwrap_or_default();
        if command.is_none() {
            let sentence = format!(
                "user {} has no login command in the kubeconfig",
                access.user
            );
            let hints = vec![hint];
            return Err(Error::Credential { sentence, hints });
        }
        Ok(Self {
            connection: connection.clone(),
            command,
            name,
            hint,
        })
    }

    /// Its output is the credential, and goes to nobody else. `None` the second time.
    pub fn command(&mut self) -> Option<Command> {
        self.command.take()
    }

    /// The cluster with the login that the command printed. The kubeconfig is read again: the command may write it.
    pub async fn finish(self, printed: &[u8], clock: Clock) -> Result<Cluster, Error> {
        let access = open(self.connection.clone()).await?;
        cluster(access, &self.connection, clock, Some(printed)).await
    }
}

async fn cluster(
    access: Access,
    connection: &Connection,
    clock: Clock,
    printed: Option<&[u8]>,
) -> Result<Cluster, Error> {
    let inner = Inner {
        id: ClusterId::from(access.context.as_str()),
        server: access
            .config
            .cluster_url
            .to_string()
            .trim_end_matches('/')
            .to_owned(),
        proxy: access.config.proxy_url.as_ref().map(address),
        namespace: access.namespace.clone(),
        ca: access.config.root_cert.clone().unwrap_or_default().concat(),
        connection: Connection {
            // The context in force stays, also when somebody switches the kubeconfig's current one.
            context: (!access.in_cluster).then(|| access.context.clone()),
            ..connection.clone()
        },
        clock,
        // Boxed: building a TLS client makes a future of 47 kB.
        current: Mutex::new(Arc::new(
            Box::pin(Session::start(access, clock, printed)).await?,
        )),
        renewal: tokio::sync::Mutex::default(),
        served: Served::default(),
    };
    Ok(Cluster {
        inner: Arc::new(inner),
    })
}

/// Scheme, host and port: what stands before an `@` is secret.
fn address(uri: &http::Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("http");
    let port = uri.port().map(|port| format!(":{port}"));
    format!(
        "{scheme}://{}{}",
        uri.host().unwrap_or_default(),
        port.unwrap_or_default()
    )
}

pub struct Inner {
    pub id: ClusterId,
    pub server: String,
    /// Without its credentials.
    pub proxy: Option<String>,
    pub namespace: Option<String>,
    /// The certificate authority, DER. Empty: the system's.
    pub ca: Vec<u8>,
    pub connection: Connection,
    clock: Clock,
    current: Mutex<Arc<Session>>,
    renewal: tokio::sync::Mutex<LastFailure>,
    pub served: Served,
}

type LastFailure = Option<(Timestamp, Error)>;

/// One login. Requests under way keep theirs when it is replaced.
pub struct Session {
    pub client: kube::Client,
    /// What a person does to log in again.
    pub login_hint: String,
    /// What the server may say back and nobody shall read.
    pub hidden: Hidden,
    login: Login,
    /// Made because its predecessor was refused.
    renewed: bool,
    /// The server accepted it at least once.
    accepted: AtomicBool,
}

impl Session {
    async fn start(access: Access, clock: Clock, printed: Option<&[u8]>) -> Result<Self, Error> {
        let login_hint = access.login_hint();
        let mut config = access.config;
        let login = credential::log_in(&mut config, &login_hint, clock, printed).await?;
        let hidden = credential::hidden(&config.auth_info);
        config.default_retry = false;
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = None;
        let client = build(config).await?;
        Ok(Self {
            client,
            login_hint,
            hidden,
            login,
            renewed: false,
            accepted: AtomicBool::new(false),
        })
    }

    /// The server took this login, whatever else it said.
    pub fn accepted(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }

    fn ends_before(&self, time: Timestamp) -> bool {
        self.login.ends.is_some_and(|end| end <= time)
    }
}

impl Inner {
    /// The login in force; one that is about to end is renewed first.
    pub async fn session(&self) -> Result<Arc<Session>, Error> {
        let session = self.current();
        if session.ends_before(self.soon()) {
            return self.replace(&session, None).await;
        }
        Ok(session)
    }

    /// A new login after the server `refused` one: one renewal for all who ask at the same time. A renewed
    /// login that was never accepted is not renewed again, and neither is one that came out the same.
    pub async fn renew(&self, stale: &Arc<Session>, refused: Error) -> Result<Arc<Session>, Error> {
        if stale.renewed && !stale.accepted.load(Ordering::Relaxed) {
            return Err(refused);
        }
        self.replace(stale, Some(refused)).await
    }

    async fn replace(
        &self,
        stale: &Arc<Session>,
        refused: Option<Error>,
    ) -> Result<Arc<Session>, Error> {
        let mut last_failure = self.renewal.lock().await;
        let current = self.current();
        if !Arc::ptr_eq(&current, stale) {
            return Ok(current);
        }
        if let Some((at, error)) = &*last_failure
            && (self.clock)().duration_since(*at) < REST
        {
            return Err(error.clone());
        }
        let outcome = self.log_in_again(stale, refused).await;
        *last_failure = outcome.as_ref().err().map(|e| ((self.clock)(), e.clone()));
        let session = outcome?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&session);
        Ok(session)
    }

    /// The kubeconfig is read again as well: whoever logs in by hand writes it there.
    async fn log_in_again(
        &self,
        stale: &Session,
        refused: Option<Error>,
    ) -> Result<Arc<Session>, Error> {
        let mut session =
            Session::start(open(self.connection.clone()).await?, self.clock, None).await?;
        match refused {
            Some(refused) if session.login.fingerprint == stale.login.fingerprint => {
                return Err(refused);
            }
            Some(_) => session.renewed = true,
            // The connections of an unchanged login are kept, and a login command that hands out what is
            // about to end is not run for every request.
            None if session.login.fingerprint == stale.login.fingerprint => {
                session.client = stale.client.clone();
                let rested = self.soon().checked_add(REST).ok();
                session.login.ends = session.login.ends.max(rested);
            }
            None => {}
        }
        Ok(Arc::new(session))
    }

    /// When the login in force expires, as far as the login command says.
    pub fn expires(&self) -> Option<Timestamp> {
        self.current().login.expires
    }

    fn current(&self) -> Arc<Session> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn soon(&self) -> Timestamp {
        let now = (self.clock)();
        now.checked_add(AHEAD).unwrap_or(now)
    }
}

/// The names of the contexts, in the order of the kubeconfig.
pub async fn contexts(connection: Connection) -> Result<Vec<String>, Error> {
    let (names, _) = beside(move || kubeconfig::contexts(&connection)).await?;
    Ok(names)
}

/// Files may lie on a slow disk, so they are read beside the runtime.
async fn open(connection: Connection) -> Result<Access, Error> {
    beside(move || kubeconfig::load(&connection)).await
}

/// Reads certificates from files, too.
async fn build(config: kube::Config) -> Result<kube::Client, Error> {
    beside(move || kube::Client::try_from(config).map_err(|error| kubeconfig::unusable(&error)))
        .await
}

async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Error::Kubeconfig {
                sentence: format!("reading the kubeconfig failed: {error}"),
                hints: Vec::new(),
            })
        })
}

#[cfg(test)]
impl Cluster {
    /// Talks to `client`, with a login that cannot be renewed.
    pub(crate) fn over(id: &str, client: kube::Client, clock: Clock) -> Self {
        let session = Session {
            client,
            login_hint: "log in again".into(),
            hidden: Hidden::default(),
            login: Login {
                ends: None,
                expires: None,
                fingerprint: [0; 32],
            },
            renewed: true,
            accepted: AtomicBool::new(false),
        };
        let inner = Inner {
            id: id.into(),
            server: "http://fake".into(),
            proxy: None,
            namespace: None,
            ca: Vec::new(),
            connection: Connection::default(),
            clock,
            current: Mutex::new(Arc::new(session)),
            renewal: tokio::sync::Mutex::default(),
            served: Served::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }
}
