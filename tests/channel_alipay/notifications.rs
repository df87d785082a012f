//! What Alipay posts by itself.

use proptest::prelude::*;
use scantill::channel::{NotificationError, RawNotification, Told};
use scantill::money::{Currency, Money};

use super::*;

pub fn told() -> BTreeMap<&'static str, String> {
    let fields = [
        ("notify_id", "2026112400222120000001"),
        ("notify_time", "2026-11-24 12:00:01"),
        ("notify_type", "trade_status_sync"),
        ("app_id", APP),
        ("seller_id", SELLER),
        ("charset", "utf-8"),
        ("version", "1.0"),
        ("out_trade_no", NUMBER),
        ("trade_no", "2026112422001"),
        ("trade_status", "TRADE_SUCCESS"),
        ("total_amount", "12.34"),
        ("subject", "拿铁 & cookie = 100% +"),
        ("buyer_logon_id", "lin***@example.com"),
        ("gmt_payment", "2026-11-24 12:00:00"),
        ("fund_bill_list", r#"[{"amount":"12.34","fundChannel":"ALIPAYACCOUNT"}]"#),
    ];
    fields.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}

/// As Alipay signs and posts it.
fn posted(fields: &BTreeMap<&'static str, String>) -> RawNotification {
    posted_by(&ALIPAY_KEY, fields)
}

/// Signed with another key.
pub fn posted_by(key: &RsaPrivateKey, fields: &BTreeMap<&'static str, String>) -> RawNotification {
    let content: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = key.sign_base64(content.join("&").as_bytes()).unwrap();
    let mut all: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend([("sign_type", "RSA2"), ("sign", sign.as_str())]);
    RawNotification { headers: Vec::new(), body: to_form(all) }
}

fn changed(changes: &[(&'static str, &str)]) -> RawNotification {
    let mut fields = told();
    for (name, value) in changes {
        fields.insert(name, (*value).to_owned());
    }
    posted(&fields)
}

fn reader() -> Arc<dyn Channel> {
    static READER: LazyLock<Arc<dyn Channel>> =
        LazyLock::new(|| open_at("http://127.0.0.1:9", TimingOverrides::default()));
    READER.clone()
}

#[test]
fn a_notification_counts_only_signed_and_for_this_merchant() {
    let read = |raw: &RawNotification| reader().read_notification(raw, now());
    let notification = read(&posted(&told())).unwrap();
    assert_eq!(notification.id, "2026112400222120000001");
    assert_eq!(notification.out_trade_no.as_str(), NUMBER);
    let Told::Trade(QueryOutcome::Paid(paid)) = notification.told else { panic!("not paid") };
    assert_eq!((paid.amount.minor, paid.paid_at), (FEN, 1_795_492_800_000));

    // A repeat of yesterday's is as good: the signature and the books decide.
    assert!(read(&changed(&[("notify_time", "2026-11-23 12:00:00")])).is_ok());
    // Empty values, whether Alipay counted them or not.
    assert!(read(&changed(&[("body", "")])).is_ok());
    let mut uncounted = posted(&told());
    uncounted.body.extend_from_slice(b"&body=");
    assert!(read(&uncounted).is_ok());

    for (changes, error) in [
        (&[("app_id", "2021000000000000")], NotificationError::OtherMerchant),
        (&[("seller_id", "2088000000000000")], NotificationError::OtherMerchant),
    ] {
        assert_eq!(read(&changed(changes)), Err(error));
    }
    for changes in [("notify_id", ""), ("out_trade_no", "not-ours"), ("out_trade_no", "")] {
        assert!(matches!(read(&changed(&[changes])), Err(NotificationError::Unreadable(_))), "{changes:?}");
    }
    let closed = changed(&[("trade_status", "TRADE_CLOSED"), ("gmt_payment", "")]);
    assert_eq!(read(&closed).unwrap().told, Told::Trade(QueryOutcome::Closed));
    let returned = changed(&[("trade_status", "TRADE_CLOSED"), ("refund_fee", "12.34")]);
    assert_eq!(read(&returned).unwrap().told, Told::Trade(QueryOutcome::Returned));

    let good = String::from_utf8(posted(&told()).body).unwrap();
    for (from, to) in [
        ("12%2E34", "12%2E33"),
        ("TRADE_SUCCESS", "TRADE_CLOSED"),
        ("&sign=", "&sigh="),
        ("sign_type=RSA2", "sign_type=RSA2&extra=1"),
        ("sign_type=RSA2", "sign_type=RSA"),
        ("sign_type=RSA2&", ""),
        (NUMBER, "20261124OTHER001"),
    ] {
        let body = good.replace(from, to);
        assert_ne!(body, good, "{from}");
        let raw = RawNotification { headers: Vec::new(), body: body.into_bytes() };
        assert_eq!(read(&raw), Err(NotificationError::BadSignature), "{from}");
    }
}

/// The whole message of a refund, as Alipay posts it to the payment's address.
#[test]
fn a_refund_is_told_by_its_own_number() {
    let refund = |changes: &[(&'static str, &str)]| {
        let mut fields = told();
        let own = [("refund_fee", "4.00"), ("gmt_refund", "2026-11-24 13:00:00.123"), ("out_biz_no", REFUND)];
        for (name, value) in own.iter().chain(changes) {
            fields.insert(name, (*value).to_owned());
        }
        reader().read_notification(&posted(&fields), now()).unwrap()
    };
    let done = |out_refund_no: Option<&str>| Told::Refund {
        out_refund_no: out_refund_no.map(str::to_owned),
        outcome: RefundOutcome::Done,
    };
    // A part: the trade stays a success.
    let part = refund(&[]);
    assert_eq!((part.out_trade_no.as_str(), part.told), (NUMBER, done(Some(REFUND))));
    // The rest of it: the trade is closed.
    assert_eq!(refund(&[("trade_status", "TRADE_CLOSED"), ("refund_fee", "12.34")]).told, done(Some(REFUND)));
    // A refund without a number of its own carries the trade's: a cancellation that returned the money.
    for number in ["", NUMBER, "2026112422001"] {
        assert_eq!(refund(&[("out_biz_no", number)]).told, done(None));
        let whole = refund(&[("out_biz_no", number), ("trade_status", "TRADE_CLOSED")]);
        assert_eq!(whole.told, Told::Trade(QueryOutcome::Returned));
    }
    // Past the time of refunds the trade is told as it stands, whatever was returned before.
    let ended = refund(&[("trade_status", "TRADE_FINISHED")]);
    assert!(matches!(ended.told, Told::Trade(QueryOutcome::Paid(_))), "{ended:?}");
    let unpaid = refund(&[("trade_status", "TRADE_CLOSED"), ("gmt_payment", "")]);
    assert_eq!(unpaid.told, Told::Trade(QueryOutcome::Closed));
}

/// Sent by Alipay in August 2019, with the public key of its account: from the tests of Alipay's Node SDK
/// (alipay-sdk-nodejs-all, MIT, `checkNotifySign`).
#[test]
fn a_notification_that_alipay_once_sent_is_believed() {
    const KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqObrdC7hrgAVM98tK0nv3hSQRGGKT4lBsQjHiGjeYZjOPIPHR5knm2jn\
        nz/YGIXIofVHkA/tAlBAd5DrY7YpvI4tP5EONLtZKC2ghBMx7McI2wRD0xiqzxOQr1FuhZGJ8/AUokBzJrzY+aGX2xcOrxFYRlFilvVLTXg4LWjR\
        1tdPkO6+i7wQZAIVMClPkwVRZEbaERRHlKqTzv2gGv5rDU8gRoe1LeaN+6BlbTqHWkQcNCUNrA8C6l17XAXGKDsm/9TFWwO8EPHHHCaQdjtV5/Fd\
        cWIt+L8SR1ss7EXTjYDFtxcKVv9rEoY1lX8T4mX+GbXfZHraG5NCF1+XioL5JwIDAQAB";
    const SIGN: &str = "QfTb8tqE1BMhS5qAnXtvsF3/jBkEvu9q9en0pdbBUDDjvKycZhQb7h8GDs4FKfi049PynaNuatxSgLb/nLWZpXyyh0LEWdK2S6Ri\
        7nPwrVgOs08zugLO20vOQz44y3ti2Ncm8/wZts1Fr2gZ7pShnVX3d1B50hbsXnObT1r/U8ONNQjWXd0HIul4TG+Q3fm3svmSvFEy0WnzuhcyHPX5\
        Gm4ELNctL6Qd5YniGJFNcc7kopHYtI/XD9YCKCH6Ct02rzUs9i11C9CsadtZn+WhxF26Dqt9sGEFajkJ8cxUTLi8+VCpLHsgPE8P0y095uQcDdK0\
        YjCh4x7wVSov+lrmOQ==";
    let sent = [
        ("gmt_create", "2019-08-15 15:56:22"),
        ("charset", "utf-8"),
        ("seller_email", "z97-yuquerevenue@service.aliyun.com"),
        ("subject", "语雀空间 500人规模"),
        ("sign", SIGN),
        ("buyer_id", "2088102534368455"),
        ("invoice_amount", "0.10"),
        ("notify_id", "2019081500222155624068450559358070"),
        ("fund_bill_list", r#"[{"amount":"0.10","fundChannel":"ALIPAYACCOUNT"}]"#),
        ("notify_type", "trade_status_sync"),
        ("trade_status", "TRADE_SUCCESS"),
        ("receipt_amount", "0.10"),
        ("buyer_pay_amount", "0.10"),
        ("sign_type", "RSA2"),
        ("app_id", "2019073166072302"),
        ("seller_id", "2088531891668739"),
        ("gmt_payment", "2019-08-15 15:56:24"),
        ("notify_time", "2019-08-15 15:56:25"),
        ("version", "1.0"),
        ("out_trade_no", "20190815155618536-564-57"),
        ("total_amount", "0.10"),
        ("trade_no", "2019081522001468450512505578"),
        ("auth_app_id", "2019073166072302"),
        ("buyer_logon_id", "xud***@126.com"),
        ("point_amount", "0.00"),
    ];
    let theirs = json!({ "app_id": "2019073166072302", "seller_id": "2088531891668739", "alipay_public_key": KEY });
    let credentials = with(credentials(), theirs);
    let account = account(ChannelId::ALIPAY, "http://127.0.0.1:9", &credentials, TimingOverrides::default());
    let channel = scantill::channel::open(&account).unwrap();
    let read = |body: Vec<u8>| channel.read_notification(&RawNotification { headers: Vec::new(), body }, now());
    // Believed; but the number is not of the kind that this house gives.
    assert!(matches!(read(to_form(sent)), Err(NotificationError::Unreadable(why)) if why.contains("out_trade_no")));
    let changed = sent.map(|(name, value)| (name, if name == "total_amount" { "0.01" } else { value }));
    assert_eq!(read(to_form(changed)), Err(NotificationError::BadSignature));
}

#[test]
fn alipay_is_answered_with_the_words_it_waits_for() {
    let yes = reader().acknowledge(true);
    assert_eq!((yes.status, yes.body.as_str()), (200, "success"));
    assert!(yes.content_type.starts_with("text/plain"));
    assert_eq!(reader().acknowledge(false).body, "fail");
}

proptest! {
    #[test]
    fn no_bytes_are_taken_for_a_notification(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let raw = RawNotification { headers: Vec::new(), body };
        prop_assert!(reader().read_notification(&raw, 0).is_err());
    }

    #[test]
    fn no_changed_byte_is_believed(at in 0_usize..1_200, to in any::<u8>()) {
        static GOOD: LazyLock<RawNotification> = LazyLock::new(|| posted(&told()));
        let mut raw = GOOD.clone();
        let at = at % raw.body.len();
        raw.body[at] = to;
        // Some bytes do not matter (the case of a hex digit): what is believed is then the same.
        if let Ok(read) = reader().read_notification(&raw, 0) {
            prop_assert_eq!(read, reader().read_notification(&GOOD, 0).unwrap());
        }
    }

    #[test]
    fn every_amount_survives_the_wire(fen in 1_i64..=10_000_000_000) {
        let yuan = format!("{}.{:02}", fen / 100, fen % 100);
        let read = reader().read_notification(&changed(&[("total_amount", &yuan)]), 0).unwrap();
        let Told::Trade(QueryOutcome::Paid(paid)) = read.told else { panic!("not paid") };
        prop_assert_eq!(paid.amount, Money::new(fen, Currency::CNY));
        prop_assert_eq!(paid.amount.to_decimal(), yuan);
    }
}
