//! Other views of a frame, for a reader that missed what is in it.

use super::symbol::Symbol;
use crate::scan::GreyFrame;

/// Pixel counts stay far below the 24 bits that a 32-bit float holds exactly.
#[allow(clippy::cast_precision_loss)]
pub(super) const fn pixels(count: u32) -> f32 {
    count as f32
}

/// The frame at double size, between pixels their mean; `None` where it would be too large.
pub(super) fn doubled(frame: &GreyFrame) -> Option<GreyFrame> {
    let (width, height) = (frame.width() * 2, frame.height() * 2);
    if width.max(height) > super::schedule::MAX_SIDE {
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

/// The darkest and the lightest hundredth become black and white.
pub(super) fn stretched(frame: &GreyFrame) -> GreyFrame {
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
pub(super) fn local(frame: &GreyFrame) -> GreyFrame {
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

/// Looks at the frame turned about its centre, and turns what is found back.
pub(super) fn turned(frame: &GreyFrame, degrees: f32, read: impl FnOnce(&GreyFrame) -> Vec<Symbol>) -> Vec<Symbol> {
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
    let mut found = read(&turned);
    for corner in found.iter_mut().flat_map(|symbol| symbol.corners.iter_mut()) {
        *corner = place(corner[0], corner[1]);
    }
    found
}
