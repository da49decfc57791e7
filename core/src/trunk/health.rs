//! Whether a gateway answers: rounds of OPTIONS (RFC 3261 §11), and thresholds on their outcome.
//!
//! A round asks one peer after the other until one answers; a gateway is as alive as the best of its peers. Every final
//! answer shows life but 408 and 503: a proxy says with the one that what stands behind it does not answer, and with the
//! other that it wants no requests (RFC 3261 §21.4.9, §21.5.4).

use super::event::{self, Change};
use super::request::Head;
use super::target::targets_of;
use super::{ROLE_PING, TrunkId, offset, owner};
use crate::config::Gateway;
use crate::cx::Cx;
use crate::time::Instant;
use crate::timers::{TimerId, TimerKey, TrunkTimer};
use crate::transaction::{ClientId, Kind, NewRequest, Transactions};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a peer may take: by then it has been asked four times (after 0, 0.5, 1.5 and 3.5 s). A shorter interval cuts
/// it short.
const PATIENCE: Duration = Duration::from_secs(4);

/// The shortest pause between two rounds, where one lasted longer than the interval.
const PAUSE: Duration = Duration::from_secs(1);

/// The health of one gateway. It counts as up until it was found down.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Health {
    is_down: bool,
    /// Rounds in a row that speak against the state it is in.
    against: u32,
    rtt_ms: Option<u64>,
    round: Option<Round>,
    timer: Option<TimerId>,
}

/// Peers being asked, one after the other.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Round {
    began: Instant,
    /// Which peer is asked now, by its place, and since when.
    peer: usize,
    asked: Instant,
    client: ClientId,
}

impl Health {
    pub(super) fn is_down(&self) -> bool {
        self.is_down
    }

    /// Whether a round is under way.
    pub(super) fn is_asking(&self) -> bool {
        self.round.is_some()
    }

    /// Milliseconds that the last answer took.
    pub(super) fn rtt_ms(&self) -> Option<u64> {
        self.rtt_ms
    }

    pub(super) fn timers(&self) -> usize {
        usize::from(self.timer.is_some())
    }

    /// Arms the first round, at a moment of its own for each gateway.
    pub(super) fn start(&mut self, cx: &mut Cx, id: TrunkId, gateway: &Gateway) {
        if gateway.ping.every_s > 0 {
            let after = offset(&gateway.name, Duration::from_secs(gateway.ping.every_s.into()));
            self.arm(cx, id, cx.now.mono + after);
        }
    }

    /// Lets go of the round under way and of the next one.
    pub(super) fn stop(&mut self, cx: &mut Cx, transactions: &mut Transactions) {
        cx.timers.cancel(&mut self.timer);
        if let Some(round) = self.round.take() {
            transactions.disown(cx, round.client);
        }
    }

    /// The next round is due, or a peer has taken too long.
    pub(super) fn fire(&mut self, cx: &mut Cx, transactions: &mut Transactions, id: TrunkId, gateway: &Gateway) {
        self.timer = None;
        match self.round {
            Some(_) => self.on_silence(cx, transactions, id, gateway),
            None => self.ask(cx, transactions, id, gateway, 0, cx.now.mono),
        }
    }

    /// The peer that was asked has answered finally.
    pub(super) fn on_status(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        id: TrunkId,
        gateway: &Gateway,
        status: u16,
    ) {
        let Some(round) = self.round else { return };
        if matches!(status, 408 | 503) {
            return self.on_silence(cx, transactions, id, gateway);
        }
        self.rtt_ms = Some(cx.now.mono.since(round.asked).as_millis() as u64);
        self.end(cx, id, gateway, round.began, true);
    }

    /// The peer that was asked has not answered, or as good as not: the next one is.
    pub(super) fn on_silence(&mut self, cx: &mut Cx, transactions: &mut Transactions, id: TrunkId, gateway: &Gateway) {
        let Some(round) = self.round.take() else { return };
        transactions.disown(cx, round.client);
        self.ask(cx, transactions, id, gateway, round.peer + 1, round.began);
    }

    /// Asks the first peer from this place on that a request can be sent to; ends the round where there is none.
    fn ask(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        id: TrunkId,
        gateway: &Gateway,
        from: usize,
        began: Instant,
    ) {
        for (peer, target) in targets_of(gateway).into_iter().enumerate().skip(from) {
            if let Some(client) = options(cx, transactions, id, target) {
                self.round = Some(Round { began, peer, asked: cx.now.mono, client });
                let patience = PATIENCE.min(Duration::from_secs(gateway.ping.every_s.into()));
                return self.arm(cx, id, cx.now.mono + patience);
            }
        }
        self.end(cx, id, gateway, began, false);
    }

    /// Counts the outcome of a round, and arms the next one.
    fn end(&mut self, cx: &mut Cx, id: TrunkId, gateway: &Gateway, began: Instant, is_alive: bool) {
        self.round = None;
        cx.counters.ping_rounds += 1;
        cx.counters.ping_rounds_failed += u64::from(!is_alive);
        self.against = if is_alive == self.is_down { self.against + 1 } else { 0 };
        let needed = if self.is_down { gateway.ping.oks } else { gateway.ping.fails };
        if self.against >= needed {
            self.is_down = !self.is_down;
            let change = if self.is_down { Change::Down } else { Change::Up };
            cx.counters.trunks_down += u64::from(self.is_down);
            event::tell(cx, &gateway.name, change, format!("{} rounds of OPTIONS", self.against));
            self.against = 0;
        }
        let next = began + Duration::from_secs(gateway.ping.every_s.into());
        self.arm(cx, id, next.max(cx.now.mono + PAUSE));
    }

    fn arm(&mut self, cx: &mut Cx, id: TrunkId, at: Instant) {
        cx.timers.cancel(&mut self.timer);
        self.timer = Some(cx.timers.arm(at, TimerKey::Trunk(id.to_bits(), TrunkTimer::Ping)));
    }
}

/// Sends OPTIONS; none where there is no way, or no room for the transaction.
fn options(cx: &mut Cx, transactions: &mut Transactions, id: TrunkId, target: SocketAddr) -> Option<ClientId> {
    let flow = cx.config.flow_to(target)?;
    let contact = cx.config.listen[usize::from(flow.socket.0)].advertise;
    let uri = format!("sip:{target}");
    let from = format!("sip:{}", cx.config.domain);
    let (tag, call_id) = (cx.rng.ids.token(), cx.rng.ids.token::<24>());
    let head = Head { flow, method: "OPTIONS", uri: &uri, from: &from, to: &uri, tag, call_id: &call_id, cseq: 1 };
    let (mut writer, branch) = head.write(cx);
    writer.header_fmt("Contact", format_args!("<sip:{contact}>")).header("Accept", "application/sdp");
    let new = NewRequest { flow, kind: Kind::Other, branch, bytes: writer.finish(b"") };
    transactions.request(cx, new, owner(id.to_bits(), ROLE_PING))
}
