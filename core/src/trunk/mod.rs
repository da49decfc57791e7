//! Trunks: what the switch knows of its gateways while it runs.
//!
//! Of each gateway of the configuration: whether it answers OPTIONS (`health`), whether it has asked to be left alone
//! (Retry-After), and the registration of ours at it (`registration`). A reload keeps what it does not change.
//!
//! | rule | when | calls to the gateway |
//! |---|---|---|
//! | `trunk.down` | it has not answered `ping_fails` rounds of OPTIONS, nor `ping_oks` since | none |
//! | `trunk.retry-after` | it gave a Retry-After that is not over | none |
//! | `trunk.not-registered` | `register` says `required`, and there is no registration | none |
//!
//! Everything that is sent here is paced by timers, and one timer sends at most one message: however many gateways a reload
//! adds or takes away, a tick stays bounded.

mod event;
mod health;
mod registration;
mod request;
mod target;
mod view;

pub use event::{Rule, Unusable};
pub use request::retry_after_s;
pub use view::TrunkView;

use crate::config::Gateway;
use crate::cx::Cx;
use crate::dns::{Answer, Resolver};
use crate::handle::{Handle, Slab};
use crate::sip::Message;
use crate::time::{Instant, Now};
use crate::timers::{TimerId, TimerKey, TrunkTimer};
use crate::transaction::{Owner, Party, Transactions, Upcall};
use event::Change;
use health::Health;
use registration::{Registration, RegistrationId};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use std::collections::BTreeMap;
use std::hash::Hasher;
use std::time::Duration;

/// [`Owner::role`] of OPTIONS; its id is a trunk's. In the owner of a lookup the bits above the lowest count.
const ROLE_PING: u8 = 0;
/// [`Owner::role`] of REGISTER; its id is a registration's.
const ROLE_REGISTER: u8 = 1;

/// Longest time that a Retry-After keeps calls away: a gateway that is gone for longer is watched by OPTIONS.
pub const HOLD_MOST_S: u32 = 3600;

/// First requests are spread over this time, or over one ping interval, by the hash of the gateway's name.
const SPREAD: Duration = Duration::from_secs(2);

type TrunkId = Handle<Trunk>;

/// What the switch lends to its trunks for one step.
pub struct Lent<'s> {
    /// Clock, configuration, timers, commands.
    pub cx: &'s mut Cx,
    /// What sends their requests.
    pub transactions: &'s mut Transactions,
    /// What finds those of their peers that are named by host.
    pub resolver: &'s mut Resolver,
}

/// The gateways at run time, by name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Trunks {
    trunks: Slab<Trunk>,
    by_name: BTreeMap<String, TrunkId>,
    /// Those of trunks, and those that are on their way out.
    registrations: Slab<Registration>,
    /// The switch drains: nothing is registered any longer.
    is_leaving: bool,
}

/// One gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trunk {
    /// As configured.
    gateway: Gateway,
    health: Health,
    hold: Option<Hold>,
    registration: Option<RegistrationId>,
}

/// A Retry-After that is not over.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Hold {
    until: Instant,
    timer: Option<TimerId>,
}

impl Trunks {
    /// The gateways of the configuration; the first requests to them are armed.
    pub fn new(cx: &mut Cx) -> Trunks {
        let mut trunks = Trunks::default();
        for gateway in &cx.config.clone().gateways {
            trunks.add(cx, gateway);
        }
        trunks
    }

    /// Takes up the configuration in `cx`: gateways that are gone are left, new ones begin, of the others what is not
    /// changed goes on.
    pub fn reload(&mut self, cx: &mut Cx, transactions: &mut Transactions) {
        let config = cx.config.clone();
        let is_configured = |name: &String| config.gateways.iter().any(|gateway| gateway.name == *name);
        let gone: Vec<String> = self.by_name.keys().filter(|name| !is_configured(name)).cloned().collect();
        for name in gone {
            self.remove(cx, transactions, &name);
        }
        for gateway in &config.gateways {
            match self.by_name.get(&gateway.name).copied() {
                Some(id) => self.change(cx, transactions, id, gateway),
                None => self.add(cx, gateway),
            }
        }
    }

    fn add(&mut self, cx: &mut Cx, gateway: &Gateway) {
        let health = Health::default();
        let trunk = Trunk { gateway: gateway.clone(), health, hold: None, registration: None };
        let id = self.trunks.insert(trunk);
        self.by_name.insert(gateway.name.clone(), id);
        self.trunks.get_mut(id).expect("just inserted").health.start(cx, id, gateway);
        self.begin_registration(cx, id);
    }

    fn remove(&mut self, cx: &mut Cx, transactions: &mut Transactions, name: &str) {
        let id = self.by_name.remove(name).expect("the caller found it by its name");
        let mut trunk = self.trunks.remove(id).expect("by_name names only trunks that are");
        trunk.health.stop(cx, transactions);
        if let Some(hold) = &mut trunk.hold {
            cx.timers.cancel(&mut hold.timer);
        }
        if let Some(registration) = trunk.registration {
            self.leave(cx, transactions, registration);
        }
    }

    fn change(&mut self, cx: &mut Cx, transactions: &mut Transactions, id: TrunkId, new: &Gateway) {
        let trunk = self.trunks.get_mut(id).expect("by_name names only trunks that are");
        let old = std::mem::replace(&mut trunk.gateway, new.clone());
        if old.ping != new.ping || old.peers != new.peers {
            trunk.health.stop(cx, transactions);
            if old.peers != new.peers || new.ping.every_s == 0 {
                trunk.health.forget();
            }
            trunk.health.start(cx, id, new);
        }
        if old.auth != new.auth || old.peers != new.peers {
            self.change_registration(cx, transactions, id, &old);
        }
    }

    /// Whether calls may go to this gateway. One that is not configured may not be known here, and is nobody's loss.
    ///
    /// # Errors
    /// Why not, and until when, where that is known.
    pub fn usable(&self, gateway: &str, now: Now) -> Result<(), Unusable> {
        let Some(trunk) = self.by_name.get(gateway).and_then(|id| self.trunks.get(*id)) else { return Ok(()) };
        if trunk.health.is_down() {
            return Err(Unusable { rule: Rule::Down, until: None });
        }
        if let Some(hold) = trunk.hold.as_ref().filter(|hold| hold.until > now.mono) {
            return Err(Unusable { rule: Rule::RetryAfter, until: Some(hold.until) });
        }
        let registration = trunk.registration.and_then(|id| self.registrations.get(id));
        if trunk.gateway.needs_registration() && !registration.is_some_and(|known| known.is_bound(now.mono)) {
            let until = registration.and_then(Registration::next_try);
            return Err(Unusable { rule: Rule::NotRegistered, until });
        }
        Ok(())
    }

    /// How many gateways there are.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// How many gateways no calls go to because of their state.
    pub fn unusable(&self, now: Now) -> usize {
        self.by_name.keys().filter(|name| self.usable(name, now).is_err()).count()
    }

    /// The gateway has answered with Retry-After: no calls to it for this time, at most [`HOLD_MOST_S`] seconds. A shorter
    /// one does not end a longer one.
    pub fn hold(&mut self, cx: &mut Cx, gateway: &str, seconds: u32) {
        let Some(&id) = self.by_name.get(gateway) else { return };
        let trunk = self.trunks.get_mut(id).expect("by_name names only trunks that are");
        let until = cx.now.mono + Duration::from_secs(seconds.min(HOLD_MOST_S).into());
        if until <= trunk.hold.as_ref().map_or(cx.now.mono, |hold| hold.until) {
            return;
        }
        if let Some(hold) = &mut trunk.hold {
            cx.timers.cancel(&mut hold.timer);
        }
        let timer = cx.timers.arm(until, TimerKey::Trunk(id.to_bits(), TrunkTimer::Hold));
        trunk.hold = Some(Hold { until, timer: Some(timer) });
        cx.counters.trunks_held += 1;
        event::tell(cx, gateway, Change::Held, format!("{} s", seconds.min(HOLD_MOST_S)));
    }

    /// The Service-Route of our registration at this gateway (RFC 3608): the routes that requests to it are to take.
    pub fn service_route(&self, gateway: &str) -> &[Box<[u8]>] {
        let trunk = self.by_name.get(gateway).and_then(|id| self.trunks.get(*id));
        let registration = trunk.and_then(|trunk| self.registrations.get(trunk.registration?));
        registration.map_or(&[], Registration::service_route)
    }

    /// The switch drains: registrations are taken back, so that no more calls come.
    pub fn drain(&mut self, cx: &mut Cx, transactions: &mut Transactions) {
        self.is_leaving = true;
        let ids: Vec<TrunkId> = self.by_name.values().copied().collect();
        for id in ids {
            let trunk = self.trunks.get_mut(id).expect("by_name names only trunks that are");
            if let Some(registration) = trunk.registration.take() {
                self.leave(cx, transactions, registration);
            }
        }
    }

    /// Whether no registration is on its way out any longer.
    pub fn has_left(&self) -> bool {
        !self.is_leaving || self.registrations.is_empty()
    }

    /// Timers armed here.
    pub fn timers(&self) -> usize {
        let trunk = |trunk: &Trunk| {
            let hold = trunk.hold.as_ref().is_some_and(|hold| hold.timer.is_some());
            usize::from(hold) + trunk.health.timers()
        };
        let trunks: usize = self.trunks.iter().map(|(_, known)| trunk(known)).sum();
        trunks + self.registrations.iter().map(|(_, registration)| registration.timers()).sum::<usize>()
    }

    /// A timer of a trunk or a registration is due.
    pub fn fire(&mut self, lent: &mut Lent<'_>, bits: u64, timer: TrunkTimer) {
        match timer {
            TrunkTimer::Register => self.on_register_timer(lent, Handle::from_bits(bits)),
            TrunkTimer::Ping => {
                let id = TrunkId::from_bits(bits);
                if let Some(trunk) = self.trunks.get_mut(id) {
                    trunk.health.fire(lent, id, &trunk.gateway);
                }
            }
            TrunkTimer::Hold => {
                if let Some(trunk) = self.trunks.get_mut(TrunkId::from_bits(bits)) {
                    trunk.hold = None;
                    event::tell(lent.cx, &trunk.gateway.name, Change::Released, String::new());
                }
            }
        }
    }

    /// A gateway answers a request of ours.
    pub fn on_answer(&mut self, lent: &mut Lent<'_>, from: Owner, message: &Message<'_>) {
        let status = message.status().expect("only responses reach a client transaction's owner");
        if status < 200 {
            return;
        }
        if from.role == ROLE_REGISTER {
            return self.on_register_answer(lent, Handle::from_bits(from.id), message, status);
        }
        let id = TrunkId::from_bits(from.id);
        let Some(trunk) = self.trunks.get_mut(id) else { return };
        trunk.health.on_status(lent, id, &trunk.gateway, status);
        // RFC 3261 §21.5.4: with a 503 it is about every request; where another peer is asked, that one may be well
        let is_over = status == 503 && !trunk.health.is_asking();
        if let Some(seconds) = retry_after_s(message).filter(|_| is_over) {
            let name = trunk.gateway.name.clone();
            self.hold(lent.cx, &name, seconds);
        }
    }

    /// A request of ours got no answer, or could not be delivered.
    pub fn on_upcall(&mut self, lent: &mut Lent<'_>, upcall: Upcall) {
        let owner = upcall.owner();
        if owner.role == ROLE_REGISTER {
            return self.on_register_silence(lent, Handle::from_bits(owner.id));
        }
        let id = TrunkId::from_bits(owner.id);
        if let Some(trunk) = self.trunks.get_mut(id) {
            trunk.health.on_silence(lent, id, &trunk.gateway);
        }
    }

    /// The name of a peer has been looked up. Where the gateway is gone, or asks for something else by now, nobody waits.
    pub fn on_resolved(&mut self, lent: &mut Lent<'_>, owner: Owner, answer: Answer) {
        if owner.role & 1 == ROLE_REGISTER {
            return self.on_registrar_resolved(lent, owner, answer);
        }
        let id = TrunkId::from_bits(owner.id);
        if let Some(trunk) = self.trunks.get_mut(id) {
            trunk.health.on_resolved(lent, id, &trunk.gateway, owner, answer);
        }
    }
}

fn owner(id: u64, role: u8) -> Owner {
    Owner { party: Party::Trunk, id, role }
}

/// A part of `within` that depends on the name alone, so that neither a restart nor a reload makes many meet.
fn offset(name: &str, within: Duration) -> Duration {
    let mut hash = SipHasher13::new();
    hash.write(name.as_bytes());
    let within_us = u64::try_from(within.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(hash.finish() % within_us.max(1))
}
