//! A serial scanner, for real: a pseudo-terminal is a serial port to whoever opens it.
#![cfg(all(feature = "till", target_os = "linux"))]

use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use scantill::scan::serial::{Ending, Serial, SerialError, SerialEvent, SerialSettings};
use serial2::SerialPort;
use tokio::sync::mpsc::UnboundedReceiver;

/// Nothing here takes longer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The scanner's end of a cable, and the till's end under a name that stays, as udev gives one.
struct Cable {
    scanner: SerialPort,
    _till: SerialPort,
}

impl Cable {
    fn plug_in(name: &Path) -> Self {
        let (scanner, till) = SerialPort::pair().expect("a pair of pseudo-terminals");
        let port = std::fs::read_link(format!("/proc/self/fd/{}", till.as_raw_fd())).unwrap();
        let _ = std::fs::remove_file(name);
        symlink(port, name).unwrap();
        Self { scanner, _till: till }
    }

    fn send(&self, bytes: &[u8]) {
        self.scanner.write_all(bytes).unwrap();
    }
}

async fn until(events: &mut UnboundedReceiver<SerialEvent>, wanted: impl Fn(&SerialEvent) -> bool) -> SerialEvent {
    let look = async {
        loop {
            let event = events.recv().await.expect("the reader goes on");
            if wanted(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(PATIENCE, look).await.expect("it is told in time")
}

async fn code(events: &mut UnboundedReceiver<SerialEvent>) -> String {
    match until(events, |event| matches!(event, SerialEvent::Code(..) | SerialEvent::Dropped(_))).await {
        SerialEvent::Code(text, _) => text,
        other => panic!("no code: {other:?}"),
    }
}

fn settings(port: &Path, ending: Ending, prefix: &str) -> SerialSettings {
    SerialSettings { port: port.display().to_string(), ending, prefix: prefix.into(), ..SerialSettings::default() }
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let port = folder.path().join("scanner");
    (folder, port)
}

#[tokio::test]
async fn codes_come_with_every_ending_and_at_every_speed() {
    for (ending, speed, sent) in [
        (Ending::Line, 9_600, &b"281234567890123456\r"[..]),
        (Ending::Line, 115_200, b"281234567890123456\r\n"),
        (Ending::Line, 1_200, b"281234567890123456\n"),
        (Ending::Tab, 57_600, b"281234567890123456\t"),
        (Ending::Pause, 38_400, b"281234567890123456"),
    ] {
        let (_folder, port) = place();
        let cable = Cable::plug_in(&port);
        let (_serial, mut events) = Serial::start(SerialSettings { speed, ..settings(&port, ending, "") });
        until(&mut events, |event| matches!(event, SerialEvent::Ready(_))).await;
        cable.send(sent);
        assert_eq!(code(&mut events).await, "281234567890123456", "{ending:?}");
        // A code in two pieces, as USB packets cut it.
        cable.send(b"2812345678");
        cable.send(&sent[10..]);
        assert_eq!(code(&mut events).await, "281234567890123456", "{ending:?}");
    }
}

#[tokio::test]
async fn bytes_come_as_they_are_and_a_code_whose_end_does_not_come_is_dropped() {
    let (_folder, port) = place();
    let cable = Cable::plug_in(&port);
    let (_serial, mut events) = Serial::start(settings(&port, Ending::Line, "]Q1"));
    until(&mut events, |event| matches!(event, SerialEvent::Ready(_))).await;
    let before = Instant::now();
    cable.send(b"\x02]Q1\x1d");
    let SerialEvent::Bytes(bytes, at) = until(&mut events, |event| matches!(event, SerialEvent::Bytes(..))).await
    else {
        unreachable!()
    };
    assert!(b"\x02]Q1\x1d".starts_with(&bytes[..]) && at >= before, "{bytes:?}");
    until(&mut events, |event| matches!(event, SerialEvent::Dropped(_))).await;
    cable.send(b"]Q1131234567890123456\r");
    assert_eq!(code(&mut events).await, "131234567890123456", "the prefix is taken off");
    cable.send(b"131234567890123456\r");
    until(&mut events, |event| *event == SerialEvent::Dropped(18)).await;
}

#[tokio::test]
async fn a_scanner_that_is_unplugged_comes_back_by_itself() {
    let (_folder, port) = place();
    let (_serial, mut events) = Serial::start(settings(&port, Ending::Line, ""));
    let absent = SerialError::NoPort(port.display().to_string());
    assert_eq!(events.recv().await, Some(SerialEvent::Absent(absent)), "told once");
    let cable = Cable::plug_in(&port);
    let ready = until(&mut events, |_| true).await;
    assert!(matches!(ready, SerialEvent::Ready(_)), "{ready:?}");
    cable.send(b"281234567890123456\r");
    assert_eq!(code(&mut events).await, "281234567890123456");
    drop(cable);
    std::fs::remove_file(&port).unwrap();
    let lost = until(&mut events, |event| !matches!(event, SerialEvent::Dropped(_))).await;
    assert!(matches!(lost, SerialEvent::Lost(_)), "{lost:?}");
    let cable = Cable::plug_in(&port);
    until(&mut events, |event| matches!(event, SerialEvent::Ready(_))).await;
    cable.send(b"131234567890123456\r");
    assert_eq!(code(&mut events).await, "131234567890123456");
}

#[tokio::test]
async fn a_file_that_is_no_port_is_told_in_words() {
    let (_folder, port) = place();
    std::fs::write(&port, b"no port").unwrap();
    let (_serial, mut events) = Serial::start(settings(&port, Ending::Line, ""));
    let Some(SerialEvent::Absent(why)) = events.recv().await else { panic!("it was opened") };
    assert!(matches!(why, SerialError::Refused { .. }), "{why:?}");
    assert!(why.to_string().contains("cannot be read"), "{why}");
}
