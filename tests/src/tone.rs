//! Sine tones in WAV files: what a phone says and what it heard.

use std::f64::consts::TAU;
use std::path::Path;

/// Samples a second, as in G.711.
const RATE: u32 = 8000;

/// Writes a mono 16-bit WAV file of one tone.
///
/// # Panics
/// When the file cannot be written.
pub fn write(path: &Path, hz: f64, seconds: u32) {
    let samples = (0..RATE * seconds).map(|n| (9000.0 * (TAU * hz * f64::from(n) / f64::from(RATE)).sin()) as i16);
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let bytes = u32::try_from(data.len()).expect("minutes of speech fit");
    let mut file = Vec::with_capacity(44 + data.len());
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + bytes).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    // chunk length, PCM, one channel, rate, bytes a second, bytes a sample, bits a sample
    file.extend_from_slice(&16u32.to_le_bytes());
    file.extend_from_slice(&[1, 0, 1, 0]);
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&(2 * RATE).to_le_bytes());
    file.extend_from_slice(&[2, 0, 16, 0]);
    file.extend_from_slice(b"data");
    file.extend_from_slice(&bytes.to_le_bytes());
    file.extend_from_slice(&data);
    std::fs::write(path, file).expect("the test's folder can be written");
}

/// The samples of a mono 16-bit WAV file, whatever length its header says: a writer that was killed wrote none.
pub fn read(path: &Path) -> Vec<i16> {
    let file = std::fs::read(path).unwrap_or_default();
    let data = file.windows(4).position(|four| four == b"data").map_or(file.len(), |at| at + 8);
    file.get(data..).unwrap_or_default().chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect()
}

/// The sample that an octet of A-law stands for (G.711 table 1a), from the standard and not from the switch.
pub fn decode_a(octet: u8) -> i16 {
    // every second bit is inverted; then sign, segment, step
    let octet = octet ^ 0x55;
    let (segment, step) = (octet >> 4 & 7, i16::from(octet & 15));
    let magnitude = match segment {
        0 => 16 * step + 8,
        _ => (16 * step + 264) << (segment - 1),
    };
    if octet & 0x80 == 0 { -magnitude } else { magnitude }
}

/// How strong this tone is in the samples: half its amplitude.
pub fn strength(samples: &[i16], hz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let (sin, cos) = (TAU * hz * n as f64 / f64::from(RATE)).sin_cos();
        re += f64::from(*sample) * cos;
        im += f64::from(*sample) * sin;
    }
    re.hypot(im) / samples.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_of_a_law_are_decoded() {
        // the virtual decision values of the table, in its units of 1/4096 of 16 bits
        let cases = [(0xd5, 8), (0x55, -8), (0xd4, 24), (0xaa, 32_256), (0x2a, -32_256), (0x85, 4_224), (0xc5, 264)];
        for (octet, sample) in cases {
            assert_eq!(decode_a(octet), sample, "{octet:#x}");
        }
    }

    #[test]
    fn a_written_tone_is_heard_and_no_other() {
        let path = std::env::temp_dir().join(format!("crosspoint-tone-{}.wav", std::process::id()));
        write(&path, 440.0, 1);
        let samples = read(&path);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(samples.len(), 8000);
        assert!((strength(&samples, 440.0) - 4500.0).abs() < 10.0);
        assert!(strength(&samples, 700.0) < 10.0);
        assert!(strength(&[], 700.0) == 0.0);
    }
}
