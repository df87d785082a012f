//! What is seen on a grid: how light each module is, what it is taken for, and under what light.

use super::layout::Layout;

/// Rows of the light zone around a symbol that are looked at.
pub(super) const MARGIN: usize = 2;
/// Samples of a module along each side.
pub(super) const SAMPLES: usize = 2;
/// Modules around one whose brightness is compared.
const NEAR: usize = 4;

/// What is seen on a grid, module by module, with [`MARGIN`] more on each side.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub side: usize,
    /// The samples of each module.
    pub samples: Vec<[f32; SAMPLES * SAMPLES]>,
    /// Their mean.
    pub grey: Vec<f32>,
}

/// What the modules are taken for, and under what light.
#[derive(Debug, Clone)]
pub(super) struct Model {
    /// From -1, dark, to 1, light; 0 where nothing is known.
    pub value: Vec<f32>,
    /// The grey value between dark and light, and how far both are from it.
    pub middle: Vec<f32>,
    pub contrast: Vec<f32>,
}

/// Sums over squares of modules.
struct Boxes {
    side: usize,
    sums: Vec<f64>,
}

impl Boxes {
    fn of(side: usize, value: impl Fn(usize) -> f32) -> Self {
        let mut sums = vec![0.0; (side + 1) * (side + 1)];
        for row in 0..side {
            let mut line = 0.0;
            for column in 0..side {
                line += f64::from(value(row * side + column));
                sums[(row + 1) * (side + 1) + column + 1] = sums[row * (side + 1) + column + 1] + line;
            }
        }
        Self { side, sums }
    }

    /// Over the modules at most `radius` away.
    fn around(&self, at: usize, radius: usize) -> f32 {
        let (row, column) = (at / self.side, at % self.side);
        let bounds = |middle: usize| (middle.saturating_sub(radius), (middle + radius + 1).min(self.side));
        let ((top, bottom), (left, right)) = (bounds(row), bounds(column));
        let sum = |row: usize, column: usize| self.sums[row * (self.side + 1) + column];
        (sum(bottom, right) + sum(top, left) - sum(top, right) - sum(bottom, left)) as f32
    }
}

impl View {
    pub fn empty(side: usize) -> Self {
        Self { side, samples: Vec::new(), grey: Vec::with_capacity(side * side) }
    }

    fn is_margin(&self, at: usize) -> bool {
        let inside = |index: usize| (MARGIN..self.side - MARGIN).contains(&index);
        !(inside(at / self.side) && inside(at % self.side))
    }

    /// What every symbol of this layout has here, the light zone included.
    pub fn known(&self, layout: &Layout, at: usize) -> f32 {
        if self.is_margin(at) {
            return 1.0;
        }
        let (row, column) = (at / self.side - MARGIN, at % self.side - MARGIN);
        f32::from(layout.known[row * layout.size + column])
    }

    /// The known modules; with `guess` the others too, as they look beside their neighbours.
    pub fn model(&self, layout: &Layout, guess: bool) -> Model {
        let count = self.grey.len();
        let mut value: Vec<f32> = (0..count).map(|at| self.known(layout, at)).collect();
        if guess {
            let inside = Boxes::of(self.side, |at| if self.is_margin(at) { 0.0 } else { 1.0 });
            let grey = Boxes::of(self.side, |at| if self.is_margin(at) { 0.0 } else { self.grey[at] });
            let mean: Vec<f32> =
                (0..count).map(|at| grey.around(at, NEAR) / inside.around(at, NEAR).max(1.0)).collect();
            let apart =
                Boxes::of(self.side, |at| if self.is_margin(at) { 0.0 } else { (self.grey[at] - mean[at]).abs() });
            for at in 0..count {
                if value[at] == 0.0 {
                    let spread = apart.around(at, NEAR) / inside.around(at, NEAR).max(1.0);
                    value[at] = ((self.grey[at] - mean[at]) / spread.max(0.5) * 1.4).clamp(-1.0, 1.0);
                }
            }
        }
        self.lit(value)
    }

    /// A model with the light that the picture tells of it: around each module the regression of grey on value, drawn
    /// towards that of the whole symbol where there is little to go by.
    fn lit(&self, value: Vec<f32>) -> Model {
        let weight = |at: usize| if self.is_margin(at) { 0.3 } else { 1.0 } * value[at].abs();
        let boxes = [
            Boxes::of(self.side, weight),
            Boxes::of(self.side, |at| weight(at) * value[at]),
            Boxes::of(self.side, |at| weight(at) * value[at] * value[at]),
            Boxes::of(self.side, |at| weight(at) * self.grey[at]),
            Boxes::of(self.side, |at| weight(at) * self.grey[at] * value[at]),
        ];
        let regression = |[n, x, xx, y, xy]: [f32; 5], prior: [f32; 3]| {
            let [pull, middle, contrast] = prior;
            let (n, xx) = (n + pull, xx + pull);
            let (y, xy) = (y + pull * middle, xy + pull * contrast);
            let determinant = (n * xx - x * x).max(1e-3);
            [(y * xx - xy * x) / determinant, (n * xy - x * y) / determinant]
        };
        let middle_at = self.grey.len() / 2;
        let [middle, contrast] = regression(std::array::from_fn(|b| boxes[b].around(middle_at, self.side)), [0.0; 3]);
        let contrast = contrast.max(1.0);
        let (mut middles, mut contrasts) = (Vec::with_capacity(value.len()), Vec::with_capacity(value.len()));
        for at in 0..value.len() {
            let sums = std::array::from_fn(|b| boxes[b].around(at, NEAR));
            let [here, apart] = regression(sums, [8.0, middle, contrast]);
            middles.push(here);
            contrasts.push(apart.max(0.2 * contrast));
        }
        Model { value, middle: middles, contrast: contrasts }
    }

    /// How clearly the modules are dark or light, and as the layout wants them where it knows, the light rows around the
    /// symbol among them; in grey levels.
    pub fn clearness(&self, layout: &Layout) -> f32 {
        let inside = Boxes::of(self.side, |at| if self.is_margin(at) { 0.0 } else { 1.0 });
        let grey = Boxes::of(self.side, |at| if self.is_margin(at) { 0.0 } else { self.grey[at] });
        // A last row or column without any dark module is not a clear one, it is the light beyond the symbol.
        let last = self.side - MARGIN - 1;
        let line = |step: usize, from: usize| {
            let data = (MARGIN + 9..=last).map(|at| self.grey[from + at * step]);
            data.sum::<f32>() / (last - MARGIN - 8) as f32
        };
        let (row_mean, column_mean) = (line(1, last * self.side), line(self.side, last));
        let mut sum = 0.0;
        for row in MARGIN - 1..=last + 1 {
            for column in MARGIN - 1..=last + 1 {
                let at = row * self.side + column;
                let known = self.known(layout, at);
                let mean = match (row == last, column == last) {
                    (true, _) if known == 0.0 => row_mean,
                    (_, true) if known == 0.0 => column_mean,
                    _ => grey.around(at, NEAR) / inside.around(at, NEAR).max(1.0),
                };
                let apart = self.grey[at] - mean;
                sum += if known == 0.0 { apart.abs() } else { apart * known };
            }
        }
        sum / (layout.size * layout.size) as f32
    }

    /// Correlation of the known modules with what they should be.
    pub fn agreement(&self, layout: &Layout) -> f32 {
        let (mut n, mut x, mut xx, mut y, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for at in 0..self.grey.len() {
            let known = self.known(layout, at);
            if known == 0.0 {
                continue;
            }
            let grey = self.grey[at];
            n += 1.0;
            x += known;
            xx += known * known;
            y += grey;
            yy += grey * grey;
            xy += known * grey;
        }
        (n * xy - x * y) / ((n * xx - x * x) * (n * yy - y * y)).max(1.0).sqrt()
    }
}
