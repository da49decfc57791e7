//! Two legs, and what passes between them; or one leg, a station, with the switch itself at the other end.

use super::latch::{Latch, PacketId, Reason, Trust};
use super::op::{Component, Kind, Learning, LegPlan, LegSocket, MediaReport, Party, PayloadTypes};
use super::op::{Refusal, RtcpPlan, SessionId, Silence, Way};
use super::playing::Playing;
use super::rtcp::{self, ReportBlock, SenderInfo};
use super::rtp::{self, Header};
use super::shard::{MediaDrop, Relay, Reports};
use super::stats::{LegStats, Received, Sent, Tally};
use super::tone::{PACKET_BYTES, Turn};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// The shortest silence that is an interruption, in ms. A sender that suppresses silence may send its comfort noise this
/// rarely (RFC 3389 §4 leaves the rate to it; once a second is slow).
pub const INTERRUPTION_MIN_MS: u32 = 1000;

/// One relayed stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) id: SessionId,
    /// Of the last op that was applied.
    pub(super) generation: u32,
    /// When it looks for silence next; kept by the shard.
    pub(super) check_at: Option<Instant>,
    /// When the watch for silence began.
    watched_since: Instant,
    caller: Leg,
    /// None of a station.
    callee: Option<Leg>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Leg {
    plan: LegPlan,
    /// The payload types that the plan's map changes: few packets have one.
    changed: PayloadTypes,
    rtp: Latch,
    rtcp: Latch,
    tally: Tally,
    received: Received,
    sent: Sent,
    played: Sent,
    rtcp_received: u64,
    rtcp_sent: u64,
    sender: Option<SenderInfo>,
    hears: Option<ReportBlock>,
    /// Media from the peer.
    heard: Watch,
    /// Media to the peer.
    served: Watch,
    /// What the switch sends to the peer. In a box, since most legs have none.
    playing: Option<Box<Playing>>,
}

/// One direction of a leg, watched for silence.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Watch {
    last: Instant,
    /// The silence that was told, by its beginning.
    told: Option<Instant>,
}

/// What a datagram is.
enum Content {
    KeepAlive,
    Rtp(Header),
    Rtcp,
    Datagram,
    Garbage,
}

impl Session {
    pub(super) fn new(now: Instant, id: SessionId, generation: u32, plans: &[LegPlan; 2]) -> Session {
        let [caller, callee] = plans.map(|plan| Leg::new(now, plan));
        Session { id, generation, check_at: None, watched_since: now, caller, callee: Some(callee) }
    }

    pub(super) fn station(now: Instant, id: SessionId, generation: u32, plan: LegPlan, playing: Playing) -> Session {
        let caller = Leg { playing: Some(Box::new(playing)), ..Leg::new(now, plan) };
        Session { id, generation, check_at: None, watched_since: now, caller, callee: None }
    }

    fn leg(&self, party: Party) -> Option<&Leg> {
        match party {
            Party::Caller => Some(&self.caller),
            Party::Callee => self.callee.as_ref(),
        }
    }

    fn leg_mut(&mut self, party: Party) -> Option<&mut Leg> {
        match party {
            Party::Caller => Some(&mut self.caller),
            Party::Callee => self.callee.as_mut(),
        }
    }

    pub(super) fn is_station(&self) -> bool {
        self.callee.is_none()
    }

    pub(super) fn plan(&self, party: Party) -> Result<&LegPlan, Refusal> {
        self.leg(party).map(|leg| &leg.plan).ok_or(Refusal::OneLeg)
    }

    pub(super) fn plans(&self) -> impl Iterator<Item = &LegPlan> {
        [Some(&self.caller), self.callee.as_ref()].into_iter().flatten().map(|leg| &leg.plan)
    }

    pub(super) fn latch(&self, party: Party, component: Component) -> Option<&Latch> {
        Some(self.leg(party)?.latch(component))
    }

    pub(super) fn stats(&self) -> [LegStats; 2] {
        Party::BOTH.map(|party| self.leg(party).map_or_else(LegStats::default, Leg::stats))
    }

    pub(super) fn playing(&self, party: Party) -> Option<&Playing> {
        self.leg(party)?.playing.as_deref()
    }

    /// Only of a leg that is there.
    pub(super) fn play(&mut self, party: Party, playing: Option<Playing>) {
        let leg = self.leg_mut(party).expect("one plays to a leg whose plan was looked at");
        leg.playing = playing.map(Box::new);
    }

    /// Gives the packet of what plays to a leg that is due now, and where it goes.
    pub(super) fn turn(
        &mut self,
        now: Instant,
        party: Party,
        out: &mut [u8; PACKET_BYTES],
        reports: &mut Reports,
    ) -> Option<(LegSocket, SocketAddr)> {
        let (id, is_station) = (self.id, self.is_station());
        let leg = self.leg_mut(party)?;
        let playing = leg.playing.as_mut()?;
        // one that holds a station wants no media
        let to = leg.rtp.target().filter(|_| !(is_station && leg.plan.is_held));
        let turn = playing.turn(now, to.map(|_| &mut *out));
        if turn == Turn::Ended {
            reports.answer(MediaReport::Played { session: id, generation: playing.generation });
        }
        let to = to.filter(|_| turn == Turn::Packet)?;
        let count = if is_station { &mut leg.sent } else { &mut leg.played };
        count.count(PACKET_BYTES);
        leg.served.last = now;
        Some((leg.plan.socket, to))
    }

    /// One leg as signalling has it now; the other stays as it is. Only of a leg that is there.
    pub(super) fn update(&mut self, now: Instant, party: Party, plan: LegPlan, learning: Learning) {
        let leg = match party {
            Party::Caller => &mut self.caller,
            Party::Callee => self.callee.as_mut().expect("one updates a leg whose plan was looked at"),
        };
        let watch = |plan: &LegPlan| (plan.is_held, plan.interruption, plan.interruption_after_ms);
        if watch(&leg.plan) != watch(&plan) {
            self.watched_since = now;
        }
        let reopen = learning == Learning::Reopen;
        leg.rtp.signal(now, plan.signalled, reopen);
        leg.rtcp.signal(now, plan.rtcp.signalled(), reopen);
        leg.changed = PayloadTypes::changed_by(&plan.payload_map);
        leg.plan = plan;
    }

    /// Decides about a packet that came to a leg, and edits it in place.
    pub(super) fn relay(
        &mut self,
        now: Instant,
        (party, component): (Party, Component),
        from: SocketAddr,
        packet: &mut [u8],
        reports: &mut Reports,
    ) -> Relay {
        let (leg, other) = match (party, &mut self.callee) {
            (Party::Caller, callee) => (&mut self.caller, callee.as_mut()),
            (Party::Callee, Some(callee)) => (callee, Some(&mut self.caller)),
            (Party::Callee, None) => unreachable!("no socket is that of a leg that is not there"),
        };
        let before = [leg.rtp.moves(), leg.rtcp.moves()];
        let relay = leg.pass(now, component, from, packet, other).unwrap_or_else(Relay::Drop);
        leg.tally.count(relay);
        for (component, before) in [(Component::Rtp, before[0]), (Component::Rtcp, before[1])] {
            let latch = leg.latch(component);
            if latch.moves() != before {
                let moved = *latch.moved();
                reports.tell(MediaReport::Latched { session: self.id, party, component, moved });
            }
        }
        relay
    }

    /// Tells the silences that have lasted too long, and returns when to look again.
    pub(super) fn check(&mut self, now: Instant, reports: &mut Reports) -> Option<Instant> {
        if self.plans().any(|plan| plan.is_held) {
            return None;
        }
        let mut next = None;
        for (party, leg) in [(Party::Caller, Some(&mut self.caller)), (Party::Callee, self.callee.as_mut())] {
            let Some(leg) = leg else { continue };
            let after = leg.interruption_after();
            for (way, watch) in [(Way::From, &mut leg.heard), (Way::To, &mut leg.served)] {
                if !leg.plan.interruption.watches(way) {
                    continue;
                }
                let since = watch.last.max(self.watched_since);
                let mut due = since + after;
                if due <= now {
                    if watch.told.replace(since) != Some(since) {
                        let silence = Silence { party, way, since };
                        reports.tell(MediaReport::Silent { session: self.id, silence });
                    }
                    due = now + after;
                }
                next = next.map_or(Some(due), |next: Instant| Some(next.min(due)));
            }
        }
        next
    }
}

impl Leg {
    fn new(now: Instant, plan: LegPlan) -> Leg {
        let watch = Watch { last: now, told: None };
        Leg {
            plan,
            changed: PayloadTypes::changed_by(&plan.payload_map),
            rtp: Latch::new(now, plan.signalled),
            rtcp: Latch::new(now, plan.rtcp.signalled()),
            tally: Tally::default(),
            received: Received::default(),
            sent: Sent::default(),
            played: Sent::default(),
            rtcp_received: 0,
            rtcp_sent: 0,
            sender: None,
            hears: None,
            heard: watch,
            served: watch,
            playing: None,
        }
    }

    fn latch(&self, component: Component) -> &Latch {
        match component {
            Component::Rtp => &self.rtp,
            Component::Rtcp => &self.rtcp,
        }
    }

    fn stats(&self) -> LegStats {
        let has_own_rtcp = matches!(self.plan.rtcp, RtcpPlan::Own { .. });
        LegStats {
            tally: self.tally,
            received: self.received,
            sent: self.sent,
            played: self.played,
            rtcp_received: self.rtcp_received,
            rtcp_sent: self.rtcp_sent,
            sender: self.sender,
            hears: self.hears,
            rtp: *self.rtp.moved(),
            rtcp: has_own_rtcp.then_some(*self.rtcp.moved()),
        }
    }

    fn interruption_after(&self) -> Duration {
        Duration::from_millis(self.plan.interruption_after_ms.max(INTERRUPTION_MIN_MS).into())
    }

    fn content(&self, component: Component, packet: &[u8]) -> Content {
        if packet.is_empty() {
            return Content::KeepAlive;
        }
        if self.plan.kind == Kind::Datagrams {
            return Content::Datagram;
        }
        if rtcp::is_rtcp(packet) {
            return Content::Rtcp;
        }
        if rtp::is_keep_alive(packet) {
            return Content::KeepAlive;
        }
        match Header::read(packet) {
            Some(header) if component == Component::Rtp => Content::Rtp(header),
            _ => Content::Garbage,
        }
    }

    /// From this leg to the other, or to the switch.
    fn pass(
        &mut self,
        now: Instant,
        component: Component,
        from: SocketAddr,
        packet: &mut [u8],
        other: Option<&mut Leg>,
    ) -> Result<Relay, MediaDrop> {
        let content = self.content(component, packet);
        let rtp = match content {
            Content::KeepAlive => return Ok(Relay::Consume),
            Content::Garbage => return Err(MediaDrop::NotRtp),
            Content::Rtp(header) => Some((header.ssrc, header.sequence)),
            Content::Rtcp | Content::Datagram => None,
        };
        self.admit(now, component, PacketId { from, rtp })?;
        match content {
            Content::Rtcp => {
                self.read_rtcp(packet, other.as_deref());
                return other.map_or(Ok(Relay::Consume), Leg::send_rtcp);
            }
            Content::Rtp(header) => self.take(now, header, packet),
            _ => self.received.take_datagram(packet.len()),
        }
        self.heard.last = now;
        match other {
            Some(Leg { playing: Some(_), .. }) => Err(MediaDrop::PlayedOver),
            Some(other) => other.send(now, packet.len()),
            None => self.answer(now, packet),
        }
    }

    /// Whether the packet is this leg's.
    fn admit(&mut self, now: Instant, component: Component, packet: PacketId) -> Result<(), MediaDrop> {
        if self.latch(component).is_locked_to(packet.from) {
            return Ok(());
        }
        let rtp_host = |latch: &Latch| latch.target().map(|target| target.ip());
        let before = rtp_host(&self.rtp);
        match component {
            Component::Rtp => {
                let host = Some(self.plan.signalling_host.to_canonical());
                // RTCP that is multiplexed says where RTCP is; by itself it is no reason to send media to anybody.
                let is_media = packet.rtp.is_some() || self.plan.kind == Kind::Datagrams;
                let anybody = self.plan.is_behind_nat && is_media;
                let trust = Trust { host, host_reason: Reason::SignallingHost, anybody };
                self.rtp.judge(now, packet, trust)?;
                match rtp_host(&self.rtp) {
                    Some(host) if before != Some(host) => self.rtcp.follow(now, host),
                    _ => {}
                }
                Ok(())
            }
            Component::Rtcp => {
                let trust = Trust { host: before, host_reason: Reason::RtpHost, anybody: false };
                self.rtcp.judge(now, packet, trust)
            }
        }
    }

    /// Counts a packet of RTP and gives it the payload type that the other leg knows it by.
    fn take(&mut self, now: Instant, header: Header, packet: &mut [u8]) {
        let payload_type = header.payload_type;
        let is_event = self.plan.events.has(payload_type);
        self.received.take(now, header, packet.len(), self.plan.clock_hz, is_event);
        if self.plan.kind == Kind::Rtp && self.changed.has(payload_type) {
            rtp::set_payload_type(packet, self.plan.payload_map.get(payload_type));
        }
    }

    /// Reads what the peer says. Of several blocks that about the other leg's source counts.
    fn read_rtcp(&mut self, compound: &[u8], other: Option<&Leg>) {
        self.rtcp_received += 1;
        if self.plan.kind == Kind::SecureRtp {
            return;
        }
        let theirs = other.and_then(|other| other.received.ssrc());
        for packet in rtcp::packets(compound) {
            self.sender = packet.sender().or(self.sender);
            self.hears = packet.blocks().find(|block| Some(block.ssrc) == theirs).or(self.hears);
        }
    }

    /// What the switch makes of media that comes to a station.
    fn answer(&mut self, now: Instant, packet: &mut [u8]) -> Result<Relay, MediaDrop> {
        let is_echoed = !self.plan.is_held && self.playing.as_ref().is_some_and(|playing| playing.echoes(packet));
        if is_echoed { self.send(now, packet.len()) } else { Ok(Relay::Consume) }
    }

    /// Media to the peer.
    fn send(&mut self, now: Instant, bytes: usize) -> Result<Relay, MediaDrop> {
        let to = self.rtp.target().ok_or(MediaDrop::NoTarget)?;
        self.sent.count(bytes);
        self.served.last = now;
        Ok(Relay::Forward { out: self.plan.socket, to })
    }

    /// RTCP to the peer.
    fn send_rtcp(&mut self) -> Result<Relay, MediaDrop> {
        let (out, to): (LegSocket, _) = match self.plan.rtcp {
            RtcpPlan::Off => return Err(MediaDrop::NoRtcp),
            RtcpPlan::Muxed => (self.plan.socket, self.rtp.target()),
            RtcpPlan::Own { socket, .. } => (socket, self.rtcp.target()),
        };
        let to = to.ok_or(MediaDrop::NoTarget)?;
        self.rtcp_sent += 1;
        Ok(Relay::Forward { out, to })
    }
}
