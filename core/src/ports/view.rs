//! What an operator sees of the ports.

use super::{Capacity, Counts, Lease, Pool, Ports, Tally};
use serde::Serialize;
use std::net::IpAddr;

/// The ports of a switch, for the command `ports`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortsView {
    /// Both ranges.
    pub ranges: Vec<RangeView>,
    /// Leases that are open ahead of demand.
    pub warm: usize,
    /// Leases whose port is lost until the driver replies.
    pub overdue: u32,
    /// What has happened so far.
    pub tally: Tally,
    /// Leases, by rising slot.
    pub leases: Vec<LeaseView>,
}

/// One range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RangeView {
    /// `relay` or `ivr`.
    pub pool: &'static str,
    /// First port and last.
    pub ports: (u16, u16),
    /// Its ports by state.
    pub counts: Counts,
    /// Calls it is good for where RTCP is multiplexed or off, of two legs.
    pub calls_with_single_ports: u32,
    /// Calls it is good for where RTCP has a port of its own, of two legs.
    pub calls_with_pairs: u32,
}

/// One lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeaseView {
    /// The local address.
    pub address: IpAddr,
    /// Where RTP comes in.
    pub port: u16,
    /// Whether RTCP has the next port.
    pub is_pair: bool,
    /// `relay` or `ivr`.
    pub pool: &'static str,
    /// The shard that has it open.
    pub shard: u16,
    /// `asked`, `held`, `quarantined`, `abandoned`, `overdue`, or `warm`: open ahead of demand.
    pub state: &'static str,
    /// The call whose it is or was last.
    pub flow_no: Option<u64>,
    /// Of that call, `caller` or `callee`.
    pub party: Option<&'static str>,
}

impl Ports {
    /// The ports as they are now, with at most `limit` leases.
    pub fn view(&self, limit: usize) -> PortsView {
        PortsView {
            ranges: [Pool::Relay, Pool::Ivr].map(|pool| self.range_view(pool)).into(),
            warm: self.warm(),
            overdue: self.overdue(),
            tally: self.tally(),
            leases: self.leases().take(limit).map(|(_, lease)| view(lease)).collect(),
        }
    }

    fn range_view(&self, pool: Pool) -> RangeView {
        let settings = self.settings();
        let ports = match pool {
            Pool::Relay => &settings.relay,
            Pool::Ivr => &settings.ivr,
        };
        let capacity = Capacity::of(ports.clone(), settings.shards);
        RangeView {
            pool: pool.name(),
            ports: (*ports.start(), *ports.end()),
            counts: self.counts(pool),
            calls_with_single_ports: capacity.calls_with_single_ports,
            calls_with_pairs: capacity.calls_with_pairs,
        }
    }
}

fn view(lease: &Lease) -> LeaseView {
    let place = lease.place;
    LeaseView {
        address: place.kind.address,
        port: place.port,
        is_pair: place.kind.is_pair,
        pool: place.kind.pool.name(),
        shard: place.shard.0,
        state: match (lease.state, lease.owner) {
            (super::LeaseState::Held, None) => "warm",
            (state, _) => state.name(),
        },
        flow_no: lease.owner.map(|owner| owner.flow_no),
        party: lease.owner.map(|owner| owner.party.name()),
    }
}
