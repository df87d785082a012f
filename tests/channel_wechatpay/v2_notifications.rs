//! APIv2's notifications, and those that come in the other interface's form while an account moves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Digest;
use proptest::prelude::*;
use scantill::channel::{Channel, NotificationError, QueryOutcome, RawNotification, RefundOutcome, Retiring, Told};
use scantill::crypto::{Secret, wrap_aes256_ecb};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

use super::channel_support::*;
use super::notifications::{envelope, posted_by};
use super::v2::{API_V2_KEY, account_v2, credentials_v2, order, pairs, signed_xml, xml};
use super::{APPID, MCHID, PLATFORM, PLATFORM_ID, credentials, transaction, with};

fn reader() -> Arc<dyn Channel> {
    static READER: LazyLock<Arc<dyn Channel>> =
        LazyLock::new(|| scantill::channel::open(&account_v2("http://127.0.0.1:9", &credentials_v2())).unwrap());
    READER.clone()
}

fn raw(body: impl Into<Vec<u8>>) -> RawNotification {
    RawNotification { headers: Vec::new(), body: body.into() }
}

fn read(body: impl Into<Vec<u8>>) -> Result<scantill::channel::Notification, NotificationError> {
    reader().read_notification(&raw(body), now())
}

#[test]
fn a_payments_notification_counts_only_signed_and_for_this_merchant() {
    let good = signed_xml(&order(json!({})), "HMAC-SHA256");
    let told = read(good.as_str()).unwrap();
    assert_eq!((told.out_trade_no.as_str(), told.id.as_str()), (NUMBER, "4200002026/SUCCESS"));
    assert!(matches!(told.told, Told::Trade(QueryOutcome::Paid(paid)) if paid.amount.minor == FEN));
    // Repeats have another nonce and count as the same.
    let again = signed_xml(&order(json!({ "nonce_str": "ANOTHER" })), "HMAC-SHA256");
    assert_eq!(read(again).unwrap().id, told.id);

    let signed = |changes: Value| signed_xml(&order(changes), "HMAC-SHA256");
    for (body, refusal) in [
        (good.replace("1234", "1233"), NotificationError::BadSignature),
        (signed_xml(&order(json!({})), "MD5"), NotificationError::BadSignature),
        (xml(&pairs(&order(json!({ "mch_id": MCHID })))), NotificationError::BadSignature),
        (format!("<!DOCTYPE x [<!ENTITY e \"x\">]>{good}"), NotificationError::BadSignature),
        (good.replace("</xml>", "<mch_id>1</mch_id></xml>"), NotificationError::BadSignature),
        (signed(json!({ "mch_id": "1900000002" })), NotificationError::OtherMerchant),
        (signed(json!({ "appid": "wx0" })), NotificationError::OtherMerchant),
    ] {
        assert_eq!(read(body.as_str()), Err(refusal), "{body}");
    }
    for body in [
        signed(json!({ "out_trade_no": "not-ours" })),
        signed(json!({ "transaction_id": null })),
        format!("<xml>{}</xml>", " ".repeat(65_536)),
    ] {
        assert!(matches!(read(body.as_str()), Err(NotificationError::Unreadable(_))), "{body}");
    }
    // A payment that failed once may still succeed.
    let failed = signed(json!({ "result_code": "FAIL", "err_code": "NOTENOUGH" }));
    assert!(matches!(read(failed).unwrap().told, Told::Trade(QueryOutcome::Unknown(_))));
}

/// What the platform wraps: the key is the MD5 of the API key, in letters.
fn wrapped(content: &str, api_key: &str) -> String {
    let key = hex::encode(md5::Md5::digest(api_key.as_bytes()));
    STANDARD.encode(wrap_aes256_ecb(key.as_bytes(), content.as_bytes()).unwrap())
}

fn refund_content(changes: Value) -> String {
    let content = json!({
        "out_trade_no": NUMBER, "transaction_id": "4200002026", "out_refund_no": REFUND, "refund_id": "50300002026",
        "refund_fee": "1234", "total_fee": "1234", "settlement_refund_fee": "1234", "settlement_total_fee": "1234",
        "refund_status": "SUCCESS", "success_time": "2026-11-24 13:00:00", "refund_recv_accout": "支付用户零钱",
    });
    xml(&pairs(&with(content, changes))).replace("<xml>", "<root>").replace("</xml>", "</root>")
}

fn refund_message(req_info: &str) -> String {
    let fields = json!({
        "return_code": "SUCCESS", "appid": APPID, "mch_id": MCHID, "nonce_str": "TeqClE3i0mvn3DrK", "req_info": req_info,
    });
    xml(&pairs(&fields))
}

#[test]
fn a_refunds_notification_points_at_the_refund_and_leaves_the_rest_to_the_query() {
    let of = |changes: Value| refund_message(&wrapped(&refund_content(changes), API_V2_KEY));
    let told = read(of(json!({}))).unwrap();
    assert_eq!((told.out_trade_no.as_str(), told.id.as_str()), (NUMBER, "50300002026/SUCCESS"));
    // It is not signed, and blocks of it can be exchanged: that it is done, only the query says.
    let processing = Told::Refund { out_refund_no: Some(REFUND.into()), outcome: RefundOutcome::Processing };
    assert_eq!(told.told, processing);
    for status in ["CHANGE", "REFUNDCLOSE"] {
        assert_eq!(read(of(json!({ "refund_status": status }))).unwrap().told, processing);
    }
    assert_eq!(
        read(refund_message(&wrapped(&refund_content(json!({})), &"0".repeat(32)))),
        Err(NotificationError::BadSignature)
    );
    let other = of(json!({})).replace(MCHID, "1900000002");
    assert_eq!(read(other), Err(NotificationError::OtherMerchant));
    for body in [
        refund_message("no base64!"),
        of(json!({ "refund_status": "SOMETHING" })),
        of(json!({ "out_refund_no": null })),
        of(json!({ "out_trade_no": "not-ours" })),
    ] {
        assert!(matches!(read(body.as_str()), Err(NotificationError::Unreadable(_))), "{body}");
    }
}

#[test]
fn wechat_pay_is_answered_as_it_documents() {
    let yes = reader().acknowledge(true);
    assert_eq!((yes.status, yes.content_type), (200, "text/xml"));
    assert_eq!(
        yes.body,
        "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"
    );
    let no = reader().acknowledge(false);
    assert!((400..600).contains(&no.status) && no.body.contains("<![CDATA[FAIL]]>"));
}

#[test]
fn what_was_signed_before_the_api_key_was_exchanged_is_believed_until_its_time_is_over() {
    let fresh = with(credentials_v2(), json!({ "api_v2_key": "0123456789abcdef0123456789abcdef" }));
    let until = now() + 60_000;
    let mut account = account_v2("http://127.0.0.1:9", &fresh);
    let paid = raw(signed_xml(&order(json!({})), "HMAC-SHA256"));
    let refunded = raw(refund_message(&wrapped(&refund_content(json!({})), API_V2_KEY)));
    let channel = scantill::channel::open(&account).unwrap();
    assert_eq!(channel.read_notification(&paid, now()), Err(NotificationError::BadSignature));
    account.retiring = Some(Retiring { credentials: Secret::new(credentials_v2().to_string()), until });
    let channel = scantill::channel::open(&account).unwrap();
    for raw in [&paid, &refunded] {
        assert!(channel.read_notification(raw, until).is_ok());
        assert_eq!(channel.read_notification(raw, until + 1), Err(NotificationError::BadSignature));
    }
}

#[test]
fn an_account_that_moves_from_one_interface_to_the_other_reads_both() {
    let v2 = raw(signed_xml(&order(json!({})), "HMAC-SHA256"));
    let v3 = posted_by(&PLATFORM, &envelope("TRANSACTION.SUCCESS", &transaction("SUCCESS")), PLATFORM_ID, 0);
    let until = now() + 60_000;
    for (fresh, former, own, other) in
        [(credentials(), credentials_v2(), &v3, &v2), (credentials_v2(), credentials(), &v2, &v3)]
    {
        let mut account = account_v2("http://127.0.0.1:9", &fresh);
        let channel = scantill::channel::open(&account).unwrap();
        assert!(channel.read_notification(own, now()).is_ok());
        assert_eq!(channel.read_notification(other, now()), Err(NotificationError::BadSignature));
        account.retiring = Some(Retiring { credentials: Secret::new(former.to_string()), until });
        let channel = scantill::channel::open(&account).unwrap();
        for raw in [own, other] {
            let told = channel.read_notification(raw, now()).unwrap().told;
            assert!(matches!(told, Told::Trade(QueryOutcome::Paid(_))));
        }
        assert_eq!(channel.read_notification(other, until + 1), Err(NotificationError::BadSignature));
        // One answer that both take: the one looks at the status, the other at the body.
        let yes = channel.acknowledge(true);
        assert!(yes.status == 200 && yes.body.contains("SUCCESS"));
        let no = channel.acknowledge(false);
        assert!(no.status == 500 && no.body.contains("FAIL"));
    }
}

proptest! {
    #[test]
    fn no_bytes_are_taken_for_a_notification(body in proptest::collection::vec(any::<u8>(), 0..300), text: String) {
        prop_assert!(read(body.clone()).is_err());
        let bare = format!("<xml><mch_id>{MCHID}</mch_id><req_info>{text}</req_info></xml>");
        prop_assert!(read(bare).is_err());
        let wrapped = wrapped(&text, API_V2_KEY);
        prop_assert!(read(refund_message(&wrapped)).is_err());
        prop_assert!(read(refund_message(&STANDARD.encode(body))).is_err());
    }

    #[test]
    fn no_changed_byte_is_believed(at in 0_usize..1_200, to in any::<u8>()) {
        static GOOD: LazyLock<Vec<u8>> =
            LazyLock::new(|| signed_xml(&order(json!({})), "HMAC-SHA256").into_bytes());
        let mut changed = GOOD.clone();
        let at = at % changed.len();
        changed[at] = to;
        // White space between fields is no part of what is signed.
        let told = read(changed.clone());
        prop_assert!(changed == *GOOD || told.is_err() || told == read(GOOD.clone()));
    }
}
