//! A picture in grey, 8 bits to a pixel.

/// The largest side taken, in pixels.
pub const MAX_SIDE: u32 = 8_192;

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// No pixel, or more than 8,192 along a side.
    #[error("a frame of {width}x{height} pixels cannot be read (1x1 to 8192x8192)")]
    Size {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// A row is shorter than the width, or the bytes are too few for the rows.
    #[error("the frame has {have} bytes, too few for its size")]
    Short {
        /// How many there are.
        have: usize,
    },
    /// A compressed frame that cannot be read.
    #[error("the frame is damaged: {0}")]
    Damaged(String),
}

/// A grey picture; rows follow one another without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GreyFrame {
    width: u32,
    height: u32,
    luma: Vec<u8>,
}

impl GreyFrame {
    /// A frame from rows of `stride` bytes, of which the first `width` count.
    ///
    /// # Errors
    /// [`FrameError`] where sizes and bytes do not fit together.
    pub fn new(width: u32, height: u32, stride: usize, bytes: &[u8]) -> Result<Self, FrameError> {
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(FrameError::Size { width, height });
        }
        let (columns, rows) = (width as usize, height as usize);
        let needed = stride.checked_mul(rows - 1).and_then(|rows| rows.checked_add(columns));
        if stride < columns || needed.is_none_or(|needed| bytes.len() < needed) {
            return Err(FrameError::Short { have: bytes.len() });
        }
        let luma = if stride == columns {
            bytes[..columns * rows].to_vec()
        } else {
            bytes.chunks(stride).take(rows).flat_map(|row| &row[..columns]).copied().collect()
        };
        Ok(Self { width, height, luma })
    }

    /// A frame that takes its pixels over: row by row without a gap.
    ///
    /// # Errors
    /// [`FrameError`] where sizes and pixels do not fit together.
    pub fn from_pixels(width: u32, height: u32, luma: Vec<u8>) -> Result<Self, FrameError> {
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(FrameError::Size { width, height });
        }
        if luma.len() != width as usize * height as usize {
            return Err(FrameError::Short { have: luma.len() });
        }
        Ok(Self { width, height, luma })
    }

    /// From any picture.
    ///
    /// # Errors
    /// A size that is not taken.
    pub fn from_image(picture: image::DynamicImage) -> Result<Self, FrameError> {
        // A transparent picture stands on white paper.
        let grey = if picture.color().has_alpha() {
            let rgba = picture.into_rgba8();
            image::GrayImage::from_fn(rgba.width(), rgba.height(), |x, y| {
                let [r, g, b, a] = rgba.get_pixel(x, y).0;
                let level = u32::from(grey(r, g, b)) * u32::from(a) + 255 * (255 - u32::from(a));
                image::Luma([u8::try_from(level / 255).unwrap_or(u8::MAX)])
            })
        } else {
            picture.into_luma8()
        };
        let (width, height) = grey.dimensions();
        Self::from_pixels(width, height, grey.into_raw())
    }

    /// Pixels along a row.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// All pixels, row by row.
    #[must_use]
    pub fn luma(&self) -> &[u8] {
        &self.luma
    }

    /// The pixel there; the nearest one of the edge beyond.
    #[must_use]
    pub fn at(&self, x: i64, y: i64) -> u8 {
        let clamp = |value: i64, side: u32| usize::try_from(value.clamp(0, i64::from(side) - 1)).unwrap_or(0);
        self.luma[clamp(y, self.height) * self.width as usize + clamp(x, self.width)]
    }

    /// The same picture, smaller by whole steps, so that no side is over `side` pixels.
    #[must_use]
    pub fn shrunk_to(&self, side: u32) -> Self {
        let step = self.width.max(self.height).div_ceil(side.max(1)).max(1);
        if step == 1 { self.clone() } else { self.shrunk(step) }
    }

    /// The same picture, `step` times smaller along each side; each pixel is the mean of those it stands for.
    #[must_use]
    pub fn shrunk(&self, step: u32) -> Self {
        let step = step.clamp(1, self.width.min(self.height));
        let (width, height) = (self.width / step, self.height / step);
        let (wide, step) = (self.width as usize, step as usize);
        let mut luma = Vec::with_capacity(width as usize * height as usize);
        if step == 2 {
            // The usual case, written so that the machine takes many pixels at once.
            for rows in self.luma.chunks_exact(2 * wide).take(height as usize) {
                let (above, under) = rows.split_at(wide);
                let pairs = above.chunks_exact(2).zip(under.chunks_exact(2)).take(width as usize);
                luma.extend(pairs.map(|(a, b)| {
                    let sum = u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1]);
                    (sum / 4) as u8
                }));
            }
            return Self { width, height, luma };
        }
        for y in 0..height as usize {
            for x in 0..width as usize {
                let mut sum = 0_usize;
                for row in 0..step {
                    let from = (y * step + row) * wide + x * step;
                    sum += self.luma[from..from + step].iter().map(|level| usize::from(*level)).sum::<usize>();
                }
                luma.push(u8::try_from(sum / (step * step)).unwrap_or(u8::MAX));
            }
        }
        Self { width, height, luma }
    }

    /// The same picture as a mirror shows it: left and right change places.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let mut luma = self.luma.clone();
        luma.chunks_exact_mut(self.width as usize).for_each(<[u8]>::reverse);
        Self { luma, ..*self }
    }

    /// The same picture with every pixel changed.
    #[must_use]
    pub fn map(&self, change: impl Fn(u8) -> u8) -> Self {
        Self { luma: self.luma.iter().map(|level| change(*level)).collect(), ..*self }
    }
}

/// What a picture file may cost to read.
pub(super) fn limits() -> image::Limits {
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(512 << 20);
    limits
}

/// The grey of a colour, with the weights of ITU-R BT.601 in 256ths.
pub(super) fn grey(r: u8, g: u8, b: u8) -> u8 {
    let level = 77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b) + 128;
    u8::try_from(level >> 8).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_make_a_frame_fall_over(width in 0_u32..70, height in 0_u32..70, stride in 0_usize..90, bytes: Vec<u8>) {
            if let Ok(frame) = GreyFrame::new(width, height, stride, &bytes) {
                prop_assert_eq!(frame.luma().len(), (width * height) as usize);
                let _ = frame.shrunk(3).shrunk_to(1);
            }
            let _ = GreyFrame::from_pixels(width, height, bytes);
        }
    }

    #[test]
    fn sizes_that_are_none_are_refused() {
        assert!(GreyFrame::new(0, 0, 0, &[]).is_err());
        assert!(GreyFrame::new(1, 1, 1, &[]).is_err());
        assert!(GreyFrame::new(u32::MAX, u32::MAX, usize::MAX, &[1]).is_err());
        assert!(GreyFrame::new(2, 2, usize::MAX, &[1; 4]).is_err());
        let odd = GreyFrame::new(2, 2, 3, &[1, 2, 9, 3, 4]).unwrap();
        assert_eq!(odd.luma(), [1, 2, 3, 4]);
    }
}
