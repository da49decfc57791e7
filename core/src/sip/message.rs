//! A scanned message: what stands where, and its values read on demand.

use super::chars::number;
use super::list::split_list;
use super::method::Method;
use super::names::Name;
use super::reason_header::ReasonValue;
use super::sanity::Defect;
use super::scan::Index;
use super::values::{CSeq, ContactList, Contacts, NameAddr, ValueError, Via};

/// The first line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'m> {
    /// `INVITE sip:bob@example.com SIP/2.0`.
    Request {
        /// The method.
        method: Method<'m>,
        /// The Request-URI as written.
        uri: &'m [u8],
    },
    /// `SIP/2.0 200 OK`.
    Response {
        /// 100 to 699; 0 where it is none, which [`crate::sip::check`] refuses.
        status: u16,
        /// The phrase behind it, of any octets, perhaps empty.
        reason: &'m [u8],
    },
}

/// One header field as it stands in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'m> {
    /// Which one it is.
    pub name: Name,
    /// The name as written.
    pub raw_name: &'m [u8],
    /// The value, trimmed; folds inside it are still there.
    pub value: &'m [u8],
    /// The whole field with its folds and its line end.
    pub line: &'m [u8],
    /// Whether that is one line which ends in CRLF.
    pub(super) is_plain: bool,
}

/// A scanned message. Borrows the datagram and the index, and is cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Message<'m> {
    pub(super) bytes: &'m [u8],
    pub(super) index: &'m Index,
    pub(super) start: Start<'m>,
    pub(super) body: &'m [u8],
    /// What the scanner found wrong.
    pub(super) fault: Option<Defect>,
}

impl<'m> Message<'m> {
    /// The whole datagram, with whatever stands before the start line and behind the body.
    pub fn bytes(&self) -> &'m [u8] {
        self.bytes
    }

    /// The first line.
    pub fn start(&self) -> Start<'m> {
        self.start
    }

    /// The method of a request.
    pub fn method(&self) -> Option<Method<'m>> {
        match self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The Request-URI of a request, as written.
    pub fn uri(&self) -> Option<&'m [u8]> {
        match self.start {
            Start::Request { uri, .. } => Some(uri),
            Start::Response { .. } => None,
        }
    }

    /// The status code of a response.
    pub fn status(&self) -> Option<u16> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(status),
        }
    }

    /// The value of the first field of this name, trimmed; it may hold folds.
    pub fn value(&self, name: Name) -> Option<&'m [u8]> {
        self.index.first(name).map(|at| self.index.fields()[at].value(self.bytes))
    }

    /// The values of every field of this name.
    pub fn fields(&self, name: Name) -> impl Iterator<Item = &'m [u8]> + use<'m> {
        let bytes = self.bytes;
        let of_name = match self.index.first(name) {
            None => &[],
            Some(first) if self.index.is_repeated(name) => &self.index.fields()[first..],
            Some(first) => &self.index.fields()[first..=first],
        };
        of_name.iter().filter(move |field| field.name == name).map(move |field| field.value(bytes))
    }

    /// The elements of every field of this name as one list, split at the commas that stand neither in quotes nor
    /// between `<` and `>`.
    pub fn list(&self, name: Name) -> impl Iterator<Item = &'m [u8]> + use<'m> {
        self.fields(name).flat_map(split_list)
    }

    /// Every header field, in order.
    pub fn headers(&self) -> impl Iterator<Item = Header<'m>> + use<'m> {
        let bytes = self.bytes;
        self.index.fields().iter().map(move |field| field.header(bytes))
    }

    /// The value of the first field written with this name, in any case. For headers without a [`Name`]; compact forms
    /// are not resolved.
    pub fn find(&self, raw_name: &[u8]) -> Option<&'m [u8]> {
        self.headers().find(|header| header.raw_name.eq_ignore_ascii_case(raw_name)).map(|header| header.value)
    }

    /// The body: cut at Content-Length, else all that follows the headers.
    pub fn body(&self) -> &'m [u8] {
        self.body
    }

    /// The topmost Via.
    ///
    /// # Errors
    /// Where there is none or it breaks the grammar.
    pub fn via(&self) -> Result<Via<'m>, ValueError> {
        let top = self.value(Name::Via).and_then(|value| split_list(value).next()).unwrap_or_default();
        Via::parse(top).map_err(|reason| ValueError { header: Name::Via, reason })
    }

    /// The From header.
    ///
    /// # Errors
    /// Where there is none or it breaks the grammar.
    pub fn from(&self) -> Result<NameAddr<'m>, ValueError> {
        self.address(Name::From)
    }

    /// The To header.
    ///
    /// # Errors
    /// Where there is none or it breaks the grammar.
    pub fn to(&self) -> Result<NameAddr<'m>, ValueError> {
        self.address(Name::To)
    }

    fn address(&self, header: Name) -> Result<NameAddr<'m>, ValueError> {
        NameAddr::parse(self.value(header).unwrap_or_default()).map_err(|reason| ValueError { header, reason })
    }

    /// The Call-ID.
    ///
    /// # Errors
    /// Where there is none, or it holds white space or controls.
    pub fn call_id(&self) -> Result<&'m [u8], ValueError> {
        match self.value(Name::CallId) {
            Some(value) if is_word(value) => Ok(value),
            _ => Err(ValueError { header: Name::CallId, reason: "no word" }),
        }
    }

    /// The CSeq header.
    ///
    /// # Errors
    /// Where there is none, it breaks the grammar, or its number is not below 2^31.
    pub fn cseq(&self) -> Result<CSeq<'m>, ValueError> {
        let value = self.value(Name::CSeq).unwrap_or_default();
        CSeq::parse(value).map_err(|reason| ValueError { header: Name::CSeq, reason })
    }

    /// All Contact headers together.
    ///
    /// # Errors
    /// Where `*` stands before another one (RFC 3261 §10.3). One that stands behind is an error in the list.
    pub fn contacts(&self) -> Result<Contacts<'m>, ValueError> {
        match self.value(Name::Contact) {
            None => Ok(Contacts::None),
            Some([b'*', ..]) if self.list(Name::Contact).eq([b"*"]) => Ok(Contacts::Star),
            Some([b'*', ..]) => Err(ValueError { header: Name::Contact, reason: "* beside another" }),
            Some(_) => Ok(Contacts::List(ContactList { message: *self })),
        }
    }

    /// Max-Forwards, if there is one.
    ///
    /// # Errors
    /// Where it is no number from 0 to 255 (RFC 3261 §20.22).
    pub fn max_forwards(&self) -> Result<Option<u8>, ValueError> {
        self.number(Name::MaxForwards, u8::MAX.into()).map(|hops| hops.map(|hops| hops as u8))
    }

    /// Expires in seconds, if there is one.
    ///
    /// # Errors
    /// Where it is no number below 2^32 (RFC 3261 §20.19).
    pub fn expires(&self) -> Result<Option<u32>, ValueError> {
        self.number(Name::Expires, u32::MAX)
    }

    fn number(&self, header: Name, max: u32) -> Result<Option<u32>, ValueError> {
        let Some(value) = self.value(header) else { return Ok(None) };
        number(value, max).map(Some).ok_or(ValueError { header, reason: "no number, or one too large" })
    }

    /// The reason phrase of a response, where it is UTF-8 (RFC 3261 §7.2).
    pub fn reason(&self) -> Option<&'m str> {
        match self.start() {
            Start::Response { reason, .. } => std::str::from_utf8(reason).ok(),
            Start::Request { .. } => None,
        }
    }

    /// The values of all Reason headers (RFC 3326) that can be read, in order.
    pub fn reasons(&self) -> impl Iterator<Item = ReasonValue<'m>> + use<'m> {
        self.list(Name::Reason).filter_map(|value| ReasonValue::parse(value).ok())
    }

    /// Whether the body is a session description and nothing else.
    pub fn is_sdp(&self) -> bool {
        let essence = |value: &'m [u8]| value.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
        self.content_type().is_some_and(|value| essence(value).eq_ignore_ascii_case(b"application/sdp"))
    }

    /// Content-Type as written, parameters included.
    pub fn content_type(&self) -> Option<&'m [u8]> {
        self.value(Name::ContentType)
    }
}

/// Whether these are octets without white space and controls, at least one. Looks at every one, which the compiler can
/// do many at a time.
fn is_word(value: &[u8]) -> bool {
    !value.is_empty() && !value.iter().fold(false, |found, &byte| found | (byte <= b' ') | (byte == 0x7f))
}
