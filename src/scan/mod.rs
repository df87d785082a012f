//! From frames to symbols to payment codes; cameras, recorded frames, keyboard-wedge scanners.
//!
//! [`decode`] is pure. [`Scanner`] runs it on its own thread over a source of frames; [`Gate`] lets each code through
//! once; [`Wedge`] tells a scanner's burst of keys from typing.

#[cfg(feature = "till")]
mod camera;
pub mod decode;
mod file;
mod frame;
mod gate;
mod render;
mod scanner;
mod source;
mod wedge;

#[cfg(feature = "till")]
pub use camera::{CameraError, CameraInfo, list_cameras};
pub use decode::{Decoder, Format, Symbol};
pub use file::{DecodeFileError, FileDecode, decode_file, decode_picture};
pub use frame::{FrameError, GreyFrame};
pub use gate::Gate;
pub use render::{Kind, Level, Scene, render_phone};
pub use scanner::{Preview, ScanEvent, Scanner};
pub use source::{FrameFeed, SourceError, SourceSpec};
pub use wedge::{Key, Timing, Verdict, Wedge};
