//! Addresses that no shard stands at: what answers there gives credentials of the machine away, or is this Cofre itself.
//!
//! An endpoint is what an operator types, and what a name server says. So the address is looked at each time a connection
//! is made, after the name was resolved and before anything is sent: a name that leads elsewhere later is refused too.

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

/// Addresses, beside link-local ones, at which clouds tell a machine its credentials (AWS, "Use the Instance Metadata
/// Service"; Azure, "What is IP address 168.63.129.16?"; Alibaba Cloud, "View instance metadata"; Oracle Cloud, "Security
/// of the platform").
const METADATA: [IpAddr; 7] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
];

/// The prefix of IPv4 addresses behind a NAT64 (RFC 6052, section 2.1).
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// Where an endpoint must not be.
#[derive(Debug, Clone, Default)]
pub struct Forbidden(Arc<[SocketAddr]>);

impl Forbidden {
    /// Metadata and link-local addresses, and these: where this process listens itself.
    pub fn with_listeners(listeners: &[SocketAddr]) -> Self {
        Self(listeners.into())
    }

    /// Why an address and a port are no place for a shard.
    ///
    /// # Errors
    /// What is there, for a person to read.
    pub fn check(&self, ip: IpAddr, port: u16) -> Result<(), String> {
        let ip = plain(ip);
        let link_local = match ip {
            IpAddr::V4(ip) => ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_unicast_link_local(),
        };
        if link_local || METADATA.contains(&ip) {
            return Err(format!("{ip} is a link-local or metadata address, and no place for a shard"));
        }
        if ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) {
            return Err(format!("{ip} is no address of one machine"));
        }
        let ours = self.0.iter().filter(|ours| ours.port() == port);
        if ours.map(|ours| plain(ours.ip())).any(|ours| same_machine(ours, ip)) {
            return Err(format!(
                "{ip}:{port} is this Cofre itself; a shard cannot be a bucket of the Cofre that it belongs to"
            ));
        }
        Ok(())
    }
}

/// Whether who connects to `ip` meets who listens on `ours`.
fn same_machine(ours: IpAddr, ip: IpAddr) -> bool {
    // To connect to "any" address is to connect to this machine.
    let is_local = || ip.is_loopback() || ip.is_unspecified() || UdpSocket::bind((ip, 0)).is_ok();
    ours == ip || (ours.is_unspecified() && is_local()) || (ip.is_unspecified() && ours.is_loopback())
}

/// An address as IPv4, if it is one in the clothes of IPv6.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    match v6.segments() {
        [a, b, c, d, e, f, high, low] if [a, b, c, d, e, f] == NAT64 => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        _ => ip.to_canonical(),
    }
}

/// Resolves names as the system does, and refuses those that lead to where an endpoint must not be.
#[derive(Debug, Clone)]
pub(crate) struct Resolver {
    pub(crate) forbidden: Forbidden,
    /// The endpoint's port.
    pub(crate) port: u16,
}

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let found = tokio::net::lookup_host((name, self.port)).await.map_err(ResolveDnsError::new)?;
            let addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            for ip in &addresses {
                self.forbidden.check(*ip, self.port).map_err(ResolveDnsError::new)?;
            }
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(listeners: &[&str], address: &str) -> bool {
        let listeners: Vec<SocketAddr> = listeners.iter().map(|text| text.parse().expect("an address")).collect();
        let address: SocketAddr = address.parse().expect("an address");
        Forbidden::with_listeners(&listeners).check(address.ip(), address.port()).is_err()
    }

    #[test]
    fn metadata_and_link_local_addresses_are_refused_in_any_clothes() {
        for address in [
            "169.254.169.254:80",
            "169.254.0.1:9000",
            "[fd00:ec2::254]:80",
            "[fe80::1]:9000",
            "[::ffff:169.254.169.254]:80",
            "[64:ff9b::a9fe:a9fe]:80",
            "100.100.100.200:80",
            "168.63.129.16:80",
            "192.0.0.192:80",
            "224.0.0.1:9000",
            "[ff02::1]:9000",
            "255.255.255.255:9000",
        ] {
            assert!(refused(&[], address), "{address}");
        }
        for address in ["10.0.0.2:9000", "127.0.0.1:9000", "[::1]:9000", "192.0.2.1:80", "[fd00::1]:443", "1.1.1.1:443"]
        {
            assert!(!refused(&[], address), "{address}");
        }
    }

    #[test]
    fn our_own_listeners_are_refused_by_every_name_of_this_machine() {
        for (listener, address) in [
            ("127.0.0.1:9000", "127.0.0.1:9000"),
            ("127.0.0.1:9000", "[::ffff:127.0.0.1]:9000"),
            ("127.0.0.1:9000", "0.0.0.0:9000"),
            ("0.0.0.0:9000", "127.0.0.1:9000"),
            ("0.0.0.0:9000", "127.9.9.9:9000"),
            ("[::]:9000", "127.0.0.1:9000"),
            ("[::]:9000", "[::1]:9000"),
        ] {
            assert!(refused(&["127.0.0.1:9001", listener], address), "{listener} {address}");
        }
        for (listener, address) in [
            ("127.0.0.1:9000", "127.0.0.1:9002"),
            ("127.0.0.1:9000", "127.0.0.2:9000"),
            ("0.0.0.0:9000", "192.0.2.1:9000"),
        ] {
            assert!(!refused(&[listener], address), "{listener} {address}");
        }
    }
}
