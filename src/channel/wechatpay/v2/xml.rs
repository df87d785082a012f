//! APIv2's messages: one element, and in it fields that hold text alone. Pure.
//!
//! No entity is expanded but the five that XML names itself, no document type is taken, a field that comes twice is
//! refused (two readers could each believe another), and length, depth and number are bounded.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::escape::partial_escape;
use quick_xml::events::{BytesRef, Event};

/// The longest true message is an order with all its refunds.
const MAX_BYTES: usize = 1 << 20;
const MAX_FIELDS: usize = 1_000;

/// Why a text is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum XmlError {
    #[error("it is too long")]
    TooLong,
    #[error("it is no text in UTF-8")]
    NotText,
    #[error("it is not well-formed XML")]
    Malformed,
    #[error("it has a document type, an instruction or an entity, which no message has")]
    NotPlain,
    #[error("it is not one element with fields of text in it")]
    Shape,
    #[error("a field comes twice in it")]
    Twice,
}

/// A message's fields by their names, in the order that signatures want.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message(BTreeMap<String, String>);

impl Message {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a field in; an empty value is as good as none.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.insert(name.to_owned(), value);
        }
    }

    /// A field; empty where it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// An amount in fen; `None` where it is absent or no whole number.
    pub fn fen(&self, name: &str) -> Option<i64> {
        let text = self.text(name);
        let whole = (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if whole { text.parse().ok() } else { None }
    }

    /// Every field in the order of the names' bytes.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Writes it.
    pub fn to_xml(&self) -> String {
        let mut xml = String::from("<xml>");
        for (name, value) in self.fields() {
            xml.push_str(&format!("<{name}>{}</{name}>", partial_escape(value)));
        }
        xml.push_str("</xml>");
        xml
    }

    /// Reads one.
    pub fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        if bytes.len() > MAX_BYTES {
            return Err(XmlError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotText)?;
        let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        let mut fields = BTreeMap::new();
        let mut place = Place::Before;
        let mut value = String::new();
        loop {
            match reader.read_event().map_err(|_| XmlError::Malformed)? {
                Event::Eof => break,
                Event::Decl(_) if place == Place::Before => {}
                Event::Comment(_) => {}
                Event::Decl(_) | Event::DocType(_) | Event::PI(_) => return Err(XmlError::NotPlain),
                Event::Start(start) => {
                    place = match place {
                        Place::Before => Place::Root,
                        Place::Root if fields.len() < MAX_FIELDS => Place::Field(start.name().0.to_owned()),
                        _ => return Err(XmlError::Shape),
                    };
                    value.clear();
                }
                Event::Empty(empty) => {
                    place = match place {
                        Place::Before => Place::After,
                        Place::Root if fields.len() < MAX_FIELDS => {
                            put(&mut fields, empty.name().0.to_owned(), String::new())?;
                            Place::Root
                        }
                        _ => return Err(XmlError::Shape),
                    };
                }
                Event::End(_) => {
                    place = match place {
                        Place::Field(name) => {
                            put(&mut fields, name, std::mem::take(&mut value))?;
                            Place::Root
                        }
                        Place::Root => Place::After,
                        Place::Before | Place::After => return Err(XmlError::Shape),
                    };
                }
                Event::Text(text) => place.take(&mut value, &text.xml10_content())?,
                Event::CData(data) => place.take(&mut value, &data.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let character = resolved(&reference).ok_or(XmlError::NotPlain)?;
                    place.take(&mut value, character.encode_utf8(&mut [0; 4]))?;
                }
            }
        }
        if place == Place::After { Ok(Self(fields)) } else { Err(XmlError::Shape) }
    }
}

/// Where the reader stands.
#[derive(PartialEq)]
enum Place {
    Before,
    Root,
    Field(String),
    After,
}

impl Place {
    /// Text counts within a field; between fields only white space may stand.
    fn take(&self, value: &mut String, text: &str) -> Result<(), XmlError> {
        match self {
            Self::Field(_) => value.push_str(text),
            _ if text.trim().is_empty() => {}
            _ => return Err(XmlError::Shape),
        }
        Ok(())
    }
}

fn put(fields: &mut BTreeMap<String, String>, name: String, value: String) -> Result<(), XmlError> {
    if fields.insert(name, value).is_some() { Err(XmlError::Twice) } else { Ok(()) }
}

/// The character that `&...;` stands for, by XML's own names and by number.
fn resolved(reference: &BytesRef<'_>) -> Option<char> {
    match reference.as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => reference.resolve_char_ref().ok().flatten(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Message, XmlError> {
        Message::parse(text.as_bytes())
    }

    #[test]
    fn values_come_as_text_or_as_cdata() {
        let message = parse(
            "<?xml version=\"1.0\"?>\n<xml>\n <a><![CDATA[1 < 2 & ]] >]]></a><!-- x -->\n<b>&lt;&#x4E2D;&amp;</b><c/><d></d>\n</xml>\n",
        )
        .unwrap();
        assert_eq!(message.text("a"), "1 < 2 & ]] >");
        assert_eq!((message.text("b"), message.text("c"), message.text("d")), ("<中&", "", ""));
        assert_eq!(message.fields().count(), 4);
    }

    #[test]
    fn nothing_is_expanded_fetched_or_guessed() {
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><v>&b;</v></xml>"#;
        let file = r#"<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><v>&f;</v></xml>"#;
        let deep = format!("<xml>{}", "<a>".repeat(100_000));
        let crowd: String = (0..1_001).map(|index| format!("<f{index}>1</f{index}>")).collect();
        for (text, error) in [
            (bomb, XmlError::NotPlain),
            (file, XmlError::NotPlain),
            ("<xml><v>&nbsp;</v></xml>", XmlError::NotPlain),
            ("<xml><v>&#0;</v></xml>", XmlError::NotPlain),
            ("<xml><?php x?></xml>", XmlError::NotPlain),
            ("<xml><v>1</v><v>2</v></xml>", XmlError::Twice),
            ("<xml><v>1</v><v/></xml>", XmlError::Twice),
            ("<xml><v><w>1</w></v></xml>", XmlError::Shape),
            ("<xml>1</xml>", XmlError::Shape),
            ("<xml></xml><xml></xml>", XmlError::Shape),
            ("<xml></xml>x", XmlError::Shape),
            ("", XmlError::Shape),
            ("<xml><v>1</v>", XmlError::Shape),
            ("<xml><v>1</w></xml>", XmlError::Malformed),
            (deep.as_str(), XmlError::Shape),
            (&format!("<xml>{crowd}</xml>"), XmlError::Shape),
            (&format!("<xml><v>{}</v></xml>", "1".repeat(1 << 20)), XmlError::TooLong),
        ] {
            assert_eq!(parse(text), Err(error), "{}", &text[..text.len().min(80)]);
        }
        assert_eq!(Message::parse(b"<xml><v>\xff</v></xml>"), Err(XmlError::NotText));
    }

    #[test]
    fn fen_are_whole_and_never_below_nothing() {
        let fen = |text: &str| parse(&format!("<xml><v>{text}</v></xml>")).unwrap().fen("v");
        assert_eq!((fen("1234"), fen("0")), (Some(1_234), Some(0)));
        for text in ["", "-1", "+1", "1.0", " 1", "1e3", "9999999999999999", "１"] {
            assert_eq!(fen(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            fields in proptest::collection::btree_map("[a-z][a-z0-9_]{0,20}", "[^\u{0}-\u{8}\u{b}-\u{1f}\u{fffe}\u{ffff}]{1,40}", 0..20),
        ) {
            let message = Message(fields);
            prop_assert_eq!(parse(&message.to_xml()), Ok(message));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text: String) {
            let _ = Message::parse(&bytes);
            let _ = parse(&text);
            let _ = parse(&format!("<xml><a>{text}</a></xml>"));
        }
    }
}
