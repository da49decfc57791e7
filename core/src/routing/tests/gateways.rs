//! Which gateways take a call, in which order, with which numbers.

use super::*;

/// Gateways with these names, prefixes and further lines.
fn gateways(rows: &[(&str, &str, &str)]) -> String {
    let one = |(i, (name, prefixes, more)): (usize, &(&str, &str, &str))| {
        format!(
            "[[gateway]]\nname = \"{name}\"\ndirection = \"routing\"\npeers = [\"198.51.100.{}\"]\nprefixes = [{prefixes}]\n{more}\n",
            i + 1
        )
    };
    "[[phone]]\nuser = \"1001\"\npassword = \"x\"\n".to_owned() + &rows.iter().enumerate().map(one).collect::<String>()
}

#[test]
fn longest_prefix_then_priority_then_load_then_order() {
    let mut world = world(&gateways(&[
        ("all", r#""""#, ""),
        ("late", r#""00""#, "priority = 2"),
        ("busy", r#""00""#, "priority = 1"),
        ("free", r#""00""#, "priority = 1"),
        ("also-free", r#""00""#, "priority = 1"),
        ("long", r#"{ prefix = "0049", mode = "continue" }"#, ""),
    ]));
    world.busy("busy", 1);
    world.busy("late", 0);
    let caller = phone("1001");
    assert_eq!(world.ways(&caller, "004930"), ["long", "free", "also-free", "busy", "late"]);
    assert_eq!(world.ways(&caller, "0044"), ["free", "also-free", "busy", "late"], "00 terminates");
    assert_eq!(world.ways(&caller, "1"), ["all"]);
    let rounds: Vec<u16> = world.plan(&caller, "004930").ways.iter().map(|way| way.round).collect();
    assert_eq!(rounds, [0, 1, 2, 3, 4], "one after the other");
}

#[test]
fn a_full_gateway_ends_the_search_and_one_that_denies_does_not() {
    let text = |more| gateways(&[("picky", r#""00""#, more), ("default", r#""""#, "")]);
    let mut full = world(&text("capacity = 1"));
    full.busy("picky", 1);
    let plan = full.plan(&phone("1001"), "0049");
    assert_eq!(plan.refusal.map(|refusal| (refusal.status, refusal.rule)), Some((503, Rule::RouteCapacity)));
    for more in
        ["callee_deny = [\"0049\"]", "caller_deny = [\"1\"]", "callee_digits = \"11\"", "caller_digits = \"5-6\""]
    {
        let world = world(&text(more));
        assert_eq!(world.ways(&phone("1001"), "0049"), ["default"], "{more}");
    }
}

#[test]
fn each_gateway_is_explained() {
    let mut world = world(&gateways(&[
        ("full", r#""00""#, "capacity = 2"),
        ("denied", r#""00""#, "callee_deny = [\"0049\"]"),
        ("short", r#""00""#, "callee_digits = \"10-11\""),
        ("not-you", r#""00""#, "caller_allow = [\"2\"]"),
        ("down", r#""00""#, ""),
        (
            "taken",
            r#""00""#,
            "rewrite_callee = [{ prefix = \"00\", replace = \"+\" }]\ncaller_id = \"+44123\"\nmax_duration_s = 60\n\
             timeout_ringing_s = 30\nfailover = { limit = 2, after_busy = true, stop = [404] }\nredirect = \"follow\"",
        ),
        ("shorter", r#""0""#, ""),
        ("other", r#""1", "2""#, ""),
    ]));
    world.busy("full", 2);
    world.down.insert("down".to_owned(), Unusable { rule: trunk::Rule::Down, until: None });
    insta::assert_snapshot!(world.explain(&phone("1001"), "004930"));
}

#[test]
fn nobody_takes_it_is_404_and_all_down_is_503_with_the_time() {
    let mut world = world(&gateways(&[("one", r#""00""#, ""), ("two", r#""00""#, "capacity = 1")]));
    let refused = |world: &World, number: &str| {
        let refusal = world.plan(&phone("1001"), number).refusal.expect("nobody can take it");
        (refusal.status, refusal.rule, refusal.retry_after_s)
    };
    assert_eq!(refused(&world, "1"), (404, Rule::RouteNone, None));
    world.busy("two", 1);
    let until = Some(world.cx.now.mono + std::time::Duration::from_millis(2500));
    world.down.insert("one".to_owned(), Unusable { rule: trunk::Rule::RetryAfter, until });
    assert_eq!(refused(&world, "00"), (503, Rule::RouteUnavailable, Some(3)));
}

#[test]
fn of_several_peers_each_is_a_target_and_of_several_numbers_one_is_shown() {
    let text = gateways(&[("pool", r#""""#, "caller_id = [\"+441\", \"+442\", \"+443\"]")])
        .replace("[\"198.51.100.1\"]", "[\"198.51.100.1\", \"198.51.100.2:5070\", \"2001:db8::1\"]");
    let world = world(&text);
    let way = world.plan(&phone("1001"), "00#1").ways.remove(0);
    let uris: Vec<&[u8]> = way.targets.iter().map(|target| &*target.uri).collect();
    assert_eq!(uris, [&b"sip:00%231@198.51.100.1:5060"[..], b"sip:00%231@198.51.100.2:5070"], "no socket speaks IPv6");
    let shown = |number: &str| world.plan(&Caller { number, ..phone("1001") }, "1").ways.remove(0).caller;
    assert_eq!(shown("1001"), shown("1001"), "always the same for the same caller");
    let mut all: Vec<String> = (0..100).map(|i| shown(&i.to_string())).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, ["+441", "+442", "+443"], "and each for some");
}

#[test]
fn the_numbers_of_a_range_are_shown_as_each_of_several_about_equally_often() {
    for count in [2, 3, 4, 8, 10, 16] {
        let ids: Vec<String> = (0..count).map(|i| format!("\"+44{i:02}\"")).collect();
        let world = world(&gateways(&[("pool", r#""""#, &format!("caller_id = [{}]", ids.join(", ")))]));
        let mut shown = std::collections::BTreeMap::new();
        for i in 0..1000 {
            let number = format!("+493055{i:04}");
            let way = world.plan(&Caller { number: &number, ..phone("1001") }, "1").ways.remove(0);
            *shown.entry(way.caller).or_insert(0) += 1;
        }
        let fair = 1000 / count;
        assert_eq!(shown.len(), count, "{shown:?}");
        assert!(shown.values().all(|times| (fair / 2..2 * fair).contains(times)), "of {count}: {shown:?}");
    }
}

#[test]
fn what_a_mapping_gateway_sends_is_checked_and_rewritten() {
    let text = gateways(&[("out", r#""00""#, "rewrite_caller = [{ prefix = \"+\", replace = \"00\" }]")])
        + "[[gateway]]\nname = \"in\"\ndirection = \"both\"\npeers = [\"203.0.113.1\"]\nprefixes = [\"00\"]\nmax_duration_s = 0\n\
           [gateway.in]\ncallee_allow = [\"+\", \"9\"]\ncallee_digits = \"1-9\"\ncaller_deny = [\"666\"]\ncaller_digits = \"3-9\"\n\
           rewrite_callee = [{ prefix = \"+\", replace = \"00\" }, { prefix = \"9\", replace = \"\" }]\n\
           rewrite_caller = [{ prefix = \"\", replace = \"+49\" }]\n";
    let world = world(&text);
    let plan = world.plan(&from_gateway("in", "30123"), "+44123");
    let rules: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(rules.join("\n"), @r"
    in changed: +44123 becomes 0044123 (number.rewrite-callee)
    in changed: 30123 becomes +4930123 (number.rewrite-caller)
    in dropped (route.same-gateway)
    out taken: prefix `00`, priority 0, 0 calls (route.prefix)
    out changed: +4930123 becomes 004930123 (number.rewrite-caller)
    ");
    let way = &plan.ways[0];
    assert_eq!((way.number.as_str(), way.caller.as_str(), way.policy.max_talk), ("0044123", "004930123", None));
    let refused = |caller: &str, number: &str| {
        world.plan(&from_gateway("in", caller), number).refusal.map(|refusal| (refusal.status, refusal.rule))
    };
    assert_eq!(refused("30123", "1"), Some((403, Rule::InCalleeDenied)));
    assert_eq!(refused("30123", "+1234567890"), Some((484, Rule::InCalleeLength)));
    assert_eq!(refused("66612", "+44123"), Some((403, Rule::InCallerDenied)));
    assert_eq!(refused("30", "+44123"), Some((403, Rule::InCallerLength)));
    assert_eq!(refused("30123", "91001"), Some((480, Rule::RouteNotRegistered)), "a phone, after rewriting");
}

#[test]
fn the_longest_conversation_is_what_the_gateways_say_before_the_system() {
    use crate::config::MaxDuration;
    let text = |inward: &str, outward: &str| {
        gateways(&[("out", r#""""#, outward)])
            + &format!("[[gateway]]\nname = \"in\"\ndirection = \"mapping\"\npeers = [\"203.0.113.1\"]\n{inward}\n")
    };
    let seconds = |inward: &str, outward: &str| {
        let plan = world(&text(inward, outward)).plan(&from_gateway("in", ""), "1");
        plan.ways[0].policy.max_talk.map(|longest| longest.as_secs())
    };
    let limit = |s: i32| format!("max_duration_s = {s}");
    assert_eq!(seconds("", ""), Some(7200));
    assert_eq!(seconds(&limit(-1), &limit(-1)), Some(7200));
    assert_eq!(seconds(&limit(0), &limit(-1)), None);
    assert_eq!(seconds(&limit(0), &limit(60)), Some(60));
    assert_eq!(seconds(&limit(90), &limit(60)), Some(60));
    assert_eq!(MaxDuration::default(), MaxDuration::System);
}

#[test]
fn there_are_no_more_ways_than_a_caller_waits_for() {
    let names: Vec<String> = (0..limits::WAYS_PER_CALL + 2).map(|i| format!("g{i}")).collect();
    let rows: Vec<(&str, &str, &str)> = names.iter().map(|name| (name.as_str(), r#""""#, "")).collect();
    let world = world(&gateways(&rows));
    let plan = world.plan(&phone("1001"), "1");
    assert_eq!(plan.ways.len(), limits::WAYS_PER_CALL);
    assert_eq!(plan.steps.iter().filter(|step| step.rule == Rule::RouteEnough).count(), 2);
}

#[test]
fn a_plan_goes_through_a_snapshot() {
    let world = world(&gateways(&[("one", r#""00""#, ""), ("two", r#""00""#, "failover = { next = [486] }")]));
    let plan = world.plan(&phone("1001"), "0049");
    let bytes = postcard::to_allocvec(&plan).expect("plain data");
    assert_eq!(postcard::from_bytes::<Plan>(&bytes), Ok(plan));
}
