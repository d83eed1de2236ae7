//! Jobs by their id: each can be dropped, and what is dropped says nothing more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::app::event::JobId;

#[derive(Default)]
pub struct Jobs {
    tokens: Arc<Mutex<HashMap<JobId, CancellationToken>>>,
}

impl Jobs {
    pub fn spawn(&self, job: JobId, work: impl Future<Output = ()> + Send + 'static) {
        let token = CancellationToken::new();
        if let Some(former) = lock(&self.tokens).insert(job, token.clone()) {
            former.cancel();
        }
        let tokens = Arc::clone(&self.tokens);
        tokio::spawn(async move {
            if token.run_until_cancelled(work).await.is_some() {
                lock(&tokens).remove(&job);
            }
        });
    }

    pub fn cancel(&self, job: JobId) {
        if let Some(token) = lock(&self.tokens).remove(&job) {
            token.cancel();
        }
    }

    pub fn cancel_all(&self) {
        for (_, token) in lock(&self.tokens).drain() {
            token.cancel();
        }
    }
}

fn lock(
    tokens: &Mutex<HashMap<JobId, CancellationToken>>,
) -> MutexGuard<'_, HashMap<JobId, CancellationToken>> {
    tokens.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_is_cancelled_says_nothing_and_what_ends_is_forgotten() {
        let jobs = Jobs::default();
        let (started, starts) = oneshot::channel();
        let (tx, rx) = oneshot::channel::<()>();
        jobs.spawn(JobId(1), async move {
            let _ = started.send(());
            std::future::pending::<()>().await;
            let _ = tx.send(());
        });
        starts.await.unwrap();
        jobs.cancel(JobId(1));
        assert!(rx.await.is_err(), "the work was dropped");
        let (tx, rx) = oneshot::channel();
        jobs.spawn(JobId(2), async move {
            let _ = tx.send(());
        });
        rx.await.unwrap();
        while !lock(&jobs.tokens).is_empty() {
            tokio::task::yield_now().await;
        }
    }
}
