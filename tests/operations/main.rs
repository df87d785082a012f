//! Running a shop: what `doctor`, metrics and logs tell, who is kept out, and books that nobody can quietly put back.

#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/mod.rs"]
mod support;

mod access;
mod anchor;
mod backup;
mod doctor;
mod house;
mod logs;
mod metrics;
mod offline;
mod operators;
mod secrets;

use std::path::{Path, PathBuf};

use scantill::api::wire::{CreatePayment, PaymentView};
use scantill::client::{Client, idempotency_key};
use scantill::money::Currency;
use support::{Phones, Running, add_accounts, client_of, scantill};
use tempfile::TempDir;

/// A sandbox, and `serve` with accounts on it.
struct Shop {
    data: TempDir,
    out: TempDir,
    sandbox: Running,
    sandbox_url: String,
    serve: Running,
    phones: Phones,
    client: Client,
}

impl Shop {
    async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// With more said to `serve`.
    async fn open_with(more: fn(&mut std::process::Command)) -> Self {
        let (data, out) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let mut command = scantill(data.path());
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--out"]).arg(out.path());
        let mut sandbox = Running::start(command);
        let sandbox_url = sandbox.json()["base_url"].as_str().unwrap().to_owned();
        let serve = serve(data.path(), more);
        let client = client_of(data.path());
        let key_file = data.path().join("api.json");
        add_accounts(&base_url(data.path()), key_file.to_str().unwrap(), &sandbox_url, out.path()).await;
        Self { data, out, sandbox, phones: Phones::new(&sandbox_url), sandbox_url, serve, client }
    }

    fn path(&self) -> &Path {
        self.data.path()
    }

    fn database(&self) -> PathBuf {
        self.data.path().join("scantill.db")
    }

    async fn sale(&self, amount: i64) -> PaymentView {
        self.client.create_payment(&new_sale(amount), &idempotency_key()).await.unwrap()
    }

    /// A sale that was paid by the customer's code.
    async fn sell(&self, amount: i64) -> PaymentView {
        let payment = self.sale(amount).await;
        let code = self.phones.auth_code("alipay").await;
        self.client.scan(&payment.id, &code).await.unwrap();
        self.until(&payment, |payment| payment.state.is_paid()).await
    }

    async fn until(&self, payment: &PaymentView, reached: impl Fn(&PaymentView) -> bool) -> PaymentView {
        support::until(&self.client, payment, reached).await
    }

    /// Asks `serve` to end, and waits for it; what it said on stderr.
    fn close(&mut self) -> Vec<String> {
        let id = rustix::process::Pid::from_child(&self.serve.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        self.serve.child.wait().unwrap();
        self.serve.errors()
    }

    /// Starts `serve` again.
    fn reopen(&mut self) {
        self.serve = serve(self.data.path(), |_| {});
        self.client = client_of(self.data.path());
    }
}

fn serve(data: &Path, more: impl FnOnce(&mut std::process::Command)) -> Running {
    let mut command = scantill(data);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    more(&mut command);
    let mut serve = Running::start(command);
    serve.json();
    serve
}

fn base_url(data: &Path) -> String {
    let reach: serde_json::Value = serde_json::from_slice(&std::fs::read(data.join("api.json")).unwrap()).unwrap();
    reach["base_url"].as_str().unwrap().to_owned()
}

fn new_sale(amount: i64) -> CreatePayment {
    CreatePayment {
        amount,
        currency: Currency::CNY,
        description: Some("lunch set".into()),
        operator: None,
        collect_seconds: None,
    }
}
