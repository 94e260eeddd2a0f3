//! What only an engine that several processes share can be asked.

use crate::postgres::database;
use crate::store_contract::{closed, count_together, story};
use std::sync::Arc;

#[tokio::test]
async fn postgresql_keeps_the_contract() {
    let Some(database) = database("the contract of stores").await else { return };
    let store = database.open().await;
    story(&store).await;
    closed(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgresql_counts_every_step_once() {
    let Some(database) = database("counting together").await else { return };
    let store = Arc::new(database.open().await);
    count_together(store).await;
}
