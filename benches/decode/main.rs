//! What the scanner reads and what it costs, beside other readers in the same run.
//!
//! `cargo bench --bench decode [--features peers]`. Without more, seeded counter scenes are drawn; with
//! `SCANTILL_FRAMES=FOLDER[:FOLDER]` the frames of those folders are read instead (each with a `truth.csv`: `file,text` and
//! for scenes `,kind,level`). `SCANTILL_SCENES` is how many scenes of each level are drawn, `SCANTILL_EMPTY` how many
//! without a code, `SCANTILL_SECONDS` how long the live session lasts.
//!
//! Times are the thread's own processor time where the system tells it (Linux), so that a busy machine changes little.

mod clock;
mod readers;
mod sets;
mod table;

use std::env;
use std::time::{Duration, Instant};

use clock::{Spent, resident_kib};
use readers::Reader;
use scantill::scan::{Decoder, GreyFrame, Kind, Level, Scene, render_phone};
use sets::{Frame, Set};
use table::Row;

fn main() {
    let number = |name: &str, default: u64| env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let scenes = number("SCANTILL_SCENES", 25);
    let sets: Vec<Set> = match env::var("SCANTILL_FRAMES") {
        Ok(folders) => folders.split(':').flat_map(sets::read).collect(),
        Err(_) => Level::ALL.into_iter().map(|level| sets::drawn(level, scenes)).collect(),
    };
    println!("Single frames");
    table::head();
    for set in &sets {
        for reader in Reader::all() {
            table::line(&set.name, reader.name(), &single(reader, &set.frames));
        }
    }
    println!("\nFive successive frames of a scene, live");
    table::head();
    for level in [Level::Hard, Level::Extreme] {
        table::line(level.name(), "scantill", &successive(level, scenes));
    }
    println!("\nFrames without a code");
    table::head();
    let empty = number("SCANTILL_EMPTY", 100);
    for level in Level::ALL {
        let frames = sets::empty(level, empty / 4);
        for reader in Reader::all() {
            table::line(level.name(), reader.name(), &single(reader, &frames));
        }
    }
    let noise = sets::noise(empty / 4);
    table::line("noise", "scantill", &single(Reader::Scantill, &noise));
    println!("\nThe same scenes, hard, at 1280x720 and at 1920x1080");
    table::head();
    for (name, large) in [("1280x720", false), ("1920x1080", true)] {
        table::line(name, "scantill", &single(Reader::Scantill, &sets::sized(large, scenes)));
    }
    live(number("SCANTILL_SECONDS", 10));
}

fn single(reader: Reader, frames: &[Frame]) -> Row {
    let mut row = Row::default();
    for Frame { luma, text } in frames {
        let spent = Spent::start();
        let texts = reader.read(luma);
        row.add(spent.ms(), text, &texts);
    }
    row
}

/// A scene counts as read if one of its five frames was; times are those of each frame.
fn successive(level: Level, scenes: u64) -> Row {
    let mut row = Row::default();
    for seed in 0..scenes {
        let scene = Scene::at(level, 50_000 + seed);
        if scene.kind == Kind::Nothing {
            continue;
        }
        let (code, mut decoder) = (scene.code(), Decoder::live());
        let mut texts = Vec::new();
        for shot in 0..5 {
            let frame = render_phone(&code, &Scene { shot, ..scene }).expect("a phone");
            let spent = Spent::start();
            texts.extend(decoder.decode(&frame).into_iter().map(|symbol| symbol.text));
            row.time(spent.ms());
        }
        texts.dedup();
        row.count(&code, &texts);
    }
    row
}

/// Thirty frames a second of a counter with nothing on it.
fn live(seconds: u64) {
    let scene = Scene { kind: Kind::Nothing, ..Scene::at(Level::Medium, 8) };
    let frames: Vec<GreyFrame> =
        (0..30).map(|shot| render_phone("", &Scene { shot, ..scene }).expect("a counter")).collect();
    let mut decoder = Decoder::live();
    let (started, before) = (Instant::now(), resident_kib());
    let mut busy = 0.0;
    let mut count = 0_u32;
    while started.elapsed() < Duration::from_secs(seconds) {
        let due = started + Duration::from_secs(1) * count / 30;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let spent = Spent::start();
        let seen = decoder.decode(&frames[count as usize % frames.len()]);
        busy += spent.ms();
        count += 1;
        assert!(seen.is_empty(), "{seen:?}");
    }
    let share = busy / started.elapsed().as_secs_f64() / 10.0;
    println!(
        "\nLive, nothing shown: {count} frames in {seconds} s, {share:.1} % of one core, resident memory {before} KiB before \
         and {} KiB after",
        resident_kib()
    );
}
