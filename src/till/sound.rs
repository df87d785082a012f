//! stand-in
#[derive(Debug)]
pub struct Sounds;
impl Sounds {
    pub fn new(_on: bool) -> Self {
        Self
    }
    pub fn read(&self) {}
    pub fn success(&self) {}
    pub fn failure(&self) {}
    pub fn attention(&self) {}
}
