//! Where a leg's media goes: what signalling says, what packets show, and from when on nothing moves it any more.
//!
//! | state | the target is | a packet |
//! |---|---|---|
//! | signalled | what the description says | from a trusted source moves it |
//! | learned | where a packet came from, other than described | from a better source moves it, while the window is open |
//! | locked | final | from elsewhere is rejected; only signalling moves it |
//!
//! Sources by preference: the signalled address, which locks at once; the host of the peer's signalling (of its RTP, for
//! RTCP); anywhere, where the peer is behind an address translator and the window is open. One of the same rank never
//! displaces another, so a target moves three times in a window at most.

use super::shard::MediaDrop;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long after signalling a leg may be learned from anywhere, and how long better sources may displace worse ones. A
/// phone's media follows its answer within a round trip; where the 200 or the ACK is lost twice it follows after 1.5 s
/// (RFC 3261 §17, T1), three times after 3.5 s. Longer would only serve strangers.
pub const LEARNING_WINDOW: Duration = Duration::from_secs(5);

/// How long packets from the address that signalling moved a leg away from count as the leg's, without moving it: what
/// was under way at the time. Paths and jitter buffers hold less than half a second.
pub const LATE: Duration = Duration::from_millis(500);

/// How settled a target is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TargetState {
    /// As signalling says; no packet has shown anything.
    #[default]
    Signalled,
    /// As a packet showed; a better source may still come.
    Learned,
    /// Final, until signalling opens it again.
    Locked,
}

impl TargetState {
    /// As in events and explanations.
    pub fn name(self) -> &'static str {
        match self {
            TargetState::Signalled => "signalled",
            TargetState::Learned => "learned",
            TargetState::Locked => "locked",
        }
    }
}

/// What moved a target to where and how it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// Signalling named an address.
    #[default]
    Signalling,
    /// Signalling opened the window again; the address stayed.
    Reopened,
    /// RTP moved to another host, so that RTCP had to be learned anew.
    RtpMoved,
    /// A packet came from the signalled address.
    SignalledAddress,
    /// A packet came from the host of the peer's signalling.
    SignallingHost,
    /// An RTCP packet came from the host of the peer's RTP.
    RtpHost,
    /// A packet came from elsewhere, to a leg behind an address translator.
    BehindNat,
    /// The window closed.
    WindowOver,
}

impl Reason {
    /// As in events and explanations.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Signalling => "signalling",
            Reason::Reopened => "reopened",
            Reason::RtpMoved => "rtp_moved",
            Reason::SignalledAddress => "signalled_address",
            Reason::SignallingHost => "signalling_host",
            Reason::RtpHost => "rtp_host",
            Reason::BehindNat => "behind_nat",
            Reason::WindowOver => "window_over",
        }
    }

    /// How good a source is that this speaks for.
    fn rank(self) -> u8 {
        match self {
            Reason::SignalledAddress => 3,
            Reason::SignallingHost | Reason::RtpHost => 2,
            Reason::BehindNat => 1,
            Reason::Signalling | Reason::Reopened | Reason::RtpMoved | Reason::WindowOver => 0,
        }
    }
}

/// What a target is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketId {
    /// Where it came from.
    pub(super) from: SocketAddr,
    /// SSRC and sequence number, of RTP.
    pub(super) rtp: Option<(u32, u16)>,
}

/// A target with what brought it about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// How settled it is.
    pub state: TargetState,
    /// Where media goes; `None` where signalling names no address and no packet has come.
    pub target: Option<SocketAddr>,
    /// Why.
    pub reason: Reason,
    /// SSRC and sequence number of the packet that did it, where it was one of RTP. It came from the target: enough to find
    /// it in a capture.
    pub rtp: Option<(u32, u16)>,
    /// When.
    pub at: Instant,
}

/// Whom to believe besides the signalled address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    pub(super) host: Option<IpAddr>,
    /// The reason to give for that host.
    pub(super) host_reason: Reason,
    /// Whether anybody, while the window is open.
    pub(super) anybody: bool,
}

/// The target of one component of a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Latch {
    signalled: Option<SocketAddr>,
    moved: Move,
    /// How often that has changed.
    moves: u32,
    window_over: Instant,
    /// Where signalling moved it away from, and until when packets from there are late ones. In a box, since most legs
    /// never move.
    left: Option<Box<(SocketAddr, Instant)>>,
}

/// IPv4 as IPv4, whatever the socket makes of it.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(v4) if address.is_ipv6() => SocketAddr::new(v4.into(), address.port()),
        _ => address,
    }
}

/// The address, where one can send there: `0.0.0.0` is a hold of old (RFC 3264 §8.4) and port 0 a refusal (§6).
fn usable(address: Option<SocketAddr>) -> Option<SocketAddr> {
    address.map(canonical).filter(|address| !address.ip().is_unspecified() && address.port() != 0)
}

impl Latch {
    pub(super) fn new(now: Instant, signalled: Option<SocketAddr>) -> Latch {
        let signalled = usable(signalled);
        let moved =
            Move { state: TargetState::Signalled, target: signalled, reason: Reason::Signalling, rtp: None, at: now };
        Latch { signalled, moved, moves: 0, window_over: now + LEARNING_WINDOW, left: None }
    }

    /// Where media goes.
    pub(super) fn target(&self) -> Option<SocketAddr> {
        self.moved.target
    }

    /// Whether it has settled on this source: as nearly all packets find it.
    pub(super) fn is_locked_to(&self, from: SocketAddr) -> bool {
        self.moved.state == TargetState::Locked && self.moved.target == Some(from)
    }

    pub(super) fn moved(&self) -> &Move {
        &self.moved
    }

    /// Counts on whenever target or state change.
    pub(super) fn moves(&self) -> u32 {
        self.moves
    }

    /// Signalling speaks. Another address than before is where media goes from now on; the same one changes nothing
    /// unless the window is to open again, and then media goes on to where it went.
    pub(super) fn signal(&mut self, now: Instant, signalled: Option<SocketAddr>, reopen: bool) {
        let signalled = usable(signalled);
        if signalled != self.signalled {
            // a first description moves nobody: what was learned before it is still the peer, and is learned again
            let left = self.signalled.and(self.target()).map(|target| Box::new((target, now + LATE)));
            *self = Latch { left, moves: self.moves.wrapping_add(1), ..Latch::new(now, signalled) };
        } else if reopen {
            let state = TargetState::Signalled;
            self.move_to(Move { state, reason: Reason::Reopened, rtp: None, at: now, ..self.moved });
            self.window_over = now + LEARNING_WINDOW;
        }
    }

    /// RTP is at this host now. A target that was learned by RTP's host before is not trusted any longer.
    pub(super) fn follow(&mut self, now: Instant, rtp_host: IpAddr) {
        let is_elsewhere = self.target().is_some_and(|target| target.ip() != rtp_host);
        if is_elsewhere && self.target() != self.signalled {
            *self = Latch { moves: self.moves.wrapping_add(1), ..Latch::new(now, self.signalled) };
            self.moved.reason = Reason::RtpMoved;
        }
    }

    /// Whether a packet is the leg's, and moves the target where it shows a better one.
    pub(super) fn judge(&mut self, now: Instant, packet: PacketId, trust: Trust) -> Result<(), MediaDrop> {
        if self.moved.state == TargetState::Learned && now >= self.window_over {
            // the packet that had it learned stays the one that is shown
            self.move_to(Move { state: TargetState::Locked, reason: Reason::WindowOver, at: now, ..self.moved });
        }
        let from = packet.from;
        let is_target = self.target() == Some(from);
        if self.moved.state != TargetState::Signalled && is_target || self.is_late(now, from) {
            return Ok(());
        }
        if self.moved.state == TargetState::Locked {
            return Err(MediaDrop::Spoofed);
        }
        let reason = self.reason(now, from, trust).ok_or(MediaDrop::Untrusted)?;
        if self.moved.state == TargetState::Learned && reason.rank() <= self.moved.reason.rank() {
            return Err(MediaDrop::Untrusted);
        }
        let is_final = reason == Reason::SignalledAddress || now >= self.window_over;
        let state = if is_final { TargetState::Locked } else { TargetState::Learned };
        self.move_to(Move { state, target: Some(from), reason, rtp: packet.rtp, at: now });
        Ok(())
    }

    fn move_to(&mut self, moved: Move) {
        self.moved = moved;
        self.moves = self.moves.wrapping_add(1);
    }

    fn is_late(&self, now: Instant, from: SocketAddr) -> bool {
        let is_its = |(left, until): &(SocketAddr, Instant)| *left == from && now < *until;
        self.left.as_deref().is_some_and(is_its) && self.signalled != Some(from)
    }

    /// Why a packet from there may move the target, if it may.
    fn reason(&self, now: Instant, from: SocketAddr, trust: Trust) -> Option<Reason> {
        if self.signalled == Some(from) {
            Some(Reason::SignalledAddress)
        } else if trust.host == Some(from.ip()) {
            Some(trust.host_reason)
        } else {
            (trust.anybody && now < self.window_over).then_some(Reason::BehindNat)
        }
    }
}

#[cfg(test)]
mod tests;
