use super::*;
use crate::limits::WAV_BYTES;
use quickcheck::quickcheck;

const PCM_8000_MONO: [u8; 16] = [1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0];

fn format(encoding: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let mut format = PCM_8000_MONO.to_vec();
    format[..2].copy_from_slice(&encoding.to_le_bytes());
    format[2..4].copy_from_slice(&channels.to_le_bytes());
    format[4..8].copy_from_slice(&rate.to_le_bytes());
    format[14..].copy_from_slice(&bits.to_le_bytes());
    format
}

/// A format of 40 bytes whose encoding stands in its GUID.
fn extensible(encoding: u16) -> Vec<u8> {
    let bits = if encoding == 1 { 16 } else { 8 };
    let mut format = format(0xfffe, 1, 8000, bits);
    format.extend([22, 0, bits as u8, 0, 4, 0, 0, 0]);
    format.extend(encoding.to_le_bytes());
    format.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    format
}

/// A file of these chunks, padded as they should be.
fn file(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WAVE".to_vec();
    for (id, chunk) in chunks {
        body.extend(*id);
        body.extend((chunk.len() as u32).to_le_bytes());
        body.extend(*chunk);
        body.extend(vec![0; chunk.len() % 2]);
    }
    let mut file = b"RIFF".to_vec();
    file.extend((body.len() as u32).to_le_bytes());
    file.extend(body);
    file
}

#[track_caller]
fn expect(file: &[u8], samples: &[i16]) {
    assert_eq!(Recording::read_wav(file).expect("a recording").samples(), samples);
}

/// Written out by hand once, so that the helper above is no judge of itself.
#[test]
fn a_file_byte_by_byte() {
    let bytes =
        b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\x04\0\0\0\x01\0\xff\x7f";
    expect(bytes, &[1, 32_767]);
    assert_eq!(file(&[(b"fmt ", &PCM_8000_MONO), (b"data", &[1, 0, 0xff, 0x7f])]), bytes);
}

#[test]
fn every_encoding_that_is_read() {
    let octets = [0xd5, 0x55, 0xaa];
    let of = |law: Law| octets.map(|octet| law.decode(octet));
    for (format, samples) in [
        (format(6, 1, 8000, 8), of(Law::A)),
        (format(7, 1, 8000, 8), of(Law::Mu)),
        (extensible(6), of(Law::A)),
        (extensible(7), of(Law::Mu)),
    ] {
        expect(&file(&[(b"fmt ", &format), (b"data", &octets)]), &samples);
    }
    expect(&file(&[(b"fmt ", &extensible(1)), (b"data", &[0x34, 0x12])]), &[0x1234]);
    let longer = [format(6, 1, 8000, 8), vec![0, 0]].concat();
    expect(&file(&[(b"fmt ", &longer), (b"fact", &[3, 0, 0, 0]), (b"data", &octets)]), &of(Law::A));
}

#[test]
fn files_as_they_are_found() {
    let (data, format) = ((b"data", [1u8, 0, 2, 0].as_slice()), (b"fmt ", PCM_8000_MONO.as_slice()));
    let list = (b"LIST", b"INFOx".as_slice());
    // chunks before, between and behind, odd ones too; data before its format; second ones
    for chunks in [
        vec![format, data, list],
        vec![list, format, list, data],
        vec![data, format],
        vec![data, list, format],
        vec![format, data, (b"data", &[9, 9])],
        vec![(b"JUNK", &[]), format, data],
    ] {
        expect(&file(&chunks), &[1, 2]);
    }
    // the odd chunk without its padding
    let mut unpadded = file(&[list, format, data]);
    unpadded.remove(12 + 8 + 5);
    expect(&unpadded, &[1, 2]);
    // half a sample at the end
    expect(&file(&[format, (b"data", &[1, 0, 2])]), &[1]);
    // sizes written to a pipe, or of a file cut short; the length of RIFF is nothing
    let whole = file(&[format, data]);
    for size in [[0xff; 4], [0xff, 0xff, 0xff, 0x7f], [6, 0, 0, 0]] {
        let mut piped = whole.clone();
        piped[4..8].copy_from_slice(&size);
        let at = piped.len() - 8;
        piped[at..at + 4].copy_from_slice(&size);
        expect(&piped, &[1, 2]);
    }
    // bytes behind the last chunk that are none
    expect(&[whole, vec![0; 7]].concat(), &[1, 2]);
}

#[test]
fn what_is_refused_and_why() {
    let data = (b"data", [1u8, 0].as_slice());
    let of = |format: &[u8]| file(&[(b"fmt ", format), data]);
    let mut other_guid = extensible(1);
    other_guid[39] = 0;
    let big_endian = [b"RIFX".as_slice(), &of(&PCM_8000_MONO)[4..]].concat();
    let files = [
        ("nothing", vec![]),
        ("MP3", b"ID3\x04 and so on and so on".to_vec()),
        ("RIFX", big_endian),
        ("AVI", b"RIFF\x04\0\0\0AVI ".to_vec()),
        ("no chunks", file(&[])),
        ("no format", file(&[data])),
        ("no data", file(&[(b"fmt ", &PCM_8000_MONO)])),
        ("empty data", file(&[(b"fmt ", &PCM_8000_MONO), (b"data", &[])])),
        ("half a sample", file(&[(b"fmt ", &PCM_8000_MONO), (b"data", &[1])])),
        ("short format", of(&PCM_8000_MONO[..14])),
        ("short extensible", of(&extensible(1)[..38])),
        ("other GUID", of(&other_guid)),
        ("GSM", of(&format(0x31, 1, 8000, 0))),
        ("float", of(&format(3, 1, 8000, 32))),
        ("float, extensible", of(&extensible(3))),
        ("stereo", of(&format(1, 2, 8000, 16))),
        ("no channel", of(&format(1, 0, 8000, 16))),
        ("44.1 kHz", of(&format(1, 1, 44_100, 16))),
        ("8 bit", of(&format(1, 1, 8000, 8))),
        ("A-law of 16 bit", of(&format(6, 1, 8000, 16))),
        ("too long", vec![0; WAV_BYTES + 1]),
    ];
    let refused = |(name, file): (&str, Vec<u8>)| format!("{name}: {}", Recording::read_wav(&file).unwrap_err());
    insta::assert_snapshot!(files.map(refused).join("\n"));
}

quickcheck! {
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) -> bool {
        let chunks = [b"RIFF\0\0\0\0WAVE".as_slice(), &bytes].concat();
        let data = file(&[(b"fmt ", &PCM_8000_MONO), (b"data", &bytes)]);
        let read = Recording::read_wav(&data).map_or(0, |recording| recording.samples().len());
        let _ = (Recording::read_wav(&bytes), Recording::read_wav(&chunks));
        read == bytes.len() / 2
    }

    /// A real file with bytes of it changed and its end cut off.
    fn a_broken_file_is_read_or_refused(changes: Vec<(u8, u8)>, cut: u8) -> bool {
        let mut broken = file(&[(b"LIST", b"abc"), (b"fmt ", &extensible(1)), (b"data", &[1, 2, 3, 4])]);
        for (at, byte) in changes {
            let at = usize::from(at) % broken.len();
            broken[at] = byte;
        }
        broken.truncate(broken.len() - usize::from(cut) % broken.len());
        Recording::read_wav(&broken).map_or(true, |recording| !recording.samples().is_empty())
    }
}
