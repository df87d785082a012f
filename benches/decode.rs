//! Live decoding of a 1280x720 frame, with a code and without.

use criterion::{Criterion, criterion_group, criterion_main};
use scantill::scan::{Decoder, GreyFrame, Scene, render_phone};

fn decode(criterion: &mut Criterion) {
    let scene = Scene { noise: 3.0, ..Scene::default() };
    let phone = render_phone("281234567890123456", &scene).expect("a phone");
    let tilted = render_phone("281234567890123456", &Scene { tilt_degrees: 12.0, ..scene }).expect("a phone");
    let empty = GreyFrame::new(1280, 720, 1280, &vec![128; 1280 * 720]).expect("a frame");
    let mut group = criterion.benchmark_group("decode 1280x720");
    for (name, frame) in [("with a code", &phone), ("with a code, tilted", &tilted), ("without", &empty)] {
        let mut decoder = Decoder::live();
        group.bench_function(name, |bencher| bencher.iter(|| decoder.decode(frame)));
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
