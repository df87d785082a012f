//! Frames and what they say: drawn from seeds, or read from a folder.

use std::collections::BTreeMap;
use std::path::Path;

use scantill::scan::{GreyFrame, Kind, Level, Scene, render_phone};

pub struct Frame {
    pub luma: GreyFrame,
    /// Empty where there is no code.
    pub text: String,
}

pub struct Set {
    pub name: String,
    pub frames: Vec<Frame>,
}

/// Scenes of a level.
pub fn drawn(level: Level, count: u64) -> Set {
    Set {
        name: level.name().to_owned(),
        frames: (0..count).map(|seed| frame(&Scene::at(level, 10_000 + seed))).collect(),
    }
}

/// Counters without a phone.
pub fn empty(level: Level, count: u64) -> Vec<Frame> {
    (0..count).map(|seed| frame(&Scene { kind: Kind::Nothing, ..Scene::at(level, 20_000 + seed) })).collect()
}

/// Nothing but noise, ever stronger.
pub fn noise(count: u64) -> Vec<Frame> {
    let scene = Scene { kind: Kind::Nothing, ..Scene::default() };
    (0..count).map(|seed| frame(&Scene { noise: 2.0 * (seed + 1) as f32, seed: 30_000 + seed, ..scene })).collect()
}

/// The same hard scenes, as a camera sees them at 1280x720 and at half as much again.
pub fn sized(large: bool, count: u64) -> Vec<Frame> {
    (0..count)
        .map(|seed| {
            let scene = Scene::at(Level::Hard, 40_000 + seed);
            let larger = Scene { width: 1_920, height: 1_080, module_px: scene.module_px * 1.5, ..scene };
            frame(if large { &larger } else { &scene })
        })
        .collect()
}

fn frame(scene: &Scene) -> Frame {
    let text = if scene.kind == Kind::Nothing { String::new() } else { scene.code() };
    Frame { luma: render_phone(&text, scene).expect("a scene"), text }
}

/// The pictures of a folder, by level where its `truth.csv` tells levels.
pub fn read(folder: &str) -> Vec<Set> {
    let folder = Path::new(folder);
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut truth = csv::Reader::from_path(folder.join("truth.csv")).expect("a truth.csv");
    let mut sets: BTreeMap<String, Vec<Frame>> = BTreeMap::new();
    for row in truth.records() {
        let row = row.expect("a row");
        let luma = image::open(folder.join(&row[0])).map_err(|error| error.to_string());
        let luma = luma.and_then(|picture| GreyFrame::from_image(picture).map_err(|error| error.to_string()));
        let name = row.get(3).map_or_else(|| name.clone(), |level| format!("{name} {level}"));
        match luma {
            Ok(luma) => sets.entry(name).or_default().push(Frame { luma, text: row[1].to_owned() }),
            Err(error) => eprintln!("{}: {error}", &row[0]),
        }
    }
    sets.into_iter().map(|(name, frames)| Set { name, frames }).collect()
}
