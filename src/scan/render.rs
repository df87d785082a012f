//! A wallet's screen on a phone, as the till's camera sees it: for the training phone, for tests and benchmarks.

use super::{FrameError, GreyFrame};
use crate::qr::{Bars, Modules};

/// How the phone is held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    /// The frame's width in pixels.
    pub width: u32,
    /// The frame's height in pixels.
    pub height: u32,
    /// Turned clockwise by so much.
    pub tilt_degrees: f32,
    /// Grey levels of noise, at most, up or down.
    pub noise: u8,
    /// What the noise follows from.
    pub seed: u64,
}

impl Default for Scene {
    fn default() -> Self {
        Self { width: 1280, height: 720, tilt_degrees: 0.0, noise: 0, seed: 1 }
    }
}

/// A frame with a phone that shows `code` as Code 128 above and QR below.
///
/// # Errors
/// A code that cannot be shown, or a frame too small for a phone.
pub fn render_phone(code: &str, scene: &Scene) -> Result<GreyFrame, FrameError> {
    if scene.width < 320 || scene.height < 240 {
        return Err(FrameError::Size { width: scene.width, height: scene.height });
    }
    let modules = Modules::of(code).map_err(|error| FrameError::Damaged(error.to_string()))?;
    let bars = Bars::of(code).map(|bars| bars.modules().to_vec()).unwrap_or_default();
    let (width, height) = (scene.width as usize, scene.height as usize);
    // The phone, upright, in the frame's middle: side lengths of its own picture.
    let phone_height = height * 9 / 10;
    let phone_width = phone_height * 9 / 16;
    let phone = Phone { modules, bars, width: phone_width, height: phone_height };
    let (sin, cos) = scene.tilt_degrees.to_radians().sin_cos();
    let mut chance = scene.seed | 1;
    let mut luma = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = (middle(x, width), middle(y, height));
            let (px, py) = (dx * cos + dy * sin, dy * cos - dx * sin);
            let inside = phone.at(px + half(phone_width), py + half(phone_height));
            // A counter behind the phone, darker towards the floor.
            let counter = 96 - u8::try_from(y * 40 / height).unwrap_or(0);
            let level = inside.unwrap_or(counter);
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let noise = if scene.noise == 0 {
                0
            } else {
                i16::from(chance.to_be_bytes()[0]) % (2 * i16::from(scene.noise) + 1) - i16::from(scene.noise)
            };
            luma.push(u8::try_from((i16::from(level) + noise).clamp(0, 255)).unwrap_or(u8::MAX));
        }
    }
    GreyFrame::new(scene.width, scene.height, width, &luma)
}

#[allow(clippy::cast_precision_loss)] // Pixel counts are small.
fn middle(at: usize, side: usize) -> f32 {
    at as f32 - side as f32 / 2.0
}

#[allow(clippy::cast_precision_loss)] // Pixel counts are small.
fn half(side: usize) -> f32 {
    side as f32 / 2.0
}

struct Phone {
    modules: Modules,
    bars: Vec<bool>,
    width: usize,
    height: usize,
}

impl Phone {
    /// The grey level there, `None` beside the phone.
    fn at(&self, x: f32, y: f32) -> Option<u8> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Negative values were told apart.
        let whole = |value: f32| (value >= 0.0).then_some(value as usize);
        let (x, y) = (whole(x)?, whole(y)?);
        if x >= self.width || y >= self.height {
            return None;
        }
        let rim = self.width / 30;
        if x < rim || y < rim || x >= self.width - rim || y >= self.height - rim {
            return Some(24);
        }
        let (light, dark) = (236, 16);
        let screen = self.width - 2 * rim;
        // Whole pixels to a bar, as a phone draws them.
        let bar = if self.bars.is_empty() { 0 } else { screen / self.bars.len() };
        let top = self.height / 8;
        if bar > 0 && (top..top + self.height / 6).contains(&y) {
            let left = (self.width - bar * self.bars.len()) / 2;
            let dark_bar = x.checked_sub(left).and_then(|x| self.bars.get(x / bar)).copied().unwrap_or(false);
            return Some(if dark_bar { dark } else { light });
        }
        let module = (screen * 3 / 4) / self.modules.size();
        let side = module * self.modules.size();
        let (left, from) = ((self.width - side) / 2, self.height * 3 / 8);
        let cell = (x.checked_sub(left), y.checked_sub(from));
        if let (Some(x), Some(y)) = cell
            && x < side
            && y < side
            && self.modules.dark(x / module, y / module)
        {
            return Some(dark);
        }
        Some(light)
    }
}
