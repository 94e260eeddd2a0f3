//! Whom a rule counts, and what it counts of them.

/// Whom a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A person's telephone number, over all services, faces and channels.
    Number,
    /// The same for one service.
    NumberOfService,
    /// The address of the person's device: an IPv4 address, or an IPv6 network of 64 bits.
    Address,
    /// The network that it is in: 24 bits of IPv4, 56 of IPv6.
    Subnet,
    /// The person's device, as the application names it.
    Device,
    /// An API key.
    Key,
    /// A session of the pages.
    Session,
    /// The range that a number is of, as its plan writes it: the country's calling code
    /// and what stands before the subscriber's own digits.
    Range,
    /// A hundred consecutive numbers.
    Block100,
    /// A thousand consecutive numbers.
    Block1000,
    /// A country, by its ISO 3166 code.
    Country,
    /// A service of this installation, by its id.
    Service,
    /// Everything that this installation sends.
    Whole,
}

impl Subject {
    /// How many there are.
    pub const ALL: usize = Self::Whole as usize + 1;

    /// The word of what its counter is kept under. Blocks of a hundred are parts of their
    /// thousand's, and a number's with one service parts of the number's.
    pub fn word(self) -> &'static str {
        match self {
            Self::Number | Self::NumberOfService => "number",
            Self::Address => "address",
            Self::Subnet => "subnet",
            Self::Device => "device",
            Self::Key => "key",
            Self::Session => "session",
            Self::Range => "range",
            Self::Block100 | Self::Block1000 => "block",
            Self::Country => "country",
            Self::Service => "service",
            Self::Whole => "whole",
        }
    }

    /// Whether nearly every start counts the same few of them, so that a process takes
    /// blocks of the limit ahead and does not write each time.
    pub fn is_shared(self) -> bool {
        matches!(self, Self::Key | Self::Range | Self::Country | Self::Service | Self::Whole)
    }
}

/// What a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counted {
    /// Messages and calls that were asked for. One that certainly never left is given
    /// back; an approval gives none back.
    Sends,
    /// Verifications that were begun and nobody has proved yet: approval gives it back.
    Unverified,
    /// Wrong codes that were offered for a number; an approval ends their row.
    WrongCodes,
    /// Different countries of the numbers.
    Countries,
    /// Calls that nobody asked for by name: the best channel was a call where none was
    /// named. One that certainly never left is given back.
    UnaskedCalls,
    /// Calls that took the place of something that did not arrive, by themselves. One that
    /// certainly never left is given back.
    FailoverCalls,
    /// What messages and calls cost by the price table, in millionths of a dollar. That of
    /// one that certainly never left is given back; an approval gives none back, for whoever
    /// owns the numbers can approve.
    Money,
}

impl Counted {
    /// The word of the additions that are counted.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sends => "sends",
            Self::Unverified => "unverified",
            Self::WrongCodes => "wrong_codes",
            Self::Countries => "countries",
            Self::UnaskedCalls => "unasked_calls",
            Self::FailoverCalls => "failover_calls",
            Self::Money => "money",
        }
    }
}
