//! Whether a message may leave an account, whatever made it: a request, a messaging
//! service, a document that answers a message, a verb of a call. Nothing is sent without
//! the [`Permit`] that is given here, and all grounds are looked at in one order.
//!
//! It refuses to know what a message says but for how much it is, and what becomes of it
//! afterwards.

use super::account::Account;
use super::address::{Address, is_name};
use super::countries::country_of;
use super::fields::web_url;
use super::grounds;
use super::lasting::lasting_sid;
use super::limits;
use super::number_rules;
use super::permissions::Permissions;
use super::refusal::Refusal;
use super::resource::Message;
use super::safe::is_safe;
use super::service::{Pool, Service, Unfit};
use super::settings::{SENDER, Senders};
use super::world::{State, World};

/// The longest body, in characters.
const BODY: usize = 1_600;
/// The most media of one message.
const MEDIA: usize = 10;
/// What a trial's texts begin with.
const TRIAL: &str = "Sent from your Twilio trial account - ";

/// A message that shall leave an account, as far as it is judged.
#[derive(Clone, Copy)]
pub(super) struct Draft<'a> {
    /// Whose it is.
    pub account: &'a str,
    /// Who sends it; none where the service picks.
    pub from: Option<&'a Address>,
    /// The messaging service, which the account has.
    pub service: Option<&'a str>,
    /// To whom, and on which channel.
    pub to: &'a Address,
    /// Whether it brings media.
    pub media: bool,
}

/// That a message was judged and may leave.
pub(super) struct Permit {
    is_trial: bool,
    is_unchecked: bool,
}

impl Permit {
    /// The same of a message of which whoever sends it says whether its risk is checked.
    pub fn unchecked(self, is_unchecked: bool) -> Self {
        Self { is_unchecked, ..self }
    }

    /// What its words become: a trial account's texts say whose they are.
    pub fn words(&self, body: String) -> String {
        if self.is_trial { format!("{TRIAL}{body}") } else { body }
    }
}

/// Judges a message before it is taken in.
///
/// # Errors
/// The first ground against it, in this order: 20005 for an account that is not active;
/// Twilio's numbers for tests; 21910 for two channels; of WhatsApp 63007 and 63031; of
/// texts 21212, 21266, 21611 and 21606 for the sender, then what its number may not do
/// (21606, 21408, 21612); 21408 for the country; 21267 and 21608 for a trial; 21612 for a
/// name where none is taken; 21611 for a full queue; of a service 21704, 21703 and 21408
/// when nobody of its pool may write; and 21610 for who has said STOP.
pub(super) fn judge(world: &World, draft: &Draft<'_>) -> Result<Permit, Refusal> {
    standing(world, draft)?;
    match (draft.from, draft.service) {
        (Some(from), None) => room(world, from)?,
        // Of a service it is told when its sender has come to it: 30001.
        (Some(_), Some(_)) => {}
        (None, _) => {
            sender(world, draft)?;
        }
    }
    silence(world, draft)?;
    let is_trial = !draft.to.whatsapp && world.with(|state| state.limits.is_trial());
    Ok(Permit { is_trial, is_unchecked: false })
}

/// Judges a message that its service has held until now, and picks its sender.
///
/// # Errors
/// The code that it fails with.
pub(super) fn release(world: &World, message: &Message) -> Result<Address, u32> {
    let draft = Draft {
        account: &message.account,
        from: message.from.as_ref(),
        service: message.service.as_deref(),
        to: &message.to,
        media: !message.media.is_empty(),
    };
    standing(world, &draft).and_then(|()| silence(world, &draft)).map_err(|ground| code(&ground))?;
    match &message.from {
        Some(from) => Ok(from.clone()),
        None => world.change(|state| picked(world, state, &draft, true)).map_err(|ground| code(&ground)),
    }
}

/// What a message fails with, which was taken in before the ground was there.
fn code(ground: &Refusal) -> u32 {
    if ground.code == 20005 { 30002 } else { ground.code }
}

/// What is wrong with who sends and to whom, whichever moment it is.
fn standing(world: &World, draft: &Draft<'_>) -> Result<(), Refusal> {
    let is_active = |state: &mut State| state.accounts.get(draft.account).is_some_and(Account::is_active);
    if !world.with(is_active) {
        return Err(grounds::inactive());
    }
    recipient(draft.to)?;
    if let Some(from) = draft.from {
        given(world, draft, from)?;
    }
    let may_write = |state: &mut State| state.permissions.may_write(draft.account, &draft.to.number);
    if !draft.to.whatsapp && !world.with(may_write) {
        return Err(grounds::may_not_write(draft.to));
    }
    trial(world, draft)?;
    draft.from.map_or(Ok(()), |from| name_taken(world, from, draft.to))
}

/// The numbers that Twilio has for tests:
/// <https://www.twilio.com/docs/iam/test-credentials#test-sms-messages>.
fn recipient(to: &Address) -> Result<(), Refusal> {
    match to.number.as_str() {
        "+15005550001" => Err(grounds::no_such_recipient(to)),
        _ if to.whatsapp => Ok(()),
        "+15005550002" => Err(grounds::not_reached_by_text(to, None)),
        "+15005550003" => Err(grounds::may_not_write(to)),
        "+15005550004" => Err(grounds::opted_out()),
        "+15005550009" => Err(Refusal::bad(21614, format!("'To' number is not a valid mobile number: {to}"))),
        _ => Ok(()),
    }
}

/// A sender that was named.
fn given(world: &World, draft: &Draft<'_>, from: &Address) -> Result<(), Refusal> {
    let (to, number) = (draft.to, from.number.as_str());
    if from.whatsapp != to.whatsapp {
        return Err(grounds::two_channels());
    }
    let owned = number != "+15005550007" && world.owns(draft.account, number);
    let has_channel = || world.channel(number).is_none_or(|channel| !channel.gone);
    match number {
        _ if to.whatsapp && !(owned && has_channel()) => Err(grounds::no_channel()),
        _ if to.whatsapp && number == to.number => {
            Err(Refusal::bad(63031, "Channels message cannot have same From and To"))
        }
        _ if to.whatsapp => Ok(()),
        "+15005550001" => Err(grounds::no_such_sender(from)),
        _ if number == to.number => Err(grounds::to_itself(to)),
        "+15005550008" => Err(grounds::queue_full(from)),
        _ if !owned => Err(grounds::no_sender(from)),
        _ => world.with(|state| number_rules::message(&state.numbers, from, to, draft.media)),
    }
}

fn trial(world: &World, draft: &Draft<'_>) -> Result<(), Refusal> {
    if !world.with(|state| state.limits.is_trial()) {
        return Ok(());
    }
    if draft.from.is_some_and(|from| is_name(&from.number)) {
        return Err(grounds::no_name_on_trial());
    }
    let to = &draft.to.number;
    if draft.to.whatsapp || world.reaches(draft.account, to) {
        return Ok(());
    }
    let why = "is unverified. Trial accounts cannot send messages to unverified numbers; verify";
    let how = "at twilio.com/user/account/phone-numbers/verified, or purchase a Twilio number to send messages to unverified numbers";
    Err(Refusal::bad(21608, format!("The number {to} {why} {to} {how}")))
}

/// Where only owned senders pass, a name passes where names are taken.
fn name_taken(world: &World, from: &Address, to: &Address) -> Result<(), Refusal> {
    if world.settings.senders == Senders::Any || !is_name(&from.number) {
        return Ok(());
    }
    let country = country_of(&to.number);
    let taken = world.with(|state| country.is_none_or(|country| state.permissions.takes_names(country)));
    if taken { Ok(()) } else { Err(grounds::not_reached_by_text(to, Some(from))) }
}

fn room(world: &World, from: &Address) -> Result<(), Refusal> {
    let now = world.clock.now();
    match world.with(|state| state.limits.look(&from.number, from.whatsapp, now)) {
        limits::Turn::At(_) => Ok(()),
        limits::Turn::Full => Err(grounds::queue_full(from)),
    }
}

/// The sender that would be picked.
fn sender(world: &World, draft: &Draft<'_>) -> Result<Address, Refusal> {
    world.with(|state| picked(world, state, draft, false))
}

/// The sender that a service picks of its pool; of one that was not made here, the one it
/// has. `takes_turn` is whether the pick counts.
fn picked(world: &World, state: &mut State, draft: &Draft<'_>, takes_turn: bool) -> Result<Address, Refusal> {
    let State { services, permissions, numbers, limits, channels, .. } = state;
    let (to, whatsapp) = (draft.to, draft.to.whatsapp);
    let address = |number: &str| Address { whatsapp, number: number.to_owned() };
    let is_trial = limits.is_trial();
    let has_channel = |number: &str| {
        let sid = lasting_sid("XE", world.settings.seed, number);
        channels.get(&sid).is_none_or(|channel| !channel.gone)
    };
    let may = |number: &str| match () {
        () if whatsapp && !has_channel(number) => Err(grounds::no_channel()),
        () if number == to.number => Err(grounds::to_itself(to)),
        () if is_trial && is_name(number) => Err(grounds::no_name_on_trial()),
        () => number_rules::message(numbers, &address(number), to, draft.media),
    };
    let Some(service) = draft.service.and_then(|sid| services.its_mut(draft.account, sid)) else {
        let only = world.sender(draft.account, whatsapp);
        return may(&only.number).map(|()| only).map_err(of_pool);
    };
    // A number that was released or moved stays in the pool, and writes no more.
    let is_its = |number: &str| number == SENDER || numbers.owner(number) == Some(draft.account);
    let able = |number: &str| (is_name(number) || is_its(number)) && may(number).is_ok();
    let pool = Pool { permissions, able: &able };
    let found = if takes_turn { service.pick(&pool, to) } else { service.look(&pool, to) };
    found.map(|number| address(&number)).map_err(|unfit| nobody(service, permissions, &may, (unfit, to)))
}

/// Why nobody of a pool writes: what keeps back who would have.
fn nobody(
    service: &Service,
    permissions: &Permissions,
    may: &dyn Fn(&str) -> Result<(), Refusal>,
    (unfit, to): (Unfit, &Address),
) -> Refusal {
    let anybody = Pool { permissions, able: &|_| true };
    let first = service.look(&anybody, to).ok().and_then(|number| may(&number).err());
    first.map_or_else(|| Refusal::bad(unfit.code(), unfit.words()), of_pool)
}

/// A ground of a number's as one of its service: that the number cannot send it is 21703,
/// "none of the senders are capable of sending the requested message to this recipient"
/// (<https://www.twilio.com/docs/api/errors/21703>); a permission is the account's.
fn of_pool(ground: Refusal) -> Refusal {
    match ground.code {
        21408 => ground,
        _ => Refusal::bad(Unfit::Nobody.code(), Unfit::Nobody.words()),
    }
}

/// Whether somebody has said STOP. What was told one sender of a service holds for the
/// service, and nothing that was told by text holds on WhatsApp.
fn silence(world: &World, draft: &Draft<'_>) -> Result<(), Refusal> {
    if draft.to.whatsapp {
        return Ok(());
    }
    let usual = world.sender(draft.account, false).number;
    let silent = world.with(|state| {
        let service = draft.service.and_then(|sid| state.services.its(draft.account, sid));
        let pool = service.map(|service| service.pool.iter().map(|sender| sender.address.as_str()));
        let own = draft.from.map(|from| from.number.as_str());
        let one = own.or_else(|| service.is_none().then_some(usual.as_str()));
        let mut senders = pool.into_iter().flatten().chain(one).chain(draft.service);
        senders.any(|sender| state.opted_out.contains(sender, &draft.to.number))
    });
    if silent { Err(grounds::opted_out()) } else { Ok(()) }
}

/// Whether there is not too much of a message, whatever asks for it.
///
/// # Errors
/// 21623 for too many media, 21620 for one that is no URL, 21617 for too long a body, be it
/// a request's or a document's (<https://www.twilio.com/docs/api/errors/21617>).
pub(super) fn fits(body: &str, media: &[String]) -> Result<(), Refusal> {
    if media.len() > MEDIA {
        return Err(Refusal::bad(21623, "Number of media files exceeds allowed limit"));
    }
    if let Some(wrong) = media.iter().find(|url| web_url(url).is_none()) {
        return Err(Refusal::bad(21620, format!("Invalid media URL(s): {wrong}")));
    }
    if body.chars().count() > BODY {
        let why = "The concatenated message body exceeds the 1600 character limit";
        return Err(Refusal::bad(21617, why));
    }
    Ok(())
}

/// Whether the pumping protection blocks a message that leaves now: safe numbers, and
/// those of whom the request says that no risk is to be checked, always pass.
pub(super) fn is_blocked(world: &World, message: &Message, permit: &Permit) -> bool {
    let now = world.clock.now();
    let (account, to) = (&message.account, &message.to);
    !to.whatsapp
        && !permit.is_unchecked
        && world.with(|state| {
            state.pumping.protection.enabled
                && !is_safe(&state.safe, account, &to.number)
                && state.pumping.blocks(account, &to.number, now)
        })
}
