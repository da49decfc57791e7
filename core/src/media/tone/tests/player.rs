use super::*;
use crate::limits::PLAYER_CATCH_UP;
use quickcheck::quickcheck;
use std::sync::Arc;

fn ringback() -> Sound {
    Sound::Tone(Cadence::ringback())
}

/// As many samples, each another: its own number.
fn recording(samples: i16, times: Option<u32>) -> Sound {
    let recording = Arc::new(Recording { samples: (0..samples).collect() });
    Sound::Recording { recording, times }
}

fn player(law: Law) -> Player {
    Player::new(law, at_ms(0), &mut chance())
}

/// Everything that the player does at this moment: the packets' headers, and what it wants next.
fn turns(player: &mut Player, now_ms: u64, sound: &Sound) -> (Vec<Header>, Turn) {
    let mut sent = Vec::new();
    let mut packet = [0; PACKET_BYTES];
    loop {
        match player.turn(at_ms(now_ms), sound, &mut packet) {
            Turn::Packet => sent.push(header(&packet)),
            other => return (sent, other),
        }
    }
}

#[test]
fn the_packets_of_a_stream() {
    for (law, payload_type) in [(Law::Mu, 0), (Law::A, 8)] {
        let mut player = player(law);
        let (sent, next) = turns(&mut player, 0, &ringback());
        let [first] = sent[..] else { panic!("one packet is due at the start: {sent:?}") };
        assert_eq!(next, Turn::Wait(at_ms(20)));
        let ssrc = player.ssrc();
        assert_eq!(first, Header { marker: true, payload_type, ssrc, ..first });
        for n in 1..1000u16 {
            let (sent, next) = turns(&mut player, u64::from(n) * 20, &ringback());
            let due = Header {
                marker: false,
                sequence: first.sequence.wrapping_add(n),
                timestamp: first.timestamp.wrapping_add(u32::from(n) * 160),
                ..first
            };
            assert_eq!((sent, next), (vec![due], Turn::Wait(at_ms((u64::from(n) + 1) * 20))));
        }
    }
}

#[test]
fn streams_begin_at_numbers_of_their_own() {
    let mut chance = chance();
    let mut first = || turns(&mut Player::new(Law::A, at_ms(0), &mut chance), 0, &ringback()).0[0];
    let (a, b) = (first(), first());
    assert!(a.ssrc != b.ssrc && a.sequence != b.sequence && a.timestamp != b.timestamp);
}

/// When somebody looks, the numbers of the packets that are sent then, and whether the first has its marker.
#[test]
fn packets_are_sent_when_they_are_due() {
    let rows: &[(u64, &[u64], bool, u64)] = &[
        (0, &[0], true, 20),
        (0, &[], false, 20),
        (19, &[], false, 20),
        (20, &[1], false, 40),
        // late by less than a packet: the next one is not late for that
        (59, &[2], false, 60),
        (60, &[3], false, 80),
        // three missed ones follow at once
        (159, &[4, 5, 6, 7], false, 160),
        (240, &[8, 9, 10, 11, 12], false, 260),
        // six at once are too many: they are left out but the last, and no sequence number with them
        (360, &[18], true, 380),
        (380, &[19], false, 400),
        // an hour of sleep
        (3_600_399, &[180_019], true, 3_600_400),
        // a clock that goes back
        (100, &[], false, 3_600_400),
    ];
    let mut player = player(Law::A);
    let mut first = None;
    let mut count = 0;
    for &(now_ms, numbers, marker, next_ms) in rows {
        let (sent, next) = turns(&mut player, now_ms, &ringback());
        let first: Header = *first.get_or_insert_with(|| sent[0]);
        let seen: Vec<u32> = sent.iter().map(|header| header.timestamp.wrapping_sub(first.timestamp) / 160).collect();
        let numbers: Vec<u32> = numbers.iter().map(|&number| number as u32).collect();
        assert_eq!((seen, next), (numbers, Turn::Wait(at_ms(next_ms))), "at {now_ms} ms");
        for (at, header) in sent.iter().enumerate() {
            assert_eq!(header.marker, marker && at == 0, "at {now_ms} ms");
            assert_eq!(header.sequence, first.sequence.wrapping_add(count), "at {now_ms} ms");
            count += 1;
        }
    }
}

#[test]
fn nothing_is_due_before_the_start() {
    let mut player = Player::new(Law::A, at_ms(50), &mut chance());
    assert_eq!(turns(&mut player, 49, &ringback()), (vec![], Turn::Wait(at_ms(50))));
    assert_eq!(turns(&mut player, 50, &ringback()).0.len(), 1);
}

#[test]
fn a_recording_is_heard_as_often_as_it_should_be_and_to_its_end() {
    // one packet and a half
    let once: Vec<i16> = (0..240).collect();
    let rest = |length: usize| vec![0; length.next_multiple_of(160) - length];
    for (times, packets) in [(1, 2), (2, 3), (3, 5)] {
        let samples = heard(&recording(240, Some(times)), Law::A, 1000);
        let all = once.repeat(times as usize);
        let written = [all.clone(), rest(all.len())].concat();
        let through = |sample: &i16| Law::A.decode(Law::A.encode(*sample));
        assert_eq!(samples, written.iter().map(through).collect::<Vec<_>>(), "{times} times");
        assert_eq!(samples.len(), packets * 160);
    }
    let mut player = player(Law::A);
    let sound = recording(240, Some(1));
    assert_eq!(turns(&mut player, 0, &sound).1, Turn::Wait(at_ms(20)));
    assert_eq!(turns(&mut player, 20, &sound).1, Turn::Wait(at_ms(40)), "the last packet is still heard");
    assert_eq!(turns(&mut player, 40, &sound), (vec![], Turn::Ended));
    assert_eq!(turns(&mut player, 5000, &sound), (vec![], Turn::Ended));
}

#[test]
fn recordings_for_ever_not_at_all_and_slept_through() {
    assert_eq!(heard(&recording(240, None), Law::A, 1000).len(), 160_000);
    assert_eq!(turns(&mut player(Law::A), 0, &recording(240, Some(0))), (vec![], Turn::Ended));
    assert_eq!(turns(&mut player(Law::A), 0, &recording(0, None)), (vec![], Turn::Ended));
    let mut asleep = player(Law::A);
    assert_eq!(turns(&mut asleep, 10_000, &recording(800, Some(1))), (vec![], Turn::Ended));
}

#[test]
fn one_sound_follows_another_in_the_same_stream() {
    let mut player = player(Law::A);
    let first = turns(&mut player, 0, &ringback()).0[0];
    turns(&mut player, 20, &ringback());
    // without a gap, though the next packet is not yet due
    player.begin(at_ms(25), Law::A);
    let announcement = recording(160, Some(1));
    let mut packet = [0; PACKET_BYTES];
    assert_eq!(player.turn(at_ms(40), &announcement, &mut packet), Turn::Packet);
    let second = Header {
        marker: false,
        sequence: first.sequence.wrapping_add(2),
        timestamp: first.timestamp.wrapping_add(320),
        ..first
    };
    assert_eq!(header(&packet), second);
    assert_eq!(packet[12 + 159], Law::A.encode(159), "from its beginning");
    assert_eq!(turns(&mut player, 60, &announcement), (vec![], Turn::Ended));
    // after a gap, in which nothing was sent
    player.begin(at_ms(1010), Law::A);
    assert_eq!(player.turn(at_ms(1010), &announcement, &mut packet), Turn::Packet);
    let third = Header {
        marker: true,
        sequence: first.sequence.wrapping_add(3),
        timestamp: first.timestamp.wrapping_add(50 * 160),
        ..first
    };
    assert_eq!((header(&packet), packet[12 + 159]), (third, Law::A.encode(159)));
}

#[test]
fn the_cadence_is_true_after_a_sleep() {
    let (mut slept, mut awake) = (player(Law::A), player(Law::A));
    let mut packets = [[0; PACKET_BYTES]; 2];
    for n in 0..=275 {
        assert_eq!(awake.turn(at_ms(n * 20), &ringback(), &mut packets[0]), Turn::Packet);
    }
    assert_eq!(slept.turn(at_ms(275 * 20), &ringback(), &mut packets[1]), Turn::Packet);
    assert_eq!(packets[0][12..], packets[1][12..]);
    assert_eq!(header(&packets[0]).timestamp, header(&packets[1]).timestamp);
}

/// The steps in milliseconds, with long ones among them.
fn moments(steps: &[(u8, bool)]) -> impl Iterator<Item = u64> {
    let lengths = steps.iter().map(|&(step, is_long)| u64::from(step) * if is_long { 100 } else { 1 });
    lengths.scan(0, |now_ms, step| {
        *now_ms += step;
        Some(*now_ms)
    })
}

quickcheck! {
    fn timestamps_are_true_and_packets_no_more_than_time_allows(steps: Vec<(u8, bool)>, length: i16, times: u8) -> bool {
        let sound = recording(length.saturating_abs(), Some(times.into()));
        let mut player = player(Law::Mu);
        let origin = turns(&mut player.clone(), 0, &ringback()).0[0];
        let (mut count, mut before) = (0, None);
        for now_ms in moments(&steps) {
            let (sent, next) = turns(&mut player, now_ms, &sound);
            if sent.len() as u64 > PLAYER_CATCH_UP {
                return false;
            }
            for header in sent {
                let elapsed = header.timestamp.wrapping_sub(origin.timestamp);
                let number = u64::from(elapsed / 160);
                let follows = before.is_none_or(|before| number > before);
                let is_gap = before.is_none_or(|before| number > before + 1);
                let is_true = elapsed % 160 == 0
                    && number * 20 <= now_ms
                    && now_ms - number * 20 < PLAYER_CATCH_UP * 20
                    && header.sequence == origin.sequence.wrapping_add(count)
                    && header.marker == is_gap
                    && header.ssrc == origin.ssrc;
                if !follows || !is_true || sound.frames().is_some_and(|frames| number >= frames) {
                    return false;
                }
                count += 1;
                before = Some(number);
            }
            if u64::from(count) > now_ms / 20 + 1 || matches!(next, Turn::Wait(at) if at <= at_ms(now_ms)) {
                return false;
            }
        }
        true
    }

    fn a_player_kept_and_read_again_plays_on(steps: Vec<(u8, bool)>, at: usize) -> bool {
        let sound = recording(12_345, Some(3));
        let (mut one, mut other) = (player(Law::A), player(Law::A));
        let at = at % (steps.len() + 1);
        let mut packets = [[0; PACKET_BYTES]; 2];
        moments(&steps).enumerate().all(|(step, now_ms)| {
            if step == at {
                other = postcard::from_bytes(&postcard::to_stdvec(&other).unwrap()).unwrap();
            }
            loop {
                let turn = one.turn(at_ms(now_ms), &sound, &mut packets[0]);
                if other.turn(at_ms(now_ms), &sound, &mut packets[1]) != turn || packets[0] != packets[1] {
                    return false;
                }
                if turn != Turn::Packet {
                    return true;
                }
            }
        })
    }
}
