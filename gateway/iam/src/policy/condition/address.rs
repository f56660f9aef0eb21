use std::net::IpAddr;

/// A range of addresses, as `203.0.113.0/24` or `2001:db8::/32`; an address alone is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = width(address);
        let bits = match bits {
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
            None => most,
        };
        (bits <= most).then_some(Self { address, bits })
    }

    pub(super) fn holds(self, address: IpAddr) -> bool {
        let same_family = self.address.is_ipv4() == address.is_ipv4();
        same_family && self.prefix_of(self.address) == self.prefix_of(address)
    }

    /// Whether so many addresses are in it that it counts as everyone: more than /8 of IPv4 or /32 of
    /// IPv6 (AWS, "The meaning of public"). Private ranges are no wider.
    pub(in crate::policy) fn is_broad(self) -> bool {
        self.bits < if self.address.is_ipv4() { 8 } else { 32 }
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

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}
