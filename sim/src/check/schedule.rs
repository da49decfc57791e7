//! When something is sent again (RFC 3261 §17.1.1.2, §17.1.2.2, §17.2.1, §13.3.1.4).

use crosspoint_core::time::Instant;
use std::time::Duration;

/// The waits between sends, as SS_SIP_RESEND_INTERVAL has them.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    waits: Vec<Duration>,
    /// How late the switch may be.
    pub(super) slack: Duration,
}

impl Default for Schedule {
    /// T1 is 500 ms, T2 4 s; a switch in virtual time is never late.
    fn default() -> Self {
        let waits = [500, 1000, 2000, 4000, 4000, 4000, 4000, 4000, 4000, 4000];
        Schedule { waits: waits.map(Duration::from_millis).to_vec(), slack: Duration::ZERO }
    }
}

impl Schedule {
    /// These waits instead of the usual ones.
    pub(super) fn set(&mut self, waits: &[Duration]) {
        if !waits.is_empty() {
            self.waits = waits.to_vec();
        }
    }

    /// Timers B, F, H and L: 64*T1 with the usual waits.
    pub(super) fn give_up(&self) -> Duration {
        self.waits.iter().sum::<Duration>() + self.waits[0]
    }

    fn t2(&self) -> Duration {
        self.waits.iter().copied().max().unwrap_or_default()
    }

    /// Whether moments can be told apart at all: not for a switch that may be as late as T1.
    fn is_exact(&self) -> bool {
        self.slack * 2 < self.waits[0]
    }

    /// The wait before resend `n` of anything but an INVITE; none after the list.
    fn listed(&self, n: usize) -> Option<Duration> {
        self.waits.get(n).copied()
    }

    /// The wait before resend `n` of an INVITE: beyond T2 it doubles on.
    fn invite(&self, n: usize) -> Duration {
        let rising = self.waits.iter().position(|wait| *wait == self.t2()).unwrap_or(0) + 1;
        match n.checked_sub(rising) {
            None => self.waits[n],
            Some(beyond) => self.t2().saturating_mul(2 << beyond.min(20)),
        }
    }
}

/// Something that is sent until it is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resends {
    first: Instant,
    last: Instant,
    sent_again: usize,
    is_invite: bool,
    /// From then on every wait that begins is T2: a provisional answer came (RFC 3261 §17.1.2.2).
    slowed: Option<Instant>,
}

impl Resends {
    pub(super) fn new(now: Instant, is_invite: bool) -> Resends {
        Resends { first: now, last: now, sent_again: 0, is_invite, slowed: None }
    }

    pub(super) fn slow_down(&mut self, now: Instant) {
        self.slowed = self.slowed.or(Some(now));
    }

    /// When it is due again; none where it is not any more.
    fn due(&self, schedule: &Schedule) -> Option<Instant> {
        let is_slow = self.slowed.is_some_and(|since| since <= self.last);
        let wait = match (self.is_invite, is_slow) {
            (true, _) => Some(schedule.invite(self.sent_again)),
            (false, true) => Some(schedule.t2()),
            (false, false) => schedule.listed(self.sent_again),
        };
        let due = self.last + wait?;
        (due < self.first + schedule.give_up()).then_some(due)
    }

    /// Whether it was to be sent again before `now` and was not.
    pub(super) fn is_overdue(&self, now: Instant, schedule: &Schedule) -> bool {
        let end = self.first + schedule.give_up();
        let latest = self.due(schedule).map(|due| due + schedule.slack);
        schedule.is_exact() && latest.is_some_and(|latest| latest < now && latest < end)
    }

    /// Whether it is due at this moment.
    pub(super) fn is_due(&self, now: Instant, schedule: &Schedule) -> bool {
        self.due(schedule).is_some_and(|due| due <= now && now <= due + schedule.slack)
    }

    /// It is sent again now. What is wrong with that, in words.
    pub(super) fn sent(&mut self, now: Instant, schedule: &Schedule) -> Option<String> {
        let due = self.due(schedule);
        self.last = now;
        self.sent_again += 1;
        match due {
            _ if !schedule.is_exact() => None,
            Some(due) if due <= now && now <= due + schedule.slack => None,
            // late once, a timer may run on from where it was
            Some(due) if now < due && now + schedule.slack >= due => None,
            Some(due) => {
                let (n, due) = (self.sent_again, due.since(self.first).as_millis());
                Some(format!("resend {n} comes {} ms after the first, due at {due}", now.since(self.first).as_millis()))
            }
            None => Some(format!(
                "it is sent again {} ms after the first, after the end",
                now.since(self.first).as_millis()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::EPOCH + Duration::from_millis(ms)
    }

    /// Times at which a well-behaved sender sends again.
    fn dues(mut resends: Resends) -> Vec<u64> {
        let schedule = Schedule::default();
        let due = |resends: &mut Resends| {
            let due = resends.due(&schedule)?;
            assert!(
                !resends.is_overdue(due, &schedule) && resends.is_overdue(due + Duration::from_micros(1), &schedule)
            );
            assert_eq!(resends.sent(due, &schedule), None);
            Some(due.as_millis())
        };
        std::iter::from_fn(|| due(&mut resends)).collect()
    }

    #[test]
    fn the_usual_waits_are_the_rfcs() {
        assert_eq!(dues(Resends::new(at(0), false)), [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
        assert_eq!(dues(Resends::new(at(0), true)), [500, 1500, 3500, 7500, 15500, 31500]);
        let mut slow = Resends::new(at(0), false);
        slow.slow_down(at(100));
        assert_eq!(dues(slow)[..3], [500, 4500, 8500]);
        assert_eq!(Schedule::default().give_up(), Duration::from_secs(32));
    }

    #[test]
    fn too_early_too_late_and_too_long_are_told() {
        let mut schedule = Schedule::default();
        assert!(Resends::new(at(0), true).sent(at(499), &schedule).is_some());
        assert!(Resends::new(at(0), true).sent(at(501), &schedule).is_some());
        schedule.slack = Duration::from_millis(1);
        assert!(Resends::new(at(0), true).sent(at(501), &schedule).is_none());
        schedule.set(&[Duration::from_secs(1)]);
        let mut short = Resends::new(at(0), false);
        assert!(short.sent(at(1000), &schedule).is_none());
        assert!(short.sent(at(2000), &schedule).is_some());
    }
}
