//! Every code in a picture file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Instant;

use image::{ImageError, ImageReader};

use super::frame::limits;
use super::{Decoder, FrameError, GreyFrame, Symbol};

/// What a file came to.
#[derive(Debug, Clone, PartialEq)]
pub struct FileDecode {
    /// Decoding alone, median of the repeats, in milliseconds.
    pub ms: f64,
    /// The 95th percentile of the repeats, in milliseconds.
    pub p95_ms: f64,
    /// The slowest of the repeats, in milliseconds.
    pub worst_ms: f64,
    /// What was found.
    pub codes: Vec<Symbol>,
}

/// Why a file is no picture.
#[derive(Debug, thiserror::Error)]
pub enum DecodeFileError {
    /// It cannot be opened.
    #[error("it cannot be opened: {0}")]
    Open(#[from] std::io::Error),
    /// Its first bytes are those of no JPEG or PNG.
    #[error("it is no picture: JPEG and PNG files are read")]
    NoPicture,
    /// It begins as a picture and does not go on as one.
    #[error("the picture is damaged or cut short")]
    Damaged,
    /// It has more pixels than are taken.
    #[error("the picture is too large: at most 8192 pixels a side are read")]
    TooLarge,
    /// Its size is not taken.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl From<ImageError> for DecodeFileError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooLarge,
            ImageError::Unsupported(_) => Self::NoPicture,
            ImageError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Self::Open(error),
            _ => Self::Damaged,
        }
    }
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
    // What it is, its bytes say, not its name.
    let mut reader = ImageReader::new(BufReader::new(File::open(path)?)).with_guessed_format()?;
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
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    Ok(FileDecode { ms: at(50), p95_ms: at(95), worst_ms: at(100), codes })
}
