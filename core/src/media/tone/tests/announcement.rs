use super::*;
use crate::cdr::EndReason;

#[test]
fn announcements_are_found_by_reason() {
    let mut announcements = Announcements::default();
    for (reason, file) in [("not_found", "no-such-number.wav"), ("busy", "busy.wav")] {
        announcements.set(reason, file).unwrap();
    }
    assert_eq!(announcements.file_of(EndReason::Busy), Some("busy.wav"));
    assert_eq!(announcements.file_of(EndReason::NotOnline), None);
    let all: Vec<_> = announcements.iter().collect();
    assert_eq!(all, [(EndReason::Busy, "busy.wav"), (EndReason::NotFound, "no-such-number.wav")]);
}

#[test]
fn what_is_refused_and_why() {
    let mut announcements = Announcements::default();
    announcements.set("busy", "busy.wav").unwrap();
    let before = announcements.clone();
    let long = format!("{}.wav", "a".repeat(61));
    let rows = [
        ("not_fuond", "a.wav"),
        ("engaged", "a.wav"),
        ("busy", "other.wav"),
        ("rejected", ""),
        ("rejected", ".wav"),
        ("rejected", "..wav"),
        ("rejected", "../secret.wav"),
        ("rejected", "a/b.wav"),
        ("rejected", "a.mp3"),
        ("rejected", "ä.wav"),
        ("rejected", &long),
    ];
    let mut refused = |(reason, file)| format!("{}\n", announcements.set(reason, file).unwrap_err());
    insta::assert_snapshot!(rows.map(&mut refused).concat());
    assert_eq!(announcements, before);
    announcements.set("rejected", &long[1..]).unwrap();
}

/// Who hears an announcement: the whole table, since each row is a judgement.
#[test]
fn reasons_that_nobody_hears() {
    let is_unheard = |reason: &&EndReason| {
        let set = Announcements::default().set(reason.name(), "a.wav");
        set == Err(AnnouncementError::Unheard(reason.name()))
    };
    let unheard: Vec<&str> = EndReason::ALL.iter().filter(is_unheard).map(|reason| reason.name()).collect();
    insta::assert_snapshot!(unheard.join("\n"));
}
