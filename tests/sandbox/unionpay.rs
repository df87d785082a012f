//! UnionPay's gateway (ACP 5.1.0) as a merchant meets it.

use std::collections::BTreeMap;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use scantill::crypto::{Identity, certificates, read_pkcs12, sha256_hex};
use serde_json::{Value, json};

use crate::house::{House, Merchant, config, seconds};

const BACK: &str = "/gateway/api/backTransReq.do";
const QUERY: &str = "/gateway/api/queryTrans.do";

type Fields = BTreeMap<String, String>;

/// `yyyyMMddHHmmss` in China, so many seconds from now.
fn time(after: i64) -> String {
    china(seconds() + after, "%Y%m%d%H%M%S")
}

fn china(at: i64, form: &str) -> String {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::constant(8));
    jiff::Timestamp::from_second(at).unwrap().to_zoned(zone).strftime(form).to_string()
}

struct Shop {
    house: House,
    account: Value,
    identity: Identity,
}

impl Shop {
    async fn open() -> Self {
        Self::of(House::open().await)
    }

    fn of(house: House) -> Self {
        let account: Value = serde_json::from_str(&house.sandbox.credentials().account_json("unionpay")).unwrap();
        let file = BASE64.decode(House::text(&account, "sign_p12")).unwrap();
        let identity = read_pkcs12(&file, House::text(&account, "sign_p12_password")).unwrap();
        Self { house, account, identity }
    }

    /// A request with what all have in common, unsigned.
    fn request(&self, kind: (&str, &str), own: &[(&str, &str)]) -> Fields {
        let common = [
            ("version", "5.1.0"),
            ("encoding", "UTF-8"),
            ("signMethod", "01"),
            ("txnType", kind.0),
            ("txnSubType", kind.1),
            ("bizType", "000000"),
            ("channelType", "08"),
            ("accessType", "0"),
            ("merId", House::text(&self.account, "mer_id")),
            ("certId", &self.identity.chain[0].serial_decimal()),
        ];
        common.iter().chain(own).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn sign(&self, mut fields: Fields) -> Fields {
        let signature = self.identity.key.sign_base64(digest(&fields).as_bytes()).unwrap();
        fields.insert("signature".into(), signature);
        fields
    }

    async fn post(&self, path: &str, fields: &Fields) -> Result<String, reqwest::Error> {
        let request = self.house.http.post(self.house.url(path)).form(fields);
        request.send().await?.error_for_status()?.text().await
    }

    /// Sends what was signed already; the answer has to be UnionPay's.
    async fn told(&self, path: &str, fields: &Fields) -> Fields {
        let answer = split(&self.post(path, fields).await.unwrap());
        self.verify(&answer);
        answer
    }

    async fn call(&self, kind: (&str, &str), own: &[(&str, &str)]) -> Fields {
        let path = if kind.0 == "00" { QUERY } else { BACK };
        self.told(path, &self.sign(self.request(kind, own))).await
    }

    /// Chain, name and signature, as an SDK checks them.
    fn verify(&self, fields: &Fields) {
        let one = |text: &str| certificates(text).unwrap().remove(0);
        let signer = one(&fields["signPubKeyCert"]);
        let middle = one(House::text(&self.account, "middle_certificate"));
        let root = one(House::text(&self.account, "root_certificate"));
        assert_eq!(signer.check_chain(&[middle], &[root], seconds() * 1_000), Ok(()));
        assert_eq!(signer.common_name().split('@').nth(2), Some("中国银联股份有限公司"));
        let key = signer.key().unwrap();
        key.verify_base64(digest(fields).as_bytes(), &fields["signature"]).unwrap();
    }

    async fn pay(&self, number: &str, fen: i64, code: &str) -> Fields {
        self.pay_at(number, fen, code, &time(0)).await
    }

    async fn pay_at(&self, number: &str, fen: i64, code: &str, at: &str) -> Fields {
        let fen = fen.to_string();
        let own = [
            ("orderId", number),
            ("txnTime", at),
            ("txnAmt", &fen),
            ("currencyCode", "156"),
            ("qrNo", code),
            ("termId", "00000007"),
            ("reqReserved", "till 3"),
        ];
        self.call(("01", "06"), &own).await
    }

    async fn show(&self, number: &str, fen: i64, at: &str, back_url: &str) -> String {
        let fen = fen.to_string();
        let own =
            [("orderId", number), ("txnTime", at), ("txnAmt", &fen), ("currencyCode", "156"), ("backUrl", back_url)];
        let told = self.call(("01", "07"), &own).await;
        assert_eq!(told["respCode"], "00", "{told:?}");
        told["qrCode"].clone()
    }

    async fn query(&self, number: &str, at: &str) -> Fields {
        self.call(("00", "00"), &[("orderId", number), ("txnTime", at)]).await
    }

    /// How it stands: the code of the transaction, or of the query where it knows of none.
    async fn stands(&self, number: &str, at: &str) -> String {
        let told = self.query(number, at).await;
        told.get("origRespCode").unwrap_or(&told["respCode"]).clone()
    }

    /// Pays by a fresh code of the first wallet; its `queryId`.
    async fn paid(&self, number: &str, fen: i64, at: &str) -> String {
        let code = self.house.auth_code("unionpay-1").await;
        let told = self.pay_at(number, fen, &code, at).await;
        assert_eq!(told["respCode"], "00", "{told:?}");
        assert_eq!(self.stands(number, at).await, "00");
        told["queryId"].clone()
    }

    async fn back(&self, kind: &str, number: &str, fen: i64, query_id: &str) -> Fields {
        let (now, fen) = (time(0), fen.to_string());
        let own = [("orderId", number), ("txnTime", &now), ("txnAmt", &fen), ("origQryId", query_id)];
        self.call((kind, "00"), &own).await
    }
}

fn digest(fields: &Fields) -> String {
    let pairs: Vec<_> = fields
        .iter()
        .filter(|(name, value)| *name != "signature" && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    sha256_hex(pairs.join("&").as_bytes())
}

/// Values are not encoded: a pair ends where the next name begins.
fn split(text: &str) -> Fields {
    text.split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn a_scanned_code_is_accepted_and_the_query_says_that_it_was_paid() {
    let shop = Shop::open().await;
    let code = shop.house.auth_code("unionpay-1").await;
    assert!(code.starts_with("62") && code.len() == 19, "{code}");
    let (before, at) = (shop.house.balance("unionpay-1").await, time(0));
    let told = shop.pay_at("Order0001", 1_234, &code, &at).await;
    assert_eq!((told["respCode"].as_str(), told["respMsg"].as_str()), ("00", "成功[0000000]"));
    assert_eq!((told["orderId"].as_str(), told["txnTime"].as_str()), ("Order0001", at.as_str()));
    assert_eq!(told["queryId"].len(), 21);
    let stands = shop.query("Order0001", &at).await;
    for (name, value) in [
        ("respCode", "00"),
        ("origRespCode", "00"),
        ("txnType", "01"),
        ("txnSubType", "06"),
        ("txnAmt", "1234"),
        ("settleAmt", "1234"),
        ("settleCurrencyCode", "156"),
        ("queryId", &told["queryId"]),
        ("traceNo", &told["queryId"][14..20]),
        ("reqReserved", "till 3"),
        ("accNo", "621626*********0018"),
    ] {
        assert_eq!(stands[name], value, "{name}");
    }
    assert_eq!(shop.house.balance("unionpay-1").await, before - 1_234);
    // By the gateway's own number, too; and not with another time.
    let by_number = shop.call(("00", "02"), &[("queryId", &told["queryId"])]).await;
    assert_eq!((by_number["origRespCode"].as_str(), by_number["orderId"].as_str()), ("00", "Order0001"));
    assert_eq!(shop.stands("Order0001", &time(-60)).await, "34");
    assert_eq!(shop.stands("Order0000", &at).await, "34");
}

#[tokio::test]
async fn a_large_amount_waits_for_the_customers_password() {
    let shop = Shop::open().await;
    for (number, confirm, end) in [("Large001", true, "00"), ("Large002", false, "01")] {
        let (code, at) = (shop.house.auth_code("unionpay-1").await, time(0));
        assert_eq!(shop.pay_at(number, 100_001, &code, &at).await["respCode"], "00");
        assert_eq!(shop.stands(number, &at).await, "05");
        let id = shop.house.trade(number).await["id"].as_str().unwrap().to_owned();
        let call = if confirm { "confirm" } else { "refuse" };
        shop.house.post(&format!("/sandbox/trades/{id}/{call}"), json!({})).await;
        assert_eq!(shop.stands(number, &at).await, end);
    }
    let (code, at) = (shop.house.auth_code("unionpay-1").await, time(0));
    shop.pay_at("Large003", 100_001, &code, &at).await;
    shop.house.advance(61).await;
    assert_eq!(shop.stands("Large003", &at).await, "69");
}

#[tokio::test]
async fn what_comes_to_nothing_is_told_by_the_query() {
    let shop = Shop::open().await;
    let poor = shop.house.auth_code("unionpay-2").await;
    let used = shop.house.auth_code("unionpay-1").await;
    shop.pay("Used0000", 1, &used).await;
    let old = shop.house.auth_code("unionpay-1").await;
    shop.house.advance(61).await;
    for (number, code, end) in [
        ("Poor0001", poor.as_str(), "86"),
        ("Used0001", &used, "86"),
        ("Old00001", &old, "86"),
        ("None0001", "6299999999999999999", "88"),
        ("Alipay01", "2812345678901234", "88"),
        ("Magic000", "6200000000000000000", "00"),
        ("Magic091", "6200000000000000091", "64"),
        ("Magic092", "6200000000000000092", "05"),
        ("Magic093", "6200000000000000093", "86"),
    ] {
        let at = time(0);
        assert_eq!(shop.pay_at(number, 100, code, &at).await["respCode"], "00", "{number}");
        assert_eq!(shop.stands(number, &at).await, end, "{number}");
    }
    let (poor, at) = (shop.house.auth_code("unionpay-2").await, time(0));
    shop.pay_at("Poor0002", 100, &poor, &at).await;
    assert_eq!(shop.stands("Poor0002", &at).await, "64");
}

#[tokio::test]
async fn a_shown_order_is_unknown_until_it_is_scanned_and_then_told_of() {
    let shop = Shop::open().await;
    let (desk, at) = (Merchant::open(1).await, time(0));
    let code = shop.show("Shown001", 500, &at, &desk.url).await;
    assert!(code.starts_with("https://qr.95516.com/"), "{code}");
    assert_eq!(shop.stands("Shown001", &at).await, "34");
    assert_eq!(shop.house.scan("unionpay-1", &code, None).await.0, 200);
    assert_eq!(shop.stands("Shown001", &at).await, "05");
    assert_eq!(shop.house.scan("unionpay-1", &code, Some(true)).await.0, 200);
    assert_eq!(shop.stands("Shown001", &at).await, "00");
    assert_eq!(shop.house.scan("unionpay-2", &code, Some(true)).await.0, 409);
    // Refused once, it comes again, and says the same.
    let deliveries = desk.wait(2).await;
    let told: Vec<Fields> =
        deliveries.iter().map(|delivery| serde_urlencoded::from_bytes(&delivery.body).unwrap()).collect();
    assert_eq!(told[0], told[1]);
    shop.verify(&told[0]);
    for (name, value) in [
        ("respCode", "00"),
        ("txnType", "01"),
        ("txnSubType", "07"),
        ("orderId", "Shown001"),
        ("txnTime", &at),
        ("txnAmt", "500"),
        ("settleAmt", "500"),
        ("currencyCode", "156"),
        ("merId", House::text(&shop.account, "mer_id")),
    ] {
        assert_eq!(told[0][name], value, "{name}");
    }
    assert_eq!(told[0]["queryId"], shop.query("Shown001", &at).await["queryId"]);
}

#[tokio::test]
async fn a_shown_order_runs_out_when_the_merchant_says_so() {
    let shop = Shop::open().await;
    let (at, end) = (time(0), time(120));
    let own = [("orderId", "Limit001"), ("txnTime", &at), ("txnAmt", "100"), ("payTimeout", &end)];
    let code = shop.call(("01", "07"), &own).await["qrCode"].clone();
    shop.house.advance(121).await;
    assert_eq!(shop.house.scan("unionpay-1", &code, Some(true)).await.0, 409);
    assert_eq!(shop.stands("Limit001", &at).await, "34");
}

#[tokio::test]
async fn a_number_serves_once() {
    let shop = Shop::open().await;
    let query_id = shop.paid("Once0001", 100, &time(0)).await;
    let code = shop.house.auth_code("unionpay-1").await;
    assert_eq!(shop.pay("Once0001", 100, &code).await["respCode"], "12");
    assert_eq!(shop.pay("Once0002", 100, &code).await["respCode"], "00", "the code was not used up");
    assert_eq!(shop.back("04", "Back0001", 10, &query_id).await["respCode"], "00");
    assert_eq!(shop.back("04", "Back0001", 10, &query_id).await["respCode"], "12");
    assert_eq!(shop.back("04", "Once0001", 10, &query_id).await["respCode"], "12");
    let own = [("orderId", "Back0001"), ("txnTime", &time(0)), ("txnAmt", "1")];
    assert_eq!(shop.call(("01", "07"), &own).await["respCode"], "12");
    assert_eq!(shop.house.trade("Once0001").await["refunded"], 10);
}

#[tokio::test]
async fn refunds_go_back_in_parts_and_no_further() {
    let shop = Shop::open().await;
    let (desk, at, before) = (Merchant::open(0).await, time(0), shop.house.balance("unionpay-1").await);
    let query_id = shop.paid("Parts001", 1_000, &at).await;
    let now = time(0);
    let own = [
        ("orderId", "PartsR01"),
        ("txnTime", now.as_str()),
        ("txnAmt", "300"),
        ("origOrderId", "Parts001"),
        ("origTxnTime", &at),
        ("backUrl", &desk.url),
    ];
    let told = shop.call(("04", "00"), &own).await;
    assert_eq!((told["respCode"].as_str(), told["origQryId"].as_str()), ("00", query_id.as_str()));
    assert_eq!(shop.house.balance("unionpay-1").await, before - 700);
    let stands = shop.query("PartsR01", &now).await;
    for (name, value) in [
        ("origRespCode", "00"),
        ("txnType", "04"),
        ("txnAmt", "300"),
        ("origQryId", &query_id),
        ("origOrderId", "Parts001"),
        ("origTxnTime", &at),
        ("queryId", &told["queryId"]),
    ] {
        assert_eq!(stands[name], value, "{name}");
    }
    assert_eq!(shop.stands("PartsR01", &time(-60)).await, "34");
    let notice: Fields = serde_urlencoded::from_bytes(&desk.wait(1).await[0].body).unwrap();
    shop.verify(&notice);
    assert_eq!((notice["txnType"].as_str(), notice["orderId"].as_str()), ("04", "PartsR01"));
    assert_eq!((notice["txnAmt"].as_str(), notice["origQryId"].as_str()), ("300", query_id.as_str()));

    assert_eq!(shop.back("04", "PartsR02", 701, &query_id).await["respCode"], "36");
    assert_eq!(shop.back("04", "PartsR03", 700, &query_id).await["respCode"], "00");
    assert_eq!(shop.back("04", "PartsR04", 1, &query_id).await["respCode"], "45");
    assert_eq!(shop.back("04", "PartsR05", 1, "000000000000000000000").await["respCode"], "35");
    assert_eq!(shop.house.balance("unionpay-1").await, before);
    assert_eq!(shop.stands("Parts001", &at).await, "00", "it was paid once");
}

#[tokio::test]
async fn a_void_takes_the_whole_back_within_the_settlement() {
    let shop = Shop::open().await;
    let (at, before) = (time(0), shop.house.balance("unionpay-1").await);
    let query_id = shop.paid("Void0001", 1_000, &at).await;
    assert_eq!(shop.back("31", "VoidV001", 999, &query_id).await["respCode"], "36");
    assert_eq!(shop.back("31", "VoidV002", 1_000, &query_id).await["respCode"], "00");
    assert_eq!(shop.house.balance("unionpay-1").await, before);
    assert_eq!(shop.back("31", "VoidV003", 1_000, &query_id).await["respCode"], "45");
    let later = shop.paid("Void0002", 1_000, &time(1)).await;
    shop.house.advance(86_400).await;
    assert_eq!(shop.back_later("31", "VoidV004", 1_000, &later).await["respCode"], "39");
    assert_eq!(shop.back_later("04", "VoidR001", 1_000, &later).await["respCode"], "00");
}

impl Shop {
    /// As [`Shop::back`], a day ahead.
    async fn back_later(&self, kind: &str, number: &str, fen: i64, query_id: &str) -> Fields {
        let (now, fen) = (time(86_400), fen.to_string());
        let own = [("orderId", number), ("txnTime", &now), ("txnAmt", &fen), ("origQryId", query_id)];
        self.call((kind, "00"), &own).await
    }

    async fn reverse(&self, number: &str, at: &str) -> Fields {
        self.call(("99", "01"), &[("orderId", number), ("txnTime", at), ("txnAmt", "100")]).await
    }
}

#[tokio::test]
async fn a_reversal_takes_back_what_was_paid_and_what_was_not() {
    let shop = Shop::open().await;
    let (at, before) = (time(0), shop.house.balance("unionpay-1").await);
    shop.paid("Rev00001", 100, &at).await;
    for _ in 0..2 {
        assert_eq!(shop.reverse("Rev00001", &at).await["respCode"], "00");
    }
    assert_eq!(shop.stands("Rev00001", &at).await, "46");
    assert_eq!(shop.house.balance("unionpay-1").await, before);
    assert_eq!(shop.reverse("Rev00002", &at).await["respCode"], "34");
    assert_eq!(shop.reverse("Rev00001", &time(-60)).await["respCode"], "34");

    let code = shop.show("Rev00003", 100, &at, "http://www.specialUrl.com").await;
    assert_eq!(shop.reverse("Rev00003", &at).await["respCode"], "00");
    assert_eq!(shop.house.scan("unionpay-1", &code, Some(true)).await.0, 409);
    assert_eq!(shop.stands("Rev00003", &at).await, "46");

    let query_id = shop.paid("Rev00004", 100, &at).await;
    shop.back("04", "Rev0004R", 10, &query_id).await;
    assert_eq!(shop.reverse("Rev00004", &at).await["respCode"], "45");
}

#[tokio::test]
async fn what_is_not_as_it_should_be_is_refused() {
    let shop = Shop::open().await;
    let at = time(0);
    let good = || {
        shop.request(
            ("01", "07"),
            &[("orderId", "Wrong001"), ("txnTime", &at), ("txnAmt", "100"), ("currencyCode", "156")],
        )
    };
    let mut changed = shop.sign(good());
    changed.insert("txnAmt".into(), "1".into());
    assert_eq!(shop.told(BACK, &changed).await["respCode"], "11");
    let mut unsigned = good();
    unsigned.insert("signature".into(), "AAAA".into());
    assert_eq!(shop.told(BACK, &unsigned).await["respCode"], "11");
    for (field, value, code) in [
        ("certId", "68759663125", "11"),
        ("merId", "777290058110049", "31"),
        ("version", "5.0.0", "10"),
        ("encoding", "GBK", "10"),
        ("signMethod", "11", "10"),
        ("txnType", "71", "32"),
        ("accessType", "1", "32"),
        ("orderId", "short", "10"),
        ("orderId", "with-hyphen", "10"),
        ("orderId", "", "13"),
        ("txnTime", "20200101000000", "10"),
        ("txnTime", "2026112512", "10"),
        ("txnAmt", "0", "10"),
        ("txnAmt", "1.00", "10"),
        ("txnAmt", "", "13"),
        ("currencyCode", "840", "10"),
        ("backUrl", "example.com", "10"),
        ("bizType", "", "13"),
    ] {
        let mut fields = good();
        fields.insert(field.into(), value.into());
        let told = shop.told(BACK, &shop.sign(fields)).await;
        assert_eq!(told["respCode"], code, "{field} {value}: {}", told["respMsg"]);
    }
    // The right request at the wrong door, and what is no form.
    assert_eq!(shop.told(QUERY, &shop.sign(good())).await["respCode"], "32");
    assert_eq!(shop.told("/", &shop.sign(good())).await["respCode"], "32");
    let text = shop.house.http.post(shop.house.url(BACK)).body("a=1").send().await.unwrap().text().await.unwrap();
    assert_eq!(split(&text)["respCode"], "10");
    assert_eq!(shop.told(BACK, &shop.sign(good())).await["respCode"], "00");
}

/// The columns of the file's lines, by the lengths that the platform's documents give.
fn columns(line: &str) -> Vec<&str> {
    const LENGTHS: [usize; 42] = [
        3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32,
        13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
    ];
    assert_eq!(line.len(), LENGTHS.iter().sum::<usize>() + LENGTHS.len() - 1, "{line:?}");
    let mut at = 0;
    LENGTHS
        .iter()
        .map(|length| {
            let column = &line[at..at + length];
            at += length + 1;
            column.trim_end()
        })
        .collect()
}

/// The files of a day's zip by name.
fn unpacked(content: &str) -> BTreeMap<String, String> {
    let packed = BASE64.decode(content).unwrap();
    let mut zip = Vec::new();
    flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_end(&mut zip).unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            (file.name().to_owned(), text)
        })
        .collect()
}

#[tokio::test]
async fn the_settlement_file_lists_what_happened_and_what_was_taken_back_is_in_none() {
    let shop = Shop::open().await;
    let at = time(0);
    let one = shop.paid("File0001", 1_000, &at).await;
    let two = shop.paid("File0002", 2_500, &at).await;
    shop.paid("File0003", 100, &at).await;
    shop.reverse("File0003", &at).await;
    let part = shop.back("04", "FileR001", 400, &one).await["queryId"].clone();
    shop.back("31", "FileV001", 2_500, &two).await;
    let code = shop.house.auth_code("unionpay-2").await;
    shop.pay("File0004", 100_000, &code).await;
    // The settlement that runs now ends at 23:00.
    let day = china(seconds() + 3_600, "%m%d");
    let file = async |date: &str, at: &str, path: &'static str| {
        let fields = shop.request(("76", "01"), &[("settleDate", date), ("txnTime", at), ("fileType", "00")]);
        shop.told(path, &shop.sign(fields)).await
    };
    assert_eq!(file(&day, &time(0), "/").await["respCode"], "98");
    shop.house.advance(86_400).await;
    let told = file(&day, &time(86_400), "/").await;
    assert_eq!(told["respCode"], "00", "{}", told["respMsg"]);
    assert_eq!(told["fileContent"], file(&day, &time(86_400), BACK).await["fileContent"]);
    let mer_id = House::text(&shop.account, "mer_id");
    assert_eq!(told["fileName"], format!("{mer_id}_{}.zip", china(seconds() + 3_600, "%Y%m%d")));
    let files = unpacked(&told["fileContent"]);
    let short = china(seconds() + 3_600, "%y%m%d");
    assert_eq!(files[&format!("INN{short}88ZME_{mer_id}")], "");
    let text = &files[&format!("INN{short}88ZM_{mer_id}")];
    assert!(text.ends_with("\r\n"));
    let lines: Vec<Vec<&str>> = text.lines().map(columns).collect();
    let find = |order: &str| lines.iter().find(|line| line[11] == order);
    assert_eq!(lines.len(), 4, "{text}");
    let paid = find("File0001").unwrap();
    assert_eq!((paid[9], paid[19], paid[20], paid[27]), (one.as_str(), "01", "06", mer_id));
    assert_eq!((paid[3], paid[6], paid[33], paid[34]), (&one[14..20], "000000001000", "00000007", "till 3"));
    assert_eq!((paid[15], paid[16], paid[32]), ("D000000000004", "C000000001000", "C000000000996"));
    let back = find("FileR001").unwrap();
    assert_eq!((back[9], back[19], back[6]), (part.as_str(), "04", "000000000400"));
    assert_eq!((back[13], back[26], back[40]), (&one[14..20], one.as_str(), "File0001"));
    assert_eq!((back[15], back[16]), ("C000000000002", "D000000000400"));
    assert_eq!(find("FileV001").unwrap()[19], "31");
    assert!(find("File0003").is_none() && find("File0004").is_none());

    // A day without business, and days that are none.
    let before = china(seconds() + 3_600 - 86_400, "%m%d");
    let quiet = unpacked(&file(&before, &time(86_400), "/").await["fileContent"]);
    assert!(quiet.values().all(String::is_empty) && quiet.len() == 2);
    for wrong in ["1332", "112", "abcd"] {
        assert_eq!(file(wrong, &time(86_400), "/").await["respCode"], "98", "{wrong}");
    }
}

#[tokio::test]
async fn faults_break_the_calls_that_they_name() {
    let shop = Shop::open().await;
    let fault = async |fault: Value| shop.house.post("/sandbox/faults", fault).await;
    let at = time(0);
    let code = shop.house.auth_code("unionpay-1").await;
    let own = [("orderId", "Fault001"), ("txnTime", &at), ("txnAmt", "100"), ("qrNo", &code), ("termId", "00000001")];
    let request = shop.sign(shop.request(("01", "06"), &own));
    fault(json!({ "fault": "lose_request", "channel": "unionpay", "call": "pay" })).await;
    assert!(shop.post(BACK, &request).await.is_err());
    fault(json!({ "fault": "system_error", "channel": "unionpay", "call": "pay" })).await;
    assert_eq!(shop.told(BACK, &request).await["respCode"], "03");
    fault(json!({ "fault": "refuse", "channel": "unionpay", "call": "pay", "code": "04" })).await;
    assert_eq!(shop.told(BACK, &request).await["respCode"], "04");
    assert_eq!(shop.stands("Fault001", &at).await, "34");
    fault(json!({ "fault": "lose_answer", "channel": "unionpay", "call": "pay" })).await;
    assert!(shop.post(BACK, &request).await.is_err());
    assert_eq!(shop.stands("Fault001", &at).await, "00", "it was carried out");
    fault(json!({ "fault": "http_500", "channel": "unionpay", "call": "reverse" })).await;
    assert!(shop.post(BACK, &shop.sign(shop.request(("99", "01"), &own[..2]))).await.is_err());
    fault(json!({ "fault": "refuse", "channel": "unionpay", "call": "refund", "code": "A6" })).await;
    let query_id = shop.query("Fault001", &at).await["queryId"].clone();
    assert_eq!(shop.back("04", "FaultR01", 40, &query_id).await["respCode"], "A6");
    assert_eq!(shop.house.trade("Fault001").await["refunded"], 40);
    let (status, _) =
        shop.house.control("POST", "/sandbox/faults", json!({ "fault": "down", "channel": "bank" })).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn the_credentials_are_written_for_an_sdk() {
    let out = tempfile::tempdir().unwrap();
    let mut config = config();
    config.out = Some(out.path().to_owned());
    let shop = Shop::of(House::with(config).await);
    let text = std::fs::read_to_string(out.path().join("credentials.json")).unwrap();
    let told = serde_json::from_str::<Value>(&text).unwrap()["unionpay"].clone();
    let read = |name: &str| std::fs::read(out.path().join(told[name].as_str().unwrap())).unwrap();
    assert_eq!(told["mer_id"], shop.account["mer_id"]);
    let identity = read_pkcs12(&read("sign_p12"), told["sign_p12_password"].as_str().unwrap()).unwrap();
    assert_eq!(identity.chain, shop.identity.chain);
    assert_eq!(told["cert_id"], identity.chain[0].serial_decimal());
    let pem = |name: &str| certificates(&String::from_utf8(read(name)).unwrap()).unwrap().remove(0);
    let (middle, root) = (pem("middle_certificate"), pem("root_certificate"));
    assert_eq!(pem("sign_certificate"), identity.chain[0]);
    assert_eq!(identity.chain[0].check_chain(&[middle], &[root], seconds() * 1_000), Ok(()));
}
