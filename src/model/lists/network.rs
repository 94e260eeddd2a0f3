//! A network of the Internet protocol, of either version. It refuses to know whose it is.

use super::bad_target::BadTarget;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What stands before an IPv4 address that is written as one of IPv6 (RFC 4291 §2.5.5.2).
const MAPPED: u32 = 96;
/// What a lone address of IPv6 stands for: one customer's line (RFC 6177).
const IPV6_LINE: u32 = 64;
/// The widest network that can be named, so that a slip of the pen lists nobody's world.
const WIDEST_IPV4: u32 = 8;
const WIDEST_IPV6: u32 = 16;

/// A network: `203.0.113.0/24`, `2001:db8::/32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    /// The first address, as one of IPv6.
    first: u128,
    /// How many bits of that are the network's.
    bits: u32,
}

impl Network {
    /// The first address and the last, both as ones of IPv6.
    pub(super) fn span(self) -> (u128, u128) {
        (self.first, self.first | !mask(self.bits))
    }

    /// Whether an address is in it.
    pub fn has(self, address: IpAddr) -> bool {
        number_of(address) & mask(self.bits) == self.first
    }
}

/// An address as a number: one of IPv4 as it is written in IPv6.
pub(super) fn number_of(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn mask(bits: u32) -> u128 {
    u128::MAX.checked_shl(128 - bits).unwrap_or(0)
}

impl FromStr for Network {
    type Err = BadTarget;

    /// Reads an address, or a network as an address and the length of its prefix.
    fn from_str(text: &str) -> Result<Self, BadTarget> {
        const FORM: &str =
            "network: write an address and its prefix's length, like 203.0.113.0/24 or 2001:db8::/32";
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| BadTarget::new(FORM))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map(|length| {
            let digits = length.bytes().all(|byte| byte.is_ascii_digit());
            length.parse::<u32>().ok().filter(|length| digits && *length <= most)
        });
        let (first, bits) = match (address, length) {
            (_, Some(None)) => return Err(BadTarget::new(FORM)),
            (IpAddr::V4(_), length) => (number_of(address), MAPPED + length.flatten().unwrap_or(32)),
            (IpAddr::V6(own), length) => {
                let lone = if address.to_canonical().is_ipv4() { 128 } else { IPV6_LINE };
                let bits = length.flatten().unwrap_or(lone);
                // A lone address names the line that it is on.
                let first = u128::from(own) & if length.is_none() { mask(bits) } else { u128::MAX };
                (first, bits)
            }
        };
        let network = Self { first: first & mask(bits), bits };
        if first != network.first {
            let told = format!("network: there are bits behind its prefix; write {network}");
            return Err(BadTarget(told));
        }
        network.in_bounds()
    }
}

impl Network {
    fn in_bounds(self) -> Result<Self, BadTarget> {
        let holds_ipv4 =
            self.bits < MAPPED && number_of(Ipv4Addr::UNSPECIFIED.into()) & mask(self.bits) == self.first;
        let is_too_wide = match self.bits.checked_sub(MAPPED) {
            Some(length) if self.is_ipv4() => length < WIDEST_IPV4,
            _ => self.bits < WIDEST_IPV6 || holds_ipv4,
        };
        match is_too_wide {
            true => Err(BadTarget(format!(
                "network: it is wider than any network of people's; name /{WIDEST_IPV4} or longer of IPv4, \
                 /{WIDEST_IPV6} or longer of IPv6"
            ))),
            false => Ok(self),
        }
    }

    fn is_ipv4(self) -> bool {
        self.bits >= MAPPED && Ipv6Addr::from(self.first).to_ipv4_mapped().is_some()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = Ipv6Addr::from(self.first);
        match first.to_ipv4_mapped().filter(|_| self.bits >= MAPPED) {
            Some(first) => write!(f, "{first}/{}", self.bits - MAPPED),
            None => write!(f, "{first}/{}", self.bits),
        }
    }
}

impl TryFrom<String> for Network {
    type Error = BadTarget;
    fn try_from(text: String) -> Result<Self, BadTarget> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> String {
        network.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_read_as_they_are_written() {
        for (text, reads) in [
            ("203.0.113.0/24", "203.0.113.0/24"),
            ("203.0.113.7", "203.0.113.7/32"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("2001:DB8:0:1::7", "2001:db8:0:1::/64"),
            ("2001:db8::7/128", "2001:db8::7/128"),
            ("::ffff:203.0.113.7", "203.0.113.7/32"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ] {
            let network: Network = text.parse().unwrap();
            assert_eq!(network.to_string(), reads);
            assert_eq!(reads.parse(), Ok(network), "{reads}");
        }
        for (text, told) in [
            ("203.0.113.7/24", "write 203.0.113.0/24"),
            ("2001:db8::7/64", "write 2001:db8::/64"),
            ("0.0.0.0/0", "wider"),
            ("::/0", "wider"),
            ("::/80", "wider"),
            ("203.0.113.0/33", "like 203.0.113.0/24"),
            ("203.0.113.0/+8", "like 203.0.113.0/24"),
            ("203.0.113", "like 203.0.113.0/24"),
            ("", "like 203.0.113.0/24"),
        ] {
            let error = text.parse::<Network>().unwrap_err().to_string();
            assert!(error.starts_with("network: ") && error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn an_address_is_in_its_network_however_it_is_written() {
        let network: Network = "203.0.113.0/24".parse().unwrap();
        for (address, is_in) in [
            ("203.0.113.255", true),
            ("::ffff:203.0.113.1", true),
            ("203.0.114.0", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(network.has(address.parse().unwrap()), is_in, "{address}");
        }
    }
}
