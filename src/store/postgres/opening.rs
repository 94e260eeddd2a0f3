//! The first two connections: whether they are what a store needs, and the tables
//! on them.
//!
//! What would only show later, and then look like something else, is found out
//! here: too few connections, and a pooler that gives one connection to several by
//! turns. It refuses to know who uses them afterwards.

use super::super::StoreError;
use super::fault::{SHARED, words};
use super::link::{Connected, Link};
use super::miss::{FULL, Miss, Reason};
use super::partitions::{self, MOVED_AT_ONCE};
use super::{grants, queue, schema};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::{Client, Error, SimpleQueryMessage};

/// The fewest connections with which a process works: one reads and one writes.
pub(super) const LEAST: usize = 2;

/// From a failed connect to the next, where others have all there are.
const PAUSE: Duration = Duration::from_millis(200);

/// How often two connections are looked at, whether they are one.
const LOOKS: usize = 3;

/// What a store begins with.
pub(super) struct Opened {
    pub reads: Connected,
    pub writes: Connected,
    /// As many as there may be, of those that are wanted.
    pub connections: usize,
    pub is_postgres: bool,
}

/// Connects, and makes the tables where there are none.
pub(super) async fn open(link: &Link, connections: usize) -> Result<Opened, StoreError> {
    let at = |why: String| StoreError::Open(format!("{}: {why}", link.place));
    let said = |error: Error| at(words(&error));
    let placed = |error| match error {
        StoreError::Open(why) => at(why),
        other => other,
    };
    let mut reads = connect(link).await?;
    let writes = connect(link).await?;
    own(link, &reads.client, &writes.client).await.map_err(at)?;
    // Making tables and indexes takes as long as it takes, and so is not the server's to
    // end: it is looked whether that still answers.
    for connected in [&reads, &writes] {
        let endless = connected.client.batch_execute("SET statement_timeout = 0");
        link.soon(endless).await.map_err(at)?.map_err(said)?;
    }
    let server = link.soon(schema::inspect(&reads.client)).await.map_err(at)?.map_err(placed)?;
    link.settle(server.is_postgres);
    let connections = match server.is_postgres {
        true => {
            link.soon(fitting(&reads.client, connections)).await.map_err(at)?.map_err(said)?.map_err(at)?
        }
        false => connections,
    };
    let host = reads.host();
    link.watched(host, schema::prepare(&mut reads.client, server)).await.map_err(at)?.map_err(placed)?;
    link.watched(host, queue::refile(&reads.client)).await.map_err(at)?.map_err(said)?;
    if server.is_postgres {
        link.soon(grants::for_months(&reads.client)).await.map_err(at)?.map_err(said)?;
        let months = partitions::make_ahead(&mut reads.client, MOVED_AT_ONCE);
        link.watched(host, months).await.map_err(at)?.map_err(said)?;
    }
    link.soon(link.for_reads().greet(&reads.client)).await.map_err(at)?.map_err(said)?;
    link.soon(link.greet(&writes.client)).await.map_err(at)?.map_err(said)?;
    Ok(Opened { reads, writes, connections, is_postgres: server.is_postgres })
}

/// How many of the wanted connections there may be, for a role that may do what is
/// needed. The inner error says what to do.
async fn fitting(client: &Client, connections: usize) -> Result<Result<usize, String>, Error> {
    let connections = match allowed(client, connections).await? {
        Ok(connections) => connections,
        Err(why) => return Ok(Err(why)),
    };
    Ok(grants::enough(client).await?.map(|()| connections))
}

/// A connection; where others have all there are, one of theirs may soon be free.
async fn connect(link: &Link) -> Result<Connected, StoreError> {
    let began = Instant::now();
    loop {
        match link.connect().await {
            Ok(connected) => return Ok(connected),
            Err(Miss { reason: Reason::Full, .. }) if began.elapsed() < link.deadline => sleep(PAUSE).await,
            Err(miss) => return Err(StoreError::Open(miss.why)),
        }
    }
}

/// Looks whether two connections are two: behind a pooler that takes them away
/// between transactions they are one, by turns.
async fn own(link: &Link, one: &Client, other: &Client) -> Result<(), String> {
    // By this some poolers begin to keep them apart.
    let limit = format!("SET statement_timeout = {}", link.deadline.as_millis());
    let looks = async {
        one.batch_execute(&limit).await?;
        other.batch_execute(&limit).await?;
        for _ in 0..LOOKS {
            let before = backend(one).await?;
            other.batch_execute("BEGIN").await?;
            let meanwhile = backend(other).await?;
            let after = if meanwhile == before { None } else { backend(one).await? };
            other.batch_execute("ROLLBACK").await?;
            if before != after {
                return Ok(false);
            }
        }
        Ok::<_, Error>(true)
    };
    match timeout(2 * link.deadline, looks).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(format!("the connections are a pooler's, in transaction mode: {SHARED}")),
        Ok(Err(error)) => Err(words(&error)),
        Err(_) => Err(format!("no answer in {:?}", 2 * link.deadline)),
    }
}

/// The process of the server that answers.
async fn backend(client: &Client) -> Result<Option<String>, Error> {
    let answers = client.simple_query("SELECT pg_backend_pid()").await?;
    Ok(answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    }))
}

/// How many of the wanted connections the server allows one role in one database.
async fn allowed(client: &Client, wanted: usize) -> Result<Result<usize, String>, Error> {
    const LIMITS: &str = "\
        SELECT r.rolname::text, r.rolsuper, r.rolconnlimit, d.datconnlimit,
          current_setting('max_connections')::int4 - CASE WHEN r.rolsuper THEN 0 ELSE
            current_setting('superuser_reserved_connections')::int4
            + coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::int4 END
        FROM pg_roles r, pg_database d WHERE r.rolname = session_user AND d.datname = current_database()";
    let Some(row) = client.query_opt(LIMITS, &[]).await? else { return Ok(Ok(wanted)) };
    let (role, is_super): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
    let (of_role, of_database, of_server): (i32, i32, i32) =
        (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
    let limits = [
        (of_role, !is_super, format!("the role {role} has a CONNECTION LIMIT of {of_role}")),
        (of_database, !is_super, format!("the database has a CONNECTION LIMIT of {of_database}")),
        (of_server, true, format!("the server's max_connections leaves {of_server}")),
    ];
    // Below zero there is none.
    let limits = limits.into_iter().filter(|(limit, holds, _)| *holds && *limit >= 0);
    let Some((limit, _, why)) = limits.min_by_key(|(limit, ..)| *limit) else { return Ok(Ok(wanted)) };
    let limit = usize::try_from(limit).unwrap_or(wanted);
    if limit < LEAST {
        return Ok(Err(format!("{why}, and {LEAST} connections are the least: {FULL}")));
    }
    if limit < wanted {
        tracing::warn!(wanted, limit, "{why}: that is for all processes together; {FULL}");
    }
    Ok(Ok(wanted.min(limit)))
}
