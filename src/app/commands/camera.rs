//! `scantill camera`: which cameras there are, and how well and how fast one reads codes.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::{print_line, runtime};
use crate::app::cli::CameraTestArgs;
use crate::app::usage::Usage;
use crate::payment::{CodeRule, PaymentCode};
use crate::scan::{FrameTimes, Gate, Reading, ScanEvent, Scanner, SourceFacts, SourceSpec, Spread};
#[cfg(feature = "till")]
use crate::till::sound::{Sound, Sounds};

#[cfg(feature = "till")]
pub(super) fn list(json: bool) -> Result<ExitCode> {
    let cameras = crate::scan::list_cameras()?;
    for camera in &cameras {
        if json {
            let line = json!({ "index": camera.index, "name": camera.name, "description": camera.description });
            print_line(&line.to_string());
        } else {
            print_line(&format!("{}  {}  {}", camera.index, camera.name, camera.description));
        }
    }
    if cameras.is_empty() && !json {
        eprintln!("No camera was found. The till works with a scanner or typed codes; plug one in and look again.");
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(feature = "till"))]
pub(super) fn list(_: bool) -> Result<ExitCode> {
    anyhow::bail!("this build reads no cameras (feature `till`); frames:DIR and video:FILE can be tested")
}

/// Reads codes for a while and tells what it found and how long it took. A payment code is masked.
pub(super) fn test(args: &CameraTestArgs) -> Result<ExitCode> {
    let spec = match SourceSpec::parse(&args.source) {
        Ok(spec) => spec,
        Err(error) => {
            eprintln!("scantill: {error}");
            return Ok(ExitCode::from(2));
        }
    };
    let (scanner, mut events) = Scanner::start(Some(spec));
    scanner.want_times(true);
    let runtime = runtime()?;
    let started = Instant::now();
    let end = started + Duration::from_secs(args.seconds);
    let mut test = Test::new(args);
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        let event = runtime.block_on(async { tokio::time::timeout(left, events.recv()).await });
        match event {
            Err(_) | Ok(None) => break,
            Ok(Some(ScanEvent::Ready(facts))) => test.ready(facts),
            Ok(Some(ScanEvent::Absent(why))) => eprintln!("scantill: {why}. Trying again."),
            Ok(Some(ScanEvent::Lost(why))) => eprintln!("scantill: the source stopped: {why}. Trying again."),
            Ok(Some(ScanEvent::Looked(times, symbols, passed_over))) => test.looked(times, symbols, passed_over),
            Ok(Some(ScanEvent::Seen(reading))) => test.seen(&reading),
            Ok(Some(ScanEvent::Preview(_))) => {}
        }
    }
    let is_open = test.source.is_some();
    // Before the threads end, and what they used is forgotten.
    if is_open || args.json {
        test.report();
    } else {
        eprintln!("scantill: no picture came from {} in {} s.", args.source, args.seconds);
    }
    drop(scanner);
    Ok(if is_open { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a test has seen so far.
struct Test<'a> {
    args: &'a CameraTestArgs,
    rules: Vec<CodeRule>,
    gate: Gate,
    started: Instant,
    source: Option<SourceFacts>,
    /// What the threads had used when the first frame was looked at, and when that was.
    begun: Option<(Usage, Instant)>,
    last: Instant,
    frames: Vec<FrameTimes>,
    /// Of those with a code.
    latencies: Vec<Duration>,
    passed_over: u64,
    readings: u64,
    different: BTreeSet<String>,
    #[cfg(feature = "till")]
    sounds: Sounds,
}

impl<'a> Test<'a> {
    fn new(args: &'a CameraTestArgs) -> Self {
        #[cfg(feature = "till")]
        let sounds = Sounds::new(args.beep);
        #[cfg(feature = "till")]
        sounds.wake();
        Self {
            args,
            rules: CodeRule::published(),
            gate: Gate::new(),
            started: Instant::now(),
            source: None,
            begun: None,
            last: Instant::now(),
            frames: Vec::new(),
            latencies: Vec::new(),
            passed_over: 0,
            readings: 0,
            different: BTreeSet::new(),
            #[cfg(feature = "till")]
            sounds,
        }
    }

    fn ready(&mut self, facts: SourceFacts) {
        if self.args.json {
            print_line(&json!({ "source": facts }).to_string());
        } else {
            let form = facts.form.map(|form| format!(": {form}")).unwrap_or_default();
            print_line(&format!("{}{form}", facts.name));
            facts.controls.iter().for_each(|control| print_line(&format!("  {control}")));
        }
        self.source = Some(facts);
    }

    fn looked(&mut self, times: FrameTimes, symbols: usize, passed_over: u32) {
        self.last = times.done;
        if self.begun.is_none() {
            // The first frame is late as a rule: it waited for everything else to begin.
            self.begun = Some((Usage::now(), times.done));
            return;
        }
        self.frames.push(times);
        self.passed_over += u64::from(passed_over);
        if symbols > 0 {
            self.latencies.push(times.latency());
        }
    }

    fn seen(&mut self, reading: &Reading) {
        self.readings += 1;
        let symbol = &reading.symbol;
        let now =
            u64::try_from(reading.times.done.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX);
        if !self.gate.pass(&symbol.text, now) {
            return;
        }
        let told = match PaymentCode::classify(&symbol.text, &self.rules) {
            Ok(code) => {
                #[cfg(feature = "till")]
                self.sounds.make_for(Sound::Read, reading.times.done);
                format!("{} payment code {}", code.channel(), code.masked())
            }
            Err(rejection) => rejection.to_string(),
        };
        let _ = self.different.insert(symbol.text.clone());
        if self.args.json {
            let ms = (reading.times.latency().as_secs_f64() * 100_000.0).round() / 100.0;
            let line = json!({ "format": symbol.format, "code": told, "corners": symbol.corners, "ms": ms });
            print_line(&line.to_string());
        } else {
            print_line(&format!("{}  {told}", symbol.format));
        }
    }

    fn report(&self) {
        let spread = |of: &dyn Fn(&FrameTimes) -> Duration| Spread::of(self.frames.iter().map(of).collect());
        let (luma, waiting, decoding) =
            (spread(&FrameTimes::luma), spread(&FrameTimes::waited), spread(&FrameTimes::decoding));
        let frame = spread(&FrameTimes::latency);
        let driver = Spread::of(self.frames.iter().filter_map(|times| times.age).collect());
        let latency = Spread::of(self.latencies.clone());
        let (used, watched) = self.begun.as_ref().map_or((None, Duration::ZERO), |(usage, since)| {
            (Usage::now().since(usage), self.last.saturating_duration_since(*since))
        });
        let seconds = watched.as_secs_f64();
        let rate = if seconds > 0.0 { (self.frames.len() as f64 / seconds * 10.0).round() / 10.0 } else { 0.0 };
        let share =
            |used: Duration| if seconds > 0.0 { (used.as_secs_f64() / seconds * 1_000.0).round() / 10.0 } else { 0.0 };
        let cpu = used.map(|used| (share(used.decoding), share(used.capturing)));
        let (beep, heard) = self.beeps();
        if self.args.json {
            let mut line = json!({
                "frames": self.frames.len(),
                "frames_per_second": rate,
                "passed_over": self.passed_over,
                "frames_with_codes": self.latencies.len(),
                "codes": self.readings,
                "different_codes": self.different.len(),
                "seconds": (seconds * 10.0).round() / 10.0,
                "latency_ms": latency,
                "frame_ms": frame,
                "luma_ms": luma,
                "waiting_ms": waiting,
                "decoding_ms": decoding,
                "driver_ms": driver,
                "cpu_percent": cpu.map(|(decoding, capturing)| json!({ "decoding": decoding, "capturing": capturing })),
            });
            if self.args.beep {
                line["beep_ms"] = json!(beep);
                line["beep_heard"] = Value::Bool(heard);
            }
            print_line(&line.to_string());
            return;
        }
        print_line(&format!(
            "{} frames in {seconds:.1} s: {rate:.1} a second; {} more passed over for newer ones",
            self.frames.len(),
            self.passed_over
        ));
        print_line(&format!(
            "{} readings on {} frames, {} different codes",
            self.readings,
            self.latencies.len(),
            self.different.len()
        ));
        let row = |name: &str, spread: Option<Spread>| {
            if let Some(Spread { median, p95, worst }) = spread {
                print_line(&format!("{name:<34} {median:>8.2} {p95:>8.2} {worst:>8.2}"));
            }
        };
        print_line(&format!("{:<34} {:>8} {:>8} {:>8}", "in milliseconds", "median", "p95", "worst"));
        row("arrival to symbol (frames with one)", latency);
        row("arrival to done (all frames)", frame);
        row("  of it turning to luma", luma);
        row("  of it waiting for the decoder", waiting);
        row("  of it decoding", decoding);
        row("in the camera and driver before", driver);
        row("symbol to beep in the mixer", beep);
        if beep.is_some() && !heard {
            print_line("There is no loudspeaker here: the beep was measured up to the mixer that is not there.");
        }
        if let Some((decoding, capturing)) = cpu {
            print_line(&format!("CPU, of one core: decoding {decoding:.1} %, capturing {capturing:.1} %"));
        }
    }

    #[cfg(feature = "till")]
    fn beeps(&self) -> (Option<Spread>, bool) {
        let delays = self.sounds.delays();
        (Spread::of(delays.iter().map(|delay| delay.took).collect()), delays.iter().any(|delay| delay.heard))
    }

    #[cfg(not(feature = "till"))]
    fn beeps(&self) -> (Option<Spread>, bool) {
        (None, false)
    }
}
