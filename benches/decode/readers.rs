//! The scanner and its peers, each as its own documentation has it used for QR and Code 128.

use rxing::{BarcodeFormat, DecodeHints};
use scantill::scan::{Decoder, GreyFrame};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Scantill,
    Rqrr,
    Rxing,
    #[cfg(feature = "peers")]
    ZxingCpp,
    #[cfg(feature = "peers")]
    Zbar,
}

impl Reader {
    pub fn all() -> Vec<Self> {
        vec![
            Self::Scantill,
            Self::Rqrr,
            Self::Rxing,
            #[cfg(feature = "peers")]
            Self::ZxingCpp,
            #[cfg(feature = "peers")]
            Self::Zbar,
        ]
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Scantill => "scantill",
            Self::Rqrr => "rqrr",
            Self::Rxing => "rxing",
            #[cfg(feature = "peers")]
            Self::ZxingCpp => "zxing-cpp",
            #[cfg(feature = "peers")]
            Self::Zbar => "ZBar",
        }
    }

    /// What each symbol in the frame says.
    pub fn read(self, frame: &GreyFrame) -> Vec<String> {
        match self {
            Self::Scantill => Decoder::thorough().decode(frame).into_iter().map(|symbol| symbol.text).collect(),
            Self::Rqrr => rqrr(frame),
            Self::Rxing => rxing(frame),
            #[cfg(feature = "peers")]
            Self::ZxingCpp => zxing_cpp(frame),
            #[cfg(feature = "peers")]
            Self::Zbar => zbar(frame),
        }
    }
}

fn rqrr(frame: &GreyFrame) -> Vec<String> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| frame.luma()[y * width + x]);
    picture.detect_grids().iter().filter_map(|grid| Some(grid.decode().ok()?.1)).collect()
}

fn rxing(frame: &GreyFrame) -> Vec<String> {
    let formats = [BarcodeFormat::QR_CODE, BarcodeFormat::CODE_128];
    let mut hints =
        DecodeHints { PossibleFormats: Some(formats.into()), TryHarder: Some(true), ..DecodeHints::default() };
    let luma = frame.luma().to_vec();
    let found = rxing::helpers::detect_in_luma_with_hints(luma, frame.width(), frame.height(), None, &mut hints);
    found.into_iter().map(|found| found.getText().to_owned()).collect()
}

#[cfg(feature = "peers")]
fn zxing_cpp(frame: &GreyFrame) -> Vec<String> {
    use zxingcpp::{BarcodeFormat, ImageFormat, ImageView};
    let view = ImageView::from_slice(frame.luma(), frame.width(), frame.height(), ImageFormat::Lum).expect("a frame");
    let reader = zxingcpp::read().formats([BarcodeFormat::QRCode, BarcodeFormat::Code128]).try_harder(true);
    reader.from(view).into_iter().flatten().map(|found| found.text()).collect()
}

#[cfg(feature = "peers")]
fn zbar(frame: &GreyFrame) -> Vec<String> {
    let mut scanner = zbar_rust::ZBarImageScanner::new();
    let found = scanner.scan_y800(frame.luma().to_vec(), frame.width(), frame.height()).unwrap_or_default();
    found.into_iter().map(|found| String::from_utf8_lossy(&found.data).into_owned()).collect()
}
