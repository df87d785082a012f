//! What an Alipay account is known by, and the form that asks for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::certificates::{self, Numbers};
use super::content::ContentKeys;
use super::trust::Trust;
use crate::channel::credentials::{Fields, unreadable, wrong};
use crate::channel::{AccountError, AccountForm, CredentialField, FieldKind, MerchantAccount, Required};
use crate::crypto::{AesCbc, Algorithm, Certificate, RsaPrivateKey, RsaPublicKey, Secret};
use crate::payment::{ChannelId, UnixMillis};

/// How the two sides know each other's keys.
const MODE: &str = "mode";
const PUBLIC_KEY: &str = "public_key";
const CERTIFICATE: &str = "certificate";

/// What an account consists of.
pub(super) fn form() -> AccountForm {
    let field = |name, kind, required, label, hint| CredentialField { name, kind, required, label, hint };
    let with_key = Required::When { field: MODE, is: PUBLIC_KEY };
    let with_certificates = Required::When { field: MODE, is: CERTIFICATE };
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
                MODE,
                FieldKind::Choice(&[PUBLIC_KEY, CERTIFICATE]),
                Required::Never,
                "Signing mode",
                "Public keys or certificates, as chosen at the console under the application's signing method.",
            ),
            field(
                "alipay_public_key",
                FieldKind::Pem,
                with_key,
                "Alipay public key",
                "Shown at the console after your public key was uploaded; it is not the one that you made.",
            ),
            field(
                "app_certificate",
                FieldKind::Pem,
                with_certificates,
                "Application certificate",
                "The file appCertPublicKey_….crt from the console.",
            ),
            field(
                "alipay_certificate",
                FieldKind::Pem,
                with_certificates,
                "Alipay certificate",
                "The file alipayCertPublicKey_RSA2.crt from the console.",
            ),
            field(
                "alipay_root_certificate",
                FieldKind::Pem,
                with_certificates,
                "Alipay root certificate",
                "The file alipayRootCert.crt from the console, whole: it holds several certificates.",
            ),
            field(
                "aes_key",
                FieldKind::Secret,
                Required::Never,
                "Content encryption key (AES)",
                "Only where content encryption is switched on at the console; what is sent is encrypted with it then.",
            ),
        ],
    }
}

/// The credentials, read and checked.
pub(super) struct Credentials {
    pub app_id: String,
    /// Where it is known, notifications for another seller are refused.
    pub seller_id: Option<String>,
    pub app_private_key: RsaPrivateKey,
    /// In certificate mode: what every request names.
    pub numbers: Option<Numbers>,
    /// Whose signatures are believed.
    pub trust: Trust,
    /// Where content is encrypted.
    pub content: Option<ContentKeys>,
}

/// What is known of Alipay's side.
enum Theirs {
    Key(RsaPublicKey),
    Certificates { alipay: Vec<Certificate>, roots: Vec<Certificate> },
}

impl Credentials {
    /// Reads an account's. `now` decides which certificates have expired.
    pub fn read(account: &MerchantAccount, now: UnixMillis) -> Result<Self, AccountError> {
        account.require(Algorithm::RsaSha256)?;
        let fields = Fields::of(account)?;
        let app_id = fields.text("app_id")?;
        if !app_id.bytes().all(|byte| byte.is_ascii_digit()) || app_id.len() > 32 {
            return Err(wrong("app_id", "is not the number that Alipay gave the application"));
        }
        let app_private_key =
            RsaPrivateKey::from_pem(fields.text("app_private_key")?).map_err(unreadable("app_private_key"))?;
        let theirs = Theirs::read(&fields)?;
        let (trust, numbers) = match theirs {
            Theirs::Key(key) => (Trust::of_key(key), None),
            Theirs::Certificates { alipay, roots } => {
                let app = certificates::read(&fields, "app_certificate")?;
                let app = certificates::leaf(&app, "app_certificate")?;
                certificates::check_own(app, &app_private_key.public_key(), now)?;
                let numbers = Numbers {
                    app: certificates::number(app),
                    roots: certificates::root_numbers(&roots).ok_or_else(|| {
                        wrong("alipay_root_certificate", "holds no certificate that is signed with RSA")
                    })?,
                };
                (Trust::of_certificates(alipay, roots)?, Some(numbers))
            }
        };
        let content = match fields.optional("aes_key")? {
            Some(key) => {
                account.require(Algorithm::AesCbc)?;
                Some(ContentKeys::new(content_key(key)?))
            }
            None => None,
        };
        let mut credentials = Self {
            app_id: app_id.to_owned(),
            seller_id: fields.optional("seller_id")?.map(str::to_owned),
            app_private_key,
            numbers,
            trust,
            content,
        };
        if let Some(retiring) = &account.retiring {
            credentials.keep_believing(account, &retiring.credentials, retiring.until);
        }
        Ok(credentials)
    }

    /// What Alipay signed or encrypted under replaced credentials counts until then. They were read when they were
    /// entered: what cannot be read any more is left out, for the account works without it.
    fn keep_believing(&mut self, account: &MerchantAccount, replaced: &Secret<String>, until: UnixMillis) {
        let replaced = MerchantAccount { credentials: replaced.clone(), retiring: None, ..account.clone() };
        let Ok(fields) = Fields::of(&replaced) else { return };
        match Theirs::read(&fields) {
            Ok(Theirs::Key(key)) => self.trust.add_key_until(key, until),
            Ok(Theirs::Certificates { alipay, .. }) => self.trust.add_certificates_until(&alipay, until),
            Err(_) => {}
        }
        let key = fields.optional("aes_key").ok().flatten().and_then(|key| content_key(key).ok());
        if let (Some(content), Some(key)) = (&mut self.content, key) {
            content.add_until(key, until);
        }
    }
}

impl Theirs {
    fn read(fields: &Fields) -> Result<Self, AccountError> {
        match fields.optional(MODE)? {
            None | Some(PUBLIC_KEY) => RsaPublicKey::from_pem(fields.text("alipay_public_key")?)
                .map(Self::Key)
                .map_err(unreadable("alipay_public_key")),
            Some(CERTIFICATE) => Ok(Self::Certificates {
                alipay: certificates::read(fields, "alipay_certificate")?,
                roots: certificates::read(fields, "alipay_root_certificate")?,
            }),
            Some(_) => Err(wrong(MODE, "is neither public_key nor certificate")),
        }
    }
}

fn content_key(text: &str) -> Result<AesCbc, AccountError> {
    let problem = "is not the base64 of an AES key as the console shows it";
    let bytes = zeroize::Zeroizing::new(BASE64.decode(text).map_err(|_| wrong("aes_key", problem))?);
    AesCbc::new(&bytes).map_err(|_| wrong("aes_key", problem))
}
