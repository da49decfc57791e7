use super::*;
use quickcheck::quickcheck;

fn packet(payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, payload_type];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(b"what was said");
    packet
}

#[test]
fn a_packet_comes_back_under_another_source() {
    let echo = Echo::new(8, &mut chance());
    let there = packet(0x88, 65_535, u32::MAX, 0x0102_0304);
    let mut back = there.clone();
    assert_eq!(echo.turn(&mut back), Ok(()));
    let (sent, returned) = (header(&there), header(&back));
    assert_eq!((returned.marker, returned.payload_type), (true, 8));
    assert!(returned.ssrc != sent.ssrc && returned.sequence != sent.sequence && returned.timestamp != sent.timestamp);
    assert_eq!(back[12..], there[12..]);
    // the next one, past the ends of both numbers
    let mut next = packet(8, 0, 159, 0x0102_0304);
    assert_eq!(echo.turn(&mut next), Ok(()));
    let next = header(&next);
    assert_eq!(next.sequence, returned.sequence.wrapping_add(1));
    assert_eq!(next.timestamp, returned.timestamp.wrapping_add(160));
    assert_eq!((next.ssrc, next.marker), (returned.ssrc, false));
}

#[test]
fn what_is_not_sent_back() {
    let echo = Echo::new(8, &mut chance());
    let mut stun = packet(8, 1, 1, 1);
    stun[..2].copy_from_slice(&[0, 1]);
    for (mut packet, why) in [
        (vec![], NotEchoed::NotRtp),
        (packet(8, 1, 1, 1)[..11].to_vec(), NotEchoed::NotRtp),
        (stun, NotEchoed::NotRtp),
        (packet(200, 1, 1, 1), NotEchoed::Rtcp),
        (packet(207, 1, 1, 1), NotEchoed::Rtcp),
        (packet(101, 1, 1, 1), NotEchoed::PayloadType(101)),
        (packet(0, 1, 1, 1), NotEchoed::PayloadType(0)),
        (packet(0x80 | 13, 1, 1, 1), NotEchoed::PayloadType(13)),
    ] {
        let before = packet.clone();
        assert_eq!((echo.turn(&mut packet), packet), (Err(why), before));
    }
    assert_eq!(echo.turn(&mut packet(8, 1, 1, 1)[..12]), Ok(()), "a header alone is a packet");
}

quickcheck! {
    /// Two packets of any sources stay as far apart as they were, and neither comes back under its own source.
    fn distances_are_kept(payload_type: u8, one: (u16, u32, u32), other: (u16, u32, u32)) -> bool {
        let echo = Echo::new(payload_type % 64, &mut chance());
        let turned = |(sequence, timestamp, ssrc)| {
            let mut packet = packet(payload_type % 64, sequence, timestamp, ssrc);
            echo.turn(&mut packet).unwrap();
            header(&packet)
        };
        let (a, b) = (turned(one), turned(other));
        a.sequence.wrapping_sub(b.sequence) == one.0.wrapping_sub(other.0)
            && a.timestamp.wrapping_sub(b.timestamp) == one.1.wrapping_sub(other.1)
            && (a.ssrc == b.ssrc) == (one.2 == other.2)
            && a.ssrc != one.2
    }

    /// Whatever stands between header and payload, and whether or not it is whole.
    fn any_bytes_are_returned_or_left_alone(first: u8, rest: Vec<u8>, kept: bool) -> bool {
        let mut echo = Echo::new(0, &mut chance());
        if kept {
            echo = postcard::from_bytes(&postcard::to_stdvec(&echo).unwrap()).unwrap();
        }
        let there = [&[0x80 | first & 0x3f, 0x80][..], &rest].concat();
        let mut back = there.clone();
        match echo.turn(&mut back) {
            Ok(()) => back[..2] == there[..2] && back[2..12] != there[2..12] && back[12..] == there[12..],
            Err(why) => why == NotEchoed::NotRtp && Header::read(&there).is_none() && back == there,
        }
    }
}
