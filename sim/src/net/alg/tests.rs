use super::*;
use quickcheck::quickcheck;

const INVITE: &str = "INVITE sip:bob@example.net SIP/2.0
Via: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1;rport
From: \"10.0.0.5\" <sip:alice@example.net>;tag=1
To: <sip:bob@example.net>
Call-ID: 1@10.0.0.5
CSeq: 1 INVITE
Contact: <sip:alice@10.0.0.5:5060;ob>
Content-Type: application/sdp
Content-Length: 135

v=0
o=alice 1 1 IN IP4 10.0.0.5
s=-
c=IN IP4 10.0.0.5
t=0 0
m=audio 4000 RTP/AVP 0 8
a=rtpmap:0 PCMU/8000
m=video 0 RTP/AVP 31
";

fn message(text: &str) -> Bytes {
    Bytes::from(text.replace('\n', "\r\n"))
}

/// Every port is ten thousand higher outside.
fn outside(address: SocketAddr) -> Option<SocketAddr> {
    let port = if address.port() == 0 { 0 } else { address.port().checked_add(10_000)? };
    Some(SocketAddr::new("198.51.100.1".parse().unwrap(), port))
}

fn inside(address: SocketAddr) -> Option<SocketAddr> {
    (address.port() > 10_000).then(|| SocketAddr::new("10.0.0.5".parse().unwrap(), address.port() - 10_000))
}

fn goes_out(settings: &Settings, datagram: &Bytes) -> Result<Bytes, Loss> {
    Passing { settings, way: Way::Out, replaced: "10.0.0.5".parse().unwrap(), instead: &mut outside }.pass(datagram)
}

fn comes_in(settings: &Settings, datagram: &Bytes) -> Result<Bytes, Loss> {
    Passing { settings, way: Way::In, replaced: "198.51.100.1".parse().unwrap(), instead: &mut inside }.pass(datagram)
}

/// The lines that an ALG makes of a message, as far as they are others than before.
fn changed(before: &Bytes, after: &Bytes) -> Vec<String> {
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    assert_eq!(before.split("\r\n").count(), after.split("\r\n").count());
    let both = before.split("\r\n").zip(after.split("\r\n"));
    both.filter(|(before, after)| before != after).map(|(_, after)| after.to_owned()).collect()
}

/// What the message says about the length of its body, and that length.
fn lengths(message: &[u8]) -> (usize, usize) {
    let text = String::from_utf8_lossy(message);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let said =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned));
    (said.unwrap().trim().parse().unwrap(), body.len())
}

#[test]
fn a_careful_alg_rewrites_what_goes_out_and_says_the_new_length() {
    let before = message(INVITE);
    assert_eq!(lengths(&before), (135, 135), "the message is right as it is written");
    let after = goes_out(&Settings::careful(), &before).unwrap();
    let expected = [
        "Via: SIP/2.0/UDP 198.51.100.1:15060;branch=z9hG4bK1;rport",
        "Contact: <sip:alice@198.51.100.1:15060;ob>",
        "Content-Length: 140",
        "c=IN IP4 198.51.100.1",
        "m=audio 14000 RTP/AVP 0 8",
    ];
    assert_eq!(changed(&before, &after), expected);
    assert_eq!(lengths(&after), (140, 140));
}

#[test]
fn a_careless_one_leaves_the_length_as_it_was() {
    let after = goes_out(&Settings::careless(), &message(INVITE)).unwrap();
    assert_eq!(lengths(&after), (135, 140));
}

#[test]
fn each_rewriting_is_for_itself() {
    let changes = |change: fn(&mut Settings)| {
        let mut settings = Settings::none();
        change(&mut settings);
        changed(&message(INVITE), &goes_out(&settings, &message(INVITE)).unwrap()).len()
    };
    assert_eq!(changes(|_| {}), 0);
    assert_eq!(changes(|settings| settings.rewrites_via = true), 1);
    assert_eq!(changes(|settings| settings.rewrites_contact = true), 1);
    assert_eq!(changes(|settings| settings.rewrites_sdp = true), 2);
}

#[test]
fn what_comes_back_is_for_the_inside_again() {
    let before = message(
        "SIP/2.0 200 OK
Via: SIP/2.0/UDP 198.51.100.1:15060;branch=z9hG4bK1;rport=15060;received=198.51.100.1
CSeq: 1 REGISTER
Contact: <sip:alice@198.51.100.1:15060>;expires=60, <sip:alice@198.51.100.12:15060>;expires=60
Content-Length: 0

",
    );
    let expected = [
        "Via: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1;rport=15060;received=198.51.100.1",
        "Contact: <sip:alice@10.0.0.5:5060>;expires=60, <sip:alice@198.51.100.12:15060>;expires=60",
    ];
    assert_eq!(changed(&before, &comes_in(&Settings::careful(), &before).unwrap()), expected);
    let request = message("BYE sip:alice@198.51.100.1:15060;ob SIP/2.0\nm: <sip:bob@192.0.2.1>\n\n");
    let expected = ["BYE sip:alice@10.0.0.5:5060;ob SIP/2.0"];
    assert_eq!(changed(&request, &comes_in(&Settings::careful(), &request).unwrap()), expected);
}

#[test]
fn each_way_has_its_own_part_of_the_message() {
    let target = message("BYE sip:a@10.0.0.5 SIP/2.0\n\n");
    assert_eq!(goes_out(&Settings::careful(), &target).unwrap(), target);
    let offer = message("INVITE sip:b SIP/2.0\n\nv=0\nc=IN IP4 198.51.100.1\nm=audio 14000 RTP/AVP 0\n");
    assert_eq!(comes_in(&Settings::careful(), &offer).unwrap(), offer);
}

#[test]
fn addresses_without_a_port_and_of_ipv6_are_known_too() {
    let contact = |text: &str, replaced: &str| {
        let settings = Settings { rewrites_contact: true, ..Settings::none() };
        let replaced = replaced.parse().unwrap();
        let datagram = message(&format!("BYE sip:b SIP/2.0\nm: {text}\n\n"));
        let passed = Passing { settings: &settings, way: Way::Out, replaced, instead: &mut outside }.pass(&datagram);
        String::from_utf8(passed.unwrap().to_vec()).unwrap().lines().nth(1).unwrap()[3..].to_owned()
    };
    assert_eq!(contact("<sip:10.0.0.5>", "10.0.0.5"), "<sip:198.51.100.1:15060>");
    assert_eq!(contact("<sip:a@10.0.0.55:1>", "10.0.0.5"), "<sip:a@10.0.0.55:1>");
    assert_eq!(contact("<sip:a@110.0.0.5:1>", "10.0.0.5"), "<sip:a@110.0.0.5:1>");
    assert_eq!(contact("<sip:a@[2001:db8::5]:5062>", "2001:db8::5"), "<sip:a@198.51.100.1:15062>");
}

#[test]
fn a_media_line_is_rewritten_where_its_own_connection_is_inside() {
    let body = "v=0\r\nc=IN IP4 192.0.2.7\r\nm=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 0\r\nc=IN IP4 10.0.0.5\r\n";
    let rewritten = sdp::rewrite(body.as_bytes(), "10.0.0.5".parse().unwrap(), &mut outside);
    let expected =
        "v=0\r\nc=IN IP4 192.0.2.7\r\nm=audio 4000 RTP/AVP 0\r\nm=audio 14002 RTP/AVP 0\r\nc=IN IP4 198.51.100.1\r\n";
    assert_eq!(String::from_utf8(rewritten).unwrap(), expected);
}

#[test]
fn what_its_buffer_does_not_hold_is_gone() {
    let settings = Settings { limit_bytes: Some(1300), ..Settings::none() };
    assert!(goes_out(&settings, &Bytes::from(vec![b'x'; 1300])).is_ok());
    assert_eq!(goes_out(&settings, &Bytes::from(vec![b'x'; 1301])), Err(Loss::AlgDropped));
    assert_eq!(comes_in(&settings, &Bytes::from(vec![b'x'; 1301])), Err(Loss::AlgDropped));
}

#[test]
fn header_names_change_their_case_and_nothing_else_does() {
    let pass = |header_names| {
        let settings = Settings { header_names, ..Settings::none() };
        String::from_utf8(goes_out(&settings, &message(INVITE)).unwrap().to_vec()).unwrap()
    };
    let (lower, upper) = (pass(Case::Lower), pass(Case::Upper));
    assert!(lower.starts_with("INVITE sip:bob@example.net SIP/2.0\r\nvia: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1"));
    assert!(lower.contains("\r\ncall-id: 1@10.0.0.5\r\n") && upper.contains("\r\nCALL-ID: 1@10.0.0.5\r\n"));
    assert_eq!(lower.to_ascii_lowercase(), String::from_utf8_lossy(&message(INVITE)).to_ascii_lowercase());
}

#[test]
fn folded_lines_and_what_is_no_sip_are_left_alone() {
    let settings = Settings { header_names: Case::Upper, ..Settings::careful() };
    let ping = Bytes::from_static(b"\r\n\r\n");
    assert_eq!(goes_out(&settings, &ping).unwrap(), ping);
    let http = message("GET / HTTP/1.1\nContact: <sip:a@10.0.0.5>\n\n");
    assert_eq!(goes_out(&settings, &http).unwrap(), http);
    let folded = message("BYE sip:b SIP/2.0\nSubject: a\n b: c\n\n");
    assert_eq!(changed(&folded, &goes_out(&settings, &folded).unwrap()), ["SUBJECT: a"]);
}

quickcheck! {
    /// Whatever is in the body: what a careful ALG says of its length is right, and its head stays a head.
    fn a_careful_alg_leaves_a_length_that_is_right(lines: Vec<(u8, u16)>, compact: bool) -> bool {
        let body: String = lines.iter().map(|(kind, port)| match kind % 5 {
            0 => "c=IN IP4 10.0.0.5\r\n".to_owned(),
            1 => format!("m=audio {port} RTP/AVP 0\r\n"),
            2 => "c=IN IP4 192.0.2.7\r\n".to_owned(),
            3 => format!("a=x-{port}\n"),
            _ => "m=\r\n".to_owned(),
        }).collect();
        let body = format!("v=0\r\n{body}");
        let name = if compact { "l" } else { "Content-Length" };
        let head = format!("INVITE sip:b SIP/2.0\r\nContact: <sip:a@10.0.0.5>\r\n{name}: {}\r\n\r\n", body.len());
        let after = goes_out(&Settings::careful(), &Bytes::from(head + &body)).unwrap();
        let after = String::from_utf8(after.to_vec()).unwrap().replace("\r\nl: ", "\r\nContent-Length: ");
        let (said, is) = lengths(after.as_bytes());
        said == is
    }

    /// An ALG is given anything, and passes on or drops it, whole.
    fn an_alg_takes_any_bytes(bytes: Vec<u8>) -> bool {
        let start = b"SIP/2.0 200 OK\r\nContact:".to_vec();
        let datagram = Bytes::from([start, bytes, b"\r\n\r\nv=0\r\nm=\xff c=".to_vec()].concat());
        goes_out(&Settings::careful(), &datagram).is_ok() && comes_in(&Settings::careful(), &datagram).is_ok()
    }
}
