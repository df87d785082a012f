//! From frames to symbols to payment codes; cameras, recorded frames, keyboard-wedge scanners.
//!
//! [`decode`] is pure. [`Scanner`] runs it on its own thread over a source of frames; [`Gate`] lets each code through
//! once; [`Wedge`] tells a scanner's burst of keys from typing; `serial` reads scanners at a serial port; [`arrivals`]
//! says how a scanner that is new here is to be set.
//!
//! A camera's driver has a thread of its own (see `watch`), turns what it sends to luma there, and leaves the newest
//! frame for the decoder: frames never queue.

pub mod arrivals;
#[cfg(feature = "till")]
mod camera;
pub mod decode;
mod facts;
mod file;
mod frame;
mod gate;
mod luma;
mod render;
mod scanner;
#[cfg(feature = "till")]
pub mod serial;
mod source;
mod times;
mod watch;
mod wedge;

#[cfg(feature = "till")]
pub use camera::{CameraError, CameraInfo, list_cameras};
pub use decode::{Decoder, Format, Symbol};
pub use facts::{Control, ControlReport, Form, Pixels, Setting, SourceFacts};
pub use file::{DecodeFileError, FileDecode, decode_file, decode_picture};
pub use frame::{FrameError, GreyFrame};
pub use gate::Gate;
pub use render::{Kind, Level, Scene, render_phone};
pub use scanner::{Preview, Reading, ScanEvent, Scanner};
pub use source::{FrameFeed, SourceError, SourceSpec};
pub use times::{FrameTimes, Spread};
pub use wedge::{Key, Suffix, Verdict, Wedge, WedgeSettings};
