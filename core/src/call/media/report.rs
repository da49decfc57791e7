//! What the shards tell of a call.

use super::super::{Attempt, Call, End, Side, Step, record};
use super::{Relayed, Stream};
use crate::cdr::{CallRecord, EndDirection, EndReason};
use crate::media::{Component, MediaReport, Move, Party, Refusal, SessionId};
use crate::timers::{CallTimer, TimerId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a CDR waits for the last statistics. A shard answers within its batch, some milliseconds; one that is held up
/// for longer costs the packet counts, not the record.
const STATISTICS_WAIT: Duration = Duration::from_secs(1);

/// A CDR that waits for the last statistics of its sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Closing {
    record: CallRecord,
    sessions: Vec<SessionId>,
    /// It is written then, whatever has come.
    timer: Option<TimerId>,
}

impl Closing {
    /// Timers that it has armed.
    pub(in crate::call) fn timers(&self) -> usize {
        usize::from(self.timer.is_some())
    }
}

impl Relayed {
    fn stream(&mut self, session: SessionId) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.session == Some(session))
    }
}

impl Call {
    /// A media shard tells something of a session of this call.
    pub(in crate::call) fn on_media_report(&mut self, step: &mut Step<'_>, report: &MediaReport) {
        match report {
            MediaReport::Applied { .. } | MediaReport::Played { .. } => {}
            MediaReport::Latched { session, party, component: Component::Rtp, moved } => {
                self.note_move(*session, *party, *moved);
            }
            MediaReport::Latched { .. } => {}
            MediaReport::Stats { session, legs } => {
                let packets = [0, 1].map(|leg| legs[leg].received.packets);
                self.add_packets(step, *session, packets);
            }
            MediaReport::Silent { silence, .. } => {
                let (party, way) = (silence.party.name(), silence.way.name());
                self.story.push(format!("media interrupted: nothing {way} the {party} (media.interrupted)"));
                let (reason, direction) = (EndReason::Interrupted, EndDirection::Server);
                let status = if self.times.answer.is_some() { 200 } else { 480 };
                self.end(step, End { reason, direction, status });
            }
            MediaReport::Refused { why, .. } => self.on_media_refusal(step, *why),
        }
    }

    /// Without a session there is no media: better no call than a silent one.
    fn on_media_refusal(&mut self, step: &mut Step<'_>, why: Refusal) {
        if why == Refusal::NoSound {
            // the recordings have just been read anew: nothing is heard, and the call goes on
            return self.story.push("the shard has no such recording (media.no-sound)".to_owned());
        }
        self.story.push(format!("the media relay refuses: {why:?} (media.refused)"));
        let (reason, direction) = (EndReason::NoMediaPorts, EndDirection::Server);
        self.end(step, End { reason, direction, status: if self.times.answer.is_some() { 200 } else { 503 } });
    }

    /// A packet has shown where a leg's media is, or settled it.
    fn note_move(&mut self, session: SessionId, party: Party, moved: Move) {
        let side = if party == Party::Caller { Side::Caller } else { Side::Callee };
        for Attempt { media, heard, .. } in &mut self.attempts {
            let Some(stream) = media.relayed.as_mut().and_then(|relayed| relayed.stream(session)) else { continue };
            stream.legs[side as usize].moved = Some(moved);
            heard.media |= side == Side::Callee;
        }
    }

    /// Writes the CDR, once the relay has told its last statistics of the attempt that was the call.
    pub(in crate::call) fn close_record(&mut self, step: &mut Step<'_>, record: CallRecord) {
        let attempt = match self.talk().map(|talk| talk.attempt) {
            Some(id) => self.attempts.iter_mut().find(|attempt| attempt.id == id),
            None => self.attempts.last_mut(),
        };
        let sessions = attempt.map(|attempt| attempt.media.close(step.relays, step.cx)).unwrap_or_default();
        if sessions.is_empty() {
            return record::write(step.cx, record);
        }
        let timer = Some(step.arm(STATISTICS_WAIT, CallTimer::Statistics));
        self.closing = Some(Box::new(Closing { record, sessions, timer }));
    }

    /// The last statistics of a session.
    fn add_packets(&mut self, step: &mut Step<'_>, session: SessionId, packets: [u64; 2]) {
        let Some(closing) = &mut self.closing else { return };
        let Some(at) = closing.sessions.iter().position(|other| *other == session) else { return };
        closing.sessions.remove(at);
        let [caller, callee] = packets;
        let CallRecord { rtp_caller_packets, rtp_callee_packets, .. } = &mut closing.record;
        *rtp_caller_packets = Some(rtp_caller_packets.unwrap_or(0) + caller);
        *rtp_callee_packets = Some(rtp_callee_packets.unwrap_or(0) + callee);
        if closing.sessions.is_empty() {
            self.finish_record(step);
        }
    }

    /// The statistics have come, or are not waited for any longer.
    pub(in crate::call) fn finish_record(&mut self, step: &mut Step<'_>) {
        let Some(mut closing) = self.closing.take() else { return };
        step.cx.timers.cancel(&mut closing.timer);
        closing.sessions.iter().for_each(|session| step.relays.forget(*session));
        record::write(step.cx, closing.record);
    }
}
