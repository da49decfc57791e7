//! `[tones]`, `[announcements]`, and a phone's `ringback`.

use super::parse::path;
use super::phones::Phones;
use super::reader::{At, Reader, Section};
use super::tones::{Ringback, Tones};
use crate::limits::SOUNDS;
use crate::media::tone::{AnnouncementError, Announcements, check_file_name};

const TONES: &[&str] = &["ringback", "folder", "echo_number", "tone_number"];

/// As long as an E.164 number may be, and more: whatever phones dial.
const LONGEST_NUMBER: usize = 32;

pub(super) fn read(reader: &mut Reader<'_>, root: &Section<'_>) -> Tones {
    let mut tones = Tones::default();
    if let Some(table) = reader.table(root, "tones", "[tones]") {
        reader.known_keys(&table, TONES);
        tones.folder = path(reader, &table, "folder");
        tones.echo_number = number_of(reader, &table, "echo_number");
        tones.tone_number = number_of(reader, &table, "tone_number");
        let written = ringback(reader, &table, &tones);
        tones.ringback = written.map_or(tones.ringback, |ringback| ringback.value);
    }
    if let Some(table) = reader.table(root, "announcements", "[announcements]") {
        announcements(reader, &table, &mut tones);
    }
    tones
}

/// A number that the switch answers itself.
fn number_of(reader: &mut Reader<'_>, table: &Section<'_>, key: &str) -> Option<String> {
    let text = reader.text(table, key)?;
    let is_number = text.value.bytes().all(|byte| byte.is_ascii_digit() || b"*#+".contains(&byte));
    if text.value.is_empty() || text.value.len() > LONGEST_NUMBER || !is_number {
        let fault = format!("`{key}` is a number to dial: at most {LONGEST_NUMBER} digits, `*`, `#`, `+`");
        reader.error(&text.span, "value", fault);
        return None;
    }
    Some(text.value.to_owned())
}

/// Numbers the files, once the phones are known.
pub(super) fn number(reader: &mut Reader<'_>, root: &Section<'_>, tones: &mut Tones, phones: &Phones) {
    if !tones.number(phones) {
        let place = root.get("tones").map_or(0..0, |table| table.span());
        let text = format!("{} different files are to be played, at most {SOUNDS} are taken", tones.files().len());
        reader.error(&place, "value", text);
    }
}

/// `ringback` of a phone, which is of use only where the switch plays it.
pub(super) fn of_phone(
    reader: &mut Reader<'_>,
    table: &Section<'_>,
    local_ring: bool,
    tones: &Tones,
) -> Option<Ringback> {
    let ringback = ringback(reader, table, tones)?;
    if !local_ring {
        let text = "`ringback` is heard only with `local_ring = true`: without it the phone's own is";
        reader.warn(&ringback.span, "no-local-ring", text);
    }
    Some(ringback.value)
}

/// A tone or the name of a file.
fn ringback(reader: &mut Reader<'_>, table: &Section<'_>, tones: &Tones) -> Option<At<Ringback>> {
    let text = reader.text(table, "ringback")?;
    let begins_a_tone = text.value.trim_start().starts_with(|first: char| first.is_ascii_digit());
    let ringback = match text.value.parse() {
        Ok(cadence) => Ringback::Tone(cadence),
        Err(reason) if begins_a_tone && !text.value.ends_with(".wav") => {
            reader.error(&text.span, "value", format!("`ringback`: {reason}"));
            return None;
        }
        Err(_) => {
            if let Err(reason) = check_file_name(text.value) {
                let fault = format!("`ringback` is a tone, such as 425/1000,4000, or a file: {reason}");
                reader.error(&text.span, "value", fault);
                return None;
            }
            needs_folder(reader, &text, tones);
            Ringback::File(text.value.to_owned())
        }
    };
    Some(At { value: ringback, span: text.span })
}

fn announcements(reader: &mut Reader<'_>, table: &Section<'_>, tones: &mut Tones) {
    let mut announcements = Announcements::default();
    if let Some(times) = reader.whole(table, "times", 1..=10) {
        tones.announcement_times = times.value;
    }
    for (key, value) in table.entries().filter(|(key, _)| key.value != "times") {
        let Some(file) = reader.as_text(key.value, value) else { continue };
        match announcements.set(key.value, file.value) {
            Ok(()) => needs_folder(reader, &file, tones),
            Err(error @ AnnouncementError::Reason { .. }) => reader.error(&key.span, "unknown-key", error.to_string()),
            Err(error @ AnnouncementError::File(_)) => reader.error(&file.span, "value", error.to_string()),
            Err(error) => reader.error(&key.span, "value", error.to_string()),
        }
    }
    tones.announcements = announcements;
}

fn needs_folder(reader: &mut Reader<'_>, file: &At<&str>, tones: &Tones) {
    if tones.folder.is_none() {
        reader.error(&file.span, "missing-key", format!("`{}` needs `folder` in [tones], where it is", file.value));
    }
}
