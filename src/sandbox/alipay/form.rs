//! The parameters of a call, in whichever of the places and forms that clients put them. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// How a client encodes text, and wants it encoded in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Charset {
    #[default]
    Utf8,
    Gbk,
}

impl Charset {
    /// By the name in `charset`; the gateway knows two.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "" | "utf-8" | "utf8" => Some(Self::Utf8),
            "gbk" | "gb2312" | "gb18030" => Some(Self::Gbk),
            _ => None,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Gbk => "GBK",
        }
    }

    pub fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Gbk => encoding_rs::GBK.decode_without_bom_handling(bytes).0.into_owned(),
        }
    }

    pub fn encode(self, text: &str) -> Cow<'_, [u8]> {
        match self {
            Self::Utf8 => Cow::Borrowed(text.as_bytes()),
            Self::Gbk => encoding_rs::GBK.encode(text).0,
        }
    }
}

/// The parameters, each as the bytes that the client signed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parameters(BTreeMap<String, Vec<u8>>);

impl Parameters {
    /// Those of the query and of the body together; the body's count where both have one.
    pub fn read(query: &str, content_type: &str, body: &[u8]) -> Self {
        let mut parameters = Self::default();
        parameters.add_urlencoded(query.as_bytes());
        let kind = content_type.to_ascii_lowercase();
        if kind.starts_with("multipart/form-data") {
            if let Some(boundary) = boundary(content_type) {
                parameters.add_multipart(body, boundary.as_bytes());
            }
        } else if !kind.contains("json") {
            parameters.add_urlencoded(body);
        }
        parameters
    }

    fn add_urlencoded(&mut self, text: &[u8]) {
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(at);
            let name = String::from_utf8_lossy(&unescaped(name)).into_owned();
            self.0.insert(name, unescaped(value.get(1..).unwrap_or_default()));
        }
    }

    /// Text fields only: the gateway's calls here take no files.
    fn add_multipart(&mut self, body: &[u8], boundary: &[u8]) {
        let mut delimiter = b"--".to_vec();
        delimiter.extend_from_slice(boundary);
        for part in split(body, &delimiter).into_iter().skip(1) {
            let Some((head, value)) = split_once(part, b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(head);
            let name = head.split(';').find_map(|piece| piece.trim().strip_prefix("name=\"")?.split('"').next());
            if let Some(name) = name {
                self.0.insert(name.to_owned(), value.strip_suffix(b"\r\n").unwrap_or(value).to_vec());
            }
        }
    }

    /// A parameter that is ASCII by nature; empty where absent.
    pub fn plain(&self, name: &str) -> &str {
        self.0.get(name).and_then(|value| std::str::from_utf8(value).ok()).unwrap_or("")
    }

    /// Any parameter, in the call's own encoding; empty where absent.
    pub fn text(&self, name: &str, charset: Charset) -> String {
        self.0.get(name).map(|value| charset.decode(value)).unwrap_or_default()
    }

    /// What a request's signature covers: every parameter but `sign` that has a value, sorted by name, values as they
    /// are.
    pub fn signed_content(&self) -> Vec<u8> {
        let mut content = Vec::new();
        for (name, value) in self.0.iter().filter(|(name, value)| *name != "sign" && !value.is_empty()) {
            if !content.is_empty() {
                content.push(b'&');
            }
            content.extend_from_slice(name.as_bytes());
            content.push(b'=');
            content.extend_from_slice(value);
        }
        content
    }
}

/// Takes `application/x-www-form-urlencoded` apart; what is no escape stands for itself.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => match (digit(after.first()), digit(after.get(1))) {
                (Some(high), Some(low)) => {
                    bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                    rest = after.get(2..).unwrap_or_default();
                }
                _ => bytes.push(b'%'),
            },
            byte => bytes.push(*byte),
        }
    }
    bytes
}

fn boundary(content_type: &str) -> Option<&str> {
    let boundary = content_type.split(';').find_map(|piece| piece.trim().strip_prefix("boundary="))?.trim_matches('"');
    (!boundary.is_empty()).then_some(boundary)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len().max(1)).position(|window| window == wanted)
}

fn split_once<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let index = find(bytes, at)?;
    Some((bytes.get(..index)?, bytes.get(index + at.len()..)?))
}

fn split<'a>(mut bytes: &'a [u8], at: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while let Some((part, rest)) = split_once(bytes, at) {
        parts.push(part);
        bytes = rest;
    }
    parts.push(bytes);
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_read_from_the_query_a_form_and_a_multipart_body() {
        let form = Parameters::read("a=1%202&b=%e9%9d%a2", "application/x-www-form-urlencoded", b"b=x&c=p+q&d");
        assert_eq!((form.plain("a"), form.plain("b"), form.plain("c"), form.plain("d")), ("1 2", "x", "p q", ""));
        assert_eq!(form.signed_content(), b"a=1 2&b=x&c=p q");
        let body = b"--X\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\nline\r\nline\r\n--X\r\n\
            Content-Disposition: form-data; name=\"c\"\r\nContent-Type: text/plain\r\n\r\n\r\n--X--\r\n";
        let multipart = Parameters::read("a=1", "multipart/form-data; boundary=X", body);
        assert_eq!(multipart.signed_content(), b"a=1&b=line\r\nline");
        assert_eq!(Parameters::read("a=1", "application/json", b"{}").signed_content(), b"a=1");
        assert_eq!(unescaped(b"%zz%4%41"), b"%zz%4A");
    }

    #[test]
    fn chinese_is_read_and_written_in_both_encodings() {
        let gbk = Parameters::read("subject=%C3%E6", "", b"");
        assert_eq!(gbk.text("subject", Charset::Gbk), "面");
        assert_eq!(gbk.signed_content(), [b"subject=".as_slice(), &[0xc3, 0xe6]].concat());
        assert_eq!(Charset::Gbk.encode("面").as_ref(), [0xc3, 0xe6]);
        assert_eq!(Charset::named("GBK"), Some(Charset::Gbk));
        assert_eq!(Charset::named("latin-1"), None);
    }

    proptest! {
        /// Foreign bytes are read somehow, never a panic.
        #[test]
        fn any_bytes_are_read(
            query in ".{0,80}",
            kind in "(multipart/form-data; boundary=.{0,3}|.{0,20})",
            body in prop::collection::vec(any::<u8>(), 0..120),
        ) {
            let parameters = Parameters::read(&query, &kind, &body);
            let _ = (parameters.signed_content(), parameters.text("a", Charset::Gbk));
        }
    }
}
