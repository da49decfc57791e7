//! The switch registers at a gateway, played by SIPp: challenged, accepted, refreshed before its time is over, and taken
//! back when the switch stops.

use crate::script::Script;
use crate::{folder, turn};
use crosspoint_tests::ports::{free_udp_port, wait_until_bound};
use crosspoint_tests::process::installed;
use crosspoint_tests::sipp::Sipp;
use crosspoint_tests::switch::{PASSWORD, Switch};

#[test]
fn the_switch_registers_and_refreshes_and_unregisters() {
    let _turn = turn();
    if !installed(&["sipp"]) {
        return;
    }
    let folder = folder("registrar");
    let port = free_udp_port();
    let challenge = r#"WWW-Authenticate: Digest realm="registrar", nonce="n1", algorithm=MD5, qop="auth""#;
    let script =
        Script::callee("registrar").expect("REGISTER").without("Authorization:").answer(401, &[challenge], None);
    let script = accepted(script, "Contact: [$binding];expires=8");
    let script = accepted(script, "Contact: [$binding];expires=600").expect("REGISTER");
    let script = script.with("xpires[:=] *0").with_digest("crosspoint", PASSWORD).answer(200, &[], None);
    let (name, xml) = script.finish();
    let path = folder.join(format!("{name}.xml"));
    std::fs::write(&path, xml).expect("the test's folder can be written");
    // it knows nobody to call; SIPp wants an address all the same
    let arguments = ["-m", "1", "-trace_msg", "-message_file", "registrar.messages"];
    let mut registrar = Sipp::start(&folder, &path, port, port, &arguments);
    wait_until_bound(port);

    let gateway = format!(
        "[[gateway]]\nname = \"carrier\"\ndirection = \"routing\"\npeers = [\"127.0.0.1:{port}\"]\nprefixes = [\"9\"]\n\
         register = {{ user = \"crosspoint\", password = \"{PASSWORD}\" }}\n"
    );
    let mut switch = Switch::start_with(&folder, &gateway);
    switch.wait_for("trunk_registrations", 2);
    switch.stop();
    registrar.wait_for_success(1);
}

fn accepted(registrar: Script, binding: &str) -> Script {
    let registrar = registrar.expect("REGISTER").keep("Contact", "binding").with_digest("crosspoint", PASSWORD);
    registrar.answer(200, &[binding], None)
}
