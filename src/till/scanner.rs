//! Cameras and scanners for the window: starts them, and turns what they tell into messages.

use iced::Task;

use super::screen::settings::Camera;
use super::widget::preview::{CameraState, Sight};

pub type SourceSpec = String;

/// What a camera or scanner told.
#[derive(Debug, Clone)]
pub enum Heard {
    /// A code was read.
    Code(String),
    /// The picture or the camera's state has changed.
    Sight(Sight),
    /// The cameras that can be chosen.
    Cameras(Vec<Camera>),
}

#[derive(Debug, Default)]
pub struct Scanner {}
impl Scanner {
    pub fn start(&mut self, _chosen: Option<&str>, _given: Option<SourceSpec>) -> Task<Heard> {
        Task::done(Heard::Sight(Sight { state: CameraState::None, ..Sight::default() }))
    }
    pub fn choose(&mut self, _spec: &str) -> Task<Heard> { Task::none() }
    pub fn list(&self) -> Task<Heard> { Task::none() }
    pub fn hold_up(&mut self, _code: Option<&str>) {}
}
