//! What a tone is: one or two frequencies, and for how long it is on and off.
//!
//! As text: `425/1000,4000` is 425 Hz for 1 s and then silence for 4 s, over and over; `400+450/400,200,400,2000` are two
//! frequencies together, twice 400 ms; `1004` alone never pauses.

use super::SAMPLES_PER_S;
use super::sine::{AMPLITUDE, AMPLITUDE_OF_TWO, ONE, phase, sine};
use crate::limits::CADENCE_PULSES;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// What a telephone channel carries (ITU-T G.712).
const FREQUENCIES_HZ: RangeInclusive<u16> = 300..=3400;

/// From one packet, below which nobody hears a tone, to a minute.
const TIMES_MS: RangeInclusive<u16> = 20..=60_000;

/// One time on and the pause after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// How long the tone is heard, 20 to 60,000.
    pub on_ms: u16,
    /// How long it is not, 20 to 60,000.
    pub off_ms: u16,
}

/// The frequencies of a tone and its times. Read by `parse`, printed as it is written.
///
/// ```
/// use crosspoint_core::media::tone::Cadence;
///
/// let ringback: Cadence = "425 / 1000, 4000".parse().unwrap();
/// assert_eq!(ringback, Cadence::ringback());
/// assert_eq!(ringback.to_string(), "425/1000,4000");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cadence {
    first_hz: u16,
    second_hz: Option<u16>,
    /// None where the tone never pauses.
    pulses: Vec<Pulse>,
}

/// Why a text is no cadence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CadenceError {
    /// No number where a frequency should be, or one out of range.
    #[error("`{0}` is no frequency of {low} to {high} Hz", low = FREQUENCIES_HZ.start(), high = FREQUENCIES_HZ.end())]
    Frequency(String),
    /// More than two.
    #[error("a tone has one or two frequencies, as in 440+480")]
    FrequencyCount,
    /// The same twice, which is one tone of another level.
    #[error("the frequency {0} Hz stands twice")]
    FrequencyTwice(u16),
    /// No number where a time should be, or one out of range.
    #[error("`{0}` is no time of {low} to {high} ms", low = TIMES_MS.start(), high = TIMES_MS.end())]
    Time(String),
    /// A time on without the pause after it.
    #[error("times come in pairs, on and off, as in 1000,4000")]
    Unpaired,
    /// Too many.
    #[error("a tone has at most {CADENCE_PULSES} pairs of times")]
    PulseCount,
}

impl Cadence {
    /// What a caller hears while the callee's phone rings, where nothing else is configured: 425 Hz, 1 s on and 4 s off,
    /// inside what ITU-T E.180 recommends (400 to 450 Hz, 0.67 to 1.5 s on, 3 to 5 s off).
    pub fn ringback() -> Cadence {
        Cadence { first_hz: 425, second_hz: None, pulses: vec![Pulse { on_ms: 1000, off_ms: 4000 }] }
    }

    /// What the tone number plays: 1004 Hz without a pause. Not 1000 Hz, of which every eighth sample is the same, so
    /// that a fault in the other 255 codes could not be heard.
    pub fn test_tone() -> Cadence {
        Cadence { first_hz: 1004, second_hz: None, pulses: Vec::new() }
    }

    /// Sample `n` since the tone began, 16 bits with sign.
    pub(super) fn sample(&self, n: u64) -> i16 {
        let Some(n) = self.since_onset(n) else { return 0 };
        let part = |frequency_hz| sine(phase(frequency_hz, n));
        let sample = match self.second_hz {
            None => part(self.first_hz) * AMPLITUDE,
            Some(second_hz) => (part(self.first_hz) + part(second_hz)) * AMPLITUDE_OF_TWO,
        };
        (sample / ONE) as i16
    }

    /// How many samples ago the pulse began that sample `n` is in; none in a pause. Each pulse begins at phase zero,
    /// without a click.
    fn since_onset(&self, n: u64) -> Option<u64> {
        let cycle: u64 = self.pulses.iter().map(|pulse| samples(pulse.on_ms) + samples(pulse.off_ms)).sum();
        if cycle == 0 {
            return Some(n);
        }
        let mut left = n % cycle;
        for pulse in &self.pulses {
            let (on, off) = (samples(pulse.on_ms), samples(pulse.off_ms));
            if left < on {
                return Some(left);
            }
            if left < on + off {
                return None;
            }
            left -= on + off;
        }
        unreachable!("a sample of the cycle is in one of its pulses")
    }
}

fn samples(ms: u16) -> u64 {
    u64::from(ms) * SAMPLES_PER_S as u64 / 1000
}

impl fmt::Display for Cadence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first_hz)?;
        if let Some(second_hz) = self.second_hz {
            write!(f, "+{second_hz}")?;
        }
        for (at, pulse) in self.pulses.iter().enumerate() {
            let before = if at == 0 { '/' } else { ',' };
            write!(f, "{before}{},{}", pulse.on_ms, pulse.off_ms)?;
        }
        Ok(())
    }
}

impl FromStr for Cadence {
    type Err = CadenceError;

    fn from_str(text: &str) -> Result<Cadence, CadenceError> {
        let (frequencies, times) = text.split_once('/').map_or((text, None), |(before, after)| (before, Some(after)));
        let (first_hz, second_hz) = parse_frequencies(frequencies)?;
        let pulses = times.map_or(Ok(Vec::new()), parse_pulses)?;
        Ok(Cadence { first_hz, second_hz, pulses })
    }
}

fn parse_frequencies(text: &str) -> Result<(u16, Option<u16>), CadenceError> {
    let one = |text| number(text, FREQUENCIES_HZ).map_err(CadenceError::Frequency);
    let Some((first, second)) = text.split_once('+') else { return Ok((one(text)?, None)) };
    if second.contains('+') {
        return Err(CadenceError::FrequencyCount);
    }
    let (first, second) = (one(first)?, one(second)?);
    if first == second { Err(CadenceError::FrequencyTwice(first)) } else { Ok((first, Some(second))) }
}

fn parse_pulses(text: &str) -> Result<Vec<Pulse>, CadenceError> {
    let mut times = text.split(',').map(|time| number(time, TIMES_MS).map_err(CadenceError::Time));
    let mut pulses = Vec::new();
    while let Some(on_ms) = times.next() {
        let pulse = Pulse { on_ms: on_ms?, off_ms: times.next().ok_or(CadenceError::Unpaired)?? };
        if pulses.len() == CADENCE_PULSES {
            return Err(CadenceError::PulseCount);
        }
        pulses.push(pulse);
    }
    Ok(pulses)
}

/// Digits alone, spaces around them aside; the text, cut short, where it is anything else.
fn number(text: &str, range: RangeInclusive<u16>) -> Result<u16, String> {
    const SHOWN: usize = 20;
    let text = text.trim();
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let value = if is_digits { text.parse().ok() } else { None };
    value.filter(|value| range.contains(value)).ok_or_else(|| text.chars().take(SHOWN).collect())
}
