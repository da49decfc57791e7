//! What a gateway says about routing: which numbers it takes and how it sees them, how long its calls may take, what
//! follows when one fails.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// The rules of one gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayRules {
    /// Called-number prefixes it takes; the empty one is everything.
    pub prefixes: Vec<Prefix>,
    /// The name of its group; empty without one.
    pub group: String,
    /// Lines that are kept for calls from certain mapping gateways or groups; no name twice.
    pub reserved: Vec<Reserved>,
    /// What holds for calls that it brings in.
    pub inward: Numbers,
    /// What holds for calls that go out to it.
    pub outward: Numbers,
    /// The numbers of which it is shown one instead of the caller's; none: the caller's.
    pub caller_ids: Vec<String>,
    /// Longest conversation.
    pub max_duration: MaxDuration,
    /// Call timers that differ from the system's.
    pub timeouts: Timeouts,
    /// What differs from the system's in failover.
    pub failover: Failover,
    /// What becomes of its 3xx.
    pub redirect: Redirect,
    /// Whether its provisional answers, and those to it, may be reliable.
    pub rel100: Rel100,
}

/// A prefix of called numbers that a gateway takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefix {
    /// The digits; none is every number.
    pub digits: String,
    /// Whether gateways with a shorter prefix may follow those of this one.
    pub continues: bool,
}

/// Lines kept for a mapping gateway or a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// The name of the gateway or the group.
    pub holder: String,
    /// How many.
    pub lines: u32,
}

/// Rules for both numbers of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// For the called number.
    pub callee: NumberRules,
    /// For the calling number.
    pub caller: NumberRules,
}

/// Which numbers are taken, and how they are changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberRules {
    /// Prefixes of the only numbers taken; none is all.
    pub allow: Vec<String>,
    /// Prefixes of numbers that are not taken.
    pub deny: Vec<String>,
    /// How many digits a number may have.
    pub digits: Option<Digits>,
    /// How a number that is taken is changed; longest prefix first, none twice.
    pub rewrite: Vec<Rewrite>,
}

/// How many digits a number may have, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digits {
    /// The fewest.
    pub min: u8,
    /// The most.
    pub max: u8,
}

/// Numbers that begin with `prefix` get `replace` in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    /// What the number must begin with.
    pub prefix: String,
    /// What stands there instead.
    pub replace: String,
}

/// Longest conversation through a gateway (behaviour 1(e)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MaxDuration {
    /// As the system says.
    #[default]
    System,
    /// No limit.
    None,
    /// This.
    Limit(Duration),
}

/// Call timers; `None` is the system's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// Instead of SS_SIP_TIMEOUT_INVITE.
    pub invite: Option<Duration>,
    /// Instead of SS_SIP_TIMEOUT_TRYING.
    pub trying: Option<Duration>,
    /// Instead of SS_SIP_TIMEOUT_SESSION_PROGRESS.
    pub progress: Option<Duration>,
    /// Instead of SS_SIP_TIMEOUT_SESSION_PROGRESS_SDP.
    pub progress_sdp: Option<Duration>,
    /// Instead of SS_SIP_TIMEOUT_RINGING.
    pub ringing: Option<Duration>,
}

/// What becomes of a 3xx.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Redirect {
    /// The caller gets it.
    #[default]
    Pass,
    /// Contacts that are numbers of ours or lead to a gateway of ours are called.
    Follow,
    /// Every contact is called.
    Anywhere,
}

/// Whether provisional answers may be reliable (RFC 3262; the vendor's `sip100Rel`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rel100 {
    /// Where the other side of the call knows them too.
    #[default]
    Auto,
    /// Whatever the other side knows: where it knows nothing the switch answers for it.
    On,
    /// Never.
    Off,
}

/// What a gateway says about failover; `None` is the system's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failover {
    /// Most gateways tried for one call, this one included, where it is this one that fails.
    pub limit: Option<u16>,
    /// Go on though it has rung.
    pub after_18x: Option<bool>,
    /// Go on though a provisional answer had SDP.
    pub after_sdp: Option<bool>,
    /// Go on though media has flowed.
    pub after_rtp: Option<bool>,
    /// Go on though the callee is busy.
    pub after_busy: Option<bool>,
    /// Statuses after which to go on.
    pub next: Vec<u16>,
    /// Statuses after which not to go on.
    pub stop: Vec<u16>,
}

/// Why a number is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken<'r> {
    /// The longest of the prefixes that match is of the deny list.
    Denied(&'r str),
    /// No prefix of the allow list matches.
    NotAllowed,
    /// It has this many digits.
    Digits(usize, Digits),
}

impl fmt::Display for NotTaken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotTaken::Denied(prefix) => write!(f, "prefix `{prefix}` is denied"),
            NotTaken::NotAllowed => f.write_str("no allowed prefix begins it"),
            NotTaken::Digits(count, Digits { min, max }) => write!(f, "{count} digits, {min} to {max} are taken"),
        }
    }
}

impl NumberRules {
    /// Whether this number is taken. Of the prefixes in both lists that begin it the longest decides, of equal ones the
    /// denied one; where none does, an empty allow list takes it.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, number: &str) -> Result<(), NotTaken<'_>> {
        let longest = |list: &'_ [String]| -> Option<usize> {
            let lengths = list.iter().filter(|prefix| number.starts_with(prefix.as_str())).map(String::len);
            lengths.max()
        };
        let (allowed, denied) = (longest(&self.allow), longest(&self.deny));
        if denied.is_some() && denied >= allowed {
            let is_it = |prefix: &&String| Some(prefix.len()) == denied && number.starts_with(prefix.as_str());
            return Err(NotTaken::Denied(self.deny.iter().find(is_it).expect("the longest is one of them")));
        }
        if allowed.is_none() && !self.allow.is_empty() {
            return Err(NotTaken::NotAllowed);
        }
        let count = number.bytes().filter(u8::is_ascii_digit).count();
        match self.digits {
            Some(digits) if !(usize::from(digits.min)..=usize::from(digits.max)).contains(&count) => {
                Err(NotTaken::Digits(count, digits))
            }
            _ => Ok(()),
        }
    }

    /// The number as the other side is to see it: the longest prefix that begins it is replaced.
    pub fn rewritten<'n>(&self, number: &'n str) -> Cow<'n, str> {
        let matching = self.rewrite.iter().find_map(|rule| Some((rule, number.strip_prefix(&*rule.prefix)?)));
        matching.map_or(Cow::Borrowed(number), |(rule, rest)| Cow::Owned(format!("{}{rest}", rule.replace)))
    }
}

impl GatewayRules {
    /// The longest of its prefixes that this number begins with; `None` where it does not take the number.
    pub fn longest_prefix(&self, number: &str) -> Option<&Prefix> {
        let begins = |prefix: &&Prefix| number.starts_with(prefix.digits.as_str());
        self.prefixes.iter().filter(begins).max_by_key(|prefix| prefix.digits.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{Digits, GatewayRules, NotTaken, NumberRules, Prefix, Rewrite};

    fn list(prefixes: &[&str]) -> Vec<String> {
        prefixes.iter().map(|&prefix| prefix.to_owned()).collect()
    }

    #[test]
    fn of_allowed_and_denied_prefixes_the_longest_decides() {
        let rules = NumberRules { allow: list(&["49", "4930"]), deny: list(&["493", "49301"]), ..Default::default() };
        assert_eq!(rules.check("4989"), Ok(()));
        assert_eq!(rules.check("4931"), Err(NotTaken::Denied("493")));
        assert_eq!(rules.check("49302"), Ok(()));
        assert_eq!(rules.check("493011"), Err(NotTaken::Denied("49301")));
        assert_eq!(rules.check("44"), Err(NotTaken::NotAllowed));
        let same = NumberRules { allow: list(&["49"]), deny: list(&["49"]), ..Default::default() };
        assert_eq!(same.check("491"), Err(NotTaken::Denied("49")), "of equal ones the denied");
        let deny_only = NumberRules { deny: list(&["0900"]), ..Default::default() };
        assert_eq!((deny_only.check("0900"), deny_only.check("0901")), (Err(NotTaken::Denied("0900")), Ok(())));
    }

    #[test]
    fn digits_are_counted_and_nothing_else() {
        let rules = NumberRules { digits: Some(Digits { min: 3, max: 5 }), ..Default::default() };
        for (number, count) in [("12", 2), ("+12", 2), ("123456", 6), ("", 0), ("abc", 0)] {
            assert_eq!(rules.check(number), Err(NotTaken::Digits(count, Digits { min: 3, max: 5 })), "{number}");
        }
        assert_eq!((rules.check("+123"), rules.check("12345")), (Ok(()), Ok(())));
    }

    #[test]
    fn prefixes_and_rewriting() {
        let rewrite = |prefix: &str, replace: &str| Rewrite { prefix: prefix.to_owned(), replace: replace.to_owned() };
        let rules = NumberRules { rewrite: vec![rewrite("00", "+"), rewrite("0", "+44")], ..Default::default() };
        for (number, rewritten) in [("004930", "+4930"), ("0044", "+44"), ("030", "+4430"), ("1", "1")] {
            assert_eq!(rules.rewritten(number), rewritten);
        }
        let prefix = |digits: &str| Prefix { digits: digits.to_owned(), continues: false };
        let gateway = GatewayRules { prefixes: vec![prefix("00"), prefix("0049"), prefix("1")], ..Default::default() };
        let longest = |number| gateway.longest_prefix(number).map(|prefix| prefix.digits.as_str());
        assert_eq!(["004930", "0044", "1", "2"].map(longest), [Some("0049"), Some("00"), Some("1"), None]);
    }
}
