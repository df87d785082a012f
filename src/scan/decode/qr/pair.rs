//! Where two finder patterns of a symbol are seen and the third is not: looking for it where it must be, with less to go
//! by.

use super::finder::{Finder, fit, likeness};
use super::geometry::{Point, distance, sub};
use super::level::{Level, level_for};

/// The clearest patterns that are paired, and pairs that are completed.
const PATTERNS: usize = 6;
const PAIRS: usize = 4;
/// Least likeness of a third pattern.
const LIKENESS: f32 = 0.42;
/// How far from its likely place it is looked for, in modules.
const REACH: i32 = 3;

/// Third patterns of pairs.
pub(super) fn thirds(levels: &[Level<'_>], finders: &[Finder]) -> Vec<Finder> {
    let mut thirds = Vec::new();
    let mut pairs = 0;
    let best = &finders[..finders.len().min(PATTERNS)];
    for (at, one) in best.iter().enumerate() {
        for other in &best[at + 1..] {
            let places = places(one, other);
            if places.is_empty() || pairs == PAIRS {
                continue;
            }
            pairs += 1;
            let level = level_for(levels, one.module().midpoint(other.module()));
            let found = places.into_iter().filter_map(|place| third(level, one, other, place));
            let Some(found) = found.max_by(|a, b| a.score.total_cmp(&b.score)) else { continue };
            if finders.iter().chain(&thirds).all(|known| distance(known.centre, found.centre) > known.module()) {
                thirds.push(found);
            }
        }
    }
    thirds
}

/// Where the third pattern may be.
fn places(one: &Finder, other: &Finder) -> Vec<Point> {
    let sizes = [one.module(), other.module()];
    if sizes[0].max(sizes[1]) > 1.6 * sizes[0].min(sizes[1]) {
        return Vec::new();
    }
    let vector = sub(other.centre, one.centre);
    let (here, there) = (one.steps(vector), other.steps(vector));
    // The modules between them, both ways of the first pattern's axes.
    let scale = (there[0].hypot(there[1]) / here[0].hypot(here[1])).sqrt();
    let [p, q] = here.map(|steps| steps * scale);
    let (long, short) = (p.abs().max(q.abs()), p.abs().min(q.abs()));
    // From version 1 to 6; larger symbols have patterns so large that all three are seen.
    let fits = |steps: f32| {
        let version = ((steps - 10.0) / 4.0).round();
        (1.0..=6.0).contains(&version) && (steps / (10.0 + 4.0 * version) - 1.0).abs() < 0.12
    };
    if short < 0.25 * long && fits(long) {
        let across = |finder: &Finder, steps: Point, sign: f32| {
            if steps[0].abs() > steps[1].abs() { finder.at(0.0, sign * long) } else { finder.at(sign * long, 0.0) }
        };
        return [1.0, -1.0]
            .into_iter()
            .flat_map(|sign| [across(one, here, sign), across(other, there, sign)])
            .collect();
    }
    if short > 0.7 * long && fits(p.abs().midpoint(q.abs())) {
        return vec![one.at(here[0], 0.0), one.at(0.0, here[1])];
    }
    Vec::new()
}

fn third(level: &Level<'_>, one: &Finder, other: &Finder, place: Point) -> Option<Finder> {
    if !level.contains(place) {
        return None;
    }
    // Of the two patterns' shapes the mean; the other one's axes are named as they lie.
    let steps = one.axes.map(|axis| other.steps(axis));
    let axes: [Point; 2] = std::array::from_fn(|at| {
        let [a, b] = other.axes;
        let near = if steps[at][0].abs() > steps[at][1].abs() {
            a.map(|value| value * steps[at][0].signum())
        } else {
            b.map(|value| value * steps[at][1].signum())
        };
        [one.axes[at][0].midpoint(near[0]), one.axes[at][1].midpoint(near[1])]
    });
    let seed = Finder { centre: place, axes, score: 0.0 };
    let mut tries = Vec::new();
    for u in -REACH..=REACH {
        for v in -REACH..=REACH {
            let moved = Finder { centre: seed.at(u as f32 * 0.9, v as f32 * 0.9), ..seed };
            tries.push((likeness(level, &moved), moved));
        }
    }
    let (_, best) = tries.into_iter().max_by(|a, b| a.0.total_cmp(&b.0))?;
    fit(level, best, 5).filter(|finder| finder.score > LIKENESS)
}
