//! Perspective: a rectangle held at an angle.

/// A point of a picture, in pixels.
pub(super) type Point = [f32; 2];

/// From points of the frame to points of a rectangle that is seen in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Warp([[f32; 3]; 3]);

impl Warp {
    /// The rectangle from (0, 0) to (`width`, `height`) is seen with its corners, in turn from the upper left, at `seen`.
    pub(super) fn back(width: f32, height: f32, seen: [Point; 4]) -> Self {
        // Unit square to quadrilateral (Heckbert, 1989), then its adjugate: the inverse but for a factor.
        let [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = seen;
        let (dx1, dx2, sx) = (x1 - x2, x3 - x2, x0 - x1 + x2 - x3);
        let (dy1, dy2, sy) = (y1 - y2, y3 - y2, y0 - y1 + y2 - y3);
        let whole = dx1 * dy2 - dx2 * dy1;
        let (g, h) = ((sx * dy2 - dx2 * sy) / whole, (dx1 * sy - sx * dy1) / whole);
        let [a, b, c] = [x1 - x0 + g * x1, x3 - x0 + h * x3, x0];
        let [d, e, f] = [y1 - y0 + g * y1, y3 - y0 + h * y3, y0];
        Self([
            [(e - f * h) * width, (c * h - b) * width, (b * f - c * e) * width],
            [(f * g - d) * height, (a - c * g) * height, (c * d - a * f) * height],
            [d * h - e * g, b * g - a * h, a * e - b * d],
        ])
    }

    pub(super) fn at(&self, [x, y]: Point) -> Point {
        let [u, v, w] = self.0.map(|[a, b, c]| a * x + b * y + c);
        [u / w, v / w]
    }
}
