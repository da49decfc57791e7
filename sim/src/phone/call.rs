//! One call of a phone: how far it has come, and its dialogs.

use super::dialog::{Dialog, Stage};
use super::message::{Message, Text, param, uri_of};
use super::offer::Agreed;
use super::rtp::Media;
use super::sdp::{Direction, Session};
use super::settings::End;
use crosspoint_core::time::Instant;

/// How far a call has come, from one phone's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// INVITE sent, nothing heard.
    Calling,
    /// INVITE sent, a provisional answer heard.
    Proceeding,
    /// INVITE received, no final answer sent.
    Incoming,
    /// 2xx sent, its ACK awaited.
    Answered,
    /// Both sides talk.
    Up,
    /// BYE sent.
    Ending,
    /// Over.
    Over(End),
}

/// A call, live or past.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) number: u32,
    pub(super) outgoing: bool,
    pub(super) state: State,
    pub(super) call_id: String,
    pub(super) local_uri: String,
    pub(super) remote_uri: String,
    /// Never empty. The first of a caller has no remote tag before the first answer with one.
    pub(super) dialogs: Vec<Dialog>,
    /// The dialog that counts: the answered one, before that the latest.
    pub(super) current: usize,
    /// What every further early dialog of a caller begins as.
    pub(super) seed: Option<Dialog>,
    /// The call is to end as soon as the protocol allows it.
    pub(super) wants_end: bool,
    /// It may be answered, and waits for a PRACK (RFC 3262 §3).
    pub(super) wants_answer: bool,
    pub(super) was_answered: bool,
    /// When this end said or heard that it is answered.
    pub(super) answered_at: Option<Instant>,
    /// When this end said or heard that it is over, and whether it was this end that said so.
    pub(super) left_at: Option<(Instant, bool)>,
    /// What the phone would like to describe; what it does describe stands in the dialog.
    pub(super) wanted: Session,
    pub(super) media: Option<Media>,
    /// The final status of the INVITE that began it.
    pub(super) final_status: Option<u16>,
    /// When the phone gives it up.
    pub(super) ends_at: Option<Instant>,
    /// What a scenario knows it by, and how it is to go; 0 and the usual where no scenario asked for it.
    pub(super) op: u64,
    pub(super) script: super::Script,
    /// Its INVITE went out with credentials that must not be good.
    pub(super) has_bad_credentials: bool,
    /// The call it was placed for, where a REFER asked for it.
    pub(super) referred_by: Option<super::refer::Subscription>,
    /// The call that it takes the place of (RFC 3891).
    pub(super) replaces: Option<super::dialog::Spot>,
    /// How many branches of a fork have still to speak.
    pub(super) branches: Vec<super::fork::Live>,
}

impl Call {
    pub(super) fn outgoing(number: u32, call_id: String, tag: String, local: &str, to: &str, wanted: Session) -> Call {
        let dialog = Dialog { local_cseq: 1, ..Dialog::new(tag, to) };
        Call {
            number,
            outgoing: true,
            state: State::Calling,
            call_id,
            local_uri: local.to_owned(),
            remote_uri: to.to_owned(),
            dialogs: vec![dialog],
            current: 0,
            seed: None,
            wants_end: false,
            wants_answer: false,
            was_answered: false,
            answered_at: None,
            left_at: None,
            wanted,
            media: None,
            final_status: None,
            ends_at: None,
            has_bad_credentials: false,
            op: 0,
            script: super::Script::default(),
            referred_by: None,
            replaces: None,
            branches: Vec::new(),
        }
    }

    /// The call of a UAS (RFC 3261 §12.1.1).
    pub(super) fn incoming(number: u32, invite: &Message, tag: String, wanted: Session) -> Call {
        let header = |name| uri_of(invite.get(name).unwrap_or_default());
        let dialog = Dialog {
            remote_tag: invite.from_tag().unwrap_or_default().to_owned(),
            routes: invite.list("Record-Route").into_iter().map(str::to_owned).collect(),
            remote_cseq: invite.cseq().map_or(0, |(number, _)| number),
            ..Dialog::new(tag.clone(), header("Contact"))
        };
        let call_id = invite.call_id().to_owned();
        Call {
            outgoing: false,
            state: State::Incoming,
            dialogs: vec![dialog],
            ..Call::outgoing(number, call_id, tag, header("To"), header("From"), wanted)
        }
    }

    /// A request inside a dialog of it with this CSeq number (RFC 3261 §12.2.1.1); Via comes on sending.
    pub(super) fn request(&self, dialog: usize, method: &str, cseq: u32) -> Message {
        let dialog = &self.dialogs[dialog];
        let mut request = Message::request(method, &dialog.remote_target).with("Max-Forwards", Text::Fixed("70"));
        for route in &dialog.routes {
            request = request.with("Route", route.clone());
        }
        let to = ["<", &self.remote_uri, ">;tag=", &dialog.remote_tag].concat();
        let to = if dialog.remote_tag.is_empty() { to.trim_end_matches(";tag=").into() } else { Text::from(to) };
        request
            .with("From", ["<", &self.local_uri, ">;tag=", &dialog.local_tag].concat())
            .with("To", to)
            .with("Call-ID", self.call_id.clone())
            .with("CSeq", format!("{cseq} {method}"))
    }

    /// The dialog of it that a request belongs to (RFC 3261 §12.2.2). What a reboot ended is unknown to the phone.
    pub(super) fn dialog_of(&self, request: &Message) -> Option<usize> {
        if self.state == State::Over(End::Rebooted) {
            return None;
        }
        if request.call_id() != self.call_id {
            return None;
        }
        let (local, remote) = (request.to_tag()?, request.from_tag().unwrap_or_default());
        self.dialogs.iter().position(|dialog| dialog.has_tags(local, remote))
    }

    /// The dialog at the caller in which this response is, made where its tag is new (RFC 3261 §12.1.2).
    pub(super) fn dialog_for(&mut self, response: &Message) -> usize {
        let Some(tag) = response.to_tag() else { return self.current };
        let at = self.dialogs.iter().position(|dialog| dialog.remote_tag == tag || dialog.remote_tag.is_empty());
        let at = at.unwrap_or_else(|| {
            self.dialogs.extend(self.seed.clone());
            self.dialogs.len() - 1
        });
        self.dialogs[at].learn(response);
        at
    }

    /// When this end said (a callee) or heard (a caller) for the first time that it is answered.
    pub fn answered_at(&self) -> Option<Instant> {
        self.answered_at
    }

    /// When this end said or heard that it is over, and whether it was the one to say so.
    pub fn left_at(&self) -> Option<(Instant, bool)> {
        self.left_at
    }

    /// Whether this phone misbehaves in it.
    pub(crate) fn is_rogue(&self) -> bool {
        !self.script.misbehaviours.is_empty()
    }

    /// The phone has lost all of it.
    pub(super) fn reboot(&mut self) {
        (self.state, self.media, self.wants_answer) = (State::Over(End::Rebooted), None, false);
        for dialog in &mut self.dialogs {
            dialog.stage = Stage::Gone;
            dialog.unacknowledged.stop();
            dialog.changes.drop_all();
        }
    }

    /// The dialog that counts.
    pub(super) fn dialog(&self) -> &Dialog {
        &self.dialogs[self.current]
    }

    /// The dialog that counts, to change.
    pub(super) fn dialog_mut(&mut self) -> &mut Dialog {
        &mut self.dialogs[self.current]
    }

    /// Whether it has ended, or this end has said so.
    pub(super) fn is_ending(&self) -> bool {
        self.is_over() || self.state == State::Ending
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    /// The phone's number for it, from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The op of a scenario that it belongs to; 0: none.
    pub fn op(&self) -> u64 {
        self.op
    }

    /// Whether this phone placed it.
    pub fn is_outgoing(&self) -> bool {
        self.outgoing
    }

    /// How far it has come.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether it was up at any time.
    pub fn was_answered(&self) -> bool {
        self.was_answered
    }

    /// Its Call-ID on this leg.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The final status of its INVITE, where there was one.
    pub fn final_status(&self) -> Option<u16> {
        self.final_status
    }

    /// Which way audio goes, from this phone's view; both ways before anything was agreed.
    pub fn direction(&self) -> Direction {
        self.agreed().map_or(Direction::SendRecv, |agreed| agreed.direction)
    }

    /// What both ends agreed on, in the dialog that counts; none before the first answer.
    pub fn agreed(&self) -> Option<&Agreed> {
        self.dialog().talk.agreed()
    }

    /// Whether an offer of either side still waits, or a change of ours has still to go out.
    pub fn is_changing(&self) -> bool {
        !self.dialog().talk.is_idle() || self.dialog().changes.is_waiting()
    }

    /// The far side's target: what its Contact said.
    pub fn remote_target(&self) -> &str {
        &self.dialog().remote_target
    }

    /// The tags of the dialog that counts, ours and theirs.
    pub fn tags(&self) -> (&str, &str) {
        (&self.dialog().local_tag, &self.dialog().remote_tag)
    }

    /// How many early dialogs are alive: more than one where the call forked.
    pub fn early_dialogs(&self) -> usize {
        self.dialogs.iter().filter(|d| d.stage == Stage::Early && !d.remote_tag.is_empty()).count()
    }
}

/// The tag parameter of a header value, for comparing.
pub(super) fn tag_of(value: Option<&str>) -> &str {
    value.and_then(|v| param(v, "tag")).unwrap_or_default()
}
