//! From what cameras send to luma, without a detour by RGB.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::frame::{MAX_SIDE, grey, limits};
use super::{FrameError, GreyFrame};

impl GreyFrame {
    /// From YUYV 4:2:2, rows of `stride` bytes: every other byte is luma.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn from_yuyv(width: u32, height: u32, stride: usize, bytes: &[u8]) -> Result<Self, FrameError> {
        let luma = packed(width, height, stride, bytes, |pixel: &[u8; 2]| pixel[0])?;
        Self::from_pixels(width, height, luma)
    }

    /// From NV12, rows of `stride` bytes: the luma plane comes first.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn from_nv12(width: u32, height: u32, stride: usize, bytes: &[u8]) -> Result<Self, FrameError> {
        Self::new(width, height, stride, bytes)
    }

    /// From 24-bit RGB, rows of `stride` bytes, with the weights of ITU-R BT.601.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn from_rgb(width: u32, height: u32, stride: usize, bytes: &[u8]) -> Result<Self, FrameError> {
        let luma = packed(width, height, stride, bytes, |&[r, g, b]: &[u8; 3]| grey(r, g, b))?;
        Self::from_pixels(width, height, luma)
    }

    /// From 24-bit BGR, as [`GreyFrame::from_rgb`].
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn from_bgr(width: u32, height: u32, stride: usize, bytes: &[u8]) -> Result<Self, FrameError> {
        let luma = packed(width, height, stride, bytes, |&[b, g, r]: &[u8; 3]| grey(r, g, b))?;
        Self::from_pixels(width, height, luma)
    }

    /// From a JPEG, as cameras send them: luma alone is decoded. What follows the picture's end is left alone, and the
    /// Huffman tables that many cameras leave out are put in.
    ///
    /// # Errors
    /// [`FrameError::Damaged`], or a size that is not taken.
    pub fn from_jpeg(bytes: &[u8]) -> Result<Self, FrameError> {
        match jpeg_luma(bytes) {
            Err(FrameError::Damaged(_)) if lacks_tables(bytes) => jpeg_luma(&with_tables(bytes)),
            other => other,
        }
    }
}

/// One byte of each pixel of `N` bytes.
fn packed<const N: usize>(
    width: u32,
    height: u32,
    stride: usize,
    bytes: &[u8],
    luma_of: impl Fn(&[u8; N]) -> u8,
) -> Result<Vec<u8>, FrameError> {
    let sides = 1..=MAX_SIDE;
    if !sides.contains(&width) || !sides.contains(&height) {
        return Err(FrameError::Size { width, height });
    }
    let (row, rows) = (width as usize * N, height as usize);
    let needed = stride.checked_mul(rows - 1).and_then(|before| before.checked_add(row));
    if stride < row || needed.is_none_or(|needed| bytes.len() < needed) {
        return Err(FrameError::Short { have: bytes.len() });
    }
    let mut luma = Vec::with_capacity(width as usize * rows);
    for row in bytes.chunks(stride).take(rows).filter_map(|line| line.get(..row)) {
        luma.extend(row.as_chunks::<N>().0.iter().map(&luma_of));
    }
    Ok(luma)
}

fn jpeg_luma(bytes: &[u8]) -> Result<GreyFrame, FrameError> {
    let damaged = |error: &dyn std::fmt::Display| FrameError::Damaged(error.to_string());
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(MAX_SIDE as usize)
        .set_max_height(MAX_SIDE as usize)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|error| damaged(&error))?;
    // A JPEG whose components are no luma and chroma (RGB, CMYK) has to be converted whole.
    if !matches!(decoder.input_colorspace(), Some(ColorSpace::YCbCr | ColorSpace::Luma)) {
        return jpeg_by_colours(bytes);
    }
    let (width, height) = decoder.dimensions().ok_or_else(|| damaged(&"it has no size"))?;
    let luma = decoder.decode().map_err(|error| damaged(&error))?;
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    GreyFrame::from_pixels(side(width), side(height), luma)
}

fn jpeg_by_colours(bytes: &[u8]) -> Result<GreyFrame, FrameError> {
    let mut reader = image::ImageReader::with_format(std::io::Cursor::new(bytes), image::ImageFormat::Jpeg);
    reader.limits(limits());
    GreyFrame::from_image(reader.decode().map_err(|error| FrameError::Damaged(error.to_string()))?)
}

const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
const HUFFMAN_TABLES: u8 = 0xc4;
const START_OF_SCAN: u8 = 0xda;

/// Whether a JPEG's picture begins before any Huffman table was given.
fn lacks_tables(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(&START_OF_IMAGE) else { return false };
    loop {
        match rest {
            [0xff, 0xff, ..] => rest = &rest[1..],
            [0xff, HUFFMAN_TABLES, ..] => return false,
            [0xff, START_OF_SCAN, ..] => return true,
            [0xff, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let Some(next) = rest.get(2 + length..) else { return false };
                rest = next;
            }
            _ => return false,
        }
    }
}

/// The same JPEG with the typical Huffman tables, which MJPEG takes for granted.
fn with_tables(bytes: &[u8]) -> Vec<u8> {
    let mut whole = START_OF_IMAGE.to_vec();
    let tables: [(u8, &[u8; 16], &[u8]); 4] = [
        (0x00, &DC_LUMA_COUNTS, &DC_VALUES),
        (0x10, &AC_LUMA_COUNTS, &AC_LUMA_VALUES),
        (0x01, &DC_CHROMA_COUNTS, &DC_VALUES),
        (0x11, &AC_CHROMA_COUNTS, &AC_CHROMA_VALUES),
    ];
    for (class, counts, values) in tables {
        let length = u16::try_from(2 + 1 + counts.len() + values.len()).unwrap_or(u16::MAX);
        whole.extend([0xff, HUFFMAN_TABLES]);
        whole.extend(length.to_be_bytes());
        whole.push(class);
        whole.extend_from_slice(counts);
        whole.extend_from_slice(values);
    }
    whole.extend_from_slice(&bytes[START_OF_IMAGE.len()..]);
    whole
}

// ITU-T T.81, annex K.3: how many codes of each length there are, and what they stand for.
const DC_LUMA_COUNTS: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const DC_CHROMA_COUNTS: [u8; 16] = [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0];
const DC_VALUES: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const AC_LUMA_COUNTS: [u8; 16] = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125];
const AC_CHROMA_COUNTS: [u8; 16] = [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119];
#[rustfmt::skip]
const AC_LUMA_VALUES: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71,
    0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72,
    0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37,
    0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
    0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83,
    0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3,
    0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3,
    0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
    0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
];
#[rustfmt::skip]
const AC_CHROMA_VALUES: [u8; 162] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22,
    0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1,
    0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36,
    0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
    0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a,
    0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a,
    0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba,
    0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda,
    0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
];

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, RgbImage, codecs::jpeg::JpegEncoder};
    use proptest::prelude::*;

    use super::*;
    use crate::scan::{Scene, render_phone};

    proptest! {
        #[test]
        fn no_bytes_make_a_conversion_fall_over(
            width in 0_u32..70, height in 0_u32..70, stride in 0_usize..250, mut bytes: Vec<u8>,
        ) {
            let _ = GreyFrame::from_yuyv(width, height, stride, &bytes);
            let _ = GreyFrame::from_nv12(width, height, stride, &bytes);
            let _ = GreyFrame::from_rgb(width, height, stride, &bytes);
            let _ = GreyFrame::from_bgr(width, height, stride, &bytes);
            let _ = GreyFrame::from_jpeg(&bytes);
            bytes.splice(0..0, [0xff, 0xd8, 0xff, 0xda]);
            let _ = GreyFrame::from_jpeg(&bytes);
        }
    }

    fn camera_picture() -> RgbImage {
        let grey = render_phone("281234567890123456", &Scene::default()).unwrap();
        RgbImage::from_fn(grey.width(), grey.height(), |x, y| {
            let level = grey.at(x.into(), y.into());
            image::Rgb([level, level.saturating_sub(20), level / 2 + 60])
        })
    }

    fn jpeg(picture: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (width, height) = picture.dimensions();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 85);
        encoder.encode(picture.as_raw(), width, height, ExtendedColorType::Rgb8).unwrap();
        bytes
    }

    #[test]
    fn a_jpeg_s_luma_is_what_the_way_by_rgb_gives() {
        let bytes = jpeg(&camera_picture());
        let luma = GreyFrame::from_jpeg(&bytes).unwrap();
        let colours = image::load_from_memory(&bytes).unwrap().into_rgb8();
        let (width, height) = colours.dimensions();
        let by_colours = GreyFrame::from_rgb(width, height, width as usize * 3, colours.as_raw()).unwrap();
        assert_eq!((luma.width(), luma.height()), (width, height));
        // Colours that no screen has are cut off on the way by RGB, so single pixels differ.
        let differences = luma.luma().iter().zip(by_colours.luma()).map(|(one, other)| u64::from(one.abs_diff(*other)));
        assert!(differences.sum::<u64>() < luma.luma().len() as u64, "less than one level on average");
        // Drivers hand over their whole buffer.
        let padded = [&bytes[..], &[0; 5_000]].concat();
        assert_eq!(GreyFrame::from_jpeg(&padded), Ok(luma));
    }

    #[test]
    fn a_jpeg_without_huffman_tables_is_read_as_if_it_had_them() {
        let bytes = jpeg(&camera_picture());
        let mut without = START_OF_IMAGE.to_vec();
        let mut rest = &bytes[2..];
        while rest[1] != START_OF_SCAN {
            let length = 2 + usize::from(u16::from_be_bytes([rest[2], rest[3]]));
            if rest[1] != HUFFMAN_TABLES {
                without.extend_from_slice(&rest[..length]);
            }
            rest = &rest[length..];
        }
        without.extend_from_slice(rest);
        assert!(without.len() < bytes.len() && lacks_tables(&without) && !lacks_tables(&bytes));
        assert_eq!(GreyFrame::from_jpeg(&without), GreyFrame::from_jpeg(&bytes));
    }

    #[test]
    fn packed_pixels_give_their_luma_and_padding_at_a_row_s_end_does_not_count() {
        let yuyv = [10, 128, 20, 128, 99, 99, 30, 128, 40, 128];
        assert_eq!(GreyFrame::from_yuyv(2, 2, 6, &yuyv).unwrap().luma(), [10, 20, 30, 40]);
        assert_eq!(GreyFrame::from_yuyv(2, 2, 3, &yuyv), Err(FrameError::Short { have: 10 }));
        assert_eq!(GreyFrame::from_nv12(2, 2, 3, &[1, 2, 9, 3, 4, 9, 128, 128, 9]).unwrap().luma(), [1, 2, 3, 4]);
        // Pure red, green and blue weigh 77, 150 and 29 of 256.
        let rgb = [255, 0, 0, 0, 255, 0, 0, 0, 255, 200, 200, 200];
        assert_eq!(GreyFrame::from_rgb(4, 1, 12, &rgb).unwrap().luma(), [77, 149, 29, 200]);
        assert_eq!(GreyFrame::from_bgr(4, 1, 12, &rgb).unwrap().luma(), [29, 149, 77, 200]);
    }
}
