//! The channels that are open, by merchant account.

use std::collections::HashMap;
use std::sync::Arc;

use super::metrics::EngineMetrics;
use super::watched::Watched;
use super::{EngineError, OpenChannel};
use crate::channel::{self, Capabilities, Channel, MerchantAccount};
use crate::money::Currency;
use crate::payment::{AccountId, ChannelId, Payment, StoreId};

/// One account and its channel.
pub(super) struct Entry {
    pub account: MerchantAccount,
    pub channel: Arc<dyn Channel>,
}

/// Every account that can be used. Those not open for new payments still serve the payments begun through them.
#[derive(Default)]
pub(super) struct Accounts {
    entries: HashMap<AccountId, Entry>,
    open: Vec<OpenChannel>,
    training: bool,
}

impl Accounts {
    /// Builds the channels. An account that cannot be used is left out, with a line in the log.
    pub fn build(accounts: Vec<MerchantAccount>, metrics: &Arc<EngineMetrics>) -> Self {
        let built = accounts.into_iter().filter_map(|account| match channel::open(&account) {
            Ok(channel) => Some((account, channel)),
            Err(error) => {
                tracing::warn!(account = %account.id, %error, "this merchant account cannot be used");
                None
            }
        });
        Self::of(built.collect(), metrics)
    }

    /// With channels that exist already.
    pub fn of(built: Vec<(MerchantAccount, Arc<dyn Channel>)>, metrics: &Arc<EngineMetrics>) -> Self {
        let live = built.iter().any(|(account, _)| account.enabled && !account.training);
        let mut open: Vec<OpenChannel> = built
            .iter()
            .filter(|(account, _)| account.enabled && account.training != live)
            .map(|(account, channel)| OpenChannel {
                channel: account.channel.clone(),
                account: account.id.clone(),
                capabilities: channel.capabilities().clone(),
                training: account.training,
                stores: account.stores.clone(),
            })
            .collect();
        // An account that names its stores comes before one that serves all; else the ids' order decides, so that each
        // start and each process chooses the same.
        open.sort_by(|a, b| (a.stores.is_empty(), &a.account).cmp(&(b.stores.is_empty(), &b.account)));
        let watched = |account: &MerchantAccount, inside: Arc<dyn Channel>| -> Arc<dyn Channel> {
            Arc::new(Watched { channel: account.channel.clone(), inside, metrics: metrics.clone() })
        };
        let entries = built
            .into_iter()
            .map(|(account, inside)| (account.id.clone(), Entry { channel: watched(&account, inside), account }))
            .collect();
        Self { entries, open, training: !live }
    }

    pub fn get(&self, account: &AccountId) -> Option<&Entry> {
        self.entries.get(account)
    }

    pub fn capabilities(&self, account: &AccountId) -> Option<Capabilities> {
        self.entries.get(account).map(|entry| entry.channel.capabilities().clone())
    }

    /// Every account that is open, whichever store it serves.
    pub fn open(&self) -> &[OpenChannel] {
        &self.open
    }

    fn serving(&self, store: &StoreId) -> Vec<&OpenChannel> {
        self.open.iter().filter(|open| open.stores.is_empty() || open.stores.contains(store)).collect()
    }

    /// What a store can be paid through: each account with the currencies that go through it.
    pub fn open_at(&self, store: &StoreId) -> Vec<OpenChannel> {
        let mut offered: Vec<OpenChannel> = Vec::new();
        for open in self.serving(store) {
            let mut open = open.clone();
            let taken = |currency: &Currency| {
                let of_channel = offered.iter().filter(|other| other.channel == open.channel);
                of_channel.flat_map(|other| &other.capabilities.currencies).any(|other| other == currency)
            };
            let currencies: Vec<_> =
                open.capabilities.currencies.iter().filter(|currency| !taken(currency)).copied().collect();
            open.capabilities.currencies = currencies;
            if !open.capabilities.currencies.is_empty() {
                offered.push(open);
            }
        }
        offered
    }

    /// The account that a new attempt of a payment through `channel` takes.
    pub fn open_for(&self, channel: &ChannelId, payment: &Payment) -> Result<&OpenChannel, EngineError> {
        let serving = self.serving(&payment.store).into_iter();
        let of_channel: Vec<&OpenChannel> =
            serving.filter(|one| &one.channel == channel && one.training == payment.training).collect();
        let currency = payment.amount.currency;
        match of_channel.iter().find(|open| open.capabilities.currencies.contains(&currency)) {
            Some(open) => Ok(open),
            None if !of_channel.is_empty() => Err(EngineError::CurrencyNotTaken { channel: channel.clone(), currency }),
            None => Err(EngineError::ChannelClosed(channel.clone())),
        }
    }

    /// Whether no account moves real money.
    pub const fn training(&self) -> bool {
        self.training
    }
}
