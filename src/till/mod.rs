//! The window: cashier, customer's display, takings.
//!
//! - [`entry`] and [`sale`]: amount and counter as pure machines.
//! - [`program`]: the running till; routes messages between windows, screens, client and scanner.
//! - [`screen`]: one module for each screen. [`widget`]: what they share. [`theme`]: colours, sizes, spaces.
//! - [`keys`] and [`scanner`]: where keys and codes come in. [`seen`]: what is made of a code in sight.
//! - [`text`], [`font`], [`icon`], [`sound`]: what is bundled.
//!
//! The till speaks to the Payment API only through [`crate::client`], and for the training phone to the sandbox's own
//! control calls.

pub mod entry;
pub mod font;
pub mod icon;
pub mod keys;
pub mod program;
pub mod sale;
pub mod scanner;
pub mod screen;
pub mod seen;
pub mod settings;
pub mod sound;
pub mod text;
pub mod theme;
pub mod widget;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use futures::future::BoxFuture;

use crate::client::Client;
use crate::money::Currency;
use crate::qr::Logo;
use crate::scan::SourceSpec;
use program::Till;
use text::Language;

/// How the till is started.
pub struct Launch {
    /// Brings up the Payment API and gives a client of it; runs while the window already stands. The error is a
    /// sentence for the cashier.
    pub connect: Box<dyn FnOnce() -> BoxFuture<'static, Result<Connection, String>> + Send>,
    /// Whether the customer's display is opened.
    pub customer_display: bool,
    /// The camera, or what stands for one; the one of the settings, else the first found, where absent.
    pub camera: Option<SourceSpec>,
    /// The language; that of the settings, else of the system, where absent.
    pub language: Option<Language>,
    /// Light or dark; as the settings say, else light, where absent.
    pub dark: Option<bool>,
    /// Where the settings are kept; they are forgotten at the end where absent.
    pub settings_file: Option<PathBuf>,
    /// The size of both windows in logical pixels; 1280x800 where absent.
    pub window_size: Option<(u32, u32)>,
    /// The shop's logo, for the codes on the customer's display.
    pub logo: Option<Logo>,
    /// What the till takes.
    pub currency: Currency,
    /// When the program started, to tell how long the first frame took.
    pub started: Instant,
}

/// The Payment API is there.
#[derive(Clone)]
pub struct Connection {
    /// How to speak to it.
    pub client: Client,
    /// Where the embedded sandbox listens, in training mode.
    pub sandbox_url: Option<String>,
    /// What the shop's sign says.
    pub store_name: String,
    /// What people call this till.
    pub till_name: String,
}

/// Why the window could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum TillError {
    /// There is no display, or the window system refuses.
    #[error("the window cannot be opened: {0}. On a machine without a display use `scantill serve` or `scantill pay`")]
    Window(String),
}

/// Shows the windows until the cashier's is closed.
///
/// # Errors
/// Where there is no display.
pub fn run(launch: Launch) -> Result<(), TillError> {
    let launch = Mutex::new(Some(launch));
    let boot = move || {
        let launch = launch.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        // The window system boots a program once; a second boot would have nothing to connect with.
        let launch = launch.unwrap_or_else(Launch::nowhere);
        Till::boot(launch)
    };
    let mut daemon = iced::daemon(boot, Till::update, Till::view)
        .title(Till::title)
        .theme(Till::theme)
        .scale_factor(Till::scale_factor)
        .subscription(Till::subscription)
        .default_font(font::LATIN)
        .antialiasing(true);
    for bytes in font::bytes() {
        daemon = daemon.font(bytes);
    }
    daemon.run().map_err(|error| TillError::Window(error.to_string()))
}

impl Launch {
    /// A till that is connected to nothing.
    #[must_use]
    pub fn nowhere() -> Self {
        Self {
            connect: Box::new(|| Box::pin(async { Err("there is nothing to connect to".to_owned()) })),
            customer_display: false,
            camera: None,
            language: None,
            dark: None,
            settings_file: None,
            window_size: None,
            logo: None,
            currency: Currency::CNY,
            started: Instant::now(),
        }
    }
}
