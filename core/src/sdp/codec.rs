//! Names of formats.

use super::scan::{Media, lines, number, rtpmap};
use crate::limits;

/// How many payload types there are (RFC 3550 §5.1: 7 bits).
pub(super) const PAYLOAD_TYPES: usize = 128;

/// The encoding name and the clock rate in Hz that a static payload type stands for (RFC 3551 §6, tables 4 and 5).
pub(super) const fn static_format(payload_type: u8) -> Option<(&'static [u8], u32)> {
    let clock_rate_hz = match payload_type {
        6 => 16_000,
        10 | 11 => 44_100,
        16 => 11_025,
        17 => 22_050,
        // G722 has 16,000 samples a second, but the clock of its first, erroneous registration (RFC 3551 §4.5.2).
        0..=23 if payload_type != 14 => 8_000,
        _ => 90_000,
    };
    match static_name(payload_type) {
        Some(name) => Some((name.as_bytes(), clock_rate_hz)),
        None => None,
    }
}

/// The encoding name that a static payload type stands for (RFC 3551 §6, tables 4 and 5).
pub const fn static_name(payload_type: u8) -> Option<&'static str> {
    Some(match payload_type {
        0 => "PCMU",
        3 => "GSM",
        4 => "G723",
        5 | 6 | 16 | 17 => "DVI4",
        7 => "LPC",
        8 => "PCMA",
        9 => "G722",
        10 | 11 => "L16",
        12 => "QCELP",
        13 => "CN",
        14 => "MPA",
        15 => "G728",
        18 => "G729",
        25 => "CelB",
        26 => "JPEG",
        28 => "nv",
        31 => "H261",
        32 => "MPV",
        33 => "MP2T",
        34 => "H263",
        _ => return None,
    })
}

/// The static names by payload type.
const STATIC_NAMES: [Option<&str>; PAYLOAD_TYPES] = {
    let mut names = [None; PAYLOAD_TYPES];
    let mut payload_type = 0;
    while payload_type < PAYLOAD_TYPES {
        names[payload_type] = static_name(payload_type as u8);
        payload_type += 1;
    }
    names
};

/// The name of the codec a call record shows: that of the first format of the first audio stream that is not refused,
/// from its `a=rtpmap`, else from the static table. Tone and comfort-noise formats are no codec and passed over, as is a
/// dynamic format without a map. None where no such stream can be read. One pass, up to the end of that stream's section.
pub fn first_codec(body: &[u8]) -> Option<String> {
    let mut names: [Option<&str>; PAYLOAD_TYPES] = STATIC_NAMES;
    let mut audio: Option<Media<'_>> = None;
    for line in lines(body).take(limits::SDP_LINES) {
        match line.kind {
            b'm' if audio.is_some() => break,
            b'm' => audio = Media::parse(line.value).filter(|media| media.kind == b"audio" && media.port != 0),
            b'a' if audio.is_some() => {
                let Some((payload_type, name, _)) = rtpmap(line.value) else { continue };
                if let (Some(slot), Some(name)) = (names.get_mut(usize::from(payload_type)), token(name)) {
                    *slot = Some(name);
                }
            }
            _ => {}
        }
    }
    let of_format = |format| number::<u8>(format).and_then(|payload_type| *names.get(usize::from(payload_type))?);
    audio?.formats().filter_map(of_format).find(|name| is_codec(name)).map(str::to_owned)
}

/// A name as RFC 8866 §9 lets it be, so that nothing else reaches a record.
fn token(name: &[u8]) -> Option<&str> {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{}~".contains(byte);
    let ok = !name.is_empty() && name.len() <= crate::limits::CODEC_NAME_BYTES && name.iter().all(is_token);
    ok.then(|| std::str::from_utf8(name).expect("a token is ASCII"))
}

fn is_codec(name: &str) -> bool {
    !["telephone-event", "tone", "CN"].iter().any(|other| name.eq_ignore_ascii_case(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expect(body: &str, name: Option<&str>) {
        assert_eq!(first_codec(body.as_bytes()).as_deref(), name, "{body}");
    }

    #[test]
    fn the_first_codec_of_the_first_live_audio_stream_is_named() {
        expect("m=audio 4000 RTP/AVP 18 0\r\n", Some("G729"));
        expect("m=audio 4000 RTP/AVP 96 0\r\na=rtpmap:96 opus/48000/2\r\n", Some("opus"));
        expect("m=audio 4000 RTP/AVP 101 8\na=rtpmap:101 telephone-event/8000\n", Some("PCMA"));
        expect("m=audio 4000 RTP/AVP 13 97 3\n", Some("GSM"));
        expect("m=audio 0 RTP/AVP 0\nm=video 9 RTP/AVP 31\nm=audio 7 RTP/AVP 9\n", Some("G722"));
        expect("m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n", Some("PCMU"));
    }

    #[test]
    fn where_no_name_is_sure_there_is_none() {
        expect("", None);
        expect("m=audio 0 RTP/AVP 0\n", None);
        expect("m=image 4000 udptl t38\n", None);
        expect("m=audio 4000 RTP/AVP 97\n", None);
        expect("m=audio 4000 RTP/AVP 300 128\n", None);
        expect("m=audio 4000 RTP/AVP 97\na=rtpmap:97 a|b/8000\n", None);
        expect("m=audio 4000 RTP/AVP 97\na=rtpmap:300 x/8000\n", None);
        expect(&format!("m=audio 4000 RTP/AVP 97\na=rtpmap:97 {}/8000\n", "x".repeat(65)), None);
    }

    #[test]
    fn a_map_of_another_section_does_not_count() {
        expect("m=audio 4 RTP/AVP 97\nm=audio 6 RTP/AVP 97\na=rtpmap:97 iLBC/8000\n", None);
    }
}
