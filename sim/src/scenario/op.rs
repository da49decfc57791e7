//! What happens in a scenario: operations, each with a moment and a number of its own.
//!
//! An operation holds everything that it needs. Whatever is drawn at random while it is carried out (what the links do to
//! its messages) is drawn from a substream named by its number, so that one operation less leaves the others as they
//! were: a failing scenario shrinks.

use crate::net::{Direction, Plan, Stopped};
use crate::node::{Campaign, Flood};
use crate::phone::sdp::Codec;
use crate::phone::{Hold, Script};
use crate::world::PortTrouble;
use serde::{Deserialize, Serialize};

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Op {
    /// Its number, from 1; no two operations of a scenario have the same.
    pub id: u64,
    /// When it begins, in milliseconds after the phones have registered.
    pub at_ms: u64,
    /// What it does.
    #[serde(flatten)]
    pub act: Act,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// A call from its INVITE to its BYE.
    Call(Box<CallPlan>),
    /// A phone registers, leaves, or loses its power.
    Phone(PhonePlan),
    /// Something happens to the switch or its process.
    Switch(SwitchFault),
    /// Something happens to the network.
    Net(NetFault),
    /// Somebody without any right does something again and again.
    Attack(Campaign),
    /// Somebody sends more than anybody can want.
    Flood(Flood),
}

/// A call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallPlan {
    /// Who calls: a phone or a gateway, by name.
    pub from: String,
    /// The number or user that is called.
    pub to: String,
    /// How the call goes at the caller.
    #[serde(default, skip_serializing_if = "is_default")]
    pub caller: Script,
    /// How it goes at the callee, whichever gets it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub callee: Script,
    /// What happens while it lasts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Who hangs up.
    pub hangs_up: Side,
    /// How long after the INVITE; where it was not answered by then, the caller gives up.
    pub after_ms: u64,
}

/// One of the two who talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Who sent the INVITE.
    Caller,
    /// Whoever got it.
    Callee,
}

/// Something that happens while a call lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// How long after the INVITE, in milliseconds.
    pub after_ms: u64,
    /// Who does it.
    pub by: Side,
    /// What; a no-op where the call is not up.
    pub what: Inside,
}

/// What either side may do inside a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inside {
    /// Puts the other side on hold, or takes it off.
    Hold(Hold),
    /// Wants other codecs.
    Codecs(Vec<Codec>),
    /// Says again what was said, as a session refresh does.
    Refresh {
        /// By UPDATE.
        by_update: bool,
    },
    /// A re-INVITE without an offer.
    Question,
    /// An INFO.
    Info,
    /// A MESSAGE.
    Message,
    /// Transfers the other side to this user, blindly.
    Refer(String),
    /// Cancels its own re-INVITE.
    CancelChange,
}

/// What happens to a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhonePlan {
    /// Which.
    pub name: String,
    /// What.
    pub does: PhoneAct,
}

/// What a phone does besides calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhoneAct {
    /// Registers again.
    Register,
    /// Takes its binding away, and registers half a minute later.
    Leave,
    /// Loses its power: everything it knew is gone, nobody is told; it comes back and registers.
    Reboot,
}

/// What happens to the switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwitchFault {
    /// Killed and started again; what the journals got in the last `lost_ms` is lost with the power.
    Crash {
        /// 0: `kill -9`, which loses nothing that was written.
        lost_ms: u64,
    },
    /// Goes on from its own snapshot.
    Restore,
    /// From now on it goes on from its own snapshot after every turn.
    RestoreAlways,
    /// The wall clock is set.
    WallClock {
        /// Forward or back.
        by_ms: i64,
    },
    /// The monotonic clock goes back for a moment, which no kernel admits and some have done.
    Regress {
        /// How far.
        by_ms: u64,
    },
    /// The thread does not run; what comes in meanwhile waits in the socket, or is lost.
    Stall {
        /// How long.
        for_ms: u64,
    },
    /// The record sink takes its time.
    SlowSink {
        /// How long after they happened events are written, for a minute.
        by_ms: u64,
    },
    /// The send buffer is often full, for some time.
    FullBuffer {
        /// How often.
        permille: u64,
        /// How long.
        for_ms: u64,
    },
    /// A new configuration: the same with other timers, which calls under way do not take.
    Reload,
    /// The system is unkind to who wants a media port.
    Ports {
        /// How.
        trouble: PortTrouble,
        /// How long.
        for_ms: u64,
    },
    /// Another process has media ports.
    OccupyPorts {
        /// The first one.
        first: u16,
        /// The last one.
        last: u16,
        /// How long.
        for_ms: u64,
    },
    /// The thread of a media shard does not run.
    StallShard {
        /// Which.
        shard: u16,
        /// How long.
        for_ms: u64,
    },
}

impl SwitchFault {
    /// Whether calls may get no media ports, or get them too late.
    pub(super) fn troubles_ports(self) -> bool {
        use SwitchFault::{OccupyPorts, Ports, Regress, Stall, StallShard};
        matches!(self, OccupyPorts { .. } | Ports { .. } | Regress { .. } | Stall { .. } | StallShard { .. })
    }
}

/// What happens to the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetFault {
    /// Nothing passes between these and the switch.
    Partition {
        /// Phones and gateways, by name.
        names: Vec<String>,
        /// Which way is shut, seen from them.
        way: Direction,
        /// What becomes of what is under way.
        stopped: Stopped,
        /// How long.
        for_ms: u64,
    },
    /// An address translator forgets its mappings.
    RebootNat {
        /// Its number in the scenario.
        nat: u16,
    },
    /// Every link is this bad for some time.
    Weather {
        /// How bad.
        plan: Plan,
        /// How long.
        for_ms: u64,
    },
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
