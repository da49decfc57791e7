//! The answer to a REGISTER.

use super::binding::Binding;
use super::date::SipDate;
use crate::time::Now;
use std::fmt::Arguments;
use std::io::Write;

/// Status and headers of the answer; the transaction adds what every response has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 200, or why nothing was changed: 400, 420, 423, 500, 503 or 513. Never 6xx (RFC 3261 §10.3).
    pub status: u16,
    /// Whole header lines, each with its line end.
    pub headers: Vec<u8>,
}

/// A refusal with these header lines.
pub(super) fn refusal(status: u16, headers: Arguments<'_>) -> Answer {
    Answer { status, headers: headers.to_string().into_bytes() }
}

/// 400, with the reason where whoever looks at a trace finds it (RFC 3261 §20.43).
pub(super) fn bad_request(reason: &str) -> Answer {
    refusal(400, format_args!("Warning: 399 crosspoint \"{reason}\"\r\n"))
}

/// 200 with every current binding (RFC 3261 §10.3 step 8) and the Path of the request (RFC 3327 §5.3).
pub(super) fn success<'a>(now: Now, path: &[u8], bindings: impl Iterator<Item = &'a Binding>) -> Answer {
    let mut headers = Vec::with_capacity(256);
    for binding in bindings {
        write_contact(&mut headers, binding, now);
    }
    if !path.is_empty() {
        headers.extend_from_slice(b"Path: ");
        headers.extend_from_slice(path);
        headers.extend_from_slice(b"\r\n");
    }
    write(&mut headers, format_args!("Date: {}\r\n", SipDate(now.wall)));
    Answer { status: 200, headers }
}

fn write_contact(out: &mut Vec<u8>, binding: &Binding, now: Now) {
    let parts = binding.text.parts();
    out.extend_from_slice(b"Contact: <");
    out.extend_from_slice(parts.contact);
    write(out, format_args!(">;expires={}", whole_seconds_left(binding, now)));
    if binding.q_permille < 1000 {
        write(out, format_args!(";q={}", Qvalue(binding.q_permille)));
    }
    if !parts.instance.is_empty() {
        out.extend_from_slice(b";+sip.instance=\"");
        out.extend_from_slice(parts.instance);
        out.push(b'"');
    }
    if binding.reg_id != 0 {
        write(out, format_args!(";reg-id={}", binding.reg_id));
    }
    out.extend_from_slice(b"\r\n");
}

/// Rounded up: a binding that still is has a second at least, and one just made has what was granted.
pub(super) fn whole_seconds_left(binding: &Binding, now: Now) -> u64 {
    let left = binding.expires.since(now.mono);
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// Thousandths as a `qvalue`.
struct Qvalue(u16);

impl std::fmt::Display for Qvalue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimals = format!("{:03}", self.0 % 1000);
        let decimals = decimals.trim_end_matches('0');
        write!(f, "{}", self.0 / 1000)?;
        if decimals.is_empty() { Ok(()) } else { write!(f, ".{decimals}") }
    }
}

fn write(out: &mut Vec<u8>, text: Arguments<'_>) {
    out.write_fmt(text).expect("writing to a vector does not fail");
}
