//! Scanners at a serial port: USB (CDC-ACM, USB-to-serial) and RS-232.
//!
//! Eight data bits, no parity, one stop bit, no handshake, as scanners come from the factory. [`Serial`] reads on a
//! thread of its own; `framing` cuts what arrives into codes.

mod framing;
mod ports;
mod reader;

use serde::{Deserialize, Serialize};

pub use framing::{Framed, Framing};
pub use ports::{PortInfo, list_ports};
pub use reader::{Serial, SerialError, SerialEvent};

/// The speeds that scanners have, in bits a second.
pub const SPEEDS: [u32; 8] = [1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200];

/// What a code ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Carriage return, line feed, or both: what scanners come with.
    #[default]
    Line,
    /// A tab.
    Tab,
    /// Nothing: a pause ends it.
    Pause,
}

impl Ending {
    /// Every ending, in the order that settings show them.
    pub const ALL: [Self; 3] = [Self::Line, Self::Tab, Self::Pause];

    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Tab => "tab",
            Self::Pause => "pause",
        }
    }

    const fn is_end(self, byte: u8) -> bool {
        match self {
            Self::Line => matches!(byte, b'\r' | b'\n'),
            Self::Tab => byte == b'\t',
            Self::Pause => false,
        }
    }
}

/// How a serial scanner is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SerialSettings {
    /// The port: a path such as `/dev/ttyACM0`, or a name such as `COM3`.
    pub port: String,
    /// Bits a second; without meaning for scanners that are USB throughout.
    pub speed: u32,
    /// What a code begins with and is no part of it.
    pub prefix: String,
    /// What a code ends with.
    pub ending: Ending,
    /// A pause of so many milliseconds ends a code that has no ending, or gives up one whose ending does not come.
    pub pause_ms: u64,
}

impl Default for SerialSettings {
    fn default() -> Self {
        Self { port: String::new(), speed: 9_600, prefix: String::new(), ending: Ending::Line, pause_ms: 100 }
    }
}

impl SerialSettings {
    /// The same with every value in its range.
    #[must_use]
    pub fn sane(mut self) -> Self {
        if !SPEEDS.contains(&self.speed) {
            self.speed = 9_600;
        }
        self.pause_ms = self.pause_ms.clamp(10, 2_000);
        self
    }
}
