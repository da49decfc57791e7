//! Session descriptions (RFC 8866): read where they lie, and spliced.
//!
//! A description passes through the switch byte for byte but for what the switch owns: [`rewrite()`] copies every line,
//! known or not, in any order, in any encoding, and writes anew only the words that [`Rewrite`] names. [`scan()`] reads
//! what a decision needs: the `m=` sections with port, formats, address and direction. [`streams()`] reads what a relay
//! needs: where each stream takes RTP and RTCP, and what its payload types are.
//!
//! | line | relayed | direct |
//! |---|---|---|
//! | `o=` | ours, where [`Rewrite::origin`] says so | the same |
//! | `c=` | the relay's address and its family; 0.0.0.0 stays a hold; put in where a stream needs its own | as it came |
//! | `m=` | the relay's port without a count; port 0 stays; payload types by [`PayloadMap`] | as it came |
//! | `a=rtcp` | the relay's port, and its address where one stood | as it came |
//! | `a=candidate`, `a=ice-*`, `a=remote-candidates`, `a=end-of-candidates` | taken out | as it came |
//! | `a=group:BUNDLE`, `a=bundle-only` | taken out | as it came |
//! | `a=rtpmap`, `a=fmtp`, `a=rtcp-fb` | payload types by [`PayloadMap`] | as it came |
//! | any other, `a=rtcp-mux` among them | as it came | as it came |
//!
//! ```
//! use crosspoint_core::sdp::{self, Rewrite};
//!
//! let body = b"v=0\r\no=alice 7 1 IN IP4 10.0.0.5\r\ns=-\r\nc=IN IP4 10.0.0.5\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0\r\n";
//! let session = sdp::scan(body)?;
//! assert_eq!(session.media[0].port, 4000);
//! assert_eq!(sdp::first_codec(body).as_deref(), Some("PCMA"));
//!
//! let mut out = Vec::new();
//! sdp::rewrite(body, &Rewrite::hiding("192.0.2.1".parse().unwrap()), &mut out);
//! assert!(out.starts_with(b"v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 10.0.0.5\r\n"));
//! # Ok::<(), sdp::SdpError>(())
//! ```

mod attribute;
mod codec;
mod multipart;
mod payload;
mod refuse;
mod rewrite;
mod scan;
mod stream;
mod take;
mod version;

pub use codec::{first_codec, static_name};
pub use multipart::find_sdp;
pub use payload::PayloadMap;
pub use refuse::refuse;
pub use rewrite::{NewOrigin, Relay, RelayedStream, Rewrite, RtcpPort, rewrite};
pub(crate) use scan::offset_in;
pub use scan::{Connection, Direction, Line, Media, Origin, SdpError, Session, lines, scan};
pub use stream::{Format, Mux, Profile, Stream, streams};
pub use take::{Taken, answer, offer, take};
pub use version::Version;
