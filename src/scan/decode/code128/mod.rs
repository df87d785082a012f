//! Our own reader of Code 128.

use super::pyramid::{Effort, Pyramid};
use super::symbol::Symbol;
use crate::scan::GreyFrame;

/// Reads Code 128.
#[derive(Debug, Clone)]
pub(super) struct Reader {}

impl Reader {
    pub(super) fn new() -> Self {
        Self {}
    }

    /// Every Code 128 that is seen in the frame, within bounds that `effort` sets.
    pub(super) fn read(&mut self, pyramid: &Pyramid<'_>, _effort: Effort) -> Vec<Symbol> {
        let _sizes = [pyramid.full, &pyramid.half, &pyramid.quarter].map(GreyFrame::width);
        Vec::new()
    }

    /// Forgets earlier frames.
    pub(super) fn forget(&mut self) {}
}
