//! Who does not want to be texted: what operators see and set of it. What
//! people say themselves comes in by their texts.

use crate::app::admission::{Admission, AdmissionError, numbers};
use crate::app::audit;
use crate::app::base::Base;
use crate::app::events::{Telling, told};
use crate::app::fault::Fault;
use crate::app::listing::{self, All, Page, Window, scan_of};
use crate::app::transact::{self, Draft, transact};
use crate::model::audit::{Action, Actor, AuditEntry};
use crate::model::event;
use crate::model::opt_out::{OF_TYPE, OptOut};
use crate::model::phone::{PhoneError, address_spellings, mask};
use crate::model::service::{BadSetting, is_message_word};
use crate::store::Index;
use crate::store::records::{self, Ahead, Versioned};
use jiff::Timestamp;

/// Senders towards which one number can have said something and is still shown
/// whole.
const MOST_SENDERS: usize = 100;

/// What a person said towards a sender, under each spelling of the address
/// under which they did.
pub(in crate::app) async fn opt_outs_towards(
    base: &Base,
    number: &str,
    sender: &str,
    ahead: &Ahead,
) -> Result<Vec<Versioned<OptOut>>, AdmissionError> {
    let found = ahead.get_many(base.store(), &wish_keys(number, sender)).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Wants the same.
pub(in crate::app) fn want_wishes(number: &str, sender: &str, ahead: &mut Ahead) {
    wish_keys(number, sender).into_iter().for_each(|key| ahead.want::<OptOut>(key));
}

fn wish_keys(number: &str, sender: &str) -> Vec<String> {
    address_spellings(number).iter().map(|number| OptOut::key(number, sender)).collect()
}

/// Records an opt-out, or that one is taken back, with the line of the audit log where it
/// is somebody else who says so.
pub(in crate::app) async fn record(
    telling: &Telling,
    number: &str,
    sender: &str,
    opted_out: bool,
    entry: Option<&AuditEntry>,
) -> Result<(), AdmissionError> {
    let look = || async {
        let old = opt_outs_towards(&telling.base, number, sender, &Ahead::default()).await?;
        let new = OptOut {
            number: number.to_owned(),
            sender: sender.to_owned(),
            opted_out,
            at: telling.base.now(),
        };
        // One person has one wish: what was said under another spelling goes.
        let (same, others): (Vec<_>, Vec<_>) = old.iter().partition(|old| old.record.number == new.number);
        let mut changes = vec![records::put(same.first().copied(), &new)];
        changes.extend(others.into_iter().map(records::delete));
        let body = event::of_opt_out(OptOut::latest(old.iter().map(|old| &old.record)), &new);
        changes.extend(told::told(telling, body.into_iter().collect()));
        changes.extend(entry.map(audit::write));
        Ok(Draft::Write(changes, ()))
    };
    transact(&telling.base, &transact::OPT_OUT, look).await
}

/// Writes down that a person has told a sender to stop, as the provider says of what was
/// asked for then; not where they have said something themself since.
pub(in crate::app) async fn stopped(
    admission: &Admission,
    (number, sender): (&str, &str),
    since: Timestamp,
) -> Result<(), AdmissionError> {
    let wishes = opt_outs_towards(&admission.base, number, sender, &Ahead::default()).await?;
    let latest = OptOut::latest(wishes.iter().map(|wish| &wish.record));
    match latest.is_some_and(|wish| wish.at >= since || wish.opted_out) {
        true => Ok(()),
        false => record(&admission.telling, number, sender, true, None).await,
    }
}

/// Lists opt-outs, the newest first; of one number, under whichever spelling
/// it was said, where one is named.
///
/// # Errors
/// A number that is none, or the store's.
pub async fn opt_outs(
    admission: &Admission,
    number: Option<&str>,
    window: &Window,
) -> Result<Page<OptOut>, AdmissionError> {
    let scan = scan_of(Index::OptOuts, "");
    match number {
        None => Ok(listing::page(&admission.base, scan, window, |_| true).await?),
        Some(number) => {
            let spellings = address_spellings(&numbers::address(admission, Some(number))?);
            Ok(listing::page_over(&admission.base, &All, scan, &spellings, window, |_| true).await?)
        }
    }
}

/// What a person wants of each of our senders, the newest first, under
/// whichever spelling of the number it was said.
///
/// # Errors
/// [`Fault::NotFound`] when it never said anything, or the store's.
pub async fn opt_outs_of(admission: &Admission, number: &str) -> Result<Vec<OptOut>, AdmissionError> {
    let spellings = address_spellings(&numbers::address(admission, Some(number))?);
    let window = Window { limit: MOST_SENDERS, after: None };
    let scan = scan_of(Index::OptOuts, "");
    let found = listing::page_over(&admission.base, &All, scan, &spellings, &window, |_| true).await?.items;
    if found.is_empty() { Err(Fault::NotFound.into()) } else { Ok(found) }
}

/// Records that a number wants, or no longer wants, messages of a sender;
/// without one, of the sender that codes come from.
///
/// # Errors
/// A number that is none, a sender that is missing, or the store's.
pub async fn set_opt_out(
    admission: &Admission,
    actor: &Actor,
    number: &str,
    sender: Option<&str>,
    opted_out: bool,
) -> Result<(), AdmissionError> {
    let number = numbers::address(admission, Some(number))?;
    // One may look for anything; a wish is some person's.
    if !number.starts_with('+') && !number.contains(':') {
        return Err(PhoneError::NotANumber.into());
    }
    let sender = sender.or(admission.senders.usual()).ok_or(AdmissionError::Malformed(
        "sender: there is no sender for all services; say which one is meant",
    ))?;
    if let Some(name) = sender.strip_prefix(OF_TYPE).filter(|name| !is_message_word(name)) {
        let what = format!("after {OF_TYPE} is the name of a type of messages, and {name:?} can be none");
        return Err(BadSetting { field: "sender".to_owned(), what }.into());
    }
    // A type of messages is not wanted by whatever channel.
    let number = if sender.starts_with(OF_TYPE) { person_of(&number).to_owned() } else { number };
    let shown = if sender.starts_with(OF_TYPE) { sender.to_owned() } else { mask(sender) };
    let entry = audit::entry(&admission.base, actor, Action::OptOutSet, mask(&number));
    let told = shown.clone();
    let entry = entry.with("sender", shown).with("opted_out", opted_out);
    record(&admission.telling, &number, sender, opted_out, Some(&entry)).await?;
    tracing::info!(number = mask(&number), sender = told, opted_out, "opt-out set by an operator");
    Ok(())
}

/// Forgets what a number said towards a sender, or towards all.
///
/// # Errors
/// [`Fault::NotFound`] when it never said anything, or the store's.
pub async fn delete_opt_out(
    admission: &Admission,
    actor: &Actor,
    number: &str,
    sender: Option<&str>,
) -> Result<(), AdmissionError> {
    let mut found = opt_outs_of(admission, number).await?;
    found.retain(|wish| sender.is_none_or(|sender| wish.sender == sender));
    if found.is_empty() {
        return Err(Fault::NotFound.into());
    }
    for wish in found {
        delete_one(&admission.telling, actor, &wish).await?;
        tracing::info!(number = mask(&wish.number), sender = mask(&wish.sender), "opt-out deleted");
    }
    Ok(())
}

async fn delete_one(telling: &Telling, actor: &Actor, wish: &OptOut) -> Result<(), AdmissionError> {
    let key = OptOut::key(&wish.number, &wish.sender);
    let look = || async {
        let Some(old): Option<Versioned<OptOut>> = records::get(telling.base.store(), &key).await? else {
            return Ok(Draft::Settled(()));
        };
        let gone = OptOut { opted_out: false, at: telling.base.now(), ..old.record.clone() };
        let body = event::of_opt_out(Some(&old.record), &gone);
        let entry = audit::entry(&telling.base, actor, Action::OptOutDeleted, mask(&wish.number));
        let entry = entry.with("sender", mask(&wish.sender));
        let mut changes = vec![records::delete(&old), audit::write(&entry)];
        changes.extend(told::told(telling, body.into_iter().collect()));
        Ok(Draft::Write(changes, ()))
    };
    transact(&telling.base, &transact::OPT_OUT, look).await
}

/// The number of an address, whatever its channel.
fn person_of(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(_, number)| number)
}
