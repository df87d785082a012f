//! Three finder patterns that can be the corners of one symbol.

use super::finder::Finder;
use super::geometry::{Point, cross, length, sub};

/// The finder patterns of a symbol, each with its first axis along the symbol's rows and its second one along the columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trio {
    pub corner: Finder,
    pub right: Finder,
    pub below: Finder,
    /// Their places among the finders that were given.
    pub members: [usize; 3],
    /// Modules between the centres, as far as the patterns' own sizes tell.
    pub modules: f32,
    /// How well they fit together; the best are 3.
    pub score: f32,
}

/// Centres of a version 1 symbol's patterns are 14 modules apart, those of a version 40 symbol 170; sizes of patterns are
/// some percent wrong.
const MODULES: std::ops::Range<f32> = 11.5..195.0;
/// How far the line to the next pattern may leave a pattern's own axis.
const SKEW: f32 = 0.25;
/// How far the two sides may differ (logarithm).
const UNEVEN: f32 = 0.25;

/// All sets of three that fit together, the best first.
pub(super) fn trios(finders: &[Finder], most: usize) -> Vec<Trio> {
    let mut trios = Vec::new();
    for (a, corner) in finders.iter().enumerate() {
        for (b, one) in finders.iter().enumerate() {
            for (c, other) in finders.iter().enumerate().skip(b + 1) {
                if a != b && a != c {
                    trios.extend(trio([corner, one, other], [a, b, c]));
                }
            }
        }
    }
    trios.sort_by(|a, b| b.score.total_cmp(&a.score));
    trios.truncate(most);
    trios
}

fn trio([corner, one, other]: [&Finder; 3], [a, b, c]: [usize; 3]) -> Option<Trio> {
    let (to_one, to_other) = (sub(one.centre, corner.centre), sub(other.centre, corner.centre));
    let (right, below, members) =
        if cross(to_one, to_other) > 0.0 { (one, other, [a, b, c]) } else { (other, one, [a, c, b]) };
    let rows = sub(right.centre, corner.centre);
    let columns = sub(below.centre, corner.centre);
    let sides = [length(rows), length(columns)];
    let sizes = [corner, right, below].map(Finder::module);
    let (largest, smallest) =
        (sizes.iter().fold(0.0_f32, |a, b| a.max(*b)), sizes.iter().fold(f32::MAX, |a, b| a.min(*b)));
    if largest > 2.2 * smallest || sides[0].max(sides[1]) > 3.0 * sides[0].min(sides[1]) {
        return None;
    }
    let [corner, right, below] = [corner, right, below].map(|finder| turned(finder, rows, columns));
    let along = |finder: &Finder, vector: Point, axis: usize| {
        let steps = finder.steps(vector);
        let skew = (steps[1 - axis] / steps[axis]).abs();
        (skew < SKEW && steps[axis] > 0.0).then_some((steps[axis], skew))
    };
    let (a, b) = (along(&corner, rows, 0)?, along(&right, rows, 0)?);
    let (c, d) = (along(&corner, columns, 1)?, along(&below, columns, 1)?);
    // Along a line in perspective the length in modules follows from the geometric mean of the sizes at its ends.
    let (wide, high) = ((a.0 * b.0).sqrt(), (c.0 * d.0).sqrt());
    let uneven = (wide / high).ln().abs();
    if uneven > UNEVEN || !MODULES.contains(&wide) || !MODULES.contains(&high) {
        return None;
    }
    let skew = a.1 + b.1 + c.1 + d.1;
    let score = corner.score + right.score + below.score - skew - 2.0 * uneven;
    Some(Trio { corner, right, below, members, modules: (wide * high).sqrt(), score })
}

/// The same pattern, its axes named and directed after the symbol's rows and columns.
fn turned(finder: &Finder, rows: Point, columns: Point) -> Finder {
    let [p, q] = finder.steps(rows);
    let [first, second] = finder.axes;
    let (row, column) = if p.abs() >= q.abs() { (first, second) } else { (second, first) };
    let turned = Finder { axes: [row, column], ..*finder };
    let signs = [turned.steps(rows)[0], turned.steps(columns)[1]].map(f32::signum);
    Finder { axes: [row.map(|value| value * signs[0]), column.map(|value| value * signs[1])], ..turned }
}
