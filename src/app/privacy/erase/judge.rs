//! What an erasure does to a record, kind by kind: deletes it, takes the number out of it,
//! keeps it for a reason, or leaves it to the next attempt. It refuses to know in which
//! order records are looked at, and writes nothing but that a verification is called off.

use super::find::Wanted;
use super::page::{PAGE, Pass};
use crate::app::fault::Fault;
use crate::app::fraud::about::of_number;
use crate::app::privacy::PrivacyError;
use crate::app::verification::happen;
use crate::model::active_verification::ActiveVerification;
use crate::model::audit::AuditEntry;
use crate::model::delivery::{Delivery, Source};
use crate::model::dispatch::Dispatch;
use crate::model::event::Event;
use crate::model::fraud::Page;
use crate::model::id::{Sid, VerificationId};
use crate::model::idempotency::IdempotencyRecord;
use crate::model::lists::{Effect, ListEntry, Target};
use crate::model::message::{Message, Send, SendState};
use crate::model::opt_out::OptOut;
use crate::model::phone::PhoneNumber;
use crate::model::safe_number::SafeNumber;
use crate::model::session::Session;
use crate::model::session_window::SessionWindow;
use crate::model::verification::{Input, Status, Verification};
use crate::store::records::{self, Ahead, Record};
use crate::store::{Change, Key, Kind};

/// What is to be done about one record.
pub(super) enum Verdict {
    /// It is none of the number's, or gone.
    Nothing,
    /// These changes, which delete it.
    Delete(Vec<Change>),
    /// This change, which takes the number out of it.
    Scrub(Change),
    /// It stays, for a reason.
    Keep(&'static str, &'static str),
    /// It cannot be done yet.
    Leave(String),
}

const OPT_OUT_KEPT: &str =
    "an opt-out keeps the person from being written to again; `--opt-outs` (`opt_outs`) erases it too";
const SETTING_KEPT: &str = "an operator wrote the number into a setting; change it there";
const SEND_UNDER_WAY: &str = "a message or call of it is under way, and is waited for";

impl Pass<'_> {
    /// What is to be done about a record.
    pub(super) async fn judge(
        &self,
        wanted: &Wanted,
        kind: Kind,
        id: &str,
        ahead: &Ahead,
    ) -> Result<Verdict, PrivacyError> {
        match kind {
            Kind::Verification => self.judge_verification(wanted, id, ahead).await,
            Kind::Delivery => self.judge_delivery(wanted, id, ahead).await,
            Kind::Event => self.judge_event(wanted, id, ahead).await,
            Kind::IdempotencyRecord => {
                let is_theirs = |one: &IdempotencyRecord| {
                    one.verification.as_ref().is_some_and(|v| wanted.has(&v.to))
                        || one.reply.as_deref().is_some_and(|reply| wanted.is_named_in(reply))
                };
                self.judge_by(wanted, id, ahead, is_theirs).await
            }
            Kind::Session => {
                let is =
                    |number: &Option<PhoneNumber>| number.as_ref().is_some_and(|number| wanted.has(number));
                self.judge_by(wanted, id, ahead, |one: &Session| is(&one.to) || is(&one.number)).await
            }
            Kind::ActiveVerification => {
                self.judge_by(wanted, id, ahead, |one: &ActiveVerification| wanted.has(&one.number)).await
            }
            Kind::SafeNumber => {
                self.judge_by(wanted, id, ahead, |one: &SafeNumber| wanted.has(&one.number)).await
            }
            Kind::Message => self.judge_message(wanted, id, ahead).await,
            Kind::ListEntry => self.judge_list_entry(wanted, id, ahead).await,
            Kind::SessionWindow => {
                self.judge_by(wanted, id, ahead, |one: &SessionWindow| wanted.is(&one.number)).await
            }
            Kind::OptOut => match self.job.record.opt_outs {
                true => self.judge_by(wanted, id, ahead, |one: &OptOut| wanted.is(&one.number)).await,
                false => Ok(match ahead.get::<OptOut>(self.privacy.base.store(), id).await? {
                    Some(found) if wanted.is(&found.record.number) => Verdict::Keep("opt-out", OPT_OUT_KEPT),
                    _ => Verdict::Nothing,
                }),
            },
            Kind::Dispatch => self.judge_by(wanted, id, ahead, |_: &Dispatch| false).await,
            Kind::Audit => self.judge_by(wanted, id, ahead, |_: &AuditEntry| false).await,
            Kind::Service | Kind::Compat | Kind::Endpoint | Kind::ApiKey => {
                Ok(self.judge_setting(wanted, kind, id, ahead).await?)
            }
            Kind::Traffic => {
                let Some(found) = ahead.get::<Page>(self.privacy.base.store(), id).await? else {
                    return Ok(Verdict::Nothing);
                };
                let name = of_number(&self.privacy.admission.fraud.names, wanted.number());
                let without = found.record.without(name);
                Ok(without.map_or(Verdict::Nothing, |page| Verdict::Scrub(records::put(Some(&found), &page))))
            }
            // Counters and leases hold no numbers; erasures of this one lose it
            // when they end.
            Kind::Counter | Kind::Lease | Kind::Erasure => Ok(Verdict::Nothing),
        }
    }

    /// Deletes what is theirs, and takes the number out of the rest.
    async fn judge_by<T: Record>(
        &self,
        wanted: &Wanted,
        id: &str,
        ahead: &Ahead,
        is_theirs: impl Fn(&T) -> bool,
    ) -> Result<Verdict, PrivacyError> {
        let Some(found) = ahead.get::<T>(self.privacy.base.store(), id).await? else {
            return Ok(Verdict::Nothing);
        };
        if is_theirs(&found.record) {
            return Ok(Verdict::Delete(vec![records::delete(&found)]));
        }
        Ok(match wanted.taken_out(&found.record) {
            Ok(None) => Verdict::Nothing,
            Ok(Some(without)) => Verdict::Scrub(records::put(Some(&found), &without)),
            // It is nothing without the number.
            Err(_) => Verdict::Delete(vec![records::delete(&found)]),
        })
    }

    async fn judge_verification(
        &self,
        wanted: &Wanted,
        id: &str,
        ahead: &Ahead,
    ) -> Result<Verdict, PrivacyError> {
        let store = self.privacy.base.store();
        let Some(mut found) = ahead.get::<Verification>(store, id).await? else {
            return Ok(Verdict::Nothing);
        };
        if !wanted.has(&found.record.to) {
            return self.judge_by(wanted, id, ahead, |_: &Verification| false).await;
        }
        if found.record.status == Status::Pending {
            let id: VerificationId = id.parse().map_err(|_| Fault::NotFound)?;
            happen::happen(&self.privacy.admission, &id, |_| Ok(Input::Cancel)).await?;
            let Some(ended) = records::get::<Verification>(store, id.as_str()).await? else {
                return Ok(Verdict::Nothing);
            };
            found = ended;
        }
        if found.record.is_at_work() {
            return Ok(Verdict::Leave(SEND_UNDER_WAY.to_owned()));
        }
        let mut changes = self.sent_erased(&found.record.sends).await?;
        changes.push(records::delete(&found));
        Ok(Verdict::Delete(changes))
    }

    /// One that waits to be sent is never sent; one that is being sent is waited for.
    async fn judge_message(&self, wanted: &Wanted, id: &str, ahead: &Ahead) -> Result<Verdict, PrivacyError> {
        let Some(found) = ahead.get::<Message>(self.privacy.base.store(), id).await? else {
            return Ok(Verdict::Nothing);
        };
        if !wanted.has(&found.record.to) {
            return self.judge_by(wanted, id, ahead, |_: &Message| false).await;
        }
        if found.record.sends.iter().any(|send| send.state == SendState::Sending) {
            return Ok(Verdict::Leave(SEND_UNDER_WAY.to_owned()));
        }
        let mut changes = self.sent_erased(&found.record.sends).await?;
        changes.push(records::delete(&found));
        Ok(Verdict::Delete(changes))
    }

    /// What was sent stays known as erased, also where nothing was reported of it yet.
    async fn sent_erased(&self, sends: &[Send]) -> Result<Vec<Change>, PrivacyError> {
        let store = self.privacy.base.store();
        let mut changes = Vec::new();
        let named: Vec<(&Send, &Sid)> =
            sends.iter().filter_map(|send| Some((send, send.sid.as_ref()?))).collect();
        let olds = records::get_many::<Delivery>(store, named.iter().map(|(_, sid)| sid.as_str())).await?;
        for ((send, sid), old) in named.into_iter().zip(olds) {
            let is_erased = old.as_ref().is_some_and(|old| old.record.erased.is_some());
            let first_seen =
                old.as_ref().map_or_else(|| self.privacy.base.now(), |old| old.record.first_seen);
            let is_listed = changes.iter().any(|change: &Change| change.key.id == sid.as_str());
            if !is_erased && !is_listed {
                let new = Delivery::erased(sid.clone(), first_seen, self.mark(send.account()));
                changes.push(records::put(old.as_ref(), &new));
            }
        }
        Ok(changes)
    }

    async fn judge_delivery(
        &self,
        wanted: &Wanted,
        id: &str,
        ahead: &Ahead,
    ) -> Result<Verdict, PrivacyError> {
        let Some(found) = ahead.get::<Delivery>(self.privacy.base.store(), id).await? else {
            return Ok(Verdict::Nothing);
        };
        let about = &found.record.about;
        let is = |address: &Option<String>| address.as_deref().is_some_and(|address| wanted.is(address));
        // Who sends from a number of ours need not be the person whose it is
        // now: what went out belongs to whom it went to.
        let came_in = about.direction.as_deref() == Some("inbound")
            || found.record.events.iter().any(|event| event.fact.source == Source::Inbound);
        let is_theirs = is(&about.to) || (came_in && is(&about.from));
        if found.record.erased.is_some() || !is_theirs {
            return self.judge_by(wanted, id, ahead, |_: &Delivery| false).await;
        }
        let new = Delivery::erased(
            found.record.sid.clone(),
            found.record.first_seen,
            self.mark(about.account_sid.as_deref()),
        );
        Ok(Verdict::Delete(vec![records::put(Some(&found), &new)]))
    }

    /// An event goes with everything that was sent of it.
    async fn judge_event(&self, wanted: &Wanted, id: &str, ahead: &Ahead) -> Result<Verdict, PrivacyError> {
        let is_theirs = |one: &Event| one.body.to.as_deref().is_some_and(|to| wanted.is(to));
        let verdict = self.judge_by(wanted, id, ahead, is_theirs).await?;
        let Verdict::Delete(event) = verdict else {
            return Ok(verdict);
        };
        let store = self.privacy.base.whole_store();
        let (mut changes, start) = (Vec::new(), format!("{id}."));
        for (dispatch, stored) in store.walk(Kind::Dispatch, Some(id), PAGE).await? {
            if !dispatch.starts_with(&start) {
                break;
            }
            let found = records::of::<Dispatch>(&dispatch, Some(&stored))?;
            changes.extend(found.as_ref().map(records::delete));
        }
        changes.extend(event);
        Ok(Verdict::Delete(changes))
    }

    /// What allows the person goes with the person. What blocks the number stays, under a name
    /// that only who knows the number and our key can make: whoever pumps a number and then
    /// asks for its erasure is not to be let in again, and nobody's number is kept for that.
    async fn judge_list_entry(
        &self,
        wanted: &Wanted,
        id: &str,
        ahead: &Ahead,
    ) -> Result<Verdict, PrivacyError> {
        let Some(found) = ahead.get::<ListEntry>(self.privacy.base.store(), id).await? else {
            return Ok(Verdict::Nothing);
        };
        let entry = &found.record;
        let is_theirs = match &entry.target {
            Target::Number(number) => wanted.has(number),
            // A range that is as long as a number may be this one's alone.
            Target::Range(range) => wanted.spellings().iter().any(|number| number == range.prefix()),
            _ => false,
        };
        if is_theirs && entry.effect == Effect::Allow {
            return Ok(Verdict::Delete(vec![records::delete(&found)]));
        }
        let reason = entry.reason.as_deref().map(|reason| wanted.out_of(reason));
        let names = &self.privacy.admission.limiting.names;
        let without = match is_theirs {
            true => entry.erased(names, wanted.number().person().as_str()),
            false => entry.clone(),
        };
        let without = ListEntry { reason, ..without };
        Ok(match without == *entry {
            true => Verdict::Nothing,
            false => Verdict::Scrub(records::put(Some(&found), &without)),
        })
    }

    async fn judge_setting(
        &self,
        wanted: &Wanted,
        kind: Kind,
        id: &str,
        ahead: &Ahead,
    ) -> Result<Verdict, PrivacyError> {
        let stored = ahead.stored(self.privacy.base.store(), Key::new(kind, id)).await?;
        let is_named = stored.is_some_and(|stored| {
            std::str::from_utf8(&stored.body).is_ok_and(|text| wanted.is_named_in(text))
        });
        let what = match kind {
            Kind::Endpoint => "endpoint",
            Kind::ApiKey => "API key",
            _ => "service",
        };
        Ok(if is_named { Verdict::Keep(what, SETTING_KEPT) } else { Verdict::Nothing })
    }
}
