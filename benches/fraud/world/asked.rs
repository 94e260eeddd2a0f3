//! A request as the signals are told of it. Numbers and addresses of the world are plain
//! numbers; here they become pseudonyms.

use super::chance::mix;
use super::parameters::Brand;
use dialback::model::counter::Pseudonym;
use dialback::model::fraud::About;

/// Whom a request is about, before it is told.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    pub number: u64,
    pub range: &'a str,
    pub country: &'a str,
    pub price: f64,
    pub is_voip: bool,
    /// The address, and the network around it.
    pub place: (u64, u64),
    pub device: u64,
    pub session: u64,
}

impl Asked<'_> {
    /// As a brand tells it, which may know neither address nor device.
    pub fn by(&self, brand: &Brand) -> About {
        About {
            number: name(b'n', self.number),
            block100: name(b'h', self.number / 100),
            block1000: name(b'k', self.number / 1000),
            range: self.range.to_owned(),
            country: self.country.to_owned(),
            is_voip: self.is_voip,
            looked_up: None,
            address: brand.addresses.then(|| name(b'a', self.place.0)),
            subnet: brand.addresses.then(|| name(b'w', self.place.1)),
            device: brand.devices.then(|| name(b'd', self.device)),
            session: (brand.face == "pages").then(|| name(b'o', self.session)),
            key: brand.key.clone(),
            service: brand.name.clone(),
            sender: brand.sender.clone(),
            channel: brand.channel,
            face: brand.face.clone(),
            is_resend: false,
            micros: (self.price * 1e6).round() as u64,
        }
    }
}

fn name(kind: u8, value: u64) -> Pseudonym {
    Pseudonym(mix(&[kind.into(), value]).to_be_bytes())
}
