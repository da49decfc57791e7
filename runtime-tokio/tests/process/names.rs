//! Names come through real sockets: a nameserver over UDP and TCP answers the real process.

use crate::serving::{CONFIG, Serving};
use crosspoint_core::command::Carrier;
use crosspoint_sim::world::{Manner, Zone};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A nameserver on one port of both kinds, for as long as the test's process lives.
fn nameserver(zone: Zone) -> (SocketAddr, Arc<Mutex<Zone>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let socket = UdpSocket::bind(address).unwrap();
    let zone = Arc::new(Mutex::new(zone));
    let answer = |zone: &Mutex<Zone>, query: &[u8], carrier| zone.lock().unwrap().answer(query, carrier).flatten();
    std::thread::spawn({
        let zone = zone.clone();
        move || {
            let mut query = [0; 512];
            while let Ok((length, asker)) = socket.recv_from(&mut query) {
                if let Some(message) = answer(&zone, &query[..length], Carrier::Udp) {
                    socket.send_to(&message, asker).unwrap();
                }
            }
        }
    });
    std::thread::spawn({
        let zone = zone.clone();
        move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut query).unwrap();
                if let Some(message) = answer(&zone, &query, Carrier::Tcp) {
                    stream.write_all(&u16::try_from(message.len()).unwrap().to_be_bytes()).unwrap();
                    stream.write_all(&message).unwrap();
                }
            }
        }
    });
    (address, zone)
}

/// A switch that asks this nameserver for the peers of its gateway, and logs its events.
fn serving(nameserver: SocketAddr) -> Serving {
    let keys = format!("[switch]\nnameservers = [\"{nameserver}\"]\nevent_log = \"events.jsonl\"\n");
    let gateway = "\n[[gateway]]\nname = \"west\"\ndirection = \"mapping\"\npeers = [\"gw.example\"]\n";
    Serving::new(&(CONFIG.replace("[switch]\n", &keys) + gateway))
}

/// The first event that says where the gateway is; ten seconds at most.
fn located(serving: &Serving) -> serde_json::Value {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let log = std::fs::read_to_string(serving.state_dir().join("events.jsonl")).unwrap();
        // the last line may not be whole yet
        let mut events = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        if let Some(event) = events.find(|event| event["event"] == "gateway.located") {
            return event;
        }
        assert!(Instant::now() < until, "no gateway was located:\n{log}");
        std::thread::yield_now();
    }
}

#[test]
fn a_gateway_is_found_over_udp_and_what_is_too_long_over_tcp() {
    let mut zone = Zone::default();
    zone.set("_sip._udp.gw.example", &["SRV 0 0 5070 a.gw.example"]);
    zone.behave("_sip._udp.gw.example", Manner::Truncates);
    zone.set("a.gw.example", &["A 192.0.2.1", "A 192.0.2.2"]);
    let (address, zone) = nameserver(zone);
    let event = located(&serving(address));
    assert_eq!(event["addresses"], serde_json::json!(["192.0.2.1", "192.0.2.2"]), "{event}");
    assert_eq!(event["rule"], "dns.resolved");
    let srv = "SRV _sip._udp.gw.example";
    assert_eq!(zone.lock().unwrap().take_asked(), ["NAPTR gw.example", srv, srv, "A a.gw.example"]);
}

#[test]
fn a_nameserver_that_is_not_there_is_noticed_at_once() {
    let dead = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let started = Instant::now();
    let event = located(&serving(dead));
    assert_eq!(event["rule"], "dns.server-failure", "{event}");
    // only ICMP tells so soon: in silence a question takes four seconds
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}
