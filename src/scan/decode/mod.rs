//! From a grey frame to symbols. Pure: `rqrr` and `rxing` read QR, `rxing` reads Code 128 at every angle.
//!
//! Live frames get the cheap stage each time and one of the dear ones in turn, so that no frame takes long; a file gets
//! every stage.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rxing::{BarcodeFormat, DecodeHints};
use serde::Serialize;

use super::GreyFrame;

/// No stage looks at a picture with a longer side than this; larger ones are shrunk first.
const MAX_SIDE: u32 = 2_048;
/// Angles, in degrees, at which a Code 128 is looked for beside level and upright.
const ANGLES: [f32; 8] = [20.0, -20.0, 40.0, -40.0, 60.0, -60.0, 80.0, -80.0];

/// A kind of symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Format {
    /// QR code (ISO/IEC 18004).
    #[serde(rename = "QR")]
    Qr,
    /// Code 128 (ISO/IEC 15417).
    #[serde(rename = "CODE_128")]
    Code128,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Qr => "QR",
            Self::Code128 => "CODE_128",
        })
    }
}

/// A symbol that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Symbol {
    /// Its kind.
    pub format: Format,
    /// What it says.
    pub text: String,
    /// Its corners in pixels of the frame; of a Code 128 the ends of the line it was read along, there and back.
    pub corners: [[f32; 2]; 4],
}

/// One way of looking at a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// `rxing` as it comes: the cheapest, and the one that reads most.
    Plain,
    /// `rqrr`: several codes in a frame.
    Rqrr,
    /// `rqrr` on the frame at half size: large modules, noise averaged out.
    HalfRqrr,
    /// `rxing` on the frame at half size.
    Half,
    /// `rxing` with contrast stretched.
    Stretched,
    /// `rxing` on light-on-dark codes.
    Inverted,
    /// `rxing` after each pixel is compared with its surroundings.
    Local,
    /// `rxing`, Code 128 only, on the frame turned by so many degrees.
    Turned(f32),
    /// `rxing` through its own pyramid of scales and closings: the dearest.
    Filtered,
    /// `rxing` on the frame at double size: small modules.
    Double,
    /// The same as [`Stage::Turned`] with the noise across the bars averaged out.
    Half128(f32),
}

/// Reads symbols.
#[derive(Debug, Clone)]
pub struct Decoder {
    thorough: bool,
    turn: usize,
}

impl Decoder {
    /// For a stream of frames: bounded time on each.
    #[must_use]
    pub const fn live() -> Self {
        Self { thorough: false, turn: 0 }
    }

    /// For a picture: everything is tried until something is read.
    #[must_use]
    pub const fn thorough() -> Self {
        Self { thorough: true, turn: 0 }
    }

    /// Every symbol found. Never panics, whatever the pixels are.
    pub fn decode(&mut self, frame: &GreyFrame) -> Vec<Symbol> {
        let step = frame.width().max(frame.height()).div_ceil(MAX_SIDE).max(1);
        let shrunk = (step > 1).then(|| frame.shrunk(step));
        let mut found = self.run(shrunk.as_ref().unwrap_or(frame));
        for corner in found.iter_mut().flat_map(|symbol| symbol.corners.iter_mut()) {
            *corner = corner.map(|value| value * pixels(step));
        }
        found
    }

    fn run(&mut self, frame: &GreyFrame) -> Vec<Symbol> {
        if self.thorough {
            let mut found = look(Stage::Rqrr, frame);
            merge(&mut found, look(Stage::Plain, frame));
            let rest = [Stage::Half, Stage::HalfRqrr, Stage::Stretched, Stage::Local, Stage::Inverted]
                .into_iter()
                .chain([Stage::Filtered, Stage::Double])
                .chain(ANGLES.map(Stage::Turned))
                .chain([0.0, 90.0].map(Stage::Half128))
                .chain(ANGLES.map(Stage::Half128));
            for stage in rest {
                if !found.is_empty() {
                    break;
                }
                merge(&mut found, look(stage, frame));
            }
            return found;
        }
        let found = look(Stage::Plain, frame);
        if !found.is_empty() {
            return found;
        }
        let dear: Vec<Stage> = [Stage::Half, Stage::Rqrr, Stage::Stretched, Stage::HalfRqrr, Stage::Local]
            .into_iter()
            .zip([20.0, -20.0, 40.0, -40.0, 65.0])
            .flat_map(|(stage, angle)| [stage, Stage::Half128(angle)])
            .chain([Stage::Half128(-65.0), Stage::Inverted])
            .collect();
        self.turn = (self.turn + 1) % dear.len();
        look(dear[self.turn], frame)
    }
}

/// Runs a stage. The libraries are given whatever a camera sees; should one fall over, nothing was seen.
fn look(stage: Stage, frame: &GreyFrame) -> Vec<Symbol> {
    let both = [BarcodeFormat::QR_CODE, BarcodeFormat::CODE_128];
    let bars = [BarcodeFormat::CODE_128];
    let seen = catch_unwind(AssertUnwindSafe(|| match stage {
        Stage::Plain => rxing(frame, &both, false),
        Stage::Rqrr => rqrr(frame, 1),
        Stage::HalfRqrr => rqrr(&frame.shrunk(2), 2),
        Stage::Half => scaled(rxing(&frame.shrunk(2), &both, true), 2),
        Stage::Stretched => rxing(&stretched(frame), &both, true),
        Stage::Inverted => rxing(&frame.map(|level| 255 - level), &[BarcodeFormat::QR_CODE], false),
        Stage::Local => rxing(&local(frame), &both, false),
        Stage::Filtered => filtered(frame, &both),
        Stage::Double => doubled(frame).map_or_else(Vec::new, |large| halved(rxing(&large, &both, true))),
        Stage::Turned(angle) => turned(frame, angle, &bars),
        Stage::Half128(angle) => scaled(turned(&frame.shrunk(2), angle, &bars), 2),
    }));
    seen.unwrap_or_default()
}

fn merge(found: &mut Vec<Symbol>, more: Vec<Symbol>) {
    for symbol in more {
        if !found.iter().any(|known| known.format == symbol.format && known.text == symbol.text) {
            found.push(symbol);
        }
    }
}

/// Pixel counts stay far below the 24 bits that a 32-bit float holds exactly.
#[allow(clippy::cast_precision_loss)]
const fn pixels(count: u32) -> f32 {
    count as f32
}

fn scaled(mut symbols: Vec<Symbol>, step: u32) -> Vec<Symbol> {
    for corner in symbols.iter_mut().flat_map(|symbol| symbol.corners.iter_mut()) {
        *corner = corner.map(|value| value * pixels(step));
    }
    symbols
}

fn rqrr(frame: &GreyFrame, step: u32) -> Vec<Symbol> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| frame.luma()[y * width + x]);
    let grids = prepared.detect_grids();
    let mut symbols = Vec::new();
    for grid in grids {
        if let Ok((_, text)) = grid.decode() {
            let corners = grid.bounds.map(|point| {
                let pixel = |value: i32| pixels(u32::try_from(value.max(0)).unwrap_or_default());
                [pixel(point.x), pixel(point.y)]
            });
            merge(&mut symbols, vec![Symbol { format: Format::Qr, text, corners }]);
        }
    }
    scaled(symbols, step)
}

fn rxing(frame: &GreyFrame, formats: &[BarcodeFormat], harder: bool) -> Vec<Symbol> {
    let mut hints = DecodeHints {
        PossibleFormats: Some(formats.iter().copied().collect()),
        TryHarder: Some(harder),
        ..DecodeHints::default()
    };
    let luma = frame.luma().to_vec();
    rxing::helpers::detect_in_luma_with_hints(luma, frame.width(), frame.height(), None, &mut hints)
        .ok()
        .and_then(|result| symbol(&result))
        .into_iter()
        .collect()
}

fn filtered(frame: &GreyFrame, formats: &[BarcodeFormat]) -> Vec<Symbol> {
    let mut hints = DecodeHints {
        PossibleFormats: Some(formats.iter().copied().collect()),
        TryHarder: Some(true),
        ..DecodeHints::default()
    };
    let luma = frame.luma().to_vec();
    rxing::helpers::detect_in_luma_filtered_with_hints(luma, frame.width(), frame.height(), None, &mut hints)
        .ok()
        .and_then(|result| symbol(&result))
        .into_iter()
        .collect()
}

/// The frame at double size, between pixels their mean; `None` where it would be too large.
fn doubled(frame: &GreyFrame) -> Option<GreyFrame> {
    let (width, height) = (frame.width() * 2, frame.height() * 2);
    if width.max(height) > MAX_SIDE {
        return None;
    }
    let mut luma = Vec::with_capacity(width as usize * height as usize);
    for y in 0..i64::from(height) {
        for x in 0..i64::from(width) {
            let (left, top) = (x / 2, y / 2);
            let level = |dx: i64, dy: i64| u16::from(frame.at(left + dx, top + dy));
            let sum = level(0, 0) + level(x % 2, 0) + level(0, y % 2) + level(x % 2, y % 2);
            luma.push(u8::try_from(sum / 4).unwrap_or(u8::MAX));
        }
    }
    GreyFrame::new(width, height, width as usize, &luma).ok()
}

fn halved(mut symbols: Vec<Symbol>) -> Vec<Symbol> {
    for corner in symbols.iter_mut().flat_map(|symbol| symbol.corners.iter_mut()) {
        *corner = corner.map(|value| value / 2.0);
    }
    symbols
}

fn symbol(result: &rxing::RXingResult) -> Option<Symbol> {
    let points: Vec<[f32; 2]> = result.getPoints().iter().map(|point| [point.x, point.y]).collect();
    let (format, corners) = match (result.getBarcodeFormat(), points.as_slice()) {
        // Centres of the finder patterns: lower left, upper left, upper right.
        (BarcodeFormat::QR_CODE, [low, corner, right, ..]) => {
            let fourth = [low[0] + right[0] - corner[0], low[1] + right[1] - corner[1]];
            (Format::Qr, [*corner, *right, fourth, *low])
        }
        (BarcodeFormat::CODE_128, [start, end, ..]) => (Format::Code128, [*start, *end, *end, *start]),
        (BarcodeFormat::QR_CODE, _) => (Format::Qr, [[0.0; 2]; 4]),
        (BarcodeFormat::CODE_128, _) => (Format::Code128, [[0.0; 2]; 4]),
        _ => return None,
    };
    Some(Symbol { format, text: result.getText().to_owned(), corners })
}

/// Looks at the frame turned about its centre, and turns what is found back.
fn turned(frame: &GreyFrame, degrees: f32, formats: &[BarcodeFormat]) -> Vec<Symbol> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (width, height) = (pixels(frame.width()), pixels(frame.height()));
    let (middle_x, middle_y) = (width / 2.0, height / 2.0);
    let place = |x: f32, y: f32| {
        let (dx, dy) = (x - middle_x, y - middle_y);
        [middle_x + dx * cos - dy * sin, middle_y + dx * sin + dy * cos]
    };
    let (columns, rows) = (frame.width() as usize, frame.height() as usize);
    let mut luma = vec![255_u8; columns * rows];
    // Fixed-point steps along each row: 16 bits of fraction.
    let fixed = |value: f32| -> i64 {
        #[allow(clippy::cast_possible_truncation)] // Far inside the range of an i64.
        let fixed = (value * 65_536.0) as i64;
        fixed
    };
    let (step_x, step_y) = (fixed(cos), fixed(sin));
    for (y, row) in luma.chunks_exact_mut(columns).enumerate() {
        let [from_x, from_y] = place(0.0, pixels(u32::try_from(y).unwrap_or_default()));
        let (mut source_x, mut source_y) = (fixed(from_x), fixed(from_y));
        for pixel in row {
            let (x, y) = (source_x >> 16, source_y >> 16);
            if (0..i64::from(frame.width())).contains(&x) && (0..i64::from(frame.height())).contains(&y) {
                *pixel = frame.at(x, y);
            }
            source_x += step_x;
            source_y += step_y;
        }
    }
    let Ok(turned) = GreyFrame::new(frame.width(), frame.height(), columns, &luma) else { return Vec::new() };
    let mut found = rxing(&turned, formats, true);
    for corner in found.iter_mut().flat_map(|symbol| symbol.corners.iter_mut()) {
        *corner = place(corner[0], corner[1]);
    }
    found
}

/// The darkest and the lightest hundredth become black and white.
fn stretched(frame: &GreyFrame) -> GreyFrame {
    let mut counts = [0_usize; 256];
    for level in frame.luma() {
        counts[usize::from(*level)] += 1;
    }
    let rare = frame.luma().len() / 100;
    let edge = |levels: &mut dyn Iterator<Item = usize>| {
        let mut sum = 0;
        for level in levels {
            sum += counts[level];
            if sum > rare {
                return level;
            }
        }
        0
    };
    let (low, high) = (edge(&mut (0..256)), edge(&mut (0..256).rev()));
    let range = high.saturating_sub(low).max(1);
    frame.map(|level| {
        let level = usize::from(level).saturating_sub(low).min(range);
        u8::try_from(level * 255 / range).unwrap_or(u8::MAX)
    })
}

/// Each pixel against the mean of its surroundings: shadows and gradients go, edges stay.
fn local(frame: &GreyFrame) -> GreyFrame {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let radius = (width.min(height) / 24).max(4);
    // Sums over every rectangle from the upper left corner.
    let mut sums = vec![0_u32; (width + 1) * (height + 1)];
    for y in 0..height {
        let mut row = 0_u32;
        for x in 0..width {
            row += u32::from(frame.luma()[y * width + x]);
            sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
        }
    }
    let mut luma = Vec::with_capacity(width * height);
    for y in 0..height {
        let (top, bottom) = (y.saturating_sub(radius), (y + radius + 1).min(height));
        for x in 0..width {
            let (left, right) = (x.saturating_sub(radius), (x + radius + 1).min(width));
            let sum = sums[bottom * (width + 1) + right] + sums[top * (width + 1) + left]
                - sums[top * (width + 1) + right]
                - sums[bottom * (width + 1) + left];
            let area = u32::try_from((bottom - top) * (right - left)).unwrap_or(1);
            let level = 128 + 2 * (i64::from(frame.luma()[y * width + x]) - i64::from(sum / area));
            luma.push(u8::try_from(level.clamp(0, 255)).unwrap_or(u8::MAX));
        }
    }
    GreyFrame::new(frame.width(), frame.height(), width, &luma).unwrap_or_else(|_| frame.clone())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scan::{Scene, render_phone};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_frame_makes_the_decoder_fall_over(width in 1_u32..64, height in 1_u32..64, seed: u64) {
            let mut state = seed | 1;
            let bytes: Vec<u8> = (0..width * height).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state.to_be_bytes()[0]
            }).collect();
            let frame = GreyFrame::new(width, height, width as usize, &bytes).unwrap();
            let _ = Decoder::thorough().decode(&frame);
            let mut live = Decoder::live();
            for _ in 0..12 {
                let _ = live.decode(&frame);
            }
        }
    }

    #[test]
    fn a_phone_held_up_is_read_within_a_few_frames() {
        for (tilt, code) in [(0.0, "281234567890123456"), (8.0, "131234567890123456"), (-12.0, "6212345678901234567")] {
            let frame = render_phone(code, &Scene { tilt_degrees: tilt, ..Scene::default() }).unwrap();
            let mut live = Decoder::live();
            let seen = (0..12).flat_map(|_| live.decode(&frame)).any(|symbol| symbol.text == code);
            assert!(seen, "{code} at {tilt} degrees");
        }
    }

    #[test]
    fn an_empty_scene_says_nothing() {
        let frame = GreyFrame::new(640, 480, 640, &vec![200; 640 * 480]).unwrap();
        assert_eq!(Decoder::thorough().decode(&frame), Vec::new());
    }
}
