//! The same tests over every engine.

use crate::instance::skipped;
use std::sync::Once;

/// Makes a test of each of these functions over each engine.
macro_rules! over_each_engine {
    ($($story:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() { super::$story(crate::support::Engine::Memory).await })*
        }
        mod sled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() { super::$story(crate::support::Engine::Sled).await })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                if crate::engines::has_postgres() {
                    super::$story(crate::support::Engine::Postgres).await;
                }
            })*
        }
    };
}
pub(crate) use over_each_engine;

/// Whether there is a server to test on; says once that there is none.
pub fn has_postgres() -> bool {
    static SAID: Once = Once::new();
    let has = std::env::var_os("DIALBACK_TEST_POSTGRES").is_some();
    if !has {
        SAID.call_once(|| {
            skipped(
                "the stories on PostgreSQL: set DIALBACK_TEST_POSTGRES to the URL of a server where schemas may be made to turn them on",
            );
        });
    }
    has
}
