//! The flat XML that requests and answers are. Pure.
//!
//! Nothing is expanded: a document type is refused, and of the references only characters and the five that XML itself
//! defines are known.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// Names and values of one message.
pub(super) type Fields = BTreeMap<String, String>;

/// No real message is longer.
const MAX_BYTES: usize = 64 << 10;
const MAX_FIELDS: usize = 128;

/// Why a message cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// There is none.
    Empty,
    /// It is not in UTF-8.
    NotUtf8,
    /// It is not well formed, not flat, too long, or declares a document type.
    Xml,
}

/// Reads `<xml><name>value</name>...</xml>`; the last of equal names counts.
pub(super) fn read(body: &[u8]) -> Result<Fields, Malformed> {
    if body.trim_ascii().is_empty() {
        return Err(Malformed::Empty);
    }
    if body.len() > MAX_BYTES {
        return Err(Malformed::Xml);
    }
    let text = std::str::from_utf8(body).map_err(|_| Malformed::NotUtf8)?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut fields = Fields::new();
    let mut place = Place::Outside;
    loop {
        let event = reader.read_event().map_err(|_| Malformed::Xml)?;
        place = match (place, event) {
            (Place::Done, Event::Eof) => return Ok(fields),
            (place, Event::Comment(_) | Event::Decl(_)) => place,
            (place @ (Place::Outside | Place::Root | Place::Done), Event::Text(text))
                if text.xml10_content().trim_ascii().is_empty() =>
            {
                place
            }
            (Place::Outside, Event::Start(start)) if start.name().as_ref() == "xml" => Place::Root,
            (Place::Root, Event::End(_)) => Place::Done,
            (Place::Root, Event::Empty(start)) => {
                keep(&mut fields, start.name().as_ref(), String::new())?;
                Place::Root
            }
            (Place::Root, Event::Start(start)) => {
                Place::Field { name: start.name().as_ref().to_owned(), value: String::new() }
            }
            (Place::Field { name, value }, Event::End(_)) => {
                keep(&mut fields, &name, value)?;
                Place::Root
            }
            (Place::Field { name, mut value }, Event::Text(text)) => {
                value.push_str(&text.xml10_content());
                Place::Field { name, value }
            }
            (Place::Field { name, mut value }, Event::CData(text)) => {
                value.push_str(&text.xml10_content());
                Place::Field { name, value }
            }
            (Place::Field { name, mut value }, Event::GeneralRef(reference)) => {
                value.push(character(&reference)?);
                Place::Field { name, value }
            }
            _ => return Err(Malformed::Xml),
        };
    }
}

/// Where in a message the reader is.
enum Place {
    Outside,
    Root,
    Field { name: String, value: String },
    Done,
}

fn keep(fields: &mut Fields, name: &str, value: String) -> Result<(), Malformed> {
    if fields.len() >= MAX_FIELDS {
        return Err(Malformed::Xml);
    }
    fields.insert(name.to_owned(), value);
    Ok(())
}

fn character(reference: &BytesRef<'_>) -> Result<char, Malformed> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| Malformed::Xml)? {
        return Ok(character);
    }
    match reference.xml10_content().as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(Malformed::Xml),
    }
}

/// Writes a message under a root: every value is character data, as the platform has it.
pub(super) fn write(root: &str, fields: &[(String, String)]) -> String {
    let mut text = format!("<{root}>");
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let value = value.replace("]]>", "]]]]><![CDATA[>");
        text.push_str(&format!("<{name}><![CDATA[{value}]]></{name}>"));
    }
    text.push_str(&format!("\n</{root}>"));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(text: &str) -> Result<String, Malformed> {
        read(text.as_bytes()).map(|fields| fields.get("a").cloned().unwrap_or_default())
    }

    #[test]
    fn values_are_text_character_data_or_nothing() {
        assert_eq!(field("<xml><a>1</a></xml>").unwrap(), "1");
        assert_eq!(field("<?xml version=\"1.0\"?>\n<xml>\n <a><![CDATA[<面> & ]]></a>\n</xml>\n").unwrap(), "<面> & ");
        assert_eq!(field("<xml><a>&lt;&amp;&#x9762;&#38;</a></xml>").unwrap(), "<&面&");
        assert_eq!(field("<xml><a>x<![CDATA[y]]>z</a><b/></xml>").unwrap(), "xyz");
        assert_eq!(field("<xml><!-- c --><a/></xml>").unwrap(), "");
    }

    #[test]
    fn nothing_is_expanded_and_nothing_but_flat_xml_is_read() {
        for hostile in [
            "<!DOCTYPE xml [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><xml><a>&e;</a></xml>",
            "<!DOCTYPE xml><xml><a>1</a></xml>",
            "<!DOCTYPE x [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><xml><a>&b;</a></xml>",
            "<xml><a>&e;</a></xml>",
            "<xml><a>&#0;</a></xml>",
            "<xml><a><b>1</b></a></xml>",
            "<xml><a>1</b></xml>",
            "<xml><a>1</a>",
            "<xml>",
            "<a>1</a>",
            "<xml/>",
            "<xml><a>1</a></xml><xml></xml>",
            "<xml><?php echo 1; ?><a>1</a></xml>",
            "{\"a\":1}",
            "a=1",
        ] {
            assert_eq!(field(hostile), Err(Malformed::Xml), "{hostile}");
        }
        assert_eq!(read(b" \n"), Err(Malformed::Empty));
        assert_eq!(read(b"<xml><a>\xff</a></xml>"), Err(Malformed::NotUtf8));
        assert_eq!(field(&format!("<xml><a>{}</a></xml>", "x".repeat(MAX_BYTES))), Err(Malformed::Xml));
        let many: String = (0..=MAX_FIELDS).map(|index| format!("<f{index}>1</f{index}>")).collect();
        assert_eq!(field(&format!("<xml>{many}</xml>")), Err(Malformed::Xml));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(values in prop::collection::btree_map("[a-z_]{1,12}", "[^\u{0}-\u{1f}\u{fffe}\u{ffff}]*", 1..8)) {
            let fields: Vec<_> = values.clone().into_iter().collect();
            prop_assert_eq!(read(write("xml", &fields).as_bytes()).unwrap(), values);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let _ = read(&bytes);
        }

        #[test]
        fn nor_anything_that_looks_like_xml(text in "(<xml>|</xml>|<a>|</a>|<!\\[CDATA\\[|\\]\\]>|&#?[a-z0-9]{0,3};?|<!DOCTYPE|<!--|-->|<\\?|\\?>|x| ){0,24}") {
            let _ = read(text.as_bytes());
        }
    }
}
