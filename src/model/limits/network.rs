//! The networks that an address counts for. It refuses to know whose it is.

use std::net::{IpAddr, Ipv6Addr};

/// What one customer's line has of IPv6 at least (RFC 6177), so that nobody is many.
const IPV6_ADDRESS: u32 = 64;
/// What a provider gives one household or office.
const IPV6_SUBNET: u32 = 56;
/// The network of an IPv4 address.
const IPV4_SUBNET: u32 = 24;

/// What an address counts as: itself, or of IPv6 its network of 64 bits.
pub fn address_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => ipv6(address, IPV6_ADDRESS),
    }
}

/// The network around it: 24 bits of IPv4, 56 of IPv6.
pub fn subnet_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let bits = u32::from(address) & (u32::MAX << (32 - IPV4_SUBNET));
            format!("{}/{IPV4_SUBNET}", std::net::Ipv4Addr::from(bits))
        }
        IpAddr::V6(address) => ipv6(address, IPV6_SUBNET),
    }
}

fn ipv6(address: Ipv6Addr, length: u32) -> String {
    let bits = u128::from(address) & (u128::MAX << (128 - length));
    format!("{}/{length}", Ipv6Addr::from(bits))
}
