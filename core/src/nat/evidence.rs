//! What shows an address translator before a device (behaviour 1(a), "NAT facts per leg").

use super::is_global;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// What shows an address translator; one thing is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The sent-by of the top Via is not the source, in host or, with rport, in port: [`super::via_shows_nat`].
    pub via: bool,
    /// The host of the Contact is not global, and not the source.
    pub contact: bool,
    /// The address of the `c=` line is not global, and not the source.
    pub sdp: bool,
    /// A SIP ALG is suspected on the way, which hides a translator.
    pub alg: bool,
}

impl Evidence {
    /// What the Via shows, and the addresses that the device names in its Contact and in its description, as far as it
    /// names any: host names show nothing.
    pub fn of(via_shows_nat: bool, contact: Option<IpAddr>, sdp: Option<IpAddr>, source: IpAddr) -> Evidence {
        let is_elsewhere = |named: Option<IpAddr>| named.is_some_and(|ip| is_private_elsewhere(ip, source));
        Evidence { via: via_shows_nat, contact: is_elsewhere(contact), sdp: is_elsewhere(sdp), alg: false }
    }

    /// Whether there is any.
    pub fn is_any(self) -> bool {
        self.via || self.contact || self.sdp || self.alg
    }

    /// All that either has.
    #[must_use]
    pub fn and(self, other: Evidence) -> Evidence {
        Evidence {
            via: self.via || other.via,
            contact: self.contact || other.contact,
            sdp: self.sdp || other.sdp,
            alg: self.alg || other.alg,
        }
    }

    /// The names of what there is, with commas.
    pub fn words(self) -> String {
        let words = [(self.via, "via"), (self.contact, "contact"), (self.sdp, "sdp"), (self.alg, "alg")];
        let there: Vec<&str> = words.into_iter().filter_map(|(is_there, word)| is_there.then_some(word)).collect();
        there.join(",")
    }
}

/// An address in which only its own site reaches it, of a device that is seen at another. An unspecified one (a hold in
/// the old spelling, RFC 3264 §8.4) names no place at all.
fn is_private_elsewhere(named: IpAddr, source: IpAddr) -> bool {
    let named = named.to_canonical();
    !named.is_unspecified() && !is_global(named) && named != source.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_address_other_than_the_source_shows_a_translator() {
        let cases = [
            ("10.0.0.5", "192.0.2.1", true),
            ("10.0.0.5", "10.0.0.5", false),
            ("::ffff:10.0.0.5", "10.0.0.5", false),
            ("10.0.0.5", "10.0.0.6", true),
            ("198.51.100.9", "192.0.2.1", false),
            ("100.64.3.4", "192.0.2.1", true),
            ("fd00::5", "2001:db8::1", true),
            ("0.0.0.0", "192.0.2.1", false),
        ];
        for (named, source, shows) in cases {
            let named: Option<IpAddr> = named.parse().ok();
            let source = source.parse().unwrap();
            let by_contact = Evidence::of(false, named, None, source);
            let by_sdp = Evidence::of(false, None, named, source);
            assert_eq!((by_contact.contact, by_contact.is_any()), (shows, shows), "{named:?} at {source}");
            assert_eq!((by_sdp.sdp, by_sdp.is_any()), (shows, shows), "{named:?} at {source}");
        }
        let both = Evidence::of(true, "10.0.0.5".parse().ok(), None, "192.0.2.1".parse().unwrap());
        assert_eq!(both.words(), "via,contact");
    }
}
