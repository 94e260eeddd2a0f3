//! The first two connections: whether they are what a store needs, and the tables
//! on them.
//!
//! What would only show later, and then look like something else, is found out
//! here: too few connections, and a pooler that gives one connection to several by
//! turns. It refuses to know who uses them afterwards.

use super::super::StoreError;
use super::fault::{self, SHARED, words};
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
    let said = |error: &Error| at(words(error));
    let mut reads = connect(link).await?;
    let writes = connect(link).await?;
    own(link, &reads.client, &writes.client).await.map_err(at)?;
    // Making tables and indexes takes as long as it takes.
    for connected in [&reads, &writes] {
        connected.client.batch_execute("SET statement_timeout = 0").await.map_err(|error| said(&error))?;
    }
    let placed = |error| match error {
        StoreError::Open(why) => at(why),
        other => other,
    };
    let inspected = timeout(2 * link.deadline, schema::inspect(&reads.client)).await;
    let server =
        inspected.map_err(|_| at(format!("no answer in {:?}", 2 * link.deadline)))?.map_err(placed)?;
    link.settle(server.is_postgres);
    let connections = match server.is_postgres {
        true => allowed(&reads.client, connections).await.map_err(|error| said(&error))?,
        false => Ok(connections),
    };
    let connections = connections.map_err(at)?;
    if server.is_postgres {
        grants::enough(&reads.client).await.map_err(|error| said(&error))?.map_err(at)?;
    }
    schema::prepare(&mut reads.client, server).await.map_err(placed)?;
    if server.is_postgres {
        grants::for_months(&reads.client).await.map_err(|error| said(&error))?;
    }
    queue::refile(&reads.client).await.map_err(|error| said(&error))?;
    if server.is_postgres {
        partitions::make_ahead(&mut reads.client, MOVED_AT_ONCE)
            .await
            .map_err(|error| at(fault::words(&error)))?;
    }
    for connected in [&reads, &writes] {
        link.greet(&connected.client).await.map_err(|error| said(&error))?;
    }
    Ok(Opened { reads, writes, connections, is_postgres: server.is_postgres })
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
