//! Symbols drawn, spoilt and read back; frames without symbols.

use proptest::prelude::*;
use qrcode::{Color, EcLevel, QrCode};

use super::*;

/// Numbers from 0 to 1 that follow from a seed.
fn chances(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32
    }
}

/// How a symbol is drawn: each pixel the mean of 9 points of the map's picture, then blurred by neighbours, then noise.
struct Drawing {
    corners: [[f32; 2]; 4],
    side: u32,
    dark: f32,
    light: f32,
    softenings: usize,
    noise: f32,
    mirrored: bool,
}

fn draw(text: &str, drawing: &Drawing) -> GreyFrame {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
    let size = code.width();
    let colors = code.to_colors();
    let unit = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
    let pairs: [_; 4] = std::array::from_fn(|at| (drawing.corners[at], unit[at]));
    let map = geometry::Projection::through(&pairs).unwrap();
    let level = |x: f32, y: f32| {
        let [u, v] = map.apply(x, y).map(|value| (value * size as f32).floor() as i64);
        let (u, v) = if drawing.mirrored { (v, u) } else { (u, v) };
        let inside = (0..size as i64).contains(&u) && (0..size as i64).contains(&v);
        if inside && colors[v as usize * size + u as usize] == Color::Dark { drawing.dark } else { drawing.light }
    };
    let side = drawing.side as usize;
    let mut picture: Vec<f32> = (0..side * side)
        .map(|at| {
            let (x, y) = ((at % side) as f32, (at / side) as f32);
            let parts = [1.0 / 6.0, 0.5, 5.0 / 6.0];
            parts.iter().flat_map(|dx| parts.map(|dy| level(x + dx, y + dy))).sum::<f32>() / 9.0
        })
        .collect();
    for _ in 0..drawing.softenings {
        for step in [1, side] {
            let before = picture.clone();
            for at in step..before.len() - step {
                picture[at] = (before[at - step] + 2.0 * before[at] + before[at + step]) / 4.0;
            }
        }
    }
    let mut chance = chances(u64::from(drawing.side));
    let luma: Vec<u8> = picture
        .into_iter()
        .map(|value| (value + drawing.noise * (chance() + chance() + chance() - 1.5) * 2.0) as u8)
        .collect();
    GreyFrame::new(drawing.side, drawing.side, side, &luma).unwrap()
}

/// A square of modules of `module` pixels, turned by `degrees`, its far side shortened by `perspective`.
fn held(text: &str, module: f32, degrees: f32, perspective: f32) -> Drawing {
    let size = QrCode::with_error_correction_level(text, EcLevel::M).unwrap().width() as f32;
    let side = (size * module * 1.5 + 40.0).ceil();
    let (sin, cos) = degrees.to_radians().sin_cos();
    let half = size * module / 2.0;
    let corners = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]].map(|[x, y]: [f32; 2]| {
        let depth = 1.0 + perspective * y;
        let [x, y] = [x * half / depth, y * half / depth];
        [side / 2.0 + x * cos - y * sin, side / 2.0 + x * sin + y * cos]
    });
    Drawing { corners, side: side as u32, dark: 40.0, light: 180.0, softenings: 1, noise: 4.0, mirrored: false }
}

fn texts(frame: &GreyFrame, effort: Effort) -> Vec<String> {
    Reader::new().read(&Pyramid::of(frame), effort).into_iter().map(|symbol| symbol.text).collect()
}

#[test]
fn a_symbol_is_read_at_every_angle() {
    let code = "281234567890123456";
    for degrees in (0..360).step_by(52) {
        let frame = draw(code, &held(code, 4.0, degrees as f32, 0.06));
        assert_eq!(texts(&frame, Effort::Full), [code], "at {degrees} degrees");
    }
}

#[test]
fn small_modules_in_noise_and_dim_light_are_read() {
    let code = "6212345678901234567";
    for (degrees, module) in [(10.0, 3.0), (50.0, 2.7), (-100.0, 3.2), (170.0, 3.0)] {
        let drawing =
            Drawing { dark: 30.0, light: 95.0, softenings: 2, noise: 9.0, ..held(code, module, degrees, 0.08) };
        assert_eq!(texts(&draw(code, &drawing), Effort::Full), [code], "{module} pixels at {degrees} degrees");
    }
}

#[test]
fn mirrored_large_and_foreign_symbols_are_read() {
    let long = "https://example.com/pay?order=20250101&amount=12.50&note=".repeat(5);
    for (text, module) in [("131234567890123456", 5.0), ("Überweisung 付款 12,50 €", 4.0), (&long, 4.0), ("1", 30.0)]
    {
        for mirrored in [false, true] {
            let drawing = Drawing { mirrored, ..held(text, module, 15.0, 0.03) };
            assert_eq!(texts(&draw(text, &drawing), Effort::Full), [text], "mirrored: {mirrored}");
        }
    }
}

#[test]
fn corners_go_around_from_the_symbols_own_first_one() {
    let code = "281234567890123456";
    let drawing = held(code, 5.0, 130.0, 0.05);
    let found = Reader::new().read(&Pyramid::of(&draw(code, &drawing)), Effort::Quick);
    assert_eq!(found.len(), 1);
    for (seen, drawn) in found[0].corners.iter().zip(drawing.corners) {
        assert!(geometry::distance(*seen, drawn) < 3.0, "{seen:?} {drawn:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]
    #[test]
    fn no_frame_makes_the_reader_fall_over(width in 1_u32..150, height in 1_u32..150, seed: u64, coarse in 1_u32..9) {
        let mut chance = chances(seed);
        let tones: Vec<u8> = (0..256).map(|_| (chance() * 255.0) as u8).collect();
        let luma: Vec<u8> = (0..width * height)
            .map(|at| {
                let (x, y) = (at % width / coarse, at / width / coarse);
                tones[((x * 7 + y * 13) ^ (x * y)) as usize % 256]
            })
            .collect();
        let frame = GreyFrame::new(width, height, width as usize, &luma).unwrap();
        prop_assert_eq!(texts(&frame, Effort::Full), Vec::<String>::new());
    }
}
