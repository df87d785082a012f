//! The channels that are open, by merchant account.

use std::collections::HashMap;
use std::sync::Arc;

use super::OpenChannel;
use crate::channel::{self, Capabilities, Channel, MerchantAccount};
use crate::payment::{AccountId, ChannelId};

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
    pub fn build(accounts: Vec<MerchantAccount>) -> Self {
        let built = accounts.into_iter().filter_map(|account| match channel::open(&account) {
            Ok(channel) => Some((account, channel)),
            Err(error) => {
                tracing::warn!(account = %account.id, %error, "this merchant account cannot be used");
                None
            }
        });
        Self::of(built.collect())
    }

    /// With channels that exist already.
    pub fn of(built: Vec<(MerchantAccount, Arc<dyn Channel>)>) -> Self {
        let live = built.iter().any(|(account, _)| account.enabled && !account.training);
        let mut open: Vec<OpenChannel> = Vec::new();
        for (account, channel) in &built {
            let serves = account.enabled && account.training != live;
            if serves && !open.iter().any(|open| open.channel == account.channel) {
                open.push(OpenChannel {
                    channel: account.channel.clone(),
                    account: account.id.clone(),
                    capabilities: channel.capabilities().clone(),
                    training: account.training,
                });
            }
        }
        let entries =
            built.into_iter().map(|(account, channel)| (account.id.clone(), Entry { account, channel })).collect();
        Self { entries, open, training: !live }
    }

    pub fn get(&self, account: &AccountId) -> Option<&Entry> {
        self.entries.get(account)
    }

    pub fn capabilities(&self, account: &AccountId) -> Option<Capabilities> {
        self.entries.get(account).map(|entry| entry.channel.capabilities().clone())
    }

    pub fn open(&self) -> &[OpenChannel] {
        &self.open
    }

    /// The account that a new attempt through `channel` takes.
    pub fn open_for(&self, channel: &ChannelId, training: bool) -> Option<&OpenChannel> {
        self.open.iter().find(|open| &open.channel == channel && open.training == training)
    }

    /// Whether no account moves real money.
    pub const fn training(&self) -> bool {
        self.training
    }
}
