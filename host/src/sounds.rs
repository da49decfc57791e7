//! The recordings that a configuration names: WAVE files, read whole.

use crosspoint_core::config::Config;
use crosspoint_core::limits::WAV_BYTES;
use crosspoint_core::media::tone::{Recording, Sounds, WavError};
use std::fs;
use std::path::Path;

/// Reads every recording that the configuration of this file names.
///
/// # Errors
/// Each file that cannot be read or is no recording, a line with its name and what is wrong with it.
pub fn load(config: &Config, config_path: &Path) -> Result<Sounds, String> {
    // the parser demands a folder wherever a file is named
    let folder = config.tones.folder.as_deref().unwrap_or(Path::new(""));
    let folder = config_path.parent().unwrap_or(Path::new("")).join(folder);
    let (mut recordings, mut faults) = (Vec::new(), Vec::new());
    for name in config.tones.files() {
        match read(&folder.join(name)) {
            Ok(recording) => recordings.push(recording),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(Sounds::new(recordings)) } else { Err(faults.join("\n")) }
}

fn read(path: &Path) -> Result<Recording, String> {
    let named = |fault: &dyn std::fmt::Display| format!("{}: {fault}", path.display());
    let bytes = fs::metadata(path).map_err(|error| named(&error))?.len();
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    if bytes > WAV_BYTES {
        return Err(named(&WavError::TooLong(bytes)));
    }
    let file = fs::read(path).map_err(|error| named(&error))?;
    Recording::read_wav(&file).map_err(|error| named(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file::ConfigFile;
    use std::path::PathBuf;
    use tempfile::TempDir;

    /// One channel at 8000 Hz, A-law.
    fn wav(samples: &[u8]) -> Vec<u8> {
        let head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x06\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data";
        [&head[..], &(samples.len() as u32).to_le_bytes(), samples].concat()
    }

    const CONFIG: &str = "[tones]\nfolder = \"sounds\"\n[announcements]\nbusy = \"b.wav\"\nnot_found = \"a.wav\"\n\
        [[listen]]\nbind = \"127.0.0.1:0\"\n[[phone]]\nuser = \"1\"\npassword = \"x\"\nlocal_ring = true\nringback = \"c.wav\"\n";

    fn directory(files: &[(&str, &[u8])]) -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("crosspoint.toml");
        fs::write(&config, CONFIG).unwrap();
        fs::create_dir(directory.path().join("sounds")).unwrap();
        for (name, bytes) in files {
            fs::write(directory.path().join("sounds").join(name), bytes).unwrap();
        }
        (directory, config)
    }

    #[test]
    fn recordings_are_found_beside_the_configuration_in_the_order_of_their_numbers() {
        let files: [(&str, &[u8]); 3] = [("c.wav", &wav(&[3; 3])), ("a.wav", &wav(&[1; 1])), ("b.wav", &wav(&[2; 2]))];
        let (_directory, path) = directory(&files);
        let loaded = ConfigFile::at(path).load_all().unwrap();
        assert_eq!(loaded.config.tones.files(), ["a.wav", "b.wav", "c.wav"]);
        let recordings = ["a.wav", "b.wav", "c.wav"].map(|name| {
            let (_, bytes) = files.iter().find(|(file, _)| *file == name).unwrap();
            Recording::read_wav(bytes).unwrap()
        });
        assert_eq!(loaded.sounds, Sounds::new(recordings));
    }

    #[test]
    fn every_file_that_is_not_there_or_no_recording_is_told_and_nothing_is_loaded() {
        let (directory, path) = directory(&[("a.wav", &wav(&[1])), ("c.wav", b"ID3 and a song")]);
        let faults = ConfigFile::at(path).load_all().unwrap_err();
        let in_folder = |name: &str| directory.path().join("sounds").join(name).display().to_string();
        assert_eq!(
            faults.lines().collect::<Vec<_>>(),
            [
                format!("{}: No such file or directory (os error 2)", in_folder("b.wav")),
                format!("{}: it does not begin with RIFF and WAVE", in_folder("c.wav")),
            ]
        );
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read() {
        let (directory, path) = directory(&[("a.wav", &wav(&[1])), ("c.wav", &wav(&[1]))]);
        let long = fs::File::create(directory.path().join("sounds/b.wav")).unwrap();
        long.set_len(1 << 40).unwrap();
        let faults = ConfigFile::at(path).load_all().unwrap_err();
        assert!(faults.contains("b.wav: it has 1099511627776 bytes, at most"), "{faults}");
    }

    #[test]
    fn without_files_nothing_is_looked_for() {
        let config = Config::embedded("x");
        assert_eq!(load(&config, Path::new("/nonexistent/file")), Ok(Sounds::default()));
    }
}
