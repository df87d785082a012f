//! Bars drawn at any angle, blurred and noisy, are read back; what is damaged or random is not.

use proptest::prelude::*;

use super::super::pyramid::{Effort, Pyramid};
use super::symbology::{CHARACTER_MODULES, modules, stop_modules};
use super::{Format, Reader, Symbol};
use crate::scan::GreyFrame;

/// Bars on a light card in front of something darker.
#[derive(Debug, Clone, Copy)]
struct Drawing {
    degrees: f32,
    /// Width of a module in pixels.
    module: f32,
    /// How many times wider the last module is than the first.
    widening: f32,
    /// How often each pixel is averaged with its neighbours.
    blur: usize,
    /// Largest noise up or down, in grey levels.
    noise: f32,
    seed: u64,
}

const PLAIN: Drawing = Drawing { degrees: 0.0, module: 3.0, widening: 1.0, blur: 0, noise: 0.0, seed: 1 };
const SIDE: usize = 640;
const HALF_HEIGHT: f32 = 40.0;

fn dark_modules(values: &[usize]) -> Vec<bool> {
    let bits = |pattern: u16, count: usize| (0..count).rev().map(move |bit| pattern >> bit & 1 == 1);
    let characters = values.iter().flat_map(|value| bits(modules(*value), CHARACTER_MODULES));
    characters.chain(bits(stop_modules(), 13)).collect()
}

fn draw(values: &[usize], drawing: Drawing) -> GreyFrame {
    let bars = dark_modules(values);
    let count = bars.len() as f32;
    let length = count * drawing.module;
    let (sin, cos) = drawing.degrees.to_radians().sin_cos();
    let quiet = 12.0 * drawing.module;
    let root = drawing.widening.sqrt();
    let mut levels = vec![60.0_f32; SIDE * SIDE];
    for (at, level) in levels.iter_mut().enumerate() {
        let (x, y) = ((at % SIDE) as f32 - 320.0, (at / SIDE) as f32 - 320.0);
        let (along, across) = (x * cos + y * sin + 0.5 * length, y * cos - x * sin);
        if along > -quiet && along < length + quiet && across.abs() < HALF_HEIGHT + 12.0 {
            // The place in modules grows ever slower where modules widen.
            let share = along / length;
            let module = count * share * root / (1.0 + share * (root - 1.0));
            let dark = module >= 0.0 && across.abs() < HALF_HEIGHT && bars.get(module as usize) == Some(&true);
            *level = if dark { 30.0 } else { 170.0 };
        }
    }
    for _ in 0..drawing.blur {
        let sharp = levels.clone();
        for at in SIDE + 1..SIDE * SIDE - SIDE - 1 {
            let beside = sharp[at - 1] + sharp[at + 1] + sharp[at - SIDE] + sharp[at + SIDE];
            levels[at] = 0.5 * sharp[at] + 0.125 * beside;
        }
    }
    let mut chance = drawing.seed | 1;
    let bytes: Vec<u8> = levels
        .iter()
        .map(|level| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = f32::from(chance.to_be_bytes()[0]) / 127.5 - 1.0;
            (level + random * drawing.noise).clamp(0.0, 255.0) as u8
        })
        .collect();
    GreyFrame::new(SIDE as u32, SIDE as u32, SIDE, &bytes).unwrap()
}

/// Values of a text in set C with their check character.
fn digits(text: &str) -> Vec<usize> {
    let pairs = text.as_bytes().chunks(2).map(|pair| usize::from(pair[0] - b'0') * 10 + usize::from(pair[1] - b'0'));
    checked([105].into_iter().chain(pairs).collect())
}

fn checked(mut values: Vec<usize>) -> Vec<usize> {
    let sum: usize = values.iter().enumerate().map(|(at, value)| at.max(1) * value).sum();
    values.push(sum % 103);
    values
}

fn read(frame: &GreyFrame, effort: Effort) -> Vec<Symbol> {
    Reader::new().read(&Pyramid::of(frame), effort)
}

fn texts(frame: &GreyFrame) -> Vec<String> {
    read(frame, Effort::Full).into_iter().map(|symbol| symbol.text).collect()
}

#[test]
fn bars_are_read_at_any_angle() {
    for (at, degrees) in (0..360).step_by(24).enumerate() {
        let text = format!("28123456789012345{at}").chars().take(18).collect::<String>();
        let drawing = Drawing { degrees: degrees as f32 + 3.0, noise: 12.0, blur: 2, ..PLAIN };
        let frame = draw(&digits(&text), drawing);
        let seen = read(&frame, Effort::Quick);
        assert_eq!(seen.iter().map(|symbol| symbol.text.as_str()).collect::<Vec<_>>(), [&text], "at {degrees} degrees");
        assert!(seen[0].confidence > 0.8 && seen[0].format == Format::Code128);
    }
}

#[test]
fn blurred_noisy_and_slanted_bars_are_read() {
    let hard = [
        Drawing { degrees: 33.0, module: 2.2, blur: 8, noise: 20.0, ..PLAIN },
        Drawing { degrees: -71.0, module: 3.0, blur: 16, noise: 30.0, widening: 1.3, ..PLAIN },
        Drawing { degrees: 140.0, module: 1.8, blur: 4, noise: 10.0, widening: 0.8, ..PLAIN },
        Drawing { degrees: 5.0, module: 3.3, blur: 0, noise: 60.0, ..PLAIN },
    ];
    for drawing in hard {
        assert_eq!(texts(&draw(&digits("134567890123456789"), drawing)), ["134567890123456789"], "{drawing:?}");
    }
}

#[test]
fn corners_are_those_of_the_bars_from_the_codes_own_upper_left() {
    let frame = draw(&digits("281234567890123456"), Drawing { degrees: 180.0, noise: 4.0, blur: 1, ..PLAIN });
    let seen = read(&frame, Effort::Full);
    let half = 1.5 * (11 * 11 + 13) as f32;
    // Upside down: its upper left corner is the frame's lower right one.
    let expected = [[320.0 + half, 360.0], [320.0 - half, 360.0], [320.0 - half, 280.0], [320.0 + half, 280.0]];
    for (corner, expected) in seen[0].corners.iter().zip(expected) {
        assert!((corner[0] - expected[0]).hypot(corner[1] - expected[1]) < 6.0, "{corner:?} {expected:?}");
    }
}

#[test]
fn sets_and_functions_are_understood() {
    let latin = [104, 65, 66, 99, 12, 34, 100, 35, 98, 65, 66];
    assert_eq!(texts(&draw(&checked(latin.to_vec()), PLAIN)), ["ab1234C\u{1}b"]);
    let gs1 = [105, 102, 1, 9, 50, 12, 34, 102, 21, 43];
    assert_eq!(texts(&draw(&checked(gs1.to_vec()), PLAIN)), ["0109501234\u{1d}2143"]);
}

#[test]
fn a_damaged_code_is_refused() {
    let good = digits("281234567890123456");
    assert_eq!(texts(&draw(&good, PLAIN)).len(), 1);
    for at in 1..good.len() {
        let mut damaged = good.clone();
        damaged[at] = (damaged[at] + 1 + at * 7) % 100;
        for blur in [0, 6] {
            let drawing = Drawing { degrees: 20.0, blur, noise: 8.0, ..PLAIN };
            assert_eq!(texts(&draw(&damaged, drawing)), Vec::<String>::new(), "character {at}");
        }
    }
}

#[test]
fn noise_and_stripes_say_nothing() {
    for seed in 0..12 {
        let noise = Drawing { module: 0.01, noise: 90.0, seed: 2 * seed + 1, ..PLAIN };
        assert_eq!(texts(&draw(&[105], noise)), Vec::<String>::new(), "{seed}");
    }
    // Every value the same, without start and check character.
    for value in [0, 33, 77] {
        assert_eq!(texts(&draw(&[value; 12], PLAIN)), Vec::<String>::new(), "{value}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_frame_makes_it_fall_over(width in 1_u32..200, height in 1_u32..120, seed: u64, stripes in 1_u32..9) {
        let mut state = seed | 1;
        let bytes: Vec<u8> = (0..width * height).map(|at| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let dark = (at % width / stripes).is_multiple_of(2);
            if dark { state.to_be_bytes()[0] / 4 } else { 255 - state.to_be_bytes()[0] / 2 }
        }).collect();
        let frame = GreyFrame::new(width, height, width as usize, &bytes).unwrap();
        let mut reader = Reader::new();
        for effort in [Effort::Quick, Effort::Full] {
            let _ = reader.read(&Pyramid::of(&frame), effort);
        }
    }
}
