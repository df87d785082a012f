//! The fields of a message: reading an answer's text, and the text that is signed. Pure.

use std::collections::BTreeMap;

/// No message of the gateway's has more fields.
const MAX_FIELDS: usize = 200;

/// The fields of a message by name, in the order in which they are signed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(BTreeMap<String, String>);

/// Answers are `k=v&k=v` and nothing in them is escaped, so how they are read is a matter of judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// As the gateway's own SDKs do: what stands in `{}` or `[]` is one value, whatever is in it.
    Grouped,
    /// Every `&` ends a value. Right where a bracket in some message is never closed.
    Plain,
}

impl Fields {
    /// Every way in which an answer can be read, the likeliest first: the signature tells which is right.
    pub fn of_answer(text: &str) -> Vec<Self> {
        let text = text.trim_matches(['\r', '\n', '\u{feff}']);
        let mut readings: Vec<_> =
            [Reading::Grouped, Reading::Plain].into_iter().filter_map(|reading| Self::read(text, reading)).collect();
        readings.dedup();
        readings
    }

    fn read(text: &str, reading: Reading) -> Option<Self> {
        let mut fields = BTreeMap::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=')?;
            let end = value_ends(after, reading);
            let value = after.get(..end)?;
            // The `&` itself.
            rest = after.get(end..)?.strip_prefix('&').unwrap_or_default();
            let odd = name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            // A field that comes twice would let one value be signed and another be read.
            if odd || fields.len() == MAX_FIELDS || fields.insert(name.to_owned(), value.to_owned()).is_some() {
                return None;
            }
        }
        (!fields.is_empty()).then_some(Self(fields))
    }

    /// The fields of a form (a notification), already decoded. `None` where one comes twice.
    pub fn of_form(pairs: Vec<(String, String)>) -> Option<Self> {
        if pairs.is_empty() || pairs.len() > MAX_FIELDS {
            return None;
        }
        let mut fields = BTreeMap::new();
        for (name, value) in pairs {
            if fields.insert(name, value).is_some() {
                return None;
            }
        }
        Some(Self(fields))
    }

    /// The field's text; empty where it is absent.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The field's text where it has one.
    pub fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|text| !text.is_empty())
    }

    /// What is signed: every field but the signature, sorted by name, `k=v` joined by `&`.
    pub fn signed_text(&self, keep_empty: bool) -> String {
        signed_text(self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())), keep_empty)
    }

    /// What the gateway said, for a person.
    pub fn words(&self) -> String {
        let said = [self.get("respCode"), self.get("respMsg"), self.get("origRespCode"), self.get("origRespMsg")];
        let said: Vec<_> = said.into_iter().filter(|part| !part.is_empty()).collect();
        format!("UnionPay answered {}", said.join(" "))
    }
}

/// Joins fields, which come sorted by name.
pub(super) fn signed_text<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>, keep_empty: bool) -> String {
    let mut text = String::new();
    for (name, value) in fields.filter(|(name, value)| *name != "signature" && (keep_empty || !value.is_empty())) {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

/// Where a value ends: at the `&` that stands in no group, or with the text.
fn value_ends(text: &str, reading: Reading) -> usize {
    let mut closing = None;
    for (at, c) in text.char_indices() {
        match (closing, c) {
            (Some(close), c) if c == close => closing = None,
            (None, '{') if reading == Reading::Grouped => closing = Some('}'),
            (None, '[') if reading == Reading::Grouped => closing = Some(']'),
            (None, '&') => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn first(text: &str) -> Fields {
        Fields::of_answer(text).remove(0)
    }

    #[test]
    fn values_keep_their_equals_signs_line_ends_and_groups() {
        let text =
            "signature=ab+/c==&respMsg=成功[0000000]&reserved={a=1&b={2}&empty=&cert=-----BEGIN-----\r\nMII=\r\n";
        let fields = first(text);
        assert_eq!(fields.get("signature"), "ab+/c==");
        assert_eq!(fields.get("reserved"), "{a=1&b={2}");
        assert_eq!(fields.get("cert"), "-----BEGIN-----\r\nMII=");
        assert_eq!(
            fields.signed_text(true),
            "cert=-----BEGIN-----\r\nMII=&empty=&reserved={a=1&b={2}&respMsg=成功[0000000]"
        );
        assert_eq!(fields.some("empty"), None);
        assert!(!fields.signed_text(false).contains("empty"));
    }

    #[test]
    fn a_bracket_that_never_closes_does_not_swallow_the_rest() {
        let readings = Fields::of_answer("respMsg=bad {field&signature=x");
        assert_eq!(readings.len(), 2);
        assert_eq!((readings[0].get("signature"), readings[1].get("signature")), ("", "x"));
        assert_eq!(readings[1].get("respMsg"), "bad {field");
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for text in ["", "\r\n", "ok", "<html><body a=b>", "a=1&a=2", "=1", "a=1&&b=2", "a=1&b"] {
            assert_eq!(Fields::of_answer(text), [], "{text}");
        }
        assert_eq!(Fields::of_form(vec![("a".into(), "1".into()), ("a".into(), "1".into())]), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_is_read_is_what_stands_there(text in "([a-z]{1,3}=[^&]{0,5}&?|\\PC{0,4}){0,12}") {
            for fields in Fields::of_answer(&text) {
                for (name, value) in &fields.0 {
                    let pair = format!("{name}={value}");
                    prop_assert!(text.contains(&pair), "{}", pair);
                }
            }
        }

        #[test]
        fn joined_fields_are_read_again(fields in proptest::collection::btree_map("[a-zA-Z0-9]{1,8}", "[^&{}\\[\\]\r\n\u{feff}]{0,12}", 1..12)) {
            let text = signed_text(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())), true);
            prop_assume!(!fields.contains_key("signature"));
            prop_assert_eq!(first(&text).0, fields);
        }
    }
}
