//! Reading an answer: signature over the raw bytes first, then what it says. Pure.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::value::RawValue;

use super::content::ContentKeys;
use super::trust::{Distrust, Trust};
use crate::channel::AccountFault;
use crate::payment::UnixMillis;

/// An answer after its signature was looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// Signed by Alipay.
    Signed(Body),
    /// The gateway refused the request before it looked at any order.
    Refused(Body),
    /// No connection was made.
    NotSent(Doubt),
    /// Nobody knows.
    Unknown(Doubt),
}

/// Why nothing is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubt {
    /// What came instead of an answer.
    pub words: String,
    /// What that says of the account.
    pub fault: AccountFault,
}

impl Reply {
    /// Nothing is known, for this reason.
    pub fn unknown(fault: AccountFault, words: impl Into<String>) -> Self {
        Self::Unknown(Doubt { words: words.into(), fault })
    }
}

/// The answer is signed with a certificate of this number, which is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnknownCertificate(pub String);

/// The fields of an answer or a notification, as text. Numbers keep their digits as they were written, so that no
/// amount becomes a float; lists and objects are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Body(HashMap<String, String>);

impl Body {
    fn parse(raw: &str) -> Option<Self> {
        let members: HashMap<String, &RawValue> = serde_json::from_str(raw).ok()?;
        let text = |value: &RawValue| match value.get().as_bytes().first()? {
            b'"' => serde_json::from_str(value.get()).ok(),
            b'{' | b'[' | b'n' => None,
            _ => Some(value.get().to_owned()),
        };
        Some(Self(members.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()))
    }

    /// The field's text; empty where it is absent.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Which of its codes Alipay gave: the fine one, or the coarse one where there is none.
    pub fn code(&self) -> &str {
        if self.get("sub_code").is_empty() { self.get("code") } else { self.get("sub_code") }
    }

    /// What Alipay said. Of a refused signature it repeats what was signed, payment code and all: that is cut off.
    pub fn message(&self) -> String {
        let said = if self.get("sub_msg").is_empty() { self.get("msg") } else { self.get("sub_msg") };
        let end = ECHOES.iter().filter_map(|mark| said.find(mark)).min().unwrap_or(said.len());
        said.get(..end).unwrap_or_default().chars().take(MAX_MESSAGE).collect()
    }

    /// All of it, for a person.
    pub fn words(&self) -> String {
        let message = self.message();
        let parts = [self.get("code"), self.get("sub_code"), &message];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("Alipay answered {}", parts.join(" "))
    }
}

/// How the gateway begins to repeat what was signed.
const ECHOES: [&str; 4] = ["网关生成的验签字符串", "app_id=", "biz_content", "auth_code"];
/// So many characters of a message are kept.
const MAX_MESSAGE: usize = 200;

impl From<HashMap<String, String>> for Body {
    fn from(fields: HashMap<String, String>) -> Self {
        Self(fields)
    }
}

/// Refusals of the gateway itself: authorisation, a missing or invalid parameter, keys not set up, permission.
const GATEWAY_REFUSALS: [&str; 5] = ["20001", "40001", "40002", "40003", "40006"];

/// Whether the gateway itself says no. What the trade system behind it says begins with `ACQ.`.
fn is_gateway_refusal(body: &Body) -> bool {
    GATEWAY_REFUSALS.contains(&body.get("code")) && !body.get("sub_code").contains("ACQ.")
}

/// What an answer is read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub trust: &'a Trust,
    pub content: Option<&'a ContentKeys>,
    /// Whether the connection itself tells who answers.
    pub known_peer: bool,
    pub now: UnixMillis,
}

/// Where the answer to a call lies in the frame that came, not yet believed.
fn parts<'a>(method: &str, text: &'a str) -> Result<(HashMap<String, &'a RawValue>, &'a RawValue), &'static str> {
    // Raw values keep their text byte for byte: only where they lie is found out before the signature is checked.
    let members: HashMap<String, &RawValue> =
        serde_json::from_str(text).map_err(|_| "the answer is not the JSON of Alipay's gateway")?;
    let own = format!("{}_response", method.replace('.', "_"));
    let value = members.get(&own).or_else(|| members.get("error_response")).copied();
    value.map(|value| (members, value)).ok_or("the answer is not to this call")
}

fn string(value: Option<&&RawValue>) -> Option<String> {
    value.map(|value| serde_json::from_str(value.get()).unwrap_or_default())
}

impl Reader<'_> {
    /// Checks the signature over the raw text of the response value and reads it.
    ///
    /// The gateway does not sign a refusal of an application it does not know (seen with `isv.invalid-app-id`;
    /// Alipay's own SDKs take such refusals unsigned). Such an answer is taken for a refusal only where the connection
    /// tells who answers (`known_peer`): it says nothing that could be mistaken for a payment, and a wrong key or
    /// number in the account's settings would otherwise leave every sale unknown for ever. Anything else without a
    /// signature, and everything with a wrong one, is unknown, whatever it says.
    pub fn read(&self, method: &str, raw: &[u8]) -> Result<Reply, UnknownCertificate> {
        let stranger = |why: &str| Ok(Reply::unknown(AccountFault::Unreachable, why));
        let Ok(text) = std::str::from_utf8(raw) else { return stranger("the answer is not UTF-8") };
        let (members, value) = match parts(method, text) {
            Ok(parts) => parts,
            Err(why) => return stranger(why),
        };
        let Some(sign) = string(members.get("sign")) else {
            return Ok(match Body::parse(value.get()) {
                Some(body) if is_gateway_refusal(&body) && self.known_peer => Reply::Refused(body),
                Some(body) if is_gateway_refusal(&body) => Reply::unknown(
                    AccountFault::Tls,
                    format!("{}, but without a signature over a connection without TLS", body.words()),
                ),
                _ => Reply::unknown(AccountFault::ProviderKeyWrong, "the answer is not signed"),
            });
        };
        let number = string(members.get("alipay_cert_sn")).filter(|number| !number.is_empty());
        let signed = match self.signed_text(value.get(), &sign, number.as_deref()) {
            Ok(signed) => signed,
            Err(Distrust::Stranger(number)) => return Err(UnknownCertificate(number)),
            Err(Distrust::Expired) => {
                return Ok(Reply::unknown(
                    AccountFault::CertificateExpired,
                    "the answer is signed with a certificate of Alipay's that has expired or is not valid yet",
                ));
            }
            Err(Distrust::Forged) => {
                return Ok(Reply::unknown(
                    AccountFault::ProviderKeyWrong,
                    "the answer's signature does not fit Alipay's public key: check the account's keys",
                ));
            }
        };
        let body = if signed.starts_with('"') { self.opened(&signed) } else { Ok(Body::parse(&signed)) };
        Ok(match body {
            Ok(Some(body)) if is_gateway_refusal(&body) => Reply::Refused(body),
            Ok(Some(body)) => Reply::Signed(body),
            Ok(None) => Reply::unknown(AccountFault::Refused, "the answer is of another form than documented"),
            Err(doubt) => Reply::Unknown(doubt),
        })
    }

    /// Opens an encrypted value: a JSON string, whose quotation marks the signature covers.
    fn opened(&self, signed: &str) -> Result<Option<Body>, Doubt> {
        let doubt = |words: &str| Doubt { words: words.to_owned(), fault: AccountFault::ApiKeyWrong };
        let keys = self.content.ok_or_else(|| doubt("the answer is encrypted, and the account has no AES key"))?;
        let Ok(sealed) = serde_json::from_str::<String>(signed) else { return Ok(None) };
        keys.decrypt(&sealed, self.now, Body::parse)
            .map(Some)
            .ok_or_else(|| doubt("the answer cannot be decrypted with the account's AES key"))
    }

    /// The text that the signature covers; nothing else may be read.
    ///
    /// It is the value as received, or else the value before its slashes were escaped: some of the gateway's answers
    /// are signed first and written with `\/` after, and Alipay's Java SDK (`checkResponseSign`) tries both.
    fn signed_text<'a>(&self, value: &'a str, sign: &str, number: Option<&str>) -> Result<Cow<'a, str>, Distrust> {
        let Some(unescaped) = value.contains("\\/").then(|| value.replace("\\/", "/")) else {
            return self.trust.check(&[value], sign, number, self.now).map(|_| Cow::Borrowed(value));
        };
        match self.trust.check(&[value, &unescaped], sign, number, self.now)? {
            0 => Ok(Cow::Borrowed(value)),
            _ => Ok(Cow::Owned(unescaped)),
        }
    }
}

/// The certificates (PEM) that the answer to [`super::request::CERTIFICATE_DOWNLOAD`] brings. The gateway does not sign
/// it: only the chain says whether they are believed.
pub(super) fn downloaded_certificate(raw: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(raw).map_err(|_| "the answer is not UTF-8")?;
    let (_, value) = parts(super::request::CERTIFICATE_DOWNLOAD, text)?;
    let body = Body::parse(value.get()).ok_or("the answer is of another form than documented")?;
    let content = body.get("alipay_cert_content");
    if body.get("code") != "10000" || content.is_empty() {
        return Err(body.words());
    }
    let pem = BASE64.decode(content.trim()).map_err(|_| "the certificate is not base64")?;
    String::from_utf8(pem).map_err(|_| "the certificate is not PEM".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::RsaPublicKey;

    /// Key, answer and signature from the tests of Alipay's Node SDK (alipay-sdk-nodejs-all, MIT,
    /// test/alipay.test.ts and test/fixtures/alipay-public-key.pem), recorded there from the real gateway.
    const KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAk7LzhmMa2c4qQd4fqAqenfbuFoA7stPKvoS1LrZEsVnOOGUU\
        jwoa1oU9xsSPjcOWhIerU/VAN4J95GIAXx59ipcleIyfLn2FhHXPgLJpvo+b2jJFyn/1/DbeJDh+0yDVAOf50Z7HhI0mdUhFMkXlT7BU0ZMt\
        Jf/TmISFEfhDU/w6qFd6D42L97byAkq0K6LroglSVF24GqJEa7hSeUIkZWj7RasykXrc2uVJ1+ejkXE0LyPxa2AHykMGbJLf5SiZvaNzUZgn\
        KIR36mLOHpQ/2JCXxhXZYUWHzy0kMH54JcUEeksFWBYLGvLjV1phbcUIc3Q76tIuqApY6E222OoZZQIDAQAB";
    const VALUE: &str = r#"{"code":"10000","msg":"Success","file_id":"CAxAToWB1JsAAAAAAAAAAAAADgSLAQBr"}"#;
    const SIGN: &str = "F+LDzpTNiavn7xVZPGuPCSSVRSmWzJGgtuji6tVELGEaqMaNj0jRKXUEr5nloZJBBmwEnddOyCjjepMmrTKTvoOq\
        Q0Efxpr/R1iEeHTHVbb/Q8TTh6Up5gHJDkILdaWS2q1cWeQ6VT+HQY9P3WRXS7uhILHuDODIhpAyCu5KhWGt0rMCIG+Im6NODJP2oohtSCtm\
        TFXg58HH587Z2y2bdbjzOxLvzD9IrU1imghXQ2S/Q+wMIvRk9on6cWnBLkrNvJKapA2ReNGWOwyuASvB9zDVzhMPbR+3mfRGkVDxsq5HYLjB\
        KGskJMXHw0HuugZij6ScRuaLPODhmHwr/pJ9yw==";
    const METHOD: &str = "alipay.open.file.upload";

    fn key() -> RsaPublicKey {
        RsaPublicKey::from_pem(KEY).unwrap()
    }

    fn read(key: &RsaPublicKey, method: &str, raw: &[u8], known_peer: bool) -> Reply {
        let trust = Trust::of_key(key.clone());
        Reader { trust: &trust, content: None, known_peer, now: 0 }.read(method, raw).unwrap()
    }

    fn read_text(text: &str) -> Reply {
        read(&key(), METHOD, text.as_bytes(), true)
    }

    fn published() -> String {
        format!(r#"{{"alipay_open_file_upload_response":{VALUE},"sign":"{SIGN}"}}"#)
    }

    #[test]
    fn the_published_answer_is_believed_in_any_frame_and_in_no_other_form() {
        let Reply::Signed(body) = read_text(&published()) else { panic!("{:?}", read_text(&published())) };
        assert_eq!(body.get("file_id"), "CAxAToWB1JsAAAAAAAAAAAAADgSLAQBr");
        let frames = [
            format!(r#"{{"sign":"{SIGN}","alipay_open_file_upload_response":{VALUE}}}"#),
            format!("{{ \"alipay_open_file_upload_response\" :\r\n {VALUE} , \"sign\" : \"{SIGN}\" }}\n"),
            format!(r#"{{"x":"{{\"sign\":\"no\"}}}}","alipay_open_file_upload_response":{VALUE},"sign":"{SIGN}"}}"#),
            format!(r#"{{"error_response":{VALUE},"sign":"{SIGN}"}}"#),
        ];
        for frame in frames {
            assert_eq!(read_text(&frame), Reply::Signed(body.clone()), "{frame}");
        }
        let others = [
            published().replace("\"code\":\"10000\",", "\"code\":\"10000\", "),
            published().replace("Success", "success"),
            published().replace("alipay_open_file_upload_response", "alipay_trade_pay_response"),
            published().replace(SIGN, &SIGN.to_lowercase()),
            published().replace(SIGN, ""),
            // A second, forged value beside the signed one.
            format!(
                r#"{{"alipay_open_file_upload_response":{VALUE},"alipay_open_file_upload_response":{{"code":"10000"}},"sign":"{SIGN}"}}"#
            ),
            format!(r#"{{"alipay_open_file_upload_response":{VALUE}}}"#),
            format!(r#"{{"alipay_open_file_upload_response":{VALUE},"sign":["{SIGN}"]}}"#),
            published()[..published().len() - 1].to_owned(),
        ];
        for other in others {
            assert!(matches!(read_text(&other), Reply::Unknown(_)), "{other}");
        }
    }

    #[test]
    fn slashes_may_be_escaped_after_signing_and_only_what_was_signed_is_read() {
        let private = crate::crypto::RsaPrivateKey::generate().unwrap();
        let signed = r#"{"code":"10000","qr_code":"https://qr.alipay.com/bax1"}"#;
        let sign = private.sign_base64(signed.as_bytes()).unwrap();
        let escaped = signed.replace('/', "\\/");
        let text = format!(r#"{{"alipay_trade_precreate_response":{escaped},"sign":"{sign}"}}"#);
        let Reply::Signed(body) = read(&private.public_key(), "alipay.trade.precreate", text.as_bytes(), true) else {
            panic!("not believed");
        };
        assert_eq!(body.get("qr_code"), "https://qr.alipay.com/bax1");
        // What a careless reader takes for an escaped slash would be another text.
        let other = text.replace("\\/bax1", "\\\\/bax1");
        assert!(matches!(
            read(&private.public_key(), "alipay.trade.precreate", other.as_bytes(), true),
            Reply::Unknown(_)
        ));
    }

    #[test]
    fn an_unsigned_refusal_counts_only_from_a_known_peer_and_only_from_the_gateway_itself() {
        let refusal = |code: &str, sub_code: &str| {
            format!(
                r#"{{"alipay_open_file_upload_response":{{"code":"{code}","msg":"","sub_code":"{sub_code}","sub_msg":"x"}}}}"#
            )
        };
        let stranger = refusal("40002", "isv.invalid-app-id");
        assert!(matches!(read(&key(), METHOD, stranger.as_bytes(), true), Reply::Refused(_)));
        let Reply::Unknown(doubt) = read(&key(), METHOD, stranger.as_bytes(), false) else { panic!("believed") };
        assert!(doubt.words.contains("isv.invalid-app-id"), "{doubt:?}");
        for (code, sub_code) in
            [("40004", "ACQ.TRADE_NOT_EXIST"), ("40002", "ACQ.INVALID_PARAMETER"), ("10000", ""), ("20000", "isp.x")]
        {
            assert!(matches!(read_text(&refusal(code, sub_code)), Reply::Unknown(_)), "{code} {sub_code}");
        }
        // A signature that does not fit is worse than none.
        let forged = stranger.replace("}}", "},\"sign\":\"AAAA\"}");
        assert!(matches!(read_text(&forged), Reply::Unknown(_)));
    }

    #[test]
    fn numbers_keep_their_digits() {
        let body =
            Body::parse(r#"{"total_amount":88.80,"big":100000000.10,"no":null,"list":[1],"s":"1\u0032"}"#).unwrap();
        assert_eq!(body.get("total_amount"), "88.80");
        assert_eq!(body.get("big"), "100000000.10");
        assert_eq!((body.get("no"), body.get("list"), body.get("s")), ("", "", "12"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_believe(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let reply = read(&key(), METHOD, &bytes, true);
            prop_assert!(matches!(reply, Reply::Unknown(_)));
        }

        #[test]
        fn no_changed_byte_makes_it_believe_something_else(at in 0_usize..600, to in any::<u8>()) {
            let mut bytes = published().into_bytes();
            let at = at % bytes.len();
            bytes[at] = to;
            let honest = read_text(&published());
            let reply = read(&key(), METHOD, &bytes, true);
            prop_assert!(reply == honest || matches!(reply, Reply::Unknown(_)), "{reply:?}");
        }
    }
}
