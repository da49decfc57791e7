//! Instructions that a message costs: scanning; scanning, judging, reading and writing it on.
//!
//! `cargo bench -p crosspoint-core --bench sip`. Needs valgrind, and gungraun-runner of the version in Cargo.lock
//! (`cargo install gungraun-runner --version 0.20.0`). Fails where a limit is exceeded.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the code that gungraun's macros make"
)]

mod messages;

use bytes::Bytes;
use crosspoint_core::sip::{Contacts, Index, Message, Name, NameAddr, Scanned, Uri, Writer, check, scan};
use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use messages::{INVITE, OK, REGISTER};
use std::hint::black_box;

/// The message and an index that has grown to its size, as in a switch that runs.
fn warm(datagram: &'static [u8]) -> (&'static [u8], Index) {
    let mut index = Index::default();
    black_box(written(datagram, &mut index));
    (datagram, index)
}

fn message<'m>(datagram: &'m [u8], index: &'m mut Index) -> Message<'m> {
    match scan(datagram, index) {
        Ok(Scanned::Message(message)) => message,
        other => panic!("the fixture is a message, not {other:?}"),
    }
}

/// Reads every value that routing a message takes.
fn read(message: &Message<'_>) -> usize {
    let via = message.via().expect("a sound Via");
    let cseq = message.cseq().expect("a sound CSeq");
    let call_id = message.call_id().expect("a Call-ID");
    let (from, to) = (message.from().expect("a sound From"), message.to().expect("a sound To"));
    let tags = [from, to].iter().filter_map(NameAddr::tag).map(<[u8]>::len).sum::<usize>();
    let Ok(Contacts::List(contacts)) = message.contacts() else { panic!("a Contact") };
    let contacts: usize = contacts.iter().map(|contact| read_address(&contact.expect("a sound Contact"))).sum();
    let uri = message.uri().map_or(0, |uri| Uri::parse(uri).expect("a sound URI").host.len());
    let addresses = read_address(&from) + read_address(&to) + contacts + uri;
    via.branch().map_or(0, <[u8]>::len) + cseq.number as usize + call_id.len() + tags + addresses
}

fn read_address(address: &NameAddr<'_>) -> usize {
    let uri = Uri::parse(address.uri).expect("a sound URI");
    uri.host.len() + uri.user.map_or(0, <[u8]>::len) + address.display.len()
}

/// Writes the message on: a Via of our own, every other header as it came.
fn write(message: &Message<'_>) -> Bytes {
    let mut writer = match (message.method(), message.uri()) {
        (Some(method), Some(uri)) => Writer::request(method.as_bytes(), uri),
        _ => Writer::response(message.status().unwrap_or(500), "OK"),
    };
    writer.header("Via", "SIP/2.0/UDP 198.51.100.9;branch=z9hG4bK0123456789abcdef");
    for header in message.headers() {
        if !matches!(header.name, Name::Via | Name::ContentLength) {
            writer.pass(&header);
        }
    }
    writer.finish(message.body())
}

fn written(datagram: &[u8], index: &mut Index) -> (usize, Bytes) {
    let message = message(datagram, index);
    (read(&message), write(&message))
}

#[library_benchmark(config = at_most(10_000))]
#[bench::invite(warm(INVITE))]
#[bench::ok(warm(OK))]
#[bench::register(warm(REGISTER))]
fn parse((datagram, mut index): (&'static [u8], Index)) -> Index {
    black_box(message(black_box(datagram), &mut index).body().len());
    index
}

#[library_benchmark(config = at_most(12_000))]
#[bench::invite(warm(INVITE))]
#[bench::ok(warm(OK))]
#[bench::register(warm(REGISTER))]
fn parse_typed_write((datagram, mut index): (&'static [u8], Index)) -> (usize, Bytes, Index) {
    let (read, bytes) = written(black_box(datagram), &mut index);
    (read, bytes, index)
}

#[library_benchmark(config = at_most(13_000))]
#[bench::invite(warm(INVITE))]
#[bench::ok(warm(OK))]
#[bench::register(warm(REGISTER))]
fn parse_check((datagram, mut index): (&'static [u8], Index)) -> Index {
    let message = message(black_box(datagram), &mut index);
    black_box(check(&message)).expect("the fixture is sound");
    index
}

/// Fails the run where a message takes more instructions than this.
fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions)]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

library_benchmark_group!(name = sip, benchmarks = [parse, parse_typed_write, parse_check]);
main!(library_benchmark_groups = sip);
