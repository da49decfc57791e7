//! Which operation of a scenario a datagram belongs to, so that chances can be drawn for each operation alone.

use crosspoint_core::rng::{Seed, Stream};
use crosspoint_core::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

/// A call of which nothing was sent for so long may be forgotten: the longest conversation at the switch's defaults.
const KEPT: Duration = Duration::from_secs(7200);

/// The operations by the Call-IDs of their calls.
#[derive(Debug, Default)]
pub(super) struct Ops {
    young: BTreeMap<Vec<u8>, u64>,
    /// What was last seen before `young` began.
    old: BTreeMap<Vec<u8>, u64>,
    turned: Instant,
}

impl Ops {
    /// The operation of this datagram; 0 where it belongs to none. An INVITE with `X-Op` makes its Call-ID known.
    pub(super) fn key(&mut self, now: Instant, datagram: &[u8]) -> u64 {
        if datagram.starts_with(b"INVITE ")
            && let Some(op) = header(datagram, b"X-Op").and_then(number)
        {
            if let Some(call_id) = call_id(datagram) {
                self.young.insert(call_id.to_vec(), op);
            }
            return op;
        }
        if self.young.is_empty() && self.old.is_empty() {
            return 0;
        }
        if now.since(self.turned) >= KEPT {
            (self.old, self.turned) = (std::mem::take(&mut self.young), now);
        }
        let Some(call_id) = call_id(datagram) else { return 0 };
        if let Some(op) = self.young.get(call_id) {
            return *op;
        }
        let Some((call_id, op)) = self.old.remove_entry(call_id) else { return 0 };
        self.young.insert(call_id, op);
        op
    }
}

fn call_id(datagram: &[u8]) -> Option<&[u8]> {
    header(datagram, b"Call-ID").or_else(|| header(datagram, b"i"))
}

/// The value of the first header field of this name (RFC 3261 §7.3.1), before the body.
fn header<'a>(datagram: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let lines = datagram.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.skip(1).take_while(|line| !line.is_empty()).find_map(|line| {
        let (start, rest) = line.split_at_checked(name.len())?;
        let rest = if start.eq_ignore_ascii_case(name) { rest.trim_ascii_start() } else { return None };
        rest.strip_prefix(b":").map(<[u8]>::trim_ascii)
    })
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// One kind of chance, with a stream of its own for each operation: without one of them the others stay as they were.
#[derive(Debug)]
pub(super) struct Chances {
    seed: Seed,
    number: u64,
    streams: BTreeMap<u64, Stream>,
}

impl Chances {
    /// Those that this number names.
    pub(super) fn new(seed: Seed, number: u64) -> Chances {
        Chances { seed, number, streams: BTreeMap::new() }
    }

    /// A value in `0..bound` that hangs on nothing but this moment; 0 without a draw where there is no choice.
    pub(super) fn below_at(&self, now: Instant, bound: u64) -> u64 {
        if bound < 2 { 0 } else { self.stream(now.as_micros()).below(bound) }
    }

    fn stream(&self, name: u64) -> Stream {
        let mut seed = self.seed;
        seed.0[16..24].copy_from_slice(&name.to_le_bytes());
        Stream::new(seed, self.number)
    }

    /// A value in `0..bound`; 0 without a draw where there is no choice.
    pub(super) fn below(&mut self, key: u64, bound: u64) -> u64 {
        if bound < 2 {
            return 0;
        }
        if let Some(stream) = self.streams.get_mut(&key) {
            return stream.below(bound);
        }
        let mut stream = self.stream(key);
        let value = stream.below(bound);
        self.streams.insert(key, stream);
        value
    }

    /// Whether something comes true that does so often, in thousandths.
    pub(super) fn strikes(&mut self, key: u64, permille: u64) -> bool {
        permille > 0 && self.below(key, 1000) < permille
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(first: &str, call_id: &str, op: &str) -> Vec<u8> {
        format!("{first}\r\nVia: x\r\n{call_id}\r\n{op}Content-Length: 9\r\n\r\nX-Op: 99\n").into_bytes()
    }

    #[test]
    fn everything_of_a_call_belongs_to_the_operation_of_its_invite() {
        let mut ops = Ops::default();
        let mut key =
            |s: u64, first, call_id, op| ops.key(Instant::from_micros(s * 1_000_000), &message(first, call_id, op));
        assert_eq!(key(0, "BYE sip:a SIP/2.0", "Call-ID: q", ""), 0);
        assert_eq!(key(0, "INVITE sip:a SIP/2.0", "Call-ID: q", "x-op : 7\r\n"), 7);
        assert_eq!(key(1, "INVITE sip:a SIP/2.0", "Call-ID: r", ""), 0);
        assert_eq!(key(1, "SIP/2.0 200 OK", "i:q", ""), 7);
        assert_eq!(key(7201, "BYE sip:a SIP/2.0", "CALL-ID:  q", ""), 7, "old, but not forgotten");
        assert_eq!(key(7202, "BYE sip:a SIP/2.0", "Call-ID: qq", ""), 0);
        assert_eq!(key(14_500, "BYE sip:a SIP/2.0", "Call-ID: x", ""), 0);
        assert_eq!(key(22_000, "BYE sip:a SIP/2.0", "Call-ID: q", ""), 0, "forgotten");
    }

    #[test]
    fn a_moment_draws_the_same_whatever_was_drawn_before() {
        let (mut used, fresh) = (Chances::new(Seed::from_number(1), 2), Chances::new(Seed::from_number(1), 2));
        used.below(7, 1000);
        let drawn = |chances: &Chances, us| chances.below_at(Instant::from_micros(us), 1 << 40);
        assert_eq!(drawn(&used, 7), drawn(&fresh, 7));
        assert_ne!(drawn(&used, 7), drawn(&used, 8));
    }

    #[test]
    fn one_operation_fewer_leaves_the_chances_of_the_others() {
        let draw = |keys: &[u64]| {
            let mut chances = Chances::new(Seed::from_number(1), 2);
            let drawn: Vec<(u64, u64)> = keys.iter().map(|key| (*key, chances.below(*key, 1 << 40))).collect();
            drawn.into_iter().filter(|(key, _)| *key != 2).collect::<Vec<_>>()
        };
        assert_eq!(draw(&[1, 2, 3, 2, 1]), draw(&[1, 3, 1]));
        assert_ne!(draw(&[1, 1])[0].1, draw(&[3, 3])[0].1);
    }
}
