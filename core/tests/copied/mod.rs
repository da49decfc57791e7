//! A message written back as the switch passes one on: every field's line as it came, and a Content-Length of our own.

use bytes::Bytes;
use crosspoint_core::sip::{Message, Name, Start, Writer};

/// The message, written back.
pub(crate) fn written_back(message: &Message<'_>) -> Bytes {
    let mut writer = match message.start() {
        Start::Request { method, uri } => Writer::request(method.as_bytes(), uri),
        Start::Response { status, reason } => {
            Writer::response(status, std::str::from_utf8(reason).expect("test data has UTF-8 reason phrases"))
        }
    };
    for header in message.headers().filter(|header| header.name != Name::ContentLength) {
        writer.line(header.line);
    }
    writer.finish(message.body())
}
