//! What holds of every message: no octets make the reader panic, copied headers come back as they were, and values that
//! the grammar allows are read as they were meant.

use crosspoint_core::sip::{
    Contacts, Index, Message, Method, Name, NameAddr, Scanned, Scheme, Uri, Via, Writer, check, scan,
};
use quickcheck::{Arbitrary, Gen, QuickCheck};

const VALID: &str = "INVITE sip:bob@[2001:db8::1]:5070;transport=udp SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK77;rport, SIP/2.0/TCP h;branch=z9hG4bK1\r\n\
    f: \"A, \\\"<sip:evil>;tag=evil\\\"\" <sip:alice@example.com>;tag=1\r\n\
    To : Bob <sip:bob@example.com>\r\n\
    Call-ID: 1@192.0.2.1\r\n\
    CSeq: 1 INVITE\r\n\
    Max-Forwards: 70\r\n\
    Contact: <sip:a@192.0.2.1;lr>;q=0.5;+sip.instance=\"<urn:uuid:1>\",\r\n <sip:b@192.0.2.1>\r\n\
    Subject: folded\r\n\tthrice\r\n  over\r\n\
    X-Odd: ;;,,\"\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 5\r\n\
    \r\n\
    v=0\r\n";

fn with<T>(datagram: &[u8], test: impl FnOnce(Message<'_>) -> T) -> Option<T> {
    let mut index = Index::default();
    match scan(datagram, &mut index) {
        Ok(Scanned::Message(message)) => Some(test(message)),
        _ => None,
    }
}

/// Reads all there is to read; true for quickcheck.
fn is_read(datagram: &[u8]) -> bool {
    with(datagram, |message| {
        let _ = (check(&message), message.via(), message.call_id(), message.cseq(), message.max_forwards());
        let _ = (message.expires(), message.content_type(), message.find(b"x-odd"));
        for header in message.headers() {
            let _ = (NameAddr::parse(header.value), Via::parse(header.value), Uri::parse(header.value));
            assert!(message.list(header.name).count() <= datagram.len());
            assert!(message.fields(header.name).next().is_some());
        }
        for address in [message.from(), message.to()].into_iter().flatten() {
            let _ = (address.tag(), Uri::parse(address.uri).map(|uri| uri.matches(&uri)));
        }
        if let Ok(Contacts::List(list)) = message.contacts() {
            assert!(list.iter().flatten().all(|contact| contact.params.iter().count() <= datagram.len()));
        }
        assert!(message.body().len() <= datagram.len());
    });
    true
}

/// The valid message with some of its octets overwritten, removed or doubled.
#[derive(Clone, Debug)]
struct Mutated(Vec<u8>);

impl Arbitrary for Mutated {
    fn arbitrary(g: &mut Gen) -> Mutated {
        let mut text = VALID.as_bytes().to_vec();
        for _ in 0..1 + usize::arbitrary(g) % 8 {
            let at = usize::arbitrary(g) % text.len();
            let end = (at + usize::arbitrary(g) % 12).min(text.len());
            match u8::arbitrary(g) % 4 {
                0 => text[at] = u8::arbitrary(g),
                1 => text[at] = *g.choose(b"\r\n\"<>;,:=@ \\[]%*").expect("a choice"),
                2 => drop(text.drain(at..end)),
                _ => text.splice(at..at, text[at..end].to_vec()).for_each(drop),
            }
        }
        Mutated(text)
    }
}

#[test]
fn no_octets_make_the_reader_panic() {
    QuickCheck::new().tests(2_000).quickcheck((|octets: Vec<u8>| is_read(&octets)) as fn(Vec<u8>) -> bool);
    QuickCheck::new().tests(5_000).quickcheck((|text: Mutated| is_read(&text.0)) as fn(Mutated) -> bool);
}

/// Copies every header but Content-Length into a message of our own.
fn copied(message: &Message<'_>, by_line: bool) -> Vec<u8> {
    let mut writer = Writer::request(b"INVITE", b"sip:copy@h");
    for header in message.headers().filter(|header| header.name != Name::ContentLength) {
        match by_line {
            true => writer.line(header.line),
            false => writer.pass(&header),
        };
    }
    writer.finish(message.body()).to_vec()
}

type Field = (Name, Vec<u8>, Vec<u8>);

/// Names and values of all headers but Content-Length, without line ends, and the body.
fn contents(message: Message<'_>) -> (Vec<Field>, Vec<u8>) {
    let text = |bytes: &[u8]| bytes.iter().copied().filter(|byte| !b"\r\n".contains(byte)).collect();
    let headers = message.headers().filter(|header| header.name != Name::ContentLength);
    let headers = headers.map(|header| (header.name, header.raw_name.to_vec(), text(header.value))).collect();
    (headers, message.body().to_vec())
}

#[test]
fn copied_headers_come_back_as_they_were() {
    fn holds(text: Mutated, by_line: bool) -> bool {
        // A carriage return inside a line is refused, so it is never copied.
        let sound = with(&text.0, |message| check(&message).is_ok()).unwrap_or(false);
        let Some((copy, before)) = with(&text.0, |message| (copied(&message, by_line), contents(message))) else {
            return true;
        };
        !sound || with(&copy, contents) == Some(before)
    }
    QuickCheck::new().tests(5_000).quickcheck(holds as fn(Mutated, bool) -> bool);
    assert!(holds(Mutated(VALID.into()), true) && holds(Mutated(VALID.replace("\r\n", "\n").into()), false));
}

/// A text over an alphabet.
fn text(g: &mut Gen, alphabet: &[u8], least: usize) -> String {
    let length = least + usize::arbitrary(g) % 12;
    (0..length).map(|_| char::from(*g.choose(alphabet).expect("an alphabet"))).collect()
}

const WORD: &[u8] = b"abcXYZ019-.!%*_+`'~";
const USER: &[u8] = b"abcXYZ019-_.!~*'()&=+$,;?/";
const HOST: &[u8] = b"abcXYZ019";
const QUOTED: &[u8] = b"ab <>;:,@?=%[]*'(){}\xe9\t";

/// A SIP URI and what it was made of.
#[derive(Clone, Debug)]
struct Address {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    params: Vec<(String, String)>,
    headers: String,
}

impl Arbitrary for Address {
    fn arbitrary(g: &mut Gen) -> Address {
        let hosts = ["example.com", "192.0.2.1", "[2001:db8::1]", "[::ffff:192.0.2.1]"].map(String::from);
        let host = if bool::arbitrary(g) { text(g, HOST, 1) } else { g.choose(&hosts).expect("four").clone() };
        let params = (0..usize::arbitrary(g) % 4).map(|at| (format!("p{at}"), text(g, HOST, 1))).collect();
        Address {
            user: bool::arbitrary(g).then(|| text(g, USER, 1)),
            host,
            port: Option::<u16>::arbitrary(g).filter(|&port| port != 0),
            params,
            headers: if bool::arbitrary(g) { text(g, b"abc=&%", 1) } else { String::new() },
        }
    }
}

impl Address {
    fn uri(&self) -> String {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let params: String = self.params.iter().map(|(name, value)| format!(";{name}={value}")).collect();
        let headers = if self.headers.is_empty() { String::new() } else { format!("?{}", self.headers) };
        format!("sip:{user}{}{port}{params}{headers}", self.host)
    }

    fn is(&self, uri: &Uri<'_>) -> bool {
        let params: Vec<_> = uri.params.iter().map(|(name, value)| (name, value.unwrap_or_default())).collect();
        let given: Vec<_> = self.params.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        uri.scheme == Scheme::Sip
            && uri.user == self.user.as_ref().map(|user| user.as_bytes())
            && (uri.host, uri.port) == (self.host.as_bytes(), self.port)
            && (params, uri.headers) == (given, self.headers.as_bytes())
    }
}

#[test]
fn uris_are_read_as_they_were_meant() {
    fn holds(address: Address) -> bool {
        let text = address.uri();
        Uri::parse(text.as_bytes()).is_ok_and(|uri| address.is(&uri) && uri.matches(&uri))
    }
    QuickCheck::new().tests(3_000).quickcheck(holds as fn(Address) -> bool);
}

/// The text as a quoted string, its quotes and backslashes escaped.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A display name that tries to look like an address.
#[derive(Clone, Debug)]
struct Display(String);

impl Arbitrary for Display {
    fn arbitrary(g: &mut Gen) -> Display {
        let evil = ["\"", "\\", "<sip:evil@e>", ";tag=evil", "\\\"", "\" <sip:evil@e>;tag=evil, \""];
        let piece = |g: &mut Gen| match bool::arbitrary(g) {
            true => (*g.choose(&evil).expect("some")).to_string(),
            false => text(g, QUOTED, 0),
        };
        Display((0..usize::arbitrary(g) % 5).map(|_| piece(g)).collect())
    }
}

#[test]
fn no_display_name_hides_the_uri_or_the_tag() {
    fn holds(address: Address, display: Display, blanks: u8) -> bool {
        let (uri, quoted) = (address.uri(), quoted(&display.0));
        let blank = ["", " ", "\t", "\r\n "][usize::from(blanks % 4)];
        let value = format!("{quoted}{blank}<{uri}>{blank};a=\"x;tag=evil\"{blank};tag{blank}={blank}good");
        let read = NameAddr::parse(value.as_bytes());
        let listed = format!("To: x\r\nm: {value},{blank}<sip:second@h>{blank}\r\n");
        let datagram = format!("OPTIONS sip:a@b SIP/2.0\r\n{listed}\r\n");
        let seconds = with(datagram.as_bytes(), |message| {
            let list: Vec<Vec<u8>> = message.list(Name::Contact).map(<[u8]>::to_vec).collect();
            list.len() == 2 && list[0] == value.as_bytes() && list[1] == b"<sip:second@h>"
        });
        seconds == Some(true)
            && read.is_ok_and(|read| {
                read.display == quoted.as_bytes() && read.uri == uri.as_bytes() && read.tag() == Some(b"good")
            })
    }
    QuickCheck::new().tests(3_000).quickcheck(holds as fn(Address, Display, u8) -> bool);
}

#[test]
fn via_and_cseq_are_read_as_they_were_meant() {
    #[derive(Clone, Debug)]
    struct Token(String);
    impl Arbitrary for Token {
        fn arbitrary(g: &mut Gen) -> Token {
            Token(text(g, WORD, 1))
        }
    }
    fn holds(address: Address, transport: Token, branch: Token, blanks: u8, number: u32) -> bool {
        let blank = ["", " ", "\t", "\r\n "][usize::from(blanks % 4)];
        let port = address.port.map(|port| format!("{blank}:{blank}{port}")).unwrap_or_default();
        let value = format!(
            "SIP{blank}/{blank}2.0{blank}/{blank}{} {}{port}{blank};rport;branch{blank}={blank}z9hG4bK{}",
            transport.0, address.host, branch.0
        );
        let via = Via::parse(value.as_bytes()).is_ok_and(|via| {
            (via.transport, via.host, via.port) == (transport.0.as_bytes(), address.host.as_bytes(), address.port)
                && via.has_cookie()
                && via.branch().is_some_and(|given| given.ends_with(branch.0.as_bytes()))
                && via.rport() == Some(b"")
        });
        let datagram = format!("A sip:a SIP/2.0\r\nCSeq: {number}{blank} {}\r\n\r\n", transport.0);
        let cseq = with(datagram.as_bytes(), |message| {
            message.cseq().ok().map(|cseq| (cseq.number, cseq.method == Method::of(transport.0.as_bytes())))
        });
        via && cseq == Some((number < 1 << 31).then_some((number, true)))
    }
    QuickCheck::new().tests(3_000).quickcheck(holds as fn(Address, Token, Token, u8, u32) -> bool);
}
