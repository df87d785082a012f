//! How dark each module is, with its doubts, once the blur is undone that spills one module's light over its neighbours.

use super::geometry::Equations;
use super::layout::Layout;
use super::view::{MARGIN, Model, View};

/// Weights of a module, of those beside it, above and below it, and across its corners.
#[derive(Debug, Clone, Copy)]
struct Kernel([f32; 4]);

impl Kernel {
    /// Each of the kinds of neighbours summed.
    fn parts(values: &[f32], side: usize, at: usize) -> [f32; 4] {
        let corners = values[at - side - 1] + values[at - side + 1] + values[at + side - 1] + values[at + side + 1];
        [values[at], values[at - 1] + values[at + 1], values[at - side] + values[at + side], corners]
    }

    fn over(&self, values: &[f32], side: usize, at: usize) -> f32 {
        Self::parts(values, side, at).iter().zip(&self.0).map(|(value, weight)| value * weight).sum()
    }

    fn energy(&self) -> f32 {
        let [own, beside, above, across] = self.0.map(|weight| weight * weight);
        own + 2.0 * beside + 2.0 * above + 4.0 * across
    }
}

/// Row by row, without the margin: positive dark, negative light, around 1 where it is clear.
pub(super) fn values(view: &View, model: &Model, layout: &Layout) -> Vec<f32> {
    let side = view.side;
    let seen: Vec<f32> =
        (0..view.grey.len()).map(|at| (view.grey[at] - model.middle[at]) / model.contrast[at]).collect();
    let known: Vec<f32> = (0..seen.len()).map(|at| view.known(layout, at)).collect();
    let inner = |reach: usize| {
        (reach..side - reach).flat_map(move |row| (reach..side - reach).map(move |column| row * side + column))
    };
    // A linear filter that the known modules teach.
    let mut equations = Equations::<5>::new();
    equations.add([1.0, 0.0, 0.0, 0.0, 0.0], 1.0, 4.0);
    for at in 1..5 {
        let mut row = [0.0; 5];
        row[at] = 1.0;
        equations.add(row, 0.0, if at == 4 { 40.0 } else { 8.0 });
    }
    for at in inner(MARGIN - 1).filter(|at| known[*at] != 0.0) {
        let [a, b, c, d] = Kernel::parts(&seen, side, at).map(f64::from);
        equations.add([a, b, c, d, 1.0], f64::from(known[at]), 1.0);
    }
    let Some(filter) = equations.solve(0.0) else { return vec![0.0; layout.size * layout.size] };
    let [a, b, c, d, offset] = filter.map(|value| value as f32);
    let filter = Kernel([a, b, c, d]);
    let mut value = known.clone();
    for at in inner(MARGIN - 1).filter(|at| known[*at] == 0.0) {
        value[at] = (filter.over(&seen, side, at) + offset).clamp(-2.0, 2.0);
    }
    let soft = cleared(&seen, &known, side, &value).unwrap_or(value);
    inner(MARGIN).map(|at| -soft[at]).collect()
}

/// The values once more: what each module's neighbours spill is taken off as far as they are sure, and what it spills
/// itself is gathered. Once; a second time feeds on its own mistakes.
fn cleared(seen: &[f32], known: &[f32], side: usize, first: &[f32]) -> Option<Vec<f32>> {
    let inner = |reach: usize| {
        (reach..side - reach).flat_map(move |row| (reach..side - reach).map(move |column| row * side + column))
    };
    let sure: Vec<f32> = first.iter().map(|value| (1.6 * value).tanh()).collect();
    let mut equations = Equations::<5>::new();
    for at in inner(1) {
        let [a, b, c, d] = Kernel::parts(&sure, side, at).map(f64::from);
        equations.add([a, b, c, d, 1.0], f64::from(seen[at]), f64::from(sure[at].abs()));
    }
    let [a, b, c, d, offset] = equations.solve(1e-3)?.map(|value| value as f32);
    let spill = Kernel([a, b, c, d]);
    let energy = spill.energy();
    if energy < 0.05 {
        return None;
    }
    let mut rest = vec![0.0; seen.len()];
    for at in inner(1) {
        rest[at] = seen[at] - offset - spill.over(&sure, side, at);
    }
    let mut value = first.to_vec();
    for at in inner(MARGIN).filter(|at| known[*at] == 0.0) {
        value[at] = (spill.over(&rest, side, at) / energy + sure[at]).clamp(-2.0, 2.0);
    }
    Some(value)
}
