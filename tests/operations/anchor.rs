//! Books that were put back to an older state, note of their end and all, are noticed.

use serde_json::Value;
use sqlx::{Connection, Executor, SqliteConnection};

use crate::Shop;
use crate::support::{run, scantill, stderr, stdout};

/// The database's file and the log beside it.
const ENDS: [&str; 2] = ["", "-wal"];

fn taken(shop: &Shop) -> Vec<Option<Vec<u8>>> {
    ENDS.iter().map(|end| std::fs::read(format!("{}{end}", shop.database().display())).ok()).collect()
}

/// Puts what was taken back, as one who has the disk can.
fn put_back(shop: &Shop, taken: &[Option<Vec<u8>>]) {
    let _ = std::fs::remove_file(format!("{}-shm", shop.database().display()));
    for (end, bytes) in ENDS.iter().zip(taken) {
        let path = format!("{}{end}", shop.database().display());
        match bytes {
            Some(bytes) => std::fs::write(path, bytes).unwrap(),
            None => drop(std::fs::remove_file(path)),
        }
    }
}

fn verify(shop: &Shop) -> (bool, Value) {
    let output = run(shop.path(), &["ledger", "verify", "--json"]);
    let told = serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    (output.status.success(), told)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_database_is_noticed_refused_and_taken_only_when_told() {
    let mut shop = Shop::open().await;
    shop.sell(100).await;
    shop.close();
    let older = taken(&shop);
    let (good, told) = verify(&shop);
    assert!(good && told["anchor"] == "held", "{told}");
    let rows = told["rows"].as_i64().unwrap();

    shop.reopen();
    shop.sell(200).await;
    shop.close();
    let newer = taken(&shop);
    put_back(&shop, &older);
    let (good, told) = verify(&shop);
    assert!(!good, "{told}");
    assert_eq!((told["anchor"].as_str(), told["broken"]["seq"].as_i64()), (Some("broken"), Some(rows + 1)));
    assert!(told["broken"]["why"].as_str().unwrap().contains("older state"), "{told}");

    let mut command = scantill(shop.path());
    let refused = command.args(["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("scantill ledger accept"), "{}", stderr(&refused));
    let (_, told) = verify(&shop);
    assert_eq!(told["broken"]["seq"].as_i64(), Some(rows + 1), "nothing was written: {told}");
    let unasked = run(shop.path(), &["ledger", "accept"]);
    assert_eq!(unasked.status.code(), Some(1), "{}", stdout(&unasked));

    // The right file comes back: all is well again.
    put_back(&shop, &newer);
    let (good, told) = verify(&shop);
    assert!(good && told["anchor"] == "held", "{told}");

    // Or the older one is meant.
    put_back(&shop, &older);
    let accepted = run(shop.path(), &["ledger", "accept", "--yes"]);
    assert!(accepted.status.success(), "{}", stderr(&accepted));
    let (good, told) = verify(&shop);
    assert!(good && told["anchor"] == "held" && told["rows"] == rows + 1, "{told}");
    shop.reopen();
    shop.sell(300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_cut_off_with_its_own_old_seal_is_noticed() {
    let mut shop = Shop::open().await;
    shop.sell(100).await;
    shop.close();
    let url = format!("sqlite:{}", shop.database().display());
    let mut stranger = SqliteConnection::connect(&url).await.unwrap();
    stranger.execute("CREATE TABLE kept AS SELECT * FROM journal_head").await.unwrap();
    stranger.close().await.unwrap();
    shop.reopen();
    shop.sell(200).await;
    shop.close();
    // The end's note that the program itself once wrote fits a journal that ends there: the chain alone shows nothing.
    let mut stranger = SqliteConnection::connect(&url).await.unwrap();
    for cut in [
        "DELETE FROM journal WHERE seq > (SELECT seq FROM kept)",
        "DELETE FROM journal_head",
        "INSERT INTO journal_head SELECT * FROM kept",
        "DROP TABLE kept",
    ] {
        stranger.execute(cut).await.unwrap();
    }
    stranger.close().await.unwrap();
    let (good, told) = verify(&shop);
    assert!(!good && told["anchor"] == "broken", "{told}");
    let anchor = std::fs::read_dir(shop.path().join("keys")).unwrap().flatten();
    for file in anchor.filter(|file| file.file_name().to_string_lossy().starts_with("anchor-")) {
        std::fs::write(file.path(), br#"{"seq":1,"mac":"00","seal":"00"}"#).unwrap();
    }
    let (_, told) = verify(&shop);
    assert_eq!(told["anchor"], "unreadable", "an anchor that was changed is not believed");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_database_is_never_behind_its_anchor() {
    let mut shop = Shop::open().await;
    for round in 0..4 {
        let sales: Vec<_> = (0..6).map(|number| shop.sale(100 + number)).collect();
        let pause = std::time::Duration::from_millis(30 + round * 90);
        tokio::select! {
            _ = futures::future::join_all(sales) => {}
            () = tokio::time::sleep(pause) => {}
        }
        shop.serve.kill();
        let (good, told) = verify(&shop);
        assert!(good && told["anchor"] == "held", "{told}");
        shop.reopen();
    }
}
