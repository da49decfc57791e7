//! The dialogs of the switch, seen from outside (RFC 3261 §12, §15).

use super::ids::{Id, Ids, KEPT, id};
use super::scan::{Method, Seen};
use super::schedule::Schedule;
use super::{At, Found, Violation};
use crosspoint_core::time::Instant;
use std::collections::BTreeSet;

/// Who did something in a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The peer.
    Peer,
    /// The switch.
    Switch,
}

/// One Call-ID: a leg of a call, or what else has one.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) call_id: Box<str>,
    /// Whether the switch made it.
    pub(super) is_ours: bool,
    touched: Instant,
    /// The CSeq of the latest INVITE outside of a dialog, and how many hops it might still pass.
    invite: Option<u32>,
    pub(super) max_forwards: Option<u32>,
    /// The final status of that INVITE.
    pub(super) status: Option<u16>,
    pub(super) answered: Option<Instant>,
    pub(super) was_cancelled: bool,
    /// When and by whom it was first ended.
    pub(super) ended: Option<(Instant, By)>,
    dialogs: Vec<Dialog>,
}

/// One dialog of a leg: an early one, or one with a 2xx.
#[derive(Debug)]
struct Dialog {
    /// The switch's tag.
    local: Id,
    remote: Id,
    /// The last CSeq that the switch used in it; none yet where the peer began it.
    cseq: Option<u32>,
    /// When its 2xx passed, and whether it was the first of its leg: the one in which there is a call.
    confirmed: Option<Instant>,
    is_talk: bool,
    /// Whether the peer's ACK has come, or the switch is the one that acknowledges.
    is_acknowledged: bool,
    /// A BYE came, and waits for its answer.
    bye: Option<Instant>,
    ended: Option<(Instant, By)>,
    /// The peer has said that it has no such dialog; a BYE may follow all the same.
    is_gone: bool,
    /// The last RSeq of either side (RFC 3262 §3).
    rseq: Option<u32>,
}

/// The legs, by their Call-ID.
#[derive(Debug, Default)]
pub(super) struct Legs {
    /// Somebody may have lost what was said to them, or their memory: see [`super::Lawful::CutOff`].
    pub(super) may_be_cut: bool,
    legs: Ids<Leg>,
    /// Call-IDs that a crash cut off: what was under way in them is void.
    cut_off: BTreeSet<Box<str>>,
}

fn is_final(status: u16) -> bool {
    status >= 200
}

impl Legs {
    pub(super) fn get(&self, call_id: &str) -> Option<&Leg> {
        self.legs.get(id(call_id.as_bytes()))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.legs.len()
    }

    /// Whether the call of this leg has ended.
    pub(super) fn is_over(&self, call: Id) -> bool {
        self.legs.get(call).is_some_and(|leg| leg.ended.is_some())
    }

    /// The switch knows none of them any longer.
    pub(super) fn crashed(&mut self) {
        self.cut_off.extend(self.legs.iter().map(|leg| leg.call_id.clone()));
        self.legs.clear();
    }

    pub(super) fn is_cut_off(&self, call_id: &str) -> bool {
        self.cut_off.contains(call_id)
    }

    fn leg(&mut self, at: At, seen: &Seen<'_>, is_ours: bool) -> &mut Leg {
        let new = || Leg {
            call_id: String::from_utf8_lossy(seen.call_id).into(),
            is_ours,
            touched: at.now,
            invite: None,
            max_forwards: None,
            status: None,
            answered: None,
            was_cancelled: false,
            ended: None,
            dialogs: Vec::new(),
        };
        let leg = self.legs.entry(at.now, seen.call(), new);
        leg.touched = at.now;
        leg
    }

    /// A new request came.
    pub(super) fn request_came(&mut self, at: At, seen: &Seen<'_>) {
        let leg = self.leg(at, seen, false);
        match seen.method {
            Method::Invite if seen.tag_of_to().is_empty() => {
                (leg.invite, leg.max_forwards, leg.status) = (Some(seen.cseq), seen.max_forwards, None);
            }
            Method::Cancel => leg.was_cancelled = true,
            Method::Bye => {
                if let Some(dialog) = leg.dialog(id(seen.tag_of_to()), id(seen.tag_of_from())) {
                    dialog.bye = Some(at.now);
                }
            }
            _ => {}
        }
    }

    /// An ACK came, or came again.
    pub(super) fn ack_came(&mut self, at: At, seen: &Seen<'_>) {
        if let Some(leg) = self.legs.get_mut(seen.call()) {
            leg.touched = at.now;
            if let Some(dialog) = leg.dialog(id(seen.tag_of_to()), id(seen.tag_of_from())) {
                dialog.is_acknowledged = true;
            }
        }
    }

    /// A response leaves.
    pub(super) fn response_went(&mut self, at: At, seen: &Seen<'_>, found: &mut Found) {
        let status = seen.status().unwrap_or_default();
        let Some(leg) = self.legs.get_mut(seen.call()) else { return };
        leg.touched = at.now;
        let (local, remote) = (id(seen.tag_of_to()), id(seen.tag_of_from()));
        match (seen.method, status) {
            (Method::Invite, 101..300) if !seen.tag_of_to().is_empty() => {
                let is_first = !leg.is_ours && leg.invite == Some(seen.cseq);
                let is_talk = leg.answered.is_none();
                if is_first && is_final(status) {
                    leg.status = Some(status);
                    leg.answered = leg.answered.or(Some(at.now));
                    leg.check_one_answer(local, seen, found);
                }
                let dialog = leg.dialog_or_new(local, remote, None);
                if is_first && is_final(status) {
                    dialog.confirm(at.now, is_talk);
                }
                dialog.check_rseq(seen, found);
            }
            (Method::Invite, 300..) if !leg.is_ours && leg.invite == Some(seen.cseq) => {
                leg.status = leg.status.filter(|s| *s < 300).or(Some(status))
            }
            (Method::Bye, 200..) => {
                let Some(dialog) = leg.dialog(local, remote) else { return };
                let bye = dialog.bye.take().filter(|_| status < 300);
                dialog.ended = dialog.ended.or(bye.map(|at| (at, By::Peer)));
                let ended = dialog.ended.filter(|_| dialog.is_talk);
                leg.ended = leg.ended.or(ended);
            }
            _ => {}
        }
    }

    /// A response came.
    pub(super) fn response_came(&mut self, at: At, seen: &Seen<'_>) {
        let status = seen.status().unwrap_or_default();
        let Some(leg) = self.legs.get_mut(seen.call()) else { return };
        leg.touched = at.now;
        let (local, remote) = (id(seen.tag_of_from()), id(seen.tag_of_to()));
        // the INVITE has failed: what contradicts that is for nobody (RFC 3261 §17.1.1.2)
        let is_failed = leg.is_ours && leg.invite == Some(seen.cseq) && leg.status.is_some_and(|status| status >= 300);
        match (seen.method, status) {
            (Method::Invite, _) if is_failed => {}
            (Method::Invite, 101..300) if !seen.tag_of_to().is_empty() && leg.is_ours => {
                let is_first = leg.invite == Some(seen.cseq);
                let is_talk = leg.answered.is_none();
                if is_first && is_final(status) {
                    leg.status = leg.status.or(Some(status));
                    leg.answered = leg.answered.or(Some(at.now));
                }
                let dialog = leg.dialog_or_new(local, remote, Some(seen.cseq));
                dialog.is_acknowledged = true;
                if is_first && is_final(status) {
                    dialog.confirm(at.now, is_talk);
                }
                dialog.rseq = dialog.rseq.max(seen.rseq);
            }
            (Method::Invite, 300..) if leg.is_ours && leg.invite == Some(seen.cseq) => {
                leg.status = leg.status.or(Some(status))
            }
            // it comes again, with credentials
            (Method::Bye, 401 | 407) => {
                if let Some(dialog) = leg.dialog(local, remote) {
                    dialog.ended = None;
                }
            }
            // RFC 3261 §12.2.1.2: the peer has no such dialog any longer
            (_, 408 | 481) if !matches!(seen.method, Method::Cancel) => {
                if let Some(dialog) = leg.dialog(local, remote) {
                    dialog.is_gone = true;
                }
            }
            _ => {}
        }
    }

    /// A new request leaves.
    pub(super) fn request_went(&mut self, at: At, seen: &Seen<'_>, rules: &Schedule, found: &mut Found) {
        if seen.method == Method::Cancel {
            return;
        }
        if seen.tag_of_to().is_empty() {
            return self.outside_went(at, seen, found);
        }
        let Some(leg) = self.legs.get_mut(seen.call()) else {
            if self.may_be_cut {
                return;
            }
            let text = format!("{} to {}: in no dialog that there is", seen.name(), at.peer);
            return found.add(Violation::new("in-dialog", text).of_call(&seen.call_id_text()));
        };
        leg.touched = at.now;
        let (local, remote) = (id(seen.tag_of_from()), id(seen.tag_of_to()));
        let tell = |found: &mut Found, check, wrong: &str| {
            let text = format!("{} to {}: {wrong}", seen.name(), at.peer);
            found.add(Violation::new(check, text).of_call(&seen.call_id_text()));
        };
        let Some(dialog) = leg.dialog(local, remote) else {
            // a phone that lost its power answers its own dialogs 481, and the switch still takes leave of it
            if self.may_be_cut {
                return;
            }
            return tell(found, "in-dialog", "in no dialog that there is");
        };
        if dialog.cseq.is_some_and(|before| seen.cseq <= before) {
            tell(found, "cseq", &format!("CSeq {} after {:?}", seen.cseq, dialog.cseq));
        }
        dialog.cseq = Some(seen.cseq);
        if seen.method == Method::Prack && dialog.rseq.is_none_or(|rseq| rack_of(seen) > rseq) {
            tell(found, "reliable", "RAck names no answer that came");
        }
        // what was subscribed to outlives the call (RFC 5057 §4.1)
        let is_bound_to_call = !matches!(seen.method, Method::Notify | Method::Subscribe);
        if is_bound_to_call && dialog.ended.is_some_and(|(since, _)| since < at.now) {
            tell(found, "after-bye", "the dialog is over");
        }
        if seen.method == Method::Bye {
            if let Some(wrong) = dialog.bye_went(at.now, rules) {
                tell(found, "bye", wrong);
            }
            let ended = dialog.ended.filter(|_| dialog.is_talk);
            leg.ended = leg.ended.or(ended);
        }
    }

    /// A request outside of any dialog leaves.
    fn outside_went(&mut self, at: At, seen: &Seen<'_>, found: &mut Found) {
        let leg = self.leg(at, seen, true);
        let tell = |found: &mut Found, check, wrong: &str| {
            let text = format!("{} to {}: {wrong}", seen.name(), at.peer);
            found.add(Violation::new(check, text).of_call(&seen.call_id_text()));
        };
        if !leg.is_ours {
            tell(found, "call-id", "its Call-ID is that of a peer's request");
        }
        if seen.method == Method::Invite {
            if leg.invite.is_some_and(|before| seen.cseq <= before) {
                tell(found, "cseq", &format!("CSeq {} after {:?}", seen.cseq, leg.invite));
            }
            // asked again: after a challenge, say
            (leg.invite, leg.max_forwards, leg.status) = (Some(seen.cseq), seen.max_forwards, None);
        }
    }

    /// A dialog of this leg that was answered and that nobody has ended.
    pub(super) fn left_over(&self, call_id: &str) -> Option<&Leg> {
        let leg = self.get(call_id)?;
        leg.dialogs.iter().any(Dialog::is_up).then_some(leg)
    }

    /// Forgets what has ended.
    pub(super) fn forget(&mut self, now: Instant) {
        self.legs.forget(now, |leg| now.since(leg.touched) >= KEPT && !leg.is_under_way());
    }
}

impl Leg {
    /// Whether its INVITE waits for an answer, or a dialog of it is up.
    fn is_under_way(&self) -> bool {
        (self.invite.is_some() && self.status.is_none()) || self.dialogs.iter().any(Dialog::is_up)
    }

    fn dialog(&mut self, local: Id, remote: Id) -> Option<&mut Dialog> {
        self.dialogs.iter_mut().find(|dialog| dialog.local == local && dialog.remote == remote)
    }

    fn dialog_or_new(&mut self, local: Id, remote: Id, cseq: Option<u32>) -> &mut Dialog {
        let at = self.dialogs.iter().position(|dialog| dialog.local == local && dialog.remote == remote);
        let at = at.unwrap_or_else(|| {
            self.dialogs.push(Dialog {
                local,
                remote,
                cseq,
                confirmed: None,
                is_talk: false,
                is_acknowledged: false,
                bye: None,
                ended: None,
                is_gone: false,
                rseq: None,
            });
            self.dialogs.len() - 1
        });
        &mut self.dialogs[at]
    }

    /// A caller gets one 2xx, whatever forks behind the switch (RFC 3261 §13.2.2.4, §16.7 step 5).
    fn check_one_answer(&self, local: Id, seen: &Seen<'_>, found: &mut Found) {
        if self.dialogs.iter().any(|dialog| dialog.confirmed.is_some() && dialog.local != local) {
            let text = format!("{}: a 2xx under another tag came before", seen.name());
            found.add(Violation::new("one-final-answer", text).of_call(&self.call_id));
        }
    }
}

impl Dialog {
    fn confirm(&mut self, now: Instant, is_talk: bool) {
        if self.confirmed.is_none() {
            (self.confirmed, self.is_talk) = (Some(now), is_talk);
        }
    }

    fn is_up(&self) -> bool {
        self.confirmed.is_some() && self.ended.is_none() && !self.is_gone
    }

    /// Reliable answers of a dialog are numbered without a gap (RFC 3262 §3).
    fn check_rseq(&mut self, seen: &Seen<'_>, found: &mut Found) {
        let Some(rseq) = seen.rseq else { return };
        if self.rseq.is_some_and(|before| rseq != before && rseq != before + 1) {
            let text = format!("{}: RSeq {rseq} after {:?}", seen.name(), self.rseq);
            found.add(Violation::new("reliable", text).of_call(&seen.call_id_text()));
        }
        self.rseq = Some(rseq);
    }

    /// The switch hangs up. RFC 3261 §15: only what was answered, and the answering side only once the ACK has come or
    /// will not come any more.
    fn bye_went(&mut self, now: Instant, rules: &Schedule) -> Option<&'static str> {
        self.ended = self.ended.or(Some((now, By::Switch)));
        let Some(since) = self.confirmed else { return Some("the dialog was not answered") };
        let may_be_acknowledged = !self.is_acknowledged && now + rules.slack < since + rules.give_up();
        may_be_acknowledged.then_some("the ACK has not come and still may")
    }
}

/// The RSeq that a PRACK names.
fn rack_of(seen: &Seen<'_>) -> u32 {
    let digits = seen.rack.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0_u32, |number, digit| number.saturating_mul(10).saturating_add(u32::from(digit - b'0')))
}
