//! Tables of their own at a PostgreSQL that others use, for benchmarks.

use tokio_postgres::{Client, NoTls};

/// A schema that nobody else has.
pub struct Schema {
    client: Client,
    /// The server's address, by which its tables are found.
    pub url: String,
}

impl Schema {
    /// A new one at a server, in the place of what an earlier run left; the server has
    /// written everything before to its files.
    pub async fn fresh(server: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(server, NoTls).await.expect("the server answers");
        tokio::spawn(connection);
        let fresh = "DROP SCHEMA IF EXISTS dialback_bench CASCADE; CREATE SCHEMA dialback_bench; CHECKPOINT";
        client.batch_execute(fresh).await.expect("a user who may make schemas");
        let sign = if server.contains('?') { '&' } else { '?' };
        Self { client, url: format!("{server}{sign}options=-c%20search_path%3Ddialback_bench") }
    }

    /// Drops it, with all that is in it.
    pub async fn end(self) {
        self.client.batch_execute("DROP SCHEMA dialback_bench CASCADE").await.expect("what was made");
    }
}
