//! Path (RFC 3327), instances and flows (RFC 5626), and the observed source.

use super::*;
use insta::assert_snapshot;

#[test]
fn a_path_nobody_asked_for_is_refused() {
    assert_snapshot!(Rig::new().register("Contact: <sip:a@h>\nPath: <sip:p1;lr>"), @r"
    420
    Unsupported: path
    ");
    assert_snapshot!(Rig::new().register("Contact: <sip:a@h>\nPath: <sip:p1;lr>\nSupported: 100rel"), @r"
    420
    Unsupported: path
    ");
}

#[test]
fn a_path_is_kept_told_back_and_used() {
    let mut rig = Rig::new();
    let path = "Supported: 100rel, Path\nPath: <sip:p1;lr>,\n <sip:p2;lr>\nPath: \"P\n 3\" <sip:p3;lr>";
    assert_snapshot!(rig.register(&format!("Contact: <sip:a@h>\n{path}")), @r#"
    200
    Contact: <sip:a@h>;expires=3600
    Path: <sip:p1;lr>,<sip:p2;lr>,"P   3" <sip:p3;lr>
    * registered 1001 sip:a@h for 3600 s
    "#);
    let target = rig.registrar.lookup(b"1001", rig.cx.now).next().unwrap();
    assert_eq!(String::from_utf8_lossy(target.path), "<sip:p1;lr>,<sip:p2;lr>,\"P   3\" <sip:p3;lr>");
    // A refresh that came another way.
    rig.register("CSeq: 2 REGISTER\nContact: <sip:a@h>");
    assert_eq!(rig.registrar.lookup(b"1001", rig.cx.now).next().unwrap().path, b"");
}

const PHONE: &str = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000a95a0e128>\"";

#[test]
fn a_phone_that_comes_back_from_elsewhere_replaces_its_flow() {
    let mut rig = Rig::new();
    assert_snapshot!(rig.register(&format!("Contact: <sip:a@192.0.2.1>;{PHONE};reg-id=1")), @r#"
    200
    Contact: <sip:a@192.0.2.1>;expires=3600;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>";reg-id=1
    * registered 1001 sip:a@192.0.2.1 for 3600 s
    "#);
    assert_snapshot!(rig.register(&format!("Call-ID: b\nContact: <sip:a@192.0.2.9>;{PHONE};reg-id=1")), @r#"
    200
    Contact: <sip:a@192.0.2.9>;expires=3600;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>";reg-id=1
    * replaced 1001 sip:a@192.0.2.1 for 0 s
    * refreshed 1001 sip:a@192.0.2.9 for 3600 s
    "#);
    // Its second flow is a binding of its own, though the contact is the same.
    assert_snapshot!(rig.register(&format!("Call-ID: b\nContact: <sip:a@192.0.2.9>;{PHONE};reg-id=2")), @r#"
    200
    Contact: <sip:a@192.0.2.9>;expires=3600;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>";reg-id=1
    Contact: <sip:a@192.0.2.9>;expires=3600;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>";reg-id=2
    * registered 1001 sip:a@192.0.2.9 for 3600 s
    "#);
    assert_snapshot!(rig.register(&format!("Call-ID: c\nContact: <sip:a@192.0.2.9>;{PHONE};reg-id=1;expires=0")), @r#"
    200
    Contact: <sip:a@192.0.2.9>;expires=3600;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>";reg-id=2
    * unregistered 1001 sip:a@192.0.2.9 for 0 s
    "#);
}

#[test]
fn one_request_is_for_one_flow() {
    let two = format!("Contact: <sip:a@h>;{PHONE};reg-id=1, <sip:b@h>");
    assert_snapshot!(Rig::new().register(&two), @r#"
    400
    Warning: 399 crosspoint "several contacts with reg-id"
    "#);
    let and_an_end = format!("Contact: <sip:a@h>;{PHONE};reg-id=1, <sip:b@h>;expires=0");
    assert_snapshot!(Rig::new().register(&and_an_end), @r#"
    200
    Contact: <sip:a@h>;expires=3600;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>";reg-id=1
    * registered 1001 sip:a@h for 3600 s
    "#);
}

#[test]
fn a_reg_id_counts_for_nothing_without_an_instance_or_behind_a_proxy_without_outbound() {
    assert_snapshot!(Rig::new().register("Contact: <sip:a@h>;reg-id=1"), @r"
    200
    Contact: <sip:a@h>;expires=3600
    * registered 1001 sip:a@h for 3600 s
    ");
    assert_snapshot!(Rig::new().register(&format!("Contact: <sip:a@h>;{PHONE};reg-id=0")), @r#"
    200
    Contact: <sip:a@h>;expires=3600;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"
    * registered 1001 sip:a@h for 3600 s
    "#);
    let proxied = |path: &str| {
        let via = "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK2";
        Rig::new().register(&format!("{via}\nSupported: path\n{path}Contact: <sip:a@h>;{PHONE};reg-id=1"))
    };
    assert_snapshot!(proxied(""), @r#"
    200
    Contact: <sip:a@h>;expires=3600;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"
    * registered 1001 sip:a@h for 3600 s
    "#);
    assert_snapshot!(proxied("Path: <sip:p1;lr>\n"), @r#"
    200
    Contact: <sip:a@h>;expires=3600;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"
    Path: <sip:p1;lr>
    * registered 1001 sip:a@h for 3600 s
    "#);
    assert_snapshot!(proxied("Path: <sip:p1;lr;ob>\n"), @r#"
    200
    Contact: <sip:a@h>;expires=3600;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>";reg-id=1
    Path: <sip:p1;lr;ob>
    * registered 1001 sip:a@h for 3600 s
    "#);
}

#[test]
fn calls_go_where_the_last_register_came_from() {
    let mut rig = Rig::new();
    rig.register("Contact: <sip:a@10.0.0.5:5060>");
    assert_eq!(rig.registrar.lookup(b"1001", rig.cx.now).next().unwrap().flow, flow(5060));
    let datagram = b"REGISTER sip:localhost SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK2\r\nCall-ID: a\r\n\
        CSeq: 2 REGISTER\r\nFrom: <sip:1001@x>;tag=1\r\nTo: <sip:1001@x>\r\nContact: <sip:a@10.0.0.5:5060>\r\n\r\n";
    let mut index = Index::default();
    let Ok(Scanned::Message(message)) = scan(datagram, &mut index) else { panic!("the test's own REGISTER") };
    assert_eq!(rig.registrar.register(&mut rig.cx, &message, flow(40_000), "1001").status, 200);
    assert_eq!(rig.registrar.lookup(b"1001", rig.cx.now).next().unwrap().flow, flow(40_000));
}
