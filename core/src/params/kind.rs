//! What a parameter's value may be, and the check of a written one.

use super::tos;

/// What values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number, both ends included.
    Whole {
        /// The smallest.
        min: u32,
        /// The largest.
        max: u32,
    },
    /// A whole number, or this word instead of one.
    WholeOr {
        /// The word, such as `None`.
        word: &'static str,
        /// The smallest.
        min: u32,
        /// The largest.
        max: u32,
    },
    /// `On` or `Off`.
    Switch,
    /// One of a few names; each also by its VOS code.
    Choice(&'static [Choice]),
    /// First and last port, both included.
    Ports,
    /// A type-of-service octet: a name of RFC 4594, or a number.
    Tos,
    /// Gaps between resends in seconds: 1 to 32, each at least 0.1, all together at most 64 (behaviour 1(c)).
    Intervals,
    /// Any text up to this many octets, without control characters.
    Text {
        /// The longest.
        max_bytes: usize,
    },
}

/// One value of a [`Kind::Choice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// As listed; case, spaces and punctuation do not count when it is read.
    pub name: &'static str,
    /// The number that the VOS web interface uses for it.
    pub code: u16,
}

/// A value that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The value as it is listed: one spelling for each value.
    pub text: String,
    /// What was tacitly mended, where something was.
    pub warning: Option<String>,
}

/// Most entries of a resend list (behaviour 1(c)).
const RESENDS: usize = 32;
/// Shortest gap between two resends, milliseconds (behaviour 1(c)).
const RESEND_GAP_MS: u64 = 100;
/// Longest sum of all gaps, milliseconds (behaviour 1(c)): twice the 32 s of RFC 3261 §17.1.1.2 Timer B.
const RESEND_SUM_MS: u64 = 64_000;

impl Kind {
    /// Checks a written value.
    ///
    /// # Errors
    /// Says in words why the value is refused.
    pub fn check(self, text: &str) -> Result<Checked, String> {
        let text = text.trim();
        let passed = |text: String| Checked { text, warning: None };
        match self {
            Kind::Whole { min, max } => whole(text, min, max).map(|n| passed(n.to_string())),
            Kind::WholeOr { word, .. } if text.eq_ignore_ascii_case(word) => Ok(passed(word.to_owned())),
            Kind::WholeOr { word, min, max } => whole(text, min, max)
                .map(|n| passed(n.to_string()))
                .map_err(|_| format!("must be `{word}` or a whole number from {min} to {max}")),
            Kind::Switch => switch(text).map(|on| passed(if on { "On" } else { "Off" }.to_owned())),
            Kind::Choice(choices) => choice(text, choices).map(|choice| passed(choice.name.to_owned())),
            Kind::Ports => ports(text).map(|(first, last)| passed(format!("{first},{last}"))),
            Kind::Tos => tos::parse(text),
            Kind::Intervals => {
                let gaps_ms = intervals_ms(text)?;
                Ok(passed(gaps_ms.iter().map(|&ms| seconds_text(ms)).collect::<Vec<_>>().join(",")))
            }
            Kind::Text { max_bytes } if text.len() > max_bytes => Err(format!("is longer than {max_bytes} octets")),
            Kind::Text { .. } if text.chars().any(char::is_control) => Err("has a control character in it".to_owned()),
            Kind::Text { .. } => Ok(passed(text.to_owned())),
        }
    }

    /// The values it takes, in words.
    pub fn range(self) -> String {
        match self {
            Kind::Whole { min, max } => format!("{min}\u{2013}{max}"),
            Kind::WholeOr { word, min, max } => format!("{word}, {min}\u{2013}{max}"),
            Kind::Switch => "On, Off".to_owned(),
            Kind::Choice(choices) => choices.iter().map(|choice| choice.name).collect::<Vec<_>>().join(", "),
            Kind::Ports => "first,last in 1\u{2013}65535".to_owned(),
            Kind::Tos => "0x00\u{2013}0xff, or a name (EF, CS5, AF41, \u{2026})".to_owned(),
            Kind::Intervals => "1\u{2013}32 entries, each \u{2265} 0.1, sum \u{2264} 64".to_owned(),
            Kind::Text { max_bytes } => format!("text, at most {max_bytes} octets"),
        }
    }
}

fn whole(text: &str, min: u32, max: u32) -> Result<u32, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let value = if digits { text.parse().ok() } else { None };
    value.filter(|n| (min..=max).contains(n)).ok_or_else(|| format!("must be a whole number from {min} to {max}"))
}

fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Ok(true),
        "off" | "false" | "no" | "0" => Ok(false),
        _ => Err("must be `On` or `Off`".to_owned()),
    }
}

/// Letters and digits in lower case: what counts when a name is compared.
pub(super) fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

fn choice(text: &str, choices: &'static [Choice]) -> Result<&'static Choice, String> {
    let wanted = bare(text);
    let is_it = |choice: &&Choice| bare(choice.name) == wanted || choice.code.to_string() == wanted;
    choices.iter().find(is_it).ok_or_else(|| {
        let names: Vec<String> = choices.iter().map(|c| format!("`{}` ({})", c.name, c.code)).collect();
        format!("must be one of {}", names.join(", "))
    })
}

/// First and last port of a checked or written range; `-` is taken for the comma.
pub(super) fn ports(text: &str) -> Result<(u16, u16), String> {
    let refused = || "must be the first and the last port, such as `10000,39999`".to_owned();
    let (first, last) = text.split_once([',', '-']).ok_or_else(refused)?;
    let port = |text: &str| whole(text.trim(), 1, 65_535).ok().and_then(|n| u16::try_from(n).ok());
    let (first, last) = (port(first).ok_or_else(refused)?, port(last).ok_or_else(refused)?);
    if first > last { Err(format!("ends ({last}) before it begins ({first})")) } else { Ok((first, last)) }
}

/// The gaps of a resend list in milliseconds.
pub(super) fn intervals_ms(text: &str) -> Result<Vec<u64>, String> {
    let gaps_ms: Vec<u64> = text.split(',').take(RESENDS + 1).map(gap_ms).collect::<Result<_, _>>()?;
    if gaps_ms.len() > RESENDS {
        return Err(format!("has more than {RESENDS} entries"));
    }
    let sum_ms: u64 = gaps_ms.iter().sum();
    if sum_ms > RESEND_SUM_MS {
        return Err(format!("adds up to {} s; at most 64 s are allowed", seconds_text(sum_ms)));
    }
    Ok(gaps_ms)
}

fn gap_ms(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let refused = || format!("has an entry `{text}` that is not a number of seconds with at most three decimals");
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || whole.len() > 6 || part.len() > 3 {
        return Err(refused());
    }
    let whole: u64 = whole.parse().map_err(|_| refused())?;
    let part_ms: u64 = format!("{part:0<3}").parse().map_err(|_| refused())?;
    let ms = whole * 1000 + part_ms;
    if ms < RESEND_GAP_MS { Err(format!("has an entry `{text}` below 0.1 s")) } else { Ok(ms) }
}

fn seconds_text(ms: u64) -> String {
    let text = format!("{}.{:03}", ms / 1000, ms % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Choice, Kind, seconds_text};

    fn text(kind: Kind, written: &str) -> Result<String, String> {
        kind.check(written).map(|checked| checked.text)
    }

    #[test]
    fn whole_numbers_keep_their_range() {
        let kind = Kind::Whole { min: 10, max: 86_400 };
        assert_eq!(text(kind, " 010 ").as_deref(), Ok("10"));
        for refused in ["", "9", "86401", "-10", "+10", "1e3", "10 s", "99999999999999999999"] {
            assert_eq!(text(kind, refused), Err("must be a whole number from 10 to 86400".to_owned()), "{refused}");
        }
        assert_eq!(text(Kind::WholeOr { word: "None", min: 1, max: 9 }, "none").as_deref(), Ok("None"));
        assert!(text(Kind::WholeOr { word: "None", min: 1, max: 9 }, "0").is_err());
    }

    #[test]
    fn names_are_read_leniently_and_written_one_way() {
        let kind = Kind::Choice(&[Choice { name: "Auto", code: 0 }, Choice { name: "Must On", code: 3 }]);
        for written in ["must on", "MustOn", "must_on", "3"] {
            assert_eq!(text(kind, written).as_deref(), Ok("Must On"));
        }
        assert_eq!(text(kind, "4"), Err("must be one of `Auto` (0), `Must On` (3)".to_owned()));
        assert_eq!(text(Kind::Switch, "true").as_deref(), Ok("On"));
        assert!(text(Kind::Switch, "maybe").is_err());
    }

    #[test]
    fn port_ranges() {
        assert_eq!(text(Kind::Ports, "10000 , 39999").as_deref(), Ok("10000,39999"));
        assert_eq!(text(Kind::Ports, "10000-39999").as_deref(), Ok("10000,39999"));
        assert_eq!(text(Kind::Ports, "5,4"), Err("ends (4) before it begins (5)".to_owned()));
        for refused in ["", "1", "0,9", "1,65536", "a,b", "1,2,3"] {
            assert!(text(Kind::Ports, refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn resend_lists() {
        assert_eq!(text(Kind::Intervals, "0.50, 1,2.0,4").as_deref(), Ok("0.5,1,2,4"));
        assert_eq!(text(Kind::Intervals, &["2"; 32].join(",")).map(|t| t.len()), Ok(63), "32 entries, 64 s");
        for (refused, why) in [
            ("", "not a number"),
            ("1,,2", "not a number"),
            ("0.0999", "three decimals"),
            ("0.09", "below 0.1 s"),
            ("-1", "not a number"),
            ("64,0.1", "adds up to 64.1 s"),
            (&["1"; 33].join(","), "more than 32"),
        ] {
            let reason = text(Kind::Intervals, refused).expect_err("refused");
            assert!(reason.contains(why), "{refused}: {reason}");
        }
        assert_eq!((seconds_text(100), seconds_text(10_000)), ("0.1".to_owned(), "10".to_owned()));
    }
}
