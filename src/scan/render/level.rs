//! How hard a scene is to read: ranges for everything that troubles a camera.

use super::chance::Chance;
use super::{Kind, Scene};

/// How hard a scene is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A phone held still and nearly upright, near the camera, in good light.
    Easy,
    /// Turned by up to forty degrees, a little farther away, a little noise.
    Medium,
    /// Turned anyhow, dimmed, in perspective, out of focus, often with a reflection.
    Hard,
    /// Far away, dark, noisy and much out of focus: some cannot be read by anyone.
    Extreme,
}

impl Level {
    /// From the easiest to the hardest.
    pub const ALL: [Self; 4] = [Self::Easy, Self::Medium, Self::Hard, Self::Extreme];

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
            Self::Extreme => "extreme",
        }
    }
}

/// Ranges, each drawn from evenly; a share in percent says how many scenes have the trouble at all.
struct Ranges {
    module_px: [f32; 2],
    blur: [f32; 2],
    noise: [f32; 2],
    light: [f32; 2],
    glare: (u64, [f32; 2]),
    moire: (u64, [f32; 2]),
    perspective: [f32; 2],
}

const fn ranges(level: Level) -> Ranges {
    match level {
        Level::Easy => Ranges {
            module_px: [5.3, 8.0],
            blur: [0.25, 0.55],
            noise: [0.8, 1.7],
            light: [0.83, 1.06],
            glare: (0, [0.0; 2]),
            moire: (0, [0.0; 2]),
            perspective: [0.0; 2],
        },
        Level::Medium => Ranges {
            module_px: [4.0, 7.0],
            blur: [0.4, 0.92],
            noise: [2.0, 4.5],
            light: [0.68, 0.94],
            glare: (8, [0.3, 0.5]),
            moire: (55, [0.02, 0.12]),
            perspective: [0.02, 0.05],
        },
        Level::Hard => Ranges {
            module_px: [3.0, 5.5],
            blur: [0.64, 1.9],
            noise: [4.3, 9.3],
            light: [0.5, 0.65],
            glare: (35, [0.4, 0.85]),
            moire: (48, [0.05, 0.25]),
            perspective: [0.04, 0.11],
        },
        Level::Extreme => Ranges {
            module_px: [2.2, 4.5],
            blur: [0.63, 2.35],
            noise: [7.0, 17.0],
            light: [0.33, 0.45],
            glare: (52, [0.3, 0.85]),
            moire: (75, [0.08, 0.34]),
            perspective: [0.06, 0.2],
        },
    }
}

impl Scene {
    /// A scene of that level, 1280x720; everything about it follows from the seed.
    #[must_use]
    pub fn at(level: Level, seed: u64) -> Self {
        let mut chance = Chance::new(seed, 1);
        let ranges = ranges(level);
        let kind = match chance.whole(0, 100) {
            0..42 => Kind::Qr,
            42..69 => Kind::Code128,
            69..95 => Kind::Both,
            _ => Kind::Nothing,
        };
        let mut drawn = |[low, high]: [f32; 2]| chance.between(low, high);
        let (module_px, noise, light) = (drawn(ranges.module_px), drawn(ranges.noise), drawn(ranges.light));
        // The mean of two: most cameras focus somehow.
        let blur = f32::midpoint(drawn(ranges.blur), drawn(ranges.blur));
        let perspective = drawn(ranges.perspective);
        let mut sometimes =
            |(share, [low, high]): (u64, [f32; 2])| if chance.percent(share) { chance.between(low, high) } else { 0.0 };
        let (glare, moire) = (sometimes(ranges.glare), sometimes(ranges.moire));
        let tilt_degrees = match level {
            Level::Easy => chance.between(-12.0, 12.0),
            Level::Medium => chance.between(-38.0, 38.0),
            // A phone held sideways.
            Level::Hard if chance.percent(40) => chance.between(75.0, 115.0),
            Level::Hard | Level::Extreme => chance.between(-180.0, 180.0),
        };
        Self {
            kind,
            tilt_degrees,
            module_px,
            blur,
            noise,
            light,
            glare,
            moire,
            perspective,
            clutter: true,
            seed,
            ..Self::default()
        }
    }

    /// The payment code that the scene's phone shows, with a length and a beginning as wallets have them.
    #[must_use]
    pub fn code(&self) -> String {
        let mut chance = Chance::new(self.seed, 2);
        let (first, length) = match chance.whole(0, 10) {
            0..4 => (chance.whole(10, 16), 18),
            4..7 => (62, 19),
            _ => (chance.whole(25, 31), *chance.pick(&[16, 18, 18, 24])),
        };
        let mut code = first.to_string();
        while code.len() < length {
            code.push(char::from(b'0' + (chance.next() % 10) as u8));
        }
        code
    }
}
