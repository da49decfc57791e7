//! Announcements: a caller who still waits hears why its call fails, and is refused then.
//!
//! It is shown a 183 with an answer of the switch's own, under a tag of its own, so that the final answer is what it would
//! have been (RFC 3960 §3.2 calls this the gateway model: media before the answer, from whoever gives it).

use super::super::{Call, End, ReliableWish, Step};
use super::open::description;
use super::own::audible;
use super::station::Station;
use crate::media::SessionId;
use crate::relays::Granted;
use crate::sdp::{self, Taken};
use crate::sip::{Index, Message, Scanned, scan};
use crate::timers::CallTimer;
use crate::transaction::Reply;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long an announcement is heard at most: a call that is to be refused takes up a port and a place among the calls.
const LONGEST: Duration = Duration::from_secs(60);

/// How a call that was not answered is to end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ending {
    /// For the record, and the status.
    pub(in crate::call) end: End,
    /// The callee's refusal, which the caller is shown; empty where there is none.
    pub(in crate::call) message: Bytes,
    /// Header lines of the refusal where it is the switch's own.
    pub(in crate::call) lines: String,
}

/// An announcement that the caller hears, or is about to hear.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Announcement {
    ending: Ending,
    station: Station,
}

impl Ending {
    /// One by the switch itself, of which nothing but the status tells.
    pub(in crate::call) fn of(end: End) -> Ending {
        Ending { end, message: Bytes::new(), lines: String::new() }
    }
}

impl Announcement {
    /// How the call ends after it.
    pub(in crate::call) fn end(&self) -> End {
        self.ending.end
    }
}

/// What of the caller's offer an announcement takes.
fn taken<'m>(invite: &'m Message<'_>) -> Option<(&'m [u8], Taken)> {
    let offer = description(invite)?;
    Some((offer, audible(offer)?))
}

impl Call {
    /// The call fails before its answer: the caller hears why where there is an announcement for that, and is refused.
    pub(in crate::call) fn refuse(&mut self, step: &mut Step<'_>, ending: Ending) {
        if let Some(ending) = self.announce(step, ending) {
            self.refuse_now(step, ending);
        }
    }

    fn refuse_now(&mut self, step: &mut Step<'_>, ending: Ending) {
        let Ending { end, message, lines } = ending;
        let mut index = Index::default();
        if let Ok(Scanned::Message(message)) = scan(&message, &mut index) {
            self.show_failure(step, &message, end.status);
        } else if !lines.is_empty() {
            let tag = self.ingress.dialog.local_tag;
            let reply = Reply { headers: lines.as_bytes(), ..Reply::new(end.status, &tag) };
            step.transactions.respond(step.cx, self.ingress.server, reply);
            self.ingress.is_answered = true;
        }
        self.end(step, end);
    }

    /// Begins the announcement of this ending; gives it back where there is none to be heard.
    fn announce(&mut self, step: &mut Step<'_>, ending: Ending) -> Option<Ending> {
        let is_new = self.announcement.is_none() && self.answering.is_none();
        let can_hear = is_new && !self.ingress.is_answered && self.ingress.reliable != ReliableWish::Required;
        let name = ending.end.reason.name();
        if !can_hear || step.cx.config.tones.announcement(ending.end.reason).is_none() {
            return Some(ending);
        }
        let mut can_take = false;
        self.with_invite(|_, invite| can_take = taken(invite).is_some());
        if !can_take {
            self.story
                .push(format!("no announcement of {name}: the caller offers to hear no G.711 (media.announcement)"));
            return Some(ending);
        }
        let station = match self.ask_station(step) {
            Ok(station) => station,
            Err(why) => {
                self.story.push(format!("no announcement of {name}: {} (media.announcement)", why.words()));
                return Some(ending);
            }
        };
        self.story.push(format!("announcement of {name} (media.announcement)"));
        self.ways.clear();
        self.cancel_attempts(step, None, ending.end.reason.header());
        step.cx.timers.cancel(&mut self.timer);
        self.timer = Some(step.arm(LONGEST, CallTimer::Announced));
        let is_held = station.is_held();
        self.announcement = Some(Box::new(Announcement { ending, station }));
        if is_held {
            self.begin_announcement(step);
        }
        None
    }

    /// The port is open.
    fn begin_announcement(&mut self, step: &mut Step<'_>) {
        self.with_invite(|call, invite| {
            let Some(mut announcement) = call.announcement.take() else { return };
            // as configured now: a reload changes the numbers of the recordings
            let program = step.cx.config.tones.announcement(announcement.end().reason);
            let answer = taken(invite).zip(program).and_then(|((offer, taken), program)| {
                let at = call.play_at(step, &mut announcement.station, (offer, &taken), program)?;
                Some(sdp::answer(offer, &taken, at, call.number))
            });
            call.announcement = Some(announcement);
            match answer {
                Some(answer) => call.show_own(step, &answer),
                None => call.finish_announcement(step),
            }
        });
    }

    /// The port of an announcement is open, or not to be had: whether it was its own.
    pub(super) fn on_announcement_granted(&mut self, step: &mut Step<'_>, granted: Granted) -> bool {
        let Some(announcement) = &mut self.announcement else { return false };
        if !announcement.station.take(granted.lease, granted.result.ok()) {
            return false;
        }
        match granted.result {
            Ok(_) => self.begin_announcement(step),
            Err(why) => {
                self.story.push(format!("no announcement: {} (media.announcement)", why.words()));
                self.finish_announcement(step);
            }
        }
        true
    }

    /// A session has been heard to its end, or cannot be: whether it was an announcement's.
    pub(super) fn on_announced(&mut self, step: &mut Step<'_>, session: SessionId) -> bool {
        let is_its = self.announcement.as_ref().is_some_and(|announcement| announcement.station.is_in(session));
        if is_its {
            self.finish_announcement(step);
        }
        is_its
    }

    /// The announcement has been heard, or long enough: the caller is refused.
    fn finish_announcement(&mut self, step: &mut Step<'_>) {
        if let Some(ending) = self.stop_announcement(step) {
            self.refuse_now(step, ending);
        }
    }

    /// It has been heard for long enough.
    pub(in crate::call) fn on_announcement_timer(&mut self, step: &mut Step<'_>) {
        self.timer = None;
        self.finish_announcement(step);
    }

    /// Nothing is heard any more; gives the ending that was announced.
    pub(in crate::call) fn stop_announcement(&mut self, step: &mut Step<'_>) -> Option<Ending> {
        let Announcement { ending, station } = *self.announcement.take()?;
        step.cx.timers.cancel(&mut self.timer);
        if let Some(session) = station.close(step.relays, step.cx) {
            step.relays.forget(session);
        }
        Some(ending)
    }
}
