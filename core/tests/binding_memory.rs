//! What a hundred thousand registered phones take, counted at the allocator.

mod counting;

use crosspoint_core::Cx;
use crosspoint_core::config::Config;
use crosspoint_core::input::{Flow, SocketId, Transport};
use crosspoint_core::registrar::Registrar;
use crosspoint_core::rng::{Seed, table_key};
use crosspoint_core::sip::{Index, Scanned, scan};
use crosspoint_core::time::{Instant, Now, UnixMicros};
use std::sync::Arc;

const PHONES: usize = 100_000;

/// The goal, in bytes.
const PER_BINDING: usize = 512;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// A REGISTER as baresip and linphone send it behind a NAT: own user parameters, an instance, a UUID as Call-ID.
fn register(phone: usize, cseq: u32) -> String {
    let (host, port) = (phone / 200, 1024 + phone % 60_000);
    format!(
        "REGISTER sip:sip.example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK{phone:016x};rport\r\n\
         From: <sip:u{phone:05}@sip.example.com>;tag={phone:08x}\r\nTo: <sip:u{phone:05}@sip.example.com>\r\n\
         Call-ID: 6f1c{phone:08x}-3f5e-4d2a-9b61\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n\
         Contact: <sip:u{phone:05}-0x{phone:012x}@10.{}.{}.2:{port};transport=udp>;expires=3600;\
         +sip.instance=\"<urn:uuid:00000000-0000-4000-8000-{phone:012x}>\"\r\nContent-Length: 0\r\n\r\n",
        host / 256,
        host % 256
    )
}

fn register_all(registrar: &mut Registrar, cx: &mut Cx, index: &mut Index, cseq: u32) {
    for phone in 0..PHONES {
        let datagram = register(phone, cseq);
        let Ok(Scanned::Message(message)) = scan(datagram.as_bytes(), index) else { panic!("the test's own REGISTER") };
        let remote = ([203, 0, (phone >> 8) as u8, phone as u8], 5060).into();
        let flow = Flow { socket: SocketId(0), transport: Transport::Udp, remote };
        // A hundred register in each second.
        cx.now.mono = Instant::from_micros(10_000 * (u64::from(cseq) * PHONES as u64 + phone as u64));
        assert_eq!(registrar.register(cx, &message, flow, &format!("u{phone:05}")).status, 200);
        while cx.next_command().is_some() {}
    }
}

#[test]
fn a_hundred_thousand_phones_take_under_512_bytes_each() {
    let seed = Seed::from_number(1);
    let now = Now { mono: Instant::EPOCH, wall: UnixMicros(1_767_225_600_000_000) };
    let mut config = Config::embedded("secret");
    config.parameters.set("SS_ENDPOINT_EXPIRE", "3600").expect("it is in range");
    let mut cx = Cx::new(Arc::new(config), seed, now);
    let mut registrar = Registrar::new(table_key(seed));
    let mut index = Index::default();
    register_all(&mut registrar, &mut cx, &mut index, 1);
    let after_one_round = counting::taken();
    // A refresh of all moves everything among the expiries, and must take nothing more.
    register_all(&mut registrar, &mut cx, &mut index, 2);
    let after_two_rounds = counting::taken();
    assert_eq!(registrar.len(), PHONES);
    let estimate = registrar.memory_bytes();
    drop(registrar);
    let without = counting::taken();
    let first = (after_one_round - without) / PHONES;
    let second = (after_two_rounds - without) / PHONES;
    println!("bytes per binding: {first}, after a refresh of all {second}, estimated {}", estimate / PHONES);
    assert!(first < PER_BINDING && second < PER_BINDING, "{first} and {second} bytes");
    let is_near = |estimate: usize| estimate * 4 > second * 3 && estimate * 3 < second * 4;
    assert!(is_near(estimate / PHONES), "the estimate is {} bytes, counted are {second}", estimate / PHONES);
}
