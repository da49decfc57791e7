//! The printed messages of one section of an RFC, by the references of a script.

use crate::shared;
use crate::text::Text;
use std::collections::BTreeSet;

/// Every RFC of which messages are printed; empty without shared data.
pub(crate) fn rfcs() -> BTreeSet<String> {
    let files = shared::files("flows", &[".sip"]);
    files.iter().filter_map(|(name, _)| Some(name.split('/').nth(1)?.to_owned())).collect()
}

/// The messages a flow is played from.
pub(crate) struct Prints {
    /// File name and message.
    files: Vec<(String, String)>,
}

impl Prints {
    /// Every message of an RFC that [`shared`] has as printed, by rising number; empty without shared data.
    pub(crate) fn of(rfc: &str) -> Prints {
        let folder = format!("flows/{rfc}/as-printed/");
        let files = shared::files(&folder, &[".sip"]);
        let name = |path: String| path.strip_prefix(&folder).unwrap_or(&path).to_owned();
        let text = |bytes| String::from_utf8(bytes).expect("printed messages are UTF-8");
        Prints { files: files.into_iter().map(|(path, bytes)| (name(path), text(bytes))).collect() }
    }

    /// None: for flows of our own, every message of which is made up.
    pub(crate) fn none() -> Prints {
        Prints { files: Vec::new() }
    }

    /// Every session description of an RFC.
    pub(crate) fn of_sdp(rfc: &str) -> Prints {
        let folder = format!("sdp/{rfc}/");
        let files = shared::files(&folder, &[".sdp"]);
        let name = |path: String| path.strip_prefix(&folder).unwrap_or(&path).to_owned();
        let text = |bytes| String::from_utf8(bytes).expect("printed descriptions are UTF-8");
        Prints { files: files.into_iter().map(|(path, bytes)| (name(path), text(bytes))).collect() }
    }

    /// The session description whose file name begins so.
    pub(crate) fn sdp(&self, reference: &str) -> &str {
        let found: Vec<_> = self.files.iter().filter(|(name, _)| name.starts_with(reference)).collect();
        let [(_, text)] = found[..] else { panic!("{} session descriptions {reference}", found.len()) };
        text
    }

    /// Whether there is nothing to play.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Every file name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|(name, _)| name.as_str())
    }

    /// The name of the file that `F3` or `#041` means in this section.
    pub(crate) fn name(&self, section: &str, reference: &str) -> &str {
        &self.find(section, reference).0
    }

    /// The message that `F3` or `#041` means in this section.
    pub(crate) fn message(&self, section: &str, reference: &str) -> Text {
        Text::read(&self.find(section, reference).1)
    }

    fn find(&self, section: &str, reference: &str) -> &(String, String) {
        let is_it = |name: &str| match reference.strip_prefix('#') {
            // numbers count through the whole RFC
            Some(number) => name.split('-').nth(1) == Some(number),
            None => {
                let label = format!("-{reference}-");
                name.split('-').next() == Some(section) && name.contains(&label)
            }
        };
        let found: Vec<_> = self.files.iter().filter(|(name, _)| is_it(name)).collect();
        let [one] = found[..] else { panic!("{} printed messages for {reference} of {section}", found.len()) };
        one
    }
}
