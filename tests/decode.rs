//! Pictures whose codes are known: read, and nothing read where there is nothing.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use scantill::scan::decode_file;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scan")
}

#[test]
fn every_picture_says_what_its_truth_says() {
    let truth = fs::read_to_string(data().join("truth.csv")).unwrap();
    let rows: Vec<_> = truth.lines().skip(1).filter_map(|line| line.split_once(',')).collect();
    assert_eq!(rows.len(), 9);
    for (file, text) in rows {
        let found = decode_file(&data().join(file), 1).unwrap();
        // A wallet shows the same digits as QR and as Code 128: two symbols, one text.
        let mut texts: Vec<_> = found.codes.iter().map(|code| code.text.as_str()).collect();
        texts.dedup();
        let expected: &[&str] = if text.is_empty() { &[] } else { &[text] };
        assert_eq!(texts, expected, "{file}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// A picture cut short or changed anywhere is an error or a picture, never a panic.
    #[test]
    fn no_file_makes_the_reader_fall_over(cut in 0_usize..40_000, place in 0_usize..2_000, byte: u8, png: bool) {
        let name = if png { "code128-1-1.png" } else { "counter-0008.jpg" };
        let mut bytes = fs::read(data().join(name)).unwrap();
        bytes.truncate(cut.max(1));
        let place = place % bytes.len();
        bytes[place] = byte;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let _ = decode_file(&file, 1);
    }
}

#[test]
fn what_is_no_picture_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("empty.png", &b""[..]), ("text.jpg", b"hello"), ("cut.png", b"\x89PNG\r\n\x1a\n")] {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let error = decode_file(&file, 1).unwrap_err();
        assert!(error.to_string().contains("not a picture"), "{name}: {error}");
    }
    // A header that promises more pixels than any memory holds.
    let mut huge = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
    huge.extend([0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 8, 0, 0, 0, 0]);
    huge.extend([0x2e, 0x1c, 0x5b, 0x2c]);
    let file = folder.path().join("huge.png");
    fs::write(&file, huge).unwrap();
    assert!(decode_file(&file, 1).is_err());
    assert!(decode_file(&folder.path().join("absent.png"), 1).unwrap_err().to_string().contains("cannot be opened"));
    assert!(decode_file(folder.path(), 1).is_err());
}
