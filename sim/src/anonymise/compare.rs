//! Whether the switch does the same afterwards: the same kinds of commands, to the same places under the mapping, as long,
//! and word for word either as before or as the mapping says.

use super::dns;
use super::mapping::Mapping;
use super::media;
use super::page::Page;
use crosspoint_core::command::Command;
use crosspoint_core::event::Event;

/// Compares what one input led to, and learns what the switch's own identifiers are now.
///
/// # Errors
/// What differs, in words.
pub(super) fn commands(map: &mut Mapping, old: &[Command], new: &[Command]) -> Result<(), String> {
    for (i, (old, new)) in old.iter().zip(new).enumerate() {
        command(map, old, new).map_err(|why| format!("command {}: {why}", i + 1))?;
    }
    if old.len() != new.len() {
        return Err(format!("it gave {} commands and now gives {}", old.len(), new.len()));
    }
    Ok(())
}

fn command(map: &mut Mapping, old: &Command, new: &Command) -> Result<(), String> {
    match (old, new) {
        (Command::Send { flow, bytes }, Command::Send { flow: new_flow, bytes: new_bytes }) => {
            if map.flow(*flow) != *new_flow {
                return Err(format!("a datagram to {} now goes to {}", flow.remote, new_flow.remote));
            }
            message(map, bytes, new_bytes)
        }
        (Command::Emit(old), Command::Emit(new)) => event(old, new),
        (Command::Lookup(old), Command::Lookup(new)) => {
            let is_same = (old.id, map.socket(old.server), old.carrier, old.until)
                == (new.id, new.server, new.carrier, new.until)
                && dns::replace(map, &old.bytes) == new.bytes;
            is_same.then_some(()).ok_or_else(|| "another question to a nameserver".to_owned())
        }
        (Command::Ports(old), Command::Ports(new)) => {
            let is_same = media::ports(map, *old) == *new;
            is_same.then_some(()).ok_or_else(|| "another port command".to_owned())
        }
        (Command::Media(old_shard, old), Command::Media(new_shard, new)) => {
            let is_same = old_shard == new_shard && media::op(map, old) == *new;
            is_same.then_some(()).ok_or_else(|| "another media op".to_owned())
        }
        (Command::Halt, Command::Halt) => Ok(()),
        _ => Err(format!("{} is now {}", kind(old), kind(new))),
    }
}

fn kind(command: &Command) -> &'static str {
    match command {
        Command::Send { .. } => "a datagram",
        Command::Emit(event) => event.name(),
        Command::Lookup(_) => "a question to a nameserver",
        Command::Ports(_) => "a port command",
        Command::Media(..) => "a media op",
        Command::Halt => "the halt",
    }
}

/// Two messages: where identifiers stand the new ones are learnt; every other word is the old one or its image.
fn message(map: &mut Mapping, old: &[u8], new: &[u8]) -> Result<(), String> {
    let first_line = |message: &[u8]| {
        let line = message.split(|&byte| byte == b'\r').next().unwrap_or_default();
        String::from_utf8_lossy(line).into_owned()
    };
    if old.len() != new.len() {
        let (a, b) = (old.len(), new.len());
        return Err(format!("`{}` of {a} octets now has {b}: `{}`", first_line(old), first_line(new)));
    }
    let page = Page::of(map, old, None);
    let (mut image, mut ids) = (page.bytes, page.ids);
    ids.extend(tags(old));
    for at in page.answers.into_iter().map(|(at, _)| at).chain(page.made) {
        image[at.clone()].copy_from_slice(&new[at]);
    }
    for at in ids {
        if image[at.clone()] != new[at.clone()] {
            map.learn(&old[at.clone()], &new[at.clone()]);
            image[at.clone()].copy_from_slice(&new[at]);
        }
    }
    match first_difference(map, old, &image, new) {
        None => Ok(()),
        Some(at) => {
            let line = |message: &[u8]| {
                let from = message[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
                let end = message[at..].iter().position(|&byte| byte == b'\r').map_or(message.len(), |end| at + end);
                String::from_utf8_lossy(&message[from..end]).into_owned()
            };
            Err(format!("in `{}`: `{}` is now `{}`", first_line(old), line(old), line(new)))
        }
    }
}

/// Every tag, also in a header that is too faulty to be taken apart and comes back in a 400.
fn tags(message: &[u8]) -> Vec<std::ops::Range<usize>> {
    let begins = |at: &usize| message[*at..].get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b";tag="));
    let tag = |at: usize| {
        let from = at + 5;
        from..from + message[from..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count()
    };
    (0..message.len()).filter(begins).map(tag).collect()
}

/// Where a word of `new` begins that is neither the one of `old` nor the one of `image`.
fn first_difference(map: &Mapping, old: &[u8], image: &[u8], new: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < new.len() {
        let word = new[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count().max(1);
        let here = at..at + word;
        let (was, wanted, is) = (&old[here.clone()], &image[here.clone()], &new[here]);
        if is != was && is != wanted && !map.are_shown(was, is) {
            return Some(at);
        }
        at += word;
    }
    None
}

/// Two events: of the same name, and in all their fields digits where there were digits, letters where there were letters.
fn event(old: &Event, new: &Event) -> Result<(), String> {
    if old.name() != new.name() {
        return Err(format!("{} is now {}", old.name(), new.name()));
    }
    if let (Event::ConfigApplied { changes: a, .. }, Event::ConfigApplied { changes: b, .. }) = (old, new) {
        // it lists by name, and names have another order now
        return (a.len() == b.len()).then_some(()).ok_or_else(|| format!("{a:?} is now {b:?}"));
    }
    let (old, new) = (format!("{old:?}"), format!("{new:?}"));
    let shape = |text: &str| -> Vec<char> {
        let class = |c: char| match c {
            '0'..='9' => '0',
            'a'..='z' | 'A'..='Z' => 'a',
            _ => c,
        };
        text.chars().filter(char::is_ascii).map(class).collect()
    };
    (shape(&old) == shape(&new)).then_some(()).ok_or_else(|| format!("{old} is now {new}"))
}
