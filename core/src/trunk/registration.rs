//! A registration of ours at a gateway (RFC 3261 §10.2): made, refreshed, repaired, taken back.
//!
//! One REGISTER is under way at a time, to one place of the gateway after the other until one answers. What follows from the answer:
//!
//! | answer | what follows |
//! |---|---|
//! | 2xx | refreshed when four fifths of the time given are over |
//! | 401, 407 | sent again with credentials, within SS_SIP_AUTHENTICATION_RETRY |
//! | 401, 407 to the same credentials, 403 to any | stopped until a reload: who asks on gets locked out (RFC 3261 §21.4.4) |
//! | 423 | once more with the Min-Expires it names |
//! | 408, 503, none, a name that leads nowhere | the next place |
//! | anything else, or no place left | once more after SS_SIP_USER_AGENT_RETRY_DELAY, or its Retry-After if that is longer |
//!
//! A registration that stands goes on standing while its refresh fails, until its time is over.

use super::event::{self, Change};
use super::request::{Head, granted_s, min_expires_s, retry_after_s};
use super::target::{Next, Place, Search};
use super::{Lent, ROLE_REGISTER, SPREAD, TrunkId, Trunks, offset, owner};
use crate::auth::client::{Client, Login, WhyNot};
use crate::config::{Gateway, GatewayAuth};
use crate::cx::Cx;
use crate::dialog::Tag;
use crate::dns::Answer;
use crate::handle::Handle;
use crate::limits;
use crate::sip::{Message, Name, escape_user};
use crate::time::Instant;
use crate::timers::{TimerId, TimerKey, TrunkTimer};
use crate::transaction::{Branch, ClientId, Kind, NewRequest, Owner, Transactions, resend};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Names a registration.
pub(super) type RegistrationId = Handle<Registration>;

/// Longest Min-Expires that is followed: a day. A registration that long is as good as none after an outage.
const MIN_EXPIRES_MOST_S: u32 = 86_400;

/// How long a peer may take to take a registration back: the process waits for it.
const LEAVE_PATIENCE: Duration = Duration::from_secs(4);

/// One address-of-record at one gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Registration {
    /// As configured; also after the gateway has left the configuration.
    gateway: Gateway,
    /// One Call-ID for every REGISTER (RFC 3261 §10.2), and one tag.
    call_id: [u8; 24],
    tag: Tag,
    cseq: u32,
    auth: Client,
    /// What a 423 wants at the least.
    min_expires_s: u32,
    phase: Phase,
    search: Search,
    is_leaving: bool,
    bound: Option<Bound>,
    service_route: Vec<Box<[u8]>>,
    fault: Option<String>,
    /// While waiting: for the next REGISTER; while asking: for the answer. A lookup has its own limit.
    timer: Option<TimerId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Phase {
    /// The timer says when the next REGISTER goes out.
    Waiting,
    /// The name of a peer is being looked up.
    Locating,
    Asking(Asking),
    /// The credentials were rejected.
    Stopped,
}

/// A REGISTER under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Asking {
    client: ClientId,
    place: Place,
    contact: String,
    uri: String,
    request: Bytes,
    expires_s: Option<u32>,
    has_credentials: bool,
}

/// What the gateway has granted.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Bound {
    until: Instant,
    place: Place,
}

impl Registration {
    fn new(cx: &mut Cx, gateway: &Gateway) -> Registration {
        Registration {
            gateway: gateway.clone(),
            call_id: cx.rng.ids.token(),
            tag: cx.rng.ids.token(),
            cseq: 0,
            auth: Client::default(),
            min_expires_s: 0,
            phase: Phase::Waiting,
            search: Search::default(),
            is_leaving: false,
            bound: None,
            service_route: Vec::new(),
            fault: None,
            timer: None,
        }
    }

    pub(super) fn is_bound(&self, now: Instant) -> bool {
        self.bound_until(now).is_some()
    }

    pub(super) fn bound_until(&self, now: Instant) -> Option<Instant> {
        self.bound.as_ref().map(|bound| bound.until).filter(|until| *until > now)
    }

    pub(super) fn service_route(&self) -> &[Box<[u8]>] {
        &self.service_route
    }

    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// When it is tried again.
    pub(super) fn next_try(&self) -> Option<Instant> {
        self.timer.filter(|_| matches!(self.phase, Phase::Waiting)).map(TimerId::at)
    }

    pub(super) fn state(&self, now: Instant) -> &'static str {
        match self.phase {
            Phase::Stopped => "stopped",
            _ if self.is_bound(now) => "registered",
            Phase::Asking(_) | Phase::Locating => "asking",
            Phase::Waiting => "waiting",
        }
    }

    pub(super) fn timers(&self) -> usize {
        usize::from(self.timer.is_some())
    }

    fn arm(&mut self, cx: &mut Cx, id: RegistrationId, after: Duration) {
        cx.timers.cancel(&mut self.timer);
        let at = cx.now.mono + after;
        self.timer = Some(cx.timers.arm(at, TimerKey::Trunk(id.to_bits(), TrunkTimer::Register)));
    }

    /// Sends REGISTER to the next place that it can be sent to, or has a name looked up. Whether there is one.
    fn ask(&mut self, lent: &mut Lent<'_>, id: RegistrationId) -> bool {
        lent.cx.timers.cancel(&mut self.timer);
        loop {
            match self.search.next(lent, &self.gateway, id.to_bits(), ROLE_REGISTER) {
                Next::Nowhere => return false,
                Next::Later => {
                    self.phase = Phase::Locating;
                    return true;
                }
                Next::Place(place) => {
                    if self.ask_at(lent.cx, lent.transactions, id, place) {
                        return true;
                    }
                }
            }
        }
    }

    fn ask_at(&mut self, cx: &mut Cx, transactions: &mut Transactions, id: RegistrationId, place: Place) -> bool {
        let GatewayAuth::Register { user, password, domain, .. } = &self.gateway.auth else {
            panic!("a registration is kept for a gateway that wants none: {}", self.gateway.name)
        };
        let flow = place.flow;
        let uri = format!("sip:{}", domain.as_deref().unwrap_or(&place.host));
        let (user_part, host) = (escape_user(user), &uri["sip:".len()..]);
        let aor = format!("sip:{user_part}@{host}");
        let advertise = cx.config.listen[usize::from(flow.socket.0)].advertise;
        let contact = format!("sip:{user_part}@{advertise}");
        let expires_s = match (self.is_leaving, cx.config.parameters.user_agent_expire_s()) {
            (true, _) => Some(0),
            (false, Some(wanted)) => Some(wanted.max(self.min_expires_s)),
            (false, None) => Some(self.min_expires_s).filter(|&least| least > 0),
        };
        self.cseq += 1;
        let (tag, call_id, cseq) = (self.tag, &self.call_id, self.cseq);
        let head = Head { flow, method: "REGISTER", uri: &uri, from: &aor, to: &aor, tag, call_id, cseq };
        let (mut writer, branch) = head.write(cx);
        writer.header_fmt("Contact", format_args!("<{contact}>"));
        if let Some(seconds) = expires_s {
            writer.header_fmt("Expires", format_args!("{seconds}"));
        }
        let credentials = self.auth.again("REGISTER", uri.as_bytes(), b"", &Login { user, password });
        let has_credentials = credentials.is_some();
        writer.raw(&credentials.unwrap_or_default());
        let request = writer.finish(b"");
        let new = NewRequest { flow, kind: Kind::Other, branch, bytes: request.clone() };
        let Some(client) = transactions.request(cx, new, owner(id.to_bits(), ROLE_REGISTER)) else { return false };
        self.phase = Phase::Asking(Asking { client, place, contact, uri, request, expires_s, has_credentials });
        if self.is_leaving {
            self.arm(cx, id, LEAVE_PATIENCE);
        } else if has_credentials {
            self.arm(cx, id, cx.config.parameters.auth_timeout());
        }
        true
    }

    /// Sends the REGISTER under way again with the credentials that are asked for.
    fn authenticate(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        id: RegistrationId,
        message: &Message<'_>,
    ) -> Result<bool, WhyNot> {
        let Phase::Asking(asking) = &mut self.phase else { return Ok(false) };
        let login = self.gateway.login().expect("a gateway that we register at has credentials");
        let lines = self.auth.answer(cx, message, "REGISTER", asking.uri.as_bytes(), b"", &login)?;
        let Some(flow) = transactions.client(asking.client).map(|client| client.flow()) else { return Ok(false) };
        self.cseq += 1;
        let branch: Branch = cx.rng.ids.token();
        asking.request = resend(&asking.request, &branch, self.cseq, &lines);
        asking.has_credentials = true;
        let new = NewRequest { flow, kind: Kind::Other, branch, bytes: asking.request.clone() };
        let Some(client) = transactions.request(cx, new, owner(id.to_bits(), ROLE_REGISTER)) else { return Ok(false) };
        asking.client = client;
        let patience = if self.is_leaving { LEAVE_PATIENCE } else { cx.config.parameters.auth_timeout() };
        self.arm(cx, id, patience);
        Ok(true)
    }

    /// The registration stands; the next refresh is armed.
    fn succeed(&mut self, cx: &mut Cx, id: RegistrationId, message: &Message<'_>) -> bool {
        let Phase::Asking(asking) = &self.phase else { return false };
        let granted_s = granted_s(message, &asking.contact, asking.expires_s).unwrap_or(0);
        if granted_s == 0 {
            return false;
        }
        let life = Duration::from_secs(granted_s.into());
        if !self.is_bound(cx.now.mono) {
            event::tell(cx, &self.gateway.name, Change::Registered, format!("for {granted_s} s"));
        }
        self.bound = Some(Bound { until: cx.now.mono + life, place: asking.place.clone() });
        let routes = message.list(Name::ServiceRoute).take(limits::SERVICE_ROUTES);
        self.service_route = routes.filter(|route| route.len() <= limits::SERVICE_ROUTE_BYTES).map(Box::from).collect();
        self.phase = Phase::Waiting;
        self.fault = None;
        cx.counters.trunk_registrations += 1;
        // Four fifths, less up to a twentieth, so that those that began together do not stay together.
        let spread_us = cx.rng.jitter.below((life.as_micros() / 20) as u64);
        self.arm(cx, id, life * 4 / 5 - Duration::from_micros(spread_us));
        true
    }

    /// Tried again later.
    fn fail(&mut self, cx: &mut Cx, id: RegistrationId, why: String, retry_after_s: Option<u32>) {
        let delay = cx.config.parameters.user_agent_retry_delay();
        let asked = Duration::from_secs(retry_after_s.unwrap_or(0).min(super::HOLD_MOST_S).into());
        let spread_us = cx.rng.jitter.below((delay.as_micros() / 10) as u64);
        self.phase = Phase::Waiting;
        self.arm(cx, id, delay.max(asked) + Duration::from_micros(spread_us));
        self.tell_fault(cx, Change::RegistrationFailed, why);
    }

    /// Not tried again before a reload changes the credentials.
    fn stop(&mut self, cx: &mut Cx, why: String) {
        cx.timers.cancel(&mut self.timer);
        self.phase = Phase::Stopped;
        self.tell_fault(cx, Change::CredentialsRejected, why);
    }

    fn tell_fault(&mut self, cx: &mut Cx, change: Change, why: String) {
        cx.counters.trunk_registrations_failed += 1;
        event::tell(cx, &self.gateway.name, change, why.clone());
        self.fault = Some(why);
        self.expire(cx);
    }

    /// Lets go of a registration whose time is over.
    fn expire(&mut self, cx: &mut Cx) {
        if self.bound.as_ref().is_some_and(|bound| bound.until <= cx.now.mono) {
            self.bound = None;
            event::tell(cx, &self.gateway.name, Change::Expired, String::new());
        }
    }
}

impl Trunks {
    /// Begins the registration that the gateway's configuration asks for.
    pub(super) fn begin_registration(&mut self, cx: &mut Cx, id: TrunkId) {
        let trunk = self.trunks.get_mut(id).expect("the caller has it");
        if self.is_leaving || !matches!(trunk.gateway.auth, GatewayAuth::Register { .. }) {
            return;
        }
        let registration = self.registrations.insert(Registration::new(cx, &trunk.gateway));
        let after = offset(&trunk.gateway.name, SPREAD);
        self.registrations.get_mut(registration).expect("just inserted").arm(cx, registration, after);
        trunk.registration = Some(registration);
    }

    /// The gateway's credentials or peers have changed. The same address-of-record at the same peers is registered anew
    /// with the new password at once; another one takes its place.
    pub(super) fn change_registration(
        &mut self,
        cx: &mut Cx,
        transactions: &mut Transactions,
        id: TrunkId,
        old: &Gateway,
    ) {
        let trunk = self.trunks.get_mut(id).expect("the caller has it");
        let same_place =
            old.peers == trunk.gateway.peers && address_of_record(old) == address_of_record(&trunk.gateway);
        let gateway = trunk.gateway.clone();
        let Some(known) = trunk.registration else { return self.begin_registration(cx, id) };
        if !same_place {
            trunk.registration = None;
            self.leave(cx, transactions, known);
            return self.begin_registration(cx, id);
        }
        let registration = self.registrations.get_mut(known).expect("a trunk names only a registration that is");
        let has_new_password = old.login().map(|login| login.password) != gateway.login().map(|login| login.password);
        registration.gateway = gateway;
        if has_new_password {
            if let Phase::Asking(asking) = &registration.phase {
                transactions.disown(cx, asking.client);
            }
            registration.auth = Client::default();
            registration.phase = Phase::Waiting;
            let after = offset(&registration.gateway.name, SPREAD);
            registration.arm(cx, known, after);
        }
    }

    /// Takes a registration back, as soon as its turn comes; one that never stood is let go of.
    pub(super) fn leave(&mut self, cx: &mut Cx, transactions: &mut Transactions, id: RegistrationId) {
        let registration = self.registrations.get_mut(id).expect("a trunk names only a registration that is");
        let is_asking = match &registration.phase {
            Phase::Asking(asking) => {
                // it may yet succeed, and nobody would hear of it
                registration.bound = Some(Bound { until: Instant::FAR_FUTURE, place: asking.place.clone() });
                transactions.disown(cx, asking.client);
                true
            }
            _ => false,
        };
        if !is_asking && !registration.is_bound(cx.now.mono) {
            return self.forget(cx, id);
        }
        registration.is_leaving = true;
        registration.phase = Phase::Waiting;
        let after = offset(&registration.gateway.name, SPREAD);
        registration.arm(cx, id, after);
    }

    fn forget(&mut self, cx: &mut Cx, id: RegistrationId) {
        if let Some(mut registration) = self.registrations.remove(id) {
            cx.timers.cancel(&mut registration.timer);
        }
    }

    /// A registration's next REGISTER is due, or its answer is overdue.
    pub(super) fn on_register_timer(&mut self, lent: &mut Lent<'_>, id: RegistrationId) {
        let Some(registration) = self.registrations.get_mut(id) else { return };
        registration.timer = None;
        match &registration.phase {
            Phase::Stopped | Phase::Locating => {}
            Phase::Asking(asking) => {
                lent.transactions.disown(lent.cx, asking.client);
                self.on_register_silence(lent, id);
            }
            Phase::Waiting => {
                registration.expire(lent.cx);
                // what is taken back is taken back where it stands
                match registration.bound.as_ref().filter(|_| registration.is_leaving) {
                    Some(bound) => registration.search.restart_at(bound.place.clone()),
                    None => registration.search.restart(),
                }
                self.go_on(lent, id, "no way to any peer".to_owned(), None);
            }
        }
    }

    /// The peer that was asked has not answered, or as good as not: the next place is asked.
    pub(super) fn on_register_silence(&mut self, lent: &mut Lent<'_>, id: RegistrationId) {
        self.try_next_place(lent, id, "no answer".to_owned(), None);
    }

    /// The name of a peer has been looked up.
    pub(super) fn on_registrar_resolved(&mut self, lent: &mut Lent<'_>, owner: Owner, answer: Answer) {
        let id = RegistrationId::from_bits(owner.id);
        let Some(registration) = self.registrations.get_mut(id) else { return };
        let is_locating = matches!(registration.phase, Phase::Locating);
        if is_locating && registration.search.on_resolved(&registration.gateway, owner, answer) {
            self.go_on(lent, id, "no way to any peer".to_owned(), None);
        }
    }

    fn try_next_place(&mut self, lent: &mut Lent<'_>, id: RegistrationId, why: String, retry_after_s: Option<u32>) {
        let Some(registration) = self.registrations.get(id) else { return };
        // What could not be taken back where it stands expires there; no other peer knows of it, and the search is over.
        if matches!(registration.phase, Phase::Asking(_)) {
            self.go_on(lent, id, why, retry_after_s);
        }
    }

    /// Asks at the next place. Where there is none, the attempt has failed for this reason, or for that of a name that led
    /// nowhere since.
    fn go_on(&mut self, lent: &mut Lent<'_>, id: RegistrationId, why: String, retry_after_s: Option<u32>) {
        let Some(registration) = self.registrations.get_mut(id) else { return };
        if !registration.ask(lent, id) {
            let why = registration.search.fault().map_or(why, str::to_owned);
            self.on_register_failure(lent.cx, id, why, retry_after_s);
        }
    }

    fn on_register_failure(&mut self, cx: &mut Cx, id: RegistrationId, why: String, retry_after_s: Option<u32>) {
        let Some(registration) = self.registrations.get_mut(id) else { return };
        match registration.is_leaving {
            true => self.forget(cx, id),
            false => registration.fail(cx, id, why, retry_after_s),
        }
    }

    /// A registrar answers finally.
    pub(super) fn on_register_answer(
        &mut self,
        lent: &mut Lent<'_>,
        id: RegistrationId,
        message: &Message<'_>,
        status: u16,
    ) {
        let Some(registration) = self.registrations.get_mut(id) else { return };
        let Phase::Asking(asking) = &registration.phase else { return };
        let (place, has_credentials, asked_s) = (asking.place.clone(), asking.has_credentials, asking.expires_s);
        lent.cx.timers.cancel(&mut registration.timer);
        let why = || format!("{status} {}", message.reason().unwrap_or_default());
        match status {
            200..300 if registration.is_leaving => {
                event::tell(lent.cx, &registration.gateway.name, Change::Unregistered, String::new());
                self.forget(lent.cx, id);
            }
            200..300 if registration.succeed(lent.cx, id, message) => {}
            200..300 => self.on_register_failure(lent.cx, id, format!("{} without our Contact", why()), None),
            401 | 407 => match registration.authenticate(lent.cx, lent.transactions, id, message) {
                Ok(true) => {}
                Ok(false) => self.on_register_failure(lent.cx, id, "no room for another request".to_owned(), None),
                Err(WhyNot::SameCredentialsRejected) => self.on_rejection(lent.cx, id, why()),
                Err(other) => self.on_register_failure(lent.cx, id, format!("{}: {}", why(), other.name()), None),
            },
            403 if has_credentials => self.on_rejection(lent.cx, id, why()),
            423 if is_worth_more(message, asked_s) => {
                registration.min_expires_s = min_expires_s(message).unwrap_or(0);
                registration.search.put_back(place);
                self.go_on(lent, id, why(), None);
            }
            408 | 503 => self.try_next_place(lent, id, why(), retry_after_s(message)),
            _ => self.on_register_failure(lent.cx, id, why(), retry_after_s(message)),
        }
    }

    fn on_rejection(&mut self, cx: &mut Cx, id: RegistrationId, why: String) {
        let Some(registration) = self.registrations.get_mut(id) else { return };
        match registration.is_leaving {
            true => self.forget(cx, id),
            false => registration.stop(cx, why),
        }
    }
}

/// Whether a 423 names more than was asked for, and no more than can be followed: else it would name it for ever.
fn is_worth_more(message: &Message<'_>, asked_s: Option<u32>) -> bool {
    min_expires_s(message).is_some_and(|least| least > asked_s.unwrap_or(0) && least <= MIN_EXPIRES_MOST_S)
}

/// User and domain of the registration that a gateway asks for.
fn address_of_record(gateway: &Gateway) -> Option<(&str, Option<&str>)> {
    match &gateway.auth {
        GatewayAuth::Register { user, domain, .. } => Some((user, domain.as_deref())),
        _ => None,
    }
}
