//! The threads that relay media, as the signalling thread sees them.

use crate::clock::Clock;
use crate::media::{Counts, Order, Remote, Report, Settings, spawn};
use crosspoint_core::config::Config;
use crosspoint_core::media::MediaShard;
use crosspoint_core::media::tone::Sounds;
use crosspoint_core::ports::Shard;
use crosspoint_core::rng::{Seed, media_stream};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::unistd::Pid;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// Reports of one shard that one turn takes at most; the rest comes with the next one, so that signalling goes on.
const REPORTS_AT_ONCE: usize = 64;

/// Shards whose wake-up is read at a time.
const EVENTS: usize = 64;

/// All shards, watched together through one descriptor.
pub(super) struct Shards {
    remotes: Vec<Remote>,
    epoll: Epoll,
}

impl Shards {
    /// Starts as many as [`Config::shards`] says, each on a processor of its own as far as there are so many; see
    /// [`Settings::port_files`].
    ///
    /// # Errors
    /// The system's, where it gives no descriptors or no thread.
    pub(super) fn start(
        config: &Config,
        sounds: &Sounds,
        clock: Clock,
        seed: Seed,
        port_files: u64,
    ) -> io::Result<Shards> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let processors = processors();
        let mut remotes = Vec::new();
        for number in 0..config.shards() {
            let cpu = processors.get(usize::from(number) % processors.len().max(1)).copied();
            let type_of_service = config.parameters.qos_rtp();
            let settings = Settings { batch_us: config.media_batch_us, type_of_service, port_files, cpu };
            let shard = MediaShard::new(media_stream(seed, number), sounds.clone());
            let remote = spawn(&format!("media-{number}"), clock, settings, shard)?;
            epoll.add(&remote, EpollEvent::new(EpollFlags::EPOLLIN, number.into()))?;
            remotes.push(remote);
        }
        Ok(Shards { remotes, epoll })
    }

    /// Takes from another configuration what needs no restart.
    pub(super) fn configure(&mut self, config: &Config) {
        let (batch_us, type_of_service) = (config.media_batch_us, config.parameters.qos_rtp());
        for remote in &mut self.remotes {
            remote.order(Order::Set { batch_us, type_of_service });
        }
        self.flush();
    }

    /// Takes an order for [`Shards::flush`].
    pub(super) fn order(&mut self, shard: Shard, order: Order) {
        let remote = self.remotes.get_mut(usize::from(shard.0));
        remote.expect("the switch has as many shards as were started").order(order);
    }

    /// Other recordings, for the ops that are ordered from now on.
    pub(super) fn set_sounds(&mut self, sounds: &Sounds) {
        self.remotes.iter_mut().for_each(|remote| remote.order(Order::Sounds(sounds.clone())));
    }

    /// Wakes those that have got orders.
    pub(super) fn flush(&mut self) {
        self.remotes.iter_mut().for_each(Remote::flush);
    }

    /// Reads off the wake-ups of shards that have reports.
    pub(super) fn hear(&self) {
        let mut events = [EpollEvent::empty(); EVENTS];
        while let Ok(ready @ 1..) = self.epoll.wait(&mut events, EpollTimeout::ZERO) {
            for event in events.iter().take(ready) {
                self.remotes[event.data() as usize].hear();
            }
            if ready < EVENTS {
                return;
            }
        }
    }

    /// What each held and had done after its last pass.
    pub(super) fn counts(&self) -> impl Iterator<Item = Counts> {
        self.remotes.iter().map(Remote::counts)
    }

    /// Ends their threads and closes their ports.
    pub(super) fn end(&mut self) {
        self.remotes.clear();
    }

    /// The reports at hand, of each shard at most [`REPORTS_AT_ONCE`]; says whether one has reached that.
    pub(super) fn collect(&mut self, mut take: impl FnMut(Shard, Report)) -> bool {
        let mut more = false;
        for (number, remote) in (0..).map(Shard).zip(&mut self.remotes) {
            let reports = std::iter::from_fn(|| remote.report()).take(REPORTS_AT_ONCE);
            more |= reports.map(|report| take(number, report)).count() == REPORTS_AT_ONCE;
        }
        more
    }
}

impl AsFd for Shards {
    /// Readable when there is a report.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

/// The processors that this process may run on, in order.
fn processors() -> Vec<usize> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap_or_else(|_| CpuSet::new());
    (0..CpuSet::count()).filter(|&cpu| allowed.is_set(cpu).unwrap_or(false)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosspoint_core::ports::{BindError, Kind, Place, Pool, PortCommand, PortReply};
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    #[test]
    fn a_shard_with_much_to_tell_is_heard_in_parts_and_in_order() {
        let config = Config { media_shards: Some(2), ..Config::embedded("x") };
        let seed = Seed::from_number(1);
        let mut shards = Shards::start(&config, &Sounds::default(), Clock::start(), seed, u64::MAX).unwrap();
        // an address of documentation (RFC 5737), which nobody has
        let kind = Kind { pool: Pool::Relay, address: [192, 0, 2, 1].into(), is_pair: true };
        for request in 0..200 {
            let place = Place { shard: Shard(1), port: 10_000, kind };
            shards.order(place.shard, Order::Ports(PortCommand::Open { request, place }));
        }
        shards.flush();
        let mut told = 0;
        while told < 200 {
            let mut fds = [PollFd::new(shards.as_fd(), PollFlags::POLLIN)];
            assert_eq!(poll(&mut fds, PollTimeout::from(10_000u16)), Ok(1), "{told} are told");
            shards.hear();
            loop {
                let before = told;
                let more = shards.collect(|shard, report| {
                    let refused = PortReply::Refused { request: told, why: BindError::Other };
                    assert!(matches!(report, Report::Ports(reply) if reply == refused), "{report:?}");
                    assert_eq!(shard, Shard(1));
                    told += 1;
                });
                assert!(told - before <= 64 && more == (told - before == 64));
                if !more {
                    break;
                }
            }
        }
    }

    #[test]
    fn there_is_a_processor_to_run_on() {
        assert!(!processors().is_empty());
    }
}
