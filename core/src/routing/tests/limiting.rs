//! Who may have one call more.

use super::*;

const CONFIG: &str = "
[switch]
max_calls = 4
[[group]]
name = \"europe\"
capacity = 3
[[group]]
name = \"wholesale\"
[[phone]]
user = \"1001\"
password = \"x\"
max_calls = 2
[[phone]]
user = \"1002\"
password = \"x\"
[[gateway]]
name = \"in\"
direction = \"mapping\"
peers = [\"203.0.113.1\"]
capacity = 2
group = \"wholesale\"
[[gateway]]
name = \"retail\"
direction = \"mapping\"
peers = [\"203.0.113.2\"]
[[gateway]]
name = \"a\"
direction = \"routing\"
peers = [\"198.51.100.1\"]
group = \"europe\"
capacity = 3
reserved = { wholesale = 1, retail = 1 }
[[gateway]]
name = \"b\"
direction = \"routing\"
peers = [\"198.51.100.2\"]
group = \"europe\"
priority = 1
";

fn take(world: &mut World, caller: &Caller<'_>, number: &str) -> Plan {
    let plan = world.plan(caller, number);
    world.load.add(&plan.uses);
    if let Some(way) = plan.ways.first() {
        world.load.add(&way.uses);
    }
    plan
}

fn refused(plan: &Plan) -> Option<(u16, Rule)> {
    plan.refusal.map(|refusal| (refusal.status, refusal.rule))
}

#[test]
fn a_phone_has_so_many_calls_in_and_out() {
    let mut world = world(CONFIG);
    world.register("1001", "192.0.2.21:5060", 1000);
    world.register("1001", "192.0.2.22:5060", 1000);
    take(&mut world, &phone("1001"), "00");
    take(&mut world, &phone("1002"), "1001");
    assert_eq!(refused(&world.plan(&phone("1001"), "00")), Some((486, Rule::LimitPhone)));
    assert_eq!(refused(&world.plan(&phone("1002"), "1001")), Some((486, Rule::LimitCallee)));
    assert_eq!(refused(&world.plan(&phone("1002"), "00")), None, "others go on");
}

#[test]
fn the_switch_has_so_many_calls() {
    let mut world = world(CONFIG);
    for _ in 0..4 {
        world.load.add(&Use { is_call: true, ..Use::default() });
    }
    assert_eq!(refused(&world.plan(&phone("1002"), "00")), Some((503, Rule::LimitSwitch)));
    world.load = Load::default();
    assert_eq!(refused(&world.plan(&phone("1002"), "00")), None);
}

#[test]
fn a_mapping_gateway_and_its_group_have_so_many_calls() {
    let mut world = world(CONFIG);
    let caller = from_gateway("in", "1");
    take(&mut world, &caller, "00");
    take(&mut world, &caller, "00");
    assert_eq!(refused(&world.plan(&caller, "00")), Some((503, Rule::LimitMapping)));
    let text = CONFIG.replace("name = \"wholesale\"", "name = \"wholesale\"\ncapacity = 1");
    let mut grouped = super::world(&text);
    take(&mut grouped, &caller, "00");
    assert_eq!(refused(&grouped.plan(&caller, "00")), Some((503, Rule::LimitMappingGroup)));
}

#[test]
fn reserved_lines_are_kept_for_whom_they_are_reserved() {
    let mut world = world(CONFIG);
    let [phone, wholesale, retail] = [phone("1002"), from_gateway("in", "1"), from_gateway("retail", "1")];
    assert_eq!(take(&mut world, &phone, "00").ways[0].gateway, "a", "one of three lines is free for all");
    assert_eq!(world.ways(&phone, "00"), ["b"], "the others are reserved");
    assert_eq!(world.rules(&phone, "00"), ["limit.reserved a", "route.prefix b"]);
    assert_eq!(take(&mut world, &wholesale, "00").ways[0].gateway, "a", "by its group");
    assert_eq!(world.ways(&wholesale, "00"), ["b"], "its line is taken, the last is another's");
    assert_eq!(take(&mut world, &retail, "00").ways[0].gateway, "a", "by its name");
    assert_eq!(world.rules(&retail, "00"), ["limit.gateway a", "limit.group b", "route.capacity 00"]);
}

#[test]
fn a_way_is_checked_again_when_its_turn_comes() {
    let mut world = world(CONFIG);
    let caller = phone("1002");
    let way = world.plan(&caller, "00").ways.remove(0);
    let now = |world: &World| world.with_facts(|facts| recheck(facts, &caller, &way)).map_err(|step| step.to_string());
    assert_eq!(now(&world), Ok(()));
    world.busy("a", 3);
    assert_eq!(now(&world), Err("a dropped: 3 of 3 calls (limit.gateway)".to_owned()));
    world.down.insert("a".to_owned(), Unusable { rule: trunk::Rule::Down, until: None });
    assert_eq!(now(&world), Err("a dropped: trunk.down (route.down)".to_owned()));
}

#[test]
fn a_group_is_filled_one_after_the_other_or_alike() {
    let text = |order: &str| {
        format!(
            "[[group]]\nname = \"g\"\norder = \"{order}\"\n[[gateway]]\nname = \"a\"\ndirection = \"routing\"\n\
             peers = [\"198.51.100.1\"]\ngroup = \"g\"\n[[gateway]]\nname = \"b\"\ndirection = \"routing\"\n\
             peers = [\"198.51.100.2\"]\ngroup = \"g\"\n"
        )
    };
    for (order, first) in [("load", "b"), ("priority", "a")] {
        let mut world = world(&text(order));
        world.busy("a", 1);
        assert_eq!(world.ways(&phone(""), "1")[0], first, "{order}");
    }
}

#[test]
fn what_is_no_call_is_not_limited() {
    let mut world = world(CONFIG);
    world.busy("a", 9);
    world.load.add(&Use { is_call: true, phones: vec!["1001".to_owned(); 9], ..Use::default() });
    let empty = Load::default();
    let plan = world.with_facts(|facts| plan(&Facts { load: &empty, ..*facts }, &phone("1001"), "00"));
    assert_eq!(refused(&plan), None);
}
