//! One request and its answers, from either end: what is sent again and until when (RFC 3261 §17).

use super::dialog::Spot;
use super::message::{Message, param};
use super::sdp::of_message;
use bytes::Bytes;
use crosspoint_core::time::Instant;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// RFC 3261 §17.1.1.1: the estimate of the round trip.
const T1: Duration = Duration::from_millis(500);
/// RFC 3261 §17.1.2.2: the longest gap between resends of anything but an INVITE.
const T2: Duration = Duration::from_secs(4);
/// 64*T1: when to give up, and how long a finished exchange is remembered to absorb stragglers.
pub(super) const GIVE_UP: Duration = Duration::from_secs(32);

/// A number made of a message's branch: those of one exchange have the same, and nearly nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BranchKey(u64);

impl BranchKey {
    /// FNV-1a.
    pub(super) fn of(message: &Message) -> BranchKey {
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        BranchKey(message.branch().bytes().fold(0xcbf2_9ce4_8422_2325, hash))
    }
}

/// Whom the answer concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Register,
    Invite(u32),
    Reinvite(Spot),
    Update(Spot),
    Prack(Spot),
    Bye(Spot),
    Cancel,
    Within(Spot),
    /// A request that should not be: whatever is said to it.
    Rogue(Spot),
    Outside,
}

impl Purpose {
    /// The dialog it is sent in; none outside of dialogs.
    pub(super) fn spot(&self) -> Option<Spot> {
        match self {
            Purpose::Reinvite(spot)
            | Purpose::Update(spot)
            | Purpose::Prack(spot)
            | Purpose::Bye(spot)
            | Purpose::Within(spot)
            | Purpose::Rogue(spot) => Some(*spot),
            Purpose::Register | Purpose::Invite(_) | Purpose::Cancel | Purpose::Outside => None,
        }
    }
}

/// A schedule of resends.
#[derive(Clone, Debug)]
pub(super) struct Resends {
    at: Instant,
    gap: Duration,
    longest: Duration,
}

impl Resends {
    pub(super) fn new(now: Instant, doubles_without_end: bool) -> Resends {
        let longest = if doubles_without_end { GIVE_UP } else { T2 };
        Resends { at: now + T1, gap: T1, longest }
    }

    pub(super) fn at(&self) -> Instant {
        self.at
    }

    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        if self.at > now {
            return false;
        }
        self.gap = (self.gap * 2).min(self.longest);
        self.at = now + self.gap;
        true
    }
}

/// A request of ours.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) request: Message,
    key: BranchKey,
    bytes: Bytes,
    pub(super) to: SocketAddr,
    pub(super) purpose: Purpose,
    /// How many challenges this request has answered already.
    pub(super) rounds: u8,
    resends: Option<Resends>,
    give_up: Option<Instant>,
    /// When the final answer came, or hope was lost.
    pub(super) finished: Option<Instant>,
    has_heard: bool,
    /// The ACKs that went out, and the To tag each acknowledged: more than one where a fork answers twice.
    pub(super) acks: Vec<(SocketAddr, Bytes, String)>,
}

/// What a look at the clock says about an exchange.
pub(super) enum Due {
    Nothing,
    Resend(SocketAddr, Bytes),
    GiveUp,
}

/// A final answer to an INVITE that is sent again until its ACK.
#[derive(Clone, Debug)]
struct Final {
    tag: String,
    bytes: Bytes,
    resends: Resends,
    give_up: Instant,
    is_confirmed: bool,
}

impl Client {
    pub(super) fn new(now: Instant, request: Message, to: SocketAddr, purpose: Purpose, rounds: u8) -> Client {
        let is_invite = request.method() == Some("INVITE");
        let bytes = Bytes::from(request.to_bytes());
        let (resends, give_up) = (Some(Resends::new(now, is_invite)), Some(now + GIVE_UP));
        Client {
            key: BranchKey::of(&request),
            request,
            bytes,
            to,
            purpose,
            rounds,
            resends,
            give_up,
            finished: None,
            has_heard: false,
            acks: Vec::new(),
        }
    }

    pub(super) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    pub(super) fn is_invite(&self) -> bool {
        self.request.method() == Some("INVITE")
    }

    /// Whether this answer belongs here (RFC 3261 §17.1.3).
    pub(super) fn is_answered_by(&self, response: &Message, key: BranchKey) -> bool {
        let method = |(_, method)| method;
        self.key == key && self.request.cseq().map(method) == response.cseq().map(method)
    }

    /// A provisional answer came: an INVITE is no longer sent again, anything else only every T2.
    pub(super) fn proceed(&mut self) {
        self.has_heard = true;
        if self.is_invite() {
            (self.resends, self.give_up) = (None, None);
        } else if let Some(resends) = &mut self.resends {
            resends.gap = T2;
        }
    }

    /// Whether a provisional answer has come and no final one: only then may it be cancelled (RFC 3261 §9.1).
    pub(super) fn is_proceeding(&self) -> bool {
        self.has_heard && self.finished.is_none()
    }

    /// The INVITE was cancelled: its final answer has 64*T1 to come (RFC 3261 §9.1).
    pub(super) fn expect_end(&mut self, now: Instant) {
        self.give_up = Some(now + GIVE_UP);
    }

    pub(super) fn finish(&mut self, now: Instant) {
        (self.resends, self.give_up, self.finished) = (None, None, Some(now));
    }

    pub(super) fn next_at(&self) -> Option<Instant> {
        [self.resends.as_ref().map(|r| r.at), self.give_up].into_iter().flatten().min()
    }

    pub(super) fn look(&mut self, now: Instant) -> Due {
        if self.give_up.is_some_and(|at| at <= now) {
            self.finish(now);
            return Due::GiveUp;
        }
        match self.resends.as_mut().is_some_and(|resends| resends.is_due(now)) {
            true => Due::Resend(self.to, self.bytes.clone()),
            false => Due::Nothing,
        }
    }
}

/// A request of the far side.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) request: Arc<Message>,
    key: BranchKey,
    /// Where it came from, and the answers go: the switch asks for it by `rport`, or sends from where it listens.
    from: SocketAddr,
    /// When it came, or was last answered: stragglers of it may follow for a while.
    pub(super) touched: Instant,
    /// The call it belongs to, where it is an INVITE.
    pub(super) call: Option<u32>,
    /// The dialog it belongs to, where it is an INVITE inside one.
    pub(super) spot: Option<Spot>,
    reply: Option<Bytes>,
    /// The status of the last answer; 0 before the first.
    pub(super) status: u16,
    /// Whether its 2xx makes an offer, so that the ACK has the answer.
    pub(super) has_offered: bool,
    /// Final answers to an INVITE: one, or one for each branch of a fork that answers.
    finals: Vec<Final>,
}

impl Server {
    pub(super) fn new(now: Instant, request: Arc<Message>, key: BranchKey, from: SocketAddr) -> Server {
        let (reply, finals, has_offered) = (None, Vec::new(), false);
        Server { request, key, from, touched: now, call: None, spot: None, reply, status: 0, has_offered, finals }
    }

    /// Whether this request is the same one again, or the ACK or CANCEL of it (RFC 3261 §17.2.3).
    pub(super) fn has_key_of(&self, request: &Message, key: BranchKey, method: &str) -> bool {
        self.key == key && self.request.method() == Some(method) && self.request.sent_by() == request.sent_by()
    }

    /// Whether a 2xx of this INVITE is what this ACK acknowledges.
    pub(super) fn has_2xx_for(&self, ack: &Message) -> bool {
        let number = |m: &Message| m.cseq().map(|(number, _)| number);
        (200..300).contains(&self.status)
            && self.request.method() == Some("INVITE")
            && self.request.call_id() == ack.call_id()
            && self.request.from_tag() == ack.from_tag()
            && number(&self.request) == number(ack)
    }

    /// Whether it is a re-INVITE that still waits for its final answer.
    pub(super) fn is_open_reinvite(&self) -> bool {
        self.status < 200 && self.request.method() == Some("INVITE") && self.request.to_tag().is_some()
    }

    /// Where it came from, and the answers go.
    pub(super) fn from(&self) -> SocketAddr {
        self.from
    }

    /// Keeps the answer for resending; a final one to an INVITE is sent again until its ACK.
    pub(super) fn answer(&mut self, now: Instant, response: &Message, status: u16) -> (SocketAddr, Bytes) {
        let bytes = Bytes::from(response.to_bytes());
        (self.status, self.reply, self.touched) = (status, Some(bytes.clone()), now);
        if status >= 200 && self.request.method() == Some("INVITE") {
            let tag = response.to_tag().unwrap_or_default().to_owned();
            self.has_offered = of_message(response).is_some() && of_message(&self.request).is_none();
            let (resends, give_up) = (Resends::new(now, false), now + GIVE_UP);
            self.finals.push(Final { tag, bytes: bytes.clone(), resends, give_up, is_confirmed: false });
        }
        (self.from, bytes)
    }

    /// The last answer again, to a request that came again.
    pub(super) fn repeat(&self) -> Option<(SocketAddr, Bytes)> {
        self.reply.clone().map(|bytes| (self.from, bytes))
    }

    /// The ACK of the answer with this To tag has come; whether it was awaited. None where there is no such answer.
    pub(super) fn confirm(&mut self, tag: &str) -> Option<bool> {
        let found = self.finals.iter_mut().find(|found| found.tag == tag)?;
        Some(!std::mem::replace(&mut found.is_confirmed, true))
    }

    /// No ACK is awaited any more.
    pub(super) fn confirm_all(&mut self) {
        self.finals.iter_mut().for_each(|found| found.is_confirmed = true);
    }

    /// Whether a final answer still waits for its ACK.
    pub(super) fn awaits_ack(&self) -> bool {
        self.finals.iter().any(|found| !found.is_confirmed)
    }

    pub(super) fn next_at(&self) -> Option<Instant> {
        let waiting = self.finals.iter().filter(|found| !found.is_confirmed);
        waiting.map(|found| found.resends.at.min(found.give_up)).min()
    }

    /// What is due: an answer to send again, or the tag of one whose ACK never came.
    pub(super) fn look(&mut self, now: Instant) -> (Vec<(SocketAddr, Bytes)>, Option<String>) {
        let (mut out, mut given_up) = (Vec::new(), None);
        for found in self.finals.iter_mut().filter(|found| !found.is_confirmed) {
            if found.give_up <= now {
                found.is_confirmed = true;
                given_up = Some(found.tag.clone());
            } else if found.resends.is_due(now) {
                out.push((self.from, found.bytes.clone()));
            }
        }
        (out, given_up)
    }
}

/// RFC 3581 §4: a server says in the top Via where the request came from, if asked.
pub(super) fn fill_rport(request: &mut Message, from: SocketAddr) {
    let top = request.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("Via"));
    if let Some((_, via)) = top.filter(|(_, via)| param(via, "rport") == Some("")) {
        *via = via.replacen(";rport", &format!(";received={};rport={}", from.ip(), from.port()), 1).into();
    }
}

/// Whether the switch filled in `rport` (RFC 3581 §4: it MUST).
pub(super) fn has_rport_filled(via: &str) -> bool {
    param(via, "rport").is_some_and(|port| !port.is_empty())
}
