//! The bindings of a phone.

use super::*;

const PHONES: &str = "[[phone]]\nusers = \"1001..1009\"\npassword = \"x\"\ncaller_id = \"5551000\"\n";

#[test]
fn equal_q_rings_together_and_lower_q_follows() {
    let mut world = world(PHONES);
    for (remote, q) in
        [("192.0.2.21:5060", 1000), ("192.0.2.22:5060", 500), ("192.0.2.23:5060", 1000), ("192.0.2.24:5060", 10)]
    {
        world.register("1002", remote, q);
    }
    insta::assert_snapshot!(world.explain(&phone("1001"), "1002"));
    let plan = world.plan(&phone("1001"), "1002");
    assert_eq!(plan.ways.iter().map(|way| way.round).collect::<Vec<_>>(), [0, 0, 1, 2]);
    assert_eq!(plan.uses.phones, ["1001", "1002"], "a phone counts once, however many of its devices ring");
}

#[test]
fn several_flows_to_one_device_are_one_way() {
    let mut world = world(PHONES);
    world.register_flow("1002", "192.0.2.21:5060", 1000, "<urn:uuid:1>", 1);
    world.register_flow("1002", "192.0.2.22:5060", 500, "<urn:uuid:1>", 2);
    world.register_flow("1002", "192.0.2.23:5060", 1000, "<urn:uuid:2>", 1);
    world.register("1002", "192.0.2.24:5060", 1000);
    world.register("1002", "192.0.2.25:5060", 1000);
    let plan = world.plan(&phone("1001"), "1002");
    let targets = |way: &Way| way.targets.iter().map(|target| target.hop.to_string()).collect::<Vec<_>>();
    let mut ways: Vec<Vec<String>> = plan.ways.iter().map(targets).collect();
    ways.sort();
    let [device, others @ ..] = &ways[..] else { panic!("{ways:?}") };
    assert_eq!(*device, ["192.0.2.21:5060", "192.0.2.22:5060"], "the better flow first, the other in its place");
    assert_eq!(others.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1], "who names no instance is one each");
}

#[test]
fn who_calls_the_own_number_rings_the_other_devices() {
    let mut world = world(PHONES);
    world.register("1001", "192.0.2.21:5060", 1000);
    let source = Some(flow("192.0.2.21:5060"));
    let caller = Caller { source, ..phone("1001") };
    let refusal = world.plan(&caller, "1001").refusal.expect("it has no other device");
    assert_eq!((refusal.status, refusal.rule), (486, Rule::RouteSelf));
    world.register("1001", "192.0.2.22:5060", 500);
    assert_eq!(world.rules(&caller, "1001"), ["route.own-binding 1001", "route.binding 1001"]);
    assert_eq!(world.plan(&caller, "1001").ways[0].round, 0);
    let other = Caller { source, ..phone("1002") };
    assert_eq!(world.ways(&other, "1001").len(), 2, "another user at the same address is somebody else");
}

#[test]
fn a_phone_that_is_not_registered_is_480() {
    let world = world(PHONES);
    let refusal = world.plan(&phone("1001"), "1002").refusal.expect("nobody is there");
    assert_eq!((refusal.status, refusal.rule), (480, Rule::RouteNotRegistered));
}

#[test]
fn offline_nobody_knows_who_is_registered() {
    let config = config(PHONES);
    let caller = endpoint(&config, "1001").expect("it is configured");
    assert_eq!(caller.number, "5551000");
    insta::assert_snapshot!(explain_config(&config, &caller, "1002"));
}

#[test]
fn endpoints_are_named_by_phone_or_gateway() {
    let config = config(&format!(
        "{PHONES}[[gateway]]\nname = \"1001\"\ndirection = \"mapping\"\npeers = [\"203.0.113.1\"]\n\
         [[gateway]]\nname = \"west\"\ndirection = \"routing\"\npeers = [\"203.0.113.2\"]\n"
    ));
    let found = |text| endpoint(&config, text).map(|caller| (caller.user.to_owned(), caller.gateway.to_owned()));
    let pair = |user: &str, gateway: &str| Ok((user.to_owned(), gateway.to_owned()));
    assert_eq!(found("1001"), pair("1001", ""));
    assert_eq!(found("phone:1001"), pair("1001", ""));
    assert_eq!(found("gateway:1001"), pair("", "1001"));
    assert_eq!(found("west"), Err("gateway `west` brings no calls in: its direction is `routing`".to_owned()));
    assert_eq!(found("wst"), Err("there is no phone and no gateway `wst`, did you mean `west`?".to_owned()));
    assert!(found("phone:west").is_err());
}
