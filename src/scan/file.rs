//! Every code in a picture file.

use std::path::Path;
use std::time::Instant;

use image::ImageReader;

use super::frame::limits;
use super::{Decoder, FrameError, GreyFrame, Symbol};

/// What a file came to.
#[derive(Debug, Clone, PartialEq)]
pub struct FileDecode {
    /// Decoding alone, median of the repeats, in milliseconds.
    pub ms: f64,
    /// What was found.
    pub codes: Vec<Symbol>,
}

/// Why a file is no picture.
#[derive(Debug, thiserror::Error)]
pub enum DecodeFileError {
    /// It cannot be opened.
    #[error("it cannot be opened: {0}")]
    Open(#[from] std::io::Error),
    /// It is no JPEG or PNG, is damaged, or is too large.
    #[error("it is not a picture that can be read (JPEG or PNG, at most 8192 pixels a side): {0}")]
    Picture(#[from] image::ImageError),
    /// Its size is not taken.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// Every code in a picture that came over the network (JPEG or PNG).
///
/// # Errors
/// [`DecodeFileError`] says why it is no picture.
pub fn decode_picture(bytes: &[u8]) -> Result<Vec<Symbol>, DecodeFileError> {
    let mut reader = ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(limits());
    Ok(Decoder::thorough().decode(&GreyFrame::from_image(reader.decode()?)?))
}

/// Reads the file once and decodes it `repeat` times.
///
/// # Errors
/// [`DecodeFileError`] says why it is no picture.
pub fn decode_file(path: &Path, repeat: u32) -> Result<FileDecode, DecodeFileError> {
    let mut reader = ImageReader::open(path)?.with_guessed_format()?;
    reader.limits(limits());
    let frame = GreyFrame::from_image(reader.decode()?)?;
    let mut codes = Vec::new();
    let mut times: Vec<f64> = (0..repeat.max(1))
        .map(|_| {
            let started = Instant::now();
            codes = Decoder::thorough().decode(&frame);
            started.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    Ok(FileDecode { ms: times[times.len() / 2], codes })
}
