//! What is counted: by hand, and against a recount from the whole list of packets.

use super::*;
use quickcheck::{Arbitrary, Gen, quickcheck};
use std::collections::BTreeSet;

const PCMU: u8 = 0;
const EVENT: u8 = 101;
const HZ: u32 = 8000;

fn header(ssrc: u32, sequence: u16, timestamp: u32, payload_type: u8) -> Header {
    Header { payload_type, marker: false, sequence, timestamp, ssrc }
}

/// Packets of one source, 20 ms apart, with these numbers.
fn sequences(numbers: &[u16]) -> Received {
    let mut received = Received::default();
    for (index, number) in numbers.iter().enumerate() {
        let now = Instant::from_micros(index as u64 * 20_000);
        received.take(now, header(7, *number, u32::from(*number) * 160, PCMU), 172, HZ, false);
    }
    assert_eq!((received.packets, received.bytes), (numbers.len() as u64, numbers.len() as u64 * 172));
    received
}

/// Lost, gaps, reordered, duplicates, strays, restarts.
fn order(numbers: &[u16]) -> [u64; 6] {
    let it = sequences(numbers);
    [it.lost(), it.gaps, it.reordered, it.duplicates, it.strays, it.restarts]
}

#[test]
fn order_by_hand() {
    assert_eq!(order(&[]), [0; 6]);
    assert_eq!(order(&[5]), [0; 6]);
    assert_eq!(order(&[1, 2, 3]), [0; 6]);
    assert_eq!(order(&[65534, 65535, 0, 1]), [0; 6], "the number wraps");
    assert_eq!(order(&[1, 2, 5, 6]), [2, 1, 0, 0, 0, 0], "3 and 4 are lost");
    assert_eq!(order(&[1, 3, 2, 4]), [0, 1, 1, 0, 0, 0], "2 is late");
    assert_eq!(order(&[65535, 1, 0, 2]), [0, 1, 1, 0, 0, 0], "0 is late");
    assert_eq!(order(&[1, 2, 2, 3, 1]), [0, 0, 0, 2, 0, 0]);
    assert_eq!(order(&[1, 3, 2, 2]), [0, 1, 1, 1, 0, 0], "late, and twice");
    assert_eq!(order(&[2, 1, 3]), [0, 0, 1, 0, 0, 0], "the first is late");
    assert_eq!(order(&[0, 65535, 1]), [0, 0, 1, 0, 0, 0]);
    assert_eq!(order(&[100, 3099, 3100]), [2998, 1, 0, 0, 0, 0], "the widest gap");
    assert_eq!(order(&[100, 3100, 101]), [0, 0, 0, 0, 1, 0], "a stray one");
    assert_eq!(order(&[200, 101]), [98, 0, 1, 0, 0, 0], "as late as can be");
    assert_eq!(order(&[200, 100]), [0, 0, 0, 0, 1, 0], "too late");
    assert_eq!(order(&[1, 2, 4, 9000, 9001, 9003]), [2, 2, 0, 0, 1, 1], "counts anew: one lost before, one after");
    assert_eq!(order(&[1, 9000, 2, 9001]), [0, 0, 0, 0, 2, 0], "not in a row");
    assert_eq!(order(&[1, 201, 200]), [198, 1, 1, 0, 0, 0], "wider than the memory of what came");
    assert_eq!(order(&[1, 2001, 2000, 2000]), [1998, 1, 1, 1, 0, 0]);
}

#[test]
fn a_new_source_counts_anew_and_what_was_lost_stays_lost() {
    let mut received = sequences(&[1, 3]);
    received.take(Instant::EPOCH, header(8, 30_000, 0, PCMU), 172, HZ, false);
    received.take(Instant::EPOCH, header(8, 30_002, 0, PCMU), 172, HZ, false);
    assert_eq!((received.ssrc_changes, received.lost(), received.ssrc()), (1, 2, Some(8)));
    received.take(Instant::EPOCH, header(7, 4, 0, PCMU), 172, HZ, false);
    assert_eq!((received.ssrc_changes, received.lost(), received.ssrc()), (2, 2, Some(7)));
}

#[test]
fn payload_types_change_and_events_come_between() {
    let mut received = Received::default();
    for (sequence, payload_type) in [0, 0, EVENT, EVENT, 0, 8, EVENT, 8, 0].into_iter().enumerate() {
        received.take(Instant::EPOCH, header(7, sequence as u16, 0, payload_type), 172, HZ, payload_type == EVENT);
    }
    assert_eq!((received.payload_changes, received.events, received.payload_type()), (2, 3, Some(0)));
}

/// Jitter after packets that arrive at these ms, with timestamps 160 apart.
fn jitter(arrivals_ms: &[u64]) -> u64 {
    let mut received = Received::default();
    for (sequence, ms) in arrivals_ms.iter().enumerate() {
        let header = header(7, sequence as u16, sequence as u32 * 160, PCMU);
        received.take(Instant::from_micros(ms * 1000), header, 172, HZ, false);
    }
    received.jitter()
}

#[test]
fn jitter_by_hand() {
    assert_eq!(jitter(&[]), 0);
    assert_eq!(jitter(&[1000, 1020, 1040, 1060]), 0, "even");
    // one packet 10 ms late: D is 80, then 80 back. 80; 80 + 80 - (88 >> 4) = 155; 155 >> 4 = 9
    assert_eq!(jitter(&[1000, 1030, 1040]), 9);
    // and decays by a sixteenth with each even packet: 155 - (163 >> 4) = 145; 145 - (153 >> 4) = 136; 136 >> 4 = 8
    assert_eq!(jitter(&[1000, 1030, 1040, 1060, 1080]), 8);
}

#[test]
fn the_timestamp_of_an_event_stands_still_and_is_no_jitter() {
    let mut received = Received::default();
    let mut take = |ms: u64, sequence, timestamp, payload_type| {
        let header = header(7, sequence, timestamp, payload_type);
        received.take(Instant::from_micros(ms * 1000), header, 172, HZ, payload_type == EVENT);
    };
    take(0, 1, 0, PCMU);
    take(20, 2, 160, EVENT);
    take(40, 3, 160, EVENT);
    take(60, 4, 160, EVENT);
    take(80, 5, 640, PCMU);
    assert_eq!(received.jitter(), 0);
}

#[test]
fn timestamps_and_arrivals_may_be_anything() {
    let mut received = Received::default();
    for (sequence, timestamp) in [0, u32::MAX, 1 << 31, 5, u32::MAX / 3].into_iter().cycle().take(1000).enumerate() {
        let now = Instant::from_micros(u64::MAX - 1000 + sequence as u64);
        received.take(now, header(7, sequence as u16, timestamp, PCMU), 172, u32::MAX, false);
    }
    assert!(received.jitter() < 1 << 32);
}

/// A packet: how far its number and time are from where they would be.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    ssrc: u32,
    step: i16,
    wait_us: u32,
    timestamp_step: u32,
    payload_type: u8,
    bytes: u16,
}

impl Arbitrary for Arrival {
    fn arbitrary(g: &mut Gen) -> Arrival {
        let mut below = |bound: u32| u32::arbitrary(g) % bound;
        // mostly the next number; else up to 40 back or 200 ahead: no strays, so that the recount can sort
        let step = [1, 1, 1, 1, 2, 0, -1, below(41) as i16 - 40, below(201) as i16][below(9) as usize];
        Arrival {
            ssrc: [7, 7, 7, 7, 7, 7, 7, 8][below(8) as usize],
            step,
            wait_us: below(40_000),
            timestamp_step: [160, 160, 160, 0, below(u32::MAX)][below(5) as usize],
            payload_type: [PCMU, PCMU, 8, EVENT][below(4) as usize],
            bytes: below(1500) as u16,
        }
    }
}

/// One source in a row: the numbers that came, extended, and transit times, in clock units.
#[derive(Default)]
struct Recounted {
    numbers: BTreeSet<i64>,
    transits: Vec<i128>,
}

/// As [`Received`] shows it: lost, gaps, reordered, duplicates, SSRC changes, payload changes, events, bytes, jitter.
fn recount(packets: &[(Instant, Header, i64, u16)]) -> [u64; 9] {
    let [mut lost, mut gaps, mut reordered, mut duplicates] = [0; 4];
    let mut last = Recounted::default();
    for same in packets.chunk_by(|a, b| a.1.ssrc == b.1.ssrc) {
        let mut run = Recounted::default();
        for (now, header, number, _) in same {
            let highest = run.numbers.last().copied().unwrap_or(number - 1);
            gaps += u64::from(*number > highest + 1);
            match run.numbers.insert(*number) {
                false => duplicates += 1,
                true => reordered += u64::from(*number < highest),
            }
            if header.payload_type != EVENT {
                let arrival = i128::from(now.as_micros()) * i128::from(HZ) / 1_000_000;
                run.transits.push(arrival - i128::from(header.timestamp));
            }
        }
        let (low, high) = (run.numbers.first().unwrap(), run.numbers.last().unwrap());
        lost += (high - low + 1) as u64 - run.numbers.len() as u64;
        last = run;
    }
    let mut sixteenfold = 0i128;
    for pair in last.transits.windows(2) {
        // the difference modulo 2^32, nearest to zero (§5.1: timestamps wrap)
        let d = (pair[1] - pair[0]).rem_euclid(1 << 32);
        sixteenfold += d.min((1 << 32) - d) - ((sixteenfold + 8) >> 4);
    }
    let media: Vec<u8> = packets.iter().map(|it| it.1.payload_type).filter(|it| *it != EVENT).collect();
    let changes = |list: &[u32]| list.windows(2).filter(|pair| pair[0] != pair[1]).count() as u64;
    let ssrcs: Vec<u32> = packets.iter().map(|it| it.1.ssrc).collect();
    let media: Vec<u32> = media.into_iter().map(u32::from).collect();
    let events = (packets.len() - media.len()) as u64;
    let bytes = packets.iter().map(|it| u64::from(it.3)).sum();
    let jitter = (sixteenfold >> 4) as u64;
    [lost, gaps, reordered, duplicates, changes(&ssrcs), changes(&media), events, bytes, jitter]
}

quickcheck! {
    fn counts_equal_a_recount(arrivals: Vec<Arrival>, start: u16) -> bool {
        let mut received = Received::default();
        let (mut now_us, mut timestamp, mut highest, mut ssrc) = (0, 0u32, i64::from(start), 0);
        let mut packets = Vec::new();
        for arrival in arrivals {
            now_us += u64::from(arrival.wait_us);
            timestamp = timestamp.wrapping_add(arrival.timestamp_step);
            let number = highest + i64::from(arrival.step);
            // a new source may begin with any number
            highest = if arrival.ssrc == ssrc { highest.max(number) } else { number };
            ssrc = arrival.ssrc;
            let header = header(ssrc, number as u16, timestamp, arrival.payload_type);
            packets.push((Instant::from_micros(now_us), header, number, arrival.bytes));
        }
        for (now, header, _, bytes) in &packets {
            received.take(*now, *header, usize::from(*bytes), HZ, header.payload_type == EVENT);
        }
        let it = &received;
        let counted = [
            it.lost(), it.gaps, it.reordered, it.duplicates, it.ssrc_changes, it.payload_changes, it.events, it.bytes,
            it.jitter(),
        ];
        assert_eq!((it.packets, it.strays, it.restarts), (packets.len() as u64, 0, 0));
        assert_eq!(counted, recount(&packets));
        true
    }
}
