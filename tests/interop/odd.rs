//! What phones do not do easily, played by SIPp on both sides of the switch: a caller behind a mapping gateway, a callee
//! behind a routing gateway. A message that a side does not expect, or that comes out of turn, fails its scenario.

use crate::script::{Script, Sdp};
use crate::stage::Stage;
use crate::turn;
use crosspoint_tests::process::installed;
use crosspoint_tests::switch::PASSWORD;

/// What the caller dials; the callee's gateway takes it.
const NUMBER: &str = "9001";
const OFFER: Option<Sdp> = Some(Sdp::plain(30000));
const ANSWER: Option<Sdp> = Some(Sdp::plain(32000));

/// A scenario of both sides.
type Scene = fn() -> (Script, Script);

const SCENES: [(&str, Scene); 10] = [
    ("an INVITE without offer", offerless),
    ("INFO, MESSAGE and an unknown method", passing),
    ("100rel on both sides", reliable_through),
    ("100rel wanted by the caller only", reliable_for_the_caller),
    ("100rel wanted by the callee only", reliable_for_the_callee),
    ("two branches that ring", forked),
    ("a gateway that challenges", challenged),
    ("re-INVITEs that cross, and the callee is first again", crossing_callee_first),
    ("re-INVITEs that cross, and the switch is first again", crossing_switch_first),
    ("UPDATE before the answer", early_update),
];

#[test]
fn what_phones_do_not_do_easily() {
    let turn = turn();
    if !installed(&["sipp"]) {
        return;
    }
    let mut stage = Stage::set("odd", "", |[callee]| {
        let guarded = format!("prefixes = [\"8\"]\nauth = {{ user = \"crosspoint\", password = \"{PASSWORD}\" }}\n");
        [("out", callee, "prefixes = [\"9\"]\n".to_owned()), ("guarded", callee, guarded)]
    });
    for (name, scene) in SCENES {
        eprintln!("{name}");
        let (caller, callee) = scene();
        stage.play(caller, [Some(callee)]);
    }
    drop(turn);
    stage.strike();
}

/// The INVITE has no offer: the 200 has it, and the ACK the answer (RFC 3261 §13.2.1).
fn offerless() -> (Script, Script) {
    let caller = Script::caller("offerless-caller").begin("INVITE", NUMBER, &[], None).expect_status(180);
    let caller = caller.expect_status(200).with("m=audio 32000").ack(OFFER);
    let callee = Script::callee("offerless-callee").expect("INVITE").without("m=audio");
    let callee = callee.answer_invite(180, "callee", &[], None).answer_invite(200, "callee", &[], ANSWER);
    caller_hangs_up(caller, callee.expect("ACK").with("m=audio 30000"))
}

/// They pass with their bodies, in both directions.
fn passing() -> (Script, Script) {
    let caller = Script::caller("passing-caller").begin("INVITE", NUMBER, &[], OFFER).expect_status(200).ack(None);
    let callee = Script::callee("passing-callee").expect("INVITE").answer_invite(200, "callee", &[], ANSWER);
    let (mut caller, mut callee) = (caller, callee.expect("ACK"));
    for method in ["INFO", "MESSAGE", "FROBNICATE"] {
        caller = caller.send(method, &["X-From: caller"], OFFER).expect_status(200).with("X-From: callee");
        callee = callee.expect(method).with("X-From: caller").with("m=audio 30000");
        callee = callee.answer(200, &["X-From: callee"], None);
        callee = callee.send(method, &["X-From: callee"], ANSWER).expect_status(200).with("X-From: caller");
        caller = caller.expect(method).with("X-From: callee").with("m=audio 32000");
        caller = caller.answer(200, &["X-From: caller"], None);
    }
    caller_hangs_up(caller, callee)
}

/// RFC 3262 end to end: the answer comes reliably with 183, and PRACK passes.
fn reliable_through() -> (Script, Script) {
    let caller = Script::caller("reliable-caller").begin("INVITE", NUMBER, &["Supported: 100rel"], OFFER);
    let callee = Script::callee("reliable-callee").expect("INVITE").with("Supported:.*100rel");
    let (caller, callee) = (acknowledge_183(caller), reliable_183(callee));
    let callee = callee.answer(200, &[], None).answer_invite(200, "callee", &[], None).expect("ACK");
    caller_hangs_up(caller.expect_status(200).ack(None), callee)
}

/// The callee does not know 100rel: the switch makes its 180 reliable for the caller that requires it.
fn reliable_for_the_caller() -> (Script, Script) {
    let caller = Script::caller("reliable-caller-only").begin("INVITE", NUMBER, &["Require: 100rel"], OFFER);
    let caller = caller.expect_status(180).with("Require:.*100rel").keep("RSeq", "rseq");
    let caller = caller.send("PRACK", &["RAck: [$rseq] 1 INVITE"], None).expect_status(200);
    let callee = Script::callee("unreliable-callee").expect("INVITE").without("Require:.*100rel");
    let callee = callee.answer_invite(180, "callee", &[], None).pause(200);
    let callee = callee.answer_invite(200, "callee", &[], ANSWER).expect("ACK");
    caller_hangs_up(caller.expect_status(200).with("m=audio 32000").ack(None), callee)
}

/// The caller does not know 100rel: the switch acknowledges the callee's 183 itself.
fn reliable_for_the_callee() -> (Script, Script) {
    let caller = Script::caller("unreliable-caller").begin("INVITE", NUMBER, &[], OFFER);
    let caller = caller.expect_status(183).without("100rel").with("m=audio 32000").expect_status(200).ack(None);
    let callee = Script::callee("reliable-callee-only").expect("INVITE");
    let callee = reliable_183(callee).answer(200, &[], None).answer_invite(200, "callee", &[], None);
    caller_hangs_up(caller, callee.expect("ACK"))
}

/// After a reliable answer each side offers anew with UPDATE (RFC 3311 §5.1).
fn early_update() -> (Script, Script) {
    let caller = Script::caller("update-caller").begin("INVITE", NUMBER, &["Supported: 100rel"], OFFER);
    let callee = Script::callee("update-callee").expect("INVITE");
    let (caller, callee) = (acknowledge_183(caller), reliable_183(callee).answer(200, &[], None));
    let hold = Some(Sdp { also: "a=sendonly", ..Sdp::plain(30002) });
    let held = Some(Sdp { also: "a=recvonly", ..Sdp::plain(32002) });
    let caller = caller.send("UPDATE", &[], hold).expect_status(200).with("a=recvonly");
    let callee = callee.expect("UPDATE").with("m=audio 30002").with("a=sendonly").answer(200, &[], held);
    let callee = callee.send("UPDATE", &[], ANSWER).expect_status(200).with("m=audio 30000");
    let caller = caller.expect("UPDATE").with("m=audio 32000").answer(200, &[], OFFER);
    let callee = callee.answer_invite(200, "callee", &[], None).expect("ACK");
    caller_hangs_up(caller.expect_status(200).ack(None), callee)
}

/// Behind the gateway two phones ring, each with a To-tag of its own: the caller sees two dialogs, and the one that is
/// answered is the second, with its own session description.
fn forked() -> (Script, Script) {
    let caller = Script::caller("forked-caller").begin("INVITE", NUMBER, &[], OFFER).expect_status(180);
    let caller = caller.expect_status(183).with("m=audio 32000").expect_status(183).with("m=audio 32002");
    let caller = caller.expect_status(200).with("m=audio 32002");
    let second = Some(Sdp::plain(32002));
    let callee = Script::callee("forked-callee").expect("INVITE").answer_invite(180, "one", &[], None);
    let callee = callee.answer_invite(183, "one", &[], ANSWER).answer_invite(183, "callee", &[], second);
    let callee = callee.answer_invite(200, "callee", &[], second).expect("ACK");
    caller_hangs_up(caller.ack(None), callee)
}

/// The gateway wants digest credentials for the INVITE as a proxy, and for the BYE as a user agent.
fn challenged() -> (Script, Script) {
    let proxy = r#"Proxy-Authenticate: Digest realm="gateway", nonce="n1", algorithm=MD5, qop="auth""#;
    let agent = r#"WWW-Authenticate: Digest realm="agent", nonce="n2", algorithm=MD5, qop="auth""#;
    let caller = Script::caller("challenged-caller").begin("INVITE", "8001", &[], OFFER).expect_status(200);
    let caller = caller.without("authenticate").ack(None).send("BYE", &[], None).expect_status(200);
    let callee = Script::callee("challenging-callee").expect("INVITE").without("uthorization:");
    let callee = callee.answer_invite(407, "no", &[proxy], None).expect("ACK").expect("INVITE");
    // SIPp computes the digest of Authorization only
    let callee = callee.with(r#"Proxy-Authorization: Digest username="crosspoint", realm="gateway", nonce="n1""#);
    let callee = callee.answer_invite(200, "callee", &[], ANSWER).expect("ACK").expect("BYE");
    let callee = callee.answer(401, &[agent], None).expect("BYE").with("[^-]Authorization:");
    (caller, callee.with_digest("crosspoint", PASSWORD).answer(200, &[], None))
}

/// The caller's re-INVITE meets the callee's on the callee's leg, and both get 491 there. The switch made that leg's
/// Call-ID, so it waits longer (RFC 3261 §14.1): the callee's next one passes, and only now the caller learns that its
/// own met another. It made its leg's Call-ID, and waits as long.
fn crossing_callee_first() -> (Script, Script) {
    let (caller, callee) = answered("crossing-caller", "crossing-callee");
    let caller = caller.send("INVITE", &[], OFFER).expect_status(491).ack_refusal();
    let caller = answer_again(caller, OFFER).pause(2200);
    let caller = caller.send("INVITE", &[], OFFER).expect_status(200).ack(None);
    let callee = cross(callee, ANSWER).pause(300).send("INVITE", &[], ANSWER).expect_status(200).ack(None);
    caller_hangs_up(caller, answer_again(callee, ANSWER))
}

/// The same on the caller's leg, whose Call-ID is the caller's: here the switch is first again, and the callee never
/// learns of it.
fn crossing_switch_first() -> (Script, Script) {
    let (caller, callee) = answered("crossed-caller", "crossed-callee");
    let callee = callee.send("INVITE", &[], ANSWER).expect_status(200).with("m=audio 30000").ack(None);
    let caller = answer_again(cross(caller, OFFER), OFFER).pause(100);
    let caller = caller.send("INVITE", &[], OFFER).expect_status(200).ack(None);
    caller_hangs_up(caller, answer_again(callee, ANSWER))
}

fn answered(caller: &'static str, callee: &'static str) -> (Script, Script) {
    let caller = Script::caller(caller).begin("INVITE", NUMBER, &[], OFFER).expect_status(200).ack(None);
    let callee = Script::callee(callee).expect("INVITE").answer_invite(200, "callee", &[], ANSWER);
    // both are done with the first INVITE before anything else begins
    let caller = caller.send("INFO", &[], None).expect_status(200);
    (caller, callee.expect("ACK").expect("INFO").answer(200, &[], None))
}

/// A re-INVITE arrives while one of this side's own is on its way. SIPp takes the answer to its own before it goes on.
fn cross(side: Script, sdp: Option<Sdp>) -> Script {
    let side = side.expect("INVITE").send("INVITE", &[], sdp).expect_status(491).ack_refusal();
    side.answer_invite(491, "", &[], None).expect("ACK")
}

fn answer_again(side: Script, sdp: Option<Sdp>) -> Script {
    side.expect("INVITE").answer_invite(200, "", &[], sdp).expect("ACK")
}

/// A 183 that must be acknowledged, with the answer, and the PRACK.
fn reliable_183(callee: Script) -> Script {
    let callee = callee.answer_invite(183, "callee", &["Require: 100rel", "RSeq: 17"], ANSWER);
    callee.expect("PRACK").with("RAck: *17 [0-9]+ INVITE")
}

fn acknowledge_183(caller: Script) -> Script {
    let caller = caller.expect_status(183).with("Require:.*100rel").with("m=audio 32000").keep("RSeq", "rseq");
    caller.send("PRACK", &["RAck: [$rseq] 1 INVITE"], None).expect_status(200)
}

/// The caller hangs up.
fn caller_hangs_up(caller: Script, callee: Script) -> (Script, Script) {
    (caller.send("BYE", &[], None).expect_status(200), callee.expect("BYE").answer(200, &[], None))
}
