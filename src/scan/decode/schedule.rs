//! Which reader looks at a frame when.
//!
//! Live frames get the cheap stage each time and one of the dear ones in turn, so that no frame takes long; a file gets
//! every stage.

use super::enhance::{doubled, local, pixels, stretched, turned};
use super::libraries::{BARS, BOTH, SQUARES, filtered, guarded, rqrr, rxing};
use super::pyramid::{Effort, Pyramid};
use super::symbol::{Symbol, merge};
use super::{code128, qr};
use crate::scan::GreyFrame;

/// No stage looks at a picture with a longer side than this; larger ones are shrunk first.
pub(super) const MAX_SIDE: u32 = 2_048;
/// Angles, in degrees, at which a Code 128 is looked for beside level and upright.
const ANGLES: [f32; 8] = [20.0, -20.0, 40.0, -40.0, 60.0, -60.0, 80.0, -80.0];

/// One way of looking at a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// `rxing` as it comes: the cheapest, and the one that reads most.
    Plain,
    /// `rqrr`: several codes in a frame.
    Rqrr,
    /// `rqrr` on the frame at half size: large modules, noise averaged out.
    HalfRqrr,
    /// `rxing` on the frame at half size.
    Half,
    /// `rxing` with contrast stretched.
    Stretched,
    /// `rxing` on light-on-dark codes.
    Inverted,
    /// `rxing` after each pixel is compared with its surroundings.
    Local,
    /// `rxing`, Code 128 only, on the frame turned by so many degrees.
    Turned(f32),
    /// `rxing` through its own pyramid of scales and closings: the dearest.
    Filtered,
    /// `rxing` on the frame at double size: small modules.
    Double,
    /// The same as [`Stage::Turned`] with the noise across the bars averaged out.
    Half128(f32),
}

/// Reads symbols.
#[derive(Debug, Clone)]
pub struct Decoder {
    thorough: bool,
    turn: usize,
    squares: qr::Reader,
    bars: code128::Reader,
}

impl Decoder {
    /// For a stream of frames: bounded time on each.
    #[must_use]
    pub fn live() -> Self {
        Self { thorough: false, turn: 0, squares: qr::Reader::new(), bars: code128::Reader::new() }
    }

    /// For a picture: everything is tried until something is read.
    #[must_use]
    pub fn thorough() -> Self {
        Self { thorough: true, ..Self::live() }
    }

    /// Every symbol found. Never panics, whatever the pixels are.
    pub fn decode(&mut self, frame: &GreyFrame) -> Vec<Symbol> {
        let step = frame.width().max(frame.height()).div_ceil(MAX_SIDE).max(1);
        let shrunk = (step > 1).then(|| frame.shrunk(step));
        let found = self.run(shrunk.as_ref().unwrap_or(frame));
        found.into_iter().map(|symbol| symbol.scaled(pixels(step))).collect()
    }

    /// Forgets earlier frames: the next one shows another scene.
    pub fn forget(&mut self) {
        self.squares.forget();
        self.bars.forget();
    }

    fn own(&mut self, pyramid: &Pyramid<'_>, effort: Effort) -> Vec<Symbol> {
        let mut found = guarded(|| self.squares.read(pyramid, effort));
        merge(&mut found, guarded(|| self.bars.read(pyramid, effort)));
        found
    }

    fn run(&mut self, frame: &GreyFrame) -> Vec<Symbol> {
        let pyramid = Pyramid::of(frame);
        if self.thorough {
            let mut found = look(Stage::Rqrr, frame);
            merge(&mut found, look(Stage::Plain, frame));
            if found.is_empty() {
                found = self.own(&pyramid, Effort::Quick);
            }
            if found.is_empty() {
                found = self.own(&pyramid, Effort::Full);
            }
            let rest = [Stage::Half, Stage::HalfRqrr, Stage::Stretched, Stage::Local, Stage::Inverted]
                .into_iter()
                .chain([Stage::Filtered, Stage::Double])
                .chain(ANGLES.map(Stage::Turned))
                .chain([0.0, 90.0].map(Stage::Half128))
                .chain(ANGLES.map(Stage::Half128));
            for stage in rest {
                if !found.is_empty() {
                    break;
                }
                merge(&mut found, look(stage, frame));
            }
            return found;
        }
        let mut found = look(Stage::Plain, frame);
        merge(&mut found, self.own(&pyramid, Effort::Quick));
        if !found.is_empty() {
            return found;
        }
        let dear: Vec<Stage> = [Stage::Half, Stage::Rqrr, Stage::Stretched, Stage::HalfRqrr, Stage::Local]
            .into_iter()
            .zip([20.0, -20.0, 40.0, -40.0, 65.0])
            .flat_map(|(stage, angle)| [stage, Stage::Half128(angle)])
            .chain([Stage::Half128(-65.0), Stage::Inverted])
            .collect();
        self.turn = (self.turn + 1) % dear.len();
        look(dear[self.turn], frame)
    }
}

/// Runs a stage.
fn look(stage: Stage, frame: &GreyFrame) -> Vec<Symbol> {
    let doubled_back = |symbols: Vec<Symbol>| symbols.into_iter().map(|symbol| symbol.scaled(2.0)).collect();
    guarded(|| match stage {
        Stage::Plain => rxing(frame, BOTH, false),
        Stage::Rqrr => rqrr(frame),
        Stage::HalfRqrr => doubled_back(rqrr(&frame.shrunk(2))),
        Stage::Half => doubled_back(rxing(&frame.shrunk(2), BOTH, true)),
        Stage::Stretched => rxing(&stretched(frame), BOTH, true),
        Stage::Inverted => rxing(&frame.map(|level| 255 - level), SQUARES, false),
        Stage::Local => rxing(&local(frame), BOTH, false),
        Stage::Filtered => filtered(frame, BOTH),
        Stage::Double => doubled(frame).map_or_else(Vec::new, |large| {
            rxing(&large, BOTH, true).into_iter().map(|symbol| symbol.scaled(0.5)).collect()
        }),
        Stage::Turned(angle) => turned(frame, angle, |turned| rxing(turned, BARS, true)),
        Stage::Half128(angle) => doubled_back(turned(&frame.shrunk(2), angle, |turned| rxing(turned, BARS, true))),
    })
}
