//! Header names: which ones we know, their compact forms, and how one is recognised.

macro_rules! names {
    ($($variant:ident = $text:literal $(| $compact:literal)?,)+) => {
        /// A header field's name. The compact forms of the IANA registry are resolved; case does not matter (RFC 3261
        /// §7.3.1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each is the header of that name")]
        pub enum Name {
            $($variant,)+
            /// One we have no name for; see [`crate::sip::Message::find`].
            Unknown,
        }

        impl Name {
            /// Every header that has a name here.
            pub const ALL: &[Name] = &[$(Name::$variant),+];
            const TEXTS: &[&str] = &[$($text),+, ""];
            const COMPACT: [Name; 256] = {
                let mut table = [Name::Unknown; 256];
                $($(
                    table[$compact as usize] = Name::$variant;
                    table[$compact.to_ascii_uppercase() as usize] = Name::$variant;
                )?)+
                table
            };
        }
    };
}

names! {
    Accept = "Accept",
    AcceptContact = "Accept-Contact" | b'a',
    AcceptEncoding = "Accept-Encoding",
    AcceptLanguage = "Accept-Language",
    AlertInfo = "Alert-Info",
    Allow = "Allow",
    AllowEvents = "Allow-Events" | b'u',
    AnswerMode = "Answer-Mode",
    AuthenticationInfo = "Authentication-Info",
    Authorization = "Authorization",
    CallId = "Call-ID" | b'i',
    CallInfo = "Call-Info",
    Contact = "Contact" | b'm',
    ContentDisposition = "Content-Disposition",
    ContentEncoding = "Content-Encoding" | b'e',
    ContentLanguage = "Content-Language",
    ContentLength = "Content-Length" | b'l',
    ContentType = "Content-Type" | b'c',
    CSeq = "CSeq",
    Date = "Date",
    Diversion = "Diversion",
    ErrorInfo = "Error-Info",
    Event = "Event" | b'o',
    Expires = "Expires",
    FeatureCaps = "Feature-Caps",
    FlowTimer = "Flow-Timer",
    From = "From" | b'f',
    Geolocation = "Geolocation",
    GeolocationRouting = "Geolocation-Routing",
    HistoryInfo = "History-Info",
    Identity = "Identity" | b'y',
    IdentityInfo = "Identity-Info" | b'n',
    InfoPackage = "Info-Package",
    InReplyTo = "In-Reply-To",
    Join = "Join",
    MaxBreadth = "Max-Breadth",
    MaxForwards = "Max-Forwards",
    MimeVersion = "MIME-Version",
    MinExpires = "Min-Expires",
    MinSe = "Min-SE",
    Organization = "Organization",
    PAccessNetworkInfo = "P-Access-Network-Info",
    PAssertedIdentity = "P-Asserted-Identity",
    PAssociatedUri = "P-Associated-URI",
    PCalledPartyId = "P-Called-Party-ID",
    PChargingFunctionAddresses = "P-Charging-Function-Addresses",
    PChargingVector = "P-Charging-Vector",
    PEarlyMedia = "P-Early-Media",
    PPreferredIdentity = "P-Preferred-Identity",
    PVisitedNetworkId = "P-Visited-Network-ID",
    Path = "Path",
    Priority = "Priority",
    Privacy = "Privacy",
    ProxyAuthenticate = "Proxy-Authenticate",
    ProxyAuthenticationInfo = "Proxy-Authentication-Info",
    ProxyAuthorization = "Proxy-Authorization",
    ProxyRequire = "Proxy-Require",
    RAck = "RAck",
    Reason = "Reason",
    RecordRoute = "Record-Route",
    RecvInfo = "Recv-Info",
    ReferSub = "Refer-Sub",
    ReferTo = "Refer-To" | b'r',
    ReferredBy = "Referred-By" | b'b',
    RejectContact = "Reject-Contact" | b'j',
    RemotePartyId = "Remote-Party-ID",
    Replaces = "Replaces",
    ReplyTo = "Reply-To",
    RequestDisposition = "Request-Disposition" | b'd',
    Require = "Require",
    ResourcePriority = "Resource-Priority",
    RetryAfter = "Retry-After",
    Route = "Route",
    RSeq = "RSeq",
    SecurityClient = "Security-Client",
    SecurityServer = "Security-Server",
    SecurityVerify = "Security-Verify",
    Server = "Server",
    ServiceRoute = "Service-Route",
    SessionExpires = "Session-Expires" | b'x',
    SessionId = "Session-ID",
    SipETag = "SIP-ETag",
    SipIfMatch = "SIP-If-Match",
    Subject = "Subject" | b's',
    SubscriptionState = "Subscription-State",
    Supported = "Supported" | b'k',
    TargetDialog = "Target-Dialog",
    Timestamp = "Timestamp",
    To = "To" | b't',
    Unsupported = "Unsupported",
    UserAgent = "User-Agent",
    UserToUser = "User-to-User",
    Via = "Via" | b'v',
    Warning = "Warning",
    WwwAuthenticate = "WWW-Authenticate",
}

/// Known names and [`Name::Unknown`].
pub(super) const COUNT: usize = Name::ALL.len() + 1;

// The index keeps which names were repeated as the bits of one number.
const _: () = assert!(COUNT <= 128);

/// Slots of the hash table.
const SLOTS: usize = 512;

/// Names by [`slot`]: a perfect hash, `Unknown` in the free slots. Where a new name collides, other factors are to be
/// found for `slot`.
const TABLE: [Name; SLOTS] = {
    let mut table = [Name::Unknown; SLOTS];
    let mut at = 0;
    while at < Name::ALL.len() {
        let slot = slot(Name::TEXTS[at].as_bytes());
        assert!(matches!(table[slot], Name::Unknown), "two header names fall into one slot");
        table[slot] = Name::ALL[at];
        at += 1;
    }
    table
};

/// The slot of a name of at least one octet. Letters that differ only in case give the same one.
const fn slot(raw: &[u8]) -> usize {
    let length = raw.len();
    let first = (raw[0] | 0x20) as usize;
    let middle = (raw[length / 2] | 0x20) as usize;
    let last = (raw[length - 1] | 0x20) as usize;
    (length.wrapping_mul(69) ^ first.wrapping_mul(45) ^ middle.wrapping_mul(15) ^ last.wrapping_mul(129)) % SLOTS
}

impl Name {
    /// The name that these octets spell, in full or compact form.
    #[inline]
    pub fn of(raw: &[u8]) -> Name {
        match raw {
            [] => Name::Unknown,
            [letter] => Name::COMPACT[usize::from(*letter)],
            _ => {
                let name = TABLE[slot(raw)];
                let text = name.as_str().as_bytes();
                // Nearly everybody writes it as the registry does.
                if raw == text || raw.eq_ignore_ascii_case(text) { name } else { Name::Unknown }
            }
        }
    }

    /// The name in full, as it goes on the wire; empty for [`Name::Unknown`].
    pub fn as_str(self) -> &'static str {
        Name::TEXTS[self as usize]
    }

    /// Whether a message may carry the header once only (RFC 3261 §7.3.1 and the grammar of each).
    pub(super) const fn is_single(self) -> bool {
        matches!(
            self,
            Name::CallId
                | Name::ContentDisposition
                | Name::ContentLength
                | Name::ContentType
                | Name::CSeq
                | Name::Date
                | Name::Event
                | Name::Expires
                | Name::From
                | Name::MaxForwards
                | Name::MinExpires
                | Name::MinSe
                | Name::RAck
                | Name::ReferTo
                | Name::ReferredBy
                | Name::Replaces
                | Name::RetryAfter
                | Name::RSeq
                | Name::SessionExpires
                | Name::SipETag
                | Name::SipIfMatch
                | Name::SubscriptionState
                | Name::Timestamp
                | Name::To
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_recognised_in_any_case() {
        for &name in Name::ALL {
            assert_eq!(Name::of(name.as_str().as_bytes()), name);
            assert_eq!(Name::of(name.as_str().to_ascii_uppercase().as_bytes()), name);
            assert_eq!(Name::of(name.as_str().to_ascii_lowercase().as_bytes()), name);
        }
    }

    #[test]
    fn compact_forms_are_those_of_the_registry() {
        let forms = [
            (b"a", Name::AcceptContact),
            (b"b", Name::ReferredBy),
            (b"c", Name::ContentType),
            (b"d", Name::RequestDisposition),
            (b"e", Name::ContentEncoding),
            (b"f", Name::From),
            (b"i", Name::CallId),
            (b"j", Name::RejectContact),
            (b"k", Name::Supported),
            (b"l", Name::ContentLength),
            (b"m", Name::Contact),
            (b"n", Name::IdentityInfo),
            (b"o", Name::Event),
            (b"r", Name::ReferTo),
            (b"s", Name::Subject),
            (b"t", Name::To),
            (b"u", Name::AllowEvents),
            (b"v", Name::Via),
            (b"x", Name::SessionExpires),
            (b"y", Name::Identity),
        ];
        for (letter, name) in forms {
            assert_eq!(Name::of(letter), name);
            assert_eq!(Name::of(&letter.to_ascii_uppercase()), name);
        }
        let known = (0..=255u8).filter(|&letter| Name::of(&[letter]) != Name::Unknown).count();
        assert_eq!(known, 2 * forms.len());
    }

    #[test]
    fn names_that_only_look_alike_are_unknown() {
        for raw in [&b""[..], b"C%6Fntact", b"Vias", b"Vi", b"X-Via", b"Call_ID", b"Call\rID", b"\0"] {
            assert_eq!(Name::of(raw), Name::Unknown, "{raw:?}");
        }
    }
}
