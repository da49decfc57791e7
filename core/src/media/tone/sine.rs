//! The sine of a phase, in integers.
//!
//! A phase counts in 8000ths of a turn. At 8000 samples a second, sample n of a tone of f Hz then has the phase f*n
//! modulo 8000, which is exact: a tone never drifts, needs no state, and no table.

use super::SAMPLES_PER_S;

/// A whole turn.
const TURN: u64 = SAMPLES_PER_S as u64;

/// 1.0 of the values here.
pub(super) const ONE: i32 = 1 << 15;

/// Peak of a tone, of 16-bit samples: -13 dBm0. 0 dBm0 has its peak at 22,700 (G.711 tables 5 and 6, 22,827 by A-law and
/// 22,657 by mu-law). ITU-T E.180 has tones between -15 and -5 dBm0, and -13 leaves them no louder than speech.
pub(super) const AMPLITUDE: i32 = 5090;

/// Peak of each of two tones together, which have the power of one: the above divided by the root of two.
pub(super) const AMPLITUDE_OF_TWO: i32 = 3599;

/// The phase of sample `n` of a tone.
pub(super) fn phase(frequency_hz: u16, n: u64) -> u64 {
    n % TURN * u64::from(frequency_hz) % TURN
}

/// The sine in units of 1/[`ONE`], to within 14 of them, which is 67 dB below the tone; G.711 itself adds noise at 38.
pub(super) fn sine(phase: u64) -> i32 {
    let phase = (phase % TURN) as i32;
    let half = TURN as i32 / 2;
    if phase >= half { -half_wave(phase - half) } else { half_wave(phase) }
}

/// The first half of the turn, mirrored at its quarter. There, with x from 0 to 1, the sine is nearly
/// x * (π/2 - x² * ((π - 5/2) - x² * (π/2 - 3/2))), whose value and slope are right at both ends.
fn half_wave(phase: i32) -> i32 {
    const QUARTER: i32 = TURN as i32 / 4;
    let x = (phase.min(2 * QUARTER - phase) * ONE + QUARTER / 2) / QUARTER;
    let square = (x * x) >> 15;
    let outer = 21_024 - ((square * 2_320) >> 15);
    let inner = 51_472 - ((square * outer) >> 15);
    // at most 32,768 * 51,472, which 31 bits hold
    (x * inner) >> 15
}
