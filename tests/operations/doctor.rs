//! `scantill doctor` finds what is wrong and says what to do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use scantill::api::wire::CreateAccount;
use scantill::payment::ChannelId;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, SqliteConnection};
use tempfile::TempDir;

use crate::Shop;
use crate::support::{run, stderr, stdout};

/// The report, and whether the command called it good.
fn examine(data: &Path, args: &[&str]) -> (bool, Value) {
    let output = run(data, &[&["doctor", "--json"], args].concat());
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    assert_eq!(output.status.success(), report["verdict"] != "failure", "{report}");
    for check in report["checks"].as_array().unwrap() {
        assert!(check["found"].as_str().is_some_and(|found| found.ends_with(['.', ')'])), "a sentence: {check}");
        assert_eq!(check["verdict"] == "ok", check["cure"].is_null(), "what is not well has a cure: {check}");
    }
    (output.status.success(), report)
}

/// The verdicts on one matter.
fn verdicts(report: &Value, check: &str) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks.filter(|one| one["check"] == check).map(|one| one["verdict"].as_str().unwrap().to_owned()).collect()
}

fn all(report: &Value, check: &str, verdict: &str) -> bool {
    let found = verdicts(report, check);
    !found.is_empty() && found.iter().all(|one| one == verdict)
}

#[test]
fn an_empty_folder_is_no_failure_and_stays_empty() {
    let data = TempDir::new().unwrap();
    let (good, report) = examine(data.path(), &[]);
    assert!(good, "{report}");
    for check in ["data_folder", "disk", "api", "key_store", "database", "accounts", "printer"] {
        assert!(all(&report, check, "ok"), "{check}: {report}");
    }
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "nothing was made");
    let told = run(data.path(), &["doctor"]);
    assert!(stdout(&told).lines().count() > 8 && stdout(&told).contains("ok       database: "), "{}", stdout(&told));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_shop_is_well_and_each_trouble_is_named() {
    let mut shop = Shop::open().await;
    shop.sell(1234).await;
    let (good, report) = examine(shop.path(), &[]);
    assert!(good, "{report}");
    for check in ["api", "database", "journal", "anchor", "in_flight", "clock"] {
        assert!(all(&report, check, "ok"), "{check}: {report}");
    }
    assert_eq!(verdicts(&report, "network"), ["ok", "ok"]);
    assert_eq!(verdicts(&report, "account"), ["ok", "ok"]);

    // As a till of a chain sees it.
    let key_file = shop.path().join("api.json");
    let url = crate::base_url(shop.path());
    let elsewhere = TempDir::new().unwrap();
    let (good, report) = examine(elsewhere.path(), &["--api", &url, "--key-file", key_file.to_str().unwrap()]);
    assert!(good && all(&report, "network", "ok") && all(&report, "api", "ok"), "{report}");
    assert_eq!(verdicts(&report, "account"), ["ok", "ok"]);

    // The gateways go away.
    shop.sandbox.kill();
    let (good, report) = examine(shop.path(), &[]);
    assert!(!good, "{report}");
    assert!(all(&report, "network", "failure") && all(&report, "account", "failure"), "{report}");
    assert!(all(&report, "journal", "ok"));

    // Somebody changes a row.
    shop.close();
    let url = format!("sqlite:{}", shop.database().display());
    let mut stranger = SqliteConnection::connect(&url).await.unwrap();
    stranger.execute("UPDATE journal SET payload = '{}' WHERE seq = 3").await.unwrap();
    stranger.close().await.unwrap();
    let (_, report) = examine(shop.path(), &[]);
    assert!(all(&report, "journal", "failure"), "{report}");
    assert!(report.to_string().contains("row 3"), "{report}");

    // And opens the keys to everybody.
    let open = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    open(shop.path(), 0o755);
    let key = shop.path().join("keys/chain.key");
    open(&key, 0o644);
    let (_, report) = examine(shop.path(), &[]);
    assert!(all(&report, "data_folder", "failure") && report.to_string().contains("chain.key"), "{report}");
    std::fs::remove_file(&key).unwrap();
    let (_, report) = examine(shop.path(), &[]);
    assert!(!key.exists(), "looking makes no key: {report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_told_before_they_run_out() {
    let shop = Shop::open().await;
    let told: Value =
        serde_json::from_slice(&std::fs::read(shop.out.path().join("credentials.json")).unwrap()).unwrap();
    let text = |field: &str| told["wechatpay"][field].as_str().unwrap().to_owned();
    let file = |field: &str| std::fs::read_to_string(shop.out.path().join(text(field))).unwrap();
    let certificate = |days: i64| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        let end = jiff::Timestamp::now().as_second() + days * 86_400;
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        let end = jiff::Timestamp::from_second(end).unwrap().to_zoned(jiff::tz::TimeZone::UTC).date();
        let (month, day) = (u8::try_from(end.month()).unwrap(), u8::try_from(end.day()).unwrap());
        params.not_after = rcgen::date_time_ymd(end.year().into(), month, day);
        params.self_signed(&key).unwrap().pem()
    };
    for (id, days) in [("over", -5), ("soon", 10), ("long", 400)] {
        let credentials = json!({
            "appid": text("appid"),
            "mchid": text("mchid"),
            "merchant_private_key": file("merchant_private_key"),
            "merchant_serial": text("merchant_serial"),
            "api_v3_key": text("api_v3_key"),
            "platform_public_key_id": text("platform_public_key_id"),
            "platform_public_key": file("platform_public_key"),
            "platform_certificate": certificate(days),
        });
        let account = CreateAccount {
            id: Some(id.parse().unwrap()),
            ..CreateAccount::new(ChannelId::WECHATPAY, id.into(), shop.sandbox_url.clone(), credentials)
        };
        shop.client.create_account(&account).await.unwrap();
    }
    let (good, report) = examine(shop.path(), &[]);
    assert!(!good);
    let of = |id: &str| {
        let checks = report["checks"].as_array().unwrap().iter();
        let about = format!("{id} platform_certificate");
        let mut found = checks.filter(|one| one["check"] == "certificate" && one["about"] == about.as_str());
        found.next().unwrap_or_else(|| panic!("{about}: {report}"))["verdict"].clone()
    };
    assert_eq!((of("over"), of("soon"), of("long")), ("failure".into(), "warning".into(), "ok".into()));
}
