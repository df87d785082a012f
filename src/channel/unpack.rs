//! Unpacking what a provider packed: zip, gzip and zlib. Bounded in every direction and pure: what comes out is held in
//! memory, and nothing is ever written under a name that a file brought along.

use std::io::{Cursor, ErrorKind, Read};

use encoding_rs::GBK;
use flate2::read::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use zip::ZipArchive;
use zip::result::ZipError;

/// A year of a busy shop's lines fits; a bomb does not.
const MAX_BYTES: usize = 256 << 20;
/// The providers pack two files, or a few.
const MAX_ENTRIES: usize = 64;
/// What common file systems take.
const MAX_NAME: usize = 255;
/// How much is unpacked at a time.
const STEP: usize = 64 << 10;

/// Why something could not be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnpackError {
    /// It is not of that form at all, or packed in a way that no provider uses.
    #[error("it is not {0}")]
    NotPacked(&'static str),
    /// It breaks off, or its checksum does not fit.
    #[error("it is damaged or breaks off")]
    Damaged,
    /// It is protected by a password.
    #[error("it is protected by a password")]
    Encrypted,
    /// What it holds is longer than any true file.
    #[error("it holds more than {} MiB", MAX_BYTES >> 20)]
    TooLong,
    /// It holds more files than any provider packs.
    #[error("it holds more than {MAX_ENTRIES} files")]
    TooMany,
    /// A file in it has a name that no provider gives.
    #[error("a file in it has a name that makes no sense")]
    BadName,
}

/// A file out of a zip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unpacked {
    /// Its name, without the folders it lay in.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Whether the bytes begin as a zip does (an empty zip too).
pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Whether the bytes begin as gzip does.
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1f\x8b")
}

/// Every file of a zip, in its order; folders are left out. All of them together are bounded.
pub(super) fn unzip(bytes: &[u8]) -> Result<Vec<Unpacked>, UnpackError> {
    unzip_within(bytes, MAX_BYTES)
}

/// What gzip packed.
pub(super) fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, UnpackError> {
    gunzip_within(bytes, MAX_BYTES)
}

/// What zlib (RFC 1950) packed.
pub(super) fn inflate(bytes: &[u8]) -> Result<Vec<u8>, UnpackError> {
    inflate_within(bytes, MAX_BYTES)
}

fn unzip_within(bytes: &[u8], limit: usize) -> Result<Vec<Unpacked>, UnpackError> {
    if !is_zip(bytes) {
        return Err(UnpackError::NotPacked("a zip file"));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(zip_error)?;
    if archive.len() > MAX_ENTRIES {
        return Err(UnpackError::TooMany);
    }
    let mut files = Vec::new();
    let mut left = limit;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(zip_error)?;
        let name = plain_name(entry.name_raw())?;
        if entry.is_dir() {
            continue;
        }
        let bytes = read_within(entry, left)?;
        left = left.saturating_sub(bytes.len());
        files.push(Unpacked { name, bytes });
    }
    Ok(files)
}

fn gunzip_within(bytes: &[u8], limit: usize) -> Result<Vec<u8>, UnpackError> {
    if !is_gzip(bytes) {
        return Err(UnpackError::NotPacked("gzip"));
    }
    read_within(MultiGzDecoder::new(bytes), limit)
}

fn inflate_within(bytes: &[u8], limit: usize) -> Result<Vec<u8>, UnpackError> {
    // Read step by step by hand: the library's reader takes a stream that breaks off for one that has ended.
    let mut inflater = Decompress::new(true);
    let mut out = Vec::new();
    let mut step = vec![0; STEP];
    let mut rest = bytes;
    loop {
        let (read, written) = (inflater.total_in(), inflater.total_out());
        let status = inflater.decompress(rest, &mut step, FlushDecompress::None).map_err(|_| {
            if read == 0 && written == 0 { UnpackError::NotPacked("packed with zlib") } else { UnpackError::Damaged }
        })?;
        let (read, written) = (inflater.total_in() - read, inflater.total_out() - written);
        let unpacked = step.get(..usize::try_from(written).unwrap_or(STEP)).unwrap_or_default();
        if out.len() + unpacked.len() > limit {
            return Err(UnpackError::TooLong);
        }
        out.extend_from_slice(unpacked);
        rest = rest.get(usize::try_from(read).unwrap_or(usize::MAX)..).unwrap_or_default();
        match status {
            Status::StreamEnd if rest.is_empty() => return Ok(out),
            Status::StreamEnd => return Err(UnpackError::Damaged),
            Status::Ok | Status::BufError if read == 0 && written == 0 => return Err(UnpackError::Damaged),
            Status::Ok | Status::BufError => {}
        }
    }
}

/// Reads to the end, whatever length was announced.
fn read_within(reader: impl Read, limit: usize) -> Result<Vec<u8>, UnpackError> {
    let mut bytes = Vec::new();
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(one_more).read_to_end(&mut bytes).map_err(|error| match error.kind() {
        ErrorKind::OutOfMemory => UnpackError::TooLong,
        _ => UnpackError::Damaged,
    })?;
    if bytes.len() > limit { Err(UnpackError::TooLong) } else { Ok(bytes) }
}

/// The last part of a name in a zip. Chinese programs write GBK there and say nothing of it.
fn plain_name(raw: &[u8]) -> Result<String, UnpackError> {
    let name = match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => {
            let decoded = GBK.decode_without_bom_handling_and_without_replacement(raw);
            decoded.ok_or(UnpackError::BadName)?.into_owned()
        }
    };
    let odd = |c: char| c.is_control() || matches!(c, '\\' | ':' | '\u{feff}');
    let path = name.strip_suffix('/').unwrap_or(&name);
    let absurd = raw.len() > MAX_NAME
        || name.contains(odd)
        || path.split('/').any(|part| part.trim().is_empty() || part == "." || part == "..");
    if absurd {
        return Err(UnpackError::BadName);
    }
    Ok(path.rsplit('/').next().unwrap_or_default().to_owned())
}

// Handed to `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn zip_error(error: ZipError) -> UnpackError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => UnpackError::Encrypted,
        ZipError::UnsupportedArchive(_) => UnpackError::NotPacked("a zip file that this program can open"),
        _ => UnpackError::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut writer = GzEncoder::new(Vec::new(), Compression::default());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut writer = ZlibEncoder::new(Vec::new(), Compression::default());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn files_come_out_in_order_without_their_folders() {
        let packed = zipped(&[("2026/a.csv", b"one"), ("业务明细.csv", b"two"), ("empty", b"")]);
        let files = unzip(&packed).unwrap();
        let files: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.bytes.as_slice())).collect();
        assert_eq!(files, [("a.csv", b"one".as_slice()), ("业务明细.csv", b"two"), ("empty", b"")]);
        assert_eq!(unzip(&zipped(&[])).unwrap(), []);
        // A name in GBK, as no flag says.
        let (name, _, _) = GBK.encode("汇总.csv");
        assert_eq!(plain_name(&name).unwrap(), "汇总.csv");
    }

    #[test]
    fn a_bomb_is_stopped_before_it_fills_the_memory() {
        let zeros = vec![0; 1 << 20];
        let bomb = zipped(&[("a", &zeros), ("b", &zeros)]);
        assert!(bomb.len() < 8_192);
        assert_eq!(unzip_within(&bomb, (2 << 20) - 1), Err(UnpackError::TooLong));
        assert_eq!(unzip_within(&bomb, 2 << 20).unwrap().len(), 2);
        assert_eq!(gunzip_within(&gzipped(&zeros), zeros.len() - 1), Err(UnpackError::TooLong));
        assert_eq!(inflate_within(&deflated(&zeros), zeros.len() - 1), Err(UnpackError::TooLong));
        assert_eq!(inflate_within(&deflated(&zeros), zeros.len()).unwrap(), zeros);
    }

    #[test]
    fn a_crowd_of_files_and_absurd_names_are_refused() {
        let names: Vec<String> = (0..=MAX_ENTRIES).map(|index| index.to_string()).collect();
        let crowd: Vec<_> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
        assert_eq!(unzip(&zipped(&crowd)), Err(UnpackError::TooMany));
        assert_eq!(unzip(&zipped(&crowd[1..])).unwrap().len(), MAX_ENTRIES);
        let long = "n".repeat(256);
        for name in ["../a.csv", "a/../b", "/etc/passwd", "C:a", "a\\b", "a\nb", "a//b", " ", "./a", long.as_str()] {
            assert_eq!(plain_name(name.as_bytes()), Err(UnpackError::BadName), "{name:?}");
            assert_eq!(unzip(&zipped(&[(name, b"x")])), Err(UnpackError::BadName), "{name:?}");
        }
        assert_eq!(plain_name(b""), Err(UnpackError::BadName));
        assert_eq!(plain_name(b"\x81"), Err(UnpackError::BadName));
    }

    #[test]
    fn other_forms_are_told_from_damaged_ones() {
        assert_eq!(unzip(b"<html>"), Err(UnpackError::NotPacked("a zip file")));
        assert_eq!(gunzip(b"a,b,c"), Err(UnpackError::NotPacked("gzip")));
        assert_eq!(inflate(b"hello"), Err(UnpackError::NotPacked("packed with zlib")));
        assert_eq!(inflate(b""), Err(UnpackError::Damaged));
        let text = b"a line that is long enough to be packed, and a line that is long enough";
        let mut trailing = deflated(text);
        trailing.push(0);
        assert_eq!(inflate(&trailing), Err(UnpackError::Damaged));
        let mut trailing = gzipped(text);
        trailing.push(0);
        assert_eq!(gunzip(&trailing), Err(UnpackError::Damaged));
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out(bytes in proptest::collection::vec(any::<u8>(), 0..100_000)) {
            prop_assert_eq!(&gunzip(&gzipped(&bytes)).unwrap(), &bytes);
            prop_assert_eq!(&inflate(&deflated(&bytes)).unwrap(), &bytes);
            prop_assert_eq!(&unzip(&zipped(&[("a", &bytes)])).unwrap()[0].bytes, &bytes);
        }

        #[test]
        fn what_breaks_off_is_never_taken_for_whole(bytes in proptest::collection::vec(any::<u8>(), 0..300), at: u16) {
            for (packed, unpack) in [
                (gzipped(&bytes), gunzip as fn(&[u8]) -> Result<Vec<u8>, UnpackError>),
                (deflated(&bytes), inflate),
                (zipped(&[("a", &bytes)]), |bytes| unzip(bytes).map(|files| files[0].bytes.clone())),
            ] {
                let at = usize::from(at) % packed.len();
                prop_assert!(unpack(&packed[..at]).is_err(), "{} of {}", at, packed.len());
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), at: u16, to: u8) {
            let mut changed = zipped(&[("a.csv", &bytes), ("b.csv", b"two")]);
            let at = usize::from(at) % changed.len();
            changed[at] = to;
            let _ = unzip_within(&changed, 1 << 16);
            for (magic, unpack) in [
                (b"PK\x03\x04".as_slice(), (|bytes| unzip_within(bytes, 1 << 16).map(drop)) as fn(&[u8]) -> _),
                (b"\x1f\x8b\x08", |bytes| gunzip_within(bytes, 1 << 16).map(drop)),
                (b"\x78\x9c", |bytes| inflate_within(bytes, 1 << 16).map(drop)),
            ] {
                let _: Result<(), UnpackError> = unpack(&bytes);
                let _ = unpack(&[magic, &bytes].concat());
            }
        }
    }
}
