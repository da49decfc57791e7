//! Where a configuration comes from.

use crate::{open_files, resolv_conf, sounds};
use crosspoint_core::config::{self, Config, Finding, Parsed};
use crosspoint_core::media::tone::Sounds;
use crosspoint_core::params::System;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file, or none where the embedded default serves.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    path: Option<PathBuf>,
}

/// A file that was read and parsed.
pub struct Checked {
    /// What it says, unless there are errors.
    pub config: Option<Config>,
    /// Everything found, in the order of the text.
    pub findings: Vec<Finding>,
    /// The text itself.
    pub text: String,
}

/// What a switch runs by.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What the file says.
    pub config: Arc<Config>,
    /// The recordings that it names.
    pub sounds: Sounds,
}

impl ConfigFile {
    /// This file.
    pub fn at(path: PathBuf) -> ConfigFile {
        ConfigFile { path: Some(path) }
    }

    /// No file.
    pub fn embedded() -> ConfigFile {
        ConfigFile { path: None }
    }

    /// Reads and validates it; warnings go to the log. Where it names no nameservers, those of this host are asked.
    ///
    /// # Errors
    /// Every error found, for people to read.
    pub fn load(&self) -> Result<Arc<Config>, String> {
        let path = self.path()?;
        let checked = check(path)?;
        let rendered = render(path, &checked.findings, &checked.text);
        match checked.config {
            Some(mut config) => {
                if config.nameservers.is_empty() {
                    config.nameservers = resolv_conf::nameservers();
                }
                if !rendered.is_empty() {
                    tracing::warn!("{}", rendered.trim_end());
                }
                Ok(Arc::new(config))
            }
            None => Err(rendered),
        }
    }

    /// [`ConfigFile::load`], and the recordings that it names.
    ///
    /// # Errors
    /// As there; and where a recording cannot be had, each with what is wrong.
    pub fn load_all(&self) -> Result<Loaded, String> {
        let config = self.load()?;
        let sounds = sounds::load(&config, self.path()?)?;
        Ok(Loaded { config, sounds })
    }

    fn path(&self) -> Result<&Path, &'static str> {
        self.path.as_deref().ok_or("the embedded default has no file to read")
    }
}

/// Reads and parses a file.
///
/// # Errors
/// Where it cannot be read.
pub fn check(path: &Path) -> Result<Checked, String> {
    let text = read(path)?;
    Ok(match config::parse_on(&text, &system()) {
        Ok(Parsed { config, warnings }) => Checked { config: Some(config), findings: warnings, text },
        Err(findings) => Checked { config: None, findings: findings.into_vec(), text },
    })
}

/// Reads a text file.
///
/// # Errors
/// The system's, with the file's name.
pub fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Each finding as `file:line:column: level: text (id)`, with the line and carets under the place.
pub fn render<'f>(path: &Path, findings: impl IntoIterator<Item = &'f Finding>, text: &str) -> String {
    let file = path.display().to_string();
    let whole = |finding: &Finding| {
        let picture = finding.render(&file, text);
        // The picture repeats what and where in its first three lines.
        let picture: String = picture.lines().skip(3).map(|line| format!("  {line}\n")).collect();
        format!("{file}:{finding}\n{picture}")
    };
    findings.into_iter().map(whole).collect()
}

/// What configurations are checked against here: ip(7), getrlimit(2).
fn system() -> System {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ports = text.split_ascii_whitespace().map_while(|port| port.parse::<u16>().ok());
    let ephemeral_ports = match (ports.next(), ports.next()) {
        (Some(first), Some(last)) => first..=last,
        _ => System::default().ephemeral_ports,
    };
    System { ephemeral_ports, open_files: open_files::most() }
}
