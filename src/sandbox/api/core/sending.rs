//! Whether a message may be sent at all, as an account's service, its profile of
//! limits and its permissions have it.

use crate::sandbox::address::{Address, is_name};
use crate::sandbox::api::ask::Ask;
use crate::sandbox::incoming::Form;
use crate::sandbox::limits::Turn;
use crate::sandbox::permissions::country_of;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::Passage;
use crate::sandbox::safe::is_safe;
use crate::sandbox::service::{Options, Service};
use crate::sandbox::settings::Senders;

/// What a trial's texts begin with.
const TRIAL: &str = "Sent from your Twilio trial account - ";

/// What can be said about a message's service, if it has one that was made here.
pub(super) fn options(ask: &Ask<'_>, service: Option<&str>) -> Option<Options> {
    let sid = service?;
    ask.world.with(|state| state.services.its(ask.account, sid).map(|service| service.options.clone()))
}

/// Whether a message may go from a sender, or from a service's pool, to somebody.
///
/// # Errors
/// 21408 for a country without permission, 21608 and 21267 for a trial, 21612 for a
/// name where none is taken, 21703 and 21704 for a pool without a sender, 21611 for a
/// sender with too much to do.
pub(super) fn permitted(
    ask: &Ask<'_>,
    from: Option<&Address>,
    service: Option<&str>,
    to: &Address,
) -> Result<(), Refusal> {
    permitted_country(ask, to)?;
    trial(ask, from, to)?;
    match (from, service) {
        (Some(from), _) => name_taken(ask, from, to).and_then(|()| room(ask, from)),
        (None, Some(service)) => pool(ask, service, to),
        (None, None) => Ok(()),
    }
}

fn permitted_country(ask: &Ask<'_>, to: &Address) -> Result<(), Refusal> {
    if to.whatsapp || ask.world.with(|state| state.permissions.may_write(ask.account, &to.number)) {
        return Ok(());
    }
    let why = "Permission to send an SMS has not been enabled for the region indicated by the 'To' number";
    Err(Refusal::bad(21408, format!("{why}: {to}")))
}

fn trial(ask: &Ask<'_>, from: Option<&Address>, to: &Address) -> Result<(), Refusal> {
    if !ask.world.with(|state| state.limits.is_trial()) {
        return Ok(());
    }
    if from.is_some_and(|from| is_name(&from.number)) {
        let why = "Alphanumeric Sender ID cannot be used as the 'From' number on trial accounts";
        return Err(Refusal::bad(21267, why));
    }
    if to.whatsapp || ask.world.reaches(ask.account, &to.number) {
        return Ok(());
    }
    let why = "is unverified. Trial accounts cannot send messages to unverified numbers; verify";
    let how = "at twilio.com/user/account/phone-numbers/verified, or purchase a Twilio number to send messages to unverified numbers";
    Err(Refusal::bad(21608, format!("The number {} {why} {} {how}", to.number, to.number)))
}

/// Where only owned senders pass, a name passes where names are taken.
fn name_taken(ask: &Ask<'_>, from: &Address, to: &Address) -> Result<(), Refusal> {
    if ask.world.settings.senders == Senders::Any || !is_name(&from.number) {
        return Ok(());
    }
    let country = country_of(&to.number);
    let taken = ask.world.with(|state| country.is_none_or(|country| state.permissions.takes_names(country)));
    if taken {
        return Ok(());
    }
    let why = "Message cannot be sent with the current combination of 'To'";
    Err(Refusal::bad(21612, format!("{why} ({to}) and/or 'From' ({from}) parameters")))
}

fn room(ask: &Ask<'_>, from: &Address) -> Result<(), Refusal> {
    let now = ask.world.clock.now();
    match ask.world.with(|state| state.limits.look(&from.number, from.whatsapp, now)) {
        Turn::At(_) => Ok(()),
        Turn::Full => {
            let why = "has exceeded the maximum number of queued messages";
            Err(Refusal::bad(21611, format!("This 'From' number {from} {why}")))
        }
    }
}

fn pool(ask: &Ask<'_>, service: &str, to: &Address) -> Result<(), Refusal> {
    let looked = ask.world.with(|state| {
        let found = state.services.its(ask.account, service)?;
        Some(found.look(&state.permissions, to))
    });
    match looked {
        Some(Err(unfit)) => Err(Refusal::bad(unfit.code(), unfit.words())),
        _ => Ok(()),
    }
}

/// What a text becomes on a trial account.
pub(super) fn on_trial(ask: &Ask<'_>, to: &Address, body: String) -> String {
    let marked = !to.whatsapp && ask.world.with(|state| state.limits.is_trial());
    if marked { format!("{TRIAL}{body}") } else { body }
}

/// How a message passes the pumping protection: safe numbers, and those of whom the
/// request says that no risk is to be checked, always do.
pub(super) fn passage(ask: &Ask<'_>, form: &Form, to: &Address) -> Passage {
    let unchecked = form.get("RiskCheck").is_some_and(|word| word.eq_ignore_ascii_case("disable"));
    let now = ask.world.clock.now();
    let blocked = !to.whatsapp
        && !unchecked
        && ask.world.with(|state| {
            state.pumping.protection.enabled
                && !is_safe(&state.safe, ask.account, &to.number)
                && state.pumping.blocks(ask.account, &to.number, now)
        });
    Passage { blocked, turn: None }
}

/// The senders of a service that was made here.
pub(super) fn senders(ask: &Ask<'_>, service: &str) -> Vec<String> {
    let addresses = |service: &Service| service.pool.iter().map(|sender| sender.address.clone()).collect();
    ask.world.with(|state| state.services.its(ask.account, service).map(addresses)).unwrap_or_default()
}
