//! Whose numbers and services are, and what an account may do with them: the questions
//! that messages, calls and what comes in have in common. It refuses to change anything.

use super::address::{Address, is_name};
use super::channel::Channel;
use super::lasting::lasting_sid;
use super::numbers::Numbers;
use super::service::Service;
use super::settings::{SENDER, Senders};
use super::world::World;

impl World {
    /// The account that a number of Twilio's belongs to: what comes in is its. What
    /// nobody owns is the main one's.
    pub fn owner_of(&self, number: &str) -> String {
        let owner = self.with(|state| state.numbers.owner(number).map(str::to_owned));
        owner.unwrap_or_else(|| self.settings.account_sid.clone())
    }

    /// Whether an account may send from a number: it is its own, or nobody's while all
    /// are let pass. The number that is always there is everybody's.
    pub fn owns(&self, account: &str, number: &str) -> bool {
        // A name is nobody's: who takes it is asked elsewhere.
        if self.settings.senders == Senders::Owned && is_name(number) {
            return true;
        }
        let own = self.with(|state| state.numbers.owner(number).map(|owner| owner == account));
        let nobodys = || {
            let settings = &self.settings;
            settings.takes_all() || account == settings.account_sid && settings.has_name(number)
        };
        number == SENDER || own.unwrap_or_else(nobodys)
    }

    /// What was said of a number's WhatsApp channel.
    pub fn channel(&self, number: &str) -> Option<Channel> {
        let sid = lasting_sid("XE", self.settings.seed, number);
        self.with(|state| state.channels.get(&sid).cloned())
    }

    /// Whether an account may call from a number: one that takes calls and that it may
    /// send from, or one that it has verified.
    pub fn calls_from(&self, account: &str, number: &str) -> bool {
        let (has_voice, is_verified) = self.with(|state| {
            let numbers = &state.numbers;
            let has_voice = numbers.find(number).is_none_or(|own| own.capabilities.voice);
            (has_voice, numbers.caller(account, number).is_some())
        });
        is_verified || has_voice && self.owns(account, number)
    }

    /// Whether an account has a messaging service.
    pub fn has_service(&self, account: &str, sid: &str) -> bool {
        let settings = &self.settings;
        let made = self.with(|state| state.services.its(account, sid).is_some());
        if account == settings.account_sid {
            made || settings.has_service(sid)
        } else {
            made || settings.takes_all_services()
        }
    }

    /// The number or short code of an account's that a SID names, or the channel of one
    /// (`XE…`, made of the seed). The number that is always there is everybody's.
    pub fn number_of(&self, account: &str, sid: &str) -> Option<Address> {
        let whatsapp = sid.starts_with("XE");
        self.with(|state| {
            let Numbers { owned, codes, .. } = &state.numbers;
            let (owner, number) = if whatsapp {
                let is_it = |number: &str| sid == lasting_sid("XE", self.settings.seed, number);
                let numbers = owned.newest_first().map(|own| (&own.account, &own.number));
                let codes = codes.newest_first().map(|own| (&own.account, &own.code));
                numbers.chain(codes).find(|(_, number)| is_it(number))?
            } else {
                let code = || codes.get(sid).map(|own| (&own.account, &own.code));
                owned.get(sid).map(|own| (&own.account, &own.number)).or_else(code)?
            };
            let is_theirs = owner == account || number == SENDER;
            is_theirs.then(|| Address { whatsapp, number: number.clone() })
        })
    }

    /// The messaging service in whose pool an account's number is, to look at.
    pub fn in_service<R>(&self, account: &str, number: &str, look: impl FnOnce(&Service) -> R) -> Option<R> {
        self.with(|state| state.services.of(account).find(|service| service.has(number)).map(look))
    }

    /// Whether an account may reach a number, which on trial has to be verified.
    pub fn reaches(&self, account: &str, number: &str) -> bool {
        self.with(|state| state.limits.reaches(number) || state.numbers.caller(account, number).is_some())
    }

    /// The sender that an account's messaging service picks on a channel, if it was not
    /// made here.
    pub fn sender(&self, account: &str, whatsapp: bool) -> Address {
        if account == self.settings.account_sid {
            return self.settings.sender(whatsapp);
        }
        Address { whatsapp, number: SENDER.to_owned() }
    }
}
