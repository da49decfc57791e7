//! Billing, exact: what a record says of times, of who hung up and of what is charged, against what passed at the switch.

use super::calls::Open;
use super::dialog::{By, Leg};
use crosspoint_core::cdr::{CallRecord, EndDirection, EndReason};
use crosspoint_core::time::{Instant, UnixMicros};
use std::time::Duration;

/// The clocks and the rule by which calls are charged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Billing {
    /// The wall clock at the epoch of the monotonic one; none where it is not known.
    wall: Option<UnixMicros>,
    /// The same before it was last set.
    wall_before: Option<UnixMicros>,
    /// From how many milliseconds on a begun second counts (SERVER_BILLING_HOLD_TIME_PRECISION).
    precision_ms: u64,
}

/// How long the switch lets a record wait for the relay: a second, and as long as its own thread is held up meanwhile.
const STATISTICS_WAIT_MS: u64 = 30_000;

impl Default for Billing {
    fn default() -> Self {
        Billing { wall: None, wall_before: None, precision_ms: 50 }
    }
}

/// Both legs of a call.
pub(super) struct Legs<'a> {
    pub(super) caller: &'a Leg,
    pub(super) callee: Option<&'a Leg>,
}

impl Billing {
    /// The wall clock says this now.
    pub(super) fn set_wall(&mut self, now: Instant, wall: UnixMicros) {
        let wall = Some(UnixMicros(wall.0.saturating_sub(now.as_micros())));
        if wall != self.wall {
            (self.wall_before, self.wall) = (self.wall, wall);
        }
    }

    pub(super) fn set_precision(&mut self, precision_ms: u64) {
        self.precision_ms = precision_ms;
    }

    /// The wall clock, where it is known.
    pub(super) fn wall(&self, now: Instant) -> Option<UnixMicros> {
        Some(UnixMicros(self.wall?.0 + now.as_micros()))
    }

    pub(super) fn wall_ms(&self, now: Instant) -> u64 {
        self.wall.map_or(0, |wall| (wall.0 + now.as_micros()) / 1000)
    }

    /// Whether it waited for the relay's last statistics, as that of a relayed call does.
    fn is_late(&self, record: &CallRecord, end_ms: u64) -> bool {
        let wait_ms = if record.media == "relay" { STATISTICS_WAIT_MS } else { 0 };
        // the clock may have been set while it waited
        let offset_ms = |wall: Option<UnixMicros>| wall.map_or(0, |wall| wall.0 / 1000);
        let before_ms = (end_ms + offset_ms(self.wall_before)).saturating_sub(offset_ms(self.wall));
        let is_within = |end_ms: u64| record.end_ms <= end_ms && end_ms - record.end_ms <= wait_ms;
        is_within(end_ms) || wait_ms > 0 && is_within(before_ms)
    }

    /// What is wrong with a record, in words. Where a clock of the switch goes back (`slack`), conversations are as much
    /// longer or shorter.
    pub(super) fn wrongs(
        &self,
        record: &CallRecord,
        open: &Open,
        end_ms: u64,
        legs: &Legs<'_>,
        slack: Duration,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.wall.is_some() {
            let said = (record.invite_ms, record.answer_ms, record.end_ms);
            let seen =
                (open.invite_ms, open.answer_ms, if self.is_late(record, end_ms) { record.end_ms } else { end_ms });
            if said != seen {
                wrong.push(format!("INVITE, answer and end at {said:?}, seen at {seen:?}"));
            }
        }
        // who has no dialog any longer says so in an answer, and a BYE may follow or not (RFC 3261 §12.2.1.2)
        if record.end_reason == EndReason::DialogGone {
            return wrong;
        }
        // the earliest sign of the end on either leg
        let ends = [legs.caller.ended, legs.callee.and_then(|leg| leg.ended)];
        let [caller_end, callee_end] = ends;
        let end = ends.into_iter().flatten().min_by_key(|(at, _)| *at);
        let held_ms = match (legs.caller.answered, end) {
            (Some(answered), Some((ended, _))) => Some(ended.since(answered).as_micros() as u64 / 1000),
            _ => None,
        };
        match held_ms {
            Some(held_ms)
                if record.answer_ms.is_some() && record.hold_time_ms.abs_diff(held_ms) > slack.as_millis() as u64 =>
            {
                wrong.push(format!("held for {} ms, seen {held_ms}", record.hold_time_ms));
            }
            None if record.answer_ms.is_none() && record.hold_time_ms != 0 => {
                wrong.push(format!("not answered, and held for {} ms", record.hold_time_ms));
            }
            _ => {}
        }
        // behaviour 1(f)
        let (whole, rest) = (record.hold_time_ms / 1000, record.hold_time_ms % 1000);
        let charged = whole + u64::from(rest > 0 && rest >= self.precision_ms);
        if record.hold_time_s != charged {
            wrong.push(format!("{} ms are charged as {} s, not {charged}", record.hold_time_ms, record.hold_time_s));
        }
        if record.answer_ms.is_some() {
            let by_peer = |end: Option<(Instant, By)>| end.filter(|(_, by)| *by == By::Peer).map(|(at, _)| at);
            let expected = match (by_peer(caller_end), by_peer(callee_end)) {
                (Some(caller), Some(callee)) if caller == callee => None,
                (Some(caller), Some(callee)) if caller < callee => Some(EndDirection::Caller),
                (Some(_), None) => Some(EndDirection::Caller),
                (_, Some(_)) => Some(EndDirection::Callee),
                (None, None) => Some(EndDirection::Server),
            };
            if expected.is_some_and(|expected| expected != record.end_direction) {
                wrong.push(format!("ended by {:?}, seen {expected:?}", record.end_direction));
            }
        } else if record.end_reason == EndReason::Cancelled
            && record.end_direction == EndDirection::Caller
            && !legs.caller.was_cancelled
        {
            wrong.push("cancelled, and no CANCEL came".to_owned());
        }
        wrong
    }
}
