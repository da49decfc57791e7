use super::g711::REFERENCE;
use super::*;
use crate::media::tone::sine::{ONE, phase, sine};

#[test]
fn values_that_everybody_knows() {
    // 0°, 30°, 45°, 60° and 90°, of which 30° and 60° lie between two phases
    for (phase, value) in [(0, 0), (1000, 23_170), (2000, ONE), (3000, 23_170), (4000, 0), (6000, -ONE), (8000, 0)] {
        assert!((sine(phase) - value).abs() <= 14, "{phase}: {}", sine(phase));
    }
    let half = (sine(666) + 2 * sine(667)) / 3;
    assert!((half - ONE / 2).abs() <= 14, "30°: {half}");
}

/// sin(a+b) + sin(a-b) = 2 sin(a) cos(b): nothing but a sine does that, and the values above say which.
#[test]
fn the_addition_theorem_holds() {
    for a in 0..8000 {
        for b in [1, 7, 100, 667, 1000, 1999, 3333] {
            let left = sine(a + b) + sine(a + 8000 - b);
            let right = (2 * i64::from(sine(a)) * i64::from(sine(b + 2000))) >> 15;
            assert!((i64::from(left) - right).abs() <= 48, "{a} {b}: {left} {right}");
        }
    }
}

#[test]
fn a_phase_does_not_drift() {
    assert_eq!(phase(425, 320), 0, "17 turns in 320 samples");
    assert_eq!(phase(425, 320 * 1_000_000_007 + 1), 425);
    assert_eq!(phase(3400, u64::MAX), phase(3400, u64::MAX % 8000));
}

/// -13 dBm0 is a 19.953th of the power that G.711 calls 0 dBm0 (10^1.3); 2.3 % are a tenth of a decibel.
#[test]
fn tones_have_their_level() {
    for (law, reference) in REFERENCE {
        let of_reference = power(&reference.map(|octet| law.decode(octet)));
        for text in ["425", "1004", "440+480"] {
            let sound = Sound::Tone(text.parse().unwrap());
            let permille = 19_953 * power(&heard(&sound, law, 100)) / of_reference;
            assert!((977..=1023).contains(&permille), "{law:?} {text}: {permille}");
        }
    }
}

/// The mean square.
fn power(samples: &[i16]) -> i64 {
    samples.iter().map(|&sample| i64::from(sample).pow(2)).sum::<i64>() / samples.len() as i64
}
