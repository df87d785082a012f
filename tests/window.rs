//! One run as the cashier and the customer have it: a real window under Xvfb, an amount typed, paid both ways, and both
//! in the books.
#![cfg(feature = "till")]

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use scantill::api::wire::PaymentQuery;
use serde_json::Value;
use support::{PATIENCE, Phones, Running, run, scantill, stdout};
use tempfile::tempdir;

/// A screen with no monitor, gone when dropped.
struct Screen {
    server: Child,
    display: String,
}

impl Screen {
    fn start() -> Self {
        // `-displayfd` lets the server choose a free number and tell it once it is ready.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1920x1200x24", "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed (Debian package xvfb)");
        let mut number = String::new();
        let out = server.stdout.take().expect("stdout is piped");
        BufReader::new(out).read_line(&mut number).expect("Xvfb tells its display");
        Self { server, display: format!(":{}", number.trim()) }
    }

    /// A hand on the keyboard.
    fn hand(&self, args: &[&str]) -> String {
        let output = Command::new("xdotool")
            .args(args)
            .env("DISPLAY", &self.display)
            .output()
            .expect("xdotool is installed (Debian package xdotool)");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn key(&self, names: &[&str]) {
        self.hand(&[&["key", "--delay", "120"][..], names].concat());
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "never seen: {what}");
        sleep(Duration::from_millis(100));
    }
}

/// The till on that screen; its window has the keyboard.
fn open_till(screen: &Screen, data: &Path) -> Running {
    let mut command = scantill(data);
    command.env("DISPLAY", &screen.display).env_remove("WAYLAND_DISPLAY");
    command.args(["--language", "en", "--window", "1280x800"]);
    let till = Running::start(command);
    let window = until("the cashier's window", || {
        let found = screen.hand(&["search", "--onlyvisible", "--name", "Scantill"]);
        found.lines().next().map(str::to_owned)
    });
    screen.hand(&["windowfocus", "--sync", &window]);
    till
}

fn takings(data: &Path) -> Option<Value> {
    serde_json::from_str(&stdout(&run(data, &["takings", "--format", "json"]))).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_paid_each_way_in_a_real_window() {
    let screen = Screen::start();
    let data = tempdir().unwrap();
    let mut till = open_till(&screen, data.path());
    let reach: Value =
        until("the Payment API", || serde_json::from_slice(&std::fs::read(data.path().join("api.json")).ok()?).ok());
    let phones = Phones::new(reach["sandbox_url"].as_str().expect("training mode has a sandbox"));
    sleep(Duration::from_secs(1));

    // 12.34, Enter: the codes go up. The customer scans Alipay's.
    // On a busy machine the window may stand before it takes keys: then nothing has begun, and the hand tries again.
    let client = support::client_of(data.path());
    for _ in 0..6 {
        screen.key(&["1", "2", "period", "3", "4", "Return"]);
        sleep(Duration::from_secs(2));
        if !client.payments(&PaymentQuery::default()).await.expect("payments").payments.is_empty() {
            break;
        }
        screen.key(&["Escape"]);
    }
    let payload = support::shown_code(data.path(), "alipay").await;
    phones.pay_shown("alipay", &payload).await;
    until("the first sale in the books", || takings(data.path()).filter(|takings| takings["gross"] == 1234));
    sleep(Duration::from_secs(1));

    // The next key begins the next sale: 8.50, and the customer's code comes from a wedge scanner, fast.
    screen.key(&["8", "period", "5", "Return"]);
    sleep(Duration::from_secs(2));
    let code = phones.auth_code("wechatpay").await;
    screen.hand(&["type", "--delay", "4", &code]);
    screen.hand(&["key", "Return"]);
    let both = until("both sales in the books", || takings(data.path()).filter(|takings| takings["count"] == 2));
    assert_eq!(both["gross"], 2084);
    assert_eq!(
        (&both["by_channel"]["alipay"]["gross"], &both["by_channel"]["wechatpay"]["gross"]),
        (&1234.into(), &850.into())
    );
    let provider: i64 = phones
        .trades()
        .await
        .iter()
        .filter(|trade| trade["state"].as_str().is_some_and(|state| state.contains("SUCCESS")))
        .map(|trade| trade["amount"].as_i64().unwrap() - trade["refunded"].as_i64().unwrap())
        .sum();
    assert_eq!(provider, 2084, "the books agree with the providers'");
    assert!(till.child.try_wait().unwrap().is_none(), "the till is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_till_takes_nothing_but_the_pin() {
    let (screen, data) = (Screen::start(), tempdir().unwrap());
    for (id, pin) in [("anna", "4711"), ("li", "90125")] {
        let mut command = scantill(data.path());
        command.args(["operator", "add", id, "--name", id]).env("SCANTILL_NEW_PIN", pin);
        assert!(command.status().unwrap().success());
    }
    let _till = open_till(&screen, data.path());
    until("the Payment API", || data.path().join("api.json").exists().then_some(()));
    let client = support::client_of(data.path());
    let sales = async || client.payments(&PaymentQuery::default()).await.expect("payments").payments;
    sleep(Duration::from_secs(2));

    // An amount is no PIN, and no sale either.
    screen.key(&["1", "2", "Return"]);
    sleep(Duration::from_secs(2));
    assert!(sales().await.is_empty());
    // Li is the second. On a busy machine the first keys may be lost: Escape clears, and the hand tries again.
    for _ in 0..6 {
        screen.key(&["Escape", "Up", "Down", "9", "0", "1", "2", "5", "Return"]);
        sleep(Duration::from_secs(2));
        screen.key(&["1", "2", "Return"]);
        sleep(Duration::from_secs(2));
        if !sales().await.is_empty() {
            break;
        }
    }
    let sale = sales().await.into_iter().next().expect("who is signed in may sell");
    assert_eq!(sale.operator.as_deref(), Some("li"));

    // While a sale is under way the till is not locked; when it is over it is, and the next is nobody's.
    screen.key(&["F9", "Escape"]);
    support::until(&client, &sale, |sale| sale.state.is_end()).await;
    let before = sales().await.len();
    screen.key(&["Escape", "F9", "3", "Return"]);
    sleep(Duration::from_secs(2));
    assert_eq!(sales().await.len(), before);
}
