//! A phone with a wallet's page, seen straight on.

use super::Kind;
use super::chance::Chance;
use super::picture::{Area, Picture};
use crate::qr::{Bars, Modules, QUIET_ZONE, QrError};

/// Pixels to a module of the QR code. A Code 128 stands beside it at half that, alone at three quarters: both whole.
pub(super) const UNIT: usize = 8;
/// What follows is in modules of the QR code.
const RIM: [f32; 2] = [1.5, 3.0];
const HEADER: f32 = 11.5;
const FOOTER: f32 = 13.5;
const PADDING: f32 = 2.5;
const LINE: f32 = 4.0;
/// A Code 128 is so many of its own modules high.
const BARS_HEIGHT: f32 = 38.0;

/// A phone's picture, [`UNIT`] pixels to a module.
#[derive(Debug, Clone)]
pub(super) struct Phone {
    pub(super) picture: Picture,
    /// Where codes are.
    pub(super) codes: Area,
    /// The screen inside the rim.
    pub(super) screen: Area,
}

/// A page's grey levels.
struct Ink {
    body: f32,
    card: f32,
    logo: bool,
}

impl Phone {
    /// A phone that shows `code`. Colours follow from `chance`; without it the page is plain.
    pub(super) fn showing(code: &str, kind: Kind, chance: Option<&mut Chance>) -> Result<Self, QrError> {
        let ink = chance.map_or(Ink { body: 120.0, card: 245.0, logo: false }, |chance| Ink {
            body: chance.between(70.0, 165.0),
            card: chance.between(200.0, 255.0),
            logo: chance.percent(20),
        });
        let unit = UNIT as f32;
        let square = Modules::of(code)?;
        let bars = if kind == Kind::Qr { None } else { Bars::of(code) };
        let bar = if kind == Kind::Both { unit / 2.0 } else { unit * 0.75 };
        let with_square = kind != Kind::Code128 || bars.is_none();
        let square_side = square.full_size() as f32 * unit;
        let bars_side = bars.as_ref().map_or(0.0, |bars| bars.modules().len() as f32 * bar);
        let inner = bars_side.max(if with_square { square_side } else { 0.0 });
        let mut card_height = 2.0 * PADDING * unit;
        if bars.is_some() {
            card_height += BARS_HEIGHT * bar + LINE * unit;
        }
        if with_square {
            card_height += square_side + LINE * unit;
        }
        let width = inner + (4.0 * PADDING + 2.0 * RIM[0]) * unit;
        let height = card_height + (HEADER + FOOTER + 2.0 * RIM[1]) * unit;
        let mut picture = Picture::new(width as usize, height as usize, 12.0);
        let screen = [RIM[0] * unit, RIM[1] * unit, width - RIM[0] * unit, height - RIM[1] * unit];
        picture.fill(screen, ink.body);
        picture.print("PAY", [screen[0] + 4.0 * unit, screen[1] + 4.5 * unit], 2.7 * unit, 235.0);
        let left = screen[0] + PADDING * unit;
        let mut top = screen[1] + HEADER * unit;
        picture.fill([left, top, left + inner + 2.0 * PADDING * unit, top + card_height], ink.card);
        let left = left + PADDING * unit;
        top += PADDING * unit;
        let mut codes = [f32::MAX, top, 0.0, top];
        let digits: Vec<String> = code.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into()).collect();
        let digits = digits.join(" ");
        if let Some(bars) = &bars {
            let from = left + (inner - bars_side) / 2.0;
            for (place, _) in bars.modules().iter().enumerate().filter(|(_, dark)| **dark) {
                let x = from + place as f32 * bar;
                picture.fill([x, top, x + bar, top + BARS_HEIGHT * bar], 4.0);
            }
            codes = [codes[0].min(from), codes[1], codes[2].max(from + bars_side), top + BARS_HEIGHT * bar];
            top += BARS_HEIGHT * bar;
            picture.print(&digits, [left, top + unit], 1.3 * unit, 70.0);
            top += LINE * unit;
        }
        if with_square {
            let (x, y) = (left + (inner - square_side) / 2.0, top);
            for (column, row) in (0..square.size() * square.size()).map(|at| (at % square.size(), at / square.size())) {
                if square.dark(column, row) {
                    let (x, y) = (x + (column + QUIET_ZONE) as f32 * unit, y + (row + QUIET_ZONE) as f32 * unit);
                    picture.fill([x, y, x + unit, y + unit], 4.0);
                }
            }
            if ink.logo {
                let (middle, half) = (square_side / 2.0, 1.9 * unit);
                picture.fill([x + middle - half, y + middle - half, x + middle + half, y + middle + half], ink.card);
                let half = 1.6 * unit;
                picture.fill([x + middle - half, y + middle - half, x + middle + half, y + middle + half], 90.0);
            }
            codes = [codes[0].min(x), codes[1], codes[2].max(x + square_side), top + square_side];
            picture.print(&digits, [left, top + square_side + unit], 1.3 * unit, 70.0);
        }
        Ok(Self { picture, codes, screen })
    }

    /// A lamp mirrored in the glass: over an ellipse of the screen everything goes to white, by `strength` at most.
    pub(super) fn glare(&mut self, strength: f32, chance: &mut Chance) {
        let unit = UNIT as f32;
        let [left, top, right, bottom] = self.screen;
        let middle = [chance.between(left, right), chance.between(top, bottom)];
        let (sin, cos) = chance.between(0.0, std::f32::consts::PI).sin_cos();
        let (long, short) = (chance.between(7.0, 16.0) * unit, chance.between(3.0, 8.0) * unit);
        self.change(|x, y, level| {
            let (dx, dy) = (x - middle[0], y - middle[1]);
            let (along, across) = ((dx * cos + dy * sin) / long, (dy * cos - dx * sin) / short);
            let share = strength * (-(along * along + across * across) / 2.0).exp();
            level + (255.0 - level) * share
        });
    }

    /// The screen's own pixels against the camera's: fine waves over the screen.
    pub(super) fn moire(&mut self, strength: f32, chance: &mut Chance) {
        let (sin, cos) = chance.between(0.0, std::f32::consts::PI).sin_cos();
        let pace = std::f32::consts::TAU / (chance.between(0.8, 3.0) * UNIT as f32);
        let start = chance.between(0.0, std::f32::consts::TAU);
        self.change(|x, y, level| level * (1.0 + strength / 4.0 * ((x * cos + y * sin) * pace + start).sin()));
    }

    fn change(&mut self, change: impl Fn(f32, f32, f32) -> f32) {
        let [left, top, right, bottom] = self.screen;
        for y in top as usize..bottom as usize {
            for x in left as usize..right as usize {
                let level = &mut self.picture.levels[y * self.picture.width + x];
                *level = change(x as f32, y as f32, *level);
            }
        }
    }
}
