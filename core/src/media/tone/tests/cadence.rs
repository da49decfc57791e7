use super::*;
use crate::media::tone::sine::{phase, sine};
use quickcheck::{Arbitrary, Gen, quickcheck};

#[test]
fn texts_and_what_they_are_refused_for() {
    for (text, printed) in [
        ("425/1000,4000", "425/1000,4000"),
        ("440+480/2000,4000", "440+480/2000,4000"),
        (" 400 + 450 / 400, 200, 400, 2000 ", "400+450/400,200,400,2000"),
        ("1004", "1004"),
        ("300/20,60000", "300/20,60000"),
        ("3400/60000,20", "3400/60000,20"),
        ("0425/1000,4000", "425/1000,4000"),
    ] {
        assert_eq!(text.parse::<Cadence>().unwrap().to_string(), printed, "{text}");
    }
    let refused = |text: &str| format!("{text}: {}", text.parse::<Cadence>().unwrap_err());
    let texts = [
        "",
        "/1000,4000",
        "425/",
        "299/1000,4000",
        "3401/1000,4000",
        "425.5/1000,4000",
        "-425/1000,4000",
        "+425/1000,4000",
        "65961/1000,4000",
        "440+480+620/500,500",
        "425+425/1000,4000",
        "425/1000",
        "425/1000,4000,1000",
        "425/1000,",
        "425/19,4000",
        "425/1000,60001",
        "425/1000,0",
        "425/1s,4s",
        "425/1000,4000/1",
        "425/20,20,20,20,20,20,20,20,20,20,20,20,20,20,20,20,20,20",
        "a frequency that goes on and on and on",
    ];
    insta::assert_snapshot!(texts.map(refused).join("\n"));
}

/// Positive after not positive: once a turn, whatever the level.
fn turns(samples: &[i16]) -> usize {
    samples.windows(2).filter(|pair| pair[0] <= 0 && pair[1] > 0).count()
}

/// The packets with a sound in them, as the first and the one after the last.
fn bursts(samples: &[i16]) -> Vec<(usize, usize)> {
    let is_loud = |frame: &[i16]| frame.iter().any(|sample| sample.abs() > 1000);
    let loud: Vec<bool> = samples.chunks(FRAME_SAMPLES).map(is_loud).collect();
    let mut bursts: Vec<(usize, usize)> = Vec::new();
    for (at, _) in loud.iter().enumerate().filter(|(_, is_loud)| **is_loud) {
        match bursts.last_mut() {
            Some((_, end)) if *end == at => *end += 1,
            _ => bursts.push((at, at + 1)),
        }
    }
    bursts
}

#[test]
fn a_caller_hears_ringback_of_425_hz_for_1_s_in_5() {
    for law in [Law::A, Law::Mu] {
        let samples = heard(&Sound::Tone(Cadence::ringback()), law, 750);
        assert_eq!(bursts(&samples), [(0, 50), (250, 300), (500, 550)], "{law:?}");
        for second in [0, 5, 10] {
            let heard = turns(&samples[second * 8000..][..8000]);
            assert!((424..=426).contains(&heard), "{law:?}: {heard} Hz");
        }
        let silence = law.decode(law.encode(0));
        assert!(samples[8000..5 * 8000].iter().all(|&sample| sample == silence), "{law:?}: a pause is silent");
    }
}

#[test]
fn a_double_ring_has_its_times_and_both_frequencies() {
    let sound = Sound::Tone("400+450/400,200,400,2000".parse().unwrap());
    let samples = heard(&sound, Law::A, 300);
    assert_eq!(bursts(&samples), [(0, 20), (30, 50), (150, 170), (180, 200)]);
}

/// How much of this frequency is in a second, by correlation with both its phases.
fn strength(second: &[i16], frequency_hz: u16) -> i64 {
    let with = |ahead: u64| -> i64 {
        let wave = (0..).map(|n| i64::from(sine(phase(frequency_hz, n) + ahead)));
        wave.zip(second).map(|(wave, &sample)| (wave * i64::from(sample)) >> 15).sum::<i64>() / 8000
    };
    with(0).pow(2) + with(2000).pow(2)
}

#[test]
fn two_frequencies_are_in_it_and_no_third() {
    let sound = Sound::Tone("440+480/2000,4000".parse().unwrap());
    let samples = heard(&sound, Law::Mu, 100);
    let loud: Vec<u16> =
        (300..600).chain([900, 1320, 1440, 3000]).filter(|&hz| strength(&samples[..8000], hz) > 10_000).collect();
    // either has half its peak of 3599 in this measure: 1800² are 3.2 million
    assert_eq!(loud, [440, 480]);
    assert!((3_000_000..3_500_000).contains(&strength(&samples[..8000], 440)));
}

#[test]
fn a_tone_without_times_never_pauses() {
    let samples = heard(&Sound::Tone(Cadence::test_tone()), Law::A, 500);
    assert_eq!(bursts(&samples), [(0, 500)]);
    assert!((10_039..=10_041).contains(&turns(&samples)), "{}", turns(&samples));
    let codes: std::collections::BTreeSet<i16> = samples.into_iter().collect();
    assert!(codes.len() > 100, "only {} of the codes are heard", codes.len());
}

#[derive(Clone, Debug)]
struct Written(Cadence);

impl Arbitrary for Written {
    fn arbitrary(g: &mut Gen) -> Written {
        let mut from = |low: u32, high: u32| (low + u32::arbitrary(g) % (high - low + 1)).to_string();
        let frequencies = if from(0, 1) == "0" { from(300, 3400) } else { from(300, 999) + "+" + &from(1000, 3400) };
        let count: usize = from(0, 8).parse().unwrap();
        let times: Vec<String> = (0..2 * count).map(|_| from(20, 60_000)).collect();
        let slash = if count == 0 { "" } else { "/" };
        Written(format!("{frequencies}{slash}{}", times.join(",")).parse().unwrap())
    }
}

quickcheck! {
    fn a_cadence_survives_its_text(cadence: Written) -> bool {
        cadence.0.to_string().parse().as_ref() == Ok(&cadence.0)
    }

    fn any_text_is_taken_or_refused(text: String, digits: Vec<u16>) -> bool {
        let numbers = digits.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
        let texts = [text.clone(), format!("425/{text}"), format!("425/{numbers}"), numbers];
        let taken = texts.iter().filter_map(|text| text.parse::<Cadence>().ok());
        taken.into_iter().all(|cadence| cadence.to_string().parse() == Ok(cadence))
    }
}
