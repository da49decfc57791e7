//! `crosspoint-tokio`: the switch on tokio, one signalling thread.
//!
//! The driver waits and calls what belongs to the thing that happened; it decides nothing.

mod sockets;

use crosspoint_host::cli::Ready;
use crosspoint_host::server::Server;
use sockets::{Readable, Sockets, watch};
use std::future::poll_fn;
use std::io;
use std::process::ExitCode;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Sleep, sleep};

/// Where the switch wants no wake-up at all.
const FAR: Duration = Duration::from_secs(86_400);

fn main() -> ExitCode {
    crosspoint_host::cli::main(env!("CARGO_PKG_NAME"), drive)
}

/// Drives the server until it halts, or a second signal stops it.
fn drive(server: Server, ready: Ready) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(server, ready))
}

async fn serve(mut server: Server, ready: Ready) -> io::Result<()> {
    let fds = Sockets::register(server.socket_fds()?)?;
    let mut sockets = Readable::new(&fds);
    let mail = watch(server.mail_fd().try_clone_to_owned()?, Interest::READABLE)?;
    let lookups = watch(server.lookup_fd().try_clone_to_owned()?, Interest::READABLE)?;
    let media = watch(server.media_fd().try_clone_to_owned()?, Interest::READABLE)?;
    let mut stop = Stop::new()?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut alarm = Box::pin(sleep(FAR));
    let mut armed = None;
    let mut is_stopping = false;
    ready()?;
    while !server.is_halted() {
        arm(&mut alarm, &mut armed, server.deadline());
        let blocked = server.blocked();
        // Biased: the order is ours, not chance. A socket that is always readable starves no timer and no media shard, since
        // every turn of the pump does what is due first and takes along what they tell; they starve no socket, since these
        // come before them.
        tokio::select! {
            biased;
            () = stop.wanted() => {
                if is_stopping {
                    break;
                }
                is_stopping = true;
                server.drain();
            }
            _ = hangup.recv() => server.reload(),
            guard = mail.readable() => {
                guard?.clear_ready();
                server.on_mail();
            }
            guard = lookups.readable() => {
                let mut guard = guard?;
                if !server.on_lookup() {
                    guard.clear_ready();
                }
            }
            event = sockets.next() => {
                let (socket, mut guard) = event?;
                if guard.ready().is_error() {
                    server.on_error(socket);
                }
                let more = server.on_readable(socket);
                if !more {
                    guard.clear_ready();
                }
            }
            guard = media.readable() => {
                let mut guard = guard?;
                if !server.on_media() {
                    guard.clear_ready();
                }
            }
            done = fds.writable(blocked.unwrap_or(0)), if blocked.is_some() => {
                done?;
                server.on_writable(blocked.unwrap_or(0));
            }
            () = &mut alarm => {
                armed = None;
                server.on_deadline();
            }
        }
    }
    server.close();
    Ok(())
}

/// Sets the alarm to the deadline, if it is not already.
fn arm(alarm: &mut std::pin::Pin<Box<Sleep>>, armed: &mut Option<Instant>, deadline: Option<Instant>) {
    let at = deadline.unwrap_or_else(|| Instant::now() + FAR);
    if *armed != Some(at) {
        alarm.as_mut().reset(at.into());
        *armed = Some(at);
    }
}

/// Ctrl-C and SIGTERM.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> io::Result<Stop> {
        Ok(Stop { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for either.
    async fn wanted(&mut self) {
        poll_fn(|cx| {
            let came = self.interrupt.poll_recv(cx).is_ready() || self.terminate.poll_recv(cx).is_ready();
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
