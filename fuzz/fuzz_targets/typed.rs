//! Every typed value of any message, and each typed parser on any bytes.

#![no_main]

use crosspoint_core::auth::{Credentials, Hash};
use crosspoint_core::sip::{
    CSeq, Contacts, Index, Message, Name, NameAddr, Params, Scanned, Uri, Via, scan, split_list,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut index = Index::default();
    if let Ok(Scanned::Message(message)) = scan(bytes, &mut index) {
        message_values(&message);
    }
    if let Ok(via) = Via::parse(bytes) {
        via_parts(&via);
    }
    if let Ok(address) = NameAddr::parse(bytes) {
        address_parts(&address);
    }
    if let Ok(cseq) = CSeq::parse(bytes) {
        assert!(cseq.number < 1 << 31);
    }
    credentials_parts(bytes);
    uri_parts(bytes);
    for element in split_list(bytes) {
        assert!(element.len() <= bytes.len());
    }
});

fn message_values(message: &Message<'_>) {
    let _ = (message.method(), message.uri().map(uri_parts), message.status(), message.call_id(), message.cseq());
    let _ = (message.max_forwards(), message.expires(), message.content_type());
    if let Ok(via) = message.via() {
        via_parts(&via);
    }
    for address in [message.from(), message.to()].into_iter().flatten() {
        address_parts(&address);
    }
    if let Ok(Contacts::List(contacts)) = message.contacts() {
        contacts.iter().flatten().for_each(|contact| address_parts(&contact));
    }
    for name in [Name::Authorization, Name::ProxyAuthorization] {
        message.fields(name).for_each(credentials_parts);
    }
    for name in [Name::Via, Name::Route, Name::RecordRoute, Name::Path, Name::Supported, Name::Unknown] {
        let whole: usize = message.fields(name).map(<[u8]>::len).sum();
        let elements: usize = message.list(name).map(<[u8]>::len).sum();
        assert!(elements <= whole, "a list has no more bytes than its fields");
    }
}

fn via_parts(via: &Via<'_>) {
    let _ = (via.branch(), via.rport(), via.received(), via.has_cookie(), via.port);
    params_parts(&via.params);
}

fn address_parts(address: &NameAddr<'_>) {
    let _ = (address.display, address.tag());
    params_parts(&address.params);
    uri_parts(address.uri);
}

fn credentials_parts(value: &[u8]) {
    let Ok(Some(credentials)) = Credentials::parse(value) else { return };
    let (algorithm, _count) = (credentials.algorithm(), credentials.count());
    if let Some((algorithm, _is_session)) = algorithm {
        let ha1: Hash = algorithm.hash(&[credentials.user().as_bytes(), b"realm", b"password"]);
        let _ = (credentials.qop(), credentials.answer(ha1, b"REGISTER", b""));
    }
}

fn uri_parts(text: &[u8]) {
    let Ok(uri) = Uri::parse(text) else { return };
    let _ = (uri.user_unescaped(), uri.host_ip());
    params_parts(&uri.params);
    assert!(uri.matches(&uri), "a URI matches itself");
    let other_case: Vec<u8> = text.iter().map(|byte| byte ^ if byte.is_ascii_alphabetic() { 0x20 } else { 0 }).collect();
    if let Ok(other) = Uri::parse(&other_case) {
        assert_eq!(uri.matches(&other), other.matches(&uri), "which of the two is asked makes no difference");
    }
}

fn params_parts(params: &Params<'_>) {
    for (name, value) in params.iter() {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        assert!(params.has(name), "a parameter is found by its own name");
        assert!(value.is_none() || params.get(name).is_some());
        let _ = params.get_unquoted(name);
    }
}
