//! Two baresip phones register with digest and talk. They have no sound card: each plays a tone from a file, and its
//! sndfile module writes down what it decoded.

use crate::folder;
use crosspoint_tests::ports::free_udp_port;
use crosspoint_tests::process::{Process, installed};
use crosspoint_tests::switch::{DOMAIN, PASSWORD, Switch};
use crosspoint_tests::tone;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where the modules are, by distribution.
const MODULE_FOLDERS: [&str; 3] =
    ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules"];

/// One phone.
struct Phone {
    folder: PathBuf,
    process: Process,
}

impl Phone {
    /// Starts one that plays `hz` for `seconds`, answers by itself, and first does `also`.
    fn start(folder: &Path, switch: &Switch, user: &str, hz: f64, seconds: u32, also: &[&str]) -> Phone {
        let folder = folder.join(user);
        std::fs::create_dir_all(&folder).expect("the test's folder can be written");
        let voice = folder.join("voice.wav");
        tone::write(&voice, hz, seconds + 10);
        let modules =
            MODULE_FOLDERS.into_iter().find(|path| Path::new(path).is_dir()).expect("baresip has its modules");
        let rtp_port = free_udp_port() & !1;
        let config = format!(
            "sip_listen 127.0.0.1:{}\nnet_interface 127.0.0.1\nrtp_ports {rtp_port}-{}\n\
             audio_source aufile,{}\nausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\n\
             snd_path {}\nmodule_path {modules}\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\n\
             module uuid.so\nmodule_app account.so\nmodule_app menu.so\n",
            free_udp_port(),
            rtp_port.saturating_add(20),
            voice.display(),
            folder.display(),
        );
        let account = format!(
            "<sip:{user}@{DOMAIN}>;auth_user={user};auth_pass={PASSWORD};outbound=\"sip:127.0.0.1:{}\";regint=60;\
             audio_codecs=pcma;answermode=auto\n",
            switch.port
        );
        for (name, text) in [("config", config.as_str()), ("accounts", account.as_str()), ("contacts", "")] {
            std::fs::write(folder.join(name), text).expect("the test's folder can be written");
        }
        let mut command = Command::new("baresip");
        command.arg("-v").arg("-f").arg(&folder).args(["-t", &seconds.to_string()]).args(also);
        let process = Process::start(&mut command, &folder.join("log"));
        Phone { folder, process }
    }

    /// The second of speech before the last it decoded.
    fn heard(&self) -> Vec<i16> {
        let entries = std::fs::read_dir(&self.folder).expect("it was made for the phone");
        let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let decoded = paths.find(|path| path.to_string_lossy().ends_with("-dec.wav"));
        let samples = decoded.map(|path| tone::read(&path)).unwrap_or_default();
        let end = samples.len().saturating_sub(8000);
        samples[end.saturating_sub(8000)..end].to_vec()
    }

    fn wait_for(&mut self, text: &str) {
        self.process.wait_for(text, Duration::from_secs(10));
    }
}

#[test]
fn two_baresips_register_and_hear_each_other() {
    if !installed(&["baresip"]) {
        return;
    }
    let folder = folder("baresip");
    let mut switch = Switch::start(&folder);
    let mut callee = Phone::start(&folder, &switch, "u00002", 440.0, 9, &[]);
    callee.wait_for("200 OK");
    let dial = format!("/dial sip:u00002@{DOMAIN}");
    let mut caller = Phone::start(&folder, &switch, "u00001", 700.0, 6, &["-e", &dial]);
    for phone in [&mut caller, &mut callee] {
        phone.wait_for("Call established");
    }
    for phone in [&mut caller, &mut callee] {
        phone.process.wait(Duration::from_secs(20));
    }
    for (phone, expected, other) in [(&caller, 440.0, 700.0), (&callee, 700.0, 440.0)] {
        let heard = phone.heard();
        assert_eq!(heard.len(), 8000, "under two seconds of speech:\n{}", phone.process.output());
        let (right, wrong) = (tone::strength(&heard, expected), tone::strength(&heard, other));
        assert!(right > 1000.0 && right > 10.0 * wrong, "{expected} Hz: {right}, {other} Hz: {wrong}");
    }
    switch.wait_for_zero(&["calls"], Duration::from_secs(10));
    switch.stop();
    assert_eq!(switch.records().len(), 1, "one CDR for the call");
}
