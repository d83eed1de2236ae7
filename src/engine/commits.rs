//! What lies between two commits, from their repository, and then what its host says of them.

use std::sync::Arc;

use super::Shared;
use crate::app::event::Event;
use crate::domain::commit::{Between, Told};

pub(super) async fn tell(shared: Arc<Shared>, between: Box<Between>) {
    let repositories = shared.repositories();
    let commits = match repositories.between(&between).await {
        Ok(commits) => commits,
        Err(why) => return send(&shared, &between, Err(why.to_string())).await,
    };
    let mut told = Told {
        commits,
        ..Told::default()
    };
    send(&shared, &between, Ok(Box::new(told.clone()))).await;
    let facts = repositories.facts(&between.repository, &told.commits.list);
    (told.facts, told.gap) = facts.await;
    if !told.facts.is_empty() || told.gap.is_some() {
        send(&shared, &between, Ok(Box::new(told))).await;
    }
}

async fn send(shared: &Shared, between: &Between, outcome: Result<Box<Told>, String>) {
    let between = Box::new(between.clone());
    shared.send(Event::CommitsTold { between, outcome }).await;
}
