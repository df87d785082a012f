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
mod soft;
mod version;
mod words;

use self::evidence::Evidence;
use self::finder::{Finder, Limits, Scratch, finders};
use self::geometry::distance;
use self::grid::{Grid, View};
use self::group::{Trio, trios};
use self::layout::{Layout, MAX_VERSION};
use self::level::Level;
use self::pair::thirds;
use self::words::{Depth, Reading};
use super::pyramid::{Effort, Pyramid};
use super::symbol::{Format, Symbol};
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

impl Reader {
    pub(super) fn new() -> Self {
        Self { scratch: Scratch::default(), evidence: Evidence::default(), suspects: false }
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
            Effort::Quick => Limits { places: 120, fits: 24, kept: 8, likeness: [0.4, 0.55] },
            Effort::Full => Limits { places: 500, fits: 80, kept: 16, likeness: [0.33, 0.47] },
        };
        let mut finders = finders(&levels, limits, &mut self.scratch);
        self.suspects = finders.len() >= 2;
        self.symbols(&levels, &mut finders, effort)
    }

    /// Whether the frame read last has something about it that may be a QR code: the schedule takes a dear look only then.
    pub(super) fn suspects(&self) -> bool {
        self.suspects
    }

    fn symbols(&mut self, levels: &[Level<'_>], finders: &mut Vec<Finder>, effort: Effort) -> Vec<Symbol> {
        let mut sight =
            Sight { levels, used: vec![false; finders.len()], symbols: Vec::new(), located: Vec::new(), work: 0 };
        match effort {
            Effort::Quick => sight.take(trios(finders, 4)),
            Effort::Full => {
                sight.take(trios(finders, 10));
                if sight.symbols.is_empty() {
                    let seen = finders.len();
                    finders.extend(thirds(|module| level_for(levels, module), levels, finders));
                    sight.used.resize(finders.len(), false);
                    let new = |trio: &Trio| trio.members.iter().any(|member| *member >= seen);
                    let trios: Vec<Trio> = trios(finders, 40).into_iter().filter(new).take(4).collect();
                    sight.take(trios);
                }
                self.evidence.next_frame();
                sight.look_again(&mut self.evidence);
            }
        }
        sight.symbols
    }

    /// Forgets earlier frames.
    pub(super) fn forget(&mut self) {
        self.evidence.forget();
    }
}

/// What is seen in one frame.
struct Sight<'a> {
    levels: &'a [Level<'a>],
    /// Finder patterns whose symbols were read.
    used: Vec<bool>,
    symbols: Vec<Symbol>,
    /// Symbols that were found and not read, and how well each agrees with what is known of it.
    located: Vec<Located>,
    /// Modules looked at so far, each as often as it was.
    work: usize,
}

/// Where no more symbols are located or looked at again.
const WORK: usize = 250_000;
/// What fitting a grid costs for each module, where a glance costs one; and what looking again costs.
const FIT: usize = 24;
const LOOK_AGAIN: usize = 200;

struct Located {
    agreement: f32,
    grid: Grid,
    members: [usize; 3],
}

/// Agreement with the known modules that a symbol must have, at first and once its grid is fitted. The first grid of a
/// large symbol, from [`version::FIRST`] on, may miss much of it.
const AT_FIRST: [f32; 2] = [0.42, 0.2];
const AGREEMENT: f32 = 0.55;
/// Symbols that are looked at again.
const AGAIN: usize = 3;

impl Sight<'_> {
    /// Looks for symbols at these finder patterns, without much ado.
    fn take(&mut self, trios: Vec<Trio>) {
        for trio in trios {
            if self.is_used(trio.members) || self.work > WORK {
                continue;
            }
            let Some((agreement, grid)) = self.locate(&trio) else { continue };
            let level = self.level(&grid);
            // The grid as it is serves nearly always.
            let direct = followed(level, grid.clone(), 2);
            let soft = direct.soft(level);
            match words::read(direct.layout, &soft, Depth::Plain) {
                Some(reading) => self.found(&direct, reading, trio.members),
                None => {
                    let is_new =
                        |known: &Located| distance(known.grid.at(0.0, 0.0), grid.at(0.0, 0.0)) > 4.0 * grid.module();
                    if self.located.iter().all(is_new) {
                        self.located.push(Located { agreement, grid, members: trio.members });
                    }
                }
            }
        }
    }

    /// Looks again at what was located, with all that can be tried.
    fn look_again(&mut self, evidence: &mut Evidence) {
        let mut located = std::mem::take(&mut self.located);
        located.sort_by(|a, b| b.agreement.total_cmp(&a.agreement));
        located.truncate(AGAIN);
        for Located { grid, members, .. } in located {
            if self.is_used(members) || self.work > WORK {
                continue;
            }
            self.work += LOOK_AGAIN * grid.layout.size * grid.layout.size;
            let level = self.level(&grid);
            let mut ways = Vec::new();
            let mut read = None;
            for way in hypotheses(level, &grid) {
                let way = followed(level, way, 4);
                let soft = way.soft(level);
                read = words::read(grid.layout, &soft, Depth::Deep).map(|reading| (way, reading));
                if read.is_some() {
                    break;
                }
                ways.push(soft);
            }
            if read.is_none() {
                // What earlier frames showed may make up for what this one hides.
                let sum = evidence.add(&grid, ways);
                read = sum.and_then(|soft| words::read(grid.layout, &soft, Depth::Deep)).map(|reading| (grid, reading));
            }
            if let Some((grid, reading)) = read {
                evidence.read(&grid);
                self.found(&grid, reading, members);
            }
        }
    }

    fn is_used(&self, members: [usize; 3]) -> bool {
        members.iter().any(|member| self.used[*member])
    }

    fn found(&mut self, grid: &Grid, reading: Reading, members: [usize; 3]) {
        for member in members {
            self.used[member] = true;
        }
        let mut corners = grid.corners();
        if reading.mirrored {
            corners.swap(1, 3);
        }
        let Reading { text, bytes, confidence, .. } = reading;
        self.symbols.push(Symbol { format: Format::Qr, text, bytes, corners, confidence });
    }

    fn level(&self, grid: &Grid) -> &Level<'_> {
        &self.levels[level_for(self.levels, grid.module())]
    }

    /// The grid through three finder patterns, of the version that agrees best.
    fn locate(&mut self, trio: &Trio) -> Option<(f32, Grid)> {
        let guess = (trio.modules - 10.0) / 4.0;
        let nearest = guess.round();
        let mut versions = vec![nearest];
        if nearest >= version::FIRST as f32 {
            let sizes = [&trio.right, &trio.below].map(Finder::module);
            let level = &self.levels[level_for(self.levels, sizes[0].midpoint(sizes[1]))];
            versions = vec![version::drawn(level, trio, guess)? as f32];
        } else if (guess - nearest).abs() > 0.3 {
            versions.push(if guess > nearest { nearest + 1.0 } else { nearest - 1.0 });
        }
        let mut best: Option<(f32, Grid)> = None;
        for version in versions {
            if !(1.0..=MAX_VERSION as f32).contains(&version) {
                continue;
            }
            let layout = Layout::of(version as usize)?;
            let Some(grid) = Grid::through(trio, layout) else { continue };
            self.work += layout.size * layout.size;
            let level = self.level(&grid);
            if !grid.is_sound(level)
                || grid.glance(level).agreement(layout) < AT_FIRST[usize::from(layout.version >= version::FIRST)]
            {
                continue;
            }
            self.work += FIT * layout.size * layout.size;
            let level = self.level(&grid);
            let grid = known_fitted(level, grid, 3);
            let score = grid.glance(level).agreement(layout);
            if grid.is_sound(level) && best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, grid));
            }
        }
        best.filter(|(score, _)| *score > AGREEMENT)
    }
}

/// The level on which a module has between two and four and a half pixels.
fn level_for(levels: &[Level<'_>], module: f32) -> usize {
    levels.iter().rposition(|level| module / level.scale >= 2.2).unwrap_or(0)
}

/// Places tried for the fourth corner, each way, and their distance in modules.
const CORNERS: i32 = 4;
const CORNER_STEP: f32 = 0.55;
/// Grids that are followed further.
const HYPOTHESES: usize = 3;

/// Grids whose fourth corner, which has no finder pattern, lies elsewhere: those on which modules are clearest.
fn hypotheses(level: &Level<'_>, grid: &Grid) -> Vec<Grid> {
    let mut hypotheses: Vec<(f32, [i32; 2], Grid)> = Vec::new();
    for u in -CORNERS..=CORNERS {
        for v in -CORNERS..=CORNERS {
            let Some(bent) = grid.bent(u as f32 * CORNER_STEP, v as f32 * CORNER_STEP) else { continue };
            let clearness = bent.glance(level).clearness(grid.layout);
            hypotheses.push((clearness, [u, v], bent));
        }
    }
    hypotheses.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut apart: Vec<([i32; 2], Grid)> = Vec::new();
    for (_, [u, v], grid) in hypotheses {
        if apart.len() < HYPOTHESES && apart.iter().all(|([a, b], _)| (a - u).abs().max((b - v).abs()) > 1) {
            apart.push(([u, v], grid));
        }
    }
    apart.into_iter().map(|(_, grid)| grid).collect()
}

/// The grid moved to where the modules as they look are clearest.
fn followed(level: &Level<'_>, mut grid: Grid, rounds: usize) -> Grid {
    for _ in 0..rounds {
        let view = grid.look(level);
        let model = view.model(grid.layout, true);
        match grid.moved(&view, &model) {
            Some(moved) => grid = moved,
            None => break,
        }
    }
    grid
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
