//! The media sockets of the switch's process, as a system gives them: what is open, what somebody else has, and what goes
//! wrong with opening.

use super::super::ops::Chances;
use crosspoint_core::media::LegSocket;
use crosspoint_core::ports::{BindError, Place, Shard};
use crosspoint_core::rng::Seed;
use crosspoint_core::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The stream that what befalls a port is drawn from.
const STREAM_PORTS: u64 = 103;

/// What a system does to who wants a port. The default does nothing; each in thousandths of the ports that are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PortTrouble {
    /// Refused for want of descriptors.
    pub no_sockets_permille: u64,
    /// Refused for a reason of its own.
    pub other_permille: u64,
    /// The reply comes late.
    pub late_permille: u64,
    /// By how much at most, in milliseconds.
    pub late_ms: u64,
    /// The reply never comes, whether or not the port was opened.
    pub lost_permille: u64,
}

/// What becomes of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    After(Duration),
    Lost,
}

/// Every socket for media on the switch's machine.
#[derive(Debug)]
pub(super) struct Sockets {
    open: BTreeMap<SocketAddr, (Shard, LegSocket)>,
    addresses: BTreeMap<(Shard, LegSocket), SocketAddr>,
    /// Of another process, until then.
    foreign: Vec<(RangeInclusive<u16>, Instant)>,
    pub(super) trouble: PortTrouble,
    /// Replies that were lost: each may have cost a port.
    pub(super) lost_replies: u64,
    chances: Chances,
    /// What no core may ask for.
    pub(super) wrongs: Vec<String>,
}

impl Sockets {
    /// None is open.
    pub(super) fn new(seed: Seed) -> Sockets {
        Sockets {
            open: BTreeMap::new(),
            addresses: BTreeMap::new(),
            foreign: Vec::new(),
            trouble: PortTrouble::default(),
            lost_replies: 0,
            chances: Chances::new(seed, STREAM_PORTS),
            wrongs: Vec::new(),
        }
    }

    /// Another process has these ports until then.
    pub(super) fn occupy(&mut self, ports: RangeInclusive<u16>, until: Instant) {
        self.foreign.push((ports, until));
    }

    /// All other processes go, and the system is kind again.
    pub(super) fn calm(&mut self) {
        self.foreign.clear();
        self.trouble = PortTrouble::default();
    }

    /// The process is gone, and with it its sockets.
    pub(super) fn crash(&mut self) {
        self.open.clear();
        self.addresses.clear();
        self.lost_replies = 0;
    }

    /// Opens all sockets of a place, or none.
    pub(super) fn open(&mut self, now: Instant, place: Place) -> Result<(), BindError> {
        if let Some((_, address)) = place.sockets().find(|(_, address)| self.open.contains_key(address)) {
            self.wrongs.push(format!("{address} is to be opened, and is open"));
            return Err(BindError::AddressInUse);
        }
        self.foreign.retain(|(_, until)| *until > now);
        let is_foreign = |port: u16| self.foreign.iter().any(|(ports, _)| ports.contains(&port));
        if place.sockets().any(|(_, address)| is_foreign(address.port())) {
            return Err(BindError::AddressInUse);
        }
        let PortTrouble { no_sockets_permille, other_permille, .. } = self.trouble;
        let key = u64::from(place.port);
        if self.chances.strikes(key, no_sockets_permille) {
            return Err(BindError::NoSockets);
        }
        if self.chances.strikes(key, other_permille) {
            return Err(BindError::Other);
        }
        self.open.extend(place.sockets().map(|(at, address)| (address, (place.shard, at))));
        self.addresses.extend(place.sockets().map(|(at, address)| ((place.shard, at), address)));
        Ok(())
    }

    /// When the reply about this place comes.
    pub(super) fn fate(&mut self, place: Place) -> Fate {
        let PortTrouble { late_permille, late_ms, lost_permille, .. } = self.trouble;
        let key = u64::from(place.port);
        if self.chances.strikes(key, lost_permille) {
            self.lost_replies += 1;
            return Fate::Lost;
        }
        let is_late = self.chances.strikes(key, late_permille);
        Fate::After(Duration::from_millis(if is_late { self.chances.below(key, late_ms + 1) } else { 0 }))
    }

    /// Closes what was opened.
    pub(super) fn close(&mut self, place: Place) {
        for (at, address) in place.sockets() {
            self.addresses.remove(&(place.shard, at));
            if self.open.remove(&address) != Some((place.shard, at)) {
                self.wrongs.push(format!("{address} of {:?} is to be closed, and is not open", place.shard));
            }
        }
    }

    /// Whose the socket at this address is.
    pub(super) fn at(&self, address: SocketAddr) -> Option<(Shard, LegSocket)> {
        self.open.get(&address).copied()
    }

    /// The address of a shard's socket.
    pub(super) fn address(&self, shard: Shard, at: LegSocket) -> Option<SocketAddr> {
        self.addresses.get(&(shard, at)).copied()
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosspoint_core::ports::{Kind, Pool};

    fn pair(port: u16) -> Place {
        let kind = Kind { pool: Pool::Relay, address: [10, 0, 0, 1].into(), is_pair: true };
        Place { shard: Shard(0), port, kind }
    }

    #[test]
    fn a_place_is_opened_whole_or_not_at_all_and_what_nobody_may_ask_for_is_told() {
        let mut sockets = Sockets::new(Seed::from_number(1));
        let (now, later) = (Instant::EPOCH, Instant::EPOCH + Duration::from_secs(1));
        sockets.occupy(20_001..=20_001, later);
        assert_eq!(sockets.open(now, pair(20_000)), Err(BindError::AddressInUse));
        assert_eq!((sockets.len(), &sockets.wrongs[..]), (0, &[][..]), "somebody else has it: nobody is to blame");
        assert_eq!(sockets.open(later, pair(20_000)), Ok(()));
        assert_eq!(sockets.open(later, pair(20_000)), Err(BindError::AddressInUse));
        sockets.close(pair(20_000));
        sockets.close(pair(20_000));
        assert_eq!(sockets.wrongs.len(), 3, "{:?}", sockets.wrongs);
    }

    #[test]
    fn trouble_is_as_often_as_it_is_said_to_be() {
        let mut sockets = Sockets::new(Seed::from_number(1));
        sockets.trouble = PortTrouble { no_sockets_permille: 200, other_permille: 250, ..PortTrouble::default() };
        let results: Vec<_> = (0..1000).map(|n| sockets.open(Instant::EPOCH, pair(10_000 + 2 * n))).collect();
        let count = |of| results.iter().filter(|result| **result == of).count();
        let counts = [Err(BindError::NoSockets), Err(BindError::Other), Ok(())].map(count);
        assert!(counts.iter().zip([200, 200, 600]).all(|(count, wanted)| count.abs_diff(wanted) < 60), "{counts:?}");
        sockets.trouble =
            PortTrouble { late_permille: 500, late_ms: 3000, lost_permille: 500, ..PortTrouble::default() };
        let fates: Vec<_> = (0..1000).map(|n| sockets.fate(pair(30_000 + 2 * n))).collect();
        assert!(fates.contains(&Fate::Lost) && fates.contains(&Fate::After(Duration::ZERO)));
        assert!(fates.iter().any(|fate| matches!(fate, Fate::After(late) if *late > Duration::from_secs(1))));
    }
}
