//! SIPp scenarios, step by step: what a caller or a callee sends and what it must receive, in this order and nothing else.
//!
//! SIPp knows messages, not dialogs. Here each side keeps what its requests need: its tag, the peer's, the remote target,
//! the CSeq; and for answers to an INVITE that come after other requests, the INVITE's own headers.

use std::fmt::Write;

/// A session description to send: the offer or the answer of a side, `a=` lines added.
#[derive(Clone, Copy)]
pub(crate) struct Sdp {
    /// Where the side is reached.
    pub(crate) host: &'static str,
    /// The port for speech or a fax.
    pub(crate) port: u16,
    /// Whether it is a fax.
    pub(crate) is_fax: bool,
    /// Further lines, such as `a=sendonly`.
    pub(crate) also: &'static str,
}

impl Sdp {
    /// Speech both ways.
    pub(crate) const fn plain(port: u16) -> Sdp {
        Sdp { host: "[local_ip]", port, is_fax: false, also: "" }
    }

    /// A fax by UDP (T.38 annex D).
    pub(crate) const fn fax(port: u16) -> Sdp {
        Sdp { is_fax: true, ..Sdp::plain(port) }
    }

    fn text(self) -> String {
        let also = if self.also.is_empty() { String::new() } else { format!("{}\n", self.also) };
        let Sdp { host, port, .. } = self;
        let media = match self.is_fax {
            true => format!("m=image {port} udptl t38\na=T38FaxVersion:0\na=T38FaxUdpEC:t38UDPRedundancy"),
            false => format!("m=audio {port} RTP/AVP 8\na=rtpmap:8 PCMA/8000"),
        };
        format!("v=0\no=peer 1 1 IN IP4 {host}\ns=call\nc=IN IP4 {host}\nt=0 0\n{media}\n{also}")
    }
}

/// A scenario of one side.
pub(crate) struct Script {
    name: &'static str,
    is_caller: bool,
    xml: String,
    /// The actions of the `recv` that stands last in `xml`, which is not closed yet.
    open: Option<String>,
    cseq: u32,
    /// The CSeq of its last INVITE.
    invited: u32,
    /// Whether a 100 to it may come next.
    may_be_trying: bool,
    variables: u32,
}

/// What of a request the other side needs again to answer it later.
const KEPT: [&str; 5] = ["Via", "From", "To", "Call-ID", "CSeq"];

impl Script {
    /// Of the side that calls.
    pub(crate) fn caller(name: &'static str) -> Script {
        Script::new(name, true)
    }

    /// Of the side that is called.
    pub(crate) fn callee(name: &'static str) -> Script {
        Script::new(name, false)
    }

    fn new(name: &'static str, is_caller: bool) -> Script {
        Script {
            name,
            is_caller,
            xml: String::new(),
            open: None,
            cseq: 0,
            invited: 0,
            may_be_trying: false,
            variables: 0,
        }
    }

    /// A request outside dialogs, to a number.
    pub(crate) fn begin(mut self, method: &str, number: &str, headers: &[&str], sdp: Option<Sdp>) -> Script {
        self.cseq += 1;
        let uri = format!("sip:{number}@[remote_ip]:[remote_port]");
        let to = format!("<sip:{number}@interop.test>");
        self.request(method, &uri, &to, headers, sdp)
    }

    /// A request in the dialog.
    pub(crate) fn send(mut self, method: &str, headers: &[&str], sdp: Option<Sdp>) -> Script {
        self.cseq += 1;
        let to = self.remote();
        self.request(method, "[next_url]", &to, headers, sdp)
    }

    /// The ACK of a 2xx to its INVITE, in the branch of the response just received.
    pub(crate) fn ack(self, sdp: Option<Sdp>) -> Script {
        let cseq = self.invited;
        self.acknowledge("[next_url]", cseq, "ack", sdp)
    }

    /// The ACK of a refusal of its re-INVITE: of the same transaction (RFC 3261 §17.1.1.3).
    pub(crate) fn ack_refusal(self) -> Script {
        let cseq = self.invited;
        self.acknowledge("[next_url]", cseq, "INVITE", None)
    }

    fn acknowledge(self, uri: &str, cseq: u32, branch: &str, sdp: Option<Sdp>) -> Script {
        let (to, from) = (self.remote(), self.local());
        let text =
            message(&format!("ACK {uri} SIP/2.0"), &via(cseq, branch), &from, &to, &format!("{cseq} ACK"), &[], sdp);
        self.sent(&text, false)
    }

    fn request(mut self, method: &str, uri: &str, to: &str, headers: &[&str], sdp: Option<Sdp>) -> Script {
        if method == "INVITE" {
            self.invited = self.cseq;
        }
        let cseq = self.cseq;
        let start = format!("{method} {uri} SIP/2.0");
        let text = message(&start, &via(cseq, method), &self.local(), to, &format!("{cseq} {method}"), headers, sdp);
        self.may_be_trying = method == "INVITE";
        self.sent(&text, true)
    }

    /// Waits for a response with this status.
    pub(crate) fn expect_status(self, status: u16) -> Script {
        self.received(&format!(r#"response="{status}" rrs="true""#))
    }

    /// Waits for a request.
    pub(crate) fn expect(self, method: &str) -> Script {
        let mut script = self.received(&format!(r#"request="{method}" rrs="true""#));
        // a dialog begins with it, or an answer may come later
        let is_invite = method == "INVITE";
        for header in KEPT.into_iter().filter(|_| is_invite) {
            script.action(&format!(
                r#"<ereg regexp="[^ ].*" search_in="hdr" header="{header}:" assign_to="invite_{header}"/>"#
            ));
        }
        if is_invite && !script.is_caller && script.variables == 0 {
            // the first of them makes the dialog
            script.action(r#"<ereg regexp="[^ ].*" search_in="hdr" header="From:" assign_to="peer"/>"#);
            script.action(r#"<ereg regexp="[^ ].*" search_in="hdr" header="To:" assign_to="self"/>"#);
            script.variables = 1;
        }
        script
    }

    /// What was received last must match this regular expression.
    pub(crate) fn with(self, expression: &str) -> Script {
        self.checked(expression, "check_it")
    }

    /// What was received last must not match.
    pub(crate) fn without(self, expression: &str) -> Script {
        self.checked(expression, "check_it_inverse")
    }

    fn checked(mut self, expression: &str, check: &str) -> Script {
        self.variables += 1;
        let name = format!("seen{}", self.variables);
        let expression = expression.replace('"', "&quot;");
        self.action(&format!(r#"<ereg regexp="{expression}" search_in="msg" {check}="true" assign_to="{name}"/>"#));
        self
    }

    /// Keeps a header of what was received last for `[$name]` in what is sent.
    pub(crate) fn keep(mut self, header: &str, name: &str) -> Script {
        self.action(&format!(r#"<ereg regexp="[^ ].*" search_in="hdr" header="{header}:" assign_to="{name}"/>"#));
        self
    }

    /// The last request received must have the right digest of this user.
    pub(crate) fn with_digest(mut self, user: &str, password: &str) -> Script {
        self.variables += 1;
        let name = format!("proven{}", self.variables);
        self.action(&format!(r#"<verifyauth assign_to="{name}" username="{user}" password="{password}"/>"#));
        self.close();
        writeln!(
            self.xml,
            "<nop test=\"{name}\" next=\"{name}\"/>\n\
             <nop><action><error message=\"the digest is wrong\"/></action></nop>\n<label id=\"{name}\"/>"
        )
        .expect("a String takes all");
        self
    }

    /// Answers the request received last.
    pub(crate) fn answer(self, status: u16, headers: &[&str], sdp: Option<Sdp>) -> Script {
        let lines: String = KEPT.iter().map(|header| format!("[last_{header}:]\n")).collect();
        let text = response(status, &lines, headers, sdp);
        self.sent(&text, false)
    }

    /// Answers the INVITE received last, whatever came after it. In the first INVITE of a dialog `tag` makes the branch;
    /// in the others it is empty.
    pub(crate) fn answer_invite(self, status: u16, tag: &str, headers: &[&str], sdp: Option<Sdp>) -> Script {
        let tag = if tag.is_empty() { String::new() } else { format!(";tag={tag}[call_number]") };
        let lines = KEPT.map(|header| {
            let tag = if header == "To" { &tag } else { "" };
            format!("{header}: [$invite_{header}]{tag}\n")
        });
        let text = response(status, &lines.concat(), headers, sdp);
        // a 2xx is repeated until its ACK comes (RFC 3261 §13.3.1.4)
        self.sent(&text, (200..300).contains(&status))
    }

    /// Does nothing for a while.
    pub(crate) fn pause(mut self, milliseconds: u32) -> Script {
        self.close();
        writeln!(self.xml, r#"<pause milliseconds="{milliseconds}"/>"#).expect("a String takes all");
        self
    }

    fn local(&self) -> String {
        if self.is_caller {
            "<sip:3001@interop.test>;tag=caller[call_number]".to_owned()
        } else {
            "[$self];tag=callee[call_number]".to_owned()
        }
    }

    fn remote(&self) -> String {
        if self.is_caller { "<sip:callee@interop.test>[peer_tag_param]".to_owned() } else { "[$peer]".to_owned() }
    }

    fn sent(mut self, text: &str, is_repeated: bool) -> Script {
        self.close();
        let repeated = if is_repeated { r#" retrans="500""# } else { "" };
        writeln!(self.xml, "<send{repeated}><![CDATA[\n{text}\n]]></send>").expect("a String takes all");
        self
    }

    fn received(mut self, attributes: &str) -> Script {
        self.close();
        // comes or does not, depending on who is slow
        if std::mem::take(&mut self.may_be_trying) {
            self.xml += "<recv response=\"100\" optional=\"true\"/>\n";
        }
        write!(self.xml, "<recv {attributes}>").expect("a String takes all");
        self.open = Some(String::new());
        self
    }

    fn action(&mut self, action: &str) {
        let actions = self.open.as_mut().expect("an action belongs to what was received");
        actions.push_str(action);
        actions.push('\n');
    }

    fn close(&mut self) {
        if let Some(actions) = self.open.take() {
            if actions.is_empty() {
                self.xml += "</recv>\n";
            } else {
                writeln!(self.xml, "<action>\n{actions}</action></recv>").expect("a String takes all");
            }
        }
    }

    /// The scenario as SIPp reads it, and its name.
    pub(crate) fn finish(mut self) -> (&'static str, String) {
        self.close();
        let names = self.xml.split("assign_to=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.dedup();
        // SIPp wants every variable used
        let used =
            if names.is_empty() { String::new() } else { format!("<Reference variables=\"{}\"/>\n", names.join(",")) };
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE scenario SYSTEM \"sipp.dtd\">\n\
             <scenario name=\"{}\">\n{}{used}</scenario>\n",
            self.name, self.xml
        );
        (self.name, xml)
    }
}

fn via(cseq: u32, method: &str) -> String {
    format!("Via: SIP/2.0/UDP [local_ip]:[local_port];rport;branch=z9hG4bK[pid]-[call_number]-{cseq}{method}")
}

fn message(start: &str, via: &str, from: &str, to: &str, cseq: &str, headers: &[&str], sdp: Option<Sdp>) -> String {
    format!(
        "{start}\n{via}\n[routes]\nMax-Forwards: 70\nFrom: {from}\nTo: {to}\nCall-ID: [call_id]\nCSeq: {cseq}\n{}",
        rest(headers, sdp)
    )
}

fn response(status: u16, lines: &str, headers: &[&str], sdp: Option<Sdp>) -> String {
    format!("SIP/2.0 {status} {}\n{lines}[last_Record-Route:]\n{}", reason(status), rest(headers, sdp))
}

fn rest(headers: &[&str], sdp: Option<Sdp>) -> String {
    let has_contact = headers.iter().any(|header| header.starts_with("Contact:"));
    let mut text = if has_contact { "" } else { "Contact: <sip:peer@[local_ip]:[local_port]>\n" }.to_owned();
    for header in headers {
        text += header;
        text.push('\n');
    }
    match sdp {
        Some(sdp) => text += &format!("Content-Type: application/sdp\nContent-Length: [len]\n\n{}", sdp.text()),
        None => text += "Content-Length: 0\n",
    }
    text
}

fn reason(status: u16) -> &'static str {
    match status {
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        _ => "As The Test Says",
    }
}
