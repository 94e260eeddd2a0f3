//! A messaging service as it is kept, and which sender of its pool writes to whom.
//!
//! It refuses to know messages; it picks among addresses.

use super::address::Address;
use super::countries::{Country, country_of};
use super::permissions::Permissions;
use super::shelf::{Owned, Shelf};
use jiff::Timestamp;

/// The most numbers and short codes of a service, as Twilio has it, and the most names and
/// channels.
pub(super) const POOL: usize = 400;
/// The most recipients of a service whose sender is remembered; the oldest go first.
const RECIPIENTS: usize = 10_000;

/// What a sender is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A telephone number.
    Number,
    /// A short code.
    ShortCode,
    /// A name for every country that takes names.
    Name,
    /// A name for one country.
    CountryName,
    /// A sender of a channel such as WhatsApp.
    Channel,
}

impl Kind {
    /// Whether two kinds share the room of a pool: numbers and short codes do,
    /// <https://www.twilio.com/docs/api/errors/21714>.
    pub fn counts_with(self, other: Self) -> bool {
        let is_number = |kind| matches!(kind, Self::Number | Self::ShortCode);
        self == other || is_number(self) && is_number(other)
    }
}

/// A sender in a service's pool.
#[derive(Clone)]
pub(super) struct Sender {
    /// Its SID: `PN…`, `SC…`, `AI…` or `XE…`.
    pub sid: String,
    /// What it is.
    pub kind: Kind,
    /// The number, the short code, the name, or the channel's address.
    pub address: String,
    /// The ISO 3166 code of its country; of a name, the one it is for.
    pub country: String,
    /// When it was added.
    pub created: Timestamp,
}

/// A URL that a service asks as it was given, and how.
#[derive(Clone, Default)]
pub(super) struct RequestUrl {
    /// The URL as it was given.
    pub url: Option<String>,
    /// True for GET.
    pub get: bool,
}

/// What can be said about a service.
#[derive(Clone, Default)]
pub(super) struct Options {
    /// What it is called.
    pub name: String,
    /// Where inbound messages are told.
    pub inbound: RequestUrl,
    /// Where they are told when that fails.
    pub fallback: RequestUrl,
    /// Where messages without a callback of their own are told of.
    pub status_callback: Option<String>,
    /// Whether a recipient keeps hearing from the same sender.
    pub sticky_sender: bool,
    /// Kept as data.
    pub mms_converter: bool,
    /// Whether letters are replaced by those of the GSM alphabet.
    pub smart_encoding: bool,
    /// Kept as data: `inherit`, `enable` or `disable`.
    pub scan_message_content: String,
    /// Kept as data.
    pub fallback_to_long_code: bool,
    /// Whether a sender of the recipient's area code goes first.
    pub area_code_geomatch: bool,
    /// How long a message may wait in the queue, in seconds.
    pub validity: u32,
    /// Kept as data.
    pub synchronous_validation: bool,
    /// What it is for.
    pub usecase: String,
    /// Whether a number's own URL goes before the service's.
    pub number_webhook: bool,
}

/// A messaging service.
pub(super) struct Service {
    /// `MG…`, which a message may name in place of a sender.
    pub sid: String,
    /// The account it is of.
    pub account: String,
    /// What can be said about it.
    pub options: Options,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Its senders, oldest first.
    pub pool: Vec<Sender>,
    /// Who wrote to whom.
    sticky: Shelf<String>,
    /// How often a sender was picked.
    turns: usize,
}

/// Why no sender was picked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unfit {
    /// There is none in the pool.
    Empty,
    /// None of the pool may write there.
    Nobody,
}

impl Unfit {
    /// Twilio's error code, by which the message is refused.
    pub fn code(self) -> u32 {
        match self {
            Self::Empty => 21704,
            Self::Nobody => 21703,
        }
    }

    /// Twilio's words for that error, as the refusal says them.
    pub fn words(self) -> &'static str {
        match self {
            Self::Empty => "The Messaging Service contains no phone numbers.",
            Self::Nobody => "The Messaging Service does not have a phone number available to send a message.",
        }
    }
}

/// What a service asks of others when it looks for a sender.
#[derive(Clone, Copy)]
pub(super) struct Pool<'a> {
    /// Which countries take names.
    pub permissions: &'a Permissions,
    /// Whether a sender, by its number, code or name, may write the message at all.
    pub able: &'a dyn Fn(&str) -> bool,
}

impl Owned for Service {
    fn account(&self) -> &str {
        &self.account
    }
}

impl Service {
    /// A service without senders.
    pub fn new(sid: String, account: String, options: Options, now: Timestamp) -> Self {
        let sticky = Shelf::new(RECIPIENTS);
        Self { sid, account, options, created: now, updated: now, pool: Vec::new(), sticky, turns: 0 }
    }

    /// Whether one of its senders is this number, code or name, on any channel.
    pub fn has(&self, number: &str) -> bool {
        let plain = |sender: &Sender| sender.address.rsplit(':').next() == Some(number);
        self.pool.iter().any(plain)
    }

    /// The sender that would write to somebody.
    ///
    /// # Errors
    /// Why there is none.
    pub fn look(&self, among: &Pool<'_>, to: &Address) -> Result<String, Unfit> {
        if self.pool.is_empty() {
            return Err(Unfit::Empty);
        }
        let fitting = if to.whatsapp { self.on_whatsapp(among) } else { self.by_text(among, to) };
        let known = self.sticky.get(&to.to_string()).filter(|known| fitting.iter().any(|one| one == *known));
        match known.filter(|_| self.options.sticky_sender) {
            Some(known) => Ok(known.clone()),
            // Of those that fit alike, each has its turn.
            None => fitting.get(self.turns % fitting.len().max(1)).cloned().ok_or(Unfit::Nobody),
        }
    }

    /// Picks the sender that writes to somebody, and remembers it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn pick(&mut self, among: &Pool<'_>, to: &Address) -> Result<String, Unfit> {
        let picked = self.look(among, to)?;
        self.turns = self.turns.wrapping_add(1);
        let to = to.to_string();
        match self.sticky.get_mut(&to) {
            Some(known) => known.clone_from(&picked),
            None => drop(self.sticky.push(to, picked.clone())),
        }
        Ok(picked)
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Sender> {
        self.pool.iter().filter(move |sender| sender.kind == kind)
    }

    /// Its channels, or else its numbers, which are all on WhatsApp here.
    fn on_whatsapp(&self, among: &Pool<'_>) -> Vec<String> {
        let channels = self.of(Kind::Channel).filter_map(|sender| sender.address.strip_prefix("whatsapp:"));
        let able = |number: &&str| (among.able)(number);
        let channels: Vec<String> = channels.filter(able).map(str::to_owned).collect();
        let numbers = || self.of(Kind::Number).filter(|sender| (among.able)(&sender.address));
        if channels.is_empty() { addresses(numbers()) } else { channels }
    }

    /// The senders that go first to a number: a short code of its country, a name
    /// for its country or any name where names are taken, a number of its country
    /// and area, any number.
    fn by_text(&self, among: &Pool<'_>, to: &Address) -> Vec<String> {
        let country = country_of(&to.number);
        let takes_names = country.is_none_or(|country| among.permissions.takes_names(country));
        let of = |kind: Kind| self.of(kind).filter(|sender| (among.able)(&sender.address));
        let here = |sender: &&Sender| country.is_some_and(|country| sender.country == country.iso);
        let near =
            |sender: &&Sender| self.options.area_code_geomatch && area(&sender.address) == area(&to.number);
        let ranks = [
            addresses(of(Kind::ShortCode).filter(here)),
            addresses(of(Kind::CountryName).filter(|_| takes_names).filter(here)),
            addresses(of(Kind::Name).filter(|_| takes_names)),
            addresses(of(Kind::Number).filter(here).filter(near)),
            addresses(of(Kind::Number).filter(|sender| serves(sender, country))),
            addresses(of(Kind::Number)),
        ];
        ranks.into_iter().find(|rank| !rank.is_empty()).unwrap_or_default()
    }
}

/// Whether a number is at home there; those of the United States and Canada are in both.
fn serves(sender: &Sender, country: Option<&Country>) -> bool {
    let home = |iso: &str| if iso == "CA" { "US".to_owned() } else { iso.to_owned() };
    country.is_some_and(|country| home(&sender.country) == home(country.iso))
}

fn addresses<'a>(senders: impl Iterator<Item = &'a Sender>) -> Vec<String> {
    senders.map(|sender| sender.address.clone()).collect()
}

/// The area code of a North American number.
fn area(number: &str) -> Option<&str> {
    number.strip_prefix("+1").filter(|rest| rest.len() == 10).and_then(|rest| rest.get(..3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(senders: &[(Kind, &str, &str)]) -> Service {
        let options = Options { area_code_geomatch: true, sticky_sender: true, ..Options::default() };
        let mut service = Service::new("MG1".into(), "AC1".into(), options, Timestamp::UNIX_EPOCH);
        service.pool = senders
            .iter()
            .map(|(kind, address, country)| Sender {
                sid: String::new(),
                kind: *kind,
                address: (*address).to_owned(),
                country: (*country).to_owned(),
                created: Timestamp::UNIX_EPOCH,
            })
            .collect();
        service
    }

    fn look(service: &Service, to: &str) -> Result<String, Unfit> {
        look_for(service, to, &|_| true)
    }

    fn look_for(service: &Service, to: &str, able: &dyn Fn(&str) -> bool) -> Result<String, Unfit> {
        let permissions = Permissions::new(1);
        service.look(&Pool { permissions: &permissions, able }, &Address::to(to).unwrap())
    }

    #[test]
    fn who_is_nearest_writes() {
        let all = [
            (Kind::Number, "+442071838750", "GB"),
            (Kind::Number, "+14155550100", "US"),
            (Kind::Number, "+12125550100", "US"),
            (Kind::Name, "Dialback", ""),
            (Kind::CountryName, "Rueckruf", "DE"),
        ];
        let wanted = [
            ("+12125550123", "+12125550100"),
            ("+14155550123", "+14155550100"),
            ("+4915112345678", "Rueckruf"),
            ("+33612345678", "Dialback"),
            // New Zealand takes no names.
            ("+6421123456", "+442071838750"),
            ("whatsapp:+4915112345678", "+442071838750"),
        ];
        let pool = service(&all);
        for (to, from) in wanted {
            assert_eq!(look(&pool, to).as_deref(), Ok(from), "{to}");
        }
        let with_code = service(&[&all[..], &[(Kind::ShortCode, "12345", "US")]].concat());
        assert_eq!(look(&with_code, "+12125550123").as_deref(), Ok("12345"));
        assert_eq!(look(&with_code, "+447700900123").as_deref(), Ok("Dialback"));
    }

    #[test]
    fn a_pool_that_nobody_of_may_write_there_is_told_from_an_empty_one() {
        assert_eq!(look(&service(&[]), "+12125550123"), Err(Unfit::Empty));
        let name = service(&[(Kind::Name, "Dialback", ""), (Kind::CountryName, "Other", "FR")]);
        assert_eq!(look(&name, "+12125550123"), Err(Unfit::Nobody));
        assert_eq!(look(&name, "+33612345678").as_deref(), Ok("Other"));
    }

    #[test]
    fn who_may_not_write_is_passed_over() {
        let pool = service(&[
            (Kind::ShortCode, "12345", "US"),
            (Kind::Number, "+14155550100", "US"),
            (Kind::Number, "+442071838750", "GB"),
        ]);
        let wanted = [
            (&["12345", "+14155550100", "+442071838750"][..], Ok("12345")),
            (&["+14155550100", "+442071838750"], Ok("+14155550100")),
            (&["+442071838750"], Ok("+442071838750")),
            (&[], Err(Unfit::Nobody)),
        ];
        for (able, from) in wanted {
            let found = look_for(&pool, "+12125550123", &|one| able.contains(&one));
            assert_eq!(found.as_deref().map_err(|unfit| *unfit), from, "{able:?}");
        }
        let whatsapp = look_for(&pool, "whatsapp:+12125550123", &|one| one == "+442071838750");
        assert_eq!(whatsapp.as_deref(), Ok("+442071838750"));
    }

    #[test]
    fn each_has_its_turn_and_a_recipient_keeps_its_sender() {
        let mut pool = service(&[(Kind::Number, "+441", "GB"), (Kind::Number, "+442", "GB")]);
        let pick = |pool: &mut Service, to: &str| {
            let permissions = Permissions::new(1);
            let among = Pool { permissions: &permissions, able: &|_| true };
            pool.pick(&among, &Address::to(to).unwrap()).unwrap()
        };
        assert_eq!(pick(&mut pool, "+447700900001"), "+441");
        assert_eq!(pick(&mut pool, "+447700900002"), "+442");
        assert_eq!(pick(&mut pool, "+447700900001"), "+441");
        assert_eq!(pick(&mut pool, "+447700900002"), "+442");
        // A sender that was taken out is not kept.
        pool.pool.remove(0);
        assert_eq!(pick(&mut pool, "+447700900001"), "+442");
        pool.options.sticky_sender = false;
        assert_eq!(pool.sticky.get("+447700900001").map(String::as_str), Some("+442"));
    }
}
