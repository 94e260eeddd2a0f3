//! What requests come out of, by keys. It refuses to know what is known of it.

use crate::model::counter::Pseudonym;
use crate::model::fraud::About;

/// Something narrow that requests come out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrow {
    /// A hundred consecutive numbers.
    Hundred,
    /// A thousand consecutive numbers.
    Thousand,
    /// An address: IPv4, or a network of 64 bits.
    Address,
    /// The network around it.
    Subnet,
    /// A device, as the application names it.
    Device,
    /// A session of the pages.
    Session,
}

/// Something wide that requests come out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wide {
    /// A range of a numbering plan.
    Range,
    /// A country, by its ISO 3166 code.
    Country,
    /// A service, by its id.
    Service,
    /// A sender: a number, a name, a messaging service.
    Sender,
    /// An API key.
    Key,
    /// A country as one service has it.
    Market,
    /// A range as one service has it.
    Lane,
}

impl Narrow {
    /// Every kind, in the order of [`Traffic`](super::Traffic)'s cells.
    pub const ALL: [Self; 6] =
        [Self::Hundred, Self::Thousand, Self::Address, Self::Subnet, Self::Device, Self::Session];

    /// By which key something of the kind is known.
    pub fn key(self, about: &About) -> Option<u64> {
        let name = match self {
            Self::Hundred => Some(about.block100),
            Self::Thousand => Some(about.block1000),
            Self::Address => about.address,
            Self::Subnet => about.subnet,
            Self::Device => about.device,
            Self::Session => about.session,
        };
        name.map(plain)
    }
}

impl Wide {
    /// Every kind, in the order of [`Traffic`](super::Traffic)'s cells.
    pub const ALL: [Self; 7] =
        [Self::Range, Self::Country, Self::Service, Self::Sender, Self::Key, Self::Market, Self::Lane];

    /// What it is called.
    pub fn name(self, about: &About) -> Option<&str> {
        match self {
            Self::Range | Self::Lane => Some(&about.range),
            Self::Country | Self::Market => Some(&about.country),
            Self::Service => Some(&about.service),
            Self::Sender => about.sender.as_deref(),
            Self::Key => about.key.as_deref(),
        }
    }

    /// By which key something of the kind is known.
    pub fn key(self, about: &About) -> Option<u64> {
        let name = hash(self.name(about)?);
        match self {
            Self::Market | Self::Lane => Some(name ^ hash(&about.service).rotate_left(1)),
            _ => Some(name),
        }
    }
}

/// The key of a pseudonym, which is a hash already.
pub fn plain(name: Pseudonym) -> u64 {
    u64::from_le_bytes(name.0)
}

/// Half of a pseudonym: enough to tell a few numbers from each other.
pub fn half(name: Pseudonym) -> u32 {
    let [a, b, c, d, ..] = name.0;
    u32::from_le_bytes([a, b, c, d])
}

/// The key of a name (FNV-1a).
pub fn hash(name: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    name.bytes().fold(0xCBF2_9CE4_8422_2325, mix)
}

/// The two letters of a country.
pub fn letters(about: &About) -> [u8; 2] {
    let mut bytes = about.country.bytes();
    [bytes.next().unwrap_or(0), bytes.next().unwrap_or(0)]
}
