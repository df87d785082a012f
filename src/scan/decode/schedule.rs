//! Which reader looks at a frame when.
//!
//! What reads most for the least comes first, and what is dear runs only where something cheaper saw signs of a code and
//! the frame's budget still bears it. Costs are counted, not measured: the same frame always goes the same way.

use super::libraries::{guarded, rows, rqrr, squares};
use super::pyramid::{Effort, Pyramid};
use super::region::Region;
use super::symbol::{Symbol, merge};
use super::{code128, qr};
use crate::scan::GreyFrame;

/// No stage looks at a picture with a longer side than this; larger ones are shrunk first.
const MAX_SIDE: u32 = 2_048;
/// The camera's picture. Smaller pictures may cost as much in all, larger ones as much for each pixel.
const CAMERA_PIXELS: u32 = 1_280 * 720;
/// What a frame may cost, in nanoseconds for each pixel of the camera's picture: 23 ms.
const BUDGET: u32 = 25;
/// Noise up to which a binarised picture is worth looking at, in grey levels.
const CLEAN: f32 = 4.5;
/// A stream stays awake for so many frames after something moved or looked like a code.
const AWAKE_FRAMES: u32 = 15;
/// Micro QR codes and light codes on dark ground are rare: in a stream they are looked for in one of so many frames.
const SQUARES_TURNS: u32 = 6;

/// One way of looking at a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// `rxing`'s Code 128 along a few level rows: next to nothing, and most codes held upright.
    Rows,
    /// `rxing`'s port of zxing-cpp's QR reader: every clear QR and Micro QR code, light ones on dark ground too.
    Squares,
    /// Our own QR reader.
    Qr(Effort),
    /// Our own Code 128 reader.
    Bars(Effort),
    /// `rqrr`: it binarises otherwise, and reads some codes that lie flat on paper and that nobody else reads.
    Rqrr,
}

impl Stage {
    /// At most, in nanoseconds for each pixel, on one core of 2020 or so.
    const fn cost(self) -> u32 {
        match self {
            Self::Rows => 1,
            Self::Squares | Self::Qr(Effort::Quick) => 4,
            Self::Bars(Effort::Quick) => 5,
            Self::Qr(Effort::Full) | Self::Bars(Effort::Full) => 11,
            Self::Rqrr => 16,
        }
    }
}

/// Reads symbols.
#[derive(Debug, Clone)]
pub struct Decoder {
    thorough: bool,
    squares: qr::Reader,
    bars: code128::Reader,
    /// Frames since the stream began.
    turn: u32,
    /// Frames for which it stays awake.
    awake: u32,
    /// The frame before, small: what moved is seen by it.
    before: Option<GreyFrame>,
    /// Where something was read in it.
    region: Option<Region>,
}

impl Decoder {
    /// For a stream of frames, which it remembers: each is looked at quickly, with one dear look in turn.
    #[must_use]
    pub fn live() -> Self {
        Self {
            thorough: false,
            squares: qr::Reader::new(),
            bars: code128::Reader::new(),
            turn: 0,
            awake: AWAKE_FRAMES,
            before: None,
            region: None,
        }
    }

    /// For pictures that have nothing to do with each other: everything is tried until something is read.
    #[must_use]
    pub fn thorough() -> Self {
        Self { thorough: true, ..Self::live() }
    }

    /// Every symbol found. Never panics, whatever the pixels are.
    pub fn decode(&mut self, frame: &GreyFrame) -> Vec<Symbol> {
        let step = frame.width().max(frame.height()).div_ceil(MAX_SIDE).max(1);
        let shrunk = (step > 1).then(|| frame.shrunk(step));
        let pyramid = Pyramid::of(shrunk.as_ref().unwrap_or(frame));
        let found = if self.thorough { self.picture(&pyramid) } else { self.next(pyramid) };
        found.into_iter().map(|symbol| symbol.scaled(step as f32)).collect()
    }

    /// Forgets earlier frames: the next one shows another scene.
    pub fn forget(&mut self) {
        *self = if self.thorough { Self::thorough() } else { Self::live() };
    }

    /// A picture by itself: from the cheapest to the dearest, until something is read or the budget is spent.
    fn picture(&mut self, pyramid: &Pyramid<'_>) -> Vec<Symbol> {
        self.squares.forget();
        self.bars.forget();
        let area = pyramid.full.width() * pyramid.full.height();
        let mut left = u64::from(BUDGET) * u64::from(area.max(CAMERA_PIXELS));
        let mut afford = |stage: Stage| {
            let cost = u64::from(stage.cost()) * u64::from(area);
            let affordable = cost <= left;
            left = left.saturating_sub(cost);
            affordable
        };
        let clean = pyramid.noise() < CLEAN;
        let mut found = self.look(Stage::Rows, pyramid);
        if clean && afford(Stage::Squares) {
            merge(&mut found, self.look(Stage::Squares, pyramid));
        }
        let dear = [
            Stage::Qr(Effort::Quick),
            Stage::Bars(Effort::Quick),
            Stage::Qr(Effort::Full),
            Stage::Bars(Effort::Full),
            Stage::Rqrr,
        ];
        for stage in dear {
            if !found.is_empty() {
                break;
            }
            if self.promises(stage) && afford(stage) {
                found = self.look(stage, pyramid);
            }
        }
        found
    }

    /// A frame of a stream.
    fn next(&mut self, pyramid: Pyramid<'_>) -> Vec<Symbol> {
        self.turn = self.turn.wrapping_add(1);
        // Every other frame is looked at as a whole: another code may have come beside the one that is there.
        let known = self.region.take().filter(|_| !self.turn.is_multiple_of(2));
        let mut found = known.map_or_else(Vec::new, |region| self.within(region, pyramid.full));
        if found.is_empty() {
            found = self.whole(&pyramid);
        }
        if !found.is_empty() {
            self.awake = AWAKE_FRAMES;
        }
        self.region = Region::around(&found, pyramid.full);
        self.before = Some(pyramid.quarter);
        found
    }

    /// The part of a frame in which something was read before.
    fn within(&mut self, region: Region, frame: &GreyFrame) -> Vec<Symbol> {
        let Some(part) = region.of(frame) else { return Vec::new() };
        let pyramid = Pyramid::of(&part);
        let stages = [Stage::Rows, Stage::Squares, Stage::Qr(Effort::Quick), Stage::Bars(Effort::Quick)];
        let found = stages.into_iter().map(|stage| self.look(stage, &pyramid)).find(|found| !found.is_empty());
        found.unwrap_or_default().into_iter().map(|symbol| region.placed(symbol)).collect()
    }

    /// A whole frame of a stream.
    fn whole(&mut self, pyramid: &Pyramid<'_>) -> Vec<Symbol> {
        let even = self.turn.is_multiple_of(2);
        if self.before.as_ref().is_none_or(|before| pyramid.moved_since(before)) {
            self.awake = AWAKE_FRAMES;
        }
        self.awake = self.awake.saturating_sub(1);
        let mut found = self.look(Stage::Rows, pyramid);
        // While nothing happens, each kind is looked for in every other frame.
        for (stage, turn) in [(Stage::Qr(Effort::Quick), even), (Stage::Bars(Effort::Quick), !even)] {
            if found.is_empty() && (turn || self.awake > 0) {
                found = self.look(stage, pyramid);
            }
        }
        if found.is_empty() && self.turn.is_multiple_of(SQUARES_TURNS) && pyramid.noise() < CLEAN {
            found = self.look(Stage::Squares, pyramid);
        } else if found.is_empty() && self.awake > 0 {
            let dear = [Stage::Qr(Effort::Full), Stage::Bars(Effort::Full)];
            let [first, second] = if even { dear } else { [dear[1], dear[0]] };
            if let Some(stage) = [first, second].into_iter().find(|stage| self.promises(*stage)) {
                found = self.look(stage, pyramid);
            }
        }
        found
    }

    /// Whether a dear look may read what the quick one before did not.
    fn promises(&self, stage: Stage) -> bool {
        match stage {
            Stage::Qr(Effort::Full) | Stage::Rqrr => self.squares.suspects(),
            Stage::Bars(Effort::Full) => self.bars.suspects(),
            _ => true,
        }
    }

    /// Runs a stage; should a reader fall over, it saw nothing.
    fn look(&mut self, stage: Stage, pyramid: &Pyramid<'_>) -> Vec<Symbol> {
        guarded(|| match stage {
            Stage::Rows => rows(pyramid.full),
            Stage::Squares => squares(pyramid.full),
            Stage::Qr(effort) => self.squares.read(pyramid, effort),
            Stage::Bars(effort) => self.bars.read(pyramid, effort),
            Stage::Rqrr => rqrr(pyramid.full),
        })
    }
}
