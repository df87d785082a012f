//! Alipay Open API, face-to-face payment (当面付): `alipay.trade.pay`, `precreate`, `query`, `cancel`, `close`,
//! `refund`, RSA2 both ways.

mod answer;
mod credentials;
mod notification;
mod outcome;
mod request;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::json;

use self::answer::Reply;
use self::credentials::Credentials;
use super::http::{Sender, now, unreachable};
use super::{
    AccountError, AccountFault, AccountForm, AccountTest, Acknowledgement, Bill, BillError, BillKind, Capabilities,
    Channel, CodeOutcome, ConfirmedBy, CredentialField, FieldKind, MerchantAccount, Notification, NotificationError,
    PayOutcome, Provider, QueryOutcome, RawNotification, RefundOutcome, RefundRef, RefundRules, Required, TradeDetails,
    TradeRef, VoidOutcome,
};
use crate::money::Currency;
use crate::payment::{AccountId, ChannelId, CodeRule, UnixMillis, Way};

const GATEWAY: &str = "/gateway.do";

/// Alipay's own numbers.
fn capabilities() -> Capabilities {
    let channel = ChannelId::ALIPAY;
    let code_rules = CodeRule::published().into_iter().filter(|rule| rule.channel == channel).collect();
    Capabilities {
        channel,
        ways: vec![Way::MerchantPresented, Way::ConsumerPresented],
        code_rules,
        currencies: vec![Currency::CNY],
        confirmed_by: ConfirmedBy::Provider,
        notifies: true,
        // 0.01 to 100,000,000.00 yuan.
        amount: 1..=10_000_000_000,
        code_lifetime: Duration::from_secs(120),
        code_grace: Duration::from_secs(60),
        confirm_patience: Duration::from_secs(35),
        query_interval: Duration::from_secs(3),
        shown_query_interval: Duration::from_secs(2),
        void_not_before: Duration::ZERO,
        void_window: Duration::from_secs(24 * 3600),
        close_patience: Duration::from_secs(10),
        refund: Some(RefundRules { window: Duration::from_secs(365 * 24 * 3600), partial: true }),
        bill: None,
        request_timeout: Duration::from_secs(10),
    }
}

/// The line by which the house finds this provider.
pub(super) const PROVIDER: Provider = Provider { channel: ChannelId::ALIPAY, form, open };

/// What an account consists of.
fn form() -> AccountForm {
    let field = |name, kind, required, label, hint| CredentialField { name, kind, required, label, hint };
    AccountForm {
        channel: ChannelId::ALIPAY,
        title: "Alipay",
        default_base_url: "https://openapi.alipay.com",
        sandbox_base_url: "https://openapi-sandbox.dl.alipaydev.com",
        fields: vec![
            field(
                "app_id",
                FieldKind::Text,
                Required::Always,
                "Application id (APPID)",
                "The number of the application on the open platform.",
            ),
            field(
                "seller_id",
                FieldKind::Text,
                Required::Never,
                "Merchant id (PID)",
                "The 16 digits beginning 2088 of the merchant.",
            ),
            field(
                "app_private_key",
                FieldKind::PrivateKey,
                Required::Always,
                "Application private key",
                "The key that you made with the provider's key tool; its public half is uploaded at the console.",
            ),
            field(
                "alipay_public_key",
                FieldKind::Pem,
                Required::Always,
                "Alipay public key",
                "Shown at the console after your public key was uploaded; it is not the one that you made.",
            ),
        ],
    }
}

/// Builds the channel of an account.
fn open(account: &MerchantAccount) -> Result<Arc<dyn Channel>, AccountError> {
    let mut capabilities = capabilities();
    account.timing.apply(&mut capabilities);
    Ok(Arc::new(Alipay {
        account: account.id.clone(),
        credentials: Credentials::read(account)?,
        // The address is often copied with the gateway's path.
        sender: Sender::new(account.base_url.trim_end_matches(GATEWAY), capabilities.request_timeout)?,
        capabilities,
    }))
}

struct Alipay {
    account: AccountId,
    credentials: Credentials,
    sender: Sender,
    capabilities: Capabilities,
}

impl Alipay {
    /// One call: signed, sent, its answer's signature checked.
    async fn call(&self, method: &str, biz: &serde_json::Value, notify_url: Option<&str>) -> Reply {
        let form = match request::form(&self.credentials, method, biz, notify_url, now()) {
            Ok(form) => form,
            Err(error) => return Reply::NotSent(error.to_string()),
        };
        let request = self
            .sender
            .request(reqwest::Method::POST, GATEWAY)
            .header("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
            .body(form);
        match self.sender.send(request).await {
            Ok(sent) if sent.status == 200 => {
                answer::read(&self.credentials.alipay_public_key, method, &sent.body, self.sender.knows_its_peer())
            }
            Ok(sent) => Reply::Unknown(format!("the gateway answered HTTP {}", sent.status)),
            Err(lost) if lost.maybe_sent => Reply::Unknown(lost.words),
            Err(lost) => Reply::NotSent(lost.words),
        }
    }
}

#[async_trait]
impl Channel for Alipay {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create_code(&self, trade: &TradeRef, details: &TradeDetails) -> CodeOutcome {
        let mut biz = request::order(trade, details);
        biz["qr_code_timeout_express"] = biz["timeout_express"].clone();
        match self.call("alipay.trade.precreate", &biz, details.notify_url.as_deref()).await {
            Reply::Signed(body) => outcome::created(trade, &body),
            Reply::Refused(body) => CodeOutcome::Failed(outcome::refusal(&body)),
            Reply::NotSent(words) => CodeOutcome::Failed(unreachable(words)),
            Reply::Unknown(words) => CodeOutcome::Unknown(words),
        }
    }

    async fn pay(&self, trade: &TradeRef, details: &TradeDetails, auth_code: &str) -> PayOutcome {
        let mut biz = request::order(trade, details);
        biz["scene"] = json!("bar_code");
        biz["auth_code"] = json!(auth_code);
        match self.call("alipay.trade.pay", &biz, details.notify_url.as_deref()).await {
            Reply::Signed(body) => outcome::paid(trade, &body, now()),
            Reply::Refused(body) => PayOutcome::Failed(outcome::refusal(&body)),
            Reply::NotSent(words) => PayOutcome::Failed(unreachable(words)),
            Reply::Unknown(words) => PayOutcome::Unknown(words),
        }
    }

    async fn query(&self, trade: &TradeRef) -> QueryOutcome {
        let biz = json!({ "out_trade_no": trade.out_trade_no });
        match self.call("alipay.trade.query", &biz, None).await {
            Reply::Signed(body) => outcome::queried(trade, &body, now()),
            Reply::Refused(body) => QueryOutcome::Unknown(body.words()),
            Reply::NotSent(words) | Reply::Unknown(words) => QueryOutcome::Unknown(words),
        }
    }

    async fn void(&self, trade: &TradeRef) -> VoidOutcome {
        // Cancel rather than close: it also takes back what was paid meanwhile, and stops an order that nobody has
        // scanned. Past its time only close is left.
        let age = Duration::from_millis(now().saturating_sub(trade.started_at).try_into().unwrap_or(0));
        let method = if age < self.capabilities.void_window { "alipay.trade.cancel" } else { "alipay.trade.close" };
        let biz = json!({ "out_trade_no": trade.out_trade_no });
        match self.call(method, &biz, None).await {
            Reply::Signed(body) => outcome::voided(trade, &body),
            Reply::Refused(body) => VoidOutcome::Failed(outcome::refusal(&body)),
            Reply::NotSent(words) | Reply::Unknown(words) => VoidOutcome::Unknown(words),
        }
    }

    async fn refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let biz = json!({
            "out_trade_no": trade.out_trade_no, "refund_amount": refund.amount.to_decimal(), "out_request_no": refund.out_refund_no,
        });
        match self.call("alipay.trade.refund", &biz, None).await {
            Reply::Signed(body) => match outcome::refunded(trade, &body) {
                // Nothing moved in this call: perhaps an earlier one did it.
                RefundOutcome::Processing => self.query_refund(trade, refund).await,
                outcome => outcome,
            },
            Reply::Refused(body) => RefundOutcome::Failed(outcome::refusal(&body)),
            Reply::NotSent(words) | Reply::Unknown(words) => RefundOutcome::Unknown(words),
        }
    }

    async fn query_refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let biz = json!({ "out_trade_no": trade.out_trade_no, "out_request_no": refund.out_refund_no });
        match self.call("alipay.trade.fastpay.refund.query", &biz, None).await {
            Reply::Signed(body) => outcome::refund_queried(trade, &refund.out_refund_no, &body),
            Reply::Refused(body) => RefundOutcome::Unknown(body.words()),
            Reply::NotSent(words) | Reply::Unknown(words) => RefundOutcome::Unknown(words),
        }
    }

    async fn bill(&self, _: Date, _: BillKind) -> Result<Bill, BillError> {
        Err(BillError::Unsupported)
    }

    fn read_bill(&self, _: BillKind, _: &[u8]) -> Result<Bill, BillError> {
        Err(BillError::Unsupported)
    }

    async fn test(&self) -> AccountTest {
        let biz = json!({ "out_trade_no": "SCANTILLTEST" });
        match self.call("alipay.trade.query", &biz, None).await {
            Reply::Signed(_) => AccountTest::good(),
            Reply::Refused(body) => AccountTest::bad(AccountFault::Refused, "", body.words()),
            Reply::NotSent(words) | Reply::Unknown(words) => AccountTest::bad(AccountFault::Unreachable, "", words),
        }
    }

    fn read_notification(&self, raw: &RawNotification, now: UnixMillis) -> Result<Notification, NotificationError> {
        notification::read(&self.credentials, &raw.body, now)
    }

    fn acknowledge(&self, accepted: bool) -> Acknowledgement {
        let body = if accepted { "success" } else { "fail" };
        Acknowledgement { status: 200, content_type: "text/plain; charset=utf-8", body: body.into() }
    }
}
