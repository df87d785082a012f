//! Alipay Open API, face-to-face payment (当面付): `alipay.trade.pay`, `precreate`, `query`, `cancel`, `close`, `refund`,
//! `fastpay.refund.query`, the bills of a day, and the notifications; RSA2 both ways, with public keys or certificates,
//! and content encryption where the account has it.

mod answer;
mod bill;
mod certificates;
mod check;
mod content;
mod credentials;
mod csv;
mod notification;
mod outcome;
mod request;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::json;

use self::answer::{Doubt, Reader, Reply, UnknownCertificate};
use self::credentials::Credentials;
use self::outcome::BillAnswer;
use super::http::{Answer, Lost, Sender, now, unreachable};
use super::{
    AccountError, AccountFault, AccountTest, Acknowledgement, Bill, BillError, BillKind, BillRules, Capabilities,
    Channel, CodeOutcome, ConfirmedBy, MerchantAccount, Notification, NotificationError, PayOutcome, Provider,
    QueryOutcome, RawNotification, RefundOutcome, RefundRef, RefundRules, TradeDetails, TradeRef, VoidOutcome,
    china_time,
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
        // A day's file is made by nine in the morning of the next, as a rule.
        bill: Some(BillRules { kinds: vec![BillKind::Trades, BillKind::FundFlow], ready_hour: 9 }),
        request_timeout: Duration::from_secs(10),
    }
}

/// The line by which the house finds this provider.
pub(super) const PROVIDER: Provider = Provider { channel: ChannelId::ALIPAY, form: credentials::form, open };

/// Builds the channel of an account.
fn open(account: &MerchantAccount) -> Result<Arc<dyn Channel>, AccountError> {
    let mut capabilities = capabilities();
    account.timing.apply(&mut capabilities);
    Ok(Arc::new(Alipay {
        account: account.id.clone(),
        credentials: Credentials::read(account, now())?,
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
        self.exchange(method, biz, notify_url).await.0
    }

    /// [`Alipay::call`], and the gateway's clock where it says.
    async fn exchange(
        &self,
        method: &str,
        biz: &serde_json::Value,
        notify_url: Option<&str>,
    ) -> (Reply, Option<UnixMillis>) {
        let sent = match self.post(method, biz, notify_url).await {
            Ok(sent) => sent,
            Err(reply) => return (reply, None),
        };
        let date = sent.date();
        if sent.status != 200 {
            let fault = if sent.status >= 500 { AccountFault::ProviderDown } else { AccountFault::Unreachable };
            return (Reply::unknown(fault, format!("the gateway answered HTTP {}", sent.status)), date);
        }
        let reader = Reader {
            trust: &self.credentials.trust,
            content: self.credentials.content.as_ref(),
            known_peer: self.sender.knows_its_peer(),
            now: now(),
        };
        let reply = match reader.read(method, &sent.body) {
            Ok(reply) => reply,
            Err(UnknownCertificate(number)) => match self.fetch_certificate(&number).await {
                Ok(()) => reader.read(method, &sent.body).unwrap_or_else(|_| {
                    Reply::unknown(AccountFault::CertificateUnknown, "Alipay's certificate changed in between")
                }),
                Err(words) => Reply::unknown(
                    AccountFault::CertificateUnknown,
                    format!("the answer is signed with a new certificate of Alipay's that cannot be used: {words}"),
                ),
            },
        };
        (reply, date)
    }

    /// Signs and sends; the reply where nothing came back.
    async fn post(&self, method: &str, biz: &serde_json::Value, notify_url: Option<&str>) -> Result<Answer, Reply> {
        let form = request::form(&self.credentials, method, biz, notify_url, now())
            .map_err(|error| Reply::NotSent(Doubt { words: error.to_string(), fault: AccountFault::WrongKey }))?;
        let request = self
            .sender
            .request(reqwest::Method::POST, GATEWAY)
            .header("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
            .body(form);
        self.sender.send(request).await.map_err(|Lost { maybe_sent, fault, words }| {
            let doubt = Doubt { words, fault: fault.account_fault() };
            if maybe_sent { Reply::Unknown(doubt) } else { Reply::NotSent(doubt) }
        })
    }

    /// Asks for a certificate that an answer names, checks its chain and keeps it.
    async fn fetch_certificate(&self, number: &str) -> Result<(), String> {
        let biz = json!({ "alipay_cert_sn": number });
        let sent = self.post(request::CERTIFICATE_DOWNLOAD, &biz, None).await.map_err(|reply| match reply {
            Reply::NotSent(doubt) | Reply::Unknown(doubt) => doubt.words,
            Reply::Signed(body) | Reply::Refused(body) => body.words(),
        })?;
        if sent.status != 200 {
            return Err(format!("the gateway answered HTTP {}", sent.status));
        }
        let certificates = answer::downloaded_certificate(&sent.body)?;
        self.credentials.trust.learn(&certificates, number, now())
    }

    /// What is known of a bill before it is read.
    fn expected(&self, day: Option<Date>) -> bill::Expected<'_> {
        bill::Expected { day, seller: self.credentials.seller_id.as_deref() }
    }

    /// Downloads and reads what lies at that address. The file is not signed: the address was, and what the file adds
    /// up to is checked.
    async fn download(&self, address: &str, day: Date, kind: BillKind, name: &str) -> Result<Bill, BillError> {
        let request = self.sender.request_to(reqwest::Method::GET, address);
        let sent = self.sender.download(request).await.map_err(|lost| BillError::Unreachable(lost.words))?;
        if sent.status != 200 {
            return Err(BillError::Unreachable(format!("the file's address answered HTTP {}", sent.status)));
        }
        bill::read(kind, &sent.body, name, self.expected(Some(day)))
    }
}

/// Whether a bill that is not there by then never will be: there was no business. Alipay says the same of a bill that
/// is late, so the whole next day is waited for.
fn has_passed(day: Date, now: UnixMillis) -> bool {
    let end = day.saturating_add(2.days()).at(0, 0, 0, 0);
    china_time::read_plain(&end.strftime("%Y-%m-%d %H:%M:%S").to_string()).is_some_and(|end| now >= end)
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
            Reply::NotSent(doubt) => CodeOutcome::Failed(unreachable(doubt.words)),
            Reply::Unknown(doubt) => CodeOutcome::Unknown(doubt.words),
        }
    }

    async fn pay(&self, trade: &TradeRef, details: &TradeDetails, auth_code: &str) -> PayOutcome {
        let mut biz = request::order(trade, details);
        biz["scene"] = json!("bar_code");
        biz["auth_code"] = json!(auth_code);
        match self.call("alipay.trade.pay", &biz, details.notify_url.as_deref()).await {
            Reply::Signed(body) => outcome::paid(trade, &body, now()),
            Reply::Refused(body) => PayOutcome::Failed(outcome::refusal(&body)),
            Reply::NotSent(doubt) => PayOutcome::Failed(unreachable(doubt.words)),
            Reply::Unknown(doubt) => PayOutcome::Unknown(doubt.words),
        }
    }

    async fn query(&self, trade: &TradeRef) -> QueryOutcome {
        let biz = json!({ "out_trade_no": trade.out_trade_no });
        match self.call("alipay.trade.query", &biz, None).await {
            Reply::Signed(body) => outcome::queried(trade, &body, now()),
            Reply::Refused(body) => QueryOutcome::Unknown(body.words()),
            Reply::NotSent(doubt) | Reply::Unknown(doubt) => QueryOutcome::Unknown(doubt.words),
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
            Reply::NotSent(doubt) | Reply::Unknown(doubt) => VoidOutcome::Unknown(doubt.words),
        }
    }

    async fn refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        match self.call("alipay.trade.refund", &request::refund(trade, refund), None).await {
            Reply::Signed(body) => match outcome::refunded(trade, &body) {
                Some(outcome) => outcome,
                // Nothing moved in this call: perhaps an earlier one did it.
                None => outcome::refused_or(&body, self.query_refund(trade, refund).await),
            },
            Reply::Refused(body) => RefundOutcome::Failed(outcome::refusal(&body)),
            Reply::NotSent(doubt) | Reply::Unknown(doubt) => RefundOutcome::Unknown(doubt.words),
        }
    }

    async fn query_refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        let biz = json!({ "out_trade_no": trade.out_trade_no, "out_request_no": refund.out_refund_no });
        match self.call("alipay.trade.fastpay.refund.query", &biz, None).await {
            Reply::Signed(body) => outcome::refund_queried(trade, refund, &body),
            Reply::Refused(body) => RefundOutcome::Unknown(body.words()),
            Reply::NotSent(doubt) | Reply::Unknown(doubt) => RefundOutcome::Unknown(doubt.words),
        }
    }

    async fn bill(&self, day: Date, kind: BillKind) -> Result<Bill, BillError> {
        let name = format!("alipay_{}_{day}", bill::wire_type(kind));
        let biz = json!({ "bill_type": bill::wire_type(kind), "bill_date": day.to_string() });
        let answer = match self.call("alipay.data.dataservice.bill.downloadurl.query", &biz, None).await {
            Reply::Signed(body) => outcome::bill(&body)?,
            Reply::Refused(body) => return Err(BillError::Refused(outcome::refusal(&body))),
            Reply::NotSent(doubt) | Reply::Unknown(doubt) => return Err(BillError::Unreachable(doubt.words)),
        };
        match answer {
            BillAnswer::At(address) => self.download(&address, day, kind, &name).await,
            BillAnswer::None if !has_passed(day, now()) => Err(BillError::NotReady),
            BillAnswer::None | BillAnswer::Empty => Ok(bill::empty(format!("{name}.csv"))),
        }
    }

    fn read_bill(&self, kind: BillKind, file: &[u8]) -> Result<Bill, BillError> {
        bill::read(kind, file, &format!("alipay_{}", bill::wire_type(kind)), self.expected(None))
    }

    async fn test(&self) -> AccountTest {
        let biz = json!({ "out_trade_no": check::NUMBER });
        let (reply, date) = self.exchange("alipay.trade.query", &biz, None).await;
        check::verdict(&reply, date, now())
    }

    fn read_notification(&self, raw: &RawNotification, now: UnixMillis) -> Result<Notification, NotificationError> {
        notification::read(&self.credentials, &raw.body, now)
    }

    fn acknowledge(&self, accepted: bool) -> Acknowledgement {
        let body = if accepted { "success" } else { "fail" };
        Acknowledgement { status: 200, content_type: "text/plain; charset=utf-8", body: body.into() }
    }
}
