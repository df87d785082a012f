//! Pages of text and rectangles, and the PDF they make. Lengths are points (1/72 inch) from the top left.

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use ttf_parser::Face;

use super::{ReportError, font};

/// A4.
pub(super) const WIDTH: f32 = 595.0;
pub(super) const HEIGHT: f32 = 842.0;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// Which end of a text stands at its `x`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Left,
    Middle,
    Right,
}

#[derive(Clone, Copy)]
pub(super) struct Style {
    pub(super) size: f32,
    pub(super) weight: Weight,
    pub(super) color: u32,
}

enum Op {
    Text { x: f32, baseline: f32, text: String, style: Style },
    Block { x: f32, y: f32, width: f32, height: f32, radius: f32, color: u32 },
}

struct Typeface {
    font: Font,
    face: Face<'static>,
}

impl Typeface {
    fn new(bytes: &'static [u8]) -> Result<Self, ReportError> {
        let unreadable = || ReportError::Pdf("a bundled font cannot be read".to_owned());
        let font = Font::new(bytes.into(), 0).ok_or_else(unreadable)?;
        let face = Face::parse(bytes, 0).map_err(|_| unreadable())?;
        Ok(Self { font, face })
    }

    /// The text's glyphs; what the font lacks shows as its empty box.
    fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let em = f32::from(self.face.units_per_em());
        text.char_indices()
            .map(|(at, c)| {
                let id = self.face.glyph_index(c).unwrap_or_default();
                let advance = f32::from(self.face.glyph_hor_advance(id).unwrap_or_default()) / em;
                let range = at..at + c.len_utf8();
                KrillaGlyph::new(GlyphId::new(u32::from(id.0)), advance, 0.0, 0.0, 0.0, range, None)
            })
            .collect()
    }
}

/// Pages under way.
pub(super) struct Pages {
    regular: Typeface,
    bold: Typeface,
    pages: Vec<Vec<Op>>,
}

impl Pages {
    pub(super) fn new() -> Result<Self, ReportError> {
        let (regular, bold) = (Typeface::new(font::REGULAR)?, Typeface::new(font::BOLD)?);
        Ok(Self { regular, bold, pages: vec![Vec::new()] })
    }

    pub(super) fn begin_page(&mut self) {
        self.pages.push(Vec::new());
    }

    pub(super) fn count(&self) -> usize {
        self.pages.len()
    }

    fn typeface(&self, weight: Weight) -> &Typeface {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    pub(super) fn width(&self, text: &str, style: Style) -> f32 {
        self.typeface(style.weight).glyphs(text).iter().map(|glyph| glyph.x_advance * style.size).sum()
    }

    /// The text, or as much of it as fits into `room` with an ellipsis.
    pub(super) fn fitted(&self, text: &str, style: Style, room: f32) -> String {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if self.width(&text, style) <= room {
            return text;
        }
        let mut kept = text;
        while kept.pop().is_some() && self.width(&kept, style) + self.width("…", style) > room {}
        kept.trim_end().to_owned() + "…"
    }

    /// Writes onto the last page.
    pub(super) fn text(&mut self, x: f32, baseline: f32, text: &str, style: Style, anchor: Anchor) {
        let page = self.count() - 1;
        self.text_on(page, x, baseline, text, style, anchor);
    }

    pub(super) fn text_on(&mut self, page: usize, x: f32, baseline: f32, text: &str, style: Style, anchor: Anchor) {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let x = match anchor {
            Anchor::Left => x,
            Anchor::Middle => x - self.width(&text, style) / 2.0,
            Anchor::Right => x - self.width(&text, style),
        };
        if let Some(page) = self.pages.get_mut(page) {
            page.push(Op::Text { x, baseline, text, style });
        }
    }

    /// A filled rectangle on the last page.
    pub(super) fn block(&mut self, x: f32, y: f32, width: f32, height: f32, radius: f32, color: u32) {
        if let Some(page) = self.pages.last_mut() {
            page.push(Op::Block { x, y, width, height, radius, color });
        }
    }

    pub(super) fn finish(self, title: &str, language: &str) -> Result<Vec<u8>, ReportError> {
        let mut document = Document::new();
        document.set_metadata(
            Metadata::new().title(title.to_owned()).language(language.to_owned()).creator("Scantill".to_owned()),
        );
        let settings =
            PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| ReportError::Pdf("the page has no size".to_owned()))?;
        for ops in &self.pages {
            let mut page = document.start_page_with(settings.clone());
            let mut surface = page.surface();
            for op in ops {
                self.draw(&mut surface, op);
            }
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|error| ReportError::Pdf(format!("{error:?}")))
    }

    fn draw(&self, surface: &mut Surface<'_>, op: &Op) {
        match op {
            Op::Text { x, baseline, text, style } => {
                let typeface = self.typeface(style.weight);
                surface.set_fill(Some(fill(style.color)));
                let glyphs = typeface.glyphs(text);
                let start = Point::from_xy(*x, *baseline);
                surface.draw_glyphs(start, &glyphs, typeface.font.clone(), text, style.size, false);
            }
            Op::Block { x, y, width, height, radius, color } => {
                let mut path = PathBuilder::new();
                let radius = radius.min(width / 2.0).min(height / 2.0);
                if radius > 0.0 {
                    rounded(&mut path, *x, *y, *width, *height, radius);
                } else if let Some(rect) = Rect::from_xywh(*x, *y, *width, *height) {
                    path.push_rect(rect);
                }
                if let Some(path) = path.finish() {
                    surface.set_fill(Some(fill(*color)));
                    surface.draw_path(&path);
                }
            }
        }
    }
}

fn fill(color: u32) -> Fill {
    let [_, red, green, blue] = color.to_be_bytes();
    Fill { paint: rgb::Color::new(red, green, blue).into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

fn rounded(path: &mut PathBuilder, x: f32, y: f32, width: f32, height: f32, radius: f32) {
    /// How far a cubic's handles stand from the corner, for a quarter of a circle.
    const HANDLE: f32 = 0.447_7;
    let (right, bottom, handle) = (x + width, y + height, radius * HANDLE);
    path.move_to(x + radius, y);
    path.line_to(right - radius, y);
    path.cubic_to(right - handle, y, right, y + handle, right, y + radius);
    path.line_to(right, bottom - radius);
    path.cubic_to(right, bottom - handle, right - handle, bottom, right - radius, bottom);
    path.line_to(x + radius, bottom);
    path.cubic_to(x + handle, bottom, x, bottom - handle, x, bottom - radius);
    path.line_to(x, y + radius);
    path.cubic_to(x, y + handle, x + handle, y, x + radius, y);
    path.close();
}
