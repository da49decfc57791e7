//! What the network says comes through the event loop.

use crate::phones::{Line, register, until_all};
use crate::serving::{CONFIG, Serving};
use crosspoint_sim::phone::Notice;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

#[test]
fn a_gateway_that_is_not_there_is_noticed_at_once_and_stops_nothing() {
    let dead = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = format!(
        "\n[[gateway]]\nname = \"west\"\ndirection = \"routing\"\npeers = [\"{dead}\"]\nauth = \"ip\"\nprefixes = [\"00\"]\n"
    );
    let serving = Serving::new(&(CONFIG.to_owned() + &gateway));
    let switch: SocketAddr = serving.address.parse().unwrap();
    let mut lines = [Line::new("1001", "secret", switch)];
    register(&mut lines);
    let started = Instant::now();
    let now = lines[0].now();
    lines[0].phone.call(now, "0049301234");
    until_all(&mut lines, |notice| matches!(notice, Notice::Ended { .. }));
    // Only ICMP tells so soon: without it the INVITE is sent again for ten seconds.
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    lines[0].notices.clear();
    register(&mut lines);
}
