//! Data objects: two digits of id, two digits of length, value. The length counts characters, not bytes.

use super::EmvcoError;

/// The longest value: a length has two digits.
pub(super) const MAX_VALUE: usize = 99;

/// One data object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DataObject<'a> {
    pub id: u8,
    pub value: &'a str,
    /// Where it begins, in bytes.
    pub at: usize,
}

/// Splits a text into its data objects, in their order. An id may not come twice, and a value may not be empty.
pub(super) fn read(text: &str) -> Result<Vec<DataObject<'_>>, EmvcoError> {
    let mut objects: Vec<DataObject<'_>> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let id = two_digits(rest).ok_or(EmvcoError::NotTlv { at })?;
        let length = rest.get(2..).and_then(two_digits).ok_or(EmvcoError::NotTlv { at: at + 2 })?;
        let value = rest.get(4..).unwrap_or_default();
        let end = match value.char_indices().nth(usize::from(length)) {
            Some((end, _)) => end,
            None if value.chars().count() == usize::from(length) => value.len(),
            None => return Err(EmvcoError::Truncated { id }),
        };
        let value = value.get(..end).filter(|value| !value.is_empty()).ok_or(EmvcoError::Empty { id })?;
        if objects.iter().any(|object| object.id == id) {
            return Err(EmvcoError::Repeated { id });
        }
        objects.push(DataObject { id, value, at });
        at += 4 + end;
    }
    Ok(objects)
}

/// Adds one data object to `text`.
pub(super) fn write(text: &mut String, id: u8, value: &str) -> Result<(), EmvcoError> {
    let length = value.chars().count();
    match length {
        0 => Err(EmvcoError::Empty { id }),
        1..=MAX_VALUE if id <= 99 => {
            text.push_str(&format!("{id:02}{length:02}{value}"));
            Ok(())
        }
        _ => Err(EmvcoError::TooLong { id, characters: length, limit: MAX_VALUE }),
    }
}

fn two_digits(text: &str) -> Option<u8> {
    text.get(..2).filter(|two| two.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}
