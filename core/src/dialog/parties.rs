//! What never changes in a dialog: its Call-ID and who it is between.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Call-ID, and both name-addrs without their tags. All dialogs that one INVITE leads to have the same, so that copies share
/// one text: calls are many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parties {
    /// Call-ID, our name-addr, the peer's name-addr.
    text: Arc<[u8]>,
    /// Where the second and the third begin.
    begins: [u32; 2],
}

impl Parties {
    /// Of a dialog with this Call-ID; `local` is From of our requests and `remote` To.
    pub fn new(call_id: &[u8], local: &[u8], remote: &[u8]) -> Parties {
        let begins = [call_id.len(), call_id.len() + local.len()];
        let begins = begins.map(|at| u32::try_from(at).expect("they stand in datagrams, which are far below 4 GiB"));
        Parties { text: [call_id, local, remote].concat().into(), begins }
    }

    /// Call-ID of this leg.
    pub fn call_id(&self) -> &[u8] {
        &self.text[..self.begins[0] as usize]
    }

    /// Our name-addr, without a tag: From of our requests.
    pub fn local(&self) -> &[u8] {
        &self.text[self.begins[0] as usize..self.begins[1] as usize]
    }

    /// The peer's name-addr, without a tag: To of our requests.
    pub fn remote(&self) -> &[u8] {
        &self.text[self.begins[1] as usize..]
    }
}

#[cfg(test)]
mod tests {
    use super::Parties;

    quickcheck::quickcheck! {
        fn each_is_as_it_was_given(call_id: Vec<u8>, local: Vec<u8>, remote: Vec<u8>) -> bool {
            let parties = Parties::new(&call_id, &local, &remote);
            (parties.call_id(), parties.local(), parties.remote()) == (&call_id[..], &local[..], &remote[..])
        }
    }
}
