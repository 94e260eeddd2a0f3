//! The engines as stories open them: in a directory, in memory, or in a schema of their
//! own of the PostgreSQL that the tests were given.

use crate::postgres::{TestDatabase, database};
use crate::support::Engine;
use dialback::store::Maintenance;
use dialback::store::memory::Memory;
use dialback::store::postgres::{self, Postgres};
use dialback::store::sled::{Options, Sled};
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A new store; what it needs lives as long as whoever has it.
pub fn open(engine: Engine, dir: &TempDir, schema: Option<&TestDatabase>) -> Arc<dyn Maintenance> {
    match engine {
        Engine::Postgres => open_apart(schema.expect("a schema").url()),
        Engine::Memory | Engine::Shared => Arc::new(Memory::new()),
        Engine::Sled => {
            let options = Options { cache_bytes: 8 * 1024 * 1024, ..Options::default() };
            Arc::new(Sled::open(&dir.path().join("store"), options).unwrap())
        }
    }
}

/// Connections live as long as their runtime, and a world is made outside of one.
fn open_apart(url: String) -> Arc<dyn Maintenance> {
    static APART: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    // A job that finds the database too slow goes on later, and a world's clock may stand.
    let options = postgres::Options { deadline: crate::wire::PATIENCE, ..postgres::Options::default() };
    let opened = std::thread::spawn(move || APART.block_on(Postgres::open(&url, options)));
    Arc::new(opened.join().unwrap().unwrap())
}

/// A schema, where the engine needs one.
pub fn schema_for(engine: Engine) -> Option<TestDatabase> {
    if engine != Engine::Postgres {
        return None;
    }
    let made = std::thread::spawn(|| {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(database("the stories"))
    });
    made.join().unwrap()
}
