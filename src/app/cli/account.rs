//! The words of `scantill account`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::ApiArgs;
use crate::crypto::{Algorithm, KeptIn};

#[derive(Subcommand)]
pub(in crate::app) enum AccountCommand {
    /// What an account with each provider consists of
    #[command(after_help = "Examples:
  scantill account forms
  scantill account forms --channel wechatpay --json")]
    Forms {
        /// Only this provider's
        #[arg(long, value_name = "C")]
        channel: Option<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Add a merchant account
    #[command(after_help = "Examples:
  scantill account add --channel alipay --test
  scantill account add --channel alipay --field app_id=2021000000000001 --file app_private_key=key.pem \\
      --file alipay_public_key=alipay.pem --test
  scantill account add --channel wechatpay --credentials - --json < credentials.json

On a terminal, what is missing is asked for; secrets are not shown while they are typed. `scantill account forms` tells
the fields of each provider. A secret on the command line itself can be seen by others on this machine: give a file.")]
    Add(Box<AddArgs>),
    /// Every merchant account
    #[command(after_help = "Examples:\n  scantill account list\n  scantill account list --json")]
    List(CommonArgs),
    /// One merchant account, without its secrets
    #[command(after_help = "Examples:\n  scantill account show alipay-1\n  scantill account show alipay-1 --json")]
    Show {
        /// Its id
        id: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Make a harmless signed call with an account, and say what is wrong if it fails
    #[command(after_help = "Examples:
  scantill account test                        every account
  scantill account test alipay-1 --json
  scantill account test alipay-1 --file app_private_key=new.pem    before it is stored

Nothing is changed and no money moves. Exit code 0 only if every test is good.")]
    Test {
        /// Its id; every account where absent
        id: Option<String>,
        #[command(flatten)]
        fields: FieldArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Change an account's name, address, stores or credentials at once
    #[command(after_help = "Examples:
  scantill account change alipay-1 --name \"Alipay, front shop\" --store store-1
  scantill account change wechatpay-1 --field merchant_serial=5157F09EFDC096DE15EBE81A47057A7232F1B8E1

Credentials that are not named stay. To replace a key without a gap, use rotate.")]
    Change(Box<ChangeArgs>),
    /// Remove an account and its credentials
    #[command(after_help = "Examples:
  scantill account remove alipay-1
  scantill account remove alipay-1 --yes

Refused while an unfinished payment needs the account. What was paid through it can no longer be refunded from here
afterwards: disable it instead where that may come.")]
    Remove {
        /// Its id
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Give an account new credentials, with an overlap
    #[command(after_help = "Examples:
  scantill account rotate alipay-1 --file app_private_key=new.pem --test
  scantill account rotate wechatpay-1 --file merchant_private_key=new.pem --field merchant_serial=1DDE55AD \\
      --overlap 7d

From now on requests are signed by the new credentials; what the provider still sends under the old ones is believed
until the overlap ends, and then they are forgotten. Credentials that are not named stay.")]
    Rotate {
        /// Its id
        id: String,
        #[command(flatten)]
        fields: FieldArgs,
        /// For how long the old ones still count, such as 30m, 24h or 7d; 0 for not at all
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_time)]
        overlap: Duration,
        /// Test the new ones first, and store nothing if that fails
        #[arg(long)]
        test: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Let new payments go through an account
    #[command(after_help = "Examples:\n  scantill account enable alipay-1")]
    Enable {
        /// Its id
        id: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Let no new payments go through an account; what was begun is finished
    #[command(after_help = "Examples:\n  scantill account disable alipay-1")]
    Disable {
        /// Its id
        id: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Which algorithms accounts may use
    #[command(after_help = "Examples:
  scantill account policy
  scantill account policy wechatpay-1 --allow md5 --accept-weak
  scantill account policy wechatpay-1 --deny md5

MD5, DES and RSA with SHA-1 are broken and off unless they are turned on for one account whose provider has nothing
else; that is shown wherever the account is.")]
    Policy {
        /// Whose; every account where absent
        id: Option<String>,
        /// Turn on
        #[arg(long, value_name = "ALGORITHM", value_parser = parse_algorithm, requires = "id")]
        allow: Vec<Algorithm>,
        /// Turn off
        #[arg(long, value_name = "ALGORITHM", value_parser = parse_algorithm, requires = "id")]
        deny: Vec<Algorithm>,
        /// Yes, a broken algorithm: the provider has nothing else
        #[arg(long)]
        accept_weak: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Seal all secrets under a new key, or keep the key somewhere else
    #[command(after_help = "Examples:
  scantill account rekey                       a new key in the same place
  scantill account rekey --to keyring
  scantill account rekey --to passphrase       also to change the passphrase

No secret is lost on the way, also if it is broken off. --to needs the till and `scantill serve` on this data folder to
be stopped. Without a terminal the passphrase comes from SCANTILL_PASSPHRASE, a new one from SCANTILL_NEW_PASSPHRASE.")]
    Rekey {
        /// Where the key is kept from now on
        #[arg(long, value_enum, value_name = "PLACE")]
        to: Option<PlaceArg>,
        /// The books, where they are not the data folder's own
        #[arg(long, value_name = "URL", env = "SCANTILL_DATABASE", hide_env_values = true)]
        database: Option<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// What every one of them takes.
#[derive(Args)]
pub(in crate::app) struct CommonArgs {
    /// JSON on stdout, one object a line
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub api: ApiArgs,
}

/// Credentials.
#[derive(Args)]
pub(in crate::app) struct FieldArgs {
    /// A credential: its text, or @ and the file that holds it
    #[arg(long = "field", value_name = "NAME=TEXT|NAME=@PATH")]
    pub fields: Vec<String>,
    /// A credential from a file: PEM, DER or PKCS#12
    #[arg(long = "file", value_name = "NAME=PATH")]
    pub files: Vec<String>,
    /// A JSON object of credentials from a file, or from stdin by -
    #[arg(long, value_name = "PATH|-")]
    pub credentials: Option<PathBuf>,
}

#[derive(Args)]
pub(in crate::app) struct AddArgs {
    /// The provider
    #[arg(long, value_name = "C")]
    pub channel: String,
    /// What people call it [default: the provider's name]
    #[arg(long)]
    pub name: Option<String>,
    /// Its id [default: made up]
    #[arg(long)]
    pub id: Option<String>,
    /// The provider's gateway [default: the provider's real one]
    #[arg(long, value_name = "URL", conflicts_with = "provider_sandbox")]
    pub base_url: Option<String>,
    /// The provider's own test gateway, with no real money
    #[arg(long)]
    pub provider_sandbox: bool,
    /// It leads to a sandbox, with no real money
    #[arg(long)]
    pub training: bool,
    /// Let no payments go through it yet
    #[arg(long)]
    pub disabled: bool,
    /// Where the provider's notifications reach the Payment API
    #[arg(long, value_name = "URL")]
    pub notify_base_url: Option<String>,
    /// Only for this store; may be given several times
    #[arg(long = "store", value_name = "ID")]
    pub stores: Vec<String>,
    /// Turn on an algorithm that is off
    #[arg(long, value_name = "ALGORITHM", value_parser = parse_algorithm)]
    pub allow: Vec<Algorithm>,
    /// Yes, a broken algorithm: the provider has nothing else
    #[arg(long)]
    pub accept_weak: bool,
    #[command(flatten)]
    pub fields: FieldArgs,
    /// Test it first, and store nothing if that fails
    #[arg(long)]
    pub test: bool,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args)]
pub(in crate::app) struct ChangeArgs {
    /// Its id
    pub id: String,
    /// What people call it
    #[arg(long)]
    pub name: Option<String>,
    /// The provider's gateway
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Whether it leads to a sandbox
    #[arg(long, value_name = "true|false")]
    pub training: Option<bool>,
    /// Where the provider's notifications reach the Payment API; empty for nowhere
    #[arg(long, value_name = "URL")]
    pub notify_base_url: Option<String>,
    /// Only for this store; may be given several times
    #[arg(long = "store", value_name = "ID", conflicts_with = "every_store")]
    pub stores: Vec<String>,
    /// For every store
    #[arg(long)]
    pub every_store: bool,
    #[command(flatten)]
    pub fields: FieldArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Where the seal key is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::app) enum PlaceArg {
    /// The operating system's keyring
    Keyring,
    /// Under a passphrase
    Passphrase,
    /// A file that only its owner can read
    File,
}

impl From<PlaceArg> for KeptIn {
    fn from(place: PlaceArg) -> Self {
        match place {
            PlaceArg::Keyring => Self::Keyring,
            PlaceArg::Passphrase => Self::Passphrase,
            PlaceArg::File => Self::File,
        }
    }
}

fn parse_algorithm(text: &str) -> Result<Algorithm, String> {
    let known = || Algorithm::ALL.map(Algorithm::name).join(", ");
    let found = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == text);
    found.ok_or_else(|| format!("write one of {}", known()))
}

/// Seconds, or a number with s, m, h or d.
fn parse_time(text: &str) -> Result<Duration, String> {
    let wrong = || "write a time such as 0, 30m, 24h or 7d, at most 90d".to_owned();
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 's')) => (text.get(..at), 1),
        Some((at, 'm')) => (text.get(..at), 60),
        Some((at, 'h')) => (text.get(..at), 3_600),
        Some((at, 'd')) => (text.get(..at), 86_400),
        _ => (Some(text), 1),
    };
    let number: u64 = digits.and_then(|digits| digits.parse().ok()).ok_or_else(wrong)?;
    let time = number.checked_mul(unit).filter(|seconds| *seconds <= 90 * 86_400).ok_or_else(wrong)?;
    Ok(Duration::from_secs(time))
}
