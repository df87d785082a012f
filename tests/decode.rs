//! Pictures whose codes are known: read, and nothing read where there is nothing. Scenes are drawn from seeds.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use qrcode::{Color, EcLevel, QrCode, Version};
use scantill::qr::{Bars, Modules};
use scantill::scan::{Decoder, Format, GreyFrame, Kind, Level, Scene, decode_file, render_phone};

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
    let cases: [(&str, &[u8], &str); 3] = [
        ("empty.png", b"", "no picture"),
        ("text.jpg", b"hello", "no picture"),
        ("cut.png", b"\x89PNG\r\n\x1a\n", "damaged"),
    ];
    for (name, bytes, why) in cases {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let error = decode_file(&file, 1).unwrap_err();
        assert!(error.to_string().contains(why), "{name}: {error}");
    }
    // A header that promises more pixels than any memory holds.
    let mut huge = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
    huge.extend([0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 8, 0, 0, 0, 0]);
    huge.extend([0x2e, 0x1c, 0x5b, 0x2c]);
    let file = folder.path().join("huge.png");
    fs::write(&file, huge).unwrap();
    assert!(decode_file(&file, 1).is_err());
    let long = folder.path().join("long.png");
    image::GrayImage::new(9_000, 1).save(&long).unwrap();
    let error = decode_file(&long, 1).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    assert!(decode_file(&folder.path().join("absent.png"), 1).unwrap_err().to_string().contains("cannot be opened"));
    assert!(decode_file(folder.path(), 1).is_err());
}

/// A white sheet with codes on it, each module so many pixels wide.
struct Sheet {
    width: usize,
    luma: Vec<u8>,
}

impl Sheet {
    fn new(width: usize, height: usize) -> Self {
        Self { width, luma: vec![235; width * height] }
    }

    fn square(mut self, [left, top]: [usize; 2], side: usize, px: usize, dark: impl Fn(usize, usize) -> bool) -> Self {
        for (y, x) in (0..side * px).flat_map(|y| (0..side * px).map(move |x| (y, x))) {
            if dark(x / px, y / px) {
                self.luma[(top + y) * self.width + left + x] = 20;
            }
        }
        self
    }

    fn qr(self, at: [usize; 2], px: usize, text: &str) -> Self {
        let modules = Modules::of(text).unwrap();
        self.square(at, modules.size(), px, |x, y| modules.dark(x, y))
    }

    fn micro_qr(self, at: [usize; 2], px: usize, text: &str) -> Self {
        let code = QrCode::with_version(text, Version::Micro(2), EcLevel::L).unwrap();
        let (side, colors) = (code.width(), code.into_colors());
        self.square(at, side, px, |x, y| colors[y * side + x] == Color::Dark)
    }

    fn bars(mut self, [left, top]: [usize; 2], px: usize, text: &str) -> Self {
        let bars = Bars::of(text).unwrap();
        for (place, _) in bars.modules().iter().enumerate().filter(|(_, dark)| **dark) {
            for row in self.luma.chunks_exact_mut(self.width).skip(top).take(60) {
                row[left + place * px..left + (place + 1) * px].fill(20);
            }
        }
        self
    }

    fn frame(&self) -> GreyFrame {
        let (width, height) = (self.width, self.luma.len() / self.width);
        GreyFrame::new(width.try_into().unwrap(), height.try_into().unwrap(), width, &self.luma).unwrap()
    }

    fn texts(&self) -> Vec<String> {
        let mut texts: Vec<_> = Decoder::thorough().decode(&self.frame()).into_iter().map(|found| found.text).collect();
        texts.sort();
        texts
    }
}

fn reads(frame: &GreyFrame, format: Format, text: &str) -> bool {
    Decoder::thorough().decode(frame).iter().any(|found| found.format == format && found.text == text)
}

#[test]
fn scenes_of_every_level_are_read() {
    for (level, least) in [(Level::Easy, 2), (Level::Medium, 2), (Level::Hard, 3), (Level::Extreme, 2)] {
        let mut read = 0;
        for seed in (900..).filter(|seed| Scene::at(level, *seed).kind != Kind::Nothing).take(3) {
            let scene = Scene::at(level, seed);
            let code = scene.code();
            let found = Decoder::thorough().decode(&render_phone(&code, &scene).unwrap());
            assert!(found.iter().all(|found| found.text == code), "{level:?} {seed}: {found:?}");
            read += usize::from(!found.is_empty());
        }
        assert!(read >= least, "{level:?}: {read} of 3");
    }
}

#[test]
fn five_frames_of_a_hard_scene_are_enough() {
    let scene = Scene { kind: Kind::Qr, ..Scene::at(Level::Extreme, 931) };
    let code = scene.code();
    let mut live = Decoder::live();
    let read = (0..5).any(|shot| {
        let frame = render_phone(&code, &Scene { shot, ..scene }).unwrap();
        live.decode(&frame).iter().any(|found| found.text == code)
    });
    assert!(read);
}

#[test]
fn a_counter_without_a_code_and_mere_noise_say_nothing() {
    for level in Level::ALL {
        let scene = Scene { kind: Kind::Nothing, ..Scene::at(level, 77) };
        assert_eq!(Decoder::thorough().decode(&render_phone("", &scene).unwrap()), [], "{level:?}");
    }
    let noise = Scene { kind: Kind::Nothing, noise: 60.0, light: 1.5, width: 640, height: 480, ..Scene::default() };
    let mut live = Decoder::live();
    for shot in 0..3 {
        assert_eq!(live.decode(&render_phone("", &Scene { shot, ..noise }).unwrap()), []);
    }
}

#[test]
fn codes_are_read_however_they_are_held() {
    let small = Scene { width: 640, height: 480, noise: 2.0, ..Scene::default() };
    for tilt_degrees in [0.0, 33.0, 90.0, 171.0, -110.0] {
        let scene = Scene { kind: Kind::Qr, tilt_degrees, ..small };
        assert!(
            reads(&render_phone("2812345678901234", &scene).unwrap(), Format::Qr, "2812345678901234"),
            "{tilt_degrees}"
        );
        let scene = Scene { kind: Kind::Code128, tilt_degrees, module_px: 3.2, ..small };
        let frame = render_phone("2812345678901234", &scene).unwrap();
        assert!(reads(&frame, Format::Code128, "2812345678901234"), "{tilt_degrees}");
    }
}

#[test]
fn a_stream_follows_a_code_and_sees_another_that_comes() {
    let (first, second) = ("281234567890123456", "131234567890123456");
    let mut live = Decoder::live();
    let seen: Vec<(Vec<String>, Option<[f32; 2]>)> = (0..12)
        .map(|frame| {
            let mut sheet = Sheet::new(1_280, 720).qr([300 + 6 * frame, 200], 5, first);
            if frame >= 8 {
                sheet = sheet.qr([900, 400], 5, second);
            }
            let found = live.decode(&sheet.frame());
            let corner = found.iter().find(|symbol| symbol.text == first).map(|symbol| symbol.corners[0]);
            (found.into_iter().map(|symbol| symbol.text).collect(), corner)
        })
        .collect();
    for (frame, (texts, corner)) in seen.iter().enumerate() {
        assert!(texts.iter().any(|text| text == first), "frame {frame}: {texts:?}");
        // Whichever way it was found, it is where it is.
        let [x, y] = corner.unwrap();
        let (left, top) = ((300 + 6 * frame) as f32, 200.0);
        assert!((x - left).abs() < 5.0 && (y - top).abs() < 5.0, "frame {frame}: {x}, {y} for {left}, {top}");
    }
    assert!(seen[8..10].iter().any(|(texts, _)| texts.iter().any(|text| text == second)), "{seen:?}");
}

#[test]
fn inverted_and_mirrored_codes_are_read() {
    let sheet = Sheet::new(320, 240).qr([100, 60], 5, "light on dark");
    assert!(reads(&sheet.frame().map(|level| 255 - level), Format::Qr, "light on dark"));
    let mut mirrored = sheet;
    mirrored.luma.chunks_exact_mut(320).for_each(<[u8]>::reverse);
    assert!(reads(&mirrored.frame(), Format::Qr, "light on dark"));
}

#[test]
fn every_kind_of_code_has_its_format() {
    let sheet = Sheet::new(640, 480).micro_qr([200, 200], 8, "01234567");
    assert!(reads(&sheet.frame(), Format::MicroQr, "01234567"));
    for text in ["Till 7", "281234567890123456", "A\u{1d}B", "abc123456XYZ"] {
        let sheet = Sheet::new(640, 240).bars([40, 90], 2, text);
        assert!(reads(&sheet.frame(), Format::Code128, text), "{text:?}");
    }
}

#[test]
fn several_codes_are_told_apart_and_placed() {
    let sheet = Sheet::new(800, 600)
        .qr([60, 60], 5, "first")
        .qr([500, 80], 6, "second")
        .qr([320, 330], 4, "third")
        .bars([150, 235], 2, "fourth");
    assert_eq!(sheet.texts(), ["first", "fourth", "second", "third"]);
    let found = Decoder::thorough().decode(&sheet.frame());
    let second = found.iter().find(|found| found.text == "second").unwrap();
    let side = 6.0 * 21.0;
    let corners = [[500.0, 80.0], [500.0 + side, 80.0], [500.0 + side, 80.0 + side], [500.0, 80.0 + side]];
    for (seen, real) in second.corners.iter().zip(corners) {
        let apart = (seen[0] - real[0]).hypot(seen[1] - real[1]);
        assert!(apart < 6.0, "{:?}", second.corners);
    }
    assert_eq!(second.bytes, b"second");
    assert!((0.0..=1.0).contains(&second.confidence));
}

#[test]
fn frames_of_any_shape_are_looked_at() {
    for (width, height) in [(1, 1), (1, 700), (700, 1), (2, 3), (17, 5), (8_192, 3), (3, 8_192), (4_100, 40)] {
        let area = (width * height) as usize;
        for luma in [vec![0; area], vec![255; area], (0..area).map(|at| (at * 37 % 251) as u8).collect()] {
            let frame = GreyFrame::new(width, height, width as usize, &luma).unwrap();
            let _ = Decoder::thorough().decode(&frame);
            let mut live = Decoder::live();
            let _ = (live.decode(&frame), live.decode(&frame));
        }
    }
}
