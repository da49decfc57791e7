//! What a REGISTER asks for, read and checked before any state is touched (RFC 3261 §10.3 steps 6 and 7).

use super::answer::{Answer, bad_request, refusal};
use crate::input::Flow;
use crate::limits;
use crate::nat;
use crate::sip::{Contacts, Message, Name, NameAddr, Scheme, Uri, ValueError, q_permille, split_list};
use std::borrow::Cow;
use std::time::Duration;

/// The shortest registration that is granted, in seconds, unless SS_ENDPOINT_EXPIRE is shorter still. A phone that
/// refreshes at half of it sends one REGISTER, and mostly one challenged one, each 30 seconds.
pub const MIN_EXPIRES_S: u32 = 60;

/// What a malformed `expires` counts as (RFC 3261 §20.10), and the length from which on 423 must not be given (§10.3).
const HOUR_S: u32 = 3600;

/// A REGISTER, as far as the bindings care.
#[derive(Debug)]
pub(super) struct Request<'m> {
    /// Whether the top Via shows an address translator between the phone and us.
    pub(super) behind_nat: bool,
    pub(super) call_id: &'m [u8],
    pub(super) cseq: u32,
    /// Path values, comma-separated.
    pub(super) path: Cow<'m, [u8]>,
    pub(super) wish: Wish<'m>,
}

/// What is to happen.
#[derive(Debug)]
pub(super) enum Wish<'m> {
    /// No Contact: only tell the bindings.
    Fetch,
    /// `Contact: *` with `Expires: 0`.
    RemoveAll,
    /// Add, refresh or remove each of these; no two name the same binding.
    Each(Vec<Wanted<'m>>),
}

/// One Contact value.
#[derive(Debug)]
pub(super) struct Wanted<'m> {
    pub(super) uri: &'m [u8],
    pub(super) parsed: Uri<'m>,
    /// `+sip.instance` without quotes; empty where there is none.
    pub(super) instance: &'m [u8],
    /// 0 where there is none or it does not apply.
    pub(super) reg_id: u32,
    pub(super) q_permille: u16,
    /// The life granted, in seconds; 0 removes.
    pub(super) expires_s: u32,
}

impl Wanted<'_> {
    fn names_the_same_as(&self, other: &Wanted<'_>) -> bool {
        if self.reg_id != 0 || other.reg_id != 0 {
            return self.reg_id == other.reg_id && self.instance == other.instance;
        }
        self.uri == other.uri || self.parsed.matches(&other.parsed)
    }
}

/// Reads a REGISTER. `longest` is SS_ENDPOINT_EXPIRE: the life granted where none is asked for, and the longest.
///
/// # Errors
///
/// The answer that refuses it: 400, 420, 423, 503 or 513.
pub(super) fn read<'m>(message: &Message<'m>, flow: Flow, aor: &str, longest: Duration) -> Result<Request<'m>, Answer> {
    let path = read_path(message)?;
    let cseq = message.cseq().map_err(|error| bad_request(error.reason))?.number;
    let call_id = message.call_id().map_err(|error| bad_request(error.reason))?;
    let wish = match message.contacts().map_err(|error| bad_request(error.reason))? {
        Contacts::None => Wish::Fetch,
        // "*" wants an Expires of zero, and no other Contact value beside it
        Contacts::Star if message.expires().is_ok_and(|expires| expires == Some(0)) => Wish::RemoveAll,
        Contacts::Star => return Err(bad_request("Contact * needs Expires 0")),
        Contacts::List(list) => {
            let granting = Granting { message, path: &path, longest };
            Wish::Each(granting.read_each(list.iter())?)
        }
    };
    let behind_nat = message.via().is_ok_and(|via| nat::via_shows_nat(&via, flow.remote));
    let request = Request { behind_nat, call_id, cseq, path, wish };
    check_texts(&request, aor)?;
    Ok(request)
}

/// What decides about each Contact value beside the value itself.
struct Granting<'r, 'm> {
    message: &'r Message<'m>,
    path: &'r [u8],
    longest: Duration,
}

impl<'m> Granting<'_, 'm> {
    fn read_each(
        &self,
        values: impl Iterator<Item = Result<NameAddr<'m>, ValueError>>,
    ) -> Result<Vec<Wanted<'m>>, Answer> {
        let mut all: Vec<Wanted<'m>> = Vec::new();
        for value in values {
            let wanted = self.read_one(value.map_err(|error| bad_request(error.reason))?)?;
            // The later of two values for the same contact counts.
            all.retain(|earlier| !earlier.names_the_same_as(&wanted));
            if all.len() == limits::CONTACTS_PER_REGISTER {
                return Err(bad_request("too many Contact values"));
            }
            all.push(wanted);
        }
        // RFC 5626 §6: a REGISTER with reg-id is for a single flow.
        let mut added = all.iter().filter(|wanted| wanted.expires_s > 0);
        if added.clone().count() > 1 && added.any(|wanted| wanted.reg_id != 0) {
            return Err(bad_request("several contacts with reg-id"));
        }
        Ok(all)
    }

    fn read_one(&self, value: NameAddr<'m>) -> Result<Wanted<'m>, Answer> {
        let parsed = Uri::parse(value.uri).map_err(bad_request)?;
        if !matches!(parsed.scheme, Scheme::Sip | Scheme::Sips) {
            // A tel: or mailto: contact could only be redirected to, and this switch does not redirect.
            return Err(bad_request("Contact is no SIP URI"));
        }
        let instance = value.params.get_unquoted("+sip.instance").unwrap_or_default();
        let reg_id = value.params.get("reg-id").and_then(reg_id).filter(|_| !instance.is_empty() && self.is_outbound());
        Ok(Wanted {
            uri: value.uri,
            parsed,
            instance,
            reg_id: reg_id.unwrap_or(0),
            q_permille: value.params.get("q").and_then(q_permille).unwrap_or(1000),
            expires_s: self.expires_s(value.params.get("expires"))?,
        })
    }

    /// Whether reg-id may count: the phone sent this itself, or its first proxy takes part (RFC 5626 §6). The switch then
    /// replaces bindings by it, but does not require `outbound`, whose keep-alives (§4.4) it would have to answer.
    fn is_outbound(&self) -> bool {
        let is_first_hop = self.message.list(Name::Via).nth(1).is_none();
        let first = split_list(self.path).next().and_then(|value| NameAddr::parse(value).ok());
        is_first_hop || first.and_then(|first| Uri::parse(first.uri).ok()).is_some_and(|uri| uri.params.has("ob"))
    }

    /// The life granted to a contact (RFC 3261 §10.3 step 7).
    fn expires_s(&self, parameter: Option<&[u8]>) -> Result<u32, Answer> {
        let longest = u32::try_from(self.longest.as_secs()).unwrap_or(u32::MAX);
        let shortest = MIN_EXPIRES_S.min(longest);
        let requested = match parameter {
            Some(text) => delta_seconds(text).unwrap_or(HOUR_S),
            None => match self.message.expires() {
                Ok(header) => header.unwrap_or(longest),
                Err(_) => HOUR_S,
            },
        };
        if requested > 0 && requested < shortest.min(HOUR_S) {
            return Err(refusal(423, format_args!("Min-Expires: {shortest}\r\n")));
        }
        Ok(requested.min(longest))
    }
}

/// The path vector (RFC 3327 §5.3), on one line.
fn read_path<'m>(message: &Message<'m>) -> Result<Cow<'m, [u8]>, Answer> {
    if message.value(Name::Path).is_none() {
        return Ok(Cow::Borrowed(b""));
    }
    // The recommended policy: the phone is to know that a proxy put itself into its path.
    if !message.list(Name::Supported).any(|option| option.eq_ignore_ascii_case(b"path")) {
        return Err(refusal(420, format_args!("Unsupported: path\r\n")));
    }
    let mut values = message.list(Name::Path);
    let first = values.next().unwrap_or_default();
    let mut path = Cow::Borrowed(first);
    for value in values {
        let path = path.to_mut();
        path.push(b',');
        path.extend_from_slice(value);
    }
    if path.iter().any(|byte| is_line_end(*byte)) {
        // Folded within a value; unfold, since it is to stand in other headers and in the journal.
        path.to_mut().iter_mut().filter(|byte| is_line_end(**byte)).for_each(|byte| *byte = b' ');
    }
    Ok(path)
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\r' || byte == b'\n'
}

/// What a binding keeps must fit it, and must be text on one line: it is written into headers and the journal.
fn check_texts(request: &Request<'_>, aor: &str) -> Result<(), Answer> {
    let Wish::Each(all) = &request.wish else { return Ok(()) };
    let shared = [aor.as_bytes(), request.call_id, &request.path];
    let is_text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(|c: char| c.is_control()));
    let shared_len: usize = shared.iter().map(|text| text.len()).sum();
    for wanted in all {
        if shared_len + wanted.uri.len() + wanted.instance.len() > limits::BINDING_TEXT_BYTES {
            return Err(refusal(513, format_args!("")));
        }
        if !shared.iter().chain([&wanted.uri, &wanted.instance]).all(|text| is_text(text)) {
            return Err(bad_request("control characters or no UTF-8"));
        }
    }
    Ok(())
}

/// `delta-seconds`; more than 32 bits count as the most that 32 bits say (RFC 3261 §20.10).
fn delta_seconds(text: &[u8]) -> Option<u32> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0, |value: u32, digit| value.saturating_mul(10).saturating_add(u32::from(digit - b'0'))))
}

/// `reg-id`: 1 to 2^31 - 1 (RFC 5626 §11).
fn reg_id(text: &[u8]) -> Option<u32> {
    delta_seconds(text).filter(|id| (1..1 << 31).contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_seconds_saturate() {
        assert_eq!(delta_seconds(b"4294967295"), Some(u32::MAX));
        assert_eq!(delta_seconds(b"99999999999999999999"), Some(u32::MAX));
        assert_eq!(delta_seconds(b""), None);
        assert_eq!(delta_seconds(b"-1"), None);
        assert_eq!(delta_seconds(b"60s"), None);
    }
}
