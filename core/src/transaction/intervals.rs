//! The schedule of resends, from SS_SIP_RESEND_INTERVAL.
//!
//! The list gives the waits between sends of a non-INVITE request and of a final answer; T1 and T2 are its first and its
//! largest entry, and its sum plus T1 is when to give up: 64 T1 at the default list, which is RFC 3261's Timer E.

use crate::config::Config;
use std::time::Duration;

/// How long a message may stay in the network (RFC 3261 §17.1.2.2): timers I and K.
pub(super) const T4: Duration = Duration::from_secs(5);

/// Timer D: at least 32 s over an unreliable transport, so that it outlasts the peer's timer H (RFC 3261 §17.1.1.2).
pub(super) const TIMER_D: Duration = Duration::from_secs(32);

/// The schedule that a list of waits stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intervals<'a>(&'a [Duration]);

impl<'a> Intervals<'a> {
    /// The schedule in force.
    pub(crate) fn of(config: &'a Config) -> Intervals<'a> {
        Intervals(config.parameters.resend_intervals())
    }

    /// The first wait.
    fn t1(self) -> Duration {
        *self.0.first().expect("a resend list has 1 to 32 entries")
    }

    /// The longest wait, which a non-INVITE request keeps once it has a provisional answer.
    pub(super) fn t2(self) -> Duration {
        *self.0.iter().max().expect("a resend list has 1 to 32 entries")
    }

    /// When to give up, from the first send on: timers B, F, H, J, L and M.
    pub(crate) fn give_up(self) -> Duration {
        self.0.iter().sum::<Duration>() + self.t1()
    }

    /// The wait before resend `n` (from 0) of a non-INVITE request or of a final answer; none after the list's end.
    pub(super) fn listed(self, n: u8) -> Option<Duration> {
        self.0.get(usize::from(n)).copied()
    }

    /// The wait before resend `n` (from 0) of an INVITE: the list up to T2, then doubling without a cap (RFC 3261
    /// §17.1.1.2), until timer B ends it.
    pub(crate) fn invite(self, n: u8) -> Duration {
        let rising = self.rising();
        match rising.get(usize::from(n)) {
            Some(wait) => *wait,
            None => self.t2().saturating_mul(1 << (usize::from(n) - rising.len() + 1).min(31)),
        }
    }

    /// How long until timer E is set to T2 (RFC 4320 §4.1): the waits before the first of length T2.
    pub(super) fn until_t2(self) -> Duration {
        let rising = self.rising();
        rising[..rising.len() - 1].iter().sum()
    }

    /// The list up to and with its first wait of length T2; never empty.
    fn rising(self) -> &'a [Duration] {
        let t2 = self.t2();
        let at = self.0.iter().position(|wait| *wait == t2).expect("T2 is an entry of the list");
        &self.0[..=at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sends(mut wait: impl FnMut(u8) -> Option<Duration>, give_up: Duration) -> Vec<u128> {
        let mut at = Duration::ZERO;
        let mut sends = vec![0];
        for n in 0..u8::MAX {
            match wait(n) {
                Some(wait) if at + wait < give_up => at += wait,
                _ => break,
            }
            sends.push(at.as_millis());
        }
        sends
    }

    #[test]
    fn the_default_list_is_the_rfcs_schedule() {
        let config = Config::embedded("secret");
        let intervals = Intervals::of(&config);
        let give_up = intervals.give_up();
        assert_eq!(give_up, Duration::from_secs(32));
        assert_eq!(intervals.t2(), Duration::from_secs(4));
        assert_eq!(intervals.until_t2(), Duration::from_millis(3500));
        // behaviour 1(c)
        assert_eq!(
            sends(|n| intervals.listed(n), give_up),
            [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]
        );
        assert_eq!(sends(|n| Some(intervals.invite(n)), give_up), [0, 500, 1500, 3500, 7500, 15500, 31500]);
    }

    #[test]
    fn a_list_of_one_doubles_from_there() {
        let list = [Duration::from_secs(1)];
        let intervals = Intervals(&list);
        assert_eq!(intervals.give_up(), Duration::from_secs(2));
        assert_eq!(intervals.until_t2(), Duration::ZERO);
        assert_eq!(intervals.invite(2), Duration::from_secs(4));
        assert_eq!(intervals.listed(1), None);
        assert!(intervals.invite(255) > Duration::from_secs(1 << 30));
    }
}
