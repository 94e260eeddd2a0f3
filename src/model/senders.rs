//! Who messages and calls may come from: the senders of an installation, in the order in
//! which they are taken for a service, a channel and a number.
//!
//! It refuses to know which of them answer, and what people have told them.

use super::channel::Channel;
use super::id::ServiceId;
use super::message::Route;
use super::phone::PhoneNumber;
use super::sender::is_messaging_service;
use super::service::{Service, Settings};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The heaviest that a sender may weigh.
pub const MOST_WEIGHT: u32 = 100;

/// What stands before a number of WhatsApp in an address.
const OF_WHATSAPP: &str = "whatsapp:";

/// A sender that several services may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// It, and the account whose it is.
    pub route: Route,
    /// The channels that it takes.
    pub channels: Vec<Channel>,
    /// The countries of the numbers that it is for, ISO 3166; empty for all.
    pub countries: Vec<String>,
    /// The services that it is for; empty for all that name no sender of their own.
    pub services: Vec<ServiceId>,
    /// How much of what equals share falls to it, from 1 to [`MOST_WEIGHT`].
    pub weight: u32,
}

/// The senders of an installation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Senders {
    /// Those of the list.
    list: Vec<Sender>,
    /// Who texts come from where nobody else does: a messaging service, or else a number, a
    /// short code or a name.
    usual: Option<String>,
    /// The number that calls come from where nobody else does.
    caller: Option<String>,
    /// The account that has those of whom nothing else is said.
    main: Option<String>,
}

impl Senders {
    /// Those of a list, and the usual ones of texts and of calls, which take what is left.
    pub fn new(list: Vec<Sender>, usual: Option<String>, caller: Option<String>) -> Self {
        Self { list, usual, caller, main: None }
    }

    /// The same, where this account has those of whom nothing else is said.
    #[must_use]
    pub fn of_account(self, main: Option<String>) -> Self {
        let of_main = |mut sender: Sender| {
            sender.route.account = sender.route.account.or_else(|| main.clone());
            sender
        };
        let list = self.list.into_iter().map(of_main).collect();
        Self { list, main, ..self }
    }

    /// The usual one alone.
    pub fn only(usual: Option<String>) -> Self {
        Self { usual, ..Self::default() }
    }

    /// The one that texts come from where neither the list nor a service names one.
    pub fn usual(&self) -> Option<&str> {
        self.usual.as_deref()
    }

    /// Whether there is a choice at all: without a list each service has its own, or the
    /// usual one.
    pub fn is_list(&self) -> bool {
        !self.list.is_empty()
    }

    /// All senders by name, those of services apart.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let listed = self.list.iter().map(|sender| sender.route.sender.as_str());
        listed.chain(self.usual.as_deref()).chain(self.caller.as_deref())
    }

    /// Who a service's message or call to a number may come from, the best first; nothing
    /// without a list.
    ///
    /// A service's own sender comes first; then those of the list that are for it, then those
    /// for its country, then the others; the usual one is the last. Of equals a person always
    /// has the same first one, as long as the list is the same, and each has its share of
    /// people by its weight (rendezvous hashing: Thaler and Ravishankar, 1998).
    pub fn routes(&self, service: &Service, channel: Channel, to: &PhoneNumber) -> Vec<Route> {
        if !self.is_list() {
            return Vec::new();
        }
        let own = own_sender(&service.settings, channel);
        let (region, person) = (to.region().unwrap_or_default(), to.person().as_str().to_owned());
        let fits = |sender: &&Sender| {
            let is_its = sender.services.contains(&service.id);
            sender.channels.contains(&channel)
                && (sender.countries.is_empty() || sender.countries.contains(&region))
                && (is_its || sender.services.is_empty() && own.is_none())
        };
        let mut ranked: Vec<(u8, f64, &Route)> = self
            .list
            .iter()
            .filter(fits)
            .map(|sender| (sender.rank(), sender.distance(&person), &sender.route))
            .collect();
        ranked.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        let has_own = own.is_some();
        let listed = ranked.into_iter().map(|(_, _, route)| route.clone());
        let usual = self.usual_for(channel).filter(|_| !has_own);
        let mut routes: Vec<Route> = Vec::new();
        for route in own.into_iter().map(|own| self.named(own)).chain(listed).chain(usual) {
            if routes.iter().all(|known| known.sender != route.sender) {
                routes.push(route);
            }
        }
        routes
    }

    /// Who a service's messages by a channel come from, as far as that is known before they
    /// leave, as an address; nothing of calls where nobody is named.
    pub fn first(&self, service: &Service, channel: Channel, to: &PhoneNumber) -> Option<String> {
        match self.routes(service, channel, to).into_iter().next() {
            Some(route) => Some(route.sender),
            None => own_sender(&service.settings, channel).or_else(|| match channel {
                Channel::Sms | Channel::Call => self.usual.clone(),
                Channel::Whatsapp => self.usual.clone().filter(|usual| is_messaging_service(usual)),
            }),
        }
    }

    /// All that a service's messages by a channel may come from, towards which people may
    /// have wishes; nobody tells calls to stop.
    pub fn heard(&self, service: &Service, channel: Channel, to: &PhoneNumber) -> Vec<String> {
        match channel {
            Channel::Call => Vec::new(),
            _ if self.is_list() => {
                self.routes(service, channel, to).into_iter().map(|route| route.sender).collect()
            }
            _ => self.first(service, channel, to).into_iter().collect(),
        }
    }

    /// The accounts by which a service's messages of a channel may leave, to whatever number;
    /// nothing stands for the main one where that has no name.
    pub fn accounts(&self, service: &Service, channel: Channel) -> BTreeSet<Option<String>> {
        let own = own_sender(&service.settings, channel);
        let is_its = |sender: &&Sender| {
            let is_named = sender.services.contains(&service.id);
            sender.channels.contains(&channel) && (is_named || sender.services.is_empty() && own.is_none())
        };
        let listed = self.list.iter().filter(is_its).map(|sender| sender.route.account.clone());
        let usual = self.usual_for(channel).filter(|_| own.is_none()).map(|route| route.account);
        let own = own.clone().map(|own| self.named(own).account);
        listed.chain(usual).chain(own).collect()
    }

    /// The same without the countries that senders are for: for whoever asks of none.
    #[must_use]
    pub fn of_all_countries(&self) -> Self {
        let mut all = self.clone();
        all.list.iter_mut().for_each(|sender| sender.countries.clear());
        all
    }

    /// Whether somebody is there to send as. Without any sender for all nothing is known of
    /// that here: what sends then knows its own.
    pub fn has_any(&self, service: &Service, channel: Channel, to: &PhoneNumber) -> bool {
        if self.is_list() {
            return !self.routes(service, channel, to).is_empty();
        }
        channel != Channel::Whatsapp
            || self.usual.is_none()
            || self.first(service, Channel::Whatsapp, to).is_some()
    }

    /// A sender of a service, which may stand in the list with its account: a number is one
    /// sender on every channel.
    fn named(&self, name: String) -> Route {
        let is_it = |sender: &&Sender| bare(&sender.route.sender) == bare(&name);
        let account = match self.list.iter().find(is_it) {
            Some(listed) => listed.route.account.clone(),
            None => self.main.clone(),
        };
        Route { sender: name, account }
    }

    fn usual_for(&self, channel: Channel) -> Option<Route> {
        let name = match channel {
            Channel::Sms => self.usual.clone(),
            Channel::Call => self.caller.clone(),
            Channel::Whatsapp => self.usual.clone().filter(|usual| is_messaging_service(usual)),
        };
        name.map(|name| self.named(name))
    }
}

impl Sender {
    /// The more it is meant for a request, the less.
    fn rank(&self) -> u8 {
        2 * u8::from(self.services.is_empty()) + u8::from(self.countries.is_empty())
    }

    /// How far it is from a person: of equals the nearest one is taken. With twice the weight
    /// it is the nearest one of twice as many.
    fn distance(&self, person: &str) -> f64 {
        let hash = Sha256::new()
            .chain_update(b"dialback sender v1\0")
            .chain_update(person)
            .chain_update(b"\0")
            .chain_update(&self.route.sender)
            .finalize();
        let drawn = hash.iter().take(6).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        // Of 48 bits every number is a whole one to an f64.
        let share = (drawn as f64 + 1.0) / (1_u64 << 48) as f64;
        -share.ln() / f64::from(self.weight.max(1))
    }
}

/// Who a service names itself for a channel, as an address.
pub fn own_sender(settings: &Settings, channel: Channel) -> Option<String> {
    let pool = settings.messaging_service_sid.as_ref();
    match channel {
        Channel::Sms => pool.or(settings.from.as_ref()).cloned(),
        // A name or a short code sends texts and calls nobody.
        Channel::Call => settings.from.clone().filter(|from| from.starts_with('+')),
        Channel::Whatsapp => {
            let number = settings.whatsapp_from.as_ref().map(|from| format!("{OF_WHATSAPP}{from}"));
            number.or_else(|| pool.cloned())
        }
    }
}

/// A sender without the channel that stands before it in an address.
pub fn bare(sender: &str) -> &str {
    sender.rsplit(':').next().unwrap_or(sender)
}

/// The channels of a sender that says nothing about them, by what it is.
pub fn usual_channels(name: &str) -> Vec<Channel> {
    match name {
        _ if name.starts_with(OF_WHATSAPP) => vec![Channel::Whatsapp],
        _ if name.starts_with('+') => vec![Channel::Sms, Channel::Call],
        _ => vec![Channel::Sms],
    }
}

/// Whether such a sender can take a channel at all.
pub fn can_take(name: &str, channel: Channel) -> bool {
    let is_of_whatsapp = name.starts_with(OF_WHATSAPP);
    match channel {
        Channel::Sms => !is_of_whatsapp,
        Channel::Call => name.starts_with('+'),
        Channel::Whatsapp => is_of_whatsapp || is_messaging_service(name),
    }
}

#[cfg(test)]
mod tests;
