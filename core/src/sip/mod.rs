//! SIP messages as bytes: found by [`scan()`], judged by [`check`], read on demand, written by [`Writer`].
//!
//! Nothing here copies or unescapes what it reads, and nothing demands UTF-8. The scanner is lenient so that a broken
//! request can still be answered; [`check`] is strict, and runs before any state is touched.

mod chars;
mod decimal;
mod host;
mod list;
mod message;
mod method;
mod names;
mod params;
mod reason;
mod reason_header;
#[cfg(feature = "rsip")]
pub mod rsip;
mod sanity;
mod scan;
mod uri;
mod values;
mod writer;

pub(crate) use decimal::{address_text, push_address, push_ip, push_number};
pub use host::{DEFAULT_PORT, host_ip, host_name};
pub use list::split_list;
pub use message::{Header, Message, Start};
pub use method::Method;
pub use names::Name;
pub use params::{Params, ParamsIter, q_permille};
pub use reason::reason_phrase;
pub use reason_header::ReasonValue;
pub use sanity::{Defect, check};
pub use scan::{Index, KeepAlive, ScanError, Scanned, scan};
pub use uri::{Scheme, Uri, escape_user};
pub use values::{COOKIE, CSeq, ContactList, Contacts, NameAddr, ValueError, Via};
pub use writer::Writer;
