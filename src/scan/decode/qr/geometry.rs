//! Plane geometry: points, projective maps, and the linear equations behind them.

/// A point or a vector.
pub(super) type Point = [f32; 2];

pub(super) fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

pub(super) fn length(a: Point) -> f32 {
    a[0].hypot(a[1])
}

pub(super) fn distance(a: Point, b: Point) -> f32 {
    length(sub(a, b))
}

/// Positive where `b` lies clockwise from `a` in a picture whose rows go down.
pub(super) fn cross(a: Point, b: Point) -> f32 {
    a[0] * b[1] - a[1] * b[0]
}

/// A projective map of the plane, row by row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Projection(pub [f64; 9]);

impl Projection {
    pub fn apply(&self, x: f32, y: f32) -> Point {
        let (h, x, y) = (&self.0, f64::from(x), f64::from(y));
        let depth = h[6] * x + h[7] * y + h[8];
        let depth = if depth.abs() < 1e-9 { 1e-9 } else { depth };
        [((h[0] * x + h[1] * y + h[2]) / depth) as f32, ((h[3] * x + h[4] * y + h[5]) / depth) as f32]
    }

    /// First `inner`, then this one.
    pub fn after(&self, inner: &Self) -> Self {
        let (a, b) = (&self.0, &inner.0);
        let mut product = std::array::from_fn(|at| (0..3).map(|k| a[at / 3 * 3 + k] * b[k * 3 + at % 3]).sum::<f64>());
        let scale = product[8];
        if scale.abs() > 1e-12 {
            product = product.map(|value| value / scale);
        }
        Self(product)
    }

    pub fn inverse(&self) -> Option<Self> {
        let h = &self.0;
        let minor = |a: usize, b: usize, c: usize, d: usize| h[a] * h[d] - h[b] * h[c];
        let adjugate = [
            minor(4, 5, 7, 8),
            -minor(1, 2, 7, 8),
            minor(1, 2, 4, 5),
            -minor(3, 5, 6, 8),
            minor(0, 2, 6, 8),
            -minor(0, 2, 3, 5),
            minor(3, 4, 6, 7),
            -minor(0, 1, 6, 7),
            minor(0, 1, 3, 4),
        ];
        let determinant = h[0] * adjugate[0] + h[1] * adjugate[3] + h[2] * adjugate[6];
        (determinant.abs() > 1e-12).then(|| Self(adjugate.map(|value| value / determinant)))
    }

    /// The map that brings each first point closest to its second one (least squares), at least four pairs.
    pub fn through(pairs: &[(Point, Point)]) -> Option<Self> {
        // Numbers around 1 keep the equations well behaved.
        let size = pairs.iter().flat_map(|pair| pair.1).fold(1.0_f32, |most, value| most.max(value.abs()));
        let scale = f64::from(size);
        let mut equations = Equations::<8>::new();
        for (from, to) in pairs {
            let [x, y] = from.map(f64::from);
            let [u, v] = to.map(|value| f64::from(value) / scale);
            equations.add([x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y], u, 1.0);
            equations.add([0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y], v, 1.0);
        }
        let h = equations.solve(0.0)?;
        let [a, b, c, d, e, f] = [h[0], h[1], h[2], h[3], h[4], h[5]].map(|value| value * scale);
        Some(Self([a, b, c, d, e, f, h[6], h[7], 1.0]))
    }
}

/// Least squares over `N` unknowns, gathered equation by equation.
#[derive(Debug, Clone)]
pub(super) struct Equations<const N: usize> {
    normal: [[f64; N]; N],
    right: [f64; N],
}

impl<const N: usize> Equations<N> {
    pub fn new() -> Self {
        Self { normal: [[0.0; N]; N], right: [0.0; N] }
    }

    /// `row` times the unknowns is `value`, taken `weight` times.
    pub fn add(&mut self, row: [f64; N], value: f64, weight: f64) {
        for (at, coefficient) in row.iter().enumerate() {
            let weighted = coefficient * weight;
            for (sum, other) in self.normal[at][..=at].iter_mut().zip(&row) {
                *sum += weighted * other;
            }
            self.right[at] += weighted * value;
        }
    }

    /// What was gathered in single precision.
    pub fn gather(&mut self, sums: &Sums<N>) {
        for at in 0..N {
            for other in 0..=at {
                self.normal[at][other] += f64::from(sums.normal[at][other]);
            }
            self.right[at] += f64::from(sums.right[at]);
        }
    }

    /// Another right-hand side of the normal equations.
    pub fn right_hand(&mut self, right: [f64; N]) {
        self.right = right;
    }

    /// The unknowns, drawn towards 0 by `ridge` parts of each one's own weight; `None` where they are not determined.
    pub fn solve(mut self, ridge: f64) -> Option<[f64; N]> {
        // Cholesky: the normal matrix becomes its lower triangular root.
        for at in 0..N {
            let own = self.normal[at][at];
            for other in 0..=at {
                let mut sum = self.normal[at][other];
                for k in 0..other {
                    sum -= self.normal[at][k] * self.normal[other][k];
                }
                if other == at {
                    sum += ridge * own;
                    if !(sum > own * 1e-12 && sum > 0.0) {
                        return None;
                    }
                    self.normal[at][at] = sum.sqrt();
                } else {
                    self.normal[at][other] = sum / self.normal[other][other];
                }
            }
        }
        let mut solution = self.right;
        for at in 0..N {
            for k in 0..at {
                solution[at] -= self.normal[at][k] * solution[k];
            }
            solution[at] /= self.normal[at][at];
        }
        for at in (0..N).rev() {
            for k in at + 1..N {
                solution[at] -= self.normal[k][at] * solution[k];
            }
            solution[at] /= self.normal[at][at];
        }
        solution.iter().all(|value| value.is_finite()).then_some(solution)
    }
}

/// A few equations' part of [`Equations`], in single precision and with no triangle left out: much faster.
#[derive(Debug, Clone)]
pub(super) struct Sums<const N: usize> {
    normal: [[f32; N]; N],
    right: [f32; N],
}

impl<const N: usize> Sums<N> {
    pub fn new() -> Self {
        Self { normal: [[0.0; N]; N], right: [0.0; N] }
    }

    pub fn add(&mut self, row: &[f32; N], value: f32, weight: f32) {
        let value = value * weight;
        for ((sums, right), coefficient) in self.normal.iter_mut().zip(&mut self.right).zip(row) {
            let weighted = coefficient * weight;
            for (sum, other) in sums.iter_mut().zip(row) {
                *sum += weighted * other;
            }
            *right += coefficient * value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projection_goes_through_its_points_and_back() {
        let pairs = [
            ([0.0, 0.0], [10.0, 20.0]),
            ([21.0, 0.0], [110.0, 25.0]),
            ([21.0, 21.0], [100.0, 140.0]),
            ([0.0, 21.0], [5.0, 120.0]),
        ];
        let there = Projection::through(&pairs).unwrap();
        let back = there.inverse().unwrap();
        for (from, to) in pairs {
            assert!(distance(there.apply(from[0], from[1]), to) < 1e-2);
            assert!(distance(back.apply(to[0], to[1]), from) < 1e-2);
            assert!(distance(back.after(&there).apply(from[0], from[1]), from) < 1e-3);
        }
        assert!(Projection::through(&[([0.0, 0.0], [1.0, 1.0]); 4]).is_none());
    }
}
