use cofre_types::AddressRange;
use std::net::IpAddr;

/// A range of addresses that a condition names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) struct Network(AddressRange);

impl Network {
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    pub(super) fn holds(self, address: IpAddr) -> bool {
        self.0.holds(address)
    }

    /// Whether so many addresses are in it that it counts as everyone: more than /8 of IPv4 or /32 of
    /// IPv6 (AWS, "The meaning of public"). Private ranges are no wider.
    pub(in crate::policy) fn is_broad(self) -> bool {
        self.0.bits() < if self.0.is_ipv4() { 8 } else { 32 }
    }
}
