//! Any bytes as a datagram: scanned, checked, its fields walked, and written back with the same meaning.

#![no_main]

use crosspoint_core::sip::{Index, Message, Name, Scanned, Start, Writer, check, scan};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| {
    let mut index = Index::default();
    let Ok(Scanned::Message(message)) = scan(datagram, &mut index) else { return };
    assert!(message.body().len() <= datagram.len());
    for header in message.headers() {
        assert!(
            header.line.len() > header.raw_name.len() + header.value.len(),
            "a field holds its name, a colon and its value"
        );
        assert!(message.find(header.raw_name).is_some(), "a field is found by its own name");
    }
    if check(&message).is_err() {
        return;
    }

    let written = written_back(&message);
    let mut index = Index::default();
    let Ok(Scanned::Message(again)) = scan(&written, &mut index) else { panic!("what is written scans") };
    assert_eq!(message.body(), again.body());
    assert!(fields(&message).eq(fields(&again)), "a field was lost, added or changed");
    assert_eq!(written_back(&again), written, "writing is stable");
});

fn written_back(message: &Message<'_>) -> bytes::Bytes {
    let mut writer = match message.start() {
        Start::Request { method, uri } => Writer::request(method.as_bytes(), uri),
        Start::Response { status, reason } => Writer::response(status, &String::from_utf8_lossy(reason)),
    };
    for header in message.headers().filter(|header| header.name != Name::ContentLength) {
        writer.line(header.line);
    }
    writer.finish(message.body())
}

/// Every field but Content-Length; a fold's line end counts as white space.
fn fields<'m>(message: &Message<'m>) -> impl Iterator<Item = (Name, &'m [u8], Vec<&'m [u8]>)> {
    message.headers().filter(|header| header.name != Name::ContentLength).map(|header| {
        let words = header.value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        (header.name, header.raw_name, words.collect())
    })
}
