//! Whatever happens in whatever order: no panic, no timer without an owner, nothing left in the end, and a layer that was
//! stored and restored at every step does what one does that never was.

use super::world::{World, branch, flow, our_request, peer, their_request, their_response};
use crate::transaction::{ClientId, Kind, NewRequest, Received, Reply, ServerId};
use bytes::Bytes;
use quickcheck::{Arbitrary, Gen, quickcheck};

const METHODS: [&str; 6] = ["INVITE", "REGISTER", "BYE", "OPTIONS", "ACK", "CANCEL"];
const LETTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const STATUSES: [u16; 9] = [100, 180, 200, 202, 302, 401, 408, 486, 503];

/// One thing that happens; the numbers choose among what there is.
#[derive(Clone, Debug)]
enum Op {
    Wait { ms: u16 },
    Hear { method: u8, branch: u8, cookie: bool, tagged: bool },
    Respond { server: u8, status: u8 },
    Adopt { server: u8 },
    Acknowledge { server: u8 },
    Ask { invite: bool },
    Answer { client: u8, status: u8, tag: u8, cancel: bool },
    Cancel { client: u8 },
    DisownClient { client: u8 },
    Undelivered { elsewhere: bool },
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Op {
        let n = u8::arbitrary(g) % 4;
        let m = u8::arbitrary(g);
        let yes = bool::arbitrary(g);
        match u8::arbitrary(g) % 16 {
            0 | 1 => Op::Wait { ms: u16::arbitrary(g) % 9_000 },
            2..=4 => Op::Hear { method: m, branch: n, cookie: yes, tagged: bool::arbitrary(g) },
            5 | 6 => Op::Respond { server: n, status: m },
            7 => Op::Adopt { server: n },
            8 => Op::Acknowledge { server: n },
            9 | 10 => Op::Ask { invite: yes },
            11 | 12 => Op::Answer { client: n, status: m, tag: u8::arbitrary(g) % 2, cancel: yes },
            13 => Op::Cancel { client: n },
            14 => Op::DisownClient { client: n },
            _ => Op::Undelivered { elsewhere: m > 20 },
        }
    }
}

/// The world and the names of what was begun in it.
struct Run {
    world: World,
    servers: Vec<ServerId>,
    clients: Vec<(ClientId, String)>,
    begun: u8,
}

impl Run {
    fn new() -> Run {
        Run { world: World::new(), servers: Vec::new(), clients: Vec::new(), begun: 0 }
    }

    fn server(&self, n: u8) -> Option<ServerId> {
        self.servers.iter().rev().nth(usize::from(n)).copied()
    }

    fn client(&self, n: u8) -> Option<(ClientId, String)> {
        self.clients.iter().rev().nth(usize::from(n)).cloned()
    }

    fn step(&mut self, op: &Op) {
        match *op {
            Op::Wait { ms } => self.world.wait_ms(u64::from(ms)),
            Op::Hear { method, branch, cookie, tagged } => self.hear(method, branch, cookie, tagged),
            Op::Ask { invite } => self.ask(invite),
            Op::Answer { client, status, tag, cancel } => self.answer(client, status, tag, cancel),
            Op::Undelivered { elsewhere } => {
                self.world.undelivered(if elsewhere { flow("192.0.2.99:1") } else { peer() });
            }
            Op::Respond { server, status } => {
                if let Some(id) = self.server(server) {
                    self.world.answer(id, STATUSES[usize::from(status) % STATUSES.len()]);
                }
            }
            Op::Adopt { server } => {
                if let Some(id) = self.server(server) {
                    self.world.layer.adopt(id, super::world::OWNER, *b"0123456789abcdef");
                }
            }
            Op::Acknowledge { server } => {
                if let Some(id) = self.server(server) {
                    self.world.acknowledged(id);
                }
            }
            Op::Cancel { client } => {
                if let Some((id, _)) = self.client(client) {
                    self.world.cancel(id);
                }
            }
            Op::DisownClient { client } => {
                if let Some((id, _)) = self.client(client) {
                    self.world.layer.disown(&mut self.world.cx, id);
                    self.world.wait_ms(0);
                }
            }
        }
    }

    fn hear(&mut self, method: u8, branch: u8, cookie: bool, tagged: bool) {
        let prefix = if cookie { "z9hG4bK" } else { "" };
        let mut text = their_request(METHODS[usize::from(method) % METHODS.len()], &format!("{prefix}{branch}"));
        if tagged {
            text = text.replace("sip:bob@example.net>", "sip:bob@example.net>;tag=t");
        }
        if let Received::New(id) = self.world.hear_request(&text) {
            self.servers.push(id);
        }
    }

    fn ask(&mut self, invite: bool) {
        let letter = char::from(LETTERS[usize::from(self.begun)]);
        self.begun += 1;
        let (name, kind) = if invite { ("INVITE", Kind::Invite) } else { ("BYE", Kind::Other) };
        let text = our_request(name, letter);
        let new = NewRequest { flow: peer(), kind, branch: branch(letter), bytes: Bytes::from(text.clone()) };
        let id = self.world.layer.request(&mut self.world.cx, new, super::world::OWNER).unwrap();
        self.clients.push((id, text));
        self.world.wait_ms(0);
    }

    fn answer(&mut self, client: u8, status: u8, tag: u8, cancel: bool) {
        if let Some((_, request)) = self.client(client) {
            let request = if cancel { request.replace("17 INVITE", "17 CANCEL") } else { request };
            let status = STATUSES[usize::from(status) % STATUSES.len()];
            self.world.hear_response(&their_response(&request, status, &format!("t{tag}")));
        }
    }

    /// Through the snapshot format and back.
    fn restore(&mut self) {
        fn round<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
            postcard::from_bytes(&postcard::to_stdvec(value).unwrap()).unwrap()
        }
        self.world.layer = round(&self.world.layer);
        self.world.cx = round(&self.world.cx);
    }

    /// Every user ends what it began, and then time passes.
    fn end(&mut self) {
        for id in std::mem::take(&mut self.servers) {
            self.world.layer.respond(&mut self.world.cx, id, Reply::new(500, b"ours"));
        }
        for (id, _) in std::mem::take(&mut self.clients) {
            self.world.cancel(id);
        }
        self.world.wait_ms(64_000);
    }
}

/// No more requests of ours than there are letters to make a branch of.
fn cut(ops: &[Op]) -> &[Op] {
    &ops[..ops.len().min(LETTERS.len())]
}

quickcheck! {
    fn nothing_is_left_in_the_end(ops: Vec<Op>) -> bool {
        let mut run = Run::new();
        cut(&ops).iter().for_each(|op| run.step(op));
        run.end();
        run.world.assert_empty();
        true
    }

    fn a_restored_layer_goes_on_as_if_nothing_had_been(ops: Vec<Op>) -> bool {
        let (mut whole, mut pieces) = (Run::new(), Run::new());
        for op in cut(&ops) {
            whole.step(op);
            pieces.step(op);
            pieces.restore();
        }
        whole.end();
        pieces.end();
        whole.world.log == pieces.world.log && whole.world.sent == pieces.world.sent
    }

    fn a_non_invite_request_never_gets_1xx_but_100_nor_408(ops: Vec<Op>) -> bool {
        let mut run = Run::new();
        cut(&ops).iter().for_each(|op| run.step(op));
        let to_others = |line: &&str| line.contains("-> ") && line.contains(" to ") && !line.ends_with(" INVITE");
        let mut answers = run.world.log.lines().filter(to_others).map(|line| line.split_once("-> ").unwrap().1);
        answers.all(|answer| !answer.starts_with("408 ") && (!answer.starts_with('1') || answer.starts_with("100 ")))
    }
}
