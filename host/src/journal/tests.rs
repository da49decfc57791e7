use super::calls::{CallEntry, KIND};
use super::convert::recover_with;
use super::files::{Disk, Dying, Files};
use super::segment::{self, Segment};
use super::*;
use crate::cdr;
use crosspoint_core::cdr::{CallRecord, EndDirection, EndReason};
use crosspoint_core::event::Event;
use crosspoint_core::input::{Flow, SocketId, Transport};
use crosspoint_core::registrar::BindingRecord;
use crosspoint_core::time::{Instant, Now, UnixMicros};
use std::fs;
use std::time::Duration;
use tempfile::TempDir;

const NOW: UnixMicros = UnixMicros(1_767_323_045_000_000);

fn record(flow_no: u64, answer_ms: Option<u64>, end_ms: u64) -> CallRecord {
    CallRecord {
        flow_no,
        caller: "1001".into(),
        callee: "10|02 \"quoted\"".into(),
        caller_in: "1001".into(),
        callee_out: "1002".into(),
        caller_ip: [192, 0, 2, 1].into(),
        callee_ip: Some([192, 0, 2, 2].into()),
        caller_gateway: String::new(),
        callee_gateway: "west".into(),
        invite_ms: 1000,
        ring_ms: None,
        answer_ms,
        end_ms,
        hold_time_s: 0,
        hold_time_ms: 0,
        end_direction: EndDirection::Callee,
        end_reason: EndReason::NotOnline,
        sip_status: 480,
        media: "direct".into(),
        media_rule: "S8".into(),
        call_id_in: "a@b".into(),
        call_id_out: String::new(),
        caller_codec: String::new(),
        callee_codec: String::new(),
        rtp_caller_packets: None,
        rtp_callee_packets: Some(7),
        route: "west taken (route.prefix)".to_owned(),
    }
}

fn answered(flow_no: u64, answer_ms: u64) -> CallEntry {
    CallEntry::Answered(Box::new(record(flow_no, Some(answer_ms), answer_ms)))
}

fn ended(flow_no: u64, end_ms: u64) -> CallEntry {
    CallEntry::Ended(Box::new(record(flow_no, None, end_ms)))
}

fn dirs() -> (TempDir, Dirs) {
    let root = tempfile::tempdir().unwrap();
    let dirs = Dirs { journal: root.path().join("journal"), cdr: root.path().join("cdr") };
    fs::create_dir(&dirs.journal).unwrap();
    fs::create_dir(&dirs.cdr).unwrap();
    (root, dirs)
}

/// Every record of every file, in the order of the files.
fn all_records(dirs: &Dirs) -> Vec<CallRecord> {
    cdr::files(&dirs.cdr).unwrap().iter().flat_map(|path| cdr::read(path).unwrap()).collect()
}

fn put_segment(dirs: &Dirs, number: u64, entries: Vec<CallEntry>) {
    let begun = UnixMicros(NOW.0 + number * 60_000_000);
    let path = dirs.journal.join(segment::file_name(KIND, number));
    Disk.put(&path, &segment::encode(begun, entries)).unwrap();
}

/// Three segments: one call that spans two, one that is up when the process dies, one file without records.
fn three_segments(dirs: &Dirs) {
    put_segment(dirs, 1, vec![answered(1, 2000), ended(2, 3000), answered(3, 4000)]);
    put_segment(dirs, 2, vec![answered(4, 5000)]);
    put_segment(dirs, 3, vec![ended(1, 9000), ended(4, 10_000), answered(5, 11_000), ended(6, 12_000)]);
    let last = dirs.journal.join(segment::file_name(KIND, 3));
    let whole = fs::read(&last).unwrap();
    fs::write(&last, &whole[..whole.len() - 3]).unwrap();
}

#[test]
fn a_restart_killed_at_any_step_still_writes_every_record_once() {
    let mut deaths = 0;
    for steps_left in 0.. {
        let (_root, dirs) = dirs();
        three_segments(&dirs);
        let survived = recover_with(&mut Dying { steps_left }, &dirs, NOW, 50, 100).is_ok();
        if !survived {
            deaths += 1;
            recover_with(&mut Disk, &dirs, NOW, 50, 100).unwrap();
        }
        let mut records: Vec<(u64, EndReason)> = all_records(&dirs).iter().map(|r| (r.flow_no, r.end_reason)).collect();
        records.sort_unstable();
        // 6 was torn away; 3 and 5 were up.
        let expected = [
            (1, EndReason::NotOnline),
            (2, EndReason::NotOnline),
            (3, EndReason::Interrupted),
            (4, EndReason::NotOnline),
            (5, EndReason::Interrupted),
        ];
        assert_eq!(records, expected, "killed after {steps_left} steps");
        assert_eq!(segment::list(&dirs.journal, KIND).unwrap(), [], "no segment stays behind");
        if survived {
            break;
        }
    }
    assert!(deaths > 15, "only {deaths} steps were there to die at");
}

#[test]
fn an_interrupted_call_ends_at_the_last_known_moment() {
    let (_root, dirs) = dirs();
    put_segment(&dirs, 1, vec![answered(9, 2000)]);
    let last_known_ms = NOW.as_millis() + 60_000;
    recover(&dirs, NOW, 50, 100).unwrap();
    let records = all_records(&dirs);
    let only = records.first().unwrap();
    assert_eq!((only.flow_no, only.end_reason, only.end_ms), (9, EndReason::Interrupted, last_known_ms));
    assert_eq!(only.hold_time_ms, last_known_ms - 2000);
    recover(&dirs, NOW, 50, 100).unwrap();
    assert_eq!(all_records(&dirs).len(), 1, "once");
}

#[test]
fn what_a_commit_acknowledged_is_there_after_a_kill() {
    for steps_left in 1..12 {
        let (_root, dirs) = dirs();
        let mut files = Dying { steps_left };
        let path = dirs.journal.join(segment::file_name(KIND, 1));
        let mut acknowledged = 0;
        if let Ok(mut segment) = Segment::begin(&mut files, path.clone(), NOW) {
            for flow_no in 1..=10 {
                segment.append(&ended(flow_no, flow_no));
                if segment.commit(&mut files).is_err() {
                    break;
                }
                acknowledged = flow_no;
            }
        }
        let contents = segment::read::<CallEntry>(&path).unwrap();
        let expected: Vec<CallEntry> = (1..=acknowledged).map(|n| ended(n, n)).collect();
        assert_eq!(contents.entries, expected, "killed after {steps_left} steps");
    }
}

#[test]
fn a_disk_that_refuses_for_a_while_loses_nothing() {
    let (_root, dirs) = dirs();
    let path = dirs.journal.join(segment::file_name(KIND, 1));
    let mut segment = Segment::begin(&mut Disk, path.clone(), NOW).unwrap();
    segment.append(&ended(1, 1));
    // The write is cut in the middle of the frame and the next ones refused.
    assert!(segment.commit(&mut Dying { steps_left: 1 }).is_err());
    segment.append(&ended(2, 2));
    assert!(segment.commit(&mut Dying { steps_left: 0 }).is_err());
    segment.commit(&mut Disk).unwrap();
    assert_eq!(segment::read::<CallEntry>(&path).unwrap().entries, [ended(1, 1), ended(2, 2)]);
}

#[test]
fn only_the_newest_record_files_are_kept() {
    let (_root, dirs) = dirs();
    for number in 1..=5 {
        put_segment(&dirs, number, vec![ended(number, number)]);
    }
    recover(&dirs, NOW, 50, 2).unwrap();
    assert_eq!(all_records(&dirs).iter().map(|r| r.flow_no).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn a_record_file_reads_as_the_interface_says() {
    let text = String::from_utf8(cdr::encode(&[record(7, Some(2000), 9000)]).unwrap()).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(
        lines,
        [
            "flow_no|caller|callee|caller_in|callee_out|caller_ip|callee_ip|caller_gateway|callee_gateway|invite_ms|\
             ring_ms|answer_ms|end_ms|hold_time_s|hold_time_ms|end_direction|end_reason|sip_status|media|media_rule|\
             call_id_in|call_id_out|caller_codec|callee_codec|rtp_caller_packets|rtp_callee_packets|route",
            "7|1001|\"10|02 \"\"quoted\"\"\"|1001|1002|192.0.2.1|192.0.2.2||west|1000||2000|9000|0|0|callee|\
             called_not_online|480|direct|S8|a@b|||||7|west taken (route.prefix)",
            "",
        ]
    );
}

#[test]
fn the_journal_of_a_running_switch_makes_one_file_an_interval_and_none_when_empty() {
    let (_root, dirs) = dirs();
    let (disk, thread) = DiskThread::start().unwrap();
    let at = |s: u64| Now { mono: Instant::from_micros(s * 1_000_000), wall: UnixMicros(NOW.0 + s * 1_000_000) };
    let mut journal = CallJournal::open(&dirs, at(0), disk.clone()).unwrap();
    assert_eq!(journal.next_file(), None);
    for (second, flow_no) in [(1, 1), (2, 2), (61, 3), (200, 4)] {
        journal.take(Event::CallEnded { record: Box::new(record(flow_no, None, second)) }, at(second).wall);
        journal.commit(at(second)).unwrap();
        if let Some(due) = journal.next_file() {
            journal.commit(Now { mono: due, ..at(second + 60) }).unwrap();
        }
        assert_eq!(journal.next_file(), None);
    }
    journal.close().unwrap();
    disk.finish();
    thread.join().unwrap();
    let sizes: Vec<usize> = cdr::files(&dirs.cdr).unwrap().iter().map(|path| cdr::read(path).unwrap().len()).collect();
    assert_eq!(sizes, [1, 1, 1, 1]);
}

#[test]
fn an_answered_call_is_known_before_it_ends() {
    let (_root, dirs) = dirs();
    let (disk, thread) = DiskThread::start().unwrap();
    let now = Now { mono: Instant::EPOCH, wall: NOW };
    let mut journal = CallJournal::open(&dirs, now, disk.clone()).unwrap();
    let source = "192.0.2.9:5060".parse().unwrap();
    journal.take(Event::CallStarted { call: 5, caller: "1001".into(), callee: "1002".into(), source }, NOW);
    journal.take(Event::CallAnswered { call: 5 }, UnixMicros(NOW.0 + 3_000_000));
    journal.commit(now).unwrap();
    journal.commit(Now { mono: now.mono + Duration::from_secs(60), ..now }).unwrap();
    drop(journal);
    disk.finish();
    thread.join().unwrap();
    recover(&dirs, NOW, 50, 100).unwrap();
    let records = all_records(&dirs);
    let only = records.first().unwrap();
    assert_eq!((only.flow_no, only.end_reason, only.caller.as_str()), (5, EndReason::Interrupted, "1001"));
    assert_eq!(only.answer_ms, Some(NOW.as_millis() + 3000));
}

fn binding(aor: &str, contact: &str, expires_at: UnixMicros) -> BindingRecord {
    BindingRecord {
        aor: aor.into(),
        contact: contact.into(),
        call_id: "c".into(),
        cseq: 1,
        q_permille: 1000,
        flow: Flow { socket: SocketId(0), transport: Transport::Udp, remote: "192.0.2.1:5060".parse().unwrap() },
        behind_nat: false,
        path: String::new(),
        instance: String::new(),
        reg_id: 0,
        updated_at: NOW,
        expires_at,
    }
}

fn later(seconds: u64) -> UnixMicros {
    UnixMicros(NOW.0 + seconds * 1_000_000)
}

fn reopen(dirs: &Dirs, now: UnixMicros) -> Vec<(String, UnixMicros)> {
    let (disk, thread) = DiskThread::start().unwrap();
    let (_journal, recovered) = BindingJournal::open(&dirs.journal, now, disk.clone()).unwrap();
    disk.finish();
    thread.join().unwrap();
    recovered.bindings.into_iter().map(|b| (b.aor, b.expires_at)).collect()
}

#[test]
fn bindings_come_back_as_they_last_were() {
    let (_root, dirs) = dirs();
    let (disk, thread) = DiskThread::start().unwrap();
    let (mut journal, recovered) = BindingJournal::open(&dirs.journal, NOW, disk.clone()).unwrap();
    assert_eq!(recovered.bindings, []);
    journal.append(&binding("1001", "sip:a", later(60)));
    journal.append(&binding("1002", "sip:b", later(60)));
    journal.append(&binding("1003", "sip:c", later(10)));
    journal.append(&binding("1001", "sip:a", later(120)));
    journal.append(&binding("1002", "sip:b", NOW));
    journal.commit(NOW).unwrap();
    drop(journal);
    disk.finish();
    thread.join().unwrap();
    assert_eq!(reopen(&dirs, later(20)), [("1001".to_owned(), later(120))]);
    assert_eq!(reopen(&dirs, later(121)), []);
}

#[test]
fn two_flows_of_one_phone_are_two_bindings() {
    let (_root, dirs) = dirs();
    let (disk, thread) = DiskThread::start().unwrap();
    let (mut journal, _) = BindingJournal::open(&dirs.journal, NOW, disk.clone()).unwrap();
    let flow = |reg_id| BindingRecord { instance: "<urn:x>".into(), reg_id, ..binding("1001", "sip:a", later(60)) };
    journal.append(&flow(1));
    journal.append(&flow(2));
    journal.append(&BindingRecord { expires_at: BindingRecord::ENDED, ..flow(1) });
    journal.commit(NOW).unwrap();
    drop(journal);
    disk.finish();
    thread.join().unwrap();
    assert_eq!(reopen(&dirs, NOW), [("1001".to_owned(), later(60))]);
}

#[test]
fn a_segment_goes_when_all_in_it_must_have_expired_and_never_before_an_older_one() {
    let (_root, dirs) = dirs();
    let (disk, thread) = DiskThread::start().unwrap();
    let (mut journal, _) = BindingJournal::open(&dirs.journal, NOW, disk.clone()).unwrap();
    // An hour closes a segment: the first holds a long binding, the second its end.
    journal.append(&binding("1001", "sip:a", later(4 * 3600)));
    journal.commit(later(3600)).unwrap();
    journal.append(&binding("1001", "sip:a", later(3601)));
    journal.commit(later(7200)).unwrap();
    journal.append(&binding("1002", "sip:b", later(6 * 3600)));
    journal.commit(later(10_800)).unwrap();
    let segments = |dirs: &Dirs| segment::list(&dirs.journal, "bindings").unwrap().len();
    assert_eq!(segments(&dirs), 4, "the second is over, but the first is not");
    journal.append(&binding("1003", "sip:c", later(6 * 3600)));
    journal.commit(later(4 * 3600)).unwrap();
    drop(journal);
    disk.finish();
    thread.join().unwrap();
    assert_eq!(segments(&dirs), 3, "both are gone");
}

#[test]
fn a_torn_registration_journal_gives_what_is_whole() {
    let (_root, dirs) = dirs();
    let all: Vec<BindingRecord> = (0..4).map(|i| binding(&format!("100{i}"), "sip:a", later(60))).collect();
    let whole = segment::encode(NOW, &all);
    let path = dirs.journal.join(segment::file_name("bindings", 1));
    let mut counts = Vec::new();
    for cut in 0..=whole.len() {
        for (_, old) in segment::list(&dirs.journal, "bindings").unwrap() {
            fs::remove_file(old).unwrap();
        }
        fs::write(&path, &whole[..cut]).unwrap();
        counts.push(reopen(&dirs, NOW).len());
    }
    assert!(counts.is_sorted());
    assert_eq!((counts.first(), counts.last()), (Some(&0), Some(&4)));
}
