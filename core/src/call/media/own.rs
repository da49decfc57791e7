//! Early dialogs of the switch's own: the caller hears its ringback or an announcement, which a 183 under a tag of the
//! switch's own describes. No callee is behind them, so what is asked there is the switch's to answer.

use super::super::start::{described, has_session};
use super::super::{Call, LegState, Of, Side, Step, answer, glare};
use super::Ring;
use crate::dialog::Tag;
use crate::limits;
use crate::sdp::{self, Taken};
use crate::sip::{Message, Method, Name, Writer};
use crate::transaction::{Reply, ServerId};
use serde::{Deserialize, Serialize};

/// What may be asked in a dialog whose other end is the switch: the Allow header.
pub(in crate::call) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK";

/// Such a dialog: what it has besides the identifiers of the caller's INVITE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnDialog {
    /// Ours.
    pub tag: Tag,
    /// CSeq number of the caller's last request.
    pub remote_cseq: u32,
}

/// What of this offer the caller can hear of the switch's own; none where that is no G.711, or it takes no media.
pub(super) fn audible(offer: &[u8]) -> Option<Taken> {
    let taken = sdp::take(offer)?;
    let streams = sdp::streams(offer).ok()?;
    streams.get(taken.index).filter(|stream| !stream.is_held()).map(|_| taken)
}

impl Call {
    /// Shows the caller a description of the switch's own before the answer, in an early dialog of its own.
    pub(super) fn show_own(&mut self, step: &mut Step<'_>, description: &[u8]) {
        let tag: Tag = step.cx.rng.ids.token();
        let mut lines = Writer::lines();
        answer::contact(step, self.ingress.dialog.flow, &mut lines);
        lines.header("Content-Type", "application/sdp");
        let body = described(step.cx, &mut self.ingress.dialog.clone(), description, None);
        let reply = Reply { headers: lines.as_bytes(), body: &body, ..Reply::new(183, &tag) };
        step.transactions.respond(step.cx, self.ingress.server, reply);
        if self.own.len() >= limits::BRANCHES_PER_CALL {
            let oldest = self.own.remove(0);
            step.by_tag.remove(&oldest.tag);
        }
        step.name(tag, Of::Own);
        self.own.push(OwnDialog { tag, remote_cseq: self.ingress.dialog.remote_cseq.unwrap_or(0) });
    }

    /// They are over: the caller's INVITE has its final answer (RFC 3261 §12.3, §13.2.2.4).
    pub(in crate::call) fn drop_own(&mut self, step: &mut Step<'_>) {
        for own in std::mem::take(&mut self.own) {
            step.by_tag.remove(&own.tag);
        }
    }

    /// A request inside one of them.
    pub(in crate::call) fn on_own_request(&mut self, step: &mut Step<'_>, message: &Message<'_>, server: ServerId) {
        let (Ok(to), Some(method), Ok(cseq)) = (message.to(), message.method(), message.cseq()) else { return };
        let is_its = |own: &&mut OwnDialog| to.tag() == Some(&own.tag[..]);
        let own = self.own.iter_mut().find(is_its).expect("a tag of the switch's own names a dialog of its own");
        let tag = own.tag;
        if cseq.number <= own.remote_cseq {
            return step.reply(server, 500, &tag); // RFC 3261 §12.2.2: out of order
        }
        own.remote_cseq = cseq.number;
        match method {
            Method::Bye => self.on_own_bye(step, tag, message, server),
            // RFC 3262 §3: nothing is sent reliably here
            Method::Prack => step.reply(server, 481, &tag),
            // RFC 3261 §14.2: the first one has no final answer yet
            Method::Invite => glare::refuse_for_now(step, server, &tag),
            // RFC 3311 §5.2: nor has its offer an answer, of which an unreliable 183 shows but a preview
            Method::Update if has_session(message) => glare::refuse_for_now(step, server, &tag),
            _ => self.answer_own(step, tag, message, server),
        }
    }

    /// Answers what changes nothing where the switch is the other end: in one of these dialogs, where nothing is ever sent to
    /// the target that an UPDATE refreshes, or in that of a number of its own.
    pub(in crate::call) fn answer_own(&self, step: &mut Step<'_>, tag: Tag, message: &Message<'_>, server: ServerId) {
        let mut lines = Writer::lines();
        let status = match message.method() {
            Some(Method::Info) if message.value(Name::InfoPackage).is_some() => {
                lines.header("Recv-Info", ""); // RFC 6086 §4.2.2: the switch takes none
                469
            }
            Some(Method::Options | Method::Update | Method::Info) => {
                answer::contact(step, self.ingress.dialog.flow, &mut lines);
                lines.header("Allow", ALLOW).header("Accept", "application/sdp");
                200
            }
            Some(Method::Notify) => 481, // RFC 6665 §4.1.3: there is no subscription
            method => {
                lines.header("Allow", ALLOW);
                if matches!(method, Some(Method::Other(_))) { 501 } else { 405 }
            }
        };
        let reply = Reply { headers: lines.as_bytes(), ..Reply::new(status, &tag) };
        step.transactions.respond(step.cx, server, reply);
    }

    /// The caller ends one of them.
    fn on_own_bye(&mut self, step: &mut Step<'_>, tag: Tag, message: &Message<'_>, server: ServerId) {
        step.reply(server, 200, &tag);
        if !self.has_other_early(tag) {
            return self.hang_up_by(step, Side::Caller, message);
        }
        // RFC 3261 §15.1.1: one early dialog of several
        let is_heard = self.own.last().is_some_and(|own| own.tag == tag);
        self.own.retain(|own| own.tag != tag);
        step.by_tag.remove(&tag);
        for relayed in self.attempts.iter_mut().filter_map(|attempt| attempt.media.relayed.as_mut()) {
            if let Ring::Ours { session, law } = relayed.ring
                && is_heard
            {
                relayed.ring = Ring::Impossible;
                step.relays.play(step.cx, session, Side::Caller.party(), law, None);
            }
        }
    }

    /// Whether the caller has an early dialog besides the one of this tag: it has been shown that of a callee who still
    /// rings, or hears something of the switch's own in another one.
    pub(in crate::call) fn has_other_early(&self, tag: Tag) -> bool {
        let is_heard = self.announcement.is_some() || self.is_ringing();
        let rings = |leg: LegState| leg == LegState::Early;
        self.branches.iter().any(|branch| {
            let is_early = rings(branch.caller.state) && rings(branch.callee.state);
            branch.caller.dialog.local_tag != tag && branch.is_shown && is_early
        }) || self.own.last().is_some_and(|own| own.tag != tag && is_heard)
    }
}
