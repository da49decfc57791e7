//! The system under the switch's process: what it does with what is sent, what it keeps of what comes.

use super::ops::Chances;
use crosspoint_core::time::Instant;
use serde::{Deserialize, Serialize};

/// What one datagram in the receive buffer costs besides its bytes: Linux counts the `sk_buff` and the rest of its page.
pub(super) const DATAGRAM_OVERHEAD_BYTES: usize = 768;
/// What one receive call brings at most, as in the host's driver.
const BATCH: u64 = 64;

/// How the system treats the switch's process. The default is as kind as a kernel can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kernel {
    /// How often the send buffer is full, in thousandths: the datagram is lost, and the switch is told at once.
    pub full_permille: u64,
    /// How often the system refuses a datagram, in thousandths, as for want of a route: it is lost, and the switch is
    /// told with its next turn.
    pub refuse_permille: u64,
    /// What is sent waits for room at most so long; it keeps its order.
    pub send_delay_us: u64,
    /// Room for datagrams that wait for the switch; what comes when it is full is lost.
    pub receive_buffer_bytes: usize,
    /// What one receive call brings at most.
    pub batch: u64,
    /// A receive call brings any number of datagrams from one to `batch`.
    pub cuts_batches: bool,
    /// The thread wakes so much late at most: what comes meanwhile waits for it.
    pub wake_delay_us: u64,
    /// A datagram to an address where nobody is comes back as an ICMP error. Without, that is held against the switch.
    pub tells_refusals: bool,
    /// The sink takes an event so much later than it was told.
    pub sink_delay_us: u64,
}

impl Default for Kernel {
    fn default() -> Kernel {
        Kernel {
            full_permille: 0,
            refuse_permille: 0,
            send_delay_us: 0,
            receive_buffer_bytes: 32 << 20,
            batch: BATCH,
            cuts_batches: false,
            wake_delay_us: 0,
            tells_refusals: false,
            sink_delay_us: 0,
        }
    }
}

impl Kernel {
    /// How many datagrams a receive call at this moment brings at most.
    pub(super) fn draw_batch(&self, now: Instant, chances: &Chances) -> u64 {
        if self.cuts_batches { 1 + chances.below_at(now, self.batch) } else { self.batch }
    }
}
