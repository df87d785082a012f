//! From the start of the program to its window on the screen, and the memory it then takes: software renderer, training
//! mode, everything embedded, on a screen with no monitor (Xvfb). Linux only.
//!
//! The window is seen by `xdotool`, whose own time is in the figure.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const STARTS: usize = 11;
const PATIENCE: Duration = Duration::from_secs(20);

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() {
    let starts = if std::env::args().any(|argument| argument == "--bench") { STARTS } else { 1 };
    if !cfg!(target_os = "linux") {
        println!("startup: measured on Linux only");
        return;
    }
    let mut server = Killed(
        Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1920x1200x24", "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed (Debian package xvfb)"),
    );
    let mut number = String::new();
    BufReader::new(server.0.stdout.take().expect("stdout is piped")).read_line(&mut number).expect("a display");
    let display = format!(":{}", number.trim());
    let data = tempfile::tempdir().expect("a folder");
    let mut times = Vec::new();
    let mut resident = Vec::new();
    for _ in 0..=starts {
        let started = Instant::now();
        let till = Killed(
            Command::new(env!("CARGO_BIN_EXE_scantill"))
                .args(["--language", "en", "--data-dir"])
                .arg(data.path())
                .env("DISPLAY", &display)
                .env_remove("WAYLAND_DISPLAY")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the till starts"),
        );
        let on_screen = || {
            Command::new("xdotool")
                .args(["search", "--onlyvisible", "--name", "cashier"])
                .env("DISPLAY", &display)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("xdotool is installed (Debian package xdotool)")
                .success()
        };
        while !on_screen() {
            assert!(started.elapsed() < PATIENCE, "no window came up");
        }
        times.push(started.elapsed().as_millis());
        sleep(Duration::from_secs(3));
        resident.push(resident_kib(till.0.id()));
        drop(till);
        sleep(Duration::from_millis(200));
    }
    // The first start makes keys and books; the others are as on every morning.
    let first = times.remove(0);
    times.sort_unstable();
    resident.sort_unstable();
    println!(
        "window on screen: first start {first} ms, then median {} ms, worst of {starts} {} ms; resident {} MB at the most",
        times[times.len() / 2],
        times[times.len() - 1],
        resident[resident.len() - 1] / 1024
    );
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}
