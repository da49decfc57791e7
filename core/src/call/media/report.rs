//! What the shards tell of a call.

use super::super::{Attempt, Call, End, Side, Step, StreamView, record};
use super::{Ending, Media, Relayed, Stream, StreamLeg};
use crate::cdr::{CallRecord, EndDirection, EndReason};
use crate::event::Event;
use crate::media::{
    Component, LegStats, MediaDrop, MediaReport, Move, Party, Reason, Refusal, SessionId, TargetState, one_way,
};
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

/// What came from each side, from where and why it is sent there, and what was rejected.
fn in_words(legs: &[LegStats; 2]) -> String {
    let [caller, callee] = [0, 1].map(|leg| {
        let LegStats { received, rtp, tally, .. } = &legs[leg];
        let rejected = tally.dropped_for(MediaDrop::Spoofed) + tally.dropped_for(MediaDrop::Untrusted);
        let rejected = if rejected > 0 { format!(", {rejected} rejected") } else { String::new() };
        format!("{} packets, {}{rejected}", received.packets, target_in_words(rtp))
    });
    format!("of the caller: {caller}; of the callee: {callee}")
}

fn target_in_words(moved: &Move) -> String {
    let at = moved.target.map_or_else(|| "no target".to_owned(), |at| at.to_string());
    format!("{at} {} by {}", moved.state.name(), moved.reason.name())
}

impl Relayed {
    fn stream(&mut self, session: SessionId) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.session == Some(session))
    }
}

impl Media {
    /// Its streams, for people.
    pub(in crate::call) fn views(&self) -> Vec<StreamView> {
        let streams = self.relayed.iter().flat_map(|relayed| &relayed.streams);
        streams.filter_map(Stream::view).collect()
    }
}

impl Stream {
    fn view(&self) -> Option<StreamView> {
        let [caller, callee] = self.held()?;
        let where_of = |leg: &StreamLeg| match (&leg.moved, leg.told.and_then(|plan| plan.signalled)) {
            (Some(moved), _) => target_in_words(moved),
            (None, Some(at)) => format!("{at} {} by {}", TargetState::Signalled.name(), Reason::Signalling.name()),
            (None, None) => "nowhere yet".to_owned(),
        };
        Some(StreamView {
            caller_port: caller.place.port,
            caller: where_of(&self.legs[0]),
            callee_port: callee.place.port,
            callee: where_of(&self.legs[1]),
        })
    }
}

impl Call {
    /// How the media goes of the attempt that is the call, or that was made last.
    pub(in crate::call) fn current_media(&self) -> Option<&Media> {
        let attempt = match self.talk().map(|talk| talk.attempt) {
            Some(id) => self.attempts.iter().find(|attempt| attempt.id == id),
            None => self.attempts.last(),
        };
        attempt.map(|attempt| &attempt.media)
    }

    /// A media shard tells something of a session of this call.
    pub(in crate::call) fn on_media_report(&mut self, step: &mut Step<'_>, report: &MediaReport) {
        match report {
            MediaReport::Applied { .. } => {}
            MediaReport::Played { session, .. } => {
                self.on_announced(step, *session);
            }
            MediaReport::Latched { session, party, component: Component::Rtp, moved } => {
                self.note_move(*session, *party, *moved);
            }
            MediaReport::Latched { .. } => {}
            MediaReport::Stats { session, legs } if self.closing.is_some() => self.add_statistics(step, *session, legs),
            MediaReport::Stats { legs, .. } => self.judge(step, legs),
            MediaReport::Silent { silence, .. } => {
                let (party, way) = (silence.party.name(), silence.way.name());
                self.story.push(format!("media interrupted: nothing {way} the {party} (media.interrupted)"));
                let (reason, direction) = (EndReason::Interrupted, EndDirection::Server);
                let status = if self.times.answer.is_some() { 200 } else { 480 };
                self.end(step, End { reason, direction, status });
            }
            MediaReport::Refused { session, why, .. } => {
                if !self.on_announced(step, *session) {
                    self.on_media_refusal(step, *why);
                }
            }
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
        let status = if self.times.answer.is_some() { 200 } else { 503 };
        self.refuse(step, Ending::of(End { reason, direction, status }));
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
        let mut sessions = attempt.map(|attempt| attempt.media.close(step.relays, step.cx)).unwrap_or_default();
        let station = self.answering.as_mut().and_then(|answering| answering.take_station());
        sessions.extend(station.and_then(|station| station.close(step.relays, step.cx)));
        if sessions.is_empty() {
            return record::write(step.cx, record);
        }
        let timer = Some(step.arm(STATISTICS_WAIT, CallTimer::Statistics));
        self.closing = Some(Box::new(Closing { record, sessions, timer }));
    }

    /// The conversation has lasted long enough: whether both sides are heard.
    pub(in crate::call) fn listen(&mut self, step: &mut Step<'_>) {
        self.listen_timer = None;
        let Some(id) = self.talk().map(|talk| talk.attempt) else { return };
        let relayed = self.attempt(id).and_then(|attempt| attempt.media.relayed.as_ref());
        let first = relayed.and_then(|relayed| relayed.streams.first()).filter(|stream| !stream.is_held());
        if let Some(session) = first.and_then(|stream| stream.session) {
            step.relays.read(step.cx, session);
        }
    }

    /// Says so where one side sends and hears nothing: what users complain of most (user-pains 1).
    fn judge(&mut self, step: &mut Step<'_>, legs: &[LegStats; 2]) {
        let Some(deaf) = one_way(legs) else { return };
        let detail = in_words(legs);
        step.cx.counters.calls_one_way += 1;
        self.story.push(format!("one-way audio: the {} hears nothing; {detail} (media.one-way)", deaf.name()));
        step.cx.emit(Event::MediaOneWay { call: self.number, deaf: deaf.name(), detail });
    }

    /// The last statistics of a session.
    fn add_statistics(&mut self, step: &mut Step<'_>, session: SessionId, legs: &[LegStats; 2]) {
        let Some(closing) = &mut self.closing else { return };
        let Some(at) = closing.sessions.iter().position(|other| *other == session) else { return };
        closing.sessions.remove(at);
        let [caller, callee] = [0, 1].map(|leg| legs[leg].received.packets);
        let CallRecord { rtp_caller_packets, rtp_callee_packets, route, .. } = &mut closing.record;
        *route += "; media ";
        *route += &in_words(legs);
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
