use crate::Invalid;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A range of addresses in the notation of RFC 4632 and RFC 4291, as `203.0.113.0/24` or `2001:db8::/32`; an address
/// alone is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressRange {
    address: IpAddr,
    bits: u32,
}

impl AddressRange {
    /// Whether an address is in it. No address of IPv4 is in a range of IPv6, nor the other way round.
    pub fn holds(self, address: IpAddr) -> bool {
        let same_family = self.address.is_ipv4() == address.is_ipv4();
        same_family && self.prefix_of(self.address) == self.prefix_of(address)
    }

    /// How many bits all its addresses share.
    pub const fn bits(self) -> u32 {
        self.bits
    }

    /// Whether it is of IPv4.
    pub const fn is_ipv4(self) -> bool {
        self.address.is_ipv4()
    }

    fn prefix_of(self, address: IpAddr) -> u128 {
        let rest = width(address) - self.bits;
        let number = match address {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        };
        number.checked_shr(rest).unwrap_or(0)
    }
}

impl FromStr for AddressRange {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid =
            Invalid::new("address range", "must be an IP address or a CIDR range, as 10.0.0.0/8 or 2001:db8::/32");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let Ok(address) = address.parse::<IpAddr>() else { return Err(invalid) };
        let most = width(address);
        let bits = match bits {
            None => Some(most),
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => bits.parse().ok().filter(|bits| *bits <= most),
            Some(_) => None,
        };
        bits.map(|bits| Self { address, bits }).ok_or(invalid)
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_shares_their_bits() {
        for (range, address, held) in [
            ("203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.0/24", "203.0.114.0", false),
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.6", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false),
        ] {
            let range: AddressRange = range.parse().unwrap();
            assert_eq!(range.holds(address.parse().unwrap()), held, "{range} {address}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0/8", "::/129", "host", "10.0.0.0/8/8"]
        {
            assert!(text.parse::<AddressRange>().is_err(), "{text}");
        }
    }
}
