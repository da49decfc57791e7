//! What became of one datagram.

use bytes::Bytes;
use crosspoint_core::time::Instant;
use std::net::SocketAddr;

/// A node of a [`super::Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// A NAT of a [`super::Network`], and with it the site of private addresses behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NatId(pub u32);

/// A copy of a datagram that arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// Where.
    pub node: NodeId,
    /// Whom it seems to come from: the outside of the last NAT on its way.
    pub source: SocketAddr,
    /// Which of the node's addresses it reaches.
    pub destination: SocketAddr,
    /// What it has become.
    pub datagram: Bytes,
}

/// The copies that arrive: nearly always one, which then takes no memory of its own. Not in the order of arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    first: Option<Arrival>,
    more: Vec<Arrival>,
}

impl Arrivals {
    /// How many.
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    /// Whether nothing arrives.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// To look at.
    pub fn iter(&self) -> impl Iterator<Item = &Arrival> {
        self.first.iter().chain(&self.more)
    }

    pub(super) fn push(&mut self, arrival: Arrival) {
        match self.first {
            None => self.first = Some(arrival),
            Some(_) => self.more.push(arrival),
        }
    }
}

impl IntoIterator for Arrivals {
    type Item = Arrival;
    type IntoIter = std::iter::Chain<std::option::IntoIter<Arrival>, std::vec::IntoIter<Arrival>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.more)
    }
}

/// What became of one datagram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// The copies that arrive.
    pub arrivals: Arrivals,
    /// Why there is none; nothing where there is one.
    pub lost: Option<Loss>,
}

impl Passage {
    /// A copy is lost, which says something only while no other arrives.
    pub(super) fn lose(&mut self, loss: Loss) {
        if self.arrivals.is_empty() {
            self.lost.get_or_insert(loss);
        }
    }

    /// A copy arrives.
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        self.arrivals.push(arrival);
        self.lost = None;
    }
}

/// Why nothing arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// The link lost it, by chance or by script.
    Lost,
    /// Nobody is at that address; a kernel would say so by ICMP.
    Nobody,
    /// It is larger than what the link takes.
    TooBig,
    /// The queue before the link is full.
    QueueFull,
    /// The two sides are parted.
    Partitioned,
    /// No mapping of the NAT lives at that port: it expired, went with a reboot, or never was.
    NatExpired,
    /// The NAT lets this sender in to nobody there (RFC 4787 §5).
    NatFiltered,
    /// The NAT has no port left.
    NatFull,
    /// The NAT does not lead back what comes from behind it (RFC 4787 §6).
    NoHairpin,
    /// The ALG's buffer is too small for it.
    AlgDropped,
}

impl Loss {
    /// One word, for a ladder.
    pub const fn word(self) -> &'static str {
        match self {
            Loss::Lost => "lost",
            Loss::Nobody => "nobody",
            Loss::TooBig => "too-big",
            Loss::QueueFull => "queue-full",
            Loss::Partitioned => "partitioned",
            Loss::NatExpired => "nat-expired",
            Loss::NatFiltered => "nat-filtered",
            Loss::NatFull => "nat-full",
            Loss::NoHairpin => "no-hairpin",
            Loss::AlgDropped => "alg-dropped",
        }
    }
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}
