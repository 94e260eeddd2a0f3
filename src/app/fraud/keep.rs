//! Keeping the log: what this process decided is written, what others did is read, and what
//! was before it began is learnt, all beside the work that people wait for.
//!
//! One task does it, so nothing of it races: a page is this process's own until it is
//! written, and what is read is told once. A process that is killed loses what it did not
//! write yet, a second's lines.

use super::drafts::{Draft, Which};
use super::log::Log;
use super::watch::Watch;
use crate::app::base::Base;
use crate::app::fault::Fault;
use crate::app::listing::scan_of;
use crate::model::fraud::{Page, Traffic};
use crate::store::records::{self, Versioned};
use crate::store::{CommitError, Index, Scan, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// How often what was decided is written, where no page is full before.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// How often what others wrote is read.
const READ_EVERY: Duration = Duration::from_secs(3);
// What others decided is known in ten seconds, of which the writing and the reading may take half.
const _: () = assert!(WRITE_EVERY.as_secs() + READ_EVERY.as_secs() <= 5);
/// So far back it is looked for what others wrote: by their clocks, and as late as a write
/// may last.
const LOOKED_BACK: SignedDuration = SignedDuration::from_mins(2);
/// How long it is waited before what could not be read is learnt after all.
const LEARN_AGAIN: Duration = Duration::from_secs(10);
/// Pages that are read at once of what others wrote.
const AT_ONCE: usize = 32;

/// When what was read or written, by the ids of pages: so that each is told once.
type Told = HashMap<String, Timestamp>;

/// Keeps the log until `stop`. What is decided behind that is for [`close`].
pub async fn keep(base: &Base, watch: &Watch, stop: impl Future<Output = ()>) {
    let (mut stop, mut learning) =
        (std::pin::pin!(stop), std::pin::pin!(until_read(LEARN_AGAIN, || learn(base))));
    let (mut told, mut is_learnt, mut read_at) = (Told::new(), false, Instant::now());
    let mut write_at = read_at + WRITE_EVERY;
    loop {
        let (mut is_over, mut which) = (false, Which::Open);
        tokio::select! {
            () = &mut stop => is_over = true,
            (traffic, known) = &mut learning, if !is_learnt => {
                is_learnt = true;
                write(base, watch, &mut told, Which::Open).await;
                adopt(base, watch, &mut told, (traffic, known)).await;
            }
            () = watch.is_full() => which = Which::Closed,
            () = tokio::time::sleep_until(write_at) => write_at = Instant::now() + WRITE_EVERY,
        }
        write(base, watch, &mut told, which).await;
        if is_over {
            return;
        }
        if base.store().is_shared() && read_at.elapsed() >= READ_EVERY {
            read_at = Instant::now();
            if let Err(error) = hear(base, &mut told, |page| watch.hear(page)).await {
                tracing::warn!(%error, "what other processes decided is not known");
            }
        }
    }
}

/// Writes what is left, for the process ends.
pub async fn close(base: &Base, watch: &Watch) {
    write(base, watch, &mut Told::new(), Which::All).await;
}

/// Writes the pages that are ready. What cannot be written is kept for the next time.
async fn write(base: &Base, watch: &Watch, told: &mut Told, which: Which) {
    let now = base.now();
    let drafts = watch.inner().drafts.take(now, which);
    let mut left = Vec::new();
    for draft in drafts {
        told.insert(draft.id.clone(), now);
        match write_one(base, &draft).await {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(%error, lines = draft.lines.len(), "a page of the log is not written yet");
                left.push(draft);
            }
        }
    }
    let lost = {
        let mut inner = watch.inner();
        if !left.is_empty() {
            inner.drafts.put_back(left);
        }
        inner.drafts.lost()
    };
    if lost > 0 {
        tracing::error!(lost, "lines of the log are lost, for nothing could be written for too long");
    }
}

/// Writes a page. One whose first writing nobody knew the end of is there already, or
/// stands there with fewer lines.
async fn write_one(base: &Base, draft: &Draft) -> Result<(), StoreError> {
    let page = Page { id: draft.id.clone(), at: base.now(), lines: draft.lines.clone() };
    match records::save(base.store(), None, &page).await {
        Ok(()) => Ok(()),
        Err(CommitError::Conflict) => {
            let there: Option<Versioned<Page>> = records::get(base.store(), &page.id).await?;
            match there {
                Some(there) if there.record.lines.len() < page.lines.len() => {
                    match records::save(base.store(), Some(&there), &page).await {
                        // An erasure was at it: what came late is lost with it.
                        Ok(()) | Err(CommitError::Conflict) => Ok(()),
                        Err(CommitError::Store(error)) => Err(error),
                    }
                }
                _ => Ok(()),
            }
        }
        Err(CommitError::Store(StoreError::TooLarge { .. })) if page.lines.len() > 1 => {
            let (one, other) = draft.halves(base);
            Box::pin(write_one(base, &one)).await?;
            Box::pin(write_one(base, &other)).await
        }
        Err(CommitError::Store(error)) => Err(error),
    }
}

/// Reads the pages that were written lately and were not told yet, the oldest first.
async fn hear(base: &Base, told: &mut Told, mut tell: impl FnMut(&Page)) -> Result<(), Fault> {
    let now = base.now();
    let since = now.checked_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
    // Twice as long: a page may bear a time that is a little later than it is looked at.
    let forgotten = since.checked_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
    told.retain(|_, at| *at >= forgotten);
    let mut scan = Scan { since: Some(since), ..scan_of(Index::Traffic, "") };
    let mut new = Vec::new();
    loop {
        let lines = base.store().scan(&scan).await?;
        let last = lines.last().filter(|_| lines.len() == scan.limit).map(|line| line.place());
        new.extend(lines.into_iter().map(|line| line.id).filter(|id| !told.contains_key(id)));
        match last {
            Some(last) => scan.after = Some(last),
            None => break,
        }
    }
    new.reverse();
    for ids in new.chunks(AT_ONCE) {
        for page in records::get_many::<Page>(base.store(), ids.iter().cloned()).await?.into_iter().flatten()
        {
            // By the later of two clocks, so that it is remembered as long as it is found.
            told.insert(page.record.id.clone(), page.record.at.max(now));
            tell(&page.record);
        }
    }
    Ok(())
}

/// What was decided before, tried until it can be read, each time so long after the last.
async fn until_read<T, F>(again: Duration, read: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, Fault>>,
{
    loop {
        match read().await {
            Ok(found) => return found,
            Err(error) => tracing::warn!(%error, "what was decided before is not known yet"),
        }
        tokio::time::sleep(again).await;
    }
}

/// What the log of some weeks comes to, and which of its last pages are in that.
async fn learn(base: &Base) -> Result<(Box<Traffic>, Told), Fault> {
    let now = base.now();
    let (mut traffic, mut told, mut pages) = (Box::<Traffic>::default(), Told::new(), 0_usize);
    // And the day that goes on.
    let since = now.checked_sub(Traffic::LOOKS_BACK + SignedDuration::from_hours(24));
    let mut log = Log::new(base, since.unwrap_or(Timestamp::MIN), Timestamp::MAX);
    let recently = now.checked_sub(LOOKED_BACK * 2).unwrap_or(Timestamp::MIN);
    loop {
        let reading = Instant::now();
        let Some(page) = log.page().await? else { break };
        page.lines.iter().for_each(|line| traffic.record(line));
        if page.at >= recently {
            told.insert(page.id, page.at);
        }
        pages += 1;
        // At most half of a processor.
        tokio::time::sleep(reading.elapsed()).await;
    }
    tracing::info!(pages, "what was decided before is read");
    Ok((traffic, told))
}

/// Puts what was learnt in the place of what is known, with what came meanwhile.
async fn adopt(base: &Base, watch: &Watch, told: &mut Told, learnt: (Box<Traffic>, Told)) {
    let (mut traffic, mut known) = learnt;
    let tell = |page: &Page| page.lines.iter().for_each(|line| traffic.record(line));
    if let Err(error) = hear(base, &mut known, tell).await {
        tracing::warn!(%error, "what was decided just now is not known");
    }
    watch.adopt(*traffic);
    told.extend(known);
    tracing::info!("what was decided before is known");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn what_cannot_be_read_is_read_when_it_can() {
        let tries = Cell::new(0_u32);
        let read = || {
            tries.set(tries.get() + 1);
            let found = if tries.get() < 4 { Err(Fault::Contended) } else { Ok("learnt") };
            std::future::ready(found)
        };
        assert_eq!(until_read(Duration::from_millis(1), read).await, "learnt");
        assert_eq!(tries.get(), 4);
    }
}
