//! Reading an answer: signature over the raw bytes first, then what it says. Pure.

use serde_json::Value;

use super::signature::Distrust;
use crate::channel::http::Answer;
pub(super) use crate::channel::wechatpay::meaning::ApiError;

/// An answer after its signature was looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// HTTP 2xx, signed by the platform. Empty for a 204.
    Signed(Body),
    /// An error that the platform tells: signed, or unsigned where it could not tell who asks.
    Refused(ApiError),
    /// No connection was made.
    NotSent(String),
    /// Nobody knows.
    Unknown(String),
}

impl ApiError {
    /// `{"code", "message"}`
    fn of(body: &Body) -> Option<Self> {
        let code = body.text("code");
        (!code.is_empty()).then(|| Self { code: code.to_owned(), message: body.text("message").to_owned() })
    }

    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        Body::parse(bytes).as_ref().and_then(Self::of)
    }
}

/// The JSON of an answer or of a notification's content.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Body(Value);

impl Body {
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(Value::is_object).map(Self)
    }

    /// A text at the top; empty where it is absent or none.
    pub fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or("")
    }

    /// A text within an object at the top.
    pub fn inner_text(&self, object: &str, name: &str) -> &str {
        self.0[object][name].as_str().unwrap_or("")
    }

    /// An amount in fen within `amount`; `None` where it is absent or no whole number.
    pub fn fen(&self, name: &str) -> Option<i64> {
        self.0["amount"][name].as_i64()
    }
}

/// Refusals that the platform gives before it knows who asks, and therefore unsigned.
const STRANGER: [&str; 2] = ["SIGN_ERROR", "NO_AUTH"];

/// Reads an answer whose signature was looked at (`checked`).
///
/// A 401 or 403 without a signature is taken for a refusal of the merchant's own credentials, and only where the
/// connection tells who answers (`known_peer`): it says nothing that could be mistaken for a payment, and a wrong key
/// in the account's settings would otherwise leave every sale unknown for ever. Anything else without a signature, and
/// everything with a wrong one, is unknown, whatever it says.
pub(super) fn read(checked: Result<(), Distrust>, answer: &Answer, known_peer: bool) -> Reply {
    if let Err(distrust) = checked {
        return distrusted(&distrust, answer, known_peer);
    }
    if answer.body.is_empty() && (200..=299).contains(&answer.status) {
        return Reply::Signed(Body::default());
    }
    let body = Body::parse(&answer.body);
    let error = body.as_ref().and_then(ApiError::of);
    match (answer.status, error, body) {
        // 202 with USERPAYING is an error in all but its status.
        (200..=299 | 400..=499, Some(error), _) => Reply::Refused(error),
        (200..=299, None, Some(body)) => Reply::Signed(body),
        (200..=299, None, None) => Reply::Unknown("the answer is not the JSON of WeChat Pay".into()),
        (status, error, _) => {
            Reply::Unknown(error.map_or_else(|| format!("WeChat Pay answered HTTP {status}"), |error| error.words()))
        }
    }
}

fn distrusted(distrust: &Distrust, answer: &Answer, known_peer: bool) -> Reply {
    match distrust {
        Distrust::Missing => {
            let status = answer.status;
            let error = ApiError::of_bytes(&answer.body);
            match error.filter(|error| matches!(status, 401 | 403) && STRANGER.contains(&error.code.as_str())) {
                Some(error) if known_peer => Reply::Refused(error),
                Some(error) => {
                    Reply::Unknown(format!("{}, but without a signature over a connection without TLS", error.words()))
                }
                None => Reply::Unknown(format!("WeChat Pay answered HTTP {status} without a signature")),
            }
        }
        Distrust::Signature => Reply::Unknown("the answer's signature does not fit the platform's key".into()),
        Distrust::Serial(_) => {
            Reply::Unknown("the answer is signed with a platform key that the account does not hold".into())
        }
        Distrust::Stale => {
            Reply::Unknown("the answer's time is 300 s or more from this machine's: set the clock".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::wechatpay::v3::credentials::tests::{PLATFORM_ID, credentials, platform};
    use crate::channel::wechatpay::v3::signature::check;
    use crate::payment::UnixMillis;

    const NOW: UnixMillis = 1_795_500_000_000;

    fn answer(status: u16, body: &[u8], at: i64) -> Answer {
        let timestamp = (NOW / 1_000 + at).to_string();
        let mut message = format!("{timestamp}\nnonce\n").into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        let signature = platform().sign_base64(&message).unwrap();
        let headers = [
            ("wechatpay-timestamp", timestamp.as_str()),
            ("wechatpay-nonce", "nonce"),
            ("wechatpay-serial", PLATFORM_ID),
            ("wechatpay-signature", signature.as_str()),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Answer { status, headers, body: body.to_vec(), certificate: None }
    }

    fn read_from(answer: &Answer, known_peer: bool) -> Reply {
        let key = |serial: &str| credentials().platform_key(serial, NOW);
        super::read(check(key, |name| answer.header(name), &answer.body, NOW), answer, known_peer)
    }

    fn read(answer: &Answer) -> Reply {
        read_from(answer, true)
    }

    #[test]
    fn a_clock_300_s_off_is_too_much_and_299_is_not() {
        for (at, believed) in [(0, true), (299, true), (-299, true), (300, false), (-300, false), (86_400, false)] {
            let reply = read(&answer(200, br#"{"trade_state":"SUCCESS"}"#, at));
            assert_eq!(matches!(reply, Reply::Signed(_)), believed, "{at}");
        }
    }

    #[test]
    fn statuses_with_and_without_an_error() {
        let error = br#"{"code":"USERPAYING","message":"x"}"#;
        for status in [202, 400, 403, 429] {
            assert!(matches!(read(&answer(status, error, 0)), Reply::Refused(_)), "{status}");
        }
        for status in [500, 502, 503, 302] {
            assert!(matches!(read(&answer(status, error, 0)), Reply::Unknown(_)), "{status}");
        }
        assert_eq!(read(&answer(204, b"", 0)), Reply::Signed(Body::default()));
        assert!(matches!(read(&answer(200, b"<html>", 0)), Reply::Unknown(_)));
        assert!(matches!(read(&answer(400, b"", 0)), Reply::Unknown(_)));
    }

    #[test]
    fn without_the_right_signature_nothing_is_believed() {
        let good = answer(200, br#"{"trade_state":"SUCCESS"}"#, 0);
        assert!(matches!(read(&good), Reply::Signed(_)));
        for index in 0..good.headers.len() {
            let mut without = good.clone();
            without.headers.remove(index);
            assert!(matches!(read(&without), Reply::Unknown(_)), "{index}");
            let mut other = good.clone();
            other.headers[index].1.push('1');
            assert!(matches!(read(&other), Reply::Unknown(_)), "{index}");
        }
        let mut probe = good.clone();
        probe.headers[3].1 = format!("WECHATPAY/SIGNTEST/{}", probe.headers[3].1);
        assert!(matches!(read(&probe), Reply::Unknown(_)));
    }

    #[test]
    fn an_unsigned_refusal_counts_only_from_a_known_peer_and_only_about_credentials() {
        let stranger =
            |status, body: &[u8]| Answer { status, headers: Vec::new(), body: body.to_vec(), certificate: None };
        let refusal = stranger(401, br#"{"code":"SIGN_ERROR","message":"x"}"#);
        assert!(matches!(read(&refusal), Reply::Refused(_)));
        assert!(matches!(read_from(&refusal, false), Reply::Unknown(_)));
        for other in [
            stranger(404, br#"{"code":"ORDER_NOT_EXIST","message":"x"}"#),
            stranger(403, br#"{"code":"NOT_ENOUGH","message":"x"}"#),
            stranger(200, br#"{"code":"SIGN_ERROR","message":"x"}"#),
            stranger(204, b""),
        ] {
            assert!(matches!(read(&other), Reply::Unknown(_)), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn no_signed_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), status in 100_u16..600) {
            let _ = read(&answer(status, &bytes, 0));
        }

        #[test]
        fn no_changed_byte_is_believed(at in 0_usize..200, to in any::<u8>()) {
            let honest = answer(200, br#"{"out_trade_no":"A1","trade_state":"NOTPAY","amount":{"total":1}}"#, 0);
            let mut other = honest.clone();
            let at = at % other.body.len();
            other.body[at] = to;
            prop_assert!(other.body == honest.body || matches!(read(&other), Reply::Unknown(_)));
        }
    }
}
