//! WeChat Pay APIv3: Native, codepay, query, close, reverse, refund; `WECHATPAY2-SHA256-RSA2048` both ways.

mod answer;
mod credentials;
mod notification;
mod outcome;
mod request;
mod signature;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use reqwest::Method;
use serde_json::{Value, json};

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

/// WeChat Pay's own numbers.
fn capabilities() -> Capabilities {
    let channel = ChannelId::WECHATPAY;
    let code_rules = CodeRule::published().into_iter().filter(|rule| rule.channel == channel).collect();
    Capabilities {
        channel,
        ways: vec![Way::MerchantPresented, Way::ConsumerPresented],
        code_rules,
        currencies: vec![Currency::CNY],
        confirmed_by: ConfirmedBy::Provider,
        notifies: true,
        amount: 1..=10_000_000_000,
        code_lifetime: Duration::from_secs(120),
        code_grace: Duration::from_secs(60),
        // The customer has about 30 s for the password; the guide gives up after 45 to 60.
        confirm_patience: Duration::from_secs(45),
        query_interval: Duration::from_secs(5),
        shown_query_interval: Duration::from_secs(2),
        void_not_before: Duration::from_secs(15),
        void_window: Duration::from_secs(7 * 24 * 3600),
        close_patience: Duration::from_secs(10),
        refund: Some(RefundRules { window: Duration::from_secs(365 * 24 * 3600), partial: true }),
        bill: None,
        request_timeout: Duration::from_secs(10),
    }
}

/// The line by which the house finds this provider.
pub(super) const PROVIDER: Provider = Provider { channel: ChannelId::WECHATPAY, form, open };

/// What an account consists of.
fn form() -> AccountForm {
    let field = |name, kind, required, label, hint| CredentialField { name, kind, required, label, hint };
    AccountForm {
        channel: ChannelId::WECHATPAY,
        title: "WeChat Pay",
        default_base_url: "https://api.mch.weixin.qq.com",
        sandbox_base_url: "",
        fields: vec![
            field(
                "appid",
                FieldKind::Text,
                Required::Always,
                "Application id (APPID)",
                "The application that is bound to the merchant number.",
            ),
            field(
                "mchid",
                FieldKind::Text,
                Required::Always,
                "Merchant number",
                "The number at the top of the merchant platform.",
            ),
            field(
                "merchant_serial",
                FieldKind::Text,
                Required::Always,
                "Certificate serial number",
                "The serial number of the merchant API certificate.",
            ),
            field(
                "merchant_private_key",
                FieldKind::PrivateKey,
                Required::Always,
                "Merchant API private key",
                "The file apiclient_key.pem.",
            ),
            field(
                "api_v3_key",
                FieldKind::Secret,
                Required::Always,
                "APIv3 key",
                "The 32 characters set under API security.",
            ),
            field(
                "platform_public_key",
                FieldKind::Pem,
                Required::Never,
                "WeChat Pay public key",
                "The file pub_key.pem, downloaded under API security.",
            ),
            field("platform_public_key_id", FieldKind::Text, Required::Never, "Public key id", "Begins PUB_KEY_ID_."),
        ],
    }
}

/// Builds the channel of an account.
fn open(account: &MerchantAccount) -> Result<Arc<dyn Channel>, AccountError> {
    let mut capabilities = capabilities();
    account.timing.apply(&mut capabilities);
    Ok(Arc::new(WechatPay {
        account: account.id.clone(),
        credentials: Credentials::read(account)?,
        sender: Sender::new(&account.base_url, capabilities.request_timeout)?,
        capabilities,
    }))
}

struct WechatPay {
    account: AccountId,
    credentials: Credentials,
    sender: Sender,
    capabilities: Capabilities,
}

impl WechatPay {
    /// The platform counts its 15 s from when it took the payment call, which may be as late as our time limit for it.
    fn is_too_soon_to_reverse(&self, trade: &TradeRef) -> bool {
        let numbers = &self.capabilities;
        let wait = numbers.void_not_before + numbers.request_timeout;
        let age = Duration::from_millis(now().saturating_sub(trade.started_at).try_into().unwrap_or(0));
        trade.way == Way::ConsumerPresented && age < wait
    }

    /// One call: signed, sent, its answer's signature checked.
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let body = body.map(Value::to_string).unwrap_or_default();
        let authorization = match signature::authorize(&self.credentials, method.as_str(), path, &body, now() / 1_000) {
            Ok(authorization) => authorization,
            Err(error) => return Reply::NotSent(error.to_string()),
        };
        let request = self
            .sender
            .request(method, path)
            .header("Authorization", authorization)
            .header("Accept", "application/json")
            .header("Content-Type", "application/json")
            // The provider signs with the key that we say we hold.
            .header("Wechatpay-Serial", self.credentials.preferred_serial())
            .body(body);
        match self.sender.send(request).await {
            Ok(sent) => answer::read(&self.credentials, &sent, now(), self.sender.knows_its_peer()),
            Err(lost) if lost.maybe_sent => Reply::Unknown(lost.words),
            Err(lost) => Reply::NotSent(lost.words),
        }
    }
}

#[async_trait]
impl Channel for WechatPay {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create_code(&self, trade: &TradeRef, details: &TradeDetails) -> CodeOutcome {
        let order = request::native(&self.credentials, trade, details);
        match self.call(Method::POST, "/v3/pay/transactions/native", Some(&order)).await {
            Reply::NotSent(words) => CodeOutcome::Failed(unreachable(words)),
            Reply::Unknown(words) => CodeOutcome::Unknown(words),
            Reply::Signed(body) => outcome::created(&body),
            Reply::Refused(error) => outcome::creation_refused(&error),
        }
    }

    async fn pay(&self, trade: &TradeRef, details: &TradeDetails, auth_code: &str) -> PayOutcome {
        let order = request::codepay(&self.credentials, trade, details, auth_code);
        match self.call(Method::POST, "/v3/pay/transactions/codepay", Some(&order)).await {
            Reply::NotSent(words) => PayOutcome::Failed(unreachable(words)),
            Reply::Unknown(words) => PayOutcome::Unknown(words),
            Reply::Signed(body) => outcome::paid(&self.credentials, trade, &body, now()),
            Reply::Refused(error) => outcome::payment_refused(&error),
        }
    }

    async fn query(&self, trade: &TradeRef) -> QueryOutcome {
        let path = format!("/v3/pay/transactions/out-trade-no/{}?mchid={}", trade.out_trade_no, self.credentials.mchid);
        match self.call(Method::GET, &path, None).await {
            Reply::NotSent(words) | Reply::Unknown(words) => QueryOutcome::Unknown(words),
            Reply::Signed(body) => outcome::queried(&self.credentials, trade, &body, now()),
            Reply::Refused(error) => outcome::query_refused(&error),
        }
    }

    async fn void(&self, trade: &TradeRef) -> VoidOutcome {
        // Only a payment by code can be reversed; a shown order is closed.
        let (job, body) = match trade.way {
            Way::MerchantPresented => ("close", json!({ "mchid": self.credentials.mchid })),
            Way::ConsumerPresented => {
                ("reverse", json!({ "appid": self.credentials.appid, "mchid": self.credentials.mchid }))
            }
        };
        let path = format!("/v3/pay/transactions/out-trade-no/{}/{job}", trade.out_trade_no);
        match self.call(Method::POST, &path, Some(&body)).await {
            Reply::NotSent(words) | Reply::Unknown(words) => VoidOutcome::Unknown(words),
            Reply::Signed(body) => outcome::voided(&self.credentials, trade, &body),
            Reply::Refused(error) => outcome::void_refused(&error, self.is_too_soon_to_reverse(trade)),
        }
    }

    async fn refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let body = json!({
            "out_trade_no": trade.out_trade_no,
            "out_refund_no": refund.out_refund_no,
            "amount": { "refund": refund.amount.minor, "total": trade.amount.minor, "currency": refund.amount.currency.code() },
        });
        match self.call(Method::POST, "/v3/refund/domestic/refunds", Some(&body)).await {
            Reply::NotSent(words) | Reply::Unknown(words) => RefundOutcome::Unknown(words),
            Reply::Signed(body) => outcome::refunded(trade, &refund.out_refund_no, &body),
            Reply::Refused(error) => outcome::refund_refused(&error),
        }
    }

    async fn query_refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let path = format!("/v3/refund/domestic/refunds/{}", refund.out_refund_no);
        match self.call(Method::GET, &path, None).await {
            Reply::NotSent(words) | Reply::Unknown(words) => RefundOutcome::Unknown(words),
            Reply::Signed(body) => outcome::refunded(trade, &refund.out_refund_no, &body),
            Reply::Refused(error) => RefundOutcome::Unknown(error.words()),
        }
    }

    async fn bill(&self, _: Date, _: BillKind) -> Result<Bill, BillError> {
        Err(BillError::Unsupported)
    }

    fn read_bill(&self, _: BillKind, _: &[u8]) -> Result<Bill, BillError> {
        Err(BillError::Unsupported)
    }

    async fn test(&self) -> AccountTest {
        let path = format!("/v3/pay/transactions/out-trade-no/SCANTILLTEST?mchid={}", self.credentials.mchid);
        match self.call(Method::GET, &path, None).await {
            Reply::Signed(_) => AccountTest::good(),
            Reply::Refused(error) => AccountTest::bad(AccountFault::Refused, "", error.words()),
            Reply::NotSent(words) | Reply::Unknown(words) => AccountTest::bad(AccountFault::Unreachable, "", words),
        }
    }

    fn read_notification(&self, raw: &RawNotification, now: UnixMillis) -> Result<Notification, NotificationError> {
        notification::read(&self.credentials, raw, now)
    }

    fn acknowledge(&self, accepted: bool) -> Acknowledgement {
        let (status, body) = if accepted {
            (204, String::new())
        } else {
            (500, json!({ "code": "FAIL", "message": "not taken; send it again" }).to_string())
        };
        Acknowledgement { status, content_type: "application/json", body }
    }
}
