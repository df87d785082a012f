//! Our own reader of QR codes, for what the libraries miss: small modules, noise, blur, glare, strong perspective.
//!
//! Finder patterns are found as shapes, not as runs of a binarised picture; a grid is laid through three of them and fitted
//! to the grey values; modules keep their doubts until the error correction weighs them.

mod finder;
mod geometry;
mod grid;
mod group;
mod layout;
mod level;
mod ordered;
mod reed_solomon;
mod segments;
mod words;

use self::finder::{Finder, Limits, Scratch, finders};
use self::grid::{Grid, View};
use self::group::{Trio, trios};
use self::layout::{Layout, MAX_VERSION};
use self::level::Level;
use self::words::{Depth, Reading};
use super::pyramid::{Effort, Pyramid};
use super::symbol::{Format, Symbol};
use crate::scan::GreyFrame;

/// Reads QR codes.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    scratch: Scratch,
}

/// Smaller levels than this hold no symbol that a larger one does not hold as well.
const SMALLEST_SIDE: u32 = 40;

impl Reader {
    pub(super) fn new() -> Self {
        Self { scratch: Scratch::default() }
    }

    /// Every QR that is seen in the frame, within bounds that `effort` sets.
    pub(super) fn read(&mut self, pyramid: &Pyramid<'_>, effort: Effort) -> Vec<Symbol> {
        let mut smaller: Vec<GreyFrame> = Vec::new();
        let mut last = &pyramid.quarter;
        let mut sizes = Vec::new();
        while last.width().min(last.height()) >= 2 * SMALLEST_SIDE && sizes.len() < 4 {
            sizes.push(last.shrunk(2));
            last = &sizes[sizes.len() - 1];
        }
        smaller.append(&mut sizes);
        let mut levels =
            vec![Level::of(pyramid.full, 1.0), Level::of(&pyramid.half, 2.0), Level::of(&pyramid.quarter, 4.0)];
        for (at, frame) in smaller.iter().enumerate() {
            levels.push(Level::of(frame, 8.0 * (1 << at) as f32));
        }
        let limits = match effort {
            Effort::Quick => Limits { places: 120, fits: 24, kept: 8 },
            Effort::Full => Limits { places: 500, fits: 80, kept: 14 },
        };
        let finders = finders(&levels, limits, &mut self.scratch);
        self.symbols(&levels, &finders, effort)
    }

    fn symbols(&mut self, levels: &[Level<'_>], finders: &[Finder], effort: Effort) -> Vec<Symbol> {
        let (most, depth) = match effort {
            Effort::Quick => (4, Depth::Plain),
            Effort::Full => (10, Depth::Deep),
        };
        let mut used = vec![false; finders.len()];
        let mut symbols: Vec<Symbol> = Vec::new();
        for trio in trios(finders, most) {
            if trio.members.iter().any(|member| used[*member]) {
                continue;
            }
            let Some((grid, reading)) = attempt(levels, &trio, depth) else { continue };
            for member in trio.members {
                used[member] = true;
            }
            let mut corners = grid.corners();
            if reading.mirrored {
                corners.swap(1, 3);
            }
            let Reading { text, bytes, confidence, .. } = reading;
            symbols.push(Symbol { format: Format::Qr, text, bytes, corners, confidence });
        }
        symbols
    }

    /// Forgets earlier frames.
    pub(super) fn forget(&mut self) {}
}

/// The level on which a module has between two and four and a half pixels.
fn level_for<'a, 'b>(levels: &'a [Level<'b>], module: f32) -> &'a Level<'b> {
    let at = levels.iter().rposition(|level| module / level.scale >= 2.2).unwrap_or(0);
    &levels[at]
}

fn attempt(levels: &[Level<'_>], trio: &Trio, depth: Depth) -> Option<(Grid, Reading)> {
    let guess = (trio.modules - 10.0) / 4.0;
    let nearest = guess.round();
    let mut versions = vec![nearest];
    if nearest > 6.0 || (guess - nearest).abs() > 0.3 {
        versions.push(if guess > nearest { nearest + 1.0 } else { nearest - 1.0 });
    }
    let sizes = [trio.corner, trio.right, trio.below].map(|finder| finder.module());
    let level = level_for(levels, sizes.iter().sum::<f32>() / 3.0);
    let mut best: Option<(f32, Grid)> = None;
    for version in versions {
        if !(1.0..=MAX_VERSION as f32).contains(&version) {
            continue;
        }
        let layout = Layout::of(version as usize)?;
        let Some(grid) = Grid::through(trio, layout) else { continue };
        let grid = known_fitted(level, grid, 3);
        let score = grid.glance(level).agreement(layout);
        if grid.is_sound(level) && best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, grid));
        }
    }
    let (score, grid) = best?;
    if score < 0.4 {
        return None;
    }
    let mut hypotheses: Vec<(f32, Grid)> = Vec::new();
    for u in -2..=2 {
        for v in -2..=2 {
            let Some(bent) = grid.bent(u as f32 * 0.7, v as f32 * 0.7) else { continue };
            let clearness = bent.glance(level).clearness(grid.layout);
            hypotheses.push((clearness, bent));
        }
    }
    hypotheses.sort_by(|a, b| b.0.total_cmp(&a.0));
    hypotheses.truncate(2);
    for (_, grid) in hypotheses {
        let mut grid = grid;
        for _ in 0..4 {
            let view = grid.look(level);
            let model = view.model(grid.layout, true);
            match grid.moved(&view, &model) {
                Some(moved) => grid = moved,
                None => break,
            }
        }
        let view = grid.look(level);
        let model = view.model(grid.layout, true);
        let soft = view.soft(grid.layout, &model);
        if let Some(reading) = words::read(grid.layout, &soft, depth) {
            return Some((grid, reading));
        }
    }
    None
}

fn known_fitted(level: &Level<'_>, mut grid: Grid, rounds: usize) -> Grid {
    for _ in 0..rounds {
        let view: View = grid.look(level);
        let model = view.model(grid.layout, false);
        match grid.moved(&view, &model) {
            Some(moved) => grid = moved,
            None => break,
        }
    }
    grid
}

#[cfg(test)]
mod tests;
