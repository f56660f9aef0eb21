//! The header by which a proxy says on a new connection whom it speaks for: versions 1 and 2 of the PROXY protocol
//! (HAProxy, "The PROXY protocol", sections 2.1 and 2.2).
//!
//! # Limits
//! A line of version 1 has at most [`LINE_BYTES_MAX`], a header of version 2 at most [`HEADER_BYTES_MAX`].

use super::tls;
use cofre_iam::{Origin, Tls};
use crc_fast::{CrcAlgorithm, checksum};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a header of version 1 begins with.
pub(super) const LINE: &[u8] = b"PROXY ";

/// What a header of version 2 begins with.
pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Longest line of version 1 with its end, in bytes.
const LINE_BYTES_MAX: usize = 107;

/// Longest header of version 2, in bytes. The certificate of a client may be in it.
const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Bytes of version 2 before what has its own length: signature, command, family, length.
const FIXED_BYTES: usize = 16;

/// Types of what follows the addresses, and what is within that of TLS.
const TYPE_CRC32C: u8 = 0x03;
const TYPE_SSL: u8 = 0x20;
const SSL_VERSION: u8 = 0x21;
const SSL_CIPHER: u8 = 0x23;

/// Bit that says that the client came over TLS.
const CLIENT_SSL: u8 = 0x01;

/// Bytes before the fields of TLS: what the client did, and how its certificate was.
const SSL_FIXED_BYTES: usize = 5;

/// What a proxy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProxyHeader {
    /// The connection is the proxy's own, to see whether this lives; or it does not know whose it is.
    Own,
    /// It is this client's.
    Client(Client),
}

/// Whom a proxy speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Client {
    ip: IpAddr,
    /// Whether TLS ends at the proxy.
    is_secure: bool,
    tls: Option<Tls>,
}

/// Why a header is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

impl ProxyHeader {
    /// Where requests come from, on a connection that came from `peer`.
    pub(super) const fn origin(self, peer: Origin) -> Origin {
        match self {
            Self::Own => peer,
            Self::Client(Client { ip, is_secure, tls }) => {
                Origin { ip: Some(ip), secure: is_secure || peer.secure, tls }
            }
        }
    }

    /// Reads a header, and tells how many bytes it has; none while it is not all there.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        if bytes.starts_with(SIGNATURE) { version_2(bytes) } else { version_1(bytes) }
    }
}

fn version_1(bytes: &[u8]) -> Result<Option<(ProxyHeader, usize)>, Malformed> {
    let within = &bytes[..bytes.len().min(LINE_BYTES_MAX)];
    let Some(end) = within.windows(2).position(|two| two == b"\r\n") else {
        return if bytes.len() < LINE_BYTES_MAX { Ok(None) } else { Err(Malformed("its line is too long")) };
    };
    let line = std::str::from_utf8(&bytes[..end]).map_err(|_| Malformed("its line is no text"))?;
    let mut words = line.split(' ').skip(1);
    let header = match words.next() {
        // What follows is to be ignored.
        Some("UNKNOWN") => ProxyHeader::Own,
        Some(family @ ("TCP4" | "TCP6")) => {
            let mut address = || words.next().and_then(|word| word.parse::<IpAddr>().ok());
            let addresses = [address(), address()];
            let ports = [words.next(), words.next()];
            let [Some(source), Some(destination)] = addresses else { return Err(Malformed("an address is none")) };
            let is_port = |word: &str| word.bytes().all(|b| b.is_ascii_digit()) && word.parse::<u16>().is_ok();
            if !ports.iter().all(|word| word.is_some_and(is_port)) || words.next().is_some() {
                return Err(Malformed("it does not end with two ports"));
            }
            if [source, destination].iter().any(|address| address.is_ipv4() != (family == "TCP4")) {
                return Err(Malformed("an address is of another family"));
            }
            ProxyHeader::Client(Client { ip: source.to_canonical(), is_secure: false, tls: None })
        }
        _ => return Err(Malformed("its protocol is none of TCP4, TCP6 and UNKNOWN")),
    };
    Ok(Some((header, end + 2)))
}

fn version_2(bytes: &[u8]) -> Result<Option<(ProxyHeader, usize)>, Malformed> {
    let Some(&[command, family, high, low]) = bytes.get(SIGNATURE.len()..FIXED_BYTES) else { return Ok(None) };
    let length = FIXED_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if length > HEADER_BYTES_MAX {
        return Err(Malformed("it is too long"));
    }
    let Some(header) = bytes.get(..length) else { return Ok(None) };
    let told = match (command, family) {
        (0x20, _) | (0x21, 0x00) => ProxyHeader::Own,
        (0x21, 0x11) => client(header, addresses::<4>(header)?)?,
        (0x21, 0x21) => client(header, addresses::<16>(header)?)?,
        // A socket of the proxy's machine: 108 bytes for each path, and nobody's address.
        (0x21, 0x31) => ProxyHeader::Own,
        (0x21, _) => return Err(Malformed("it is of no protocol over TCP")),
        _ => return Err(Malformed("its version or command is none that there is")),
    };
    Ok(Some((told, length)))
}

/// The source's address, and what follows the addresses and ports of both sides.
fn addresses<const N: usize>(header: &[u8]) -> Result<(IpAddr, &[u8]), Malformed>
where
    [u8; N]: AddressBytes,
{
    let short = Malformed("it is shorter than its addresses");
    let (addresses, rest) = header[FIXED_BYTES..].split_at_checked(2 * N + 4).ok_or(short)?;
    let (source, _) = addresses.split_first_chunk::<N>().ok_or(short)?;
    Ok((source.address(), rest))
}

/// The bytes of an address of one family.
trait AddressBytes {
    fn address(&self) -> IpAddr;
}

impl AddressBytes for [u8; 4] {
    fn address(&self) -> IpAddr {
        Ipv4Addr::from(*self).into()
    }
}

impl AddressBytes for [u8; 16] {
    fn address(&self) -> IpAddr {
        IpAddr::from(Ipv6Addr::from(*self)).to_canonical()
    }
}

fn client(header: &[u8], (ip, mut rest): (IpAddr, &[u8])) -> Result<ProxyHeader, Malformed> {
    let mut client = Client { ip, is_secure: false, tls: None };
    while let Some((kind, value, after)) = field(rest)? {
        match kind {
            TYPE_CRC32C => {
                let at = header.len() - after.len() - value.len();
                check_sum(header, at, value)?;
            }
            TYPE_SSL => (client.is_secure, client.tls) = protection(value)?,
            _ => {}
        }
        rest = after;
    }
    Ok(ProxyHeader::Client(client))
}

/// The next field: its type, its value, and what follows it.
fn field(bytes: &[u8]) -> Result<Option<(u8, &[u8], &[u8])>, Malformed> {
    let Some((&[kind, high, low], rest)) = bytes.split_first_chunk::<3>() else {
        return if bytes.is_empty() { Ok(None) } else { Err(Malformed("a field is cut off")) };
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let (value, rest) = rest.split_at_checked(length).ok_or(Malformed("a field is longer than the header"))?;
    Ok(Some((kind, value, rest)))
}

/// Holds the checksum at `at` against the header, in which it counts as zero.
fn check_sum(header: &[u8], at: usize, sum: &[u8]) -> Result<(), Malformed> {
    let sum: [u8; 4] = sum.try_into().map_err(|_| Malformed("its checksum is none"))?;
    let mut counted = header.to_vec();
    counted[at..at + 4].fill(0);
    let expected = u32::try_from(checksum(CrcAlgorithm::Crc32Iscsi, &counted)).unwrap_or_default();
    if u32::from_be_bytes(sum) == expected { Ok(()) } else { Err(Malformed("its checksum is wrong")) }
}

/// Whether the client came over TLS, and how that is protected.
fn protection(value: &[u8]) -> Result<(bool, Option<Tls>), Malformed> {
    let (fixed, mut rest) = value.split_at_checked(SSL_FIXED_BYTES).ok_or(Malformed("its field of TLS is cut off"))?;
    let (mut version, mut cipher) = (None, None);
    while let Some((kind, value, after)) = field(rest)? {
        match kind {
            SSL_VERSION => version = tls::version_named(value),
            SSL_CIPHER => cipher = tls::cipher_suite_named(value),
            _ => {}
        }
        rest = after;
    }
    let is_secure = fixed[0] & CLIENT_SSL != 0;
    let tls = version.zip(cipher).map(|(version, cipher_suite)| Tls { version, cipher_suite });
    Ok((is_secure, tls.filter(|_| is_secure)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A header of version 2.
    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("it is short").to_be_bytes();
        [SIGNATURE, &[command, family], &length, rest].concat()
    }

    fn field_of(kind: u8, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).expect("it is short").to_be_bytes();
        [&[kind], &length[..], value].concat()
    }

    /// Addresses and ports: 192.0.2.7 to 198.51.100.1.
    const IPV4: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 1, 0, 1, 187];

    fn client_of(parsed: Result<Option<(ProxyHeader, usize)>, Malformed>) -> Client {
        match parsed {
            Ok(Some((ProxyHeader::Client(client), _))) => client,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lines_name_the_client() {
        for (line, ip) in [
            ("PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n", "192.0.2.7"),
            ("PROXY TCP6 2001:db8::7 2001:db8::1 0 65535\r\n", "2001:db8::7"),
            ("PROXY TCP6 ::ffff:192.0.2.7 2001:db8::1 1 2\r\n", "192.0.2.7"),
        ] {
            let client = client_of(ProxyHeader::parse(line.as_bytes()));
            assert_eq!(client, Client { ip: ip.parse().unwrap(), is_secure: false, tls: None });
        }
        for line in ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff:f...f 1 2 3\r\n"] {
            assert_eq!(ProxyHeader::parse(line.as_bytes()), Ok(Some((ProxyHeader::Own, line.len()))));
        }
        let line = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n";
        for length in LINE.len()..line.len() {
            assert_eq!(ProxyHeader::parse(&line[..length]), Ok(None), "{length}");
        }
    }

    #[test]
    fn lines_that_are_none_are_refused() {
        for line in [
            "PROXY \r\n",
            "PROXY TCP4\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443 1\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 4711 65536\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 +1 443\r\n",
            "PROXY TCP4 192.0.2.7  198.51.100.1 1 443\r\n",
            "PROXY TCP4 2001:db8::7 198.51.100.1 1 443\r\n",
            "PROXY TCP6 192.0.2.7 198.51.100.1 1 443\r\n",
            "PROXY TCP4 host 198.51.100.1 1 443\r\n",
            "PROXY UDP4 192.0.2.7 198.51.100.1 1 443\r\n",
            "PROXY tcp4 192.0.2.7 198.51.100.1 1 443\r\n",
        ] {
            assert!(ProxyHeader::parse(line.as_bytes()).is_err(), "{line:?}");
        }
        assert!(ProxyHeader::parse(&[LINE, &[b'a'; LINE_BYTES_MAX]].concat()).is_err());
        assert!(ProxyHeader::parse(b"PROXY TCP4 \xff\r\n").is_err());
    }

    #[test]
    fn headers_name_the_client_and_its_tls() {
        let ipv6 = [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]; 2].concat();
        let ssl = |client: u8, fields: &[Vec<u8>]| {
            field_of(TYPE_SSL, &[&[client, 0, 0, 0, 0], fields.concat().as_slice()].concat())
        };
        let named = [field_of(SSL_VERSION, b"TLSv1.3"), field_of(SSL_CIPHER, b"TLS_AES_128_GCM_SHA256")];
        let told = Tls { version: "TLSv1.3", cipher_suite: "TLS_AES_128_GCM_SHA256" };
        for (family, rest, ip, is_secure, tls) in [
            (0x11, IPV4.to_vec(), "192.0.2.7", false, None),
            (0x21, [&ipv6[..], &[0; 4]].concat(), "2001:db8::7", false, None),
            (0x11, [&IPV4[..], &field_of(0x04, &[0; 9])].concat(), "192.0.2.7", false, None),
            (0x11, [&IPV4[..], &ssl(1, &named)].concat(), "192.0.2.7", true, Some(told)),
            (0x11, [&IPV4[..], &ssl(1, &[])].concat(), "192.0.2.7", true, None),
            (0x11, [&IPV4[..], &ssl(0, &named)].concat(), "192.0.2.7", false, None),
            (0x11, [&IPV4[..], &ssl(1, &[field_of(SSL_VERSION, b"TLSv9")])].concat(), "192.0.2.7", true, None),
        ] {
            let bytes = header(0x21, family, &rest);
            assert_eq!(client_of(ProxyHeader::parse(&bytes)), Client { ip: ip.parse().unwrap(), is_secure, tls });
            for length in SIGNATURE.len()..bytes.len() {
                assert_eq!(ProxyHeader::parse(&bytes[..length]), Ok(None), "{length}");
            }
            let more = [&bytes[..], b"GET / HTTP/1.1"].concat();
            assert_eq!(ProxyHeader::parse(&more).unwrap().unwrap().1, bytes.len());
        }
    }

    #[test]
    fn a_proxy_may_speak_for_itself() {
        for (command, family, rest) in [
            (0x20, 0x00, &[][..]),
            (0x20, 0x11, &IPV4),
            (0x20, 0x77, &[1, 2]),
            (0x21, 0x00, &[9; 40]),
            (0x21, 0x31, &[0; 216]),
        ] {
            let bytes = header(command, family, rest);
            assert_eq!(ProxyHeader::parse(&bytes), Ok(Some((ProxyHeader::Own, bytes.len()))));
        }
    }

    #[test]
    fn headers_that_are_none_are_refused() {
        for (command, family, rest) in [
            (0x11, 0x11, IPV4.to_vec()),
            (0x22, 0x11, IPV4.to_vec()),
            (0x21, 0x12, IPV4.to_vec()),
            (0x21, 0x41, IPV4.to_vec()),
            (0x21, 0x11, IPV4[..11].to_vec()),
            (0x21, 0x21, vec![0; 35]),
            (0x21, 0x11, [&IPV4[..], &[4, 0]].concat()),
            (0x21, 0x11, [&IPV4[..], &[4, 0, 1]].concat()),
            (0x21, 0x11, [&IPV4[..], &field_of(TYPE_SSL, &[1])].concat()),
            (0x21, 0x11, [&IPV4[..], &field_of(TYPE_SSL, &[1, 0, 0, 0, 0, SSL_VERSION, 0, 7])].concat()),
            (0x21, 0x11, vec![0; HEADER_BYTES_MAX]),
        ] {
            assert!(ProxyHeader::parse(&header(command, family, &rest)).is_err(), "{command} {family} {rest:?}");
        }
    }

    #[test]
    fn a_checksum_is_held_against_the_header() {
        let mut bytes = header(0x21, 0x11, &[&IPV4[..], &field_of(TYPE_CRC32C, &[0; 4])].concat());
        let sum = u32::try_from(checksum(CrcAlgorithm::Crc32Iscsi, &bytes)).unwrap();
        let at = bytes.len() - 4;
        bytes[at..].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(client_of(ProxyHeader::parse(&bytes)).ip, IpAddr::from([192, 0, 2, 7]));
        bytes[FIXED_BYTES] ^= 1;
        assert_eq!(ProxyHeader::parse(&bytes), Err(Malformed("its checksum is wrong")));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(rest in proptest::collection::vec(any::<u8>(), 0..300), cut in 0_usize..400) {
            for begin in [LINE, b"PROXY TCP4 ", b"PROXY TCP6 ", SIGNATURE, &header(0x21, 0x11, &[])[..14]] {
                let bytes = [begin, &rest].concat();
                let bytes = &bytes[..bytes.len().min(cut.max(SIGNATURE.len()))];
                if let Ok(Some((_, length))) = ProxyHeader::parse(bytes) {
                    prop_assert!(length <= bytes.len());
                    // What follows a header changes nothing of it.
                    prop_assert_eq!(ProxyHeader::parse(&bytes[..length]), ProxyHeader::parse(bytes));
                }
            }
        }

        #[test]
        fn every_client_is_named(source: [u8; 4], destination: [u8; 4], port: u16, fields in proptest::collection::vec(
            (4_u8..0x20, proptest::collection::vec(any::<u8>(), 0..20)), 0..4)) {
            let [from, to] = [source, destination].map(Ipv4Addr::from);
            let line = format!("PROXY TCP4 {from} {to} {port} 443\r\n");
            prop_assert_eq!(client_of(ProxyHeader::parse(line.as_bytes())).ip, IpAddr::from(from));
            let fields: Vec<u8> = fields.iter().flat_map(|(kind, value)| field_of(*kind, value)).collect();
            let ports = [port.to_be_bytes(), [1, 187]].concat();
            let bytes = header(0x21, 0x11, &[&source[..], &destination, &ports, &fields].concat());
            prop_assert_eq!(client_of(ProxyHeader::parse(&bytes)).ip, IpAddr::from(from));
        }
    }
}
