//! Our own reader of Code 128 (ISO/IEC 15417), for codes at any angle, blurred, dim and noisy.
//!
//! It finds patches of parallel edges, lays each straight along its bars and averages all its rows to one profile, and
//! looks for the row of characters whose blurred waveform is the likeliest to have given that profile.

mod anchor;
mod locate;
mod read;
mod strip;
mod symbology;
mod waveform;

use super::pyramid::{Effort, Pyramid};
use super::symbol::{Format, Symbol, merge};
use locate::Locator;
use read::Tries;
use strip::Strips;

/// Reads Code 128.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    locator: Locator,
    strips: Strips,
    suspects: bool,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { locator: Locator::default(), strips: Strips::default(), suspects: false }
    }

    /// Every Code 128 that is seen in the frame, within bounds that `effort` sets.
    pub(super) fn read(&mut self, pyramid: &Pyramid<'_>, effort: Effort) -> Vec<Symbol> {
        let (regions, tries) = match effort {
            Effort::Quick => (1, Tries { guesses: 3, fits: 1 }),
            Effort::Full => (3, Tries { guesses: 8, fits: 2 }),
        };
        let mut found = Vec::new();
        let regions = self.locator.find(pyramid, regions);
        self.suspects = !regions.is_empty();
        for region in regions {
            let Some(profile) = self.strips.profile(pyramid.full, &region) else { continue };
            let Some(code) = read::read(&profile, tries) else { continue };
            let data = &code.values[..code.values.len() - 1];
            let Some(bytes) = symbology::text(data) else { continue };
            let text = bytes.iter().map(|byte| char::from(*byte)).collect();
            let corners = profile.corners(code.ends[0], code.ends[1]);
            let confidence = (code.explained * (1.0 - (-0.1 * code.margin).exp())).clamp(0.0, 1.0);
            merge(&mut found, [Symbol { format: Format::Code128, text, bytes, corners, confidence }]);
        }
        found
    }

    /// Whether the last frame has something about it that may be a Code 128.
    pub(super) fn suspects(&self) -> bool {
        self.suspects
    }

    /// Forgets earlier frames.
    pub(super) fn forget(&mut self) {}
}
