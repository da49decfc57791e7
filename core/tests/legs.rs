//! What of one leg's messages reaches the other: the switch between two gateways, message by message.

mod between;

use between::{Between, CALLEE, CALLER, field};

#[test]
fn a_bye_says_why_in_the_words_of_the_switch_or_in_those_of_the_peer() {
    for (given, passed, word) in [
        ("", "Q.850;cause=16;text=\"normal\"", "normal"),
        ("Reason: Q.850 ;cause=16 ;text=\"Terminated\"\r\n", "Q.850 ;cause=16 ;text=\"Terminated\"", "normal"),
        ("Reason: SIP;cause=488\r\nreason: X;cause=1\r\n", "SIP;cause=488", "codec_mismatch"),
    ] {
        let mut between = Between::new("");
        between.talk();
        between.request(CALLER, "BYE", given);
        let bye = between.take(CALLEE, "BYE ");
        assert_eq!(field(&bye, "Reason"), Some(passed), "{bye}");
        assert_eq!(between.end().end_reason.name(), word);
    }
}

#[test]
fn a_cancel_says_why_in_the_words_of_the_switch_or_in_those_of_the_caller() {
    for (given, passed, word) in [
        ("", "Q.850;cause=16;text=\"cancelled\"", "cancelled"),
        (
            "Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\"\r\n",
            "SIP ;cause=200 ;text=\"Call completed elsewhere\"",
            "answered_elsewhere",
        ),
    ] {
        let mut between = Between::new("");
        between.invite("", "");
        between.answer(180, "", "");
        between.cancel(given);
        let cancel = between.take(CALLEE, "CANCEL ");
        assert_eq!(field(&cancel, "Reason"), Some(passed), "{cancel}");
        assert_eq!(between.end().end_reason.name(), word);
    }
}

#[test]
fn a_refusals_reason_reaches_the_caller_and_the_record() {
    let mut between = Between::new("");
    between.invite("", "");
    between.answer(480, "Reason: Q.850;cause=19\r\n", "");
    let refusal = between.take(CALLER, "SIP/2.0 480 ");
    assert_eq!(field(&refusal, "Reason"), Some("Q.850;cause=19"), "{refusal}");
    assert_eq!(between.end().end_reason.name(), "no_answer");
}

#[test]
fn unknown_headers_and_a_multipart_body_pass_byte_for_byte() {
    let mut between = Between::new("");
    let body =
        "--b\r\nContent-Type: application/x-odd\r\n\r\n\u{1}\u{2}odd\r\n--b\r\nContent-ID: <1@x>\r\n\r\n\r\n--b--\r\n";
    let lines = "X-Odd:  a ,, \"b\r\n  folded\r\nContent-Type: multipart/mixed;boundary=b\r\nReason: Q.850;cause=1\r\n";
    between.invite(lines, body);
    let (head, passed) = between.invited.split_once("\r\n\r\n").expect("a message has an empty line");
    assert!(head.contains("X-Odd:  a ,, \"b\r\n  folded\r\n"), "{head}");
    assert!(head.contains("Content-Type: multipart/mixed;boundary=b\r\n"), "{head}");
    assert_eq!(passed, body);
    assert_eq!(field(&between.invited, "Max-Forwards"), Some("69"));
}

#[test]
fn only_gateways_count_where_gateways_tried_are_limited() {
    const ELSEWHERE: &str = "198.51.100.7:5060";
    const LAST: &str = "198.51.100.3:5060";
    for (limit, goes_on) in [(1, false), (2, true)] {
        let mut between = Between::new(&format!(
            "redirect = \"anywhere\"\nfailover = {{ limit = {limit} }}\n\
             [[gateway]]\nname = \"last\"\ndirection = \"routing\"\npeers = [\"{LAST}\"]\n"
        ));
        between.invite("", "");
        let refuse = |between: &mut Between, from: &str, invited: &str, status: &str| {
            let lines = ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| {
                let tag = if name == "To" { ";tag=callee" } else { "" };
                format!("{name}: {}{tag}\r\n", field(invited, name).expect("an INVITE has it"))
            });
            between.hear(from, &format!("SIP/2.0 {status}\r\n{}Content-Length: 0\r\n\r\n", lines.concat()));
        };
        let invited = between.invited.clone();
        refuse(&mut between, CALLEE, &invited, &format!("302 Moved\r\nContact: <sip:x@{ELSEWHERE}>"));
        let invited = between.take(ELSEWHERE, "INVITE ");
        refuse(&mut between, ELSEWHERE, &invited, "500 No");
        match goes_on {
            true => between.take(LAST, "INVITE "),
            false => between.take(CALLER, "SIP/2.0 500 "),
        };
    }
}
