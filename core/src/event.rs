//! What the switch tells: small, typed facts that ladders, oracles and every sink consume.
//!
//! An event serialises as its fields alone; [`Event::name`] says which one it is. The event log joins the two into one
//! JSON object a line.

use crate::binding::BindingRecord;
use crate::cdr::CallRecord;
use crate::counters::DropReason;
use crate::media::Facts;
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};

/// A fact about what the switch did.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// A binding was added, refreshed or removed; the journal keeps it.
    BindingChanged {
        /// The binding as it now is; one that has ended has `expires_at` in the past.
        binding: BindingRecord,
        /// What happened: `registered`, `refreshed`, `unregistered`, `expired`, `replaced`.
        change: &'static str,
    },
    /// Credentials were refused.
    AuthFailed {
        /// The user name offered.
        user: String,
        /// From where.
        source: SocketAddr,
        /// The rule that refused, such as `auth.wrong-response`.
        rule: &'static str,
    },
    /// A call came in and was given its number.
    CallStarted {
        /// The call's flow number.
        call: u64,
        /// The user part the caller gave as its own.
        caller: String,
        /// The user part it wants to reach.
        callee: String,
        /// From where.
        source: SocketAddr,
    },
    /// A route was chosen, or none could be.
    RouteDecided {
        /// The call's flow number.
        call: u64,
        /// The rule that decided, such as `route.binding`.
        rule: &'static str,
        /// Where the call goes, or why nowhere.
        result: String,
    },
    /// How the call's media goes.
    MediaDecided {
        /// The call's flow number.
        call: u64,
        /// The rule that decided (behaviour 1(a)).
        rule: &'static str,
        /// `direct` or `relay`.
        result: &'static str,
        /// What it was decided upon.
        facts: Box<Facts>,
    },
    /// Ten seconds after the answer one side of a relayed call sends and hears nothing.
    MediaOneWay {
        /// The call's flow number.
        call: u64,
        /// Who hears nothing: `caller` or `callee`.
        deaf: &'static str,
        /// What came from both sides, from where, and what was rejected, in words.
        detail: String,
    },
    /// A call, or a later offer inside it, got no media ports.
    PortsRefused {
        /// The call's flow number.
        call: u64,
        /// Why, in words.
        why: &'static str,
    },
    /// The call was answered.
    CallAnswered {
        /// The call's flow number.
        call: u64,
    },
    /// The call is over and billed.
    CallEnded {
        /// The call detail record.
        record: Box<CallRecord>,
    },
    /// A gateway, or our registration at it, is in another state.
    TrunkChanged {
        /// The gateway's name.
        gateway: String,
        /// `up`, `down`, `held`, `released`, `registered`, `unregistered`, `registration-failed`, `registration-stopped`.
        state: &'static str,
        /// The rule behind it, such as `trunk.down`.
        rule: &'static str,
        /// What led to it, in words.
        detail: String,
    },
    /// Inputs were dropped for this reason; at most one such event a reason and second.
    Dropped {
        /// Why.
        reason: DropReason,
        /// How many since the last such event.
        count: u64,
    },
    /// The host name of a mapping gateway leads elsewhere than before, or its lookup began to fail.
    GatewayLocated {
        /// The gateway's name.
        gateway: String,
        /// The host name.
        host: String,
        /// The addresses from which its calls are taken: after a failure those last known.
        addresses: Vec<IpAddr>,
        /// `dns.resolved`, or the rule that failed.
        rule: &'static str,
    },
    /// A new configuration is in force.
    ConfigApplied {
        /// Counts the configurations of this process, from 1.
        generation: u64,
        /// What differs from the one before, in words.
        changes: Vec<String>,
    },
    /// A drain began: new calls are refused.
    DrainStarted {
        /// Calls still up.
        calls: u64,
    },
}

impl Event {
    /// The event's name in the log.
    pub fn name(&self) -> &'static str {
        match self {
            Event::BindingChanged { .. } => "registration.changed",
            Event::AuthFailed { .. } => "auth.failed",
            Event::CallStarted { .. } => "call.started",
            Event::RouteDecided { .. } => "route.decided",
            Event::MediaDecided { .. } => "media.decided",
            Event::MediaOneWay { .. } => "media.one-way",
            Event::PortsRefused { .. } => "ports.refused",
            Event::CallAnswered { .. } => "call.answered",
            Event::CallEnded { .. } => "call.ended",
            Event::TrunkChanged { .. } => "trunk.changed",
            Event::Dropped { .. } => "input.dropped",
            Event::GatewayLocated { .. } => "gateway.located",
            Event::ConfigApplied { .. } => "config.applied",
            Event::DrainStarted { .. } => "drain.started",
        }
    }
}
