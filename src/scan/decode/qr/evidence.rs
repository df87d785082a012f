//! Soft modules of symbols that were found and not read, summed over the frames of a stream: what one frame's noise hides
//! another one's does not.

use super::geometry::distance;
use super::grid::Grid;
use super::layout::Layout;

/// Symbols that are remembered, and calls after which one is forgotten that was not seen again.
const KEPT: usize = 2;
const PATIENCE: usize = 12;
/// How far a corner may have moved, in parts of the symbol's side.
const MOVED: f32 = 0.5;
/// Least correlation of the new values with those before.
const LIKENESS: f32 = 0.25;

/// Symbols that were not read yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    kept: Vec<Kept>,
}

#[derive(Debug, Clone)]
struct Kept {
    grid: Grid,
    /// Sums of values, one for each way in which the symbol may lie.
    sums: Vec<Vec<f32>>,
    frames: usize,
    unseen: usize,
}

impl Evidence {
    /// A new frame begins.
    pub fn next_frame(&mut self) {
        for kept in &mut self.kept {
            kept.unseen += 1;
        }
        self.kept.retain(|kept| kept.unseen <= PATIENCE);
    }

    /// Takes what was seen of a symbol on this grid, in one or more ways, and gives the mean over all frames where it was
    /// seen before.
    pub fn add(&mut self, grid: &Grid, ways: Vec<Vec<f32>>) -> Option<Vec<f32>> {
        if ways.is_empty() {
            return None;
        }
        let place = self.kept.iter().position(|kept| is_near(&kept.grid, grid));
        let Some(place) = place else {
            self.kept.truncate(KEPT - 1);
            self.kept.insert(0, Kept { grid: grid.clone(), sums: ways, frames: 1, unseen: 0 });
            return None;
        };
        let kept = &mut self.kept[place];
        kept.grid = grid.clone();
        kept.unseen = 0;
        let pairs =
            kept.sums.iter().flat_map(|sum| ways.iter().map(move |way| (likeness(grid.layout, sum, way), sum, way)));
        let (most, sum, way) = pairs.max_by(|a, b| a.0.total_cmp(&b.0))?;
        if most < LIKENESS {
            kept.sums = ways;
            kept.frames = 1;
            return None;
        }
        let sum: Vec<f32> = sum.iter().zip(way).map(|(a, b)| a + b).collect();
        kept.frames += 1;
        let mean = sum.iter().map(|value| value / kept.frames as f32).collect();
        kept.sums = vec![sum];
        Some(mean)
    }

    /// A symbol that was read is no longer waited for.
    pub fn read(&mut self, grid: &Grid) {
        self.kept.retain(|kept| !is_near(&kept.grid, grid));
    }

    pub fn forget(&mut self) {
        self.kept.clear();
    }
}

fn is_near(one: &Grid, other: &Grid) -> bool {
    let side = one.module() * one.layout.size as f32;
    let moved = one.corners().into_iter().zip(other.corners()).map(|(a, b)| distance(a, b)).fold(0.0, f32::max);
    one.layout.version == other.layout.version && moved < MOVED * side
}

/// Correlation over the modules that differ from symbol to symbol.
fn likeness(layout: &Layout, a: &[f32], b: &[f32]) -> f32 {
    let (mut ab, mut aa, mut bb) = (0.0, 1e-6, 1e-6);
    for ((a, b), _) in a.iter().zip(b).zip(&layout.known).filter(|(_, known)| **known == 0) {
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    ab / f32::sqrt(aa * bb)
}

#[cfg(test)]
mod tests {
    use super::super::geometry::Projection;
    use super::*;

    fn grid(left: f64) -> Grid {
        let map = Projection([50.0, 0.0, left + 50.0, 0.0, 50.0, 60.0, 0.0, 0.0, 1.0]);
        Grid { layout: Layout::of(1).unwrap(), map }
    }

    fn values(period: usize) -> Vec<f32> {
        (0..441).map(|at| if at * at / 7 % period < period / 2 { 0.5 } else { -0.5 }).collect()
    }

    #[test]
    fn what_was_seen_before_counts_where_it_is_the_same_symbol() {
        let mut evidence = Evidence::default();
        assert_eq!(evidence.add(&grid(0.0), vec![values(8), values(6)]), None, "nothing before");
        assert_eq!(evidence.add(&grid(4.0), vec![values(6)]), Some(values(6)), "the way that fits");
        assert_eq!(evidence.add(&grid(300.0), vec![values(6)]), None, "another place");
        assert_eq!(
            evidence.add(&grid(4.0), vec![values(6).iter().map(|value| -value).collect()]),
            None,
            "another text"
        );
        evidence.forget();
        assert_eq!(evidence.add(&grid(300.0), vec![values(6)]), None, "forgotten");
        for _ in 0..=PATIENCE {
            evidence.next_frame();
        }
        assert_eq!(evidence.add(&grid(300.0), vec![values(6)]), None, "long ago");
    }
}
