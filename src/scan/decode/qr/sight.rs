//! Symbols in one frame: located at three finder patterns, read, and looked at again where they were not read.

use super::super::symbol::{Format, Symbol};
use super::evidence::Evidence;
use super::finder::Finder;
use super::geometry::distance;
use super::grid::Grid;
use super::group::Trio;
use super::layout::{Layout, MAX_VERSION};
use super::level::{Level, level_for};
use super::version;
use super::words::{self, Depth, Reading};

/// What is seen in one frame.
pub(super) struct Sight<'a> {
    levels: &'a [Level<'a>],
    /// Finder patterns whose symbols were read.
    used: Vec<bool>,
    pub symbols: Vec<Symbol>,
    /// Symbols that were found and not read, and how well each agrees with what is known of it.
    located: Vec<Located>,
    /// Modules looked at so far, each as often as it was.
    work: usize,
}

/// Where no more symbols are located or looked at again.
const WORK: usize = 180_000;
/// What fitting a grid costs for each module, where a glance costs one.
const FIT: usize = 24;

struct Located {
    agreement: f32,
    grid: Grid,
    members: [usize; 3],
}

/// Agreement with the known modules that a symbol must have, at first and once its grid is fitted. The first grid of a
/// large symbol, from [`version::FIRST`] on, may miss much of it.
const AT_FIRST: [f32; 2] = [0.42, 0.2];
const AGREEMENT: f32 = 0.6;

impl<'a> Sight<'a> {
    pub fn new(levels: &'a [Level<'a>], finders: usize) -> Self {
        Self { levels, used: vec![false; finders], symbols: Vec::new(), located: Vec::new(), work: 0 }
    }

    /// So many finder patterns are known now.
    pub fn grow(&mut self, finders: usize) {
        self.used.resize(finders, false);
    }

    /// Looks for symbols at these finder patterns, without much ado.
    pub fn take(&mut self, trios: Vec<Trio>) {
        for trio in trios {
            if self.is_used(trio.members) || self.work > WORK {
                continue;
            }
            let Some((agreement, grid)) = self.locate(&trio) else { continue };
            let level = self.level(&grid);
            // The grid as it is serves nearly always.
            let direct = grid.clone().fitted(level, true, 2);
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

    /// Looks again at what was located, with all that can be tried: at the symbol that agrees best.
    pub fn look_again(&mut self, evidence: &mut Evidence) {
        let located = std::mem::take(&mut self.located);
        let Some(Located { grid, members, .. }) =
            located.into_iter().max_by(|a, b| a.agreement.total_cmp(&b.agreement))
        else {
            return;
        };
        if self.is_used(members) || self.work > WORK {
            return;
        }
        let level = self.level(&grid);
        let mut ways = Vec::new();
        let mut read = None;
        for way in grid.hypotheses(level) {
            let way = way.fitted(level, true, 4);
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
        level_for(self.levels, grid.module())
    }

    /// The grid through three finder patterns, of the version that agrees best.
    fn locate(&mut self, trio: &Trio) -> Option<(f32, Grid)> {
        let guess = (trio.modules - 10.0) / 4.0;
        let nearest = guess.round();
        let mut versions = vec![nearest];
        if nearest >= version::FIRST as f32 {
            let sizes = [&trio.right, &trio.below].map(Finder::module);
            let level = level_for(self.levels, sizes[0].midpoint(sizes[1]));
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
            let grid = grid.fitted(level, false, 3);
            let score = grid.glance(level).agreement(layout);
            if grid.is_sound(level) && best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, grid));
            }
        }
        best.filter(|(score, _)| *score > AGREEMENT)
    }
}
