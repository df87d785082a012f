//! What an Alipay account is known by.

use crate::channel::credentials::{Fields, unreadable, wrong};
use crate::channel::{AccountError, MerchantAccount};
use crate::crypto::{RsaPrivateKey, RsaPublicKey};

/// `app_id`, `seller_id` (optional), `app_private_key`, `alipay_public_key`.
pub(super) struct Credentials {
    pub app_id: String,
    /// Where it is known, notifications for another seller are refused.
    pub seller_id: Option<String>,
    pub app_private_key: RsaPrivateKey,
    pub alipay_public_key: RsaPublicKey,
}

impl Credentials {
    pub fn read(account: &MerchantAccount) -> Result<Self, AccountError> {
        let fields = Fields::of(account)?;
        let app_id = fields.text("app_id")?;
        if !app_id.bytes().all(|byte| byte.is_ascii_digit()) || app_id.len() > 32 {
            return Err(wrong("app_id", "is not the number that Alipay gave the application"));
        }
        Ok(Self {
            app_id: app_id.to_owned(),
            seller_id: fields.optional("seller_id")?.map(str::to_owned),
            app_private_key: RsaPrivateKey::from_pem(fields.text("app_private_key")?)
                .map_err(unreadable("app_private_key"))?,
            alipay_public_key: RsaPublicKey::from_pem(fields.text("alipay_public_key")?)
                .map_err(unreadable("alipay_public_key"))?,
        })
    }
}
