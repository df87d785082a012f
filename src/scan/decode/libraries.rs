//! The two libraries that read symbols, `rqrr` and `rxing`. They are given whatever a camera sees; should one fall over,
//! nothing was seen.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rxing::{BarcodeFormat, DecodeHints};

use super::symbol::{Format, Symbol, merge};
use crate::scan::GreyFrame;

/// What `rxing` is asked for.
pub(super) const BOTH: &[BarcodeFormat] = &[BarcodeFormat::QR_CODE, BarcodeFormat::CODE_128];
/// Code 128 alone.
pub(super) const BARS: &[BarcodeFormat] = &[BarcodeFormat::CODE_128];
/// QR alone.
pub(super) const SQUARES: &[BarcodeFormat] = &[BarcodeFormat::QR_CODE];

/// What a reader saw, and nothing where it panicked.
pub(super) fn guarded(read: impl FnOnce() -> Vec<Symbol>) -> Vec<Symbol> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_default()
}

/// `rqrr`: every QR code in the frame.
pub(super) fn rqrr(frame: &GreyFrame) -> Vec<Symbol> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| frame.luma()[y * width + x]);
    let grids = prepared.detect_grids();
    let mut symbols = Vec::new();
    for grid in grids {
        if let Ok((_, text)) = grid.decode() {
            let corners = grid.bounds.map(|point| [pixel(point.x), pixel(point.y)]);
            let bytes = text.clone().into_bytes();
            merge(&mut symbols, [Symbol { format: Format::Qr, text, bytes, corners, confidence: 1.0 }]);
        }
    }
    symbols
}

/// `rxing`: the first symbol it meets.
pub(super) fn rxing(frame: &GreyFrame, formats: &[BarcodeFormat], harder: bool) -> Vec<Symbol> {
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

/// `rxing` through its own pyramid of scales and closings: dear.
pub(super) fn filtered(frame: &GreyFrame, formats: &[BarcodeFormat]) -> Vec<Symbol> {
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
    let text = result.getText().to_owned();
    let bytes = text.clone().into_bytes();
    Some(Symbol { format, text, bytes, corners, confidence: 1.0 })
}

/// Coordinates stay far below the 24 bits that a 32-bit float holds exactly.
#[allow(clippy::cast_precision_loss)]
const fn pixel(at: i32) -> f32 {
    at as f32
}
