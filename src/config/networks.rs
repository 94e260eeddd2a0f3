//! Which addresses and names are of a network of one's own, and how much of the
//! internet a list of networks holds.
//!
//! It refuses to know settings.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What of IPv4 nobody has on the internet: IANA's registry of special-purpose
/// addresses (RFC 6890).
const OWN_V4: [Ipv4Net; 7] = [
    v4(0, 0, 8),
    v4(10, 0, 8),
    v4(100, 64, 10),
    v4(127, 0, 8),
    v4(169, 254, 16),
    v4(172, 16, 12),
    v4(192, 168, 16),
];
/// The same of IPv6: loopback, unique local and link-local addresses.
const OWN_V6: [Ipv6Net; 3] = [v6(0, 1, 128), v6(0xfc00, 0, 7), v6(0xfe80, 0, 10)];

/// Ends of names that no public name server knows (RFC 6761, 6762, 8375, and ICANN's
/// `internal`), and what routers and clusters hand out.
const OWN_NAMES: [&str; 10] =
    ["local", "localhost", "localdomain", "internal", "intranet", "lan", "home", "corp", "home.arpa", "test"];

const fn v4(a: u8, b: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), prefix)
}

const fn v6(first: u16, last: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, last), prefix)
}

/// Whether a host of a URL, a name or a number with or without brackets, is of this
/// machine or of a network of one's own.
pub(super) fn is_own(host: &str) -> bool {
    let bare = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => OWN_V4.iter().any(|net| net.contains(&ip)),
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => OWN_V4.iter().any(|net| net.contains(&ip)),
            None => ip.is_unspecified() || OWN_V6.iter().any(|net| net.contains(&ip)),
        },
        // Containers and clusters call each other by names of one word.
        Err(_) => {
            let ends = |end: &&str| bare.strip_suffix(*end).is_some_and(|rest| rest.ends_with('.'));
            // A number is an address, as everything that connects reads it.
            let is_number = bare.starts_with(|c: char| c.is_ascii_digit()) && u64_of(&bare).is_some();
            !bare.contains('.') && !is_number || OWN_NAMES.iter().any(ends)
        }
    }
}

/// A whole number, written with or without `0x`.
fn u64_of(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// So many addresses of IPv4, a /8, are more than anybody's proxies have.
const MOST_V4: u64 = 1 << 24;
/// So many networks of 64 bits of IPv6, a /20, as well.
const MOST_V6: u64 = 1 << 44;

/// Whether networks hold so much of the internet that strangers are among them:
/// together, and without what nobody has there.
pub(super) fn hold_strangers(networks: &[IpNet]) -> bool {
    let (mut four, mut six) = (0_u64, 0_u64);
    for net in IpNet::aggregate(&networks.to_vec()) {
        match net {
            IpNet::V4(net) => four = four.saturating_add(public_v4(net)),
            IpNet::V6(net) => six = six.saturating_add(public_v6(net)),
        }
    }
    four >= MOST_V4 || six >= MOST_V6
}

fn public_v4(net: Ipv4Net) -> u64 {
    let size = |net: &Ipv4Net| 1_u64 << (32 - net.prefix_len());
    if OWN_V4.iter().any(|own| own.contains(&net)) {
        return 0;
    }
    size(&net) - OWN_V4.iter().filter(|own| net.contains(*own)).map(size).sum::<u64>()
}

/// In networks of 64 bits; what is smaller counts as none.
fn public_v6(net: Ipv6Net) -> u64 {
    if OWN_V6.iter().any(|own| own.contains(&net)) {
        return 0;
    }
    match net.prefix_len() {
        0 => u64::MAX,
        bits => 1_u64.checked_shl(64_u32.saturating_sub(bits.into())).filter(|_| bits <= 64).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_networks_are_told_from_the_internet() {
        for own in [
            "10.1.2.3",
            "192.168.0.1",
            "172.31.0.1",
            "169.254.169.254",
            "127.0.0.1",
            "100.64.1.1",
            "0.0.0.0",
            "[::1]",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:10.0.0.1]",
            "localhost",
            "printer.local",
            "db",
            "a.b.internal",
            "nas.lan",
            "db.svc.cluster.local",
            "LOCALHOST.",
        ] {
            assert!(is_own(own), "{own}");
        }
        for public in [
            "8.8.8.8",
            "172.32.0.1",
            "[2606:4700::1]",
            "verify.example.com",
            "local.example.com",
            "mylocal.com",
        ] {
            assert!(!is_own(public), "{public}");
        }
    }

    #[test]
    fn many_networks_are_judged_together() {
        let hold = |list: &[&str]| {
            hold_strangers(&list.iter().map(|net| net.parse().unwrap()).collect::<Vec<IpNet>>())
        };
        let eights: Vec<String> =
            (1..=254).map(|n| format!("52.{n}.0.0/16")).chain(["53.0.0.0/10".into()]).collect();
        let eights: Vec<&str> = eights.iter().map(String::as_str).collect();
        for wide in [
            &["0.0.0.0/0"][..],
            &["::/0"],
            &["0.0.0.0/1", "128.0.0.0/1"],
            &["0.0.0.0/1"],
            &["2000::/3"],
            &["8000::/1"],
            &["52.0.0.0/8"],
            &["10.0.0.0/7"],
            &["2600::/12", "10.0.0.0/8"],
            &eights,
        ] {
            assert!(hold(wide), "{wide:?}");
        }
        for fine in [
            &[][..],
            &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "127.0.0.0/8", "100.64.0.0/10"],
            &["104.16.0.0/13", "172.64.0.0/13", "162.158.0.0/15", "131.0.72.0/22"],
            &["2400:cb00::/32", "2606:4700::/32", "2a06:98c0::/29"],
            &["192.0.2.7/32", "2001:db8::1/128", "::1/128"],
        ] {
            assert!(!hold(fine), "{fine:?}");
        }
    }
}
