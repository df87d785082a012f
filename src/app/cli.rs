//! The command line's words.

mod account;
mod operator;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(super) use account::{AccountCommand, AddArgs, ChangeArgs, FieldArgs, PlaceArg};
pub(super) use operator::OperatorCommand;

use crate::payment::OperatorId;

/// A scan-to-pay point-of-sale terminal. With no command it is the till.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  scantill                                     the till; in training mode until an account is configured
  scantill --camera frames:shots/ --language en
  scantill pay 12.34 --show alipay             one payment from the shell, by a code shown in the terminal
  scantill takings --date 2026-11-24 --format csv
  scantill account add --channel alipay --test
  scantill serve --listen 0.0.0.0:8080 --database postgres://till@db/till

No real money moves in training mode. Exit code: 0 success, 2 bad usage, 1 anything else."
)]
pub(super) struct Cli {
    /// Where books, keys and settings are [default: the platform's data folder]
    #[arg(long, global = true, value_name = "DIR", env = "SCANTILL_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where a new data folder's key is kept that credentials are sealed under [default: as config.toml says, else a
    /// file, and the keyring from the first real account on]
    #[arg(long, global = true, value_enum, value_name = "PLACE", env = "SCANTILL_KEY_STORE")]
    pub key_store: Option<PlaceArg>,
    /// Tell more on stderr
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// How the log on stderr is written
    #[arg(long, global = true, value_enum, value_name = "F", default_value = "text", env = "SCANTILL_LOG_FORMAT")]
    pub log_format: LogFormat,
    #[command(flatten)]
    pub till: TillArgs,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For reading
    Text,
    /// One JSON object a line, for programs
    Json,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// The Payment API alone, for many tills
    Serve(ServeArgs),
    /// The simulated providers alone
    Sandbox(SandboxArgs),
    /// One payment from the shell
    Pay(PayArgs),
    /// Return money of a payment
    Refund(RefundArgs),
    /// Every code in each image
    Decode(DecodeArgs),
    /// A QR code as an SVG or PNG file, or in the terminal
    Qr(QrArgs),
    /// The cameras
    #[command(subcommand)]
    Camera(CameraCommand),
    /// The day's takings
    Takings(TakingsArgs),
    /// Merchant accounts
    #[command(subcommand)]
    Account(AccountCommand),
    /// The people at the tills
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// The books
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Whether everything that a payment needs is there, and what to do where it is not
    Doctor(DoctorArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  scantill doctor
  scantill doctor --json
  scantill doctor --api http://10.0.0.5:8080 --key-file api.json    as a till of a chain sees it

Looks at the data folder and its keys, the books (tables, journal, anchor, room on the disk), the clock, the way to each
enabled account's gateway, certificates, each account by a harmless signed call, camera and printer. Changes nothing and
asks nobody but the addresses that are configured. Exit code 1 where something has failed; warnings alone are 0.")]
pub(super) struct DoctorArgs {
    /// One JSON object: the worst verdict, and every check
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub books: BooksArgs,
    #[command(flatten)]
    pub api: ApiArgs,
}

/// The till's own options.
#[derive(Args)]
pub(super) struct TillArgs {
    /// Where codes are read: a device index, camera:NAME, frames:DIR (images in name order), or video:FILE (Y4M or MJPEG)
    #[arg(long, value_name = "SPEC")]
    pub camera: Option<String>,
    /// Leave out the customer's display
    #[arg(long)]
    pub no_customer_display: bool,
    /// Language of the screens [default: as last chosen, else the system's]
    #[arg(long, value_enum)]
    pub language: Option<LanguageArg>,
    /// Light or dark [default: as last chosen]
    #[arg(long, value_enum)]
    pub theme: Option<ThemeArg>,
    /// Size of the cashier's window in pixels, such as 1280x800
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    pub window: Option<(u32, u32)>,
    #[command(flatten)]
    pub api: ApiArgs,
}

/// Which Payment API to speak to.
#[derive(Args)]
pub(super) struct ApiArgs {
    /// A Payment API elsewhere, instead of the one in this process
    #[arg(long, value_name = "URL", requires = "key_file")]
    pub api: Option<String>,
    /// The file with the till's key: api.json as `scantill serve` writes it
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

/// Who does it.
#[derive(Args)]
pub(super) struct WhoArgs {
    /// Who does it, where a till asks who is there; the PIN is asked for, or given in SCANTILL_PIN
    #[arg(long = "as", value_name = "OPERATOR")]
    pub operator: Option<OperatorId>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum LanguageArg {
    /// Chinese
    #[value(name = "zh-CN", alias = "zh")]
    ZhCn,
    /// English
    En,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ThemeArg {
    /// Dark on light
    Light,
    /// Light on dark
    Dark,
}

#[derive(Args)]
#[command(after_help = "Examples:
  scantill serve --listen 127.0.0.1:8080 --database sqlite:/var/lib/scantill/scantill.db
  scantill serve --listen 0.0.0.0:8080 --database postgres://till@db.example/till --data-dir /var/lib/scantill

At the first start it makes the store store-1 and the till till-1, which may also manage accounts, stores and tills;
till-1's key is written to api.json in the data folder, for its owner only. One JSON line with the address goes to stdout.")]
pub(super) struct ServeArgs {
    /// Address and port to listen on
    #[arg(long, value_name = "A", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// sqlite:PATH or postgres://user@host/name [default: scantill.db in the data folder]
    #[arg(long, value_name = "URL", env = "SCANTILL_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  scantill sandbox --listen 127.0.0.1:9090 --out credentials/
  scantill sandbox --listen 127.0.0.1:0 --seed 7 --faults lose_answer:alipay.pay:1
  scantill sandbox --speed-up 3600 --faults duplicate:*.notify:0,delay:*:5%:800

Speaks the providers' own protocols on one listener; no real money moves. DIR gets the keys, certificates and ids that a
provider's SDK needs. One JSON line with the base URL goes to stdout. /sandbox/openapi.json describes the control calls.

Faults are written fault:channel.call:times[:more], comma between. `*` is any channel or call; times 0 is for ever, and 5%
is five calls in a hundred, by chance from the seed; more is milliseconds, or the error code of refuse.
  calls          lose_request, lose_answer, delay, http_500, system_error, refuse, down
  notifications  lose, late, reorder, duplicate, forge, replay, wrong_amount (call: notify)
  the clock      clock_skew, such as clock_skew:alipay:0:660000 (eleven minutes fast), until faults are cleared")]
pub(super) struct SandboxArgs {
    /// Address and port to listen on
    #[arg(long, value_name = "A", default_value = "127.0.0.1:9090")]
    pub listen: SocketAddr,
    /// Write credentials.json and the key files it names here
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What random choices follow from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// What goes wrong, such as lose_answer:alipay.pay:1 (fault:channel.call:times[:more]), comma between
    #[arg(long, value_name = "SPEC")]
    pub faults: Option<String>,
    /// How many times faster than the provider's own schedule notifications are repeated
    #[arg(long, value_name = "N", default_value_t = crate::sandbox::SPEED_UP, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub speed_up: u32,
    /// Speak TLS on this address as well; there /secapi wants the merchant's certificate, as in reality
    #[arg(long, value_name = "A")]
    pub tls_listen: Option<SocketAddr>,
    /// Keep wallets and trades in this file from start to start [default: in memory only]
    #[arg(long, value_name = "FILE")]
    pub books: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "Examples:
  scantill pay 12.34 --code 281234567890123456
  scantill pay 12.34 --show alipay
  scantill pay 8 --show wechatpay --json --note \"lunch set\"
  scantill pay 12.34 --code 281234567890123456 --api http://127.0.0.1:8080 --key-file api.json

Goes through the till's own Payment API where one runs on this data folder, through --api where given, and otherwise
starts one in this process. In training mode the address of the sandbox is told on stderr; a wallet's payment code is had
by POST /sandbox/wallets/WALLET/code there; codes that begin with 28000000 or 13000000 are always good there. Ctrl-C cancels: the provider is asked first. Exit code 0 only if paid.")]
pub(super) struct PayArgs {
    /// How much, such as 12.34
    #[arg(allow_negative_numbers = true)]
    pub amount: String,
    /// The digits of the customer's payment code
    #[arg(long, value_name = "DIGITS", conflicts_with = "show", required_unless_present = "show")]
    pub code: Option<String>,
    /// Draw a code for the customer to scan: alipay or wechatpay
    #[arg(long, value_name = "CHANNEL")]
    pub show: Option<String>,
    /// What for; the customer's wallet shows it
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// JSON lines on stdout: progress, and the payment last
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub who: WhoArgs,
    #[command(flatten)]
    pub api: ApiArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  scantill refund pay_0192d7b72e0558bbc12f781a87cbc601
  scantill refund pay_0192d7b72e0558bbc12f781a87cbc601 5.00 --reason \"one cup was cold\"
  scantill refund pay_0192d7b72e0558bbc12f781a87cbc601 --by-hand --reason \"paid back in cash\" --json

Asks the provider to return the money and waits until it is known what came of it; Ctrl-C ends only the waiting. With
--by-hand nothing is asked: it writes down that a person has paid back what the provider cannot return. Finds the
Payment API as `scantill pay` does. Exit code 0 only if the money is on its way back.")]
pub(super) struct RefundArgs {
    /// The payment's id
    pub payment: String,
    /// How much, such as 5.00 [default: all that is left]
    #[arg(allow_negative_numbers = true)]
    pub amount: Option<String>,
    /// Why; the customer may see it
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// A person has paid it back already; needs --reason
    #[arg(long, requires = "reason")]
    pub by_hand: bool,
    /// The number of the attempt whose surplus was paid back by hand
    #[arg(long, value_name = "NO", requires = "by_hand")]
    pub attempt: Option<u32>,
    /// JSON lines on stdout: progress, and the payment last
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub who: WhoArgs,
    #[command(flatten)]
    pub api: ApiArgs,
}

#[derive(Args)]
#[command(after_help = "Examples:
  scantill decode phone.jpg
  scantill decode --json --repeat 5 shots/*.png

A file that is no image is named, the rest are read all the same, and the exit code is 1.")]
pub(super) struct DecodeArgs {
    /// Images: JPEG or PNG
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Decode each image so often and tell the median time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub repeat: u32,
}

#[derive(Args)]
#[command(after_help = "Examples:
  scantill qr https://example.com/menu
  scantill qr https://example.com/menu --out menu.svg
  scantill qr https://example.com/menu --out menu.png --px 12 --logo shop.png

A module is a whole number of pixels, and four light modules stand around the code. A logo is shown where the code can be
read all the same, which is tried before the file is written; else it is left out, and that is told.")]
pub(super) struct QrArgs {
    /// What the code says
    pub text: String,
    /// Write to this file, SVG or PNG by its ending, instead of drawing it in the terminal
    #[arg(long, value_name = "F")]
    pub out: Option<PathBuf>,
    /// The shop's logo, PNG, to stand in the middle
    #[arg(long, value_name = "F", requires = "out")]
    pub logo: Option<PathBuf>,
    /// Pixels to a module of a PNG
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub px: u32,
}

#[derive(Subcommand)]
pub(super) enum CameraCommand {
    /// The cameras of this machine
    #[command(after_help = "Examples:\n  scantill camera list\n  scantill camera list --json")]
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Reads codes for a while: what was found, how fast, and how long each step took
    Test(CameraTestArgs),
}

#[derive(Args)]
#[command(after_help = "Examples:
  scantill camera test
  scantill camera test --source \"camera:HD Webcam\" --beep
  scantill camera test --source frames:shots/ --seconds 5
  scantill camera test --source video:counter.mjpeg --json

Times are from a frame's arrival to its symbols: median, 95th percentile and worst. Recorded pictures come 30 a second,
a Y4M at its own rate. A payment code is masked.")]
pub(super) struct CameraTestArgs {
    /// A device index, camera:NAME, frames:DIR or video:FILE
    #[arg(long, value_name = "SPEC", default_value = "0")]
    pub source: String,
    /// How long
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Beep for each payment code, and tell how long after the symbol
    #[arg(long)]
    pub beep: bool,
    /// JSON lines; the last one has the figures
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:
  scantill takings
  scantill takings --date 2026-11-24 --format json
  scantill takings --format pdf --out takings.pdf

Reads the books only, also while the till is running.")]
pub(super) struct TakingsArgs {
    /// Business day, YYYY-MM-DD [default: today]
    #[arg(long, value_name = "D")]
    pub date: Option<String>,
    /// How to show it
    #[arg(long, value_enum, default_value = "table")]
    pub format: FormatArg,
    /// Write to this file instead of stdout
    #[arg(long, value_name = "F")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub books: BooksArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArg {
    /// For reading
    Table,
    /// For programs
    Json,
    /// For spreadsheets and imports
    Csv,
    /// A spreadsheet
    Xlsx,
    /// A page to print
    Pdf,
}

/// Which books.
#[derive(Args)]
pub(super) struct BooksArgs {
    /// sqlite:PATH or postgres://user@host/name [default: scantill.db in the data folder]
    #[arg(long, value_name = "URL", env = "SCANTILL_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
}

#[derive(Subcommand)]
pub(super) enum LedgerCommand {
    /// Walk the journal's chain and name the first row that was changed, removed or put in
    #[command(
        after_help = "Examples:\n  scantill ledger verify\n  scantill ledger verify --json --data-dir /var/lib/scantill"
    )]
    Verify {
        /// One JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        books: BooksArgs,
    },
    /// Copy the books into a new file, also while they are written
    #[command(after_help = "Examples:
  scantill ledger backup --out /media/usb/books-2026-11-24.db
  scantill ledger backup --out books.db --database postgres://till@db/till --json

The copy is a SQLite file that every command reads (--database sqlite:FILE), whatever database the books are in. It is
checked when it is made. Credentials in it stay sealed, and the keys are not in it: keep a copy of the data folder's keys/
too, in another place.")]
    Backup {
        /// The file to make; it must not exist
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// One JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        books: BooksArgs,
    },
    /// Put a copy in the place of the books, after checking it
    #[command(after_help = "Examples:
  scantill ledger restore books-2026-11-24.db
  scantill ledger restore books-2026-11-24.db --replace
  scantill ledger restore books.db --database postgres://till@db/new

Refused where the copy's journal does not verify, where there are books already (--replace moves those of a SQLite file
aside; a PostgreSQL database must be new), and where the copy is older than what was written here (--accept-older).
Payments that are not in the copy are with their providers all the same.")]
    Restore {
        /// The copy that `scantill ledger backup` made
        file: PathBuf,
        /// Move books that are there aside
        #[arg(long)]
        replace: bool,
        /// Also where rows that were written here are not in it
        #[arg(long)]
        accept_older: bool,
        /// One JSON object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        books: BooksArgs,
    },
    /// Take the journal's end as it is for the right one, where it is behind what was written here
    #[command(after_help = "Examples:\n  scantill ledger accept\n  scantill ledger accept --yes

For books that were put back to an older state on purpose. The journal must verify; a row in it tells what was accepted.")]
    Accept {
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        books: BooksArgs,
    },
    /// Make the tables derived from the journal anew
    #[command(after_help = "Examples:\n  scantill ledger rebuild")]
    Rebuild {
        #[command(flatten)]
        books: BooksArgs,
    },
}

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let wrong = || "write WIDTHxHEIGHT in pixels, 640x480 to 7680x4320, such as 1280x800".to_owned();
    let (width, height) = text.split_once('x').ok_or_else(wrong)?;
    let (width, height) = (width.parse().map_err(|_| wrong())?, height.parse().map_err(|_| wrong())?);
    if (640..=7680).contains(&width) && (480..=4320).contains(&height) { Ok((width, height)) } else { Err(wrong()) }
}
