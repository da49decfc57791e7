//! What a side is shown of who calls: the flows of RFC 3325 by hand, and properties over generated messages.

use crosspoint_core::call::identity::{ANONYMOUS, Party, asks_privacy, calling_number};
use crosspoint_core::config::{Claim, Display, IdentityPolicy, Privacy, Trail};
use crosspoint_core::sip::{Index, Message, Scanned, Writer, scan};
use quickcheck::{Arbitrary, Gen, quickcheck};

const GATEWAY: IdentityPolicy = IdentityPolicy::GATEWAY;
const PHONE: IdentityPolicy = IdentityPolicy::PHONE;

fn with_message<T>(start: &str, lines: &str, then: impl FnOnce(&Message<'_>) -> T) -> T {
    let text = format!("{start}\r\n{lines}\r\n");
    let mut index = Index::default();
    let Ok(Scanned::Message(message)) = scan(text.as_bytes(), &mut index) else { panic!("no message: {text}") };
    then(&message)
}

/// From and the header lines for the other leg.
fn shown_of(
    start: &str,
    lines: &str,
    source: IdentityPolicy,
    own: &[&str],
    target: IdentityPolicy,
) -> (String, String) {
    with_message(start, lines, |message| {
        let party = Party { message, source, own, number: "4711", target, domain: "switch.example" };
        let mut writer = Writer::lines();
        party.write(&mut writer);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the tests write text");
        (text(&party.from()), text(writer.as_bytes()))
    })
}

fn shown(lines: &str, source: IdentityPolicy, target: IdentityPolicy) -> (String, String) {
    let own: &[&str] = if source.trusted { &[] } else { &["fluffy", "4711"] };
    shown_of("INVITE sip:bob@biloxi.com SIP/2.0", lines, source, own, target)
}

const CALLER: &str = "From: \"Cullen Jennings\" <sip:fluffy@10.0.0.5>;tag=9\r\n";
const WITHHELD: &str = "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=9802748\r\nPrivacy: id\r\n\
                        P-Preferred-Identity: \"Cullen Jennings\" <sip:fluffy@cisco.com>\r\n";

/// RFC 3325 §10.2, F3 to F4: from a user agent that is known by digest, to a trusted proxy.
#[test]
fn a_trusted_side_is_told_who_withholds_itself() {
    let (from, lines) = shown(WITHHELD, PHONE, GATEWAY);
    assert_eq!(from, ANONYMOUS);
    assert_eq!(lines, "Privacy: id\r\nP-Asserted-Identity: \"Cullen Jennings\" <sip:4711@switch.example>\r\n");
}

/// RFC 3325 §10.2, F4 to F5: on to a proxy that is not trusted.
#[test]
fn the_public_is_not() {
    let at_proxy = "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=9802748\r\n\
                    P-Asserted-Identity: \"Cullen Jennings\" <sip:fluffy@vovida.org>\r\nPrivacy: id\r\n";
    let public = IdentityPolicy { trusted: false, ..GATEWAY };
    assert_eq!(shown(at_proxy, GATEWAY, public), (ANONYMOUS.to_owned(), "Privacy: id\r\n".to_owned()));
    assert_eq!(shown(at_proxy, GATEWAY, PHONE), (ANONYMOUS.to_owned(), "Privacy: id\r\n".to_owned()));
}

/// RFC 3325 §10.1, F4 to F5: between trusted networks both identities pass, with our domain for the host.
#[test]
fn what_a_trusted_side_asserts_passes_to_another() {
    let lines = "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1\r\n\
                 P-Asserted-Identity: \"Cullen Jennings\" <sip:fluffy@cisco.com>\r\n\
                 P-Asserted-Identity: tel:+14085264000\r\nP-Asserted-Identity: <sip:third@cisco.com>\r\nPrivacy: id\r\n";
    let (_, written) = shown(lines, GATEWAY, GATEWAY);
    assert_eq!(
        written,
        "Privacy: id\r\nP-Asserted-Identity: \"Cullen Jennings\" <sip:fluffy@switch.example>\r\n\
         P-Asserted-Identity: <tel:+14085264000>\r\n"
    );
}

#[test]
fn nobody_is_believed_who_is_not_trusted() {
    let lines = format!(
        "{CALLER}P-Asserted-Identity: <sip:900@10.0.0.5>\r\nRemote-Party-ID: <sip:900@10.0.0.5>;party=calling\r\n\
         Diversion: <sip:900@10.0.0.5>;reason=unconditional\r\nHistory-Info: <sip:900@10.0.0.5>;index=1\r\n\
         P-Preferred-Identity: <sip:900@10.0.0.5>\r\n"
    );
    let all =
        IdentityPolicy { remote_party_id: Claim::Passthrough, p_preferred_identity: Claim::Passthrough, ..GATEWAY };
    assert_eq!(shown(&lines, PHONE, all).1, "");
    let (from, written) = shown(&lines, GATEWAY, all);
    assert_eq!(from, "\"Cullen Jennings\" <sip:4711@switch.example>");
    assert_eq!(
        written,
        "P-Asserted-Identity: <sip:900@switch.example>\r\nP-Preferred-Identity: <sip:900@switch.example>\r\n\
         Remote-Party-ID: <sip:900@switch.example>;party=calling\r\nDiversion: <sip:900@switch.example>;\
         reason=unconditional\r\nHistory-Info: <sip:900@switch.example>;index=1\r\n"
    );
}

#[test]
fn the_calling_number_is_asserted_where_the_gateway_wants_it() {
    let wants = IdentityPolicy {
        remote_party_id: Claim::Caller,
        p_asserted_identity: Claim::Caller,
        p_preferred_identity: Claim::Caller,
        display: Display::Number,
        ..GATEWAY
    };
    let (from, written) = shown(CALLER, PHONE, wants);
    assert_eq!(from, "\"4711\" <sip:4711@switch.example>");
    assert_eq!(
        written,
        "P-Asserted-Identity: \"4711\" <sip:4711@switch.example>\r\nP-Preferred-Identity: \"4711\" <sip:4711@switch.example>\r\n\
         Remote-Party-ID: \"4711\" <sip:4711@switch.example>;party=calling;screen=yes;privacy=off\r\n"
    );
    let bare = IdentityPolicy { display: Display::None, ..wants };
    assert_eq!(shown(CALLER, PHONE, bare).0, "<sip:4711@switch.example>");
}

#[test]
fn privacy_that_the_gateway_could_not_be_told_of_withholds_all() {
    let deaf = IdentityPolicy { privacy: Privacy::None, p_asserted_identity: Claim::Caller, ..GATEWAY };
    assert_eq!(shown(WITHHELD, PHONE, deaf), (ANONYMOUS.to_owned(), String::new()));
    let (from, written) = shown(CALLER, PHONE, deaf);
    assert_eq!(from, "\"Cullen Jennings\" <sip:4711@switch.example>");
    assert_eq!(written, "P-Asserted-Identity: \"Cullen Jennings\" <sip:4711@switch.example>\r\n");
}

#[test]
fn a_gateway_can_be_set_to_see_no_caller() {
    let discreet = IdentityPolicy { privacy: Privacy::Id, ..GATEWAY };
    let (from, written) = shown(CALLER, PHONE, discreet);
    assert_eq!(from, ANONYMOUS);
    assert_eq!(written, "Privacy: id\r\nP-Asserted-Identity: \"Cullen Jennings\" <sip:4711@switch.example>\r\n");
}

#[test]
fn an_anonymous_from_asks_for_privacy_by_itself() {
    let lines = "From: <sip:Anonymous@10.0.0.5>;tag=1\r\n";
    let (from, written) = shown(lines, PHONE, GATEWAY);
    assert_eq!(
        (from.as_str(), written.as_str()),
        (ANONYMOUS, "Privacy: id\r\nP-Asserted-Identity: <sip:4711@switch.example>\r\n")
    );
    for (lines, asks) in [
        ("Privacy: none\r\n", false),
        ("Privacy: history\r\n", false),
        ("Privacy: user; critical\r\n", true),
        ("Privacy: header;ID\r\n", true),
        ("Remote-Party-ID: <sip:1@a>;privacy=off\r\n", false),
        ("Remote-Party-ID: <sip:1@a>;privacy=full\r\n", true),
    ] {
        let asked = with_message("INVITE sip:b@b SIP/2.0", &format!("{CALLER}{lines}"), asks_privacy);
        assert_eq!(asked, asks, "{lines}");
    }
    // the From of an answer is the other side's
    assert!(!with_message("SIP/2.0 200 OK", lines, asks_privacy));
}

#[test]
fn diversions_pass_in_their_order_with_what_rfc_5806_knows() {
    let lines = format!(
        "{CALLER}Diversion: \"B\" <sip:+1908@gw.example:5060;x=1>;reason=user-busy;counter=1;secret=10.0.0.5\r\n\
         Diversion: <tel:+1907>;reason=unconditional;privacy=\"full\", <urn:x:10.0.0.5>\r\n"
    );
    assert_eq!(
        shown(&lines, GATEWAY, GATEWAY).1,
        "Diversion: \"B\" <sip:+1908@switch.example>;reason=user-busy;counter=1\r\n\
         Diversion: <tel:+1907>;reason=unconditional;privacy=full\r\n"
    );
    let public = IdentityPolicy { trusted: false, ..GATEWAY };
    assert_eq!(
        shown(&lines, GATEWAY, public).1,
        "Diversion: \"B\" <sip:+1908@switch.example>;reason=user-busy;counter=1\r\n",
        "the private one is not for the public"
    );
}

/// The entries are those of RFC 7044 §5.1.
#[test]
fn history_keeps_its_tree_and_anonymises_what_is_private() {
    let lines = format!(
        "{CALLER}History-Info: <sip:UserA@ims.example.com?Reason=SIP%3Bcause%3D302>;index=1.1;foo=bar, \
         <sip:UserB@example.com;cause=486;x=y?Privacy=history&Reason=SIP%3Bcause%3D486&Route=10.0.0.5>;index=1.2;mp=1.1, \
         <sip:45432@192.168.0.3>;index=1.3;rc=1.2\r\n"
    );
    let open = "History-Info: <sip:UserA@switch.example?Reason=SIP%3Bcause%3D302>;index=1.1\r\n";
    let last = "History-Info: <sip:45432@switch.example>;index=1.3;rc=1.2\r\n";
    let private = "History-Info: <sip:UserB@switch.example;cause=486?Privacy=history&Reason=SIP%3Bcause%3D486>;index=1.2;mp=1.1\r\n";
    assert_eq!(shown(&lines, GATEWAY, GATEWAY).1, format!("{open}{private}{last}"));
    let hidden = "History-Info: <sip:anonymous@anonymous.invalid>;index=1.2;mp=1.1\r\n";
    let public = IdentityPolicy { trusted: false, ..GATEWAY };
    assert_eq!(shown(&lines, GATEWAY, public).1, format!("{open}{hidden}{last}"));
}

#[test]
fn an_answer_tells_who_answered() {
    let lines =
        format!("{CALLER}P-Asserted-Identity: \"Desk\" <sip:0815@10.0.0.9>\r\nP-Preferred-Identity: <sip:1@x>\r\n");
    let wants = IdentityPolicy { remote_party_id: Claim::Caller, p_preferred_identity: Claim::Passthrough, ..GATEWAY };
    let (_, written) = shown_of("SIP/2.0 200 OK", &lines, GATEWAY, &[], wants);
    assert!(written.starts_with("P-Asserted-Identity: \"Desk\" <sip:0815@switch.example>\r\n"), "{written}");
    assert!(written.contains("<sip:4711@switch.example>;party=called;"), "{written}");
    assert!(!written.contains("P-Preferred-Identity"), "{written}");
}

#[test]
fn a_gateways_call_comes_from_its_from_or_from_what_it_asserts() {
    let number =
        |lines: &str, source| with_message("INVITE sip:b@b SIP/2.0", lines, |message| calling_number(message, source));
    let withheld = "From: <sip:anonymous@anonymous.invalid>;tag=1\r\nP-Asserted-Identity: <sip:+1408@gw>\r\n";
    let untrusted = IdentityPolicy { trusted: false, ..GATEWAY };
    assert_eq!(number(CALLER, GATEWAY), "fluffy");
    assert_eq!(number(withheld, GATEWAY), "+1408");
    assert_eq!(number(withheld, untrusted), "anonymous");
    assert_eq!(number("From: <sip:10.0.0.5>;tag=1\r\nP-Asserted-Identity: tel:+1-408\r\n", GATEWAY), "+1408");
}

/// Settings of any kind.
#[derive(Clone, Copy, Debug)]
struct Any(IdentityPolicy);

impl Arbitrary for Any {
    fn arbitrary(g: &mut Gen) -> Any {
        let claims = [Claim::None, Claim::Passthrough, Claim::Caller];
        let trails = [Trail::None, Trail::Passthrough];
        let mut pick = |count: usize| usize::arbitrary(g) % count;
        Any(IdentityPolicy {
            trusted: pick(2) == 1,
            display: [Display::None, Display::Passthrough, Display::Number][pick(3)],
            remote_party_id: claims[pick(3)],
            privacy: [Privacy::None, Privacy::Passthrough, Privacy::Id][pick(3)],
            p_asserted_identity: claims[pick(3)],
            p_preferred_identity: claims[pick(3)],
            diversion: trails[pick(2)],
            history_info: trails[pick(2)],
        })
    }
}

/// Header lines about identities, each with the address of the leg wherever one can stand.
#[derive(Clone, Debug)]
struct Lines(String);

const ADDRESS: &str = "10.66.77.88";

impl Arbitrary for Lines {
    fn arbitrary(g: &mut Gen) -> Lines {
        let uris = [
            format!("sip:8888@{ADDRESS}"),
            format!(
                "sips:8888:pw@{ADDRESS}:5061;maddr={ADDRESS};lr?Route=%3Csip:{ADDRESS}%3E&Reason=SIP%3Bcause%3D302"
            ),
            format!("sip:8888;phone-context={ADDRESS}@{ADDRESS}"),
            format!("tel:8888;phone-context={ADDRESS}"),
            "tel:+18888".to_owned(),
            format!("sip:{ADDRESS}"),
            format!("http://{ADDRESS}/8888"),
            "sip:anonymous@anonymous.invalid".to_owned(),
        ];
        let names = ["P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Diversion", "History-Info"];
        let mut lines = format!("From: \"B8888\" <{}>;tag=1\r\n", g.choose(&uris).expect("some"));
        for _ in 0..usize::arbitrary(g) % 6 {
            let (name, uri) = (g.choose(&names).expect("some"), g.choose(&uris).expect("some"));
            let privacy = g.choose(&["", ";privacy=full", ";privacy=off"]).expect("some");
            lines.push_str(&format!("{name}: <{uri}>;index=1;host={ADDRESS};reason=\"{ADDRESS}:5060\"{privacy}\r\n"));
        }
        let privacy =
            g.choose(&["", "", "Privacy: id\r\n", "Privacy: none\r\n", "Privacy: history\r\n"]).expect("some");
        Lines(lines + privacy)
    }
}

quickcheck! {
    fn no_address_of_one_leg_reaches_the_other(lines: Lines, source: Any, target: Any, is_answer: bool) -> bool {
        let start = if is_answer { "SIP/2.0 200 OK" } else { "INVITE sip:b@b SIP/2.0" };
        let (from, written) = shown_of(start, &lines.0, source.0, &["8888"], target.0);
        !from.contains(ADDRESS) && !written.contains(ADDRESS)
    }

    fn who_asks_for_privacy_is_not_shown_to_the_public(lines: Lines, source: Any, target: Any) -> bool {
        let target = IdentityPolicy { trusted: false, ..target.0 };
        let lines = format!("{}Privacy: id\r\n", lines.0);
        let (from, written) = shown_of("INVITE sip:b@b SIP/2.0", &lines, source.0, &["8888"], target);
        from == ANONYMOUS && !written.contains("8888") && !written.contains("4711")
    }

    fn what_is_written_is_whole_lines_that_read_back(lines: Lines, source: Any, target: Any) -> bool {
        let (from, written) = shown_of("INVITE sip:b@b SIP/2.0", &lines.0, source.0, &["8888"], target.0);
        let text = format!("From: {from};tag=1\r\n{written}");
        with_message("INVITE sip:b@b SIP/2.0", &text, |message| {
            message.headers().count() == text.lines().count() && message.from().is_ok()
        })
    }
}
