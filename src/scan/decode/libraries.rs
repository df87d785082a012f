//! The two libraries that read symbols, `rqrr` and `rxing`. They are given whatever a camera sees; should one fall over,
//! nothing was seen.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rxing::common::HybridBinarizer;
use rxing::multi::MultipleBarcodeReader;
use rxing::oned::Code128Reader;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{BarcodeFormat, BinaryBitmap, DecodeHints, Luma8Source, RXingResult, Reader};

use super::binarise::Binarised;
use super::symbol::{Format, Symbol, merge};
use crate::scan::GreyFrame;

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
            let corners = grid.bounds.map(|point| [point.x as f32, point.y as f32]);
            let bytes = text.clone().into_bytes();
            merge(&mut symbols, [Symbol { format: Format::Qr, text, bytes, corners, confidence: 1.0 }]);
        }
    }
    symbols
}

/// `rxing`'s port of zxing-cpp's reader: every QR and Micro QR code in the frame, dark on light; where there is none, those
/// that are light on dark.
pub(super) fn squares(frame: &GreyFrame) -> Vec<Symbol> {
    let hints = hints(&[BarcodeFormat::QR_CODE, BarcodeFormat::MICRO_QR_CODE]);
    let Some(picture) = Binarised::of(frame) else { return Vec::new() };
    let mut picture = BinaryBitmap::new(picture);
    let read = |picture: &mut _| -> Vec<Symbol> {
        let results = QrReader.decode_multiple_with_hints(picture, &hints).unwrap_or_default();
        results.iter().filter_map(symbol).collect()
    };
    let found = read(&mut picture);
    if !found.is_empty() {
        return found;
    }
    picture.invert();
    read(&mut picture)
}

/// `rxing`'s Code 128 along fifteen rows about the frame's middle.
pub(super) fn rows(frame: &GreyFrame) -> Vec<Symbol> {
    let hints = hints(&[BarcodeFormat::CODE_128]);
    let Ok(source) = Luma8Source::new_with_slice(frame.luma(), frame.width(), frame.height()) else {
        return Vec::new();
    };
    // No more rows are binarised than are read.
    let mut picture = BinaryBitmap::new(HybridBinarizer::new(source));
    Code128Reader.decode_with_hints(&mut picture, &hints).ok().as_ref().and_then(symbol).into_iter().collect()
}

fn hints(formats: &[BarcodeFormat]) -> DecodeHints {
    DecodeHints { PossibleFormats: Some(formats.iter().copied().collect()), ..DecodeHints::default() }
}

fn symbol(result: &RXingResult) -> Option<Symbol> {
    let points: Vec<[f32; 2]> = result.getPoints().iter().map(|point| [point.x, point.y]).collect();
    let (format, corners) = match (result.getBarcodeFormat(), points.as_slice()) {
        // Row by row, not around.
        (BarcodeFormat::QR_CODE, [a, b, d, c]) => (Format::Qr, [*a, *b, *c, *d]),
        (BarcodeFormat::MICRO_QR_CODE, [a, b, d, c]) => (Format::MicroQr, [*a, *b, *c, *d]),
        (BarcodeFormat::CODE_128, [start, end, ..]) => (Format::Code128, [*start, *end, *end, *start]),
        _ => return None,
    };
    let text = result.getText().to_owned();
    let bytes = text.clone().into_bytes();
    Some(Symbol { format, text, bytes, corners, confidence: 1.0 })
}
