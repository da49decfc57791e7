//! Reports written by hand from the figures of RFC 3550 §6.4.1 and §6.4.2.

use super::*;
use quickcheck::quickcheck;

const BLOCK: [u8; 24] = [
    0x0a, 0x0b, 0x0c, 0x0d, // SSRC_1
    0x40, 0x00, 0x01, 0x00, // a quarter lost; 256 in all
    0x00, 0x02, 0xff, 0xfe, // two cycles, number 65534
    0x00, 0x00, 0x00, 0xa0, // jitter 160: 20 ms at 8 kHz
    0x11, 0x22, 0x33, 0x44, // LSR
    0x00, 0x01, 0x00, 0x00, // DLSR: 1 s
];

const READ: ReportBlock =
    ReportBlock { ssrc: 0x0a0b_0c0d, fraction_lost: 64, lost: 256, highest: 0x0002_fffe, jitter: 160 };

/// One packet with its length filled in.
fn packet(count: u8, kind: u8, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    let words = (body.len() / 4) as u16;
    [&[0x80 | count, kind], words.to_be_bytes().as_slice(), &body].concat()
}

fn sender_report(blocks: &[&[u8]]) -> Vec<u8> {
    let sender: [u8; 24] = [
        0xde, 0xad, 0xbe, 0xef, // SSRC of sender
        0xe0, 0x00, 0x00, 0x01, 0x80, 0x00, 0x00, 0x00, // NTP timestamp
        0x00, 0x00, 0x03, 0x20, // RTP timestamp
        0x00, 0x00, 0x00, 0x05, // 5 packets
        0x00, 0x00, 0x03, 0x20, // 800 octets
    ];
    packet(blocks.len() as u8, 200, &[&[&sender[..]], blocks].concat())
}

fn receiver_report(blocks: &[&[u8]]) -> Vec<u8> {
    packet(blocks.len() as u8, 201, &[&[&[0xca, 0xfe, 0xba, 0xbe][..]], blocks].concat())
}

fn blocks(compound: &[u8]) -> Vec<ReportBlock> {
    packets(compound).flat_map(|packet| packet.blocks()).collect()
}

fn senders(compound: &[u8]) -> Vec<SenderInfo> {
    packets(compound).filter_map(|packet| packet.sender()).collect()
}

#[test]
fn a_sender_report_says_what_was_sent_and_heard() {
    let report = sender_report(&[&BLOCK]);
    assert_eq!(report[..4], [0x81, 200, 0, 12]);
    assert_eq!(senders(&report), [SenderInfo { ssrc: 0xdead_beef, packets: 5, payload_bytes: 800 }]);
    assert_eq!(blocks(&report), [READ]);
}

#[test]
fn a_receiver_report_says_what_was_heard() {
    let mut second = BLOCK;
    second[..8].copy_from_slice(&[0, 0, 0, 9, 0, 0xff, 0xff, 0xfe]);
    let report = receiver_report(&[&BLOCK, &second]);
    assert_eq!(blocks(&report), [READ, ReportBlock { ssrc: 9, fraction_lost: 0, lost: -2, ..READ }]);
    assert_eq!(senders(&report), []);
    assert_eq!(blocks(&receiver_report(&[])), []);
}

#[test]
fn the_range_of_loss_has_a_sign() {
    let lost = |octets: [u8; 3]| {
        let mut block = BLOCK;
        block[5..8].copy_from_slice(&octets);
        blocks(&receiver_report(&[&block]))[0].lost
    };
    assert_eq!(lost([0x7f, 0xff, 0xff]), (1 << 23) - 1);
    assert_eq!(lost([0x80, 0x00, 0x00]), -(1 << 23));
    assert_eq!(lost([0xff, 0xff, 0xff]), -1);
}

#[test]
fn a_compound_is_read_through() {
    let description = packet(1, 202, &[&[0xde, 0xad, 0xbe, 0xef, 1, 1, b'a', 0]]);
    let farewell = packet(1, 203, &[&[0xde, 0xad, 0xbe, 0xef]]);
    let compound = [sender_report(&[]), description, receiver_report(&[&BLOCK]), farewell].concat();
    assert_eq!(packets(&compound).map(|packet| packet.kind).collect::<Vec<_>>(), [200, 202, 201, 203]);
    assert_eq!((senders(&compound).len(), blocks(&compound)), (1, vec![READ]));
    let ends_early = &compound[..compound.len() - 1];
    assert_eq!(packets(ends_early).count(), 3, "what does not fit ends the walk");
}

#[test]
fn a_count_beyond_the_blocks_reads_those_that_are_there() {
    let mut report = receiver_report(&[&BLOCK]);
    report[0] = 0x80 | 31;
    assert_eq!(blocks(&report), [READ]);
    report[0] = 0x80;
    assert_eq!(blocks(&report), [], "a count below leaves the rest to extensions (§6.4.3)");
}

#[test]
fn a_walk_is_bounded() {
    let many = receiver_report(&[]).repeat(RTCP_PACKETS + 5);
    assert_eq!(packets(&many).count(), RTCP_PACKETS);
}

#[test]
fn control_is_told_from_media() {
    for (second, is) in
        [(191, false), (192, true), (200, true), (223, true), (224, false), (0, false), (0x80 | 101, false)]
    {
        assert_eq!(is_rtcp(&[0x80, second, 0, 0]), is, "{second}");
    }
    assert!(!is_rtcp(&[0x80, 200, 0]) && !is_rtcp(&[0x40, 200, 0, 0]) && !is_rtcp(&[]));
}

quickcheck! {
    fn any_bytes_are_walked_within_bounds(bytes: Vec<u8>) -> bool {
        let _ = (is_rtcp(&bytes), senders(&bytes));
        packets(&bytes).count() <= RTCP_PACKETS && blocks(&bytes).len() * BLOCK_BYTES <= bytes.len()
    }

    fn any_words_behind_a_header_are_walked(kind: u8, count: u8, words: Vec<u32>) -> bool {
        let body: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let compound = packet(count & 0x1f, kind, &[&body]);
        packets(&compound).next().is_some_and(|packet| packet.body == body) && blocks(&compound).len() <= 31
    }
}
