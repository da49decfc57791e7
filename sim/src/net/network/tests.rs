use super::super::alg;
use super::super::nat::{Dependence, Settings};
use super::super::{Burst, Fate};
use super::*;
use quickcheck::{Arbitrary, Gen, quickcheck};
use std::time::Duration;

const SERVER: &str = "192.0.2.1:5060";
const OTHER: &str = "192.0.2.9:5060";
const HOME: &str = "198.51.100.1";
const OFFICE: &str = "198.51.100.2";
const ALICE: &str = "10.0.0.5:5060";
const BOB: &str = "10.0.0.6:5060";

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn ms(ms: u64) -> Instant {
    Instant::from_micros(ms * 1000)
}

/// A server, another host, and Alice and Bob behind one NAT.
struct Scene {
    network: Network,
    server: NodeId,
    other: NodeId,
    nat: NatId,
    alice: NodeId,
    bob: NodeId,
}

fn scene(change: impl FnOnce(&mut Settings)) -> Scene {
    let mut network = Network::new(Seed::from_number(7));
    let mut settings = Settings::new(HOME.parse().unwrap());
    change(&mut settings);
    let nat = network.add_nat(settings);
    let direct = |network: &mut Network, at| network.add_node(address(at), None, Plan::AT_ONCE, Plan::AT_ONCE);
    let behind = |network: &mut Network, at| network.add_node(address(at), Some(nat), Plan::GOOD, Plan::GOOD);
    let (server, other) = (direct(&mut network, SERVER), direct(&mut network, OTHER));
    let (alice, bob) = (behind(&mut network, ALICE), behind(&mut network, BOB));
    Scene { network, server, other, nat, alice, bob }
}

impl Scene {
    /// The one copy that arrives.
    fn sends(&mut self, at: Instant, from: NodeId, to: SocketAddr) -> Result<Arrival, Loss> {
        self.sends_this(at, from, to, "x")
    }

    fn sends_this(&mut self, at: Instant, from: NodeId, to: SocketAddr, what: &str) -> Result<Arrival, Loss> {
        let passage = self.network.send(at, from, to, Bytes::from(what.to_owned()), 0);
        assert!(passage.arrivals.len() + usize::from(passage.lost.is_some()) == 1, "{passage:?}");
        passage.arrivals.into_iter().next().ok_or_else(|| passage.lost.unwrap())
    }
}

#[test]
fn a_path_takes_the_way_up_and_the_way_down() {
    let mut scene = scene(|_| {});
    let there = scene.sends(ms(10), scene.alice, address(SERVER)).unwrap();
    assert_eq!((there.at, there.node, there.destination), (ms(11), scene.server, address(SERVER)));
    let back = scene.sends(ms(20), scene.server, there.source).unwrap();
    assert_eq!((back.at, back.node), (ms(21), scene.alice));
    assert_eq!((back.source, back.destination), (address(SERVER), address(ALICE)));
}

#[test]
fn nobody_outside_knows_the_way_to_an_address_inside() {
    let mut scene = scene(|_| {});
    assert_eq!(scene.sends(ms(0), scene.server, address(ALICE)), Err(Loss::Nobody));
    assert_eq!(scene.sends(ms(0), scene.server, address("198.51.100.1:5060")), Err(Loss::NatExpired));
}

#[test]
fn neighbours_reach_each_other_inside() {
    let mut scene = scene(|_| {});
    let arrival = scene.sends(ms(0), scene.alice, address(BOB)).unwrap();
    assert_eq!((arrival.node, arrival.source, arrival.at), (scene.bob, address(ALICE), ms(2)));
}

#[test]
fn two_sites_may_have_the_same_addresses_inside() {
    let mut scene = scene(|_| {});
    let office = scene.network.add_nat(Settings::new(OFFICE.parse().unwrap()));
    let twin = scene.network.add_node(address(ALICE), Some(office), Plan::GOOD, Plan::GOOD);
    let of_alice = scene.sends(ms(0), scene.alice, address(SERVER)).unwrap().source;
    let of_twin = scene.sends(ms(0), twin, address(SERVER)).unwrap().source;
    assert_eq!(scene.sends(ms(5), scene.server, of_twin).unwrap().node, twin);
    assert_eq!(scene.sends(ms(5), scene.server, of_alice).unwrap().node, scene.alice);
}

/// RFC 4787 §6, REQ-9: with hairpinning, and with the address outside as the source (REQ-9a).
#[test]
fn hairpinning_leads_back_inside_where_the_nat_has_it() {
    for has_hairpin in [false, true] {
        let mut scene = scene(|settings| *settings = Settings { has_hairpin, ..Settings::good(settings.public) });
        let of_bob = scene.sends(ms(0), scene.bob, address(SERVER)).unwrap().source;
        let of_alice = scene.sends(ms(0), scene.alice, address(SERVER)).unwrap().source;
        let led_back = scene.sends(ms(5), scene.alice, of_bob).map(|arrival| (arrival.node, arrival.source));
        assert_eq!(led_back, if has_hairpin { Ok((scene.bob, of_alice)) } else { Err(Loss::NoHairpin) });
    }
}

/// RFC 6888: two homes behind one carrier, with the same addresses inside; what a NAT behind a NAT makes of it.
#[test]
fn a_home_may_be_behind_its_carrier() {
    for has_hairpin in [false, true] {
        let mut network = Network::new(Seed::from_number(7));
        let server = network.add_node(address(SERVER), None, Plan::AT_ONCE, Plan::AT_ONCE);
        let carrier = network.add_nat(Settings { has_hairpin, ..Settings::good("203.0.113.1".parse().unwrap()) });
        let home = |n| Settings::new(IpAddr::from([100, 64, 0, n]));
        let homes = [1, 2].map(|n| network.add_nat_behind(Some(carrier), home(n)));
        let phones = homes.map(|home| network.add_node(address(ALICE), Some(home), Plan::GOOD, Plan::GOOD));
        let mut sends = |at, from, to| {
            let passage = network.send(at, from, to, Bytes::from_static(b"x"), 0);
            passage.arrivals.into_iter().next().ok_or_else(|| passage.lost.unwrap())
        };
        let seen = phones.map(|phone| sends(ms(0), phone, address(SERVER)).unwrap().source);
        assert_eq!(seen.map(|seen| seen.ip().to_string()), ["203.0.113.1"; 2]);
        assert_eq!(seen.map(|to| sends(ms(1), server, to).unwrap().node), phones);
        // the carrier's mapping lives for minutes, that of the home for half of one
        assert_eq!(sends(ms(40_000), server, seen[0]), Err(Loss::NatExpired));
        // from home to home: led back by the carrier, and then filtered by the home
        let led_back = sends(ms(2), phones[0], seen[1]);
        assert_eq!(led_back, Err(if has_hairpin { Loss::NatFiltered } else { Loss::NoHairpin }));
        sends(ms(3), phones[1], seen[0]).ok();
        let led_back = sends(ms(9), phones[0], seen[1]).map(|arrival| (arrival.node, arrival.source));
        assert_eq!(led_back.ok(), has_hairpin.then_some((phones[1], seen[0])));
        assert_eq!(phones.map(|phone| network.outside_of(ms(10), phone, address(SERVER))), seen.map(Some));
    }
}

#[test]
fn a_reboot_cuts_everybody_off_until_they_send_again() {
    let mut scene = scene(|_| {});
    let before = scene.sends(ms(0), scene.alice, address(SERVER)).unwrap().source;
    scene.network.reboot_nat(scene.nat);
    assert_eq!(scene.sends(ms(5), scene.server, before), Err(Loss::NatExpired));
    let after = scene.sends(ms(6), scene.alice, address(SERVER)).unwrap().source;
    assert_eq!(scene.sends(ms(7), scene.server, after).unwrap().node, scene.alice);
}

#[test]
fn an_attacker_forges_its_source_and_is_filtered_all_the_same() {
    let mut scene = scene(|_| {});
    let outside = scene.sends(ms(0), scene.alice, address(SERVER)).unwrap().source;
    assert_eq!(scene.sends(ms(5), scene.other, outside), Err(Loss::NatFiltered));
    let forged = scene.network.spoof(ms(5), scene.other, address(SERVER), outside, Bytes::from_static(b"x"), 0);
    assert_eq!(forged.arrivals.into_iter().next().map(|arrival| arrival.node), Some(scene.alice));
}

#[test]
fn a_partition_is_for_a_time_and_for_a_direction() {
    let reached = |direction, at| {
        let mut scene = scene(|_| {});
        scene.network.partition(&[scene.server], direction, Stopped::Lost, ms(100));
        let there = scene.sends(ms(at), scene.other, address(SERVER)).is_ok();
        [there, scene.sends(ms(at), scene.server, address(OTHER)).is_ok()]
    };
    assert_eq!(reached(Direction::Both, 99), [false, false]);
    assert_eq!(reached(Direction::Out, 99), [true, false]);
    assert_eq!(reached(Direction::In, 99), [false, true]);
    assert_eq!(reached(Direction::Both, 100), [true, true]);
    let mut scene = scene(|_| {});
    scene.network.partition(&[scene.bob, scene.alice], Direction::Both, Stopped::Lost, ms(100));
    scene.network.partition(&[scene.bob, scene.alice], Direction::Out, Stopped::Lost, ms(100));
    assert!(scene.sends(ms(0), scene.alice, address(BOB)).is_ok(), "both are on one side");
    assert_eq!(scene.sends(ms(0), scene.alice, address(SERVER)), Err(Loss::Partitioned));
}

#[test]
fn a_clogged_way_holds_everything_until_it_is_free() {
    let mut scene = scene(|_| {});
    let outside = scene.sends(ms(0), scene.alice, address(SERVER)).unwrap().source;
    scene.network.partition(&[scene.alice], Direction::In, Stopped::Held, ms(100));
    assert_eq!(scene.sends(ms(10), scene.server, outside).unwrap().at, ms(101));
    assert_eq!(scene.sends(ms(10), scene.alice, address(SERVER)).unwrap().at, ms(11));
}

#[test]
fn what_a_partition_stops_refreshes_no_nat() {
    let mut scene = scene(|settings| settings.is_refreshed_inbound = true);
    let outside = scene.sends(ms(0), scene.alice, address(SERVER)).unwrap().source;
    scene.network.partition(&[scene.server], Direction::Out, Stopped::Lost, ms(25_000));
    assert_eq!(scene.sends(ms(20_000), scene.server, outside), Err(Loss::Partitioned));
    assert_eq!(scene.sends(ms(31_000), scene.server, outside), Err(Loss::NatExpired));
}

#[test]
fn calm_mends_links_and_ends_partitions_and_leaves_mappings() {
    let mut scene = scene(|_| {});
    let outside = scene.sends(ms(0), scene.alice, address(SERVER)).unwrap().source;
    let dead = Plan { loss_permille: 1000, ..Plan::GOOD };
    scene.network.set_plans(scene.alice, dead, dead);
    scene.network.fault_down(scene.alice, Fault::new("", 1, Fate::Lose));
    scene.network.partition(&[scene.alice], Direction::Both, Stopped::Lost, Instant::FAR_FUTURE);
    assert_eq!(scene.sends(ms(1), scene.alice, address(SERVER)), Err(Loss::Lost));
    scene.network.calm();
    assert_eq!(scene.sends(ms(2), scene.server, outside).unwrap().at, ms(3));
}

#[test]
fn a_doubled_datagram_is_lost_only_where_both_copies_are() {
    let mut scene = scene(|_| {});
    scene.network.set_plans(scene.server, Plan::AT_ONCE, Plan::DOUBLED);
    scene.network.set_plans(scene.alice, Plan::DOUBLED, Plan::GOOD);
    let bytes = Bytes::from_static(b"x");
    let passage = scene.network.send(ms(0), scene.alice, address(SERVER), bytes.clone(), 0);
    assert_eq!((passage.arrivals.len(), passage.lost), (4, None));
    for nth in [1, 2] {
        // the first or the second copy on its way down
        scene.network.calm();
        scene.network.set_plans(scene.alice, Plan::DOUBLED, Plan::GOOD);
        scene.network.fault_down(scene.server, Fault::new("", nth, Fate::Lose));
        let passage = scene.network.send(ms(0), scene.alice, address(SERVER), bytes.clone(), 0);
        assert_eq!((passage.arrivals.len(), passage.lost), (1, None));
    }
}

#[test]
fn who_is_seen_where_can_be_asked() {
    let mut scene = scene(|_| {});
    assert_eq!(scene.network.outside_of(ms(0), scene.alice, address(SERVER)), None);
    let outside = scene.sends(ms(0), scene.alice, address(SERVER)).unwrap().source;
    assert_eq!(scene.network.outside_of(ms(1), scene.alice, address(SERVER)), Some(outside));
    assert_eq!(scene.network.node_at(ms(1), outside), Some(scene.alice));
    assert_eq!(scene.network.node_at(ms(40_000), outside), None);
    assert_eq!(scene.network.node_at(ms(0), address(SERVER)), Some(scene.server));
}

/// An ALG writes the very address that the NAT gives, opens the media's, and undoes it on the way back.
#[test]
fn an_alg_agrees_with_its_nat() {
    let mut scene = scene(|settings| settings.alg = Some(alg::Settings::careful()));
    let invite = "INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5:5060;branch=1\r\nContact: <sip:a@10.0.0.5:5060>\r\n\
                  Content-Length: 55\r\n\r\nv=0\r\nc=IN IP4 10.0.0.5\r\nm=audio 4000 RTP/AVP 0\r\n";
    let arrival = scene.sends_this(ms(0), scene.alice, address(SERVER), invite).unwrap();
    let text = String::from_utf8(arrival.datagram.to_vec()).unwrap();
    assert!(text.contains(&format!("Contact: <sip:a@{}>", arrival.source)), "{text}");
    assert_eq!(scene.sends(ms(1), scene.other, arrival.source), Err(Loss::NatFiltered), "only media is opened to all");
    let media = text.split("m=audio ").nth(1).unwrap().split(' ').next().unwrap();
    let media = SocketAddr::new(HOME.parse().unwrap(), media.parse().unwrap());
    scene.network.add_address(scene.alice, address("10.0.0.5:4000"));
    assert_eq!(scene.sends(ms(1), scene.other, media).unwrap().destination, address("10.0.0.5:4000"));
    let trying = text.replace("INVITE sip:b SIP/2.0", "SIP/2.0 100 Trying");
    let back = scene.sends_this(ms(2), scene.server, arrival.source, &trying).unwrap();
    let back = String::from_utf8(back.datagram.to_vec()).unwrap();
    assert!(back.contains("\r\nVia: SIP/2.0/UDP 10.0.0.5:5060;branch=1\r\n"), "{back}");
}

#[test]
fn an_alg_reads_nothing_to_another_port() {
    let mut scene =
        scene(|settings| settings.alg = Some(alg::Settings { limit_bytes: Some(0), ..alg::Settings::none() }));
    scene.network.add_address(scene.server, address("192.0.2.1:5080"));
    assert_eq!(scene.sends(ms(0), scene.alice, address(SERVER)), Err(Loss::AlgDropped));
    assert!(scene.sends(ms(0), scene.alice, address("192.0.2.1:5080")).is_ok());
}

/// One thing that happens in a network with two NATs of any kind.
#[derive(Clone, Debug)]
enum Happens {
    /// One of six phones sends to one of three hosts.
    Out(u8, u8),
    /// One of the hosts sends to an address that any host has seen, of the so many last.
    Back(u8, u8),
    Reboot(u8),
    WaitMs(u16),
}

impl Arbitrary for Happens {
    fn arbitrary(g: &mut Gen) -> Happens {
        match u8::arbitrary(g) % 8 {
            0..=2 => Happens::Out(u8::arbitrary(g) % 6, u8::arbitrary(g) % 3),
            3..=5 => Happens::Back(u8::arbitrary(g) % 3, u8::arbitrary(g)),
            6 => Happens::WaitMs(u16::arbitrary(g) % 20_000),
            _ => Happens::Reboot(u8::arbitrary(g) % 2),
        }
    }
}

/// Two NATs of these kinds with three phones each, all at the same three addresses, and three hosts outside.
fn two_sites(kinds: (u8, u8), preserves_ports: bool) -> (Network, Vec<NodeId>, Vec<NodeId>) {
    let kind = |n: u8| {
        [Dependence::EndpointIndependent, Dependence::AddressDependent, Dependence::AddressAndPortDependent]
            [usize::from(n % 3)]
    };
    let mut network = Network::new(Seed::from_number(7));
    let host = |n| SocketAddr::from(([192, 0, 2, n], 5060));
    let hosts = (0..3).map(|n| network.add_node(host(n), None, Plan::AT_ONCE, Plan::AT_ONCE)).collect();
    let mut phones = Vec::new();
    for public in [HOME, OFFICE] {
        let settings = Settings::new(public.parse().unwrap());
        let (mapping, filtering) = (kind(kinds.0), kind(kinds.1));
        let nat = network.add_nat(Settings { mapping, filtering, preserves_ports, ..settings });
        let inside = |n| SocketAddr::from(([10, 0, 0, n], 5060));
        phones.extend((0..3).map(|n| network.add_node(inside(n), Some(nat), Plan::AT_ONCE, Plan::AT_ONCE)));
    }
    (network, phones, hosts)
}

quickcheck! {
    /// What is sent to an address outside reaches the last one that was seen there, or nobody.
    fn a_nat_never_delivers_to_the_wrong_node(happens: Vec<Happens>, kinds: (u8, u8), preserves_ports: bool) -> bool {
        let (mut network, phones, hosts) = two_sites(kinds, preserves_ports);
        let mut now = ms(0);
        let mut seen: Vec<(SocketAddr, NodeId)> = Vec::new();
        happens.into_iter().all(|what| match what {
            Happens::Out(phone, host) => {
                let (phone, to) = (phones[usize::from(phone)], SocketAddr::from(([192, 0, 2, host], 5060)));
                let passage = network.send(now, phone, to, Bytes::from_static(b"x"), 0);
                let arrival = passage.arrivals.into_iter().next().unwrap();
                seen.push((arrival.source, phone));
                arrival.node == hosts[usize::from(host)]
            }
            Happens::Back(host, which) => {
                let Some(&(to, _)) = seen.iter().rev().nth(usize::from(which)) else { return true };
                let passage = network.send(now, hosts[usize::from(host)], to, Bytes::from_static(b"x"), 0);
                let owner = seen.iter().rev().find(|(outside, _)| *outside == to).unwrap().1;
                passage.arrivals.into_iter().all(|arrival| arrival.node == owner)
            }
            Happens::Reboot(nat) => {
                network.reboot_nat(NatId(u32::from(nat)));
                true
            }
            Happens::WaitMs(wait_ms) => {
                now = now + Duration::from_millis(u64::from(wait_ms));
                true
            }
        })
    }

    /// Over bad links and through a NAT: what becomes of one key's datagrams hangs on no other key.
    fn removing_a_key_leaves_the_fate_of_all_others(sent: Vec<(u8, bool)>, removed: u8) -> bool {
        let removed = u64::from(removed % 4);
        let burst = Burst { enter_permille: 100, leave_permille: 300, loss_permille: 800 };
        let plan = Plan { burst: Some(burst), ..Plan::BAD };
        let fates = |without: Option<u64>| -> Vec<_> {
            let mut scene = scene(|settings| settings.filtering = Dependence::EndpointIndependent);
            let outside = scene.sends(ms(0), scene.alice, address(SERVER)).unwrap().source;
            scene.network.set_plans(scene.alice, plan, plan);
            let left = sent.iter().enumerate().map(|(n, (key, out))| (n, u64::from(key % 4), *out));
            left.filter(|(_, key, _)| Some(*key) != without).map(|(n, key, out)| {
                let (from, to) = if out { (scene.alice, address(SERVER)) } else { (scene.server, outside) };
                (key, scene.network.send(ms(10 + n as u64), from, to, Bytes::from_static(b"x"), key))
            }).filter(|(key, _)| *key != removed).collect()
        };
        fates(None) == fates(Some(removed))
    }
}
