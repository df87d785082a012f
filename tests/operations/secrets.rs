//! A whole day's work with everything told that can be told: no secret is in anything said or written, and nobody else
//! can read what is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use scantill::api::wire::{CreateOperator, RefundPayment, Role};
use scantill::client::idempotency_key;
use scantill::crypto::Secret;
use serde_json::Value;

use crate::Shop;
use crate::support::scantill;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            files(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_days_work_leaves_no_secret_in_plain_and_no_file_open() {
    let mut shop = Shop::open_with(|command| {
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").args(["--log-format", "json"]);
    })
    .await;
    let mut secrets: Vec<(String, Vec<&str>)> = Vec::new();
    let told: Value = serde_json::from_slice(&fs::read(shop.out.path().join("credentials.json")).unwrap()).unwrap();
    for (channel, field) in [("alipay", "app_private_key_pkcs8"), ("wechatpay", "merchant_private_key")] {
        let pem = fs::read_to_string(shop.out.path().join(told[channel][field].as_str().unwrap())).unwrap();
        let lines = pem.lines().filter(|line| line.len() == 64 && !line.starts_with('-')).skip(1);
        secrets.extend(lines.map(|line| (line.to_owned(), vec![])));
    }
    secrets.push((told["wechatpay"]["api_v3_key"].as_str().unwrap().to_owned(), vec![]));
    let reach: Value = serde_json::from_slice(&fs::read(shop.path().join("api.json")).unwrap()).unwrap();
    secrets.push((reach["secret"].as_str().unwrap().to_owned(), vec!["api.json"]));
    for key in ["chain.key", "seal.key"] {
        secrets.push((fs::read_to_string(shop.path().join("keys").join(key)).unwrap(), vec![key]));
    }

    // Whoever does it is signed in.
    let password = "korrekt-pferd-batterie";
    let anna = CreateOperator {
        id: Some("anna".parse().unwrap()),
        name: "Anna".into(),
        role: Role::Supervisor,
        store: None,
        pin: Secret::new(password.into()),
    };
    shop.client.create_operator(&anna).await.unwrap();
    let wrong = "korrekt-pferd-kondensator";
    shop.client.sign_in(&"anna".parse().unwrap(), Secret::new(wrong.into())).await.unwrap_err();
    let session = shop.client.sign_in(&"anna".parse().unwrap(), Secret::new(password.into())).await.unwrap();
    secrets.extend([password, wrong, session.token.expose()].map(|secret| (secret.to_owned(), vec![])));

    // Paid, refused twice over, returned, cancelled.
    let limits = fs::read_to_string(format!("/proc/{}/limits", shop.serve.child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "a crash leaves no picture of the memory: {core}");
    let paid = shop.sale(1234).await;
    let code = shop.phones.auth_code("wechatpay").await;
    secrets.push((code.clone(), vec![]));
    shop.client.scan(&paid.id, &code).await.unwrap();
    shop.until(&paid, |payment| payment.state.is_paid()).await;
    let again = shop.sale(1234).await;
    shop.client.scan(&again.id, &code).await.unwrap_err();
    let wrong = "280000000000000091";
    secrets.push((wrong.to_owned(), vec![]));
    shop.client.scan(&again.id, wrong).await.unwrap();
    shop.until(&again, |payment| payment.attempts.iter().all(|attempt| attempt.state.is_end())).await;
    shop.client.cancel(&again.id).await.unwrap();
    shop.client.refund(&paid.id, &RefundPayment::default(), &idempotency_key()).await.unwrap();
    shop.until(&paid, |payment| payment.refunds.iter().all(|refund| refund.state.is_end())).await;

    let mut heard: Vec<(String, Vec<u8>)> = Vec::new();
    let copy = shop.path().join("copy.db");
    for args in [
        &["doctor"][..],
        &["doctor", "--json"],
        &["account", "list", "--json"],
        &["takings", "--format", "csv"],
        &["ledger", "verify", "--json"],
        &["ledger", "backup", "--out", copy.to_str().unwrap()],
        &["ledger", "restore", copy.to_str().unwrap()],
        &["pay", "1.00", "--code", "280000000000000091", "--json"],
        &["pay", "1.00", "--code", "280000000000000091", "--json", "--as", "anna"],
        &["operator", "list", "--json"],
        &["operator", "list"],
    ] {
        let mut command = scantill(shop.path());
        command.env("SCANTILL_PIN", password).args(args).stdin(std::process::Stdio::null());
        let output = command.output().unwrap();
        heard.push((format!("stdout of {args:?}"), output.stdout));
        heard.push((format!("stderr of {args:?}"), output.stderr));
    }
    shop.serve.kill();
    let log = shop.serve.errors().join("\n");
    assert!(log.contains("\"TRACE\""), "the log tells all it can");
    heard.push(("the log".into(), log.into_bytes()));
    let mut written = Vec::new();
    files(shop.path(), &mut written);
    assert!(written.len() > 6);
    for path in &written {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is open to others: {mode:o}", path.display());
        heard.push((path.display().to_string(), fs::read(path).unwrap()));
    }
    for (secret, may_be_in) in &secrets {
        assert!(secret.len() >= 16, "too short to look for");
        for (place, bytes) in &heard {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found || may_be_in.iter().any(|name| place.ends_with(name)), "{}… is in {place}", &secret[..6]);
        }
    }
}
