//! The icons: our own drawings, single colour, part of the program. The channels' marks are neutral drawings and not
//! the providers' logos.

use iced::widget::svg::{Handle, Style};
use iced::widget::{Svg, svg};
use iced::{Color, Theme};

use crate::payment::ChannelId;

macro_rules! icons {
    ($($(#[$doc:meta])+ $name:ident = $file:literal,)+) => {
        /// A drawing. All are square; state shapes are filled, so that they are told apart from afar.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Icon {
            $($(#[$doc])+ $name,)+
        }

        impl Icon {
            /// Every icon.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The SVG file.
            #[must_use]
            pub const fn bytes(self) -> &'static [u8] {
                match self {
                    $(Self::$name => include_bytes!(concat!("../../assets/icons/", $file, ".svg")),)+
                }
            }
        }
    };
}

icons! {
    /// Paid: tick in a circle.
    Success = "success",
    /// Not paid: cross in an octagon.
    Failure = "failure",
    /// Not known yet: hourglass.
    Unknown = "unknown",
    /// Cancelled: bar.
    Cancelled = "cancelled",
    /// Returned: arrow back.
    Refund = "refund",
    /// Look here.
    Warning = "warning",
    /// Advice.
    Info = "info",
    /// Camera.
    Camera = "camera",
    /// No camera.
    CameraOff = "camera-off",
    /// Hand scanner.
    Scanner = "scanner",
    /// A customer's phone.
    Phone = "phone",
    /// The training phone.
    Training = "training",
    /// A QR code.
    Qr = "qr",
    /// A barcode.
    Barcode = "barcode",
    /// Connected.
    Online = "online",
    /// Not connected.
    Offline = "offline",
    /// Typing; keys.
    Keyboard = "keyboard",
    /// The customer's display.
    Display = "display",
    /// Over the whole screen.
    FullScreen = "full-screen",
    /// Settings.
    Settings = "settings",
    /// Light theme.
    Sun = "sun",
    /// Dark theme.
    Moon = "moon",
    /// Language.
    Language = "language",
    /// A list.
    List = "list",
    /// Takings: a chart.
    Takings = "takings",
    /// Sales: a receipt.
    Receipt = "receipt",
    /// Locked.
    Lock = "lock",
    /// Open again.
    Unlock = "unlock",
    /// Away with this.
    Close = "close",
    /// A bare tick.
    Check = "check",
    /// One more.
    Plus = "plus",
    /// To the left, or the day before.
    ArrowLeft = "arrow-left",
    /// To the right, or the day after.
    ArrowRight = "arrow-right",
    /// To the page before.
    Back = "back",
    /// Opens what the row stands for.
    Forward = "forward",
    /// Search.
    Search = "search",
    /// Take the last digit back.
    Backspace = "backspace",
    /// Enter.
    Enter = "enter",
    /// A note.
    Note = "note",
    /// A person.
    Person = "person",
    /// The shop.
    Store = "store",
    /// Time.
    Clock = "clock",
    /// Sounds on.
    Sound = "sound",
    /// Sounds off.
    SoundOff = "sound-off",
    /// Print.
    Print = "print",
    /// Copy.
    Copy = "copy",
    /// Save to a file.
    Save = "save",
    /// Again.
    Refresh = "refresh",
    /// A wallet.
    Wallet = "wallet",
    /// Alipay's neutral mark.
    ChannelAlipay = "channel-alipay",
    /// WeChat Pay's neutral mark.
    ChannelWechatpay = "channel-wechatpay",
    /// UnionPay's neutral mark.
    ChannelUnionpay = "channel-unionpay",
    /// Any other channel's mark.
    ChannelOther = "channel-other",
    /// A hand that holds a phone with its code up to the camera; for 64 px and more.
    HandPhone = "hand-phone",
    /// The program's own mark, in its own colours: never tint it.
    Scantill = "scantill",
}

impl Icon {
    /// The mark of a channel.
    #[must_use]
    pub fn of_channel(channel: &ChannelId) -> Self {
        match channel.as_str() {
            "alipay" => Self::ChannelAlipay,
            "wechatpay" => Self::ChannelWechatpay,
            "unionpay" => Self::ChannelUnionpay,
            _ => Self::ChannelOther,
        }
    }

    /// The drawing as iced takes it.
    #[must_use]
    pub fn handle(self) -> Handle {
        Handle::from_memory(self.bytes())
    }
}

/// An icon of `size` px square in that colour. [`Icon::Scantill`] keeps its own colours.
#[must_use]
pub fn view<'a>(icon: Icon, size: f32, color: Color) -> Svg<'a, Theme> {
    let tint = (icon != Icon::Scantill).then_some(color);
    svg(icon.handle()).width(size).height(size).style(move |_, _| Style { color: tint })
}
