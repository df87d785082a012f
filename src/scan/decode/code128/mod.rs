//! Our own reader of Code 128 (ISO/IEC 15417), for codes at any angle, blurred, dim and noisy.
//!
//! It finds patches of parallel edges, lays each straight along its bars and averages all its rows to one profile, and
//! looks for the row of characters whose blurred waveform is the likeliest to have given that profile.

mod anchor;
mod fit;
mod locate;
mod read;
mod strip;
mod symbology;
mod waveform;

#[cfg(test)]
mod tests;

use super::pyramid::{Effort, Pyramid};
use super::symbol::{Format, Symbol, merge};
use locate::Locator;
use read::{Found, SHORT, Tries};
use strip::{Profile, Strips};

/// A region with this share of the best one's score may be the code instead.
const RIVAL: f32 = 0.8;

/// Reads Code 128.
#[derive(Debug, Clone, Default)]
pub(super) struct Reader {
    locator: Locator,
    strips: Strips,
    suspects: bool,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Every Code 128 that is seen in the frame, within bounds that `effort` sets.
    pub(super) fn read(&mut self, pyramid: &Pyramid<'_>, effort: Effort) -> Vec<Symbol> {
        // The best region deserves the most work.
        let tries: &[Tries] = match effort {
            Effort::Quick => &[Tries { guesses: 3, fits: 2 }],
            Effort::Full => {
                &[Tries { guesses: 8, fits: 5 }, Tries { guesses: 4, fits: 3 }, Tries { guesses: 4, fits: 2 }]
            }
        };
        let mut found = Vec::new();
        let mut read = 0.0;
        let regions = self.locator.find(pyramid, 3);
        let rivals = regions.iter().skip(1).any(|region| region.score > RIVAL * regions[0].score);
        self.suspects = rivals;
        for (region, tries) in regions.into_iter().zip(tries) {
            // Beside a code that was read, only what looks much the same is worth the time.
            if region.score < 0.5 * read {
                break;
            }
            let Some(profile) = self.strips.profile(pyramid.full, &region) else { continue };
            let outcome = read::read(&profile, *tries);
            self.suspects |= outcome.characters >= SHORT;
            let Some(symbol) = outcome.found.and_then(|code| symbol(&code, &profile)) else { continue };
            read = region.score;
            merge(&mut found, [symbol]);
        }
        found
    }

    /// Whether the last frame has something about it that may be a Code 128 long enough for its ends not to be chance, or
    /// more regions that look like bars than were read.
    pub(super) fn suspects(&self) -> bool {
        self.suspects
    }

    /// Forgets earlier frames.
    pub(super) fn forget(&mut self) {
        self.suspects = false;
    }
}

/// What a code says, and where.
fn symbol(code: &Found, profile: &Profile) -> Option<Symbol> {
    let (_, data) = code.values.split_last()?;
    let bytes = symbology::text(data)?;
    let corners = profile.corners(code.ends[0], code.ends[1]);
    let text = bytes.iter().map(|byte| char::from(*byte)).collect();
    let confidence = (code.explained * (1.0 - (-0.1 * code.margin).exp())).clamp(0.0, 1.0);
    Some(Symbol { format: Format::Code128, text, bytes, corners, confidence })
}
