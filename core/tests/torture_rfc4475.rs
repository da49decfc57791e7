//! The SIP torture messages of RFC 4475: what the scanner and the sanity step make of each, and what the typed values of
//! the accepted ones say.

mod shared;

use crosspoint_core::sip::{
    Contacts, Index, Message, Method, Name, NameAddr, Scanned, Scheme, Start, Uri, check, scan,
};

/// Every message and its verdict: `ok`, or the status of the answer (`drop` for none) and the defect. A verdict `ok`
/// on what RFC 4475 calls invalid is explained beside it.
const VERDICTS: &[(&str, &str)] = &[
    ("badaspec", "400 sip.to"),
    ("badbranch", "400 sip.branch-empty"),
    // A Date that nobody reads does no harm (§3.1.2.12).
    ("baddate", "ok"),
    ("baddn", "400 sip.no-empty-line"),
    ("extra/baddn-terminated", "400 sip.from"),
    ("badinv01", "400 sip.via"),
    ("badvers", "505 sip.version"),
    // For a user agent one Via too many, for a proxy an address not to send to: the transaction layer's business.
    ("bcast", "ok"),
    // 420 by whoever knows the extensions.
    ("bext01", "ok"),
    ("bigcode", "drop sip.status-code"),
    ("clerr", "400 sip.content-length-too-long"),
    ("cparam01", "ok"),
    ("cparam02", "ok"),
    ("dblreq", "ok"),
    ("esc01", "ok"),
    ("esc02", "ok"),
    ("escnull", "ok"),
    ("escruri", "400 sip.request-uri-headers"),
    ("insuf", "400 sip.from-missing"),
    ("intmeth", "ok"),
    // A client of RFC 2543, which we serve.
    ("inv2543", "ok"),
    // 415 by whoever reads bodies.
    ("invut", "ok"),
    ("longreq", "ok"),
    ("ltgtruri", "400 sip.request-uri"),
    ("lwsdisp", "ok"),
    ("lwsruri", "400 sip.request-uri-blank"),
    ("lwsstart", "400 sip.request-uri-blank"),
    ("mcl01", "400 sip.content-length-repeated"),
    ("mismatch01", "400 sip.cseq-method-mismatch"),
    ("mismatch02", "400 sip.cseq-method-mismatch"),
    ("mpart01", "ok"),
    ("multi01", "400 sip.repeated-header"),
    ("ncl", "400 sip.content-length"),
    ("noreason", "ok"),
    // 416 by whoever routes, as for unkscm.
    ("novelsc", "ok"),
    ("quotbal", "400 sip.to"),
    // A 401, as without credentials, by whoever authenticates.
    ("regaut01", "ok"),
    ("regbadct", "400 sip.contact"),
    ("regescrt", "ok"),
    ("scalar02", "400 sip.cseq"),
    ("scalarlg", "drop sip.cseq"),
    ("sdp01", "ok"),
    ("semiuri", "ok"),
    ("transports", "ok"),
    ("trws", "400 sip.start-line"),
    ("unkscm", "ok"),
    // 400 or 404 by the registrar, which serves no isbn:.
    ("unksm2", "ok"),
    ("unreason", "ok"),
    ("wsinv", "ok"),
    // 483 by whoever forwards.
    ("zeromf", "ok"),
];

fn verdict(bytes: &[u8]) -> String {
    let mut index = Index::default();
    match scan(bytes, &mut index) {
        Err(error) => format!("not SIP: {error}"),
        Ok(Scanned::KeepAlive(kind)) => format!("{kind:?}"),
        Ok(Scanned::Message(message)) => match check(&message) {
            Ok(()) => "ok".into(),
            Err(defect) => {
                let status = defect.status.map_or("drop".into(), |status| status.to_string());
                format!("{status} {}", defect.reason)
            }
        },
    }
}

#[test]
fn every_message_gets_its_verdict() {
    let mut unseen: Vec<&str> = VERDICTS.iter().map(|(name, _)| *name).collect();
    let files = shared::files("torture/rfc4475", &[".dat"]);
    for (path, bytes) in &files {
        let name = path.trim_start_matches("torture/rfc4475/").trim_end_matches(".dat");
        let (_, expected) = VERDICTS.iter().find(|(given, _)| *given == name).expect("every file is in the table");
        assert_eq!(verdict(bytes), *expected, "{name}");
        unseen.retain(|given| *given != name);
    }
    assert!(files.is_empty() || unseen.is_empty(), "no file for {unseen:?}");
}

/// Gives a message of the set to the test, where there is one.
fn with(name: &str, test: impl FnOnce(Message<'_>)) {
    for (path, bytes) in shared::files("torture/rfc4475", &[".dat"]) {
        if path == format!("torture/rfc4475/{name}.dat") {
            let mut index = Index::default();
            return match scan(&bytes, &mut index) {
                Ok(Scanned::Message(message)) => test(message),
                other => panic!("{name}: {other:?}"),
            };
        }
    }
}

/// Asserts what one address of a message is: display name, URI, tag.
fn assert_address(address: Result<NameAddr<'_>, impl std::fmt::Debug>, display: &str, uri: &str, tag: Option<&str>) {
    let address = address.expect("a sound address");
    assert_eq!(lossy(address.display), display);
    assert_eq!(lossy(address.uri), uri);
    assert_eq!(address.tag().map(lossy).as_deref(), tag);
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn contact_list<'m>(message: &Message<'m>) -> Vec<NameAddr<'m>> {
    match message.contacts() {
        Ok(Contacts::List(list)) => list.iter().map(|address| address.expect("a sound contact")).collect(),
        other => panic!("{other:?}"),
    }
}

fn contact_uris(message: &Message<'_>) -> Vec<String> {
    contact_list(message).iter().map(|contact| lossy(contact.uri)).collect()
}

#[test]
fn a_short_tortuous_invite() {
    with("wsinv", |message| {
        let Start::Request { method, uri } = message.start() else { panic!("a request") };
        assert_eq!((method, uri), (Method::Invite, &b"sip:vivekg@chair-dnrc.example.com;unknownparam"[..]));
        assert!(Uri::parse(uri).expect("a sound URI").params.has("unknownparam"));
        assert_address(message.to(), "", "sip:vivekg@chair-dnrc.example.com", Some("1918181833n"));
        assert_address(message.from(), r#""J Rosenberg \\\"""#, "sip:jdrosen@example.com", Some("98asjd8"));
        assert_eq!(message.max_forwards(), Ok(Some(68)));
        assert_eq!(message.call_id(), Ok(&b"wsinv.ndaksdj@192.0.2.1"[..]));
        let cseq = message.cseq().expect("sound");
        assert_eq!((cseq.number, cseq.method), (9, Method::Invite));
        let via = message.via().expect("sound");
        assert_eq!((via.transport, via.host, via.branch()), (&b"UDP"[..], &b"192.0.2.2"[..], Some(&b"390skdjuw"[..])));
        assert!(!via.has_cookie());
        let vias: Vec<_> = message.list(Name::Via).map(lossy).collect();
        assert_eq!(vias.len(), 3);
        assert!(vias[1].contains("spindle.example.com") && vias[2].contains("192.168.255.111"), "{vias:?}");
        assert_eq!(message.value(Name::Subject), Some(&b""[..]));
        assert_eq!(message.find(b"newfangledheader"), Some(&b"newfangled value\r\n continued newfangled value"[..]));
        assert_eq!(message.find(b"UnknownHeaderWithUnusualValue"), Some(&b";;,,;;,;"[..]));
        assert_eq!(message.content_type(), Some(&b"application/sdp"[..]));
        let route = NameAddr::parse(message.value(Name::Route).expect("a Route")).expect("sound");
        assert_eq!(route.uri, b"sip:services.example.com;lr;unknownwith=value;unknown-no-value");
        let contact = contact_list(&message)[0];
        assert_eq!((contact.display, contact.uri), (&br#""Quoted string \"\"""#[..], &b"sip:jdrosen@example.com"[..]));
        assert_eq!(contact.params.get("newparam"), Some(&b"newvalue"[..]));
        assert_eq!(contact.params.get("secondparam"), Some(&b""[..]));
        assert_eq!(contact.params.get("q"), Some(&b"0.33"[..]));
        assert_eq!(message.body().len(), 150);
    });
}

#[test]
fn a_wide_range_of_characters() {
    with("intmeth", |message| {
        let method = b"!interesting-Method0123456789_*+`.%indeed'~";
        assert_eq!(message.method(), Some(Method::Other(method)));
        assert_eq!(message.cseq().map(|cseq| (cseq.number, cseq.method)), Ok((139122385, Method::Other(method))));
        let uri = Uri::parse(message.uri().expect("a request")).expect("sound");
        assert_eq!(uri.user, Some(&b"1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"[..]));
        assert_eq!(uri.password, Some(&b"&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"[..]));
        assert_eq!((uri.host, uri.headers), (&b"example.com"[..], &b""[..]));
        let to = "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com";
        assert_address(message.to(), "\"BEL:\\\u{7} NUL:\\\0 DEL:\\\u{7f}\"", to, None);
        assert_address(
            message.from(),
            "token1~` token2'+_ token3*%!.-",
            "sip:mundane@example.com",
            Some("_token~1'+`*%!-."),
        );
        let from = message.from().expect("sound");
        assert_eq!(lossy(from.params.get_unquoted("fromParam''~+*_!.-%").expect("a parameter")), "работающий");
        let call_id = message.call_id().expect("sound");
        assert_eq!(call_id, br#"intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}{"#);
        assert_eq!(message.via().expect("sound").branch(), Some(&b"z9hG4bK-.!%66*_+`'~"[..]));
        assert_eq!(lossy(message.find(b"extensionHeader-!.%*+_`'~").expect("there")), "\u{feff}大停電");
    });
}

#[test]
fn escapes_stay_where_they_are() {
    with("esc01", |message| {
        let uri = Uri::parse(message.uri().expect("a request")).expect("sound");
        assert_eq!((uri.user_unescaped().as_ref(), uri.host), (&b"sips:user@example.com"[..], &b"example.net"[..]));
        let to = message.to().expect("sound");
        assert!(Uri::parse(to.uri).expect("sound").matches(&Uri::parse(b"sip:user@example.com").expect("sound")));
        let from = message.from().expect("sound");
        assert_eq!(Uri::parse(from.uri).expect("sound").user_unescaped().as_ref(), b"I have spaces");
        let contact = contact_list(&message)[0];
        let uri = Uri::parse(contact.uri).expect("sound");
        assert_eq!(uri.user_unescaped().as_ref(), b"caller");
        assert_eq!(uri.params.as_bytes(), b";%6C%72;n%61me=v%61lue%25%34%31");
    });
    with("escnull", |message| {
        assert_address(message.to(), "", "sip:null-%00-null@example.com", None);
        let users: Vec<Vec<u8>> = contact_list(&message)
            .iter()
            .map(|contact| Uri::parse(contact.uri).expect("sound").user_unescaped().into_owned())
            .collect();
        assert_eq!(users, [b"\0".to_vec(), b"\0\0".to_vec()]);
    });
    with("esc02", |message| {
        assert_eq!(message.method(), Some(Method::Other(b"RE%47IST%45R")));
        assert_eq!(contact_uris(&message), ["sip:alias1@host1.example.com", "sip:alias3@host3.example.com"]);
        assert_address(message.to(), r#""%Z%45""#, "sip:resource@example.com", None);
        assert_eq!(message.via().expect("sound").branch(), Some(&b"z9hG4bK209%fzsnel234"[..]));
    });
    with("semiuri", |message| {
        let uri = Uri::parse(message.uri().expect("a request")).expect("sound");
        assert_eq!(uri.user_unescaped().as_ref(), b"user;par=u@example.net");
        assert_eq!((uri.host, uri.params.iter().count()), (&b"example.com"[..], 0));
        assert_eq!(message.list(Name::Accept).count(), 6);
    });
}

#[test]
fn display_names_and_long_values() {
    with("lwsdisp", |message| {
        assert_address(message.from(), "caller", "sip:caller@example.com", Some("323"));
    });
    with("longreq", |message| {
        assert_eq!(message.list(Name::Via).count(), 34);
        assert_eq!(message.via().expect("sound").host, b"sip33.example.com");
        let bottom = message.fields(Name::Via).last().expect("34 of them");
        assert!(bottom.starts_with(b"SIP/2.0/TCP host.example.com;received=192.0.2.5;branch=verylong"));
        let to = message.to().expect("sound");
        assert!(to.display.starts_with(b"\"I have a user name of extreme") && to.display.ends_with(b"proportion\""));
        let uri = Uri::parse(to.uri).expect("sound");
        assert_eq!((uri.user, uri.host, uri.port), (Some(&b"user"[..]), &b"example.com"[..], Some(6000)));
        assert_eq!(to.tag(), None);
        assert!(message.from().expect("sound").tag().is_some_and(|tag| tag.ends_with(b"982424")));
        assert_eq!(message.cseq().map(|cseq| cseq.number), Ok(3882340));
        assert_eq!(message.body().len(), 150);
    });
}

#[test]
fn framing_is_by_content_length() {
    with("dblreq", |message| {
        assert_eq!((message.method(), message.body()), (Some(Method::Register), &b""[..]));
        assert_eq!(message.headers().count(), 8);
        assert_eq!(message.call_id(), Ok(&b"dblreq.0ha0isndaksdj99sdfafnl3lk233412"[..]));
        assert_eq!(contact_uris(&message), ["sip:j.user@host.example.com"]);
    });
    with("mpart01", |message| {
        assert_eq!((message.method(), message.body().len()), (Some(Method::Message), 553));
        assert!(message.body().ends_with(b"--7a9cbec02ceef655--\r\n") && message.body().contains(&0));
        assert_eq!(message.via().expect("sound").rport(), Some(&b""[..]));
        assert_eq!(message.via().expect("sound").port, Some(5070));
    });
    with("clerr", |message| assert!(message.body().len() < 200 && message.bytes().ends_with(message.body())));
    with("inv2543", |message| {
        assert_eq!((message.via().expect("sound").branch(), message.max_forwards()), (None, Ok(None)));
        assert_address(message.to(), "", "sip:+16505552222@ss1.example.net", None);
        assert_eq!(message.to().expect("sound").params.get("user"), Some(&b"phone"[..]));
        assert!(message.body().starts_with(b"v=0\r\n") && message.bytes().ends_with(message.body()));
    });
    with("regaut01", |message| {
        assert_eq!(message.value(Name::Authorization), Some(&b"NoOneKnowsThisScheme opaque-data=here"[..]));
        assert_eq!(message.value(Name::ContentLength), Some(&b"0"[..]));
    });
}

#[test]
fn responses_and_their_phrases() {
    with("unreason", |message| {
        let Start::Response { status, reason } = message.start() else { panic!("a response") };
        assert_eq!(status, 200);
        assert!(lossy(reason).starts_with("= 2**3 * 5**2 но сто девяносто девять - простое"));
        assert_address(message.to(), "", "sip:user@example.edu", Some("2229"));
        assert_eq!(message.body().len(), 154);
    });
    with("noreason", |message| assert_eq!(message.start(), Start::Response { status: 100, reason: b"" }));
    with("bigcode", |message| assert_eq!(message.status(), Some(0)));
    with("bcast", |message| {
        let hosts: Vec<_> = message.list(Name::Via).map(lossy).collect();
        assert_eq!(hosts[1], "SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23");
    });
}

#[test]
fn what_the_layers_above_decide_on_is_there() {
    with("transports", |message| {
        let transports: Vec<_> = message
            .list(Name::Via)
            .map(|via| lossy(crosspoint_core::sip::Via::parse(via).expect("sound").transport))
            .collect();
        assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
    });
    for (name, scheme) in [("unkscm", &b"nobodyKnowsThisScheme"[..]), ("novelsc", b"soap.beep")] {
        with(name, |message| {
            let uri = Uri::parse(message.uri().expect("a request")).expect("sound");
            assert_eq!(uri.scheme, Scheme::Other(scheme));
        });
    }
    with("unksm2", |message| {
        assert_address(message.to(), "", "isbn:2983792873", None);
        assert_address(message.from(), "", "http://www.example.com", Some("3234233"));
        assert_eq!(contact_uris(&message), ["name:John_Smith"]);
    });
    with("bext01", |message| {
        let required: Vec<_> = message.list(Name::Require).map(lossy).collect();
        assert_eq!(required, ["nothingSupportsThis", "nothingSupportsThisEither"]);
        assert_eq!(message.list(Name::ProxyRequire).count(), 2);
    });
    with("invut", |message| assert_eq!(message.content_type(), Some(&b"application/unknownformat"[..])));
    with("sdp01", |message| assert_eq!(message.value(Name::Accept), Some(&b"text/nobodyKnowsThis"[..])));
    with("zeromf", |message| assert_eq!(message.max_forwards(), Ok(Some(0))));
    with("baddate", |message| assert_eq!(message.value(Name::Date), Some(&b"Fri, 01 Jan 2010 16:00:00 EST"[..])));
    with("insuf", |message| assert!(message.to().is_err() && message.call_id().is_err() && message.via().is_ok()));
}

#[test]
fn contact_parameters_are_the_headers_or_the_uris() {
    with("cparam01", |message| {
        let contact = contact_list(&message)[0];
        assert_eq!(contact.uri, b"sip:+19725552222@gw1.example.net");
        assert!(contact.params.has("unknownparam"));
    });
    with("cparam02", |message| {
        let contact = contact_list(&message)[0];
        assert_eq!(contact.uri, b"sip:+19725552222@gw1.example.net;unknownparam");
        assert!(!contact.params.has("unknownparam"));
    });
    with("regescrt", |message| {
        let uri = Uri::parse(contact_list(&message)[0].uri).map(|uri| uri.headers);
        assert_eq!(uri, Ok(&b"Route=%3Csip:sip.example.com%3E"[..]));
        assert_eq!(message.value(Name::Route), None);
    });
}
