//! What the switch itself sends to a leg: a sound at its own pace, or the leg's own packets back.

use super::op::Refusal;
use super::tone::{Echo, Law, PACKET_BYTES, Player, Program, Sound, Sounds, Turn};
use crate::rng::Stream;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// A program under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Playing {
    /// Of the op that began it.
    pub(super) generation: u32,
    /// When it has its next turn; never, of an echo and after the end.
    pub(super) next: Option<Instant>,
    what: What,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum What {
    Echo(Echo),
    Sound { player: Player, sound: Sound },
}

impl Playing {
    /// The program that begins now. A sound after a sound goes on in its stream.
    pub(super) fn new(
        now: Instant,
        generation: u32,
        (law, program): (Law, &Program),
        before: Option<&Playing>,
        sounds: &Sounds,
        chance: &mut Stream,
    ) -> Result<Playing, Refusal> {
        if *program == Program::Echo {
            let what = What::Echo(Echo::new(law.payload_type(), chance));
            return Ok(Playing { generation, next: None, what });
        }
        let sound = sounds.sound(program).ok_or(Refusal::NoSound)?;
        let player = match before.map(|before| &before.what) {
            Some(What::Sound { player, .. }) => {
                let mut player = player.clone();
                player.begin(now, law);
                player
            }
            Some(What::Echo(_)) | None => Player::new(law, now, chance),
        };
        Ok(Playing { generation, next: Some(player.due()), what: What::Sound { player, sound } })
    }

    /// Writes the packet that is due to `out`, or without one leaves out all that are.
    pub(super) fn turn(&mut self, now: Instant, out: Option<&mut [u8; PACKET_BYTES]>) -> Turn {
        let What::Sound { player, sound } = &mut self.what else {
            unreachable!("an echo is never in the queue of turns")
        };
        let turn = match out {
            Some(out) => player.turn(now, sound, out),
            None => player.pass(now, sound),
        };
        self.next = (turn != Turn::Ended).then(|| player.due());
        turn
    }

    /// Makes the packet one to send back; whether it is one.
    pub(super) fn echoes(&self, packet: &mut [u8]) -> bool {
        match &self.what {
            What::Echo(echo) => echo.turn(packet).is_ok(),
            What::Sound { .. } => false,
        }
    }
}
