//! Who is where, and the chain of verdicts that a datagram passes on its way: link up, link down.

use super::chance::Draws;
use super::fault::Fault;
use super::link::Link;
use super::passage::{Arrival, Loss, NatId, NodeId, Passage};
use super::plan::Plan;
use bytes::Bytes;
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::Instant;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// What is left of a link's name for the direction.
const UP: u64 = 0;
const DOWN: u64 = 1;

/// A node, its own address, and its two ways to the world.
#[derive(Debug)]
struct Site {
    local: SocketAddr,
    behind: Option<NatId>,
    up: Link,
    down: Link,
}

/// All nodes and what lies between them.
///
/// ```
/// use bytes::Bytes;
/// use crosspoint_core::{rng::Seed, time::Instant};
/// use crosspoint_sim::net::{Loss, Network, Plan};
///
/// let mut network = Network::new(Seed::from_number(7));
/// let server = network.add_node("192.0.2.1:5060".parse().unwrap(), None, Plan::AT_ONCE, Plan::AT_ONCE);
/// let phone = network.add_node("198.51.100.7:5060".parse().unwrap(), None, Plan::GOOD, Plan::GOOD);
///
/// let ping = Bytes::from_static(b"\r\n\r\n");
/// let passage = network.send(Instant::EPOCH, phone, "192.0.2.1:5060".parse().unwrap(), ping.clone(), 0);
/// let arrival = passage.arrivals.into_iter().next().unwrap();
/// assert_eq!((arrival.node, arrival.at), (server, Instant::from_micros(1000)));
///
/// let passage = network.send(Instant::EPOCH, phone, "192.0.2.9:5060".parse().unwrap(), ping, 0);
/// assert_eq!(passage.lost, Some(Loss::Nobody));
/// ```
#[derive(Debug)]
pub struct Network {
    seed: Seed,
    sites: Vec<Site>,
    nodes: BTreeMap<(Option<NatId>, SocketAddr), NodeId>,
}

impl Network {
    /// An empty network; all its chances come from this seed.
    pub fn new(seed: Seed) -> Network {
        Network { seed, sites: Vec::new(), nodes: BTreeMap::new() }
    }

    /// Adds a node at this address, with these ways out and in. Its links are named by the address, so that one node
    /// more or less changes nothing for the others.
    ///
    /// # Panics
    /// Where another node has the address.
    pub fn add_node(&mut self, local: SocketAddr, behind: Option<NatId>, up: Plan, down: Plan) -> NodeId {
        let node = NodeId(u32::try_from(self.sites.len()).expect("the nodes of a network fit into memory"));
        let link = |plan, direction| Link::new(plan, Stream::new(self.seed, link_name(local, direction)));
        self.sites.push(Site { local, behind, up: link(up, UP), down: link(down, DOWN) });
        self.add_address(node, local);
        node
    }

    /// Lets a node be reached at one more address, as that of its media.
    ///
    /// # Panics
    /// Where another node has it.
    pub fn add_address(&mut self, node: NodeId, address: SocketAddr) {
        let behind = self.site(node).behind;
        let before = self.nodes.insert((behind, address), node);
        assert!(before.is_none_or(|before| before == node), "two nodes at {address}");
    }

    /// Makes the ways of this node so bad.
    pub fn set_plans(&mut self, node: NodeId, up: Plan, down: Plan) {
        let site = self.site(node);
        (site.up.plan, site.down.plan) = (up, down);
    }

    /// Scripts a fault on the way out of this node.
    pub fn fault_up(&mut self, node: NodeId, fault: Fault) {
        self.site(node).up.faults.push(fault);
    }

    /// Scripts a fault on the way in to this node.
    pub fn fault_down(&mut self, node: NodeId, fault: Fault) {
        self.site(node).down.faults.push(fault);
    }

    /// Makes every link good and forgets what is scripted.
    pub fn calm(&mut self) {
        for link in self.sites.iter_mut().flat_map(|site| [&mut site.up, &mut site.down]) {
            link.plan = link.plan.calmed();
            link.faults.clear();
        }
    }

    /// Sends a datagram from a node's own address. `key` names whose chances it takes; see [`Link`].
    pub fn send(&mut self, now: Instant, from: NodeId, to: SocketAddr, datagram: Bytes, key: u64) -> Passage {
        let source = self.site(from).local;
        self.spoof(now, from, source, to, datagram, key)
    }

    /// As [`Network::send`], from any source address: another one of the node, or one that it forges.
    pub fn spoof(
        &mut self,
        now: Instant,
        from: NodeId,
        source: SocketAddr,
        to: SocketAddr,
        datagram: Bytes,
        key: u64,
    ) -> Passage {
        let mut passage = Passage::default();
        match self.site(from).up.carry(now, &datagram, key) {
            Err(loss) => passage.lose(loss),
            Ok(carried) => {
                for at in carried.times() {
                    let copy = Copy { at, source, destination: to, datagram: datagram.clone(), key };
                    self.arrive(copy, &mut passage);
                }
            }
        }
        passage
    }

    /// Brings a copy to the node at its destination.
    fn arrive(&mut self, copy: Copy, passage: &mut Passage) {
        let Copy { at, source, destination, datagram, key } = copy;
        let Some(&node) = self.nodes.get(&(None, destination)) else { return passage.lose(Loss::Nobody) };
        match self.site(node).down.carry(at, &datagram, key) {
            Err(loss) => passage.lose(loss),
            Ok(carried) => {
                for at in carried.times() {
                    passage.arrive(Arrival { at, node, source, destination, datagram: datagram.clone() });
                }
            }
        }
    }

    fn site(&mut self, node: NodeId) -> &mut Site {
        &mut self.sites[node.0 as usize]
    }
}

/// A copy of a datagram on its way.
struct Copy {
    at: Instant,
    source: SocketAddr,
    destination: SocketAddr,
    datagram: Bytes,
    key: u64,
}

/// What the chances of a link are named by: where its node is.
fn link_name(local: SocketAddr, direction: u64) -> u64 {
    let ip = match local.ip() {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    };
    Draws::named([ip as u64, (ip >> 64) as u64, u64::from(local.port()), direction]).next_u64()
}
