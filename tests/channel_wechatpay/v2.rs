//! APIv2: what each call carries, and what each answer means. The platform's side signs with its own few lines.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use hmac::{Hmac, KeyInit, Mac};
use jiff::civil::date;
use md5::Digest;
use scantill::channel::{
    AccountError, AccountFault, AccountTest, BillError, BillKind, Channel, CodeOutcome, MerchantAccount, PayOutcome,
    QueryOutcome, RefundOutcome, RefundRef, TimingOverrides, TradeDetails, TradeRef, VoidOutcome,
};
use scantill::crypto::Algorithm;
use scantill::money::{Currency, Money};
use scantill::payment::{FailureReason, Way};
use serde_json::{Value, json};

use super::bills::gzipped;
use super::certificates::{Certified, certified};
use super::channel_support::*;
use super::{APPID, CODE, MCHID, with};

pub const API_V2_KEY: &str = "192006250b4c09247ec02edce69f6a2d";

/// The merchant's certificate, self-made.
pub static OWN: LazyLock<Certified> = LazyLock::new(|| certified(0x33, (2020, 2090)));

pub fn credentials_v2() -> Value {
    json!({
        "api_version": "v2", "appid": APPID, "mchid": MCHID, "api_v2_key": API_V2_KEY,
        "merchant_private_key": OWN.key.to_pkcs8_pem().unwrap().as_str(), "merchant_certificate": OWN.pem,
    })
}

pub fn account_v2(base_url: &str, credentials: &Value) -> MerchantAccount {
    let timing = TimingOverrides { request_timeout_ms: Some(1_500), ..TimingOverrides::default() };
    account(scantill::payment::ChannelId::WECHATPAY, base_url, credentials, timing)
}

pub type Fields = BTreeMap<String, String>;

/// Reads a message as the guide describes it: no parser of the channel's.
pub fn fields(xml: &[u8]) -> Fields {
    let text = std::str::from_utf8(xml).unwrap();
    let mut rest = text.strip_prefix("<xml>").unwrap().strip_suffix("</xml>").unwrap();
    let mut fields = Fields::new();
    while let Some(start) = rest.strip_prefix('<') {
        let (name, after) = start.split_once('>').unwrap();
        let (value, after) = after.split_once(&format!("</{name}>")).unwrap();
        let value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        assert!(fields.insert(name.to_owned(), value).is_none());
        rest = after;
    }
    assert_eq!(rest, "");
    fields
}

pub fn sign(fields: &Fields, key: &str, sign_type: &str) -> String {
    let pairs: Vec<_> =
        fields.iter().filter(|(k, v)| *k != "sign" && !v.is_empty()).map(|(k, v)| format!("{k}={v}")).collect();
    let text = format!("{}&key={key}", pairs.join("&"));
    if sign_type == "MD5" {
        return hex::encode_upper(md5::Md5::digest(text.as_bytes()));
    }
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    hex::encode_upper(mac.finalize().into_bytes())
}

/// What the platform writes: each value in CDATA.
pub fn xml(fields: &Fields) -> String {
    let inner: String = fields.iter().map(|(k, v)| format!("<{k}><![CDATA[{v}]]></{k}>\n")).collect();
    format!("<xml>{inner}</xml>")
}

pub fn pairs(value: &Value) -> Fields {
    value.as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned())).collect()
}

/// A signed message of the platform's.
pub fn signed_xml(changes: &Value, sign_type: &str) -> String {
    let mut fields = pairs(&json!({
        "return_code": "SUCCESS", "return_msg": "OK", "result_code": "SUCCESS", "appid": APPID, "mch_id": MCHID,
        "nonce_str": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
    }));
    fields.extend(pairs(changes));
    fields.insert("sign".into(), sign(&fields, API_V2_KEY, sign_type));
    xml(&fields)
}

struct Story {
    gateway: Gateway,
    channel: Arc<dyn Channel>,
}

impl Story {
    async fn begin() -> Self {
        let gateway = Gateway::open().await;
        let channel = scantill::channel::open(&account_v2(&gateway.base_url, &credentials_v2())).unwrap();
        Self { gateway, channel }
    }

    fn answers(&self, changes: &Value) {
        let body = signed_xml(changes, "HMAC-SHA256");
        self.gateway.does(move |_| Does::text(200, body.clone()));
    }

    fn refuses(&self, code: &str) {
        self.answers(&json!({ "result_code": "FAIL", "err_code": code, "err_code_des": "不行" }));
    }

    async fn pay(&self) -> PayOutcome {
        self.channel.pay(&trade(Way::ConsumerPresented), &details(), CODE).await
    }

    async fn create(&self) -> CodeOutcome {
        self.channel.create_code(&trade(Way::MerchantPresented), &details()).await
    }

    async fn query(&self) -> QueryOutcome {
        self.channel.query(&trade(Way::ConsumerPresented)).await
    }

    async fn close(&self) -> VoidOutcome {
        self.channel.void(&trade(Way::MerchantPresented)).await
    }

    async fn reverse(&self) -> VoidOutcome {
        self.channel.void(&trade(Way::ConsumerPresented)).await
    }

    async fn refund(&self) -> RefundOutcome {
        self.channel.refund(&trade(Way::ConsumerPresented), &refund(REFUND)).await
    }

    async fn query_refund(&self) -> RefundOutcome {
        self.channel.query_refund(&trade(Way::ConsumerPresented), &refund(REFUND)).await
    }

    /// The one request since last asked, checked as the platform would.
    fn only(&self, path: &str) -> Fields {
        admitted(&self.gateway.only(), path, "HMAC-SHA256")
    }
}

fn admitted(seen: &Seen, path: &str, sign_type: &str) -> Fields {
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", path));
    assert!(seen.header("content-type").starts_with("text/xml"));
    let fields = fields(&seen.body);
    assert_eq!((fields["appid"].as_str(), fields["mch_id"].as_str()), (APPID, MCHID));
    assert_eq!(fields["sign_type"], sign_type);
    assert_eq!(fields["sign"], sign(&fields, API_V2_KEY, sign_type));
    assert!((16..=32).contains(&fields["nonce_str"].len()));
    fields
}

pub fn order(changes: Value) -> Value {
    let order = json!({
        "out_trade_no": NUMBER, "transaction_id": "4200002026", "trade_type": "MICROPAY", "bank_type": "OTHERS",
        "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "total_fee": FEN.to_string(), "cash_fee": "1000",
        "time_end": "20261124120000", "trade_state": "SUCCESS", "trade_state_desc": "支付成功",
    });
    with(order, changes)
}

#[tokio::test]
async fn every_call_is_signed_and_carries_what_wechat_pay_asks_for() {
    let story = Story::begin().await;
    story.answers(&order(json!({})));
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
    let seen = story.only("/pay/micropay");
    for (name, value) in [
        ("out_trade_no", NUMBER),
        ("body", "拿铁 large + 1 cookie"),
        ("total_fee", "1234"),
        ("fee_type", "CNY"),
        ("auth_code", CODE),
        ("device_info", "till_1"),
        ("spbill_create_ip", "127.0.0.1"),
    ] {
        assert_eq!(seen[name], value, "{name}");
    }
    story.answers(&json!({ "code_url": "weixin://wxpay/bizpayurl?pr=1", "trade_type": "NATIVE" }));
    assert_eq!(story.create().await, CodeOutcome::Shown { code: "weixin://wxpay/bizpayurl?pr=1".into() });
    let seen = story.only("/pay/unifiedorder");
    assert_eq!((seen["trade_type"].as_str(), seen["product_id"].as_str()), ("NATIVE", NUMBER));
    // An ampersand survives the XML and the signature.
    assert_eq!(seen["notify_url"], details().notify_url.unwrap());
    assert!(seen["time_expire"].len() == 14 && seen["time_expire"].starts_with("20"));

    story.query().await;
    assert_eq!(story.only("/pay/orderquery")["out_trade_no"], NUMBER);
    story.close().await;
    assert_eq!(story.only("/pay/closeorder")["out_trade_no"], NUMBER);
    story.reverse().await;
    assert_eq!(story.only("/secapi/pay/reverse")["out_trade_no"], NUMBER);
    let full = RefundRef {
        reason: Some("茶".repeat(60)),
        notify_url: Some("https://pos.example.com/n".into()),
        ..refund(REFUND)
    };
    story.channel.refund(&trade(Way::ConsumerPresented), &full).await;
    let seen = story.only("/secapi/pay/refund");
    for (name, value) in [
        ("out_trade_no", NUMBER),
        ("out_refund_no", REFUND),
        ("total_fee", "1234"),
        ("refund_fee", "1234"),
        ("refund_fee_type", "CNY"),
        ("refund_desc", "茶".repeat(26).as_str()),
        ("notify_url", "https://pos.example.com/n"),
    ] {
        assert_eq!(seen[name], value, "{name}");
    }
    story.query_refund().await;
    assert_eq!(story.only("/pay/refundquery")["out_refund_no"], REFUND);

    let long = TradeDetails { description: "<&茶>".repeat(40), notify_url: None, ..details() };
    story.channel.pay(&trade(Way::ConsumerPresented), &long, CODE).await;
    assert_eq!(story.only("/pay/micropay")["body"], "<&茶>".repeat(21) + "<");
}

#[tokio::test]
async fn a_payment_is_told_as_wechat_pay_has_it() {
    let story = Story::begin().await;
    story.answers(&order(json!({})));
    let PayOutcome::Paid(told) = story.pay().await else { panic!("not paid") };
    assert_eq!(told.amount, Money::new(FEN, Currency::CNY));
    assert_eq!((told.provider_trade_no.as_str(), told.payer.as_deref()), ("4200002026", Some("oUpF***eS6o")));
    assert_eq!(told.paid_at, 1_795_492_800_000);
    for wrong in [
        json!({ "out_trade_no": "20261124OTHER001" }),
        json!({ "out_trade_no": null }),
        json!({ "mch_id": "1900000002" }),
        json!({ "appid": "wx0000000000000000" }),
        json!({ "total_fee": null }),
        json!({ "total_fee": "12.34" }),
        json!({ "total_fee": "-1234" }),
        json!({ "transaction_id": null }),
        json!({ "fee_type": "XYZ" }),
    ] {
        story.answers(&order(wrong.clone()));
        assert!(matches!(story.pay().await, PayOutcome::Unknown(_)), "{wrong}");
        assert!(matches!(story.query().await, QueryOutcome::Unknown(_)), "{wrong}");
    }
}

#[tokio::test]
async fn each_answer_has_its_meaning() {
    let story = Story::begin().await;
    use FailureReason as F;
    story.refuses("USERPAYING");
    assert_eq!(story.pay().await, PayOutcome::CustomerConfirming);
    for (code, reason) in [
        ("AUTHCODEEXPIRE", F::CodeExpired),
        ("AUTH_CODE_ERROR", F::CodeInvalid),
        ("AUTH_CODE_INVALID", F::CodeInvalid),
        ("NOTENOUGH", F::InsufficientFunds),
        ("NOTSUPORTCARD", F::CustomerAccount),
        ("BUYER_MISMATCH", F::CustomerAccount),
        ("NOAUTH", F::MerchantAccount),
        ("APPID_NOT_EXIST", F::MerchantAccount),
        ("MCHID_NOT_EXIST", F::MerchantAccount),
        ("SIGNERROR", F::MerchantAccount),
        ("PARAM_ERROR", F::RequestRefused),
        ("XML_FORMAT_ERROR", F::RequestRefused),
        ("LACK_PARAMS", F::RequestRefused),
    ] {
        story.refuses(code);
        let PayOutcome::Failed(failure) = story.pay().await else { panic!("{code}") };
        assert_eq!((failure.reason, failure.provider_code.as_str()), (reason, code));
        assert_eq!(failure.provider_message, "不行");
        assert!(matches!(story.create().await, CodeOutcome::Failed(_)), "{code}");
    }
    for code in ["SYSTEMERROR", "BANKERROR", "OUT_TRADE_NO_USED", "ORDERPAID", "ORDERCLOSED", "ORDERREVERSED", "NEW"] {
        story.refuses(code);
        assert!(matches!(story.pay().await, PayOutcome::Unknown(_)), "{code}");
        assert!(matches!(story.create().await, CodeOutcome::Unknown(_)), "{code}");
    }
    for (state, outcome) in [
        ("NOTPAY", QueryOutcome::AwaitingCustomer),
        ("CLOSED", QueryOutcome::Closed),
        ("REVOKED", QueryOutcome::Closed),
        ("USERPAYING", QueryOutcome::CustomerConfirming),
    ] {
        story.answers(&order(json!({ "trade_state": state })));
        assert_eq!(story.query().await, outcome, "{state}");
    }
    // One word for a part and for the whole: a sale is not called unpaid for it.
    story.answers(&order(json!({ "trade_state": "REFUND" })));
    assert!(matches!(story.query().await, QueryOutcome::SomeReturned(paid) if paid.amount.minor == FEN));
    story.answers(&order(json!({ "trade_state": "PAYERROR" })));
    assert!(matches!(story.query().await, QueryOutcome::Failed(_)));
    story.refuses("ORDERNOTEXIST");
    assert_eq!(story.query().await, QueryOutcome::NotFound);
    story.refuses("SYSTEMERROR");
    assert!(matches!(story.query().await, QueryOutcome::Unknown(_)));
}

#[tokio::test]
async fn an_order_that_is_not_found_by_our_number_is_asked_for_by_the_platforms() {
    let story = Story::begin().await;
    story.gateway.does(|seen| {
        Does::text(
            200,
            if fields(&seen.body).contains_key("transaction_id") {
                signed_xml(&order(json!({})), "HMAC-SHA256")
            } else {
                signed_xml(&json!({ "result_code": "FAIL", "err_code": "ORDERNOTEXIST" }), "HMAC-SHA256")
            },
        )
    });
    let known = TradeRef { provider_trade_no: Some("4200002026".into()), ..trade(Way::ConsumerPresented) };
    assert!(matches!(story.channel.query(&known).await, QueryOutcome::Paid(_)));
    let seen = story.gateway.seen();
    assert_eq!(fields(&seen[1].body)["transaction_id"], "4200002026");
    assert_eq!(story.query().await, QueryOutcome::NotFound);
}

#[tokio::test]
async fn a_shown_order_is_closed_and_a_scanned_one_reversed_until_it_is_done() {
    let story = Story::begin().await;
    story.answers(&json!({}));
    assert_eq!(story.close().await, VoidOutcome::Closed);
    story.answers(&json!({ "recall": "N" }));
    assert_eq!(story.reverse().await, VoidOutcome::Closed);
    // The platform wants the same call again, whatever else it says.
    story.answers(&json!({ "recall": "Y" }));
    assert!(matches!(story.reverse().await, VoidOutcome::Unknown(_)));
    story.answers(&json!({ "result_code": "FAIL", "err_code": "INVALID_REQUEST", "recall": "Y" }));
    assert!(matches!(story.reverse().await, VoidOutcome::Unknown(_)));
    for (code, outcome) in [
        ("ORDERPAID", VoidOutcome::AlreadyPaid),
        ("ORDERCLOSED", VoidOutcome::Closed),
        ("ORDERREVERSED", VoidOutcome::Closed),
        ("ORDERNOTEXIST", VoidOutcome::Closed),
        ("REVERSE_EXPIRE", VoidOutcome::AlreadyPaid),
        ("USERPAYING", VoidOutcome::NotYet),
        ("INVALID_REQUEST", VoidOutcome::NotYet),
    ] {
        story.refuses(code);
        assert_eq!(story.reverse().await, outcome, "{code}");
    }
    story.refuses("SYSTEMERROR");
    assert!(matches!(story.reverse().await, VoidOutcome::Unknown(_)));
    story.refuses("CERT_ERROR");
    assert!(matches!(story.reverse().await, VoidOutcome::Failed(_)));
}

#[tokio::test]
async fn a_refund_is_taken_on_first_and_done_when_the_query_says_so() {
    let story = Story::begin().await;
    let taken = json!({ "out_trade_no": NUMBER, "out_refund_no": REFUND, "refund_id": "5030", "refund_fee": "1234" });
    story.answers(&taken);
    assert_eq!(story.refund().await, RefundOutcome::Processing);
    for wrong in [json!({ "out_refund_no": "R2" }), json!({ "refund_fee": "1" }), json!({ "out_trade_no": "X" })] {
        story.answers(&with(taken.clone(), wrong));
        assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)));
    }
    for (code, reason) in [
        ("NOTENOUGH", FailureReason::MerchantAccount),
        ("CERT_ERROR", FailureReason::MerchantAccount),
        ("TRADE_OVERDUE", FailureReason::LimitExceeded),
        ("REFUND_FEE_MISMATCH", FailureReason::RequestRefused),
        ("USER_ACCOUNT_ABNORMAL", FailureReason::CustomerAccount),
    ] {
        story.refuses(code);
        assert!(matches!(story.refund().await, RefundOutcome::Failed(failure) if failure.reason == reason), "{code}");
    }
    for code in ["SYSTEMERROR", "BIZERR_NEED_RETRY", "FREQUENCY_LIMITED", "ORDER_NOT_READY"] {
        story.refuses(code);
        assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)), "{code}");
    }
    let told = |status: &str| {
        json!({
            "out_trade_no": NUMBER, "refund_count": "2", "out_refund_no_0": "OTHER", "refund_fee_0": "1",
            "refund_status_0": "PROCESSING", "out_refund_no_1": REFUND, "refund_fee_1": "1234", "refund_status_1": status,
        })
    };
    for (status, outcome) in [("SUCCESS", RefundOutcome::Done), ("PROCESSING", RefundOutcome::Processing)] {
        story.answers(&told(status));
        assert_eq!(story.query_refund().await, outcome, "{status}");
    }
    for status in ["REFUNDCLOSE", "CHANGE"] {
        story.answers(&told(status));
        assert!(matches!(story.query_refund().await, RefundOutcome::Failed(_)), "{status}");
    }
    story.answers(&with(told("SUCCESS"), json!({ "refund_fee_1": "1" })));
    assert!(matches!(story.query_refund().await, RefundOutcome::Unknown(_)));
    story.refuses("REFUNDNOTEXIST");
    assert_eq!(story.query_refund().await, RefundOutcome::NotFound);
    for code in ["SYSTEMERROR", "SIGNERROR", "NEW"] {
        story.refuses(code);
        assert!(matches!(story.query_refund().await, RefundOutcome::Unknown(_)), "{code}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_trusted_leaves_everything_unknown() {
    let story = Story::begin().await;
    let yes = json!({ "code_url": "weixin://x", "out_refund_no": REFUND, "refund_fee": "1234", "recall": "N" });
    let yes = with(order(json!({})), yes);
    let good = signed_xml(&yes, "HMAC-SHA256");
    story.gateway.does({
        let good = good.clone();
        move |_| Does::text(200, good.clone())
    });
    assert!(matches!(story.pay().await, PayOutcome::Paid(_)));
    let mut unsigned = pairs(&yes);
    for (name, value) in [("return_code", "SUCCESS"), ("result_code", "SUCCESS"), ("mch_id", MCHID), ("appid", APPID)] {
        unsigned.insert(name.into(), value.into());
    }
    let fail = |words: &str| xml(&pairs(&json!({ "return_code": "FAIL", "return_msg": words })));
    for (what, status, body) in [
        ("tampered", 200, good.replace("1234", "1233")),
        ("a field more", 200, good.replace("</xml>", "<extra>1</extra></xml>")),
        ("a field twice", 200, good.replace("</xml>", "<total_fee>1234</total_fee></xml>")),
        ("unsigned", 200, xml(&unsigned)),
        ("another algorithm", 200, signed_xml(&yes, "MD5")),
        ("truncated", 200, good[..good.len() - 7].to_owned()),
        ("an entity", 200, format!("<!DOCTYPE x [<!ENTITY e \"x\">]>{good}")),
        ("a page", 200, "<html><body>hello</body></html>".into()),
        ("nothing", 200, String::new()),
        ("another status", 500, good.clone()),
        ("busy", 200, fail("系统繁忙，请稍后再试")),
        ("no words", 200, fail("")),
    ] {
        story.gateway.does(move |_| Does::text(status, body.clone()));
        assert!(matches!(story.pay().await, PayOutcome::Unknown(_)), "pay: {what}");
        assert!(matches!(story.create().await, CodeOutcome::Unknown(_)), "create: {what}");
        assert!(matches!(story.query().await, QueryOutcome::Unknown(_)), "query: {what}");
        assert!(matches!(story.close().await, VoidOutcome::Unknown(_)), "close: {what}");
        assert!(matches!(story.reverse().await, VoidOutcome::Unknown(_)), "reverse: {what}");
        assert!(matches!(story.refund().await, RefundOutcome::Unknown(_)), "refund: {what}");
    }
    // A refusal of the merchant's own credentials comes unsigned.
    for (words, reason) in [
        ("签名错误", FailureReason::MerchantAccount),
        ("商户号mch_id或sub_mch_id不存在", FailureReason::MerchantAccount),
        ("appid不存在", FailureReason::MerchantAccount),
        ("缺少参数", FailureReason::RequestRefused),
    ] {
        let body = fail(words);
        story.gateway.does(move |_| Does::text(200, body.clone()));
        let PayOutcome::Failed(failure) = story.pay().await else { panic!("{words}") };
        assert_eq!((failure.reason, failure.provider_message.as_str()), (reason, words));
    }
    let channel = scantill::channel::open(&account_v2(&nobody().await, &credentials_v2())).unwrap();
    let PayOutcome::Failed(failure) = channel.pay(&trade(Way::ConsumerPresented), &details(), CODE).await else {
        panic!("nobody")
    };
    assert_eq!(failure.reason, FailureReason::ProviderUnreachable);
}

#[tokio::test]
async fn md5_is_used_only_where_the_policy_allows_it() {
    let gateway = Gateway::open().await;
    let md5 = with(credentials_v2(), json!({ "sign_type": "MD5" }));
    let mut account = account_v2(&gateway.base_url, &md5);
    assert_eq!(scantill::channel::open(&account).err(), Some(AccountError::AlgorithmOff(Algorithm::Md5)));
    account.algorithms = account.algorithms.with(Algorithm::Md5, true);
    let channel = scantill::channel::open(&account).unwrap();
    gateway.does(|_| Does::text(200, signed_xml(&order(json!({})), "MD5")));
    assert!(matches!(channel.query(&trade(Way::ConsumerPresented)).await, QueryOutcome::Paid(_)));
    admitted(&gateway.only(), "/pay/orderquery", "MD5");
    gateway.does(|_| Does::text(200, signed_xml(&order(json!({})), "HMAC-SHA256")));
    assert!(matches!(channel.query(&trade(Way::ConsumerPresented)).await, QueryOutcome::Unknown(_)));
}

#[test]
fn an_account_that_cannot_serve_names_the_field_and_never_its_value() {
    for (changes, name) in [
        (json!({ "api_v2_key": null }), "api_v2_key"),
        (json!({ "api_v2_key": "SECRET" }), "api_v2_key"),
        (json!({ "sign_type": "SECRET" }), "sign_type"),
        (json!({ "merchant_certificate": null }), "merchant_certificate"),
        (json!({ "merchant_certificate": "SECRET" }), "merchant_certificate"),
        (json!({ "merchant_private_key": "SECRET" }), "merchant_private_key"),
        (json!({ "mchid": null }), "mchid"),
    ] {
        let account = account_v2("http://127.0.0.1:9", &with(credentials_v2(), changes.clone()));
        let Err(error) = scantill::channel::open(&account) else { panic!("{changes}") };
        assert!(matches!(&error, AccountError::Credential { field, .. } if *field == name), "{changes}: {error}");
        assert!(!format!("{error} {error:?}").contains("SECRET"));
    }
    // What it answers carries no time: an old answer over an open connection could be anybody's.
    let open = scantill::channel::open(&account_v2("http://pay.example.com", &credentials_v2())).err();
    assert!(matches!(open, Some(AccountError::Credential { field: "base_url", .. })), "{open:?}");
    assert!(scantill::channel::open(&account_v2("https://pay.example.com", &credentials_v2())).is_ok());
}

#[tokio::test]
async fn the_bill_is_the_answer_itself() {
    let story = Story::begin().await;
    let text = "交易时间,微信订单号,商户订单号,交易状态,货币种类,总金额,商品名称,手续费\n\
        `2026-11-24 12:00:00,`4200002026,`20261124ABCDEF01,`SUCCESS,`CNY,`12.34,`tea,`0.07\n\
        总交易单数,总交易额,手续费总金额\n`1,`12.34,`0.07\n";
    story.gateway.does(move |_| Does::text(200, gzipped(text)));
    let day = date(2026, 11, 24);
    let bill = story.channel.bill(day, BillKind::Trades).await.unwrap();
    assert_eq!((bill.lines.len(), bill.lines[0].amount.minor, bill.raw.as_slice()), (1, FEN, text.as_bytes()));
    let seen = story.only("/pay/downloadbill");
    assert_eq!((seen["bill_date"].as_str(), seen["bill_type"].as_str()), ("20261124", "ALL"));
    assert_eq!(seen["tar_type"], "GZIP");
    assert!(story.channel.bill(day, BillKind::FundFlow).await.is_err());
    assert_eq!(story.only("/pay/downloadfundflow")["account_type"], "Basic");

    let says = |words: &str, code: &str| {
        let body = xml(&pairs(&json!({ "return_code": "FAIL", "return_msg": words, "error_code": code })));
        story.gateway.does(move |_| Does::text(200, body.clone()));
    };
    says("No Bill Exist", "20002");
    let long_ago = story.channel.bill(date(2026, 1, 1), BillKind::Trades).await.unwrap();
    assert!(long_ago.lines.is_empty());
    assert_eq!(story.channel.bill(jiff::Zoned::now().date(), BillKind::Trades).await, Err(BillError::NotReady));
    says("Bill Creating", "20007");
    assert_eq!(story.channel.bill(day, BillKind::Trades).await, Err(BillError::NotReady));
    says("SIGN ERROR", "20001");
    assert!(matches!(story.channel.bill(day, BillKind::Trades).await, Err(BillError::Refused(_))));
    says("system error", "20003");
    assert!(matches!(story.channel.bill(day, BillKind::Trades).await, Err(BillError::Unreachable(_))));
    story.gateway.does(|_| Does::text(200, "<html>"));
    assert!(matches!(story.channel.bill(day, BillKind::Trades).await, Err(BillError::Damaged(_))));
}

#[tokio::test]
async fn a_new_merchant_is_told_what_is_wrong() {
    let story = Story::begin().await;
    story.refuses("ORDERNOTEXIST");
    assert_eq!(story.channel.test().await, AccountTest::good());
    let seen = story.gateway.seen();
    let paths: Vec<_> = seen.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["/pay/orderquery", "/secapi/pay/reverse"]);
    assert!(seen.iter().all(|seen| fields(&seen.body)["out_trade_no"].starts_with("SCANTILLTEST")));
    use AccountFault as F;
    for (words, fault) in [
        ("签名错误", F::ApiKeyWrong),
        ("签名失败", F::ApiKeyWrong),
        ("appid不存在", F::WrongAppId),
        ("appid和mch_id不匹配", F::WrongAppId),
        ("商户号mch_id不存在", F::WrongMerchant),
        ("证书已过期", F::CertificateExpired),
        ("证书验证失败", F::CertificateUnknown),
        ("系统繁忙", F::ProviderDown),
    ] {
        let body = xml(&pairs(&json!({ "return_code": "FAIL", "return_msg": words })));
        story.gateway.does(move |_| Does::text(200, body.clone()));
        assert_eq!(story.channel.test().await.fault, Some(fault), "{words}");
    }
    story.refuses("NOAUTH");
    assert_eq!(story.channel.test().await.fault, Some(F::NoPermission));
    for (status, body, fault) in [
        (502, "", F::ProviderDown),
        (400, "<html>400 No required SSL certificate was sent</html>", F::CertificateUnknown),
        (200, "<html>please log in</html>", F::Unreachable),
    ] {
        story.gateway.does(move |_| Does::text(status, body));
        assert_eq!(story.channel.test().await.fault, Some(fault), "{status} {body}");
    }
    // The platform takes our signature and answers with another key's.
    let other = signed_xml(&json!({ "result_code": "FAIL", "err_code": "ORDERNOTEXIST", "sign": "" }), "MD5");
    story.gateway.does(move |_| Does::text(200, other.clone()));
    assert_eq!(story.channel.test().await.fault, Some(F::ApiKeyWrong));
    story.gateway.does(|_| {
        let date = jiff::Timestamp::from_millisecond(now() - 600_000).unwrap();
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        Does::Answer { status: 200, headers: vec![("date".into(), date)], body: Vec::new() }
    });
    assert!(matches!(story.channel.test().await.fault, Some(F::ClockSkew { seconds: 598..=602 })));
    let expired = certified(0x11, (2015, 2020));
    let own = json!({
        "merchant_certificate": expired.pem, "merchant_private_key": expired.key.to_pkcs8_pem().unwrap().as_str(),
    });
    let channel = scantill::channel::open(&account_v2(&story.gateway.base_url, &with(credentials_v2(), own))).unwrap();
    assert_eq!(channel.test().await.fault, Some(F::CertificateExpired));
}
