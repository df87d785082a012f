//! Everything that can happen in the till.

use std::time::Instant;

use iced::{Size, window};

use crate::api::wire::{ChannelView, OperatorView, PaymentPage, PaymentView, SessionView, StoryStep, Takings};
use crate::client::{ClientError, StreamEvent};
use crate::payment::{ChannelId, PaymentId};
use crate::scan::serial::SerialEvent;
use crate::till::Connection;
use crate::till::keys::Stroke;
use crate::till::scanner::Heard;
use crate::till::screen::{
    accounts as accounts_page, cashier, phone, refund as refund_page, sales, scanner as scanner_page, settings,
    sign_in, takings,
};

/// Everything that can happen.
#[derive(Clone)]
pub enum Message {
    /// A window stands.
    Opened(window::Id),
    /// A window has another size, in logical pixels of that moment.
    Sized(window::Id, Size),
    /// A window is on a screen of so many physical pixels per logical one.
    Scaled(window::Id, f32),
    /// Somebody wants to close a window.
    CloseAsked(window::Id),
    /// A window is gone.
    Closed(window::Id),
    /// Time goes on.
    Tick,
    /// The API is there, or why not.
    Connected(Box<Result<Connection, String>>),
    /// The event stream tells something.
    Stream(StreamEvent),
    /// What can be paid through.
    Channels(Result<Vec<ChannelView>, ClientError>),
    /// The last sales.
    Recent(Result<PaymentPage, ClientError>),
    /// The sales that are under way.
    InFlight(Result<PaymentPage, ClientError>),
    /// Today's takings.
    Today(Result<Takings, ClientError>),
    /// The takings of the day chosen on the takings page.
    DayTakings(Option<String>, Result<Takings, ClientError>),
    /// A sale's steps.
    Steps(PaymentId, Result<Vec<StoryStep>, ClientError>),
    /// The answer to a creation.
    Created(Box<Result<PaymentView, ClientError>>),
    /// The answer to a request for a code.
    CodeShown(PaymentId, ChannelId, Box<Result<PaymentView, ClientError>>),
    /// The answer to a submitted code.
    Submitted(PaymentId, Box<Result<PaymentView, ClientError>>),
    /// The answer to a cancellation.
    Cancelled(PaymentId, Box<Result<PaymentView, ClientError>>),
    /// A payment as it stands, after a reconnection.
    Looked(Box<Result<PaymentView, ClientError>>),
    /// A key went down in some window.
    Key(Stroke),
    /// An input method gave text.
    Composed(String),
    /// The clipboard's text.
    Pasted(Option<String>),
    /// A held-back key's time is up.
    KeysSettleAt(Instant),
    /// A camera told something.
    Scan(Heard),
    /// The serial scanner started last told something.
    Serial(u64, SerialEvent),
    /// The cashier's window.
    Cashier(cashier::Message),
    /// The sales page.
    Sales(sales::Message),
    /// The takings page.
    Takings(takings::Message),
    /// The settings page.
    Settings(settings::Message),
    /// The page that sets up cameras and scanners.
    Scanners(scanner_page::Message),
    /// The accounts page.
    Accounts(accounts_page::Message),
    /// The refund page.
    Refund(refund_page::Message),
    /// Who may sign in here.
    Operators(Result<Vec<OperatorView>, ClientError>),
    /// The lock screen.
    SignIn(sign_in::Message),
    /// The answer to a PIN.
    SignedIn(Box<Result<SessionView, ClientError>>),
    /// Nobody is at the till any more.
    Lock,
    /// The training phone.
    Phone(phone::Message),
    /// The customer's display goes to full screen and back.
    FullScreen,
    /// Close although a sale is under way.
    CloseAnyway,
    /// Stay.
    Stay,
    /// Nothing more to do.
    Done,
}
