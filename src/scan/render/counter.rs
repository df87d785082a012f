//! What else the camera sees: a counter with boxes, print, and bars that are no code.

use super::chance::Chance;
use super::picture::Picture;

const WORDS: [&str; 7] = ["OPEN", "TEA", "MILK 3.50", "SALE 20%", "NO ENTRY", "12345", "GREEN TEA"];

/// Light that falls off from one side to the other.
pub(super) fn plain(width: usize, height: usize, chance: Option<&mut Chance>) -> Picture {
    let mut picture = Picture::new(width, height, 0.0);
    let (mut low, mut high, mut turn) = (96.0, 56.0, std::f32::consts::FRAC_PI_2);
    if let Some(chance) = chance {
        (low, high) = (chance.between(25.0, 80.0), chance.between(90.0, 185.0));
        turn = chance.between(0.2, 1.5);
    }
    let (across, down) = (turn.cos() / width as f32, turn.sin() / height as f32);
    let whole = turn.cos() + turn.sin();
    for (y, row) in picture.levels.chunks_exact_mut(width).enumerate() {
        for (x, level) in row.iter_mut().enumerate() {
            *level = low + (high - low) * (x as f32 * across + y as f32 * down) / whole;
        }
    }
    picture
}

/// Boxes, outlines, print and groups of bars, a few dozen in all.
pub(super) fn strew(picture: &mut Picture, chance: &mut Chance) {
    let (width, height) = (picture.width as f32, picture.height as f32);
    // Things keep their size against a frame of 1280 pixels.
    let scale = (width / 1_280.0).max(height / 720.0);
    for _ in 0..chance.whole(22, 46) {
        let (x, y) = (chance.between(-40.0, width), chance.between(-40.0, height));
        let level = chance.between(10.0, 235.0);
        let (wide, high) = (chance.between(20.0, 300.0) * scale, chance.between(20.0, 210.0) * scale);
        match chance.whole(0, 12) {
            0..3 => picture.fill([x, y, x + wide, y + high], level),
            3..6 => picture.outline([x, y, x + wide, y + high], chance.between(3.0, 7.0), level),
            6..10 => {
                let size = chance.between(9.0, 38.0) * scale;
                let word: &&str = chance.pick(&WORDS);
                picture.print(word, [x, y], size, level);
            }
            10 => few_bars(picture, [x, y], chance.between(15.0, 70.0) * scale, level, chance),
            _ if chance.percent(40) => many_bars(picture, [x, y], scale, chance),
            _ => picture.outline([x, y, x + wide, y + high], 4.0, level),
        }
    }
}

/// Three to six bars of one colour, as on a ruler or a radiator.
fn few_bars(picture: &mut Picture, [mut x, y]: [f32; 2], high: f32, level: f32, chance: &mut Chance) {
    for _ in 0..chance.whole(3, 7) {
        let wide = high * chance.between(0.08, 0.16);
        picture.fill([x, y, x + wide, y + high], level);
        x += wide + high * chance.between(0.06, 0.4);
    }
}

/// A long row of stripes in many colours, as on a shelf of thin books.
fn many_bars(picture: &mut Picture, [mut x, y]: [f32; 2], scale: f32, chance: &mut Chance) {
    let high = chance.between(60.0, 110.0) * scale;
    let end = x + chance.between(120.0, 380.0) * scale;
    while x < end {
        let wide = chance.between(2.0, 9.0) * scale;
        picture.fill([x, y, x + wide, y + high], chance.between(5.0, 245.0));
        x += wide + if chance.percent(50) { chance.between(0.0, 14.0) * scale } else { 0.0 };
    }
}
