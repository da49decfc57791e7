//! The printed messages of one section of an RFC, by the references of a script.

use crate::shared;
use crate::text::Text;

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
