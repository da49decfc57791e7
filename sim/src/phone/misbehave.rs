//! Misbehaviour: what broken phones do in calls, one fault a name. Where a fault needs a wrong message, it is sent besides
//! the right ones, so that the call goes on and ends; what the fault leads to at this phone is not held against the
//! switch, but every message of the switch has to be well-formed as ever.

use super::call::{Call, State};
use super::dialog::Spot;
use super::exchange::Purpose;
use super::message::Message;
use super::{End, Phone, Todo};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A fault of one phone in one call, and what the switch must make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misbehaviour {
    /// The caller never acknowledges the 2xx. The switch sends it again until 64*T1, then ends both legs with BYE (RFC
    /// 3261 §13.3.1.4).
    NoAck,
    /// The caller's ACK comes late, and none before it for the 2xx that comes again meanwhile. The switch sends that again
    /// and goes on with the ACK (RFC 3261 §13.3.1.4).
    AckLate {
        /// Counted from the 2xx.
        after_ms: u64,
    },
    /// The caller sends every ACK twice. The second is absorbed, and never passed on as something new (RFC 3261 §17).
    AckTwice,
    /// A BYE goes out right behind the callee's 200, or before the caller's ACK (RFC 3261 §15: the callee must not). The
    /// call ends, and every 2xx is acknowledged all the same.
    ByeBeforeAck,
    /// Two BYEs, one behind the other. The second meets 481 or 200 (RFC 3261 §15.1.2), and the call has one record.
    ByeTwice,
    /// The caller cancels what was answered. CANCEL has no effect on it (RFC 3261 §9.2): the call stays up.
    CancelAfterAnswer,
    /// The caller cancels although no provisional answer has come (RFC 3261 §9.1: it must wait). The switch answers 200 or
    /// 481, and 487 where the INVITE had come (§9.2).
    CancelUnheard {
        /// Counted from the INVITE; with 0 nothing can have come.
        after_ms: u64,
    },
    /// The callee says 200 after its refusal. The transaction is over (RFC 3261 §17.1.1.2): the caller hears of the refusal
    /// only, and nobody is billed.
    AnswerAfterRefusal,
    /// The callee refuses after its 200. That changes nothing (RFC 3261 §17.1.1).
    RefusalAfterAnswer,
    /// The callee's 200 comes a second time under another tag, as if a fork had answered. It is acknowledged and hung up
    /// (RFC 3261 §13.2.2.4), or passed over; the first call stays.
    TagChanges,
    /// A 180 behind the 200. It is passed over (RFC 3261 §17.1.1.2), and never reaches the caller.
    ProvisionalAfterAnswer,
    /// An INFO, and behind it a BYE with a lower CSeq number than that. It is answered 500 (RFC 3261 §12.2.2), and the call stays.
    LowCseq,
    /// A BYE whose CSeq names another method (RFC 3261 §8.1.1.5). It is refused, and the call stays.
    WrongCseqMethod,
    /// A BYE with a To tag that nobody has. It is answered 481 (RFC 3261 §12.2.2), and the call stays.
    WrongTag,
    /// Several re-INVITEs at once, each before the one before it is answered (RFC 3261 §14.1: it must not). One is dealt
    /// with, the others are answered 491 or 500 with Retry-After (§14.2); the far side sees one at a time.
    ReinviteStorm {
        /// How many.
        count: u8,
    },
    /// The phone never answers the BYE. The switch sends it again until 64*T1 and forgets the call (RFC 3261 §17.1.2).
    NoByeAnswer,
    /// Content-Length of the INVITE or of its 2xx is not the length of the body. Where it says more than there is, the
    /// INVITE is refused with 400, and the 2xx passed over (RFC 3261 §18.3); what is beyond it is cut off.
    WrongLength {
        /// How many octets it says too many; below zero: too few.
        by: i32,
    },
    /// The description in the INVITE or its 2xx is no SDP. The call is refused, or ended; no switch falls over it.
    SdpGarbage,
    /// The INVITE comes with credentials on a nonce that the switch never gave. It is challenged or refused (RFC 7616
    /// §3.3), and never let in.
    StaleCredentials,
    /// The INVITE comes with a count that its nonce has seen already. It is challenged or refused: it may be a replay (RFC
    /// 7616 §5.5).
    ReplayedCredentials,
    /// The phone takes its registration back in mid-call, and registers again behind it. The call goes on: a dialog needs
    /// no binding (RFC 3261 §12).
    UnregisterInCall,
    /// The callee says 100 again and again and nothing else. The switch gives up when its time is over, and the caller
    /// hears of it (RFC 3261 §13.3.1.1 leaves how long).
    EndlessTrying {
        /// The gap between two.
        every_ms: u64,
    },
    /// The same with 180: it rings for ever.
    EndlessRinging {
        /// The gap between two.
        every_ms: u64,
    },
    /// The callee answers the CANCEL but never the INVITE. After 64*T1 the switch takes the INVITE for cancelled (RFC 3261
    /// §9.1).
    NoFinalAfterCancel,
    /// The caller never sends a PRACK. What was said reliably comes again until 64*T1, then the INVITE is refused with a
    /// 5xx (RFC 3262 §3).
    NoPrack,
}

impl Misbehaviour {
    /// Each of them once, for whoever draws one.
    pub const EVERY: [Misbehaviour; 25] = [
        Misbehaviour::NoAck,
        Misbehaviour::AckLate { after_ms: 2000 },
        Misbehaviour::AckTwice,
        Misbehaviour::ByeBeforeAck,
        Misbehaviour::ByeTwice,
        Misbehaviour::CancelAfterAnswer,
        Misbehaviour::CancelUnheard { after_ms: 0 },
        Misbehaviour::AnswerAfterRefusal,
        Misbehaviour::RefusalAfterAnswer,
        Misbehaviour::TagChanges,
        Misbehaviour::ProvisionalAfterAnswer,
        Misbehaviour::LowCseq,
        Misbehaviour::WrongCseqMethod,
        Misbehaviour::WrongTag,
        Misbehaviour::ReinviteStorm { count: 3 },
        Misbehaviour::NoByeAnswer,
        Misbehaviour::WrongLength { by: 10 },
        Misbehaviour::SdpGarbage,
        Misbehaviour::StaleCredentials,
        Misbehaviour::ReplayedCredentials,
        Misbehaviour::UnregisterInCall,
        Misbehaviour::EndlessTrying { every_ms: 1000 },
        Misbehaviour::EndlessRinging { every_ms: 10_000 },
        Misbehaviour::NoFinalAfterCancel,
        Misbehaviour::NoPrack,
    ];
}

/// When something of a call has happened, and a fault may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// An INVITE that begins it has gone out.
    Inviting,
    /// Its 2xx has gone out.
    Answering,
    /// Its refusal has gone out.
    Refusing,
    /// The ACK has gone out, or come.
    Confirmed,
    /// The BYE has gone out.
    Ending,
    /// It is over.
    Over,
}

/// What a body is that nobody can read.
const GARBAGE: &str = "v=0\r\no=\u{1}\u{2}\r\ns=x-garbage\r\nm=audio many RTP\r\nc=IN IP9 :::\r\n\r\n=\r\n";
/// What it is known by at the far side: a switch may pass on what it cannot read.
const GARBAGE_MARK: &str = "x-garbage";

impl Phone {
    /// Whether this fault is to be played in this call.
    pub(super) fn plays(&mut self, number: u32, fault: Misbehaviour) -> bool {
        self.find_call(number).script.misbehaviours.contains(&fault)
    }

    /// The faults that follow a moment of a call.
    pub(super) fn misbehave(&mut self, moment: Moment, spot: Spot) {
        if self.find_call(spot.call).script.misbehaviours.is_empty() {
            return;
        }
        for fault in self.find_call(spot.call).script.misbehaviours.clone() {
            match (moment, fault) {
                (Moment::Inviting, Misbehaviour::CancelUnheard { after_ms }) => {
                    self.later(Duration::from_millis(after_ms), Todo::Misbehave(spot, fault));
                }
                (Moment::Answering, Misbehaviour::ByeBeforeAck) => self.send_bye(spot),
                (Moment::Answering, Misbehaviour::RefusalAfterAnswer) => self.say_besides(spot, 486, None),
                (Moment::Answering, Misbehaviour::ProvisionalAfterAnswer) => self.say_besides(spot, 180, None),
                (Moment::Answering, Misbehaviour::TagChanges) => {
                    let other = self.token();
                    self.say_besides(spot, 200, Some(other));
                }
                (Moment::Refusing, Misbehaviour::AnswerAfterRefusal) => self.say_besides(spot, 200, None),
                (Moment::Confirmed, _) => self.misbehave_when_up(spot, fault),
                (Moment::Ending, Misbehaviour::ByeTwice) => self.send_rogue(spot, "BYE", |_| {}),
                (Moment::Over, Misbehaviour::UnregisterInCall) => self.send_register(self.settings.expires_s),
                _ => {}
            }
        }
    }

    fn misbehave_when_up(&mut self, spot: Spot, fault: Misbehaviour) {
        match fault {
            Misbehaviour::CancelAfterAnswer => self.cancel_again(spot.call),
            Misbehaviour::LowCseq => {
                self.send_rogue(spot, "INFO", |_| {});
                self.send_rogue(spot, "BYE", |bye| {
                    let number = bye.cseq().map_or(0, |(number, _)| number);
                    bye.set("CSeq", format!("{} BYE", number - 2));
                });
            }
            Misbehaviour::WrongCseqMethod => self.send_rogue(spot, "BYE", |bye| {
                let number = bye.cseq().map_or(0, |(number, _)| number);
                bye.set("CSeq", format!("{number} INFO"));
            }),
            Misbehaviour::WrongTag => self.send_rogue(spot, "BYE", |bye| {
                let to = bye.get("To").unwrap_or_default().to_owned();
                bye.set("To", format!("{to}-not"));
            }),
            Misbehaviour::ReinviteStorm { count } => {
                let Some(sdp) = self.find_call(spot.call).agreed().map(|agreed| agreed.ours.write()) else { return };
                for _ in 0..count {
                    let (contact, sdp) = (self.contact(), sdp.clone());
                    self.send_rogue(spot, "INVITE", |invite| {
                        *invite = invite.clone().with("Contact", contact).with_sdp(sdp)
                    });
                }
            }
            Misbehaviour::UnregisterInCall => self.send_register(0),
            _ => {}
        }
    }

    /// What was put off.
    pub(super) fn misbehave_late(&mut self, spot: Spot, fault: Misbehaviour) {
        match fault {
            Misbehaviour::CancelUnheard { .. } => {
                let is_it = |c: &super::Client| c.purpose == Purpose::Invite(spot.call) && c.finished.is_none();
                if let Some(index) = self.clients.iter().position(is_it) {
                    self.find_call(spot.call).wants_end = true;
                    self.send_cancel(index);
                }
            }
            Misbehaviour::EndlessTrying { every_ms } | Misbehaviour::EndlessRinging { every_ms }
                if self.find_call(spot.call).state == State::Incoming =>
            {
                let status = if matches!(fault, Misbehaviour::EndlessTrying { .. }) { 100 } else { 180 };
                self.say_besides(spot, status, None);
                self.later(Duration::from_millis(every_ms.max(1)), Todo::Misbehave(spot, fault));
            }
            _ => {}
        }
    }

    /// Says 100 or 180 and nothing more, where that is the fault; whether it is.
    pub(super) fn tries_for_ever(&mut self, number: u32) -> bool {
        let faults = &self.find_call(number).script.misbehaviours;
        let is_endless = |fault: &Misbehaviour| {
            matches!(fault, Misbehaviour::EndlessTrying { .. } | Misbehaviour::EndlessRinging { .. })
        };
        let fault = faults.iter().copied().find(is_endless);
        if let Some(fault) = fault {
            self.misbehave_late(Spot { call: number, dialog: 0 }, fault);
        }
        fault.is_some()
    }

    /// How late the ACKs of this call's INVITE go out, one for each; the usual is one at once.
    pub(super) fn acks_after(&mut self, number: u32) -> Vec<Duration> {
        let faults = &self.find_call(number).script.misbehaviours;
        faults
            .iter()
            .find_map(|fault| match fault {
                Misbehaviour::NoAck => Some(Vec::new()),
                Misbehaviour::AckLate { after_ms } => Some(vec![Duration::from_millis(*after_ms)]),
                Misbehaviour::AckTwice => Some(vec![Duration::ZERO; 2]),
                _ => None,
            })
            .unwrap_or_else(|| vec![Duration::ZERO])
    }

    /// Spoils the description of an INVITE that begins a call, or of its 2xx, where that is the fault.
    pub(super) fn spoil(&mut self, number: u32, message: &mut Message) {
        for fault in &self.find_call(number).script.misbehaviours {
            match fault {
                Misbehaviour::SdpGarbage if !message.body.is_empty() => GARBAGE.clone_into(&mut message.body),
                Misbehaviour::WrongLength { by } if !message.body.is_empty() => {
                    let length = message.body_bytes().len().saturating_add_signed(*by as isize);
                    message.set("Content-Length", length.to_string());
                }
                _ => {}
            }
        }
    }

    /// Credentials that must not open anything, where that is the fault.
    pub(super) fn bad_credentials(&mut self, number: u32, request: &Message) -> Option<(&'static str, String)> {
        let (stale, replayed) = (Misbehaviour::StaleCredentials, Misbehaviour::ReplayedCredentials);
        let (is_stale, is_replayed) = (self.plays(number, stale), self.plays(number, replayed));
        // what a challenge has asked for is answered as it should
        let is_first = request.cseq().is_some_and(|(number, _)| number == 1);
        if !is_first || !(is_stale || is_replayed) {
            return None;
        }
        let challenge = self.challenge.as_mut()?;
        challenge.step_back();
        if is_stale {
            challenge.forge_nonce();
        }
        let credentials = self.credentials(request)?;
        self.find_call(number).has_bad_credentials = true;
        Some(credentials)
    }

    /// The first answer but 100 to bad credentials: it must be a challenge or a refusal.
    pub(super) fn check_bad_credentials(&mut self, number: u32, index: usize, status: u16) {
        let is_first = self.clients[index].request.cseq().is_some_and(|(number, _)| number == 1);
        let was_bad = self.find_call(number).has_bad_credentials;
        // the credentials are new to a switch that the first copy of them never reached
        let may_be_new = self.settings.doubts.loses;
        if was_bad && is_first && !may_be_new && status > 100 && !matches!(status, 400 | 401 | 403 | 407) {
            self.fault(format!("stale or replayed credentials were answered {status}"));
        }
    }

    /// An answer to the call's INVITE besides those that count, once, unasked.
    fn say_besides(&mut self, spot: Spot, status: u16, tag: Option<String>) {
        let Some(index) = self.invite_of(spot.call) else { return };
        let tag = tag.unwrap_or_else(|| self.dialog(spot).local_tag.clone());
        let mut response = self.response(index, status, &tag).with("Contact", self.contact());
        if status == 200 {
            response = response.with_sdp(self.first_description(spot.call).write());
        }
        let to = self.servers[index].from();
        self.out.push_back((to, response.to_bytes().into()));
    }

    /// A request in the dialog that should not be; its answer changes nothing.
    fn send_rogue(&mut self, spot: Spot, method: &str, spoil: impl FnOnce(&mut Message)) {
        let mut request = self.next_request(spot, method);
        spoil(&mut request);
        self.send_within_call(spot, request, Purpose::Rogue(spot));
    }

    fn cancel_again(&mut self, number: u32) {
        let is_it = |c: &super::Client| c.purpose == Purpose::Invite(number);
        if let Some(index) = self.clients.iter().rposition(is_it) {
            self.send_cancel_of(index);
        }
    }

    /// Whether this message belongs to a call that misbehaves here.
    pub(super) fn is_of_rogue(&self, call_id: &str) -> bool {
        let mut calls = self.calls.all().iter().rev();
        self.has_rogues && calls.find(|call| call.call_id == call_id).is_some_and(Call::is_rogue)
    }

    /// A violation of a call, unless it misbehaves itself.
    pub(super) fn violation_in(&mut self, number: u32, what: String) {
        if !self.find_call(number).is_rogue() {
            self.violation(what);
        }
    }

    /// Whether a violation is about a body that some phone spoiled.
    pub(super) fn is_of_garbage(what: &str) -> bool {
        what.contains(GARBAGE_MARK)
    }

    /// How a call ends that was cancelled, and whose INVITE is never answered.
    pub(super) fn swallows_cancel(&mut self, number: u32) -> bool {
        let swallows = self.plays(number, Misbehaviour::NoFinalAfterCancel);
        if swallows {
            self.over(number, End::Cancelled);
        }
        swallows
    }
}
