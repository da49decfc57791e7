//! Two makes of phone, driven by the commands they take on standard input and followed by the log they write. Neither
//! has a sound card: baresip plays a tone from a file and writes down what it decoded, linphone plays a file.

use crosspoint_tests::ports::{free_udp_port, free_udp_ports};
use crosspoint_tests::process::{Process, until};
use crosspoint_tests::site::Site;
use crosspoint_tests::switch::{DOMAIN, PASSWORD};
use crosspoint_tests::tone;
use std::fmt::Write;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where baresip's modules are, by distribution.
const MODULE_FOLDERS: [&str; 3] =
    ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/local/lib/baresip/modules"];

/// How long a phone may take to show what it was waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// UDP ports for the speech of several calls at once.
const MEDIA_PORTS: u16 = 40;

/// What a phone is told and what it says then.
#[derive(Debug)]
pub(crate) struct Make {
    /// The program.
    pub(crate) program: &'static str,
    dial: &'static str,
    answer: &'static str,
    hang_up: &'static str,
    hold: &'static str,
    resume: &'static str,
    transfer: &'static str,
    /// It has registered.
    pub(crate) registered: &'static str,
    /// It is called.
    pub(crate) is_called: &'static str,
    /// It hears ringback.
    pub(crate) rings_back: &'static str,
    /// It hears the other side before it has answered.
    pub(crate) hears_early: &'static str,
    /// It is in a call.
    pub(crate) talks: &'static str,
    /// It has put the other side on hold.
    pub(crate) holds: &'static str,
    /// It has taken it off hold.
    pub(crate) resumed: &'static str,
    /// Whether it sends 180 too before a 183.
    pub(crate) rings_before_183: bool,
    /// The status with which it refuses.
    pub(crate) refusal: &'static str,
    /// The call is gone.
    pub(crate) is_free: &'static str,
}

pub(crate) const BARESIP: Make = Make {
    program: "baresip",
    dial: "/dial",
    answer: "/accept",
    hang_up: "/hangup",
    hold: "/hold",
    resume: "/resume",
    transfer: "/transfer",
    registered: " 200 OK ",
    is_called: "Incoming call from",
    rings_back: "SIP Progress: 180",
    hears_early: "SIP Progress: 183",
    talks: "Call established",
    holds: "got SDP answer",
    resumed: "got SDP answer",
    rings_before_183: true,
    refusal: "486",
    is_free: "audio: destroyed",
};

pub(crate) const LINPHONE: Make = Make {
    program: "linphonec",
    dial: "call",
    answer: "answer",
    hang_up: "terminate",
    hold: "pause",
    resume: "resume",
    transfer: "transfer",
    registered: "to [LinphoneRegistrationOk]",
    is_called: "to LinphoneCallIncomingReceived",
    rings_back: "to LinphoneCallOutgoingRinging",
    hears_early: "to LinphoneCallOutgoingEarlyMedia",
    talks: "to LinphoneCallStreamsRunning",
    holds: "to LinphoneCallPaused\n",
    resumed: "to LinphoneCallStreamsRunning",
    rings_before_183: false,
    refusal: "603",
    is_free: "to LinphoneCallReleased",
};

/// Whether a phone lets the caller hear something before its user answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 180, then 200.
    Plain,
    /// 183 with a session description, then 200.
    EarlyMedia,
}

/// A phone.
pub(crate) struct Phone {
    /// What it is.
    pub(crate) make: &'static Make,
    /// Its number and the user it registers as.
    pub(crate) user: &'static str,
    /// Where it takes SIP.
    pub(crate) port: u16,
    /// Where it takes speech.
    pub(crate) media: RangeInclusive<u16>,
    answers: Answer,
    /// Where it is.
    pub(crate) site: Site,
    folder: PathBuf,
    process: Option<Process>,
    /// How much of the log earlier waits have gone through.
    seen: usize,
}

impl Phone {
    /// One that will play `hz`, with its files below `folder`.
    pub(crate) fn prepare(make: &'static Make, folder: &Path, user: &'static str, hz: f64, answers: Answer) -> Phone {
        let folder = folder.join(user);
        std::fs::create_dir_all(&folder).expect("the test's folder can be written");
        tone::write(&folder.join("voice.wav"), hz, 60);
        let (port, media) = (free_udp_port(), free_udp_ports(MEDIA_PORTS));
        Phone { make, user, port, media, answers, site: Site::LOOPBACK, folder, process: None, seen: 0 }
    }

    /// Puts it on another host.
    pub(crate) fn at(self, site: &Site) -> Phone {
        Phone { site: site.clone(), ..self }
    }

    /// Starts it; it registers at the switch.
    pub(crate) fn start(&mut self, switch: SocketAddr) {
        let is_baresip = self.make.program == BARESIP.program;
        self.process = Some(if is_baresip { self.start_baresip(switch) } else { self.start_linphone(switch) });
    }

    fn say(&mut self, command: &str) {
        self.process.as_mut().expect("it was started").say(command);
    }

    pub(crate) fn dial(&mut self, number: &str) {
        self.say(&format!("{} sip:{number}@{DOMAIN}", self.make.dial));
    }

    pub(crate) fn answer(&mut self) {
        self.say(self.make.answer);
    }

    pub(crate) fn hang_up(&mut self) {
        self.say(self.make.hang_up);
    }

    pub(crate) fn hold(&mut self) {
        self.say(self.make.hold);
    }

    pub(crate) fn resume(&mut self) {
        self.say(self.make.resume);
    }

    /// Sends the other side of its call to another number, without asking there.
    pub(crate) fn transfer(&mut self, number: &str) {
        self.say(&format!("{} sip:{number}@{DOMAIN}", self.make.transfer));
    }

    /// Waits until its log says so, after what it was last seen to say.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let unread = |log: &Path, seen: usize| {
            let all = std::fs::read(log).unwrap_or_default();
            String::from_utf8_lossy(all.get(seen..).unwrap_or_default()).into_owned()
        };
        let log = self.folder.join("log");
        let found = until(PATIENCE, || unread(&log, self.seen).find(text));
        let Some(at) = found else {
            panic!("{} {} never said `{text}`:\n{}", self.make.program, self.user, tail(&unread(&log, self.seen)));
        };
        self.seen += at + text.len();
    }

    /// Connects the other sides of its last two calls with each other, and leaves. Only linphone can.
    pub(crate) fn join(&mut self) {
        let output = self.process.as_ref().expect("it was started").output();
        let numbers: Vec<&str> = output.split("assigned id ").skip(1).filter_map(|rest| rest.lines().next()).collect();
        let [.., first, second] = numbers[..] else { panic!("two calls, not {numbers:?}:\n{output}") };
        let command = format!("{} {first} --to-call {second}", self.make.transfer);
        self.say(&command);
    }

    /// The second of speech before the last that baresip decoded.
    pub(crate) fn heard(&self) -> Vec<i16> {
        let entries = std::fs::read_dir(&self.folder).expect("it was made for the phone");
        let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let decoded = paths.find(|path| path.to_string_lossy().ends_with("-dec.wav"));
        let samples = decoded.map(|path| tone::read(&path)).unwrap_or_default();
        let end = samples.len().saturating_sub(8000);
        samples[end.saturating_sub(8000)..end].to_vec()
    }

    /// The last `c=` line that baresip was shown.
    pub(crate) fn shown_host(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let own = SocketAddr::new(self.site.address, self.port);
        let shown = log
            .split("\nUDP ")
            .filter(|message| message.lines().next().is_some_and(|line| line.ends_with(&format!("-> {own}"))));
        shown
            .flat_map(str::lines)
            .filter(|line| line.starts_with("c="))
            .last()
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    }

    fn start_baresip(&self, switch: SocketAddr) -> Process {
        let Phone { folder, user, port, media, site, .. } = self;
        let modules =
            MODULE_FOLDERS.into_iter().find(|path| Path::new(path).is_dir()).expect("baresip has its modules");
        let mut config = format!(
            "sip_listen {}\nnet_interface {}\nrtp_ports {}-{}\naudio_source aufile,{}\n\
             ausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\nauplay_channels 1\nsnd_path {}\nmodule_path {modules}\n",
            SocketAddr::new(site.address, *port),
            site.address,
            media.start(),
            media.end(),
            folder.join("voice.wav").display(),
            folder.display(),
        );
        for module in ["g711", "aufile", "sndfile", "uuid", "stdio"] {
            writeln!(config, "module {module}.so").expect("a String takes all");
        }
        config += "module_app account.so\nmodule_app menu.so\n";
        let mode = if self.answers == Answer::EarlyMedia { "early" } else { "manual" };
        let account = format!(
            "<sip:{user}@{DOMAIN}>;auth_user={user};auth_pass={PASSWORD};outbound=\"sip:{switch}\";regint=600;\
             audio_codecs=pcma;answermode={mode}\n"
        );
        for (name, text) in [("config", config.as_str()), ("accounts", account.as_str()), ("contacts", "")] {
            std::fs::write(folder.join(name), text).expect("the test's folder can be written");
        }
        Process::start_commanded(site.command("baresip").args(["-v", "-s", "-f"]).arg(folder), &folder.join("log"))
    }

    fn start_linphone(&self, switch: SocketAddr) -> Process {
        let Phone { folder, user, port, media, site, .. } = self;
        // it makes its databases there, but not these folders
        for path in [".local/share/linphone", ".config/linphone"] {
            std::fs::create_dir_all(folder.join(path)).expect("the test's folder can be written");
        }
        let config = format!(
            "[sip]\nsip_port={port}\nsip_tcp_port=0\nsip_tls_port=0\ndefault_proxy=0\nincoming_calls_early_media={}\n\n\
             [rtp]\naudio_rtp_port={}-{}\n\n[sound]\nechocancellation=0\n\n\
             [proxy_0]\nreg_proxy=<sip:{switch}>\nreg_route=<sip:{switch};lr>\nreg_identity=sip:{user}@{DOMAIN}\n\
             reg_expires=600\nreg_sendregister=1\npublish=0\n\n\
             [auth_info_0]\nusername={user}\npasswd={PASSWORD}\nrealm={DOMAIN}\n",
            u8::from(self.answers == Answer::EarlyMedia),
            media.start(),
            media.end(),
        );
        std::fs::write(folder.join("linphonerc"), config).expect("the test's folder can be written");
        let mut command = site.command("linphonec");
        command
            .env("HOME", folder)
            .arg("-c")
            .arg(folder.join("linphonerc"))
            .args(["-d", "6", "-l"])
            .arg(folder.join("log"));
        let mut process = Process::start_commanded(&mut command, &folder.join("output"));
        process.say("soundcard use files");
        process.say(&format!("play {}", folder.join("voice.wav").display()));
        process
    }
}

/// The last lines of a log.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
