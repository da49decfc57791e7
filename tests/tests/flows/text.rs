//! A printed message as lines, so that what a live exchange does not force us to change stays as printed, byte for byte.

/// One header: its long name, and the line as it stands, folds included.
#[derive(Clone, Debug)]
struct Line {
    name: String,
    raw: String,
}

/// A message in its printed form.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// The first line.
    pub(crate) start: String,
    lines: Vec<Line>,
    /// What follows the empty line.
    pub(crate) body: String,
}

impl Text {
    /// Reads any message that has a first line.
    pub(crate) fn read(text: &str) -> Text {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text.trim_end(), ""));
        let mut rest = head.split("\r\n");
        let start = rest.next().unwrap_or_default().to_owned();
        let mut lines: Vec<Line> = Vec::new();
        for raw in rest {
            match lines.last_mut() {
                Some(line) if raw.starts_with([' ', '\t']) => {
                    line.raw.push_str("\r\n");
                    line.raw.push_str(raw);
                }
                _ => lines.push(Line { name: long_name(raw).to_owned(), raw: raw.to_owned() }),
            }
        }
        Text { start, lines, body: body.to_owned() }
    }

    /// The method of a request; none of a response.
    pub(crate) fn method(&self) -> Option<&str> {
        self.start.split(' ').next().filter(|word| !word.starts_with("SIP/"))
    }

    /// The method that CSeq names, else that of the start line.
    pub(crate) fn cseq_method(&self) -> Option<String> {
        let named = self.value("CSeq").and_then(|value| Some(value.split_once(' ')?.1.to_owned()));
        named.or_else(|| self.method().map(str::to_owned))
    }

    /// The Request-URI.
    pub(crate) fn uri(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// Puts another Request-URI in.
    pub(crate) fn set_uri(&mut self, uri: &str) {
        self.start = format!("{} {uri} SIP/2.0", self.method().expect("only requests have a Request-URI"));
    }

    /// The first value of that name, unfolded.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        self.values(name).into_iter().next()
    }

    /// The values of that name, one a line, unfolded.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| line.name.eq_ignore_ascii_case(name));
        lines.filter_map(|line| Some(unfolded(&line.raw).split_once(':')?.1.trim().to_owned())).collect()
    }

    /// Whether a header of that name is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.lines.iter().any(|line| line.name.eq_ignore_ascii_case(name))
    }

    /// The tag parameter of From or To.
    pub(crate) fn tag(&self, name: &str) -> Option<String> {
        let value = self.value(name)?;
        crosspoint_sim::phone::message::param(&value, "tag").map(str::to_owned)
    }

    /// Takes every header of that name out.
    pub(crate) fn remove(&mut self, name: &str) {
        self.lines.retain(|line| !line.name.eq_ignore_ascii_case(name));
    }

    /// Puts these values in the place of all of that name: where the first was, else at the end.
    pub(crate) fn set_all<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a str>) {
        let first = self.lines.iter().position(|line| line.name.eq_ignore_ascii_case(name));
        let at = first.unwrap_or(self.lines.len());
        self.remove(name);
        let lines = values.into_iter().map(|value| Line { name: name.to_owned(), raw: format!("{name}: {value}") });
        self.lines.splice(at..at, lines);
    }

    /// Puts this value in the place of all of that name.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.set_all(name, [value]);
    }

    /// Gives the header this value where it has none.
    pub(crate) fn supply(&mut self, name: &str, value: impl FnOnce() -> String) {
        if !self.has(name) {
            let value = value();
            self.set(name, &value);
        }
    }

    /// Adds a header line at the end.
    pub(crate) fn add(&mut self, raw: &str) {
        self.lines.push(Line { name: long_name(raw).to_owned(), raw: raw.to_owned() });
    }

    /// Rewrites the lines of that name.
    pub(crate) fn edit(&mut self, name: &str, edit: impl Fn(&str) -> String) {
        for line in self.lines.iter_mut().filter(|line| line.name.eq_ignore_ascii_case(name)) {
            line.raw = edit(&line.raw);
        }
    }

    /// Rewrites every line, the first too.
    pub(crate) fn edit_all(&mut self, edit: impl Fn(&str) -> String) {
        self.start = edit(&self.start);
        for line in &mut self.lines {
            line.raw = edit(&line.raw);
        }
    }

    /// The datagram.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let lines: String = self.lines.iter().map(|line| format!("{}\r\n", line.raw)).collect();
        format!("{}\r\n{lines}\r\n{}", self.start, self.body).into_bytes()
    }
}

/// A header line without its folds.
fn unfolded(raw: &str) -> String {
    raw.split("\r\n").map(str::trim).collect::<Vec<_>>().join(" ")
}

fn long_name(raw: &str) -> &str {
    let name = raw.split(':').next().unwrap_or_default().trim();
    match name {
        "v" => "Via",
        "f" => "From",
        "t" => "To",
        "i" => "Call-ID",
        "m" => "Contact",
        "l" => "Content-Length",
        "c" => "Content-Type",
        _ => name,
    }
}

#[test]
fn what_is_not_changed_stays_as_it_was() {
    let printed =
        "BYE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP x\r\n ;branch=z9hG4bK1\r\nX-Odd:  1 \r\nCSeq: 2 BYE\r\n\r\nabc";
    let mut text = Text::read(printed);
    assert_eq!(text.bytes(), printed.as_bytes());
    assert_eq!(text.value("Via").as_deref(), Some("SIP/2.0/UDP x ;branch=z9hG4bK1"));
    text.set("CSeq", "3 BYE");
    text.set_uri("sip:c");
    assert_eq!(text.bytes(), printed.replace("CSeq: 2", "CSeq: 3").replace("sip:a@b", "sip:c").as_bytes());
}
