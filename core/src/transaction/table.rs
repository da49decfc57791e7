//! All transactions of a switch, and what finds them.

use super::key::{Fingerprints, Key};
use super::uac::ClientKey;
use super::{ClientId, ClientTransaction, ServerId, ServerTransaction, Upcall};
use crate::cx::Cx;
use crate::handle::{Handle, Slab, Table};
use crate::input::Flow;
use crate::timers::TimerKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// All transactions of a switch. Servers and clients are each bounded by [`crate::limits::TRANSACTIONS`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transactions {
    pub(super) fingerprints: Fingerprints,
    pub(super) servers: Slab<ServerTransaction>,
    pub(super) server_keys: Table<Key, ServerId>,
    /// Requests outside of dialogs, by what their copies have in common.
    pub(super) merge_keys: Table<Key, ServerId>,
    pub(super) clients: Slab<ClientTransaction>,
    pub(super) client_keys: Table<ClientKey, ClientId>,
    /// The clients without any answer, by where they wait for it: those that an ICMP error ends.
    pub(super) unanswered: BTreeSet<(Flow, ClientId)>,
}

impl Transactions {
    /// No transactions. `table_key` is [`crate::rng::table_key`] of the seed.
    pub fn new(table_key: (u64, u64)) -> Transactions {
        Transactions {
            fingerprints: Fingerprints(table_key.0, table_key.1),
            servers: Slab::default(),
            server_keys: Table::new(table_key),
            merge_keys: Table::new(table_key),
            clients: Slab::default(),
            client_keys: Table::new(table_key),
            unanswered: BTreeSet::new(),
        }
    }

    /// How many transactions there are, those that only absorb included.
    pub fn len(&self) -> usize {
        self.servers() + self.clients()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many server transactions there are.
    pub fn servers(&self) -> usize {
        self.servers.len()
    }

    /// How many client transactions there are.
    pub fn clients(&self) -> usize {
        self.clients.len()
    }

    /// How many timers the transactions own: for a test that holds it against those armed. Walks all of them.
    pub fn timers(&self) -> usize {
        let servers: usize = self.servers.iter().map(|(_, server)| server.armed.count()).sum();
        servers + self.clients.iter().map(|(_, client)| client.armed.count()).sum::<usize>()
    }

    /// A timer of a transaction has fired. Panics on a key that is not one of a transaction.
    pub fn fire(&mut self, cx: &mut Cx, key: TimerKey) -> Option<Upcall> {
        match key {
            TimerKey::Server(bits, timer) => self.fire_server(cx, Handle::from_bits(bits), timer),
            TimerKey::Client(bits, timer) => self.fire_client(cx, Handle::from_bits(bits), timer),
            _ => panic!("{key:?} is no timer of a transaction"),
        }
    }
}
