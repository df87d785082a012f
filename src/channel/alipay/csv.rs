//! The CSV that Alipay writes: `#` lines around a header and rows, fields padded with tabs against spreadsheets that
//! would take long numbers for floats. Pure.

use std::borrow::Cow;

use encoding_rs::{GB18030, UTF_8};

use crate::channel::BillError;

/// UTF-8 (with or without a mark), or GBK; `None` where it is neither.
pub(super) fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    UTF_8
        .decode_without_bom_handling_and_without_replacement(bytes)
        .or_else(|| GB18030.decode_without_bom_handling_and_without_replacement(bytes))
}

/// A file, its lines told apart but its rows not yet split.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    /// The lines that begin with `#`.
    pub notes: Vec<&'a str>,
    /// Row and its line's number.
    pub rows: Vec<(usize, &'a str)>,
    header: Vec<String>,
}

impl<'a> Sheet<'a> {
    pub fn read(text: &'a str) -> Self {
        let (mut notes, mut rows, mut header) = (Vec::new(), Vec::new(), Vec::new());
        for (index, line) in text.lines().enumerate() {
            if line.trim().trim_matches(',').is_empty() {
                continue;
            }
            if line.starts_with('#') {
                notes.push(line);
            } else if header.is_empty() {
                header = split(line).iter().map(|name| plain(name)).collect();
            } else {
                rows.push((index + 1, line));
            }
        }
        Self { notes, rows, header }
    }

    pub const fn has_header(&self) -> bool {
        !self.header.is_empty()
    }

    /// Where the column of that name is; a unit after the name does not count.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|own| own == name)
    }

    /// A row's fields, as many as the header has. Alipay quotes nothing: a comma in a product's name looks like one
    /// more field, and is put back.
    pub fn fields(&self, row: &'a str, number: usize) -> Result<Vec<Cow<'a, str>>, BillError> {
        let mut fields = split(row);
        if fields.len() != self.header.len() {
            // A quotation mark that begins a name and ends nothing.
            fields = row.split(',').map(Cow::Borrowed).collect();
        }
        let surplus = fields.len().saturating_sub(self.header.len());
        if surplus > 0
            && let Some(at) = self.column("商品名称")
        {
            let name: Vec<_> = fields.drain(at..=at + surplus).collect();
            fields.insert(at, Cow::Owned(name.join(",")));
        }
        if fields.len() == self.header.len() {
            Ok(fields)
        } else {
            let (has, needs) = (fields.len(), self.header.len());
            Err(BillError::Damaged(format!("line {number} has {has} fields where the header has {needs}")))
        }
    }
}

/// A column's name without its unit: `订单金额（元）`, `收入金额（+元）`.
fn plain(name: &str) -> String {
    name.split(['（', '(']).next().unwrap_or_default().trim().to_owned()
}

fn split(line: &str) -> Vec<Cow<'_, str>> {
    if !line.contains('"') {
        return line.split(',').map(Cow::Borrowed).collect();
    }
    // One line alone, so that a stray quotation mark cannot swallow the next ones.
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    match reader.records().next() {
        Some(Ok(record)) => record.iter().map(|field| Cow::Owned(field.to_owned())).collect(),
        _ => line.split(',').map(Cow::Borrowed).collect(),
    }
}
