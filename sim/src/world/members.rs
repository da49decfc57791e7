//! Who is there besides the switch: by index, by name, by node of the network.

use super::agenda::Alarm;
use crate::net::NodeId;
use crate::phone::{Notice, Phone};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A phone and where it is.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) phone: Phone,
    pub(super) node: NodeId,
    pub(super) notices: Vec<Notice>,
    pub(super) alarm: Alarm,
    pub(super) audio_alarm: Alarm,
    /// As it said when it last did something.
    pub(super) is_quiet: bool,
}

/// All of them. None is ever asked unless something happens to it.
#[derive(Default)]
pub(super) struct Members {
    pub(super) all: Vec<Member>,
    by_name: BTreeMap<String, usize>,
    /// By the number of the node; none for nodes that are no members.
    by_node: Vec<Option<usize>>,
    /// How many are not quiet.
    pub(super) busy: usize,
}

impl Members {
    /// Adds one; its index.
    pub(super) fn add(&mut self, name: &str, phone: Phone, node: NodeId) -> usize {
        let index = self.all.len();
        let place = node.0 as usize;
        self.by_node.resize(self.by_node.len().max(place + 1), None);
        self.by_node[place] = Some(index);
        self.by_name.entry(name.to_owned()).or_insert(index);
        let (alarm, audio_alarm) = Default::default();
        let name = name.to_owned();
        self.all.push(Member { name, phone, node, notices: Vec::new(), alarm, audio_alarm, is_quiet: true });
        index
    }

    /// The index of the one of this name.
    pub(super) fn index(&self, name: &str) -> usize {
        let index = self.by_name.get(name).copied();
        index.unwrap_or_else(|| panic!("there is no phone {name} in this world"))
    }

    /// The one of this name.
    pub(super) fn of_name(&self, name: &str) -> &Member {
        &self.all[self.index(name)]
    }

    /// The one at this node of the network.
    pub(super) fn at(&self, node: NodeId) -> Option<usize> {
        self.by_node.get(node.0 as usize).copied().flatten()
    }

    /// Takes down whether this member is quiet.
    pub(super) fn note_quiet(&mut self, index: usize) {
        let member = &mut self.all[index];
        let was_quiet = std::mem::replace(&mut member.is_quiet, member.phone.is_quiet());
        match (was_quiet, member.is_quiet) {
            (true, false) => self.busy += 1,
            (false, true) => self.busy -= 1,
            _ => {}
        }
    }
}

/// The address of the n-th phone: three digits at the end, so that none is the beginning of another.
pub(super) fn address(index: usize) -> SocketAddr {
    /// 100 to 255.
    const VALUES: usize = 156;
    let octet = |digit| u8::try_from(100 + digit).ok().filter(|_| digit < VALUES).expect("a world has 24,336 phones");
    let third = if index < VALUES { 1 } else { octet(index / VALUES) };
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, third, octet(index % VALUES))), 5060)
}
