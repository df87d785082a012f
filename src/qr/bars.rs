//! Code 128, as wallets show it above the QR code.

use std::fmt::Write as _;

use rxing::oned::Code128Writer;
use rxing::{BarcodeFormat, Writer};

/// Light modules on each side of the bars (ISO/IEC 15417: ten).
const QUIET_MODULES: usize = 10;

/// A Code 128 as dark and light modules, quiet zones included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bars(Vec<bool>);

impl Bars {
    /// The bars of a text; `None` for one that has none (empty, over 80 characters, or not ASCII).
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let matrix = Code128Writer.encode(text, &BarcodeFormat::CODE_128, 0, 1).ok()?;
        let dark: Vec<bool> = (0..matrix.getWidth()).map(|x| matrix.get(x, 0)).collect();
        let first = dark.iter().position(|dark| *dark)?;
        let last = dark.iter().rposition(|dark| *dark)?;
        let quiet = std::iter::repeat_n(false, QUIET_MODULES);
        Some(Self(quiet.clone().chain(dark.get(first..=last)?.iter().copied()).chain(quiet).collect()))
    }

    /// From left to right: whether the module is dark.
    #[must_use]
    pub fn modules(&self) -> &[bool] {
        &self.0
    }

    /// An SVG file, one unit a module and stretched to whatever box it is put in.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let width = self.0.len();
        let mut path = String::new();
        let mut x = 0;
        while x < width {
            let run = self.0.iter().skip(x).take_while(|dark| **dark).count();
            if run > 0 {
                let _ = write!(path, "M{x} 0h{run}v1h-{run}z");
            }
            x += run.max(1);
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} 1\" preserveAspectRatio=\"none\" \
             shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{width}v1H0z\"/><path d=\"{path}\"/></svg>"
        )
    }
}
