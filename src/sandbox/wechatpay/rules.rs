//! The rules that APIv3 checks every field of a request by, and what it says of one that breaks them. Pure.
//!
//! The wording is the gateway's own: merchants' engineers find the field and the rule in it.

use serde_json::{Value, json};

use super::refused::{Place, Refused};

/// The largest amount: a hundred million yuan.
const MAX_FEN: i64 = 10_000_000_000;

/// A field of a request's body: a pointer from its root, and what the platform calls it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub pointer: &'static str,
    pub title: &'static str,
}

/// The field at a pointer, with the platform's name of it.
pub(super) const fn field(pointer: &'static str, title: &'static str) -> Field {
    Field { pointer, title }
}

/// The least and the most bytes of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes {
    least: usize,
    most: usize,
}

/// From so many bytes to so many.
pub(super) const fn bytes(least: usize, most: usize) -> Bytes {
    Bytes { least, most }
}

/// Which characters a number may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    /// Whatever there is.
    Any,
    /// A merchant's order number.
    Order,
    /// A merchant's refund number.
    Refund,
}

impl Letters {
    fn fit(self, text: &str) -> bool {
        let also: &[u8] = match self {
            Self::Any => return true,
            Self::Order => b"_-|*",
            Self::Refund => b"_-|*@",
        };
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
    }

    const fn pattern(self) -> &'static str {
        match self {
            Self::Any => ".*",
            Self::Order => r"^[0-9a-zA-Z_\-\|\*]+$",
            Self::Refund => r"^[0-9a-zA-Z_\-\|\*@]+$",
        }
    }
}

/// Checks a text against its field's rules; `source` is where it stands, from the request's root.
pub(super) fn check_text(
    place: Place,
    source: &str,
    title: &str,
    text: &str,
    bytes: Bytes,
    letters: Letters,
) -> Result<(), Refused> {
    let rule = |value: Value, broken: String| {
        let message = format!("输入源“/{}{source}”映射到值字段“{title}”字符串规则校验失败，{broken}", place.name());
        Refused::rule(place, &value, message)
    };
    let length = text.len();
    let Bytes { least, most } = bytes;
    if length < least {
        return Err(rule(json!(length), format!("字节数 {length}，小于最小值 {least}")));
    }
    if length > most {
        return Err(rule(json!(length), format!("字节数 {length}，大于最大值 {most}")));
    }
    if !letters.fit(text) {
        return Err(rule(json!(text), format!("字符串必须匹配正则表达式“{}”", letters.pattern())));
    }
    Ok(())
}

/// A text of the body; `None` where it is absent and need not be there. An absent one that must be there counts as
/// empty, as the gateway has it.
pub(super) fn text(
    body: &Value,
    field: Field,
    bytes: Bytes,
    letters: Letters,
    required: bool,
) -> Result<Option<&str>, Refused> {
    let text = match body.pointer(field.pointer) {
        None | Some(Value::Null) if !required => return Ok(None),
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(other) => {
            let message = format!(
                "无法将 JSON 输入源“/body{}”映射到目标字段“{}”中，此字段需要一个合法的字符串",
                field.pointer, field.title
            );
            return Err(Refused::rule(Place::Body, other, message));
        }
    };
    if text.is_empty() && !required {
        return Ok(None);
    }
    check_text(Place::Body, field.pointer, field.title, text, bytes, letters)?;
    Ok(Some(text))
}

/// A text that must be there.
pub(super) fn required(body: &Value, field: Field, bytes: Bytes, letters: Letters) -> Result<&str, Refused> {
    text(body, field, bytes, letters, true).map(Option::unwrap_or_default)
}

/// An amount in fen, at least one. Only a JSON integer will do.
pub(super) fn fen(body: &Value, field: Field) -> Result<i64, Refused> {
    let value = body.pointer(field.pointer).unwrap_or(&Value::Null);
    let Some(fen) = value.as_i64() else {
        let message = format!(
            "无法将 JSON 输入源“/body{}”映射到目标字段“{}”中，此字段需要一个合法的 64 位有符号整数",
            field.pointer, field.title
        );
        return Err(Refused::rule(Place::Body, value, message));
    };
    let broken = match fen {
        ..1 => "值低于最小值 1".to_owned(),
        1..=MAX_FEN => return Ok(fen),
        _ => format!("值高于最大值 {MAX_FEN}"),
    };
    let message = format!("输入源“/body{}”映射到数值字段“{}”规则校验失败，{broken}", field.pointer, field.title);
    Err(Refused::rule(Place::Body, value, message))
}

/// The only currency a merchant on the mainland trades in.
pub(super) fn currency(body: &Value, must_be_there: bool) -> Result<(), Refused> {
    match body.pointer("/amount/currency") {
        None | Some(Value::Null) if !must_be_there => Ok(()),
        Some(Value::String(currency)) if currency == "CNY" => Ok(()),
        other => Err(Refused::param("货币类型不合法，应为CNY").with(json!({
            "field": "/amount/currency", "value": other, "issue": "Currency code is invalid", "location": "body",
        }))),
    }
}
