//! What stands in the listings of deliveries: what Twilio has a name for, and
//! the sends that it has none for, or none yet.
//!
//! A send is listed as its verification, at the time at which it was asked for,
//! until it has a name; then its delivery is, at the same time. So nothing moves
//! while somebody goes through the pages. It refuses to know filters.

use super::found::{Found, Wanted};
use super::merged::{self, Line, Merged};
use crate::app::listing::{Place, Steps};
use crate::app::messaging::MessagingError;
use crate::model::delivery::Delivery;
use crate::model::id::{Sid, VerificationId};
use crate::model::verification::{Send, Verification};
use crate::store::records::Ahead;
use crate::store::{Scan, Store, records};
use jiff::Timestamp;
use std::time::Duration;

/// How long until a record that is listed already can be read: what writes it
/// is on its way to the disk.
const SHORTLY: Duration = Duration::from_millis(5);
/// How often that is waited for in one request, in all.
const MOST_WAITS: usize = 40;

/// Deliveries of scans, with their places.
pub(super) struct Listed<'s> {
    store: &'s dyn Store,
    merged: Merged<'s>,
    after: Option<Place>,
    /// What was met of the last line's millisecond.
    met: Vec<Place>,
    /// What was shown by its line and not by Twilio's name.
    shown: Vec<Sid>,
    waits: usize,
}

/// A place, and what stands there, unless it is gone.
pub(super) type Standing = (Place, Option<Found>);

impl<'s> Listed<'s> {
    /// Those of these scans, from after that place on.
    pub fn new(store: &'s dyn Store, scans: Vec<Scan>, after: Option<Place>, steps: Steps) -> Self {
        let merged = Merged::new(store, scans, after.clone(), steps);
        Self { store, merged, after, met: Vec::new(), shown: Vec::new(), waits: 0 }
    }

    /// The next places; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Standing>>, MessagingError> {
        let Some(lines) = self.merged.next().await? else { return Ok(None) };
        let mut named = Vec::with_capacity(lines.len());
        for ((_, id), stored) in &lines {
            named.push(match (merged::verification_at(id), records::of::<Delivery>(id, stored.as_ref())) {
                (Some(_), _) => None,
                (None, found) => match found? {
                    Some(found) => Some(found.record),
                    None => self.named(id).await?,
                },
            });
        }
        // After the deliveries: a send that is not named by then has none of these.
        let sends = self.sends_of(&lines).await?;
        let mut standing = Vec::with_capacity(lines.len());
        for (((at, id), _), delivery) in lines.into_iter().zip(named) {
            if self.met.first().is_some_and(|met| met.0 != at) {
                self.met.clear();
            }
            self.met.push((at, id.clone()));
            match merged::verification_at(&id) {
                Some(verification) => {
                    if let Some(found) = sends.get(self.store, verification.as_str()).await? {
                        self.sends_at(at, &found.record, &sends, &mut standing).await?;
                    }
                }
                None if self.shown.iter().any(|shown| shown.as_str() == id) => {}
                None => {
                    let found = delivery.map(|delivery| Found::Delivery(Box::new(delivery), None));
                    standing.push(((at, id), found));
                }
            }
        }
        Ok(Some(standing))
    }

    /// A delivery that is listed. Its line can be there a moment before it; the
    /// send that it comes from is then listed no more, and must not be missing.
    async fn named(&mut self, sid: &str) -> Result<Option<Delivery>, MessagingError> {
        loop {
            if let Some(found) = records::get::<Delivery>(self.store, sid).await? {
                return Ok(Some(found.record));
            }
            if self.waits == MOST_WAITS {
                return Ok(None);
            }
            self.waits += 1;
            tokio::time::sleep(SHORTLY).await;
        }
    }

    /// The verifications whose sends stand here, as they are now, and what is known by
    /// the names that some of those have already.
    async fn sends_of(&self, lines: &[Line]) -> Result<Ahead, MessagingError> {
        let mut ahead = Ahead::default();
        for ((at, id), stored) in lines {
            let Some(id) = merged::verification_at(id) else { continue };
            ahead.want::<Verification>(id.as_str());
            let found = records::of::<Verification>(id.as_str(), stored.as_ref())?;
            let sends = found.iter().flat_map(|found| &found.record.sends).filter(|send| is_at(send, *at));
            sends.filter_map(|send| send.sid.as_ref()).for_each(|sid| ahead.want::<Delivery>(sid.as_str()));
        }
        ahead.read(self.store).await?;
        Ok(ahead)
    }

    /// The sends that a line stands for, the last one first.
    async fn sends_at(
        &mut self,
        at: Timestamp,
        verification: &Verification,
        named: &Ahead,
        standing: &mut Vec<Standing>,
    ) -> Result<(), MessagingError> {
        for send in verification.sends.iter().rev().filter(|send| is_at(send, at)) {
            let place = place_of(at, verification, send);
            if self.after.as_ref().is_some_and(|after| place >= *after) {
                continue;
            }
            let found = match &send.sid {
                None => Some(Found::Send(Box::new(verification.clone()), Box::new(send.clone()))),
                // Named already, as others of its line are not; or only since
                // the line was read, and then it is shown in its place.
                Some(sid) => self.named_since(at, sid, named).await?,
            };
            standing.push((place, found));
        }
        Ok(())
    }

    /// A delivery whose own line was not met, although it stands where its send
    /// did.
    async fn named_since(
        &mut self,
        at: Timestamp,
        sid: &Sid,
        named: &Ahead,
    ) -> Result<Option<Found>, MessagingError> {
        let Some(found) = named.get::<Delivery>(self.store, sid.as_str()).await? else {
            return Ok(None);
        };
        let own = (listed_at(found.record.first_seen), sid.to_string());
        let was_met = self.met.contains(&own) || self.after.as_ref().is_some_and(|after| own >= *after);
        if own.0 != at || was_met {
            return Ok(None);
        }
        self.shown.push(sid.clone());
        Ok(Some(Found::Delivery(Box::new(found.record), None)))
    }
}

/// Whether a send was asked for at a listing's time.
fn is_at(send: &Send, at: Timestamp) -> bool {
    send.asked_at.as_millisecond() == at.as_millisecond()
}

/// The messages and calls of a verification, with what became of each.
pub(super) async fn of_verification(
    store: &dyn Store,
    id: &VerificationId,
    wanted: Option<&Wanted>,
) -> Result<Vec<(Place, Found)>, MessagingError> {
    let Some(found) = records::get::<Verification>(store, id.as_str()).await? else {
        return Ok(Vec::new());
    };
    let mut ahead = Ahead::default();
    let sids = found.record.sends.iter().filter_map(|send| send.sid.as_ref());
    sids.for_each(|sid| ahead.want::<Delivery>(sid.as_str()));
    ahead.read(store).await?;
    let mut all = Vec::with_capacity(found.record.sends.len());
    for send in &found.record.sends {
        let place = place_of(send.asked_at, &found.record, send);
        let own = Found::Send(Box::new(found.record.clone()), Box::new(send.clone()));
        if wanted.is_some_and(|wanted| !wanted.takes(&own)) {
            continue;
        }
        let named = match &send.sid {
            Some(sid) => ahead.get::<Delivery>(store, sid.as_str()).await?,
            None => None,
        };
        let attempts = || Some(Box::new(send.attempts.clone()));
        all.push((place, named.map_or(own, |named| Found::Delivery(Box::new(named.record), attempts()))));
    }
    Ok(all)
}

/// Where a send stands: behind its verification's id, with the send's number in
/// the two digits that are there for it, so that those of one millisecond can be
/// told apart.
fn place_of(at: Timestamp, verification: &Verification, send: &Send) -> Place {
    let name = verification.delivery_id(send.number).to_string();
    (listed_at(at), merged::send_place(&name.replacen("DL", "VE", 1)))
}

/// Times in listings are whole milliseconds.
fn listed_at(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
