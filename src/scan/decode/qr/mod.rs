//! Our own reader of QR codes, for what the libraries miss: small modules, noise, blur, glare, strong perspective.
//!
//! Finder patterns are found as shapes, not as runs of a binarised picture; a grid is laid through three of them and fitted
//! to the grey values; modules keep their doubts until the error correction weighs them.

mod evidence;
mod finder;
mod geometry;
mod grid;
mod group;
mod layout;
mod level;
mod ordered;
mod pair;
mod reed_solomon;
mod segments;
mod sight;
mod soft;
mod version;
mod view;
mod words;

use self::evidence::Evidence;
use self::finder::{Limits, Scratch, finders};
use self::group::{Trio, trios};
use self::level::Level;
use self::pair::thirds;
use self::sight::Sight;
use super::pyramid::{Effort, Pyramid};
use super::symbol::Symbol;
use crate::scan::GreyFrame;

/// Reads QR codes.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    scratch: Scratch,
    evidence: Evidence,
    suspects: bool,
}

/// Smaller levels than this hold no symbol that a larger one does not hold as well.
const SMALLEST_SIDE: u32 = 40;
/// Levels beyond the quarter, at most.
const SMALLER: usize = 4;
const QUICK: Limits = Limits { places: 120, fits: 24, kept: 8, likeness: [0.4, 0.55] };
const FULL: Limits = Limits { places: 500, fits: 80, kept: 16, likeness: [0.33, 0.47] };

impl Reader {
    pub(super) fn new() -> Self {
        Self { scratch: Scratch::default(), evidence: Evidence::default(), suspects: false }
    }

    /// Every QR that is seen in the frame, within bounds that `effort` sets.
    pub(super) fn read(&mut self, pyramid: &Pyramid<'_>, effort: Effort) -> Vec<Symbol> {
        let mut smaller: Vec<GreyFrame> = Vec::new();
        while smaller.len() < SMALLER {
            let last = smaller.last().unwrap_or(&pyramid.quarter);
            if last.width().min(last.height()) < 2 * SMALLEST_SIDE {
                break;
            }
            let next = last.shrunk(2);
            smaller.push(next);
        }
        let frames = [pyramid.full, &pyramid.half, &pyramid.quarter].into_iter().chain(&smaller);
        let scales = std::iter::successors(Some(1.0), |scale| Some(2.0 * scale));
        let levels: Vec<Level<'_>> = frames.zip(scales).map(|(frame, scale)| Level::of(frame, scale)).collect();
        match effort {
            Effort::Quick => self.quick(&levels),
            Effort::Full => self.full(&levels),
        }
    }

    /// Whether the frame read last has something about it that may be a QR code: the schedule takes a dear look only then.
    pub(super) fn suspects(&self) -> bool {
        self.suspects
    }

    /// Clear patterns, each symbol as it looks.
    fn quick(&mut self, levels: &[Level<'_>]) -> Vec<Symbol> {
        let finders = finders(levels, QUICK, &mut self.scratch);
        self.suspects = finders.len() >= 2;
        let mut sight = Sight::new(levels, finders.len());
        sight.take(trios(&finders, 4));
        sight.symbols
    }

    /// Doubtful patterns, pairs of patterns, and symbols that are not read as they look.
    fn full(&mut self, levels: &[Level<'_>]) -> Vec<Symbol> {
        let mut finders = finders(levels, FULL, &mut self.scratch);
        self.suspects = finders.len() >= 2;
        let mut sight = Sight::new(levels, finders.len());
        sight.take(trios(&finders, 10));
        if sight.symbols.is_empty() {
            let seen = finders.len();
            finders.extend(thirds(levels, &finders));
            sight.grow(finders.len());
            let is_new = |trio: &Trio| trio.members.iter().any(|member| *member >= seen);
            sight.take(trios(&finders, 40).into_iter().filter(is_new).take(4).collect());
        }
        self.evidence.next_frame();
        sight.look_again(&mut self.evidence);
        sight.symbols
    }

    /// Forgets earlier frames.
    pub(super) fn forget(&mut self) {
        self.evidence.forget();
    }
}

#[cfg(test)]
mod tests;
