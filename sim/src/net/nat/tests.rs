//! The requirements of RFC 4787 §12, one by one, and the choices that it leaves.

use super::*;
use quickcheck::quickcheck;

const SERVER: &str = "192.0.2.1:5060";
const OTHER_PORT: &str = "192.0.2.1:5080";
const OTHER_HOST: &str = "192.0.2.9:5060";
const PHONE: &str = "10.0.0.5:5060";
const EVERY: [Dependence; 3] =
    [Dependence::EndpointIndependent, Dependence::AddressDependent, Dependence::AddressAndPortDependent];

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn public() -> IpAddr {
    "198.51.100.1".parse().unwrap()
}

fn s(seconds: u64) -> Instant {
    Instant::from_micros(seconds * 1_000_000)
}

fn nat(change: impl FnOnce(&mut Settings)) -> Nat {
    let mut settings = Settings::new(public());
    change(&mut settings);
    Nat::new(settings, 7)
}

fn out(nat: &mut Nat, at: Instant, inside: &str, far: &str) -> SocketAddr {
    nat.outward(at, address(inside), address(far)).unwrap()
}

fn comes_in(nat: &mut Nat, at: Instant, outside: SocketAddr, far: &str) -> Result<SocketAddr, Loss> {
    nat.inward(at, outside.port(), address(far))
}

/// RFC 4787 §4.1, REQ-1: the same address inside, seen by three far ends.
#[test]
fn mapping_depends_on_as_much_of_the_far_end_as_it_says() {
    let alike = |mapping: Dependence| {
        let mut nat = nat(|settings| settings.mapping = mapping);
        let [first, port, host] = [SERVER, OTHER_PORT, OTHER_HOST].map(|far| out(&mut nat, s(0), PHONE, far));
        assert_eq!(first.ip(), public());
        [first == port, first == host]
    };
    assert_eq!(EVERY.map(alike), [[true, true], [true, false], [false, false]]);
}

/// RFC 4787 §5, REQ-8: who may send to the port, after the phone has sent to the server.
#[test]
fn filtering_lets_in_whom_it_says() {
    let comes = |filtering: Dependence| {
        let mut nat = nat(|settings| settings.filtering = filtering);
        let outside = out(&mut nat, s(0), PHONE, SERVER);
        [SERVER, OTHER_PORT, OTHER_HOST].map(|far| comes_in(&mut nat, s(1), outside, far).is_ok())
    };
    assert_eq!(EVERY.map(comes), [[true, true, true], [true, true, false], [true, false, false]]);
}

#[test]
fn what_is_filtered_and_what_has_no_mapping_are_told_apart() {
    let mut nat = nat(|_| {});
    let outside = out(&mut nat, s(0), PHONE, SERVER);
    assert_eq!(comes_in(&mut nat, s(1), outside, SERVER), Ok(address(PHONE)));
    assert_eq!(comes_in(&mut nat, s(1), outside, OTHER_HOST), Err(Loss::NatFiltered));
    assert_eq!(nat.inward(s(1), outside.port() ^ 1, address(SERVER)), Err(Loss::NatExpired));
}

/// REQ-5: a mapping that nothing refreshes is over after its time, to the microsecond.
#[test]
fn a_mapping_expires() {
    let mut nat = nat(|settings| settings.expiry_ms = 30_000);
    let outside = out(&mut nat, s(0), PHONE, SERVER);
    assert!(comes_in(&mut nat, Instant::from_micros(29_999_999), outside, SERVER).is_ok());
    assert_eq!(comes_in(&mut nat, s(30), outside, SERVER), Err(Loss::NatExpired));
    assert_ne!(out(&mut nat, s(30), PHONE, SERVER), outside, "a new mapping is another one");
}

/// REQ-6: what goes out refreshes always; what comes in where the NAT is of that kind.
#[test]
fn refresh_is_by_what_goes_out_and_by_what_comes_in_where_set() {
    for is_refreshed_inbound in [false, true] {
        let mut nat = nat(|settings| settings.is_refreshed_inbound = is_refreshed_inbound);
        let outside = out(&mut nat, s(0), PHONE, SERVER);
        assert_eq!(out(&mut nat, s(20), PHONE, SERVER), outside);
        assert!(comes_in(&mut nat, s(45), outside, SERVER).is_ok());
        assert_eq!(comes_in(&mut nat, s(70), outside, SERVER).is_ok(), is_refreshed_inbound);
    }
}

/// RFC 4787 §4.3: else an attacker outside could keep a mapping alive.
#[test]
fn what_is_filtered_refreshes_nothing() {
    let mut nat = nat(|settings| settings.is_refreshed_inbound = true);
    let outside = out(&mut nat, s(0), PHONE, SERVER);
    assert_eq!(comes_in(&mut nat, s(20), outside, OTHER_HOST), Err(Loss::NatFiltered));
    assert_eq!(comes_in(&mut nat, s(40), outside, SERVER), Err(Loss::NatExpired));
}

/// A far end that is spoken to no more is let in no more, although the mapping lives on for another.
#[test]
fn a_permit_expires_by_itself() {
    let mut nat = nat(|_| {});
    let outside = out(&mut nat, s(0), PHONE, OTHER_HOST);
    assert_eq!(out(&mut nat, s(25), PHONE, SERVER), outside);
    assert!(comes_in(&mut nat, s(35), outside, SERVER).is_ok());
    assert_eq!(comes_in(&mut nat, s(35), outside, OTHER_HOST), Err(Loss::NatFiltered));
}

/// REQ-3: a NAT has no port for two ("port overloading"), though both ask for the same one.
#[test]
fn ports_are_preserved_where_they_are_free_and_never_shared() {
    let mut nat = nat(|settings| settings.preserves_ports = true);
    let first = out(&mut nat, s(0), PHONE, SERVER);
    let second = out(&mut nat, s(0), "10.0.0.6:5060", SERVER);
    assert_eq!(first.port(), 5060);
    assert_ne!(second.port(), 5060);
    // after its end the port is free again
    assert_eq!(out(&mut nat, s(30), "10.0.0.7:5060", SERVER).port(), 5060);
    assert_eq!(comes_in(&mut nat, s(31), first, SERVER), Ok(address("10.0.0.7:5060")));
    assert_ne!(out(&mut nat, s(32), PHONE, SERVER).port(), 5060);
    assert_eq!(comes_in(&mut nat, s(33), first, SERVER), Ok(address("10.0.0.7:5060")));
}

/// REQ-3a and REQ-4: the range of the port and its parity stay, whatever is drawn.
#[test]
fn ports_keep_their_range_and_parity() {
    for (host, port) in [(1, 5060), (2, 5061), (3, 500), (4, 123), (5, 1), (6, 65_535)] {
        let outside = out(&mut nat(|_| {}), s(0), &format!("10.0.0.{host}:{port}"), SERVER).port();
        assert_eq!((outside % 2, outside < 1024), (port % 2, port < 1024), "{port} became {outside}");
        assert_ne!(outside, 0);
    }
}

#[test]
fn a_nat_without_a_port_left_says_so_until_one_is_over() {
    let mut nat = nat(|_| {});
    let phone = |n: u32| SocketAddr::new(IpAddr::V4((0x0a00_0000 + n).into()), 22);
    for n in 0..511 {
        nat.outward(s(0), phone(n), address(SERVER)).unwrap();
        nat.settings.expiry_ms = 600_000; // of all but the first
    }
    assert_eq!(nat.outward(s(29), phone(511), address(SERVER)), Err(Loss::NatFull));
    assert!(nat.outward(s(30), phone(511), address(SERVER)).is_ok(), "the first one is over");
    assert_eq!(nat.outward(s(30), phone(512), address(SERVER)), Err(Loss::NatFull));
}

#[test]
fn a_reboot_forgets_every_mapping() {
    let mut nat = nat(|_| {});
    let before = out(&mut nat, s(0), PHONE, SERVER);
    nat.reboot();
    assert_eq!(comes_in(&mut nat, s(1), before, SERVER), Err(Loss::NatExpired));
    assert_ne!(out(&mut nat, s(1), PHONE, SERVER), before);
}

/// What an ALG has opened lets everybody in, and is what the phone's media goes out by.
#[test]
fn an_opened_port_is_used_for_all() {
    let mut nat = nat(|settings| settings.mapping = Dependence::AddressAndPortDependent);
    let opened = nat.open(s(0), address("10.0.0.5:4000")).unwrap();
    assert_eq!(comes_in(&mut nat, s(1), opened, OTHER_HOST), Ok(address("10.0.0.5:4000")));
    assert_eq!(out(&mut nat, s(1), "10.0.0.5:4000", SERVER), opened);
    assert_eq!(out(&mut nat, s(1), "10.0.0.5:4000", OTHER_HOST), opened);
}

/// Two datagrams that overtake one another on their way to the NAT: it is the first to arrive that makes the mapping.
#[test]
fn a_mapping_begins_with_the_first_datagram_to_arrive() {
    let mut nat = nat(|_| {});
    let outside = out(&mut nat, s(9), PHONE, SERVER);
    assert_eq!(comes_in(&mut nat, s(5), outside, SERVER), Err(Loss::NatExpired), "it is not there yet");
    assert_eq!(out(&mut nat, s(4), PHONE, SERVER), outside);
    assert!(comes_in(&mut nat, s(5), outside, SERVER).is_ok());
}

#[test]
fn sweeping_permits_keeps_those_that_live() {
    let mut nat = nat(|_| {});
    let far = |n: u64| format!("203.0.113.7:{}", 1000 + n);
    let outside = out(&mut nat, s(0), PHONE, &far(0));
    (1..200).for_each(|n| assert_eq!(out(&mut nat, s(n), PHONE, &far(n)), outside));
    let let_in = (0..200).filter(|n| comes_in(&mut nat, s(199), outside, &far(*n)).is_ok());
    assert_eq!(let_in.collect::<Vec<_>>(), (170..200).collect::<Vec<_>>());
    assert!(nat.mappings[&(address(PHONE), None)].permits.len() <= PERMITS_SWEPT);
}

quickcheck! {
    /// However many ask for ports, no two of them have one.
    fn no_two_mappings_share_a_port(asking: Vec<(u8, u8, u8)>, preserves_ports: bool, which: usize) -> bool {
        let mut nat = nat(|settings| {
            (settings.mapping, settings.preserves_ports) = (EVERY[which % 3], preserves_ports);
        });
        let mut owners = BTreeMap::new();
        asking.into_iter().all(|(host, port, far)| {
            let inside = SocketAddr::from(([10, 0, 0, host], 5060 + u16::from(port % 4)));
            let far = SocketAddr::from(([192, 0, 2, far % 4], 5060 + u16::from(far / 128)));
            let outside = nat.outward(s(1), inside, far).unwrap();
            let owner = (inside, EVERY[which % 3].of(far));
            *owners.entry(outside).or_insert(owner) == owner
        })
    }

    /// A mapping lives exactly as long as the intervals between its refreshes are shorter than its expiry.
    fn a_mapping_lives_while_it_is_refreshed_in_time(waits_ms: Vec<u16>, expiry_ms: u16) -> bool {
        let mut nat = nat(|settings| settings.expiry_ms = u64::from(expiry_ms));
        let mut at = s(0);
        let mut outside = out(&mut nat, at, PHONE, SERVER);
        waits_ms.into_iter().all(|wait_ms| {
            at = at + Duration::from_millis(u64::from(wait_ms));
            let is_alive = comes_in(&mut nat, at, outside, SERVER).is_ok();
            outside = out(&mut nat, at, PHONE, SERVER);
            is_alive == (wait_ms < expiry_ms)
        })
    }
}
