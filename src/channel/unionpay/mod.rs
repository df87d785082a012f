//! UnionPay's gateway for online and code payments (全渠道 ACP 5.1.0): a purchase with the customer's code (01/06), an
//! order code to show (01/07), query, void, refund, reversal, back-notify and the settlement file; certificates both ways.

mod account_check;
mod bill;
mod credentials;
mod fields;
mod form;
mod meaning;
mod notification;
mod outcome;
mod request;
mod trust;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;

use self::credentials::Credentials;
use self::fields::Fields;
use self::meaning::{Meaning, failure};
use self::outcome::{of_answer, of_original};
use self::request::Request;
use self::trust::Disbelief;
use super::http::{Lost, Sender, now, unreachable};
use super::{
    AccountError, AccountTest, Acknowledgement, Bill, BillError, BillKind, BillRules, Capabilities, Channel,
    CodeOutcome, ConfirmedBy, MerchantAccount, Notification, NotificationError, PayOutcome, Provider, QueryOutcome,
    RawNotification, RefundOutcome, RefundRef, RefundRules, TradeDetails, TradeRef, VoidOutcome, china_time,
};
use crate::money::Currency;
use crate::payment::{AccountId, ChannelId, CodeRule, Failure, FailureReason, UnixMillis, Way};

const GATEWAY: &str = "https://gateway.95516.com";
const TEST_GATEWAY: &str = "https://gateway.test.95516.com";
const FILES: &str = "https://filedownload.95516.com";
const TEST_FILES: &str = "https://filedownload.test.95516.com";
const TRANSACTION: &str = "/gateway/api/backTransReq.do";
const QUERY: &str = "/gateway/api/queryTrans.do";

/// A payment that began in the last moment of a shown order's time has come to its end by then.
const LAST_MOMENT_MS: i64 = 30_000;
/// UnionPay's day begins at 23:00 of the evening before, China time.
const DAY_BEGINS_BEFORE_MS: i64 = 3_600_000;
/// How many voids under way are remembered.
const MAX_VOIDS: usize = 1_024;

/// UnionPay's own numbers.
fn capabilities() -> Capabilities {
    let channel = ChannelId::UNIONPAY;
    let code_rules = CodeRule::published().into_iter().filter(|rule| rule.channel == channel).collect();
    let day = Duration::from_secs(24 * 3600);
    Capabilities {
        channel,
        ways: vec![Way::MerchantPresented, Way::ConsumerPresented],
        code_rules,
        currencies: vec![Currency::CNY],
        confirmed_by: ConfirmedBy::Provider,
        notifies: true,
        // txnAmt has up to twelve digits, in fen.
        amount: 1..=999_999_999_999,
        code_lifetime: Duration::from_secs(120),
        code_grace: Duration::from_secs(60),
        confirm_patience: Duration::from_secs(60),
        // The specification asks back-end transactions after 1, 2, 4, ... seconds and refuses who asks too often (37).
        query_interval: Duration::from_secs(3),
        shown_query_interval: Duration::from_secs(4),
        void_not_before: Duration::ZERO,
        // A void is of the same day; the hour is the channel's own matter.
        void_window: day,
        // An order code that was shown cannot be closed, it runs out: no sale waits for that. Paid all the same, it is a
        // surplus, which goes back by itself.
        close_patience: Duration::ZERO,
        // Eleven months by UnionPay's SDKs, in parts (an older specification of payments by code said 30 days).
        refund: Some(RefundRules { window: day * 330, partial: true }),
        bill: Some(BillRules { kinds: vec![BillKind::Trades], ready_hour: 9 }),
        request_timeout: Duration::from_secs(10),
    }
}

/// The line by which the house finds this provider.
pub(super) const PROVIDER: Provider = Provider { channel: ChannelId::UNIONPAY, form: form::form, open };

/// Builds the channel of an account.
fn open(account: &MerchantAccount) -> Result<Arc<dyn Channel>, AccountError> {
    let mut capabilities = capabilities();
    account.timing.apply(&mut capabilities);
    let credentials = Credentials::read(account)?;
    // The address is often copied with a call's path.
    let base_url = account.base_url.trim_end_matches('/').trim_end_matches(TRANSACTION).trim_end_matches(QUERY);
    let files = match (credentials.file_base_url.as_deref(), base_url) {
        (Some(url), _) => url,
        (None, GATEWAY) => FILES,
        (None, TEST_GATEWAY) => TEST_FILES,
        (None, other) => other,
    };
    Ok(Arc::new(UnionPay {
        account: account.id.clone(),
        sender: Sender::new(base_url, capabilities.request_timeout)?,
        files: Sender::new(files, capabilities.request_timeout)?,
        capabilities,
        credentials,
        voids: Mutex::default(),
    }))
}

struct UnionPay {
    account: AccountId,
    credentials: Credentials,
    sender: Sender,
    files: Sender,
    capabilities: Capabilities,
    /// The times of the voids that were asked for, by `out_trade_no`: a void is asked about by its number and its time.
    /// What is lost with the process does no harm: the gateway voids a payment once.
    voids: Mutex<HashMap<String, String>>,
}

/// What came back.
#[derive(Debug)]
enum Reply {
    /// Signed by UnionPay, and to the request that was sent.
    Signed(Fields),
    /// The gateway refused the request before it looked at any order.
    Refused(Fields),
    /// No connection was made.
    NotSent(Lost),
    /// Nobody knows.
    Unknown(Silence),
}

/// Why there is no answer that counts.
#[derive(Debug)]
enum Silence {
    Lost(Lost),
    Status(u16),
    /// No message of a gateway's at all.
    NoMessage,
    Disbelieved(Disbelief),
    OtherOrder,
    Unbuilt(String),
}

impl Silence {
    fn words(&self) -> String {
        match self {
            Self::Lost(lost) => lost.words.clone(),
            Self::Status(status) => format!("the gateway answered HTTP {status}"),
            Self::NoMessage => "what answered there is not UnionPay's gateway".to_owned(),
            Self::Disbelieved(disbelief) => format!("the answer is not believed: {disbelief}"),
            Self::OtherOrder => outcome::OTHER_ORDER.to_owned(),
            Self::Unbuilt(words) => words.clone(),
        }
    }
}

/// Refusals of the gateway itself: form, signature, missing fields.
const GATEWAY_REFUSALS: [&str; 3] = ["10", "11", "13"];

impl UnionPay {
    /// One call: signed, sent, its answer's signature checked. Gives the provider's clock beside, where it tells it.
    async fn exchange(&self, sender: &Sender, path: &str, request: Request) -> (Reply, Option<UnixMillis>) {
        let sent = request.clone();
        let form = match request::signed_form(&self.credentials, request) {
            Ok(form) => form,
            Err(error) => return (Reply::Unknown(Silence::Unbuilt(error.to_string())), None),
        };
        let is_file = sent.get("txnType").is_some_and(|kind| kind == "76");
        let request = sender
            .request(reqwest::Method::POST, path)
            .header("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
            .body(form);
        let answer = if is_file { sender.download(request).await } else { sender.send(request).await };
        let answer = match answer {
            Ok(answer) => answer,
            Err(lost) if lost.maybe_sent => return (Reply::Unknown(Silence::Lost(lost)), None),
            Err(lost) => return (Reply::NotSent(lost), None),
        };
        let clock = answer.date();
        if answer.status != 200 {
            return (Reply::Unknown(Silence::Status(answer.status)), clock);
        }
        let text = String::from_utf8_lossy(&answer.body);
        let readings = Fields::of_answer(&text);
        if readings.is_empty() {
            return (Reply::Unknown(Silence::NoMessage), clock);
        }
        let refusal = readings
            .first()
            .filter(|fields| fields.some("signature").is_none() && GATEWAY_REFUSALS.contains(&fields.get("respCode")));
        // What the gateway refuses unread it may not sign. That says nothing that could be mistaken for a payment, and
        // counts where the connection tells who answers; a wrong key in the settings would otherwise leave every sale
        // unknown.
        if let Some(refusal) = refusal.filter(|_| sender.knows_its_peer()) {
            return (Reply::Refused(refusal.clone()), clock);
        }
        let reply = match self.credentials.trust.believed(readings, now()) {
            Ok(fields) if is_answer_to(&fields, &sent) => Reply::Signed(fields),
            Ok(_) => Reply::Unknown(Silence::OtherOrder),
            Err(disbelief) => Reply::Unknown(Silence::Disbelieved(disbelief)),
        };
        (reply, clock)
    }

    async fn call(&self, path: &str, request: Request) -> Reply {
        self.exchange(&self.sender, path, request).await.0
    }

    /// Until when a shown order can be paid.
    fn shown_until(&self, trade: &TradeRef) -> UnixMillis {
        let shown = self.capabilities.code_lifetime + self.capabilities.code_grace;
        let until = trade.started_at.saturating_add(i64::try_from(shown.as_millis()).unwrap_or(i64::MAX));
        // Whole seconds, rounded up: what is on the wire is then never later than what is waited for.
        until.saturating_add(999) / 1_000 * 1_000
    }

    fn is_over(&self, trade: &TradeRef) -> bool {
        trade.way == Way::MerchantPresented && now() > self.shown_until(trade).saturating_add(LAST_MOMENT_MS)
    }

    /// Asks about a transaction by its number and time. The answer, or why there is none in words.
    async fn ask(&self, order_id: &str, txn_time: &str) -> Result<Fields, String> {
        match self.call(QUERY, request::query(&self.credentials, order_id, txn_time)).await {
            Reply::Signed(fields) => Ok(fields),
            Reply::Refused(fields) => Err(fields.words()),
            Reply::NotSent(lost) => Err(lost.words),
            Reply::Unknown(silence) => Err(silence.words()),
        }
    }

    /// Takes a payment back that is known to be paid: the same day by a void, later only by a refund.
    async fn void_paid(&self, trade: &TradeRef, query_id: &str, paid_at: UnixMillis) -> VoidOutcome {
        let day = |at: UnixMillis| china_time::day(at.saturating_add(DAY_BEGINS_BEFORE_MS));
        if day(paid_at) != day(now()) {
            return VoidOutcome::AlreadyPaid;
        }
        let number = request::void_number(&trade.out_trade_no);
        let earlier = self.voids.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
        if let Some(txn_time) = earlier {
            match self.ask(&number, &txn_time).await.as_ref().map(of_original) {
                Ok(Meaning::Done) => return VoidOutcome::Returned,
                // It did not arrive, or was refused: it is asked for anew.
                Ok(Meaning::NotFound | Meaning::Refused(_)) => {}
                Ok(_) => return VoidOutcome::Unknown("UnionPay has not finished the void yet".into()),
                Err(words) => return VoidOutcome::Unknown(words.clone()),
            }
        }
        let txn_time = china_time::compact(now());
        self.remember_void(&number, &txn_time);
        match self.call(TRANSACTION, request::void(&self.credentials, trade, query_id, &txn_time)).await {
            Reply::Signed(fields) => match of_answer(&fields) {
                Meaning::Done => match self.ask(&number, &txn_time).await.as_ref().map(of_original) {
                    Ok(Meaning::Done) => VoidOutcome::Returned,
                    Ok(_) => VoidOutcome::Unknown("UnionPay has not finished the void yet".into()),
                    Err(words) => VoidOutcome::Unknown(words.clone()),
                },
                Meaning::Returned => VoidOutcome::Returned,
                // Past its day, or otherwise not to be voided: what is left is a refund.
                Meaning::Refused(FailureReason::RequestRefused)
                    if matches!(fields.get("respCode"), "35" | "36" | "39") =>
                {
                    VoidOutcome::AlreadyPaid
                }
                Meaning::Refused(reason) => VoidOutcome::Failed(failure(&fields, reason)),
                Meaning::UnderWay | Meaning::NotFound | Meaning::Unknown => VoidOutcome::Unknown(fields.words()),
            },
            Reply::Refused(fields) => VoidOutcome::Failed(refusal(&fields)),
            Reply::NotSent(lost) => VoidOutcome::Unknown(lost.words),
            Reply::Unknown(silence) => VoidOutcome::Unknown(silence.words()),
        }
    }

    fn remember_void(&self, number: &str, txn_time: &str) {
        let mut voids = self.voids.lock().unwrap_or_else(PoisonError::into_inner);
        if voids.len() >= MAX_VOIDS {
            voids.clear();
        }
        voids.insert(number.to_owned(), txn_time.to_owned());
    }

    /// A shown order cannot be closed: it runs out at its `payTimeout`. Until then it is only not yet.
    async fn let_run_out(&self, trade: &TradeRef) -> VoidOutcome {
        match self.query(trade).await {
            QueryOutcome::Paid(paid) => self.void_paid(trade, &paid.provider_trade_no, paid.paid_at).await,
            QueryOutcome::Returned => VoidOutcome::Returned,
            QueryOutcome::Closed => VoidOutcome::Closed,
            QueryOutcome::Unknown(words) if self.is_over(trade) => VoidOutcome::Unknown(words),
            _ => VoidOutcome::NotYet,
        }
    }

    /// Takes a purchase back of which nobody knows the end.
    async fn reverse(&self, trade: &TradeRef) -> VoidOutcome {
        let reply = self.call(TRANSACTION, request::reversal(&self.credentials, trade)).await;
        let fields = match reply {
            Reply::Signed(fields) => fields,
            Reply::Refused(fields) => return VoidOutcome::Failed(refusal(&fields)),
            Reply::NotSent(lost) => return VoidOutcome::Unknown(lost.words),
            Reply::Unknown(silence) => return VoidOutcome::Unknown(silence.words()),
        };
        let done = match of_answer(&fields) {
            Meaning::Done => true,
            Meaning::Returned => return VoidOutcome::Returned,
            Meaning::NotFound => return self.never_arrived(trade),
            // The purchase has an end, and a reversal is not the way back from it.
            Meaning::Refused(_) if matches!(fields.get("respCode"), "35" | "36") => false,
            Meaning::Refused(reason) => return VoidOutcome::Failed(failure(&fields, reason)),
            Meaning::UnderWay | Meaning::Unknown => return VoidOutcome::Unknown(fields.words()),
        };
        match self.query(trade).await {
            QueryOutcome::Returned => VoidOutcome::Returned,
            QueryOutcome::Failed(_) | QueryOutcome::Closed => VoidOutcome::Closed,
            QueryOutcome::NotFound => self.never_arrived(trade),
            QueryOutcome::Paid(_) if !done => VoidOutcome::AlreadyPaid,
            QueryOutcome::Unknown(words) => VoidOutcome::Unknown(words),
            // Asked for again, it says that it was done.
            _ => VoidOutcome::Unknown("UnionPay has taken the reversal and not finished it yet".into()),
        }
    }

    /// There is no such purchase; a request that may still be on its way is waited for.
    fn never_arrived(&self, trade: &TradeRef) -> VoidOutcome {
        let age = u64::try_from(now().saturating_sub(trade.started_at)).unwrap_or(0);
        if Duration::from_millis(age) > self.capabilities.request_timeout {
            VoidOutcome::Closed
        } else {
            VoidOutcome::NotYet
        }
    }
}

/// A refusal by the gateway itself, before it looked at any order.
fn refusal(fields: &Fields) -> Failure {
    let reason =
        if fields.get("respCode") == "11" { FailureReason::MerchantAccount } else { FailureReason::RequestRefused };
    failure(fields, reason)
}

/// Whether an answer is to that request: a signed answer of another day is still a signed answer.
fn is_answer_to(fields: &Fields, request: &Request) -> bool {
    let fits =
        |name: &str| fields.some(name).is_none_or(|answered| request.get(name).is_some_and(|asked| asked == answered));
    // A query's answer bears the kind of what was asked about.
    let is_query = request.get("txnType").is_some_and(|kind| kind == "00");
    let of_kind = is_query || (fits("txnType") && fits("txnSubType"));
    // A refusal may name no order; what says more has to.
    let named = !request.contains_key("orderId")
        || fields.some("orderId").is_some()
        || matches!(of_answer(fields), Meaning::Refused(_));
    of_kind && named && ["merId", "orderId", "txnTime"].into_iter().all(fits)
}

/// Whether the gateway takes a number: 8 to 40 letters and digits.
fn is_order_id(text: &str) -> bool {
    (8..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[async_trait]
impl Channel for UnionPay {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create_code(&self, trade: &TradeRef, details: &TradeDetails) -> CodeOutcome {
        // Never later than what `void` waits for.
        let until = details.expires_at.min(self.shown_until(trade));
        let request = request::order_code(&self.credentials, trade, details, until);
        match self.call(TRANSACTION, request).await {
            Reply::Signed(fields) => outcome::created(&fields),
            Reply::Refused(fields) => CodeOutcome::Failed(refusal(&fields)),
            Reply::NotSent(lost) => CodeOutcome::Failed(unreachable(lost.words)),
            Reply::Unknown(silence) => CodeOutcome::Unknown(silence.words()),
        }
    }

    async fn pay(&self, trade: &TradeRef, details: &TradeDetails, auth_code: &str) -> PayOutcome {
        let request = request::purchase(&self.credentials, trade, details, auth_code);
        match self.call(TRANSACTION, request).await {
            Reply::Signed(fields) => outcome::submitted(&fields),
            Reply::Refused(fields) => PayOutcome::Failed(refusal(&fields)),
            Reply::NotSent(lost) => PayOutcome::Failed(unreachable(lost.words)),
            Reply::Unknown(silence) => PayOutcome::Unknown(silence.words()),
        }
    }

    async fn query(&self, trade: &TradeRef) -> QueryOutcome {
        // Whether its time was over is seen before the question: what is paid while it travels is not over.
        let over = self.is_over(trade);
        match self.ask(trade.out_trade_no.as_str(), &china_time::compact(trade.started_at)).await {
            Ok(fields) => outcome::queried(trade, &fields, over, now()),
            Err(words) => QueryOutcome::Unknown(words),
        }
    }

    async fn void(&self, trade: &TradeRef) -> VoidOutcome {
        match (&trade.provider_trade_no, trade.paid_at, trade.way) {
            (Some(query_id), Some(paid_at), _) => self.void_paid(trade, query_id, paid_at).await,
            (.., Way::MerchantPresented) => self.let_run_out(trade).await,
            (.., Way::ConsumerPresented) => self.reverse(trade).await,
        }
    }

    async fn refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        if !is_order_id(&refund.out_refund_no) {
            return RefundOutcome::Failed(Failure::new(FailureReason::RequestRefused));
        }
        match self.call(TRANSACTION, request::refund(&self.credentials, trade, refund)).await {
            Reply::Signed(fields) => match of_answer(&fields) {
                // Accepted, or taken for one that was asked for before: how it ended is another question.
                Meaning::Done | Meaning::UnderWay | Meaning::Unknown => match self.query_refund(trade, refund).await {
                    RefundOutcome::Unknown(_) | RefundOutcome::NotFound if of_answer(&fields) != Meaning::Unknown => {
                        RefundOutcome::Processing
                    }
                    RefundOutcome::NotFound => RefundOutcome::Unknown(fields.words()),
                    outcome => outcome,
                },
                Meaning::Refused(reason) => RefundOutcome::Failed(failure(&fields, reason)),
                // 34: the payment; 45, 46: it went back in another way.
                Meaning::NotFound | Meaning::Returned => {
                    RefundOutcome::Failed(failure(&fields, FailureReason::ProviderRefused))
                }
            },
            Reply::Refused(fields) => RefundOutcome::Failed(refusal(&fields)),
            Reply::NotSent(lost) => RefundOutcome::Unknown(lost.words),
            Reply::Unknown(silence) => RefundOutcome::Unknown(silence.words()),
        }
    }

    async fn query_refund(&self, _: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        match self.ask(&refund.out_refund_no, &china_time::compact(refund.started_at)).await {
            Ok(fields) => outcome::refund_queried(&fields),
            Err(words) => RefundOutcome::Unknown(words),
        }
    }

    async fn bill(&self, day: Date, kind: BillKind) -> Result<Bill, BillError> {
        if kind != BillKind::Trades {
            return Err(BillError::Unsupported);
        }
        let request = request::settlement_file(&self.credentials, day, now());
        let fields = match self.exchange(&self.files, "/", request).await.0 {
            Reply::Signed(fields) => fields,
            Reply::Refused(fields) => return Err(BillError::Refused(refusal(&fields))),
            Reply::NotSent(lost) => return Err(BillError::Unreachable(lost.words)),
            Reply::Unknown(silence) => return Err(BillError::Unreachable(silence.words())),
        };
        let name =
            fields.some("fileName").map_or_else(|| format!("{}_{day}.zip", self.credentials.mer_id), str::to_owned);
        match of_answer(&fields) {
            Meaning::Done => {
                bill::read(&self.credentials.mer_id, &name, bill::unpack(fields.get("fileContent"))?, Some(day))
            }
            // 98: there is no file. Of a day long past that means that there was no business.
            _ if fields.get("respCode") == "98" => {
                let next_day_is_over = day.tomorrow().is_ok_and(|tomorrow| china_time::day(now()) > tomorrow);
                if next_day_is_over {
                    Ok(Bill { raw: Vec::new(), file_name: name, lines: Vec::new() })
                } else {
                    Err(BillError::NotReady)
                }
            }
            Meaning::Refused(reason) => Err(BillError::Refused(failure(&fields, reason))),
            _ => Err(BillError::Unreachable(fields.words())),
        }
    }

    fn read_bill(&self, kind: BillKind, file: &[u8]) -> Result<Bill, BillError> {
        match kind {
            BillKind::Trades => bill::read(&self.credentials.mer_id, "settlement.zip", file.to_vec(), None),
            BillKind::FundFlow => Err(BillError::Unsupported),
        }
    }

    async fn test(&self) -> AccountTest {
        // An order that never was, by a time that is now: an account that is in order hears that there is none.
        let at = now();
        let request = request::query(&self.credentials, "SCANTILLTEST", &china_time::compact(at));
        let (reply, clock) = self.exchange(&self.sender, QUERY, request).await;
        account_check::verdict(&self.credentials, &reply, clock, at)
    }

    fn read_notification(&self, raw: &RawNotification, now: UnixMillis) -> Result<Notification, NotificationError> {
        notification::read(&self.credentials, &raw.body, now)
    }

    fn acknowledge(&self, accepted: bool) -> Acknowledgement {
        // The gateway looks at the status alone, and repeats where it is not 200.
        let (status, body) = if accepted { (200, "ok") } else { (500, "fail") };
        Acknowledgement { status, content_type: "text/plain; charset=utf-8", body: body.into() }
    }
}
