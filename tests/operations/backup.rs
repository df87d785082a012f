//! Copies of the books: made while they are written, checked, and put back only where that was said.

use std::path::Path;

use serde_json::Value;
use sqlx::{Connection, Executor, SqliteConnection};
use tempfile::TempDir;

use crate::support::{run, scantill, stderr, stdout};
use crate::{Shop, postgres};

fn json_of(data: &Path, args: &[&str]) -> Value {
    let output = run(data, args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    serde_json::from_str(stdout(&output).lines().last().unwrap()).unwrap()
}

fn refused(data: &Path, args: &[&str], words: &str) {
    let output = run(data, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", stdout(&output));
    assert!(stderr(&output).contains(words), "{args:?}: {}", stderr(&output));
}

fn gross(data: &Path, more: &[&str]) -> i64 {
    let output = run(data, &[&["takings", "--format", "json"], more].concat());
    let takings: Value = serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    takings["gross"].as_i64().unwrap()
}

/// Another folder with the same keys.
fn with_keys_of(data: &Path) -> TempDir {
    let other = TempDir::new().unwrap();
    let keys = other.path().join("keys");
    std::fs::create_dir(&keys).unwrap();
    for file in std::fs::read_dir(data.join("keys")).unwrap().flatten() {
        if !file.file_name().to_string_lossy().starts_with("anchor-") {
            std::fs::copy(file.path(), keys.join(file.file_name())).unwrap();
        }
    }
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_while_selling_is_whole_and_can_be_put_back() {
    use std::os::unix::fs::PermissionsExt;
    let mut shop = Shop::open().await;
    shop.sell(100).await;
    let copies = TempDir::new().unwrap();
    let file = copies.path().join("books.db");
    let name = file.to_str().unwrap();
    let data = shop.path().to_owned();
    let out = file.clone();
    let copying = tokio::task::spawn_blocking(move || {
        json_of(&data, &["ledger", "backup", "--out", out.to_str().unwrap(), "--json"])
    });
    for _ in 0..5 {
        shop.sell(10).await;
    }
    let told = copying.await.unwrap();
    assert!(told["seq"].as_i64().unwrap() > 5 && told["rows"] == told["seq"], "{told}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0);
    assert_eq!(std::fs::read_dir(copies.path()).unwrap().count(), 1, "one file, no log beside it");
    refused(shop.path(), &["ledger", "backup", "--out", name], "already");
    let copied = gross(shop.path(), &["--database", &format!("sqlite:{name}")]);
    assert!((100..=150).contains(&copied), "{copied}");

    // In another folder with the same keys.
    let other = with_keys_of(shop.path());
    let told = json_of(other.path(), &["ledger", "restore", name, "--json"]);
    assert_eq!(told["moved_aside"], Value::Null);
    assert_eq!(gross(other.path(), &[]), copied);
    let verified = json_of(other.path(), &["ledger", "verify", "--json"]);
    assert!(verified["anchor"] == "held" && verified["broken"].is_null(), "{verified}");
    refused(other.path(), &["ledger", "restore", name, "--accept-older"], "there are books");

    // Where it came from: never over books that are in use, never over books at all, never older unless all was said.
    refused(shop.path(), &["ledger", "restore", name, "--replace", "--accept-older"], "in use");
    assert_eq!(gross(shop.path(), &[]), 150);
    shop.close();
    refused(shop.path(), &["ledger", "restore", name], "not in it");
    refused(shop.path(), &["ledger", "restore", name, "--accept-older"], "there are books");
    refused(shop.path(), &["ledger", "restore", name, "--replace"], "not in it");
    assert_eq!(gross(shop.path(), &[]), 150);
    let told = json_of(shop.path(), &["ledger", "restore", name, "--replace", "--accept-older", "--json"]);
    let aside = told["moved_aside"].as_str().unwrap().to_owned();
    assert_eq!(gross(shop.path(), &[]), copied);
    assert_eq!(gross(shop.path(), &["--database", &format!("sqlite:{aside}")]), 150, "what was there is not lost");
    let left = std::fs::read_dir(shop.path()).unwrap().flatten().map(|file| file.file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().starts_with("restoring-")));
    shop.reopen();
    shop.sell(7).await;

    // A copy that was changed is not put back.
    let mut stranger = SqliteConnection::connect(&format!("sqlite:{name}")).await.unwrap();
    stranger.execute("UPDATE journal SET payload = '{}' WHERE seq = 4").await.unwrap();
    stranger.close().await.unwrap();
    let third = with_keys_of(shop.path());
    refused(third.path(), &["ledger", "restore", name], "row 4");
    assert!(!third.path().join("scantill.db").exists());
    let strangers = TempDir::new().unwrap();
    refused(strangers.path(), &["ledger", "restore", name], "row 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn books_move_between_the_databases() {
    let mut shop = Shop::open().await;
    shop.sell(100).await;
    shop.close();
    let copies = TempDir::new().unwrap();
    let (first, second) = (copies.path().join("first.db"), copies.path().join("second.db"));
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    json_of(shop.path(), &["ledger", "backup", "--out", first, "--json"]);
    let url = postgres::shared().database().await;
    json_of(shop.path(), &["ledger", "restore", first, "--database", &url, "--json"]);
    let again = ["ledger", "restore", first, "--database", &url, "--replace", "--accept-older"];
    refused(shop.path(), &again, "there are books");
    // A chain goes on from it, and its books come back into a file.
    let mut command = scantill(shop.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--database", &url]);
    shop.serve = crate::support::Running::start(command);
    shop.serve.json();
    shop.client = crate::support::client_of(shop.path());
    shop.sell(11).await;
    json_of(shop.path(), &["ledger", "backup", "--out", second, "--database", &url, "--json"]);
    let verified = json_of(shop.path(), &["ledger", "verify", "--json", "--database", &url]);
    assert!(verified["anchor"] == "held" && verified["broken"].is_null(), "{verified}");
    assert_eq!(gross(shop.path(), &["--database", &format!("sqlite:{second}")]), 111);
}
