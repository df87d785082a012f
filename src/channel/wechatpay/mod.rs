//! WeChat Pay through one merchant account: APIv3, or APIv2 for a merchant that is not on v3 yet. Each interface has a
//! folder of its own; what they mean by their words, and the files of a day, are the same.

mod bill;
mod fields;
mod meaning;
mod probe;
mod v2;
mod v3;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use serde_json::json;

use self::fields::{Version, form};
use self::v2::V2;
use self::v3::V3;
use super::credentials::{Fields, wrong};
use super::http::{Sender, TlsIdentity, now};
use super::{
    AccountError, AccountTest, Acknowledgement, Bill, BillError, BillKind, Capabilities, Channel, CodeOutcome,
    ConfirmedBy, MerchantAccount, Notification, NotificationError, PayOutcome, Provider, QueryOutcome, RawNotification,
    RefundOutcome, RefundRef, RefundRules, TradeDetails, TradeRef, VoidOutcome,
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
        bill: Some(bill::rules()),
        request_timeout: Duration::from_secs(10),
    }
}

/// The line by which the house finds this provider.
pub(super) const PROVIDER: Provider = Provider { channel: ChannelId::WECHATPAY, form, open };

/// Builds the channel of an account.
fn open(account: &MerchantAccount) -> Result<Arc<dyn Channel>, AccountError> {
    let mut capabilities = capabilities();
    account.timing.apply(&mut capabilities);
    let fields = Fields::of(account)?;
    let version = Version::of(&fields)?;
    let mut tls = TlsIdentity {
        identity_pem: None,
        extra_root_pem: fields.optional("gateway_root_certificate")?.map(str::to_owned),
    };
    let gateway = match version {
        Version::V3 => {
            let credentials = v3::Credentials::read(account)?;
            let sender = Sender::with(&account.base_url, capabilities.request_timeout, &tls)?;
            Gateway::V3(Arc::new(V3::new(credentials, sender)))
        }
        Version::V2 => {
            let credentials = v2::Credentials::read(account)?;
            tls.identity_pem = Some(credentials.identity_pem()?);
            let sender = Sender::with(&account.base_url, capabilities.request_timeout, &tls)?;
            if !sender.knows_its_peer() {
                return Err(wrong("base_url", "has to begin with https: what APIv2 answers carries no time"));
            }
            Gateway::V2(Box::new(V2::new(credentials, sender)))
        }
    };
    Ok(Arc::new(WechatPay { account: account.id.clone(), former: Former::of(account, version), gateway, capabilities }))
}

/// Which interface the account speaks.
enum Gateway {
    V3(Arc<V3>),
    V2(Box<V2>),
}

/// The other interface, which the account spoke before its credentials were exchanged: notifications of orders from
/// that time still come in its form.
struct Former {
    reader: FormerReader,
    until: UnixMillis,
}

enum FormerReader {
    V3(Box<v3::Credentials>),
    V2(Box<v2::Credentials>),
}

impl Former {
    fn of(account: &MerchantAccount, version: Version) -> Option<Self> {
        let retiring = account.retiring.as_ref()?;
        let was = Version::of(&Fields::read(&retiring.credentials).ok()?).ok()?;
        let before = MerchantAccount { credentials: retiring.credentials.clone(), retiring: None, ..account.clone() };
        let reader = match was {
            same if same == version => return None,
            Version::V3 => FormerReader::V3(Box::new(v3::Credentials::read(&before).ok()?)),
            Version::V2 => FormerReader::V2(Box::new(v2::Credentials::read(&before).ok()?)),
        };
        Some(Self { reader, until: retiring.until })
    }
}

struct WechatPay {
    account: AccountId,
    gateway: Gateway,
    former: Option<Former>,
    capabilities: Capabilities,
}

impl WechatPay {
    /// The former interface's reader, while it counts.
    fn former(&self, now: UnixMillis) -> Option<&FormerReader> {
        self.former.as_ref().filter(|former| now <= former.until).map(|former| &former.reader)
    }
}

/// The platform counts its 15 s from when it took the payment call, which may be as late as our time limit for it.
fn is_too_soon_to_reverse(numbers: &Capabilities, trade: &TradeRef) -> bool {
    let wait = numbers.void_not_before + numbers.request_timeout;
    let age = Duration::from_millis(now().saturating_sub(trade.started_at).try_into().unwrap_or(0));
    trade.way == Way::ConsumerPresented && age < wait
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
        match &self.gateway {
            Gateway::V3(gateway) => gateway.create_code(trade, details).await,
            Gateway::V2(gateway) => gateway.create_code(trade, details).await,
        }
    }

    async fn pay(&self, trade: &TradeRef, details: &TradeDetails, auth_code: &str) -> PayOutcome {
        match &self.gateway {
            Gateway::V3(gateway) => gateway.pay(trade, details, auth_code).await,
            Gateway::V2(gateway) => gateway.pay(trade, details, auth_code).await,
        }
    }

    async fn query(&self, trade: &TradeRef) -> QueryOutcome {
        match &self.gateway {
            Gateway::V3(gateway) => gateway.query(trade).await,
            Gateway::V2(gateway) => gateway.query(trade).await,
        }
    }

    async fn void(&self, trade: &TradeRef) -> VoidOutcome {
        match &self.gateway {
            Gateway::V3(gateway) => gateway.void(trade, &self.capabilities).await,
            Gateway::V2(gateway) => gateway.void(trade, &self.capabilities).await,
        }
    }

    async fn refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        match &self.gateway {
            Gateway::V3(gateway) => gateway.refund(trade, refund).await,
            Gateway::V2(gateway) => gateway.refund(trade, refund).await,
        }
    }

    async fn query_refund(&self, trade: &TradeRef, refund: &RefundRef) -> RefundOutcome {
        match &self.gateway {
            Gateway::V3(gateway) => gateway.query_refund(trade, refund).await,
            Gateway::V2(gateway) => gateway.query_refund(trade, refund).await,
        }
    }

    async fn bill(&self, day: Date, kind: BillKind) -> Result<Bill, BillError> {
        match &self.gateway {
            Gateway::V3(gateway) => gateway.bill(day, kind).await,
            Gateway::V2(gateway) => gateway.bill(day, kind).await,
        }
    }

    fn read_bill(&self, kind: BillKind, file: &[u8]) -> Result<Bill, BillError> {
        bill::read(kind, bill::unpacked(file.to_vec())?, "wechatpay.csv".to_owned())
    }

    async fn test(&self) -> AccountTest {
        match &self.gateway {
            Gateway::V3(gateway) => gateway.test().await,
            Gateway::V2(gateway) => gateway.test().await,
        }
    }

    fn read_notification(&self, raw: &RawNotification, now: UnixMillis) -> Result<Notification, NotificationError> {
        // APIv3 signs in the headers, APIv2 in the body.
        let is_v3 = raw.header("wechatpay-signature").is_some();
        match (&self.gateway, self.former(now)) {
            (Gateway::V3(gateway), _) if is_v3 => gateway.read_notification(raw, now),
            (Gateway::V2(gateway), _) if !is_v3 => gateway.credentials().read_notification(raw, now),
            (_, Some(FormerReader::V3(former))) if is_v3 => former.read_notification(raw, now),
            (_, Some(FormerReader::V2(former))) if !is_v3 => former.read_notification(raw, now),
            _ => Err(NotificationError::BadSignature),
        }
    }

    fn acknowledge(&self, accepted: bool) -> Acknowledgement {
        // APIv3 looks at the status and APIv2 at the body: where either may have asked, both are answered.
        if matches!(self.gateway, Gateway::V2(_)) || self.former(now()).is_some() {
            return v2::acknowledgement(accepted);
        }
        let (status, body) = if accepted {
            (204, String::new())
        } else {
            (500, json!({ "code": "FAIL", "message": "not taken; send it again" }).to_string())
        };
        Acknowledgement { status, content_type: "application/json", body }
    }
}
