//! A wallet's screen on a phone, as the till's camera sees it: for the training phone, for tests and benchmarks.
//!
//! A phone is drawn straight on, put into the scene in perspective over whatever lies on the counter, blurred, dimmed,
//! and covered with noise. All of it follows from the scene's seed.

mod chance;
mod counter;
mod glyph;
mod level;
mod phone;
mod picture;
mod warp;

pub use level::Level;

use self::chance::Chance;
use self::phone::{Phone, UNIT};
use self::picture::Picture;
use self::warp::{Point, Warp};
use super::{FrameError, GreyFrame};

/// What the phone shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A QR code.
    Qr,
    /// A Code 128.
    Code128,
    /// A Code 128 above a QR code, as most wallets do.
    Both,
    /// There is no phone.
    Nothing,
}

/// How the phone is held, and what the camera makes of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    /// The frame's width in pixels.
    pub width: u32,
    /// The frame's height in pixels.
    pub height: u32,
    /// What is shown.
    pub kind: Kind,
    /// Turned clockwise by so much.
    pub tilt_degrees: f32,
    /// A module of the QR code in pixels; the Code 128's narrow bar is half of it, three quarters where it stands alone.
    pub module_px: f32,
    /// Standard deviation of the lens's blur, in pixels.
    pub blur: f32,
    /// Standard deviation of the noise, in grey levels.
    pub noise: f32,
    /// Exposure; 1 is right.
    pub light: f32,
    /// How much of the picture a reflection in the phone's glass takes away where it is strongest, from 0 to 1.
    pub glare: f32,
    /// Waves over the phone's screen; from crest to trough they are half this share of its light.
    pub moire: f32,
    /// How far each corner may be from where it were straight on, as a share of the phone's size.
    pub perspective: f32,
    /// Things lie about, and the phone is anywhere; without them it is in the middle of a plain counter.
    pub clutter: bool,
    /// What everything that is left to chance follows from.
    pub seed: u64,
    /// Which of successive frames this is: the hand moves a little between two, and the noise is another.
    pub shot: u32,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 720,
            kind: Kind::Both,
            tilt_degrees: 0.0,
            module_px: 6.0,
            blur: 0.3,
            noise: 0.0,
            light: 1.0,
            glare: 0.0,
            moire: 0.0,
            perspective: 0.0,
            clutter: false,
            seed: 1,
            shot: 0,
        }
    }
}

/// A frame with a phone that shows `code`.
///
/// # Errors
/// A code that cannot be shown, or a frame too small for a phone.
pub fn render_phone(code: &str, scene: &Scene) -> Result<GreyFrame, FrameError> {
    if scene.width < 320 || scene.height < 240 {
        return Err(FrameError::Size { width: scene.width, height: scene.height });
    }
    let mut still = Chance::new(scene.seed, 3);
    let mut moving = Chance::new(scene.seed, 4 + u64::from(scene.shot));
    let (width, height) = (scene.width as usize, scene.height as usize);
    let mut picture = counter::plain(width, height, scene.clutter.then_some(&mut still));
    if scene.clutter {
        counter::strew(&mut picture, &mut still);
        // The camera is focused on the phone.
        picture.blur(still.between(0.3, 2.2));
    }
    if scene.kind != Kind::Nothing {
        let mut phone = Phone::showing(code, scene.kind, scene.clutter.then_some(&mut still))
            .map_err(|error| FrameError::Damaged(error.to_string()))?;
        let seen = corners(&phone, scene, &mut still, &mut moving);
        if scene.moire > 0.0 {
            phone.moire(scene.moire, &mut moving);
        }
        if scene.glare > 0.0 {
            phone.glare(scene.glare, &mut still);
        }
        hold(&mut picture, &phone.picture, seen);
    }
    picture.blur(scene.blur);
    let luma: Vec<u8> = picture
        .levels
        .iter()
        .map(|level| {
            let noise = if scene.noise > 0.0 { scene.noise * moving.normal() } else { 0.0 };
            (level * scene.light + noise).round().clamp(0.0, 255.0) as u8
        })
        .collect();
    GreyFrame::new(scene.width, scene.height, width, &luma)
}

/// Where in the frame the phone's corners are.
fn corners(phone: &Phone, scene: &Scene, still: &mut Chance, moving: &mut Chance) -> [Point; 4] {
    let (wide, high) = (phone.picture.width as f32, phone.picture.height as f32);
    let (mut tilt, mut scale) = (scene.tilt_degrees, scene.module_px / UNIT as f32);
    let mut hand = [0.0; 2];
    if scene.shot > 0 {
        tilt += moving.between(-1.5, 1.5);
        scale *= moving.between(0.98, 1.02);
        hand = hand.map(|_| moving.between(-6.0, 6.0));
    }
    let (sin, cos) = tilt.to_radians().sin_cos();
    let reach = scene.perspective / 2.0 * f32::midpoint(wide, high);
    let mut seen = [[0.0, 0.0], [wide, 0.0], [wide, high], [0.0, high]].map(|[x, y]| {
        let (mut dx, mut dy) = (x - wide / 2.0, y - high / 2.0);
        dx += still.between(-reach, reach);
        dy += still.between(-reach, reach);
        if scene.shot > 0 {
            dx += moving.between(-reach, reach) / 12.0;
            dy += moving.between(-reach, reach) / 12.0;
        }
        [(dx * cos - dy * sin) * scale, (dx * sin + dy * cos) * scale]
    });
    // Anywhere, if only what is to be read stays inside.
    let [left, top, right, bottom] = phone.codes;
    let share = |at: f32, side: f32| at / side;
    let inside = |axis: usize, side: f32, still: &mut Chance| {
        let along = |x: f32, y: f32| {
            let upper = seen[0][axis] * (1.0 - x) + seen[1][axis] * x;
            let lower = seen[3][axis] * (1.0 - x) + seen[2][axis] * x;
            upper * (1.0 - y) + lower * y
        };
        let ends = [(left, top), (right, top), (right, bottom), (left, bottom)]
            .map(|(x, y)| along(share(x, wide), share(y, high)));
        let (least, most) =
            ends.into_iter().fold((f32::MAX, f32::MIN), |(least, most), at| (least.min(at), most.max(at)));
        let (from, to) = (16.0 - least, side - 16.0 - most);
        let middle = f32::midpoint(from, to);
        let place = still.between(-0.35, 0.35) * (to - from).max(0.0);
        if scene.clutter { middle + place } else { side / 2.0 }
    };
    let place = [inside(0, scene.width as f32, still), inside(1, scene.height as f32, still)];
    for corner in &mut seen {
        *corner = [corner[0] + place[0] + hand[0], corner[1] + place[1] + hand[1]];
    }
    seen
}

/// Puts the phone into the scene, the mean of nine samples to each pixel.
fn hold(scene: &mut Picture, phone: &Picture, seen: [Point; 4]) {
    const SAMPLES: [f32; 3] = [-1.0 / 3.0, 0.0, 1.0 / 3.0];
    let back = Warp::back(phone.width as f32, phone.height as f32, seen);
    let range = |axis: usize, side: usize| {
        let least = seen.iter().map(|corner| corner[axis]).fold(f32::MAX, f32::min);
        let most = seen.iter().map(|corner| corner[axis]).fold(f32::MIN, f32::max);
        (least - 1.0).max(0.0) as usize..((most + 2.0).max(0.0) as usize).min(side)
    };
    for y in range(1, scene.height) {
        for x in range(0, scene.width) {
            let counter = &mut scene.levels[y * scene.width + x];
            let mut sum = 0.0;
            for dy in SAMPLES {
                for dx in SAMPLES {
                    let [u, v] = back.at([x as f32 + 0.5 + dx, y as f32 + 0.5 + dy]);
                    let on = u >= 0.0 && v >= 0.0 && (u as usize) < phone.width && (v as usize) < phone.height;
                    sum += if on { phone.levels[v as usize * phone.width + u as usize] } else { *counter };
                }
            }
            *counter = sum / 9.0;
        }
    }
}
