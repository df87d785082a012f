//! Bank transfer: a code with the shop's own account, the exact amount and a reference, under the standard that the
//! customers' banking apps read. No provider stands behind it: nothing is sent, and the cashier says when the money is
//! there.

mod form;
mod iban;
mod paynow;
mod pix;
mod promptpay;
mod reference;
mod scheme;
mod sepa;
mod swiss;
mod upi;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;

use self::form::form;
use self::scheme::Scheme;
use super::credentials::Fields;
use super::{
    AccountError, AccountFault, AccountTest, Acknowledgement, Bill, BillError, BillKind, Capabilities, Channel,
    CodeOutcome, ConfirmedBy, MerchantAccount, Notification, NotificationError, PayOutcome, Provider, QueryOutcome,
    RawNotification, RefundOutcome, RefundRef, TradeDetails, TradeRef, VoidOutcome,
};
use crate::money::Money;
use crate::payment::{AccountId, ChannelId, Failure, FailureReason, OutTradeNo, UnixMillis, Way};

const CHANNEL: ChannelId = ChannelId::built_in("bank_transfer");
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The line by which the house finds this channel.
pub(super) const PROVIDER: Provider = Provider { channel: CHANNEL, form, open };

/// The numbers of a channel that nobody answers: nothing runs out, and asking is of no use.
fn capabilities(scheme: &Scheme) -> Capabilities {
    Capabilities {
        channel: CHANNEL,
        ways: vec![Way::MerchantPresented],
        code_rules: Vec::new(),
        currencies: vec![scheme.currency()],
        confirmed_by: ConfirmedBy::Cashier,
        notifies: false,
        amount: scheme.amounts(),
        // The code stays good; a fresh one would only take another reference.
        code_lifetime: Duration::from_secs(3600),
        code_grace: Duration::from_secs(60),
        // A transfer that was begun in time is on the account within minutes.
        confirm_patience: Duration::from_secs(30 * 60),
        query_interval: Duration::from_secs(60),
        shown_query_interval: Duration::from_secs(60),
        void_not_before: Duration::ZERO,
        void_window: DAY,
        close_patience: Duration::from_secs(1),
        refund: None,
        bill: None,
        request_timeout: Duration::from_secs(1),
    }
}

/// Builds the channel of an account.
fn open(account: &MerchantAccount) -> Result<Arc<dyn Channel>, AccountError> {
    let scheme = Scheme::read(&Fields::of(account)?)?;
    let mut capabilities = capabilities(&scheme);
    account.timing.apply(&mut capabilities);
    Ok(Arc::new(BankTransfer { account: account.id.clone(), scheme, capabilities }))
}

struct BankTransfer {
    account: AccountId,
    scheme: Scheme,
    capabilities: Capabilities,
}

impl BankTransfer {
    fn payload(&self, amount: Money, number: &OutTradeNo) -> Result<String, Failure> {
        let fits = amount.currency == self.scheme.currency() && self.capabilities.amount.contains(&amount.minor);
        if !fits {
            return Err(Failure::new(FailureReason::LimitExceeded));
        }
        self.scheme.payload(amount, number).map_err(|error| Failure {
            reason: FailureReason::MerchantAccount,
            provider_code: String::new(),
            provider_message: error.to_string(),
        })
    }
}

/// What is asked of a channel that cannot do it. The engine asks the capabilities first.
const fn impossible() -> Failure {
    Failure::new(FailureReason::RequestRefused)
}

#[async_trait]
impl Channel for BankTransfer {
    fn account(&self) -> &AccountId {
        &self.account
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create_code(&self, trade: &TradeRef, _: &TradeDetails) -> CodeOutcome {
        match self.payload(trade.amount, &trade.out_trade_no) {
            Ok(code) => CodeOutcome::Shown { code },
            Err(failure) => CodeOutcome::Failed(failure),
        }
    }

    async fn pay(&self, _: &TradeRef, _: &TradeDetails, _: &str) -> PayOutcome {
        PayOutcome::Failed(impossible())
    }

    async fn query(&self, _: &TradeRef) -> QueryOutcome {
        QueryOutcome::AwaitingCustomer
    }

    /// There is no order that could be closed: from now on the code counts for nothing here. What a customer sends
    /// all the same arrives on the shop's account, and goes back by hand.
    async fn void(&self, _: &TradeRef) -> VoidOutcome {
        VoidOutcome::Closed
    }

    async fn refund(&self, _: &TradeRef, _: &RefundRef) -> RefundOutcome {
        RefundOutcome::Failed(impossible())
    }

    async fn query_refund(&self, _: &TradeRef, _: &RefundRef) -> RefundOutcome {
        RefundOutcome::Failed(impossible())
    }

    async fn bill(&self, _: Date, _: BillKind) -> Result<Bill, BillError> {
        Err(BillError::Unsupported)
    }

    fn read_bill(&self, _: BillKind, _: &[u8]) -> Result<Bill, BillError> {
        Err(BillError::Unsupported)
    }

    /// Makes the code of the smallest amount: there is nobody to ask.
    async fn test(&self) -> AccountTest {
        let smallest = Money::new(*self.capabilities.amount.start(), self.scheme.currency());
        let Ok(number) = "SCANTILLTEST".parse() else { return AccountTest::good() };
        match self.payload(smallest, &number) {
            Ok(_) => AccountTest::good(),
            Err(failure) => AccountTest::bad(AccountFault::Refused, "", failure.provider_message),
        }
    }

    fn read_notification(&self, _: &RawNotification, _: UnixMillis) -> Result<Notification, NotificationError> {
        Err(NotificationError::NotSent)
    }

    fn acknowledge(&self, _: bool) -> Acknowledgement {
        Acknowledgement { status: 404, content_type: "text/plain; charset=utf-8", body: String::new() }
    }
}
