//! Who is where, and the chain of verdicts that a datagram passes on its way: link up, ALG, NAT out, partition, NAT in,
//! ALG, link down.

use super::alg::{Passing, Way};
use super::chance::{Draws, address_words};
use super::fault::Fault;
use super::link::Link;
use super::nat::{self, Nat};
use super::partition::{Direction, Partition, Stopped};
use super::passage::{Arrival, Loss, NatId, NodeId, Passage};
use super::plan::Plan;
use bytes::Bytes;
use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::Instant;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// What is left of a name for which part of the network it is.
const UP: u64 = 0;
const DOWN: u64 = 1;
const NAT: u64 = 2;

/// A node, its own address, and its two ways to the world or to its NAT.
#[derive(Debug)]
struct Site {
    local: SocketAddr,
    behind: Option<NatId>,
    up: Link,
    down: Link,
}

/// A NAT, and the one that it is behind itself.
#[derive(Debug)]
struct Gate {
    nat: Nat,
    behind: Option<NatId>,
}

/// All nodes and what lies between them.
///
/// A path has the latency of the sender's way up and of the receiver's way down. Everything is decided when a datagram
/// is sent, at the time that it will have come so far.
///
/// ```
/// use bytes::Bytes;
/// use crosspoint_core::{rng::Seed, time::Instant};
/// use crosspoint_sim::net::{Loss, Network, Plan, nat};
///
/// let address = |text: &str| text.parse().unwrap();
/// let mut network = Network::new(Seed::from_number(7));
/// let server = network.add_node(address("192.0.2.1:5060"), None, Plan::AT_ONCE, Plan::AT_ONCE);
/// let home = network.add_nat(nat::Settings::new("198.51.100.1".parse().unwrap()));
/// let phone = network.add_node(address("10.0.0.5:5060"), Some(home), Plan::GOOD, Plan::GOOD);
///
/// let ping = Bytes::from_static(b"\r\n\r\n");
/// let passage = network.send(Instant::EPOCH, phone, address("192.0.2.1:5060"), ping.clone(), 0);
/// let arrival = passage.arrivals.into_iter().next().unwrap();
/// assert_eq!((arrival.node, arrival.at), (server, Instant::from_micros(1000)));
/// assert_eq!(arrival.source.ip().to_string(), "198.51.100.1");
///
/// let passage = network.send(arrival.at, server, arrival.source, ping.clone(), 0);
/// assert_eq!(passage.arrivals.into_iter().next().unwrap().node, phone);
///
/// let much_later = Instant::from_micros(60_000_000);
/// assert_eq!(network.send(much_later, server, arrival.source, ping, 0).lost, Some(Loss::NatExpired));
/// ```
#[derive(Debug)]
pub struct Network {
    seed: Seed,
    sites: Vec<Site>,
    /// Who has which address: outside, or behind which NAT.
    nodes: BTreeMap<(Option<NatId>, SocketAddr), NodeId>,
    nats: Vec<Gate>,
    /// Which NAT has which address, likewise.
    publics: BTreeMap<(Option<NatId>, IpAddr), NatId>,
    partitions: Vec<Partition>,
}

/// A copy of a datagram on its way.
struct Copy {
    at: Instant,
    from: NodeId,
    source: SocketAddr,
    destination: SocketAddr,
    datagram: Bytes,
    key: u64,
}

impl Network {
    /// An empty network; all its chances come from this seed.
    pub fn new(seed: Seed) -> Network {
        Network {
            seed,
            sites: Vec::new(),
            nodes: BTreeMap::new(),
            nats: Vec::new(),
            publics: BTreeMap::new(),
            partitions: Vec::new(),
        }
    }

    /// Adds a NAT. Nodes are put behind it with [`Network::add_node`].
    ///
    /// # Panics
    /// Where another one has the address.
    pub fn add_nat(&mut self, settings: nat::Settings) -> NatId {
        self.add_nat_behind(None, settings)
    }

    /// Adds a NAT that is behind another one itself, as a home is behind its carrier's (RFC 6888).
    ///
    /// # Panics
    /// Where another one there has the address.
    pub fn add_nat_behind(&mut self, behind: Option<NatId>, settings: nat::Settings) -> NatId {
        let id = NatId(u32::try_from(self.nats.len()).expect("the NATs of a network fit into memory"));
        let before = self.publics.insert((behind, settings.public), id);
        assert!(before.is_none(), "two NATs at {}", settings.public);
        let name = self.stream(SocketAddr::new(settings.public, 0), behind, NAT).next_u64();
        self.nats.push(Gate { nat: Nat::new(settings, name), behind });
        id
    }

    /// Adds a node at this address, outside or behind a NAT, with these ways out and in. Two NATs may have the same
    /// addresses behind them. What a link draws is named by the addresses, so that one node more or less changes nothing
    /// for the others.
    ///
    /// # Panics
    /// Where another node has the address.
    pub fn add_node(&mut self, local: SocketAddr, behind: Option<NatId>, up: Plan, down: Plan) -> NodeId {
        let node = NodeId(u32::try_from(self.sites.len()).expect("the nodes of a network fit into memory"));
        let link = |plan, direction| Link::new(plan, self.stream(local, behind, direction));
        let (up, down) = (link(up, UP), link(down, DOWN));
        self.sites.push(Site { local, behind, up, down });
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

    /// Takes a node off the network: nobody is at its addresses any more. What is on its way still arrives.
    pub fn remove_node(&mut self, node: NodeId) {
        self.nodes.retain(|_, of| *of != node);
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

    /// Lets a NAT forget everything, as one does that lost its power.
    pub fn reboot_nat(&mut self, nat: NatId) {
        self.gate(nat).nat.reboot();
    }

    /// Parts these nodes from all others until then.
    pub fn partition(&mut self, side: &[NodeId], direction: Direction, stopped: Stopped, until: Instant) {
        self.partitions.push(Partition::new(side, direction, stopped, until));
    }

    /// Makes every link good, ends every partition and forgets what is scripted. NATs and their ALGs stay as they are.
    pub fn calm(&mut self) {
        self.partitions.clear();
        for link in self.sites.iter_mut().flat_map(|site| [&mut site.up, &mut site.down]) {
            link.plan = link.plan.calmed();
            link.faults.clear();
        }
    }

    /// Who would get what is sent to this address outside, if it came through.
    pub fn node_at(&self, now: Instant, address: SocketAddr) -> Option<NodeId> {
        self.find(now, None, address).ok()
    }

    /// As whom a node's own address is seen at that far end now: nothing where a NAT has no mapping for it.
    pub fn outside_of(&self, now: Instant, node: NodeId, far: SocketAddr) -> Option<SocketAddr> {
        let Site { local, behind, .. } = &self.sites[node.0 as usize];
        let (mut seen, mut realm) = (*local, *behind);
        while let Some(nat) = realm {
            let gate = &self.nats[nat.0 as usize];
            (seen, realm) = (gate.nat.outside_of(now, seen, far)?, gate.behind);
        }
        Some(seen)
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
        destination: SocketAddr,
        datagram: Bytes,
        key: u64,
    ) -> Passage {
        let mut passage = Passage::default();
        match self.site(from).up.carry(now, &datagram, key) {
            Err(loss) => passage.lose(loss),
            Ok(carried) => {
                for (at, datagram) in carried.copies(datagram) {
                    let copy = Copy { at, from, source, destination, datagram, key };
                    if let Err(loss) = self.pass(copy, &mut passage) {
                        passage.lose(loss);
                    }
                }
            }
        }
        passage
    }

    /// Takes a copy that has left its sender's link to wherever it is meant for: out through NATs until somebody has the
    /// destination, and in through those that he is behind.
    fn pass(&mut self, mut copy: Copy, passage: &mut Passage) -> Result<(), Loss> {
        let mut realm = self.site(copy.from).behind;
        while let Some(nat) = realm {
            // neighbours behind one NAT reach each other without it
            if self.find(copy.at, realm, copy.destination) != Err(Loss::Nobody) {
                break;
            }
            realm = self.gate(nat).behind;
            self.leave(nat, &mut copy)?;
        }
        let node = self.find(copy.at, realm, copy.destination)?;
        self.part(&mut copy, node)?; // what never comes to a NAT refreshes nothing there
        while realm != self.site(node).behind {
            let nat = self.publics[&(realm, copy.destination.ip())];
            self.enter(nat, &mut copy)?;
            realm = Some(nat);
        }
        self.arrive(copy, node, passage)
    }

    /// Who has an address in the realm behind this NAT, or outside, himself or through NATs that are there.
    fn find(&self, at: Instant, mut realm: Option<NatId>, mut address: SocketAddr) -> Result<NodeId, Loss> {
        loop {
            if let Some(&node) = self.nodes.get(&(realm, address)) {
                return Ok(node);
            }
            let nat = *self.publics.get(&(realm, address.ip())).ok_or(Loss::Nobody)?;
            address = self.nats[nat.0 as usize].nat.inside_of(at, address.port()).ok_or(Loss::NatExpired)?;
            realm = Some(nat);
        }
    }

    /// From behind a NAT to the outside.
    fn leave(&mut self, nat: NatId, copy: &mut Copy) -> Result<(), Loss> {
        let nat = &mut self.gate(nat).nat;
        if copy.destination.ip() == nat.settings.public && !nat.settings.has_hairpin {
            return Err(Loss::NoHairpin);
        }
        let (at, inside) = (copy.at, copy.source);
        copy.source = nat.outward(at, inside, copy.destination)?;
        if let Some(settings) = nat.settings.alg.filter(|alg| alg.port == copy.destination.port()) {
            let outside = copy.source;
            let mut instead = |address: SocketAddr| match address.port() {
                // that of a `c=` line has none; that of refused media is none and stays (RFC 3264 §6)
                0 => Some(SocketAddr::new(outside.ip(), 0)),
                _ if address == inside => Some(outside),
                _ => nat.open(at, address).ok(),
            };
            let replaced = inside.ip();
            let mut passing = Passing { settings: &settings, way: Way::Out, replaced, instead: &mut instead };
            copy.datagram = passing.pass(&copy.datagram)?;
        }
        Ok(())
    }

    /// From the outside to behind a NAT.
    fn enter(&mut self, nat: NatId, copy: &mut Copy) -> Result<(), Loss> {
        let nat = &mut self.gate(nat).nat;
        copy.destination = nat.inward(copy.at, copy.destination.port(), copy.source)?;
        if let Some(settings) = nat.settings.alg.filter(|alg| alg.port == copy.source.port()) {
            let (at, replaced) = (copy.at, nat.settings.public);
            let mut instead = |address: SocketAddr| nat.inside_of(at, address.port());
            let mut passing = Passing { settings: &settings, way: Way::In, replaced, instead: &mut instead };
            copy.datagram = passing.pass(&copy.datagram)?;
        }
        Ok(())
    }

    /// What the partitions say to a copy on its way to this node.
    fn part(&self, copy: &mut Copy, node: NodeId) -> Result<(), Loss> {
        for partition in &self.partitions {
            if partition.stops(copy.at, copy.from, node) {
                match partition.stopped {
                    Stopped::Lost => return Err(Loss::Partitioned),
                    Stopped::Held => copy.at = partition.until,
                }
            }
        }
        Ok(())
    }

    /// Over the last link, to the node.
    fn arrive(&mut self, copy: Copy, node: NodeId, passage: &mut Passage) -> Result<(), Loss> {
        let Copy { at, source, destination, datagram, key, .. } = copy;
        let carried = self.site(node).down.carry(at, &datagram, key)?;
        for (at, datagram) in carried.copies(datagram) {
            passage.arrive(Arrival { at, node, source, destination, datagram });
        }
        Ok(())
    }

    /// The stream of the part of this network that is at this address.
    fn stream(&self, address: SocketAddr, mut behind: Option<NatId>, part: u64) -> Stream {
        let mut name = Draws::named(address_words(address).into_iter().chain([part])).next_u64();
        while let Some(nat) = behind {
            let gate = &self.nats[nat.0 as usize];
            let public = SocketAddr::new(gate.nat.settings.public, 0);
            name = Draws::named(address_words(public).into_iter().chain([name])).next_u64();
            behind = gate.behind;
        }
        Stream::new(self.seed, name)
    }

    fn gate(&mut self, nat: NatId) -> &mut Gate {
        &mut self.nats[nat.0 as usize]
    }

    fn site(&mut self, node: NodeId) -> &mut Site {
        &mut self.sites[node.0 as usize]
    }
}

#[cfg(test)]
mod tests;
