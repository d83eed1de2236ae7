//! The servers of the settings: which is asked about a workload, how often, and what it told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::convert::{self, Grid, Seconds};
use super::error::{Cause, Refusal};
use super::server::{Direct, Server};
use crate::config::prometheus::Asked;
use crate::config::{Config, Prometheus as Settings, Proxy};
use crate::domain::measured::{Curve, Rule, SideTold, Sides, Told};
use crate::domain::{Environment, WorkloadId};
use crate::sources::Clock;
use crate::sources::kube::Cluster;

/// What was told is told again for so long.
const EVERY: SignedDuration = SignedDuration::from_secs(15);
/// Points of a curve, two a window.
const POINTS: u32 = 8;
const MILLIONTHS: f64 = 1e6;
const THOUSANDTHS: f64 = 1e3;

/// Cheap to clone; all clones share the connections, and what was told last.
#[derive(Clone)]
pub struct Prometheus {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Vec<Settings>,
    environments: Vec<Environment>,
    proxy: Proxy,
    clock: Clock,
    /// Beside the settings: the ones with an address, once they were asked.
    connected: Vec<Mutex<Option<Direct>>>,
    told: std::sync::Mutex<BTreeMap<(WorkloadId, Sides), Last>>,
}

/// Who asks the same meanwhile waits for the answer.
type Last = Arc<Mutex<Option<(Timestamp, Told)>>>;

impl fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.inner.settings.iter().map(Settings::name);
        f.debug_list().entries(names).finish()
    }
}

impl Prometheus {
    /// Nothing is connected before it is asked.
    pub fn new(config: &Config, clock: Clock) -> Self {
        let inner = Inner {
            settings: config.prometheus.clone(),
            environments: config.environments.clone(),
            proxy: config.connection.proxy.clone(),
            clock,
            connected: config.prometheus.iter().map(|_| Mutex::default()).collect(),
            told: std::sync::Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// It was made from these settings.
    pub fn is_of(&self, config: &Config) -> bool {
        self.inner.settings == config.prometheus
            && self.inner.environments == config.environments
            && self.inner.proxy == config.connection.proxy
    }

    /// How a canary of this workload is judged; `None` when no server of the settings is about it.
    pub fn rule(&self, of: &WorkloadId) -> Option<Rule> {
        let (_, settings) = self.about(of)?;
        Some(settings.rule())
    }

    /// What both sides of a canary measure, asked at most once in 15 s.
    pub async fn measure(&self, cluster: &Cluster, of: &WorkloadId, sides: &Sides) -> Told {
        let last = self.last((of.clone(), sides.clone()));
        let mut last = last.lock().await;
        let now = (self.inner.clock)();
        if let Some((at, told)) = &*last
            && now.duration_since(*at) < EVERY
        {
            return told.clone();
        }
        let told = Box::pin(self.ask(cluster, of, sides)).await;
        *last = Some((now, told.clone()));
        told
    }

    /// What is old is dropped with each new one.
    fn last(&self, key: (WorkloadId, Sides)) -> Last {
        let now = (self.inner.clock)();
        let mut told = self
            .inner
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_young = |last: &Last| match last.try_lock() {
            Ok(last) => matches!(&*last, Some((at, _)) if now.duration_since(*at) < EVERY),
            // Somebody asks.
            Err(_) => true,
        };
        told.retain(|other, last| *other == key || is_young(last));
        Arc::clone(told.entry(key).or_default())
    }

    async fn ask(&self, cluster: &Cluster, of: &WorkloadId, sides: &Sides) -> Told {
        let Some((place, settings)) = self.about(of) else {
            return nothing("the settings name no prometheus for it");
        };
        let server = match Server::behind(settings, cluster) {
            Some(server) => server,
            None => match self.direct(place, settings).await {
                Ok(direct) => Server::Direct(direct),
                Err(refusal) => return nothing(&refusal.words),
            },
        };
        let names = [&sides.canary, &sides.stable];
        let names = names.map(|side| [Some(&side.workload), side.hash.as_ref()]);
        if names
            .as_flattened()
            .iter()
            .flatten()
            .any(|name| strange(name))
        {
            return nothing("the name of its revision is none, so it stands in no query");
        }
        let asked = |side| settings.asked(&of.namespace, side);
        let (canary, stable) = match (asked(&sides.canary), asked(&sides.stable)) {
            (Ok(canary), Ok(stable)) => (canary, stable),
            (Err(why), _) | (_, Err(why)) => return nothing(&why),
        };
        let window = settings.rule().window;
        let (canary, stable) = tokio::join!(
            side(&server, (&canary, &stable), window),
            side(&server, (&stable, &canary), window),
        );
        let login = |side: &Result<SideTold, Refusal>| matches!(side, Err(why) if why.cause == Cause::Login);
        if login(&canary) || login(&stable) {
            *self.inner.connected[place].lock().await = None;
        }
        Told {
            canary: canary.unwrap_or_else(|why| SideTold::nothing(&why.words)),
            stable: stable.unwrap_or_else(|why| SideTold::nothing(&why.words)),
        }
    }

    async fn direct(&self, place: usize, settings: &Settings) -> Result<Direct, Refusal> {
        let mut connected = self.inner.connected[place].lock().await;
        if let Some(direct) = &*connected {
            return Ok(direct.clone());
        }
        let direct = Direct::new(settings, &self.inner.proxy).await?;
        *connected = Some(direct.clone());
        Ok(direct)
    }

    fn about(&self, of: &WorkloadId) -> Option<(usize, &Settings)> {
        let inner = &self.inner;
        let here = inner.environments.iter().find(|e| e.holds(of));
        let here = here.map(|e| &*e.name);
        let mut all = inner.settings.iter().enumerate();
        all.find(|(_, server)| server.is_of(here))
    }
}

fn nothing(why: &str) -> Told {
    Told {
        canary: SideTold::nothing(why),
        stable: SideTold::nothing(why),
    }
}

/// What may stand in a name, and so in a query: nothing else ends it there.
fn strange(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    name.is_empty() || !name.chars().all(fine)
}

/// The requests first: their answer says what time it is there, and without any the rest says nothing.
async fn side(
    server: &Server,
    (asked, other): (&Asked, &Asked),
    window: u32,
) -> Result<SideTold, Refusal> {
    if let Some(same) = same(asked, other) {
        return Ok(SideTold::nothing(&same));
    }
    let body = server.get("query", &[("query", &*asked.requests)]).await?;
    let (at, requests) = match convert::instant(&body) {
        Ok((at, rate)) => (at, convert::whole(rate, THOUSANDTHS)),
        Err(why) => return Ok(SideTold::nothing(&why)),
    };
    let grid = Grid {
        end: at,
        step: f64::from(window.max(2)) / 2.0,
        points: POINTS,
    };
    let (errors, p99) = tokio::join!(
        curve(server, &asked.errors, grid),
        curve(server, &asked.p99, grid),
    );
    let is_share = |curve: Curve| {
        if curve.now > 1_000_000 {
            return Err("the query gives more than 1, where a share is wanted".to_owned());
        }
        Ok(curve)
    };
    Ok(SideTold {
        requests,
        errors: errors.and_then(is_share),
        p99,
    })
}

/// A question that is the same for both sides compares nothing.
fn same(one: &Asked, other: &Asked) -> Option<String> {
    let pairs = [
        ("requests", &one.requests, &other.requests),
        ("errors", &one.errors, &other.errors),
        ("p99", &one.p99, &other.p99),
    ];
    let (name, ..) = pairs.into_iter().find(|(_, one, other)| one == other)?;
    Some(format!(
        "the query of {name} is the same for both sides: {{pods}} has to stand in it"
    ))
}

async fn curve(server: &Server, query: &str, grid: Grid) -> Result<Curve, String> {
    let moment = |at: Seconds| format!("{at:.3}");
    let (start, end, step) = (moment(grid.start()), moment(grid.end), moment(grid.step));
    let query = [
        ("query", query),
        ("start", &*start),
        ("end", &*end),
        ("step", &*step),
    ];
    let body = server.get("query_range", &query).await;
    let values = convert::range(&body.map_err(|why| why.words)?, grid)?;
    let whole = |value: &Option<f64>| convert::whole((*value)?, MILLIONTHS).ok();
    let points: Box<[Option<u64>]> = values.iter().map(whole).collect();
    let last = values.last().copied().flatten().unwrap_or(f64::NAN);
    Ok(Curve {
        now: convert::whole(last, MILLIONTHS)?,
        points,
    })
}
