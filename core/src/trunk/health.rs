//! Whether a gateway answers: rounds of OPTIONS (RFC 3261 §11), and thresholds on their outcome.
//!
//! A round asks one peer after the other until one answers; a gateway is as alive as the best of its peers. Every final
//! answer shows life but 408 and 503: a proxy says with the one that what stands behind it does not answer, and with the
//! other that it wants no requests (RFC 3261 §21.4.9, §21.5.4).

use super::event::{self, Change};
use super::request::Head;
use super::target::{Next, Place, Search};
use super::{Lent, ROLE_PING, TrunkId, offset, owner};
use crate::config::Gateway;
use crate::cx::Cx;
use crate::dns::Answer;
use crate::time::Instant;
use crate::timers::{TimerId, TimerKey, TrunkTimer};
use crate::transaction::{ClientId, Kind, NewRequest, Owner, Transactions};
use serde::{Deserialize, Serialize};
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
    search: Search,
    /// For the next round, or for the answer of a peer. A lookup has its own limit.
    timer: Option<TimerId>,
}

/// Peers being asked, one after the other.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Round {
    began: Instant,
    /// The OPTIONS under way, and since when; none while a name is looked up.
    asked: Option<(Instant, ClientId)>,
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
        self.search.restart();
        if let Some((_, client)) = self.round.take().and_then(|round| round.asked) {
            transactions.disown(cx, client);
        }
    }

    /// Another gateway under the same name begins, after [`Health::stop`].
    pub(super) fn forget(&mut self) {
        *self = Health { search: std::mem::take(&mut self.search), ..Health::default() };
    }

    /// The next round is due, or a peer has taken too long.
    pub(super) fn fire(&mut self, lent: &mut Lent<'_>, id: TrunkId, gateway: &Gateway) {
        self.timer = None;
        match self.round {
            Some(_) => self.on_silence(lent, id, gateway),
            None => {
                self.search.restart();
                self.ask(lent, id, gateway, lent.cx.now.mono);
            }
        }
    }

    /// The peer that was asked has answered finally.
    pub(super) fn on_status(&mut self, lent: &mut Lent<'_>, id: TrunkId, gateway: &Gateway, status: u16) {
        let Some(Round { began, asked: Some((asked, _)) }) = self.round else { return };
        if matches!(status, 408 | 503) {
            return self.on_silence(lent, id, gateway);
        }
        self.rtt_ms = Some(lent.cx.now.mono.since(asked).as_millis() as u64);
        self.end(lent.cx, id, gateway, began, true);
    }

    /// The peer that was asked has not answered, or as good as not: the next one is.
    pub(super) fn on_silence(&mut self, lent: &mut Lent<'_>, id: TrunkId, gateway: &Gateway) {
        let Some(Round { began, asked: Some((_, client)) }) = self.round else { return };
        lent.transactions.disown(lent.cx, client);
        self.ask(lent, id, gateway, began);
    }

    /// The name of a peer has been looked up.
    pub(super) fn on_resolved(
        &mut self,
        lent: &mut Lent<'_>,
        id: TrunkId,
        gateway: &Gateway,
        owner: Owner,
        answer: Answer,
    ) {
        if let Some(round) = self.round.filter(|_| self.search.on_resolved(gateway, owner, answer)) {
            self.ask(lent, id, gateway, round.began);
        }
    }

    /// Asks at the next place that a request can be sent to; ends the round where there is none.
    fn ask(&mut self, lent: &mut Lent<'_>, id: TrunkId, gateway: &Gateway, began: Instant) {
        lent.cx.timers.cancel(&mut self.timer);
        loop {
            match self.search.next(lent, gateway, id.to_bits(), ROLE_PING) {
                Next::Later => {
                    self.round = Some(Round { began, asked: None });
                    return;
                }
                Next::Nowhere => return self.end(lent.cx, id, gateway, began, false),
                Next::Place(place) => {
                    let Some(client) = options(lent.cx, lent.transactions, id, &place) else { continue };
                    self.round = Some(Round { began, asked: Some((lent.cx.now.mono, client)) });
                    let patience = PATIENCE.min(Duration::from_secs(gateway.ping.every_s.into()));
                    return self.arm(lent.cx, id, lent.cx.now.mono + patience);
                }
            }
        }
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
            let fault = self.search.fault().filter(|_| self.is_down).map(|fault| format!(", {fault}"));
            let detail = format!("{} rounds of OPTIONS{}", self.against, fault.unwrap_or_default());
            event::tell(cx, &gateway.name, change, detail);
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

/// Sends OPTIONS; none where there is no room for the transaction.
fn options(cx: &mut Cx, transactions: &mut Transactions, id: TrunkId, place: &Place) -> Option<ClientId> {
    let flow = place.flow;
    let contact = cx.config.listen[usize::from(flow.socket.0)].advertise;
    let uri = format!("sip:{}", place.host);
    let from = format!("sip:{}", cx.config.domain);
    let (tag, call_id) = (cx.rng.ids.token(), cx.rng.ids.token::<24>());
    let head = Head { flow, method: "OPTIONS", uri: &uri, from: &from, to: &uri, tag, call_id: &call_id, cseq: 1 };
    let (mut writer, branch) = head.write(cx);
    writer.header_fmt("Contact", format_args!("<sip:{contact}>")).header("Accept", "application/sdp");
    let new = NewRequest { flow, kind: Kind::Other, branch, bytes: writer.finish(b"") };
    transactions.request(cx, new, owner(id.to_bits(), ROLE_PING))
}
