use crate::media::tone::Law;

/// Value number, code and output value of G.711 tables 1a and 1b, the output in units of 8 (13 bits of 16): the largest,
/// the lowest of each segment, the smallest. The codes are as they are sent, even bits inverted.
const A_LAW: [(u8, i16); 10] = [
    (0xff ^ 0x55, 4032),
    (0xf0 ^ 0x55, 2112),
    (0xe0 ^ 0x55, 1056),
    (0xd0 ^ 0x55, 528),
    (0xc0 ^ 0x55, 264),
    (0xb0 ^ 0x55, 132),
    (0xa0 ^ 0x55, 66),
    (0x90 ^ 0x55, 33),
    (0x81 ^ 0x55, 3),
    (0x80 ^ 0x55, 1),
];

/// Likewise of tables 2a and 2b, in units of 4 (14 bits of 16).
const MU_LAW: [(u8, i16); 11] = [
    (0x80, 8031),
    (0x8f, 4191),
    (0x9f, 2079),
    (0xaf, 1023),
    (0xbf, 495),
    (0xcf, 231),
    (0xdf, 99),
    (0xef, 33),
    (0xf0, 30),
    (0xfe, 2),
    (0xff, 0),
];

/// Tables 5 and 6: 1000 Hz at 0 dBm0.
pub(super) const REFERENCE: [(Law, [u8; 8]); 2] = [
    (Law::A, [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4]),
    (Law::Mu, [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e]),
];

#[test]
fn codes_are_those_of_the_recommendation() {
    for (law, unit, table) in [(Law::A, 8, A_LAW.as_slice()), (Law::Mu, 4, &MU_LAW)] {
        for &(code, value) in table {
            assert_eq!(law.decode(code), value * unit, "{law:?} {code:#04x}");
            assert_eq!(law.decode(code ^ 0x80), -value * unit, "{law:?} {code:#04x}, negative");
            assert_eq!(law.encode(value * unit), code, "{law:?} {value}");
        }
    }
}

#[test]
fn silence_and_the_ends_of_the_range() {
    for (law, zero, minus_one, most, least) in [(Law::A, 0xd5, 0x55, 0xaa, 0x2a), (Law::Mu, 0xff, 0x7f, 0x80, 0x00)] {
        let codes = [0, -1, i16::MAX, i16::MIN].map(|sample| law.encode(sample));
        assert_eq!(codes, [zero, minus_one, most, least], "{law:?}");
    }
}

/// Where one segment ends and the next begins: the decision values of the tables, with the codes below and above.
#[test]
fn segments_begin_at_their_decision_values() {
    for (value, below) in [(2048, 6), (1024, 5), (512, 4), (256, 3), (128, 2), (64, 1), (32, 0)] {
        let codes = [value * 8 - 1, value * 8].map(|sample| Law::A.encode(sample) ^ 0x55);
        assert_eq!(codes, [0x8f | below << 4, 0x80 | (below + 1) << 4], "A-law {value}");
    }
    for (value, below) in [(4063, 0x90), (2015, 0xa0), (991, 0xb0), (479, 0xc0), (223, 0xd0), (95, 0xe0), (31, 0xf0)] {
        let codes = [value * 4 - 1, value * 4].map(|sample| Law::Mu.encode(sample));
        assert_eq!(codes, [below, below - 1], "mu-law {value}");
    }
}

/// The sign bit is all that tells a sample from its ones' complement, as in the reference code of ITU-T G.191: so both
/// halves have equally many samples, and the decision values of one are those of the other.
#[test]
fn the_negative_half_mirrors_the_positive() {
    for law in [Law::A, Law::Mu] {
        assert!((0..=i16::MAX).all(|sample| law.encode(!sample) == law.encode(sample) ^ 0x80), "{law:?}");
    }
}

/// Within a segment the output is in the middle of its step, so nothing is further off than half of that.
#[test]
fn every_sample_becomes_an_output_within_half_a_step() {
    for law in [Law::A, Law::Mu] {
        for sample in i16::MIN..=i16::MAX {
            let code = law.encode(sample);
            let half = match law {
                Law::A => 8 << ((code ^ 0x55) >> 4 & 7).saturating_sub(1),
                Law::Mu => 4 << (!code >> 4 & 7),
            };
            // mu-law does not reach the ends of 16 bits
            let reached = if law == Law::Mu { i32::from(sample).clamp(-8159 * 4, 8159 * 4) } else { sample.into() };
            let error = (i32::from(law.decode(code)) - reached).abs();
            assert!(error <= half, "{law:?}: {sample} became {code:#04x}, off by {error}");
        }
    }
}

#[test]
fn every_code_survives_its_sample() {
    for law in [Law::A, Law::Mu] {
        for code in 0..=255 {
            let back = law.encode(law.decode(code));
            // the negative zero of mu-law comes back as the positive one
            let same = if (law, code) == (Law::Mu, 0x7f) { 0xff } else { code };
            assert_eq!(back, same, "{law:?} {code:#04x}");
        }
    }
}

#[test]
fn a_louder_sample_never_becomes_a_quieter_one() {
    for law in [Law::A, Law::Mu] {
        let coded = |sample| law.decode(law.encode(sample));
        assert!((i16::MIN..i16::MAX).all(|sample| coded(sample) <= coded(sample + 1)), "{law:?}");
    }
}

#[test]
fn payload_types_are_those_of_rfc_3551() {
    assert_eq!([Law::Mu, Law::A].map(Law::payload_type), [0, 8]);
    assert_eq!([0, 8, 1, 101].map(Law::of_payload_type), [Some(Law::Mu), Some(Law::A), None, None]);
}
