//! Which serial ports there are.

use std::path::{Path, PathBuf};

/// A serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortInfo {
    /// How it is opened. On Linux the name that stays when the scanner is plugged in elsewhere, where there is one.
    pub port: String,
    /// What is shown for it.
    pub label: String,
}

/// Where Linux keeps names that stay.
const BY_ID: &str = "/dev/serial/by-id";

/// The serial ports of this machine, those of USB devices first; none where the system refuses to tell.
#[must_use]
pub fn list_ports() -> Vec<PortInfo> {
    let found = serial2::SerialPort::available_ports().unwrap_or_else(|error| {
        tracing::info!(%error, "the serial ports cannot be listed");
        Vec::new()
    });
    let links = std::fs::read_dir(BY_ID).into_iter().flatten().flatten();
    let named: Vec<_> =
        links.filter_map(|link| Some((link.path(), std::fs::canonicalize(link.path()).ok()?))).collect();
    together(found, &named)
}

/// Ports, and the lasting names that some have.
fn together(mut found: Vec<PathBuf>, named: &[(PathBuf, PathBuf)]) -> Vec<PortInfo> {
    found.extend(named.iter().map(|(_, port)| port.clone()));
    found.sort();
    found.dedup();
    let is_usb = |port: &Path| {
        let name = short(port);
        name.starts_with("ttyACM") || name.starts_with("ttyUSB") || name.starts_with("cu.usb")
    };
    found.sort_by_key(|port| !is_usb(port));
    found
        .into_iter()
        .map(|port| {
            let link = named.iter().find(|(_, of)| *of == port).map(|(link, _)| link);
            let label = link.map_or_else(|| short(&port), |link| format!("{} ({})", readable(link), short(&port)));
            PortInfo { port: link.unwrap_or(&port).display().to_string(), label }
        })
        .collect()
}

fn short(port: &Path) -> String {
    port.file_name().unwrap_or(port.as_os_str()).to_string_lossy().into_owned()
}

/// `usb-Honeywell_1470g_0123-if00` -> `Honeywell 1470g 0123`.
fn readable(link: &Path) -> String {
    let name = short(link);
    let name = name.strip_prefix("usb-").unwrap_or(&name);
    name.split("-if0").next().unwrap_or(name).replace('_', " ")
}

/// The port to open: the one that was chosen; where it is not there, the only one of its kind, since USB gives a device
/// that is plugged in again another number.
pub(super) fn pick(chosen: &str, present: &[PortInfo], is_there: bool) -> Option<String> {
    let kind = |port: &str| {
        let name = port.rsplit('/').next().unwrap_or(port);
        name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned()
    };
    if is_there || present.iter().any(|port| port.port == chosen) {
        return Some(chosen.to_owned());
    }
    // A lasting name that is not there belongs to a scanner that is not there.
    if chosen.starts_with(BY_ID) {
        return None;
    }
    let usb = kind(chosen) == "ttyACM" || kind(chosen) == "ttyUSB" || kind(chosen) == "COM";
    let device = |port: &PortInfo| {
        std::fs::canonicalize(&port.port).map_or_else(|_| port.port.clone(), |path| path.display().to_string())
    };
    let mut alike = present.iter().filter(|port| usb && kind(&device(port)) == kind(chosen));
    match (alike.next(), alike.next()) {
        (Some(only), None) => Some(only.port.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(port: &str) -> PortInfo {
        PortInfo { port: port.into(), label: String::new() }
    }

    #[test]
    fn usb_ports_come_first_and_under_their_lasting_names() {
        let found = ["/dev/ttyS0", "/dev/ttyACM0"].map(PathBuf::from).to_vec();
        let link = format!("{BY_ID}/usb-Honeywell_1470g_0123-if00");
        let ports = together(found, &[(link.clone().into(), "/dev/ttyACM0".into())]);
        assert_eq!(ports[0], PortInfo { port: link, label: "Honeywell 1470g 0123 (ttyACM0)".into() });
        assert_eq!(ports[1], PortInfo { port: "/dev/ttyS0".into(), label: "ttyS0".into() });
    }

    #[test]
    fn a_scanner_that_was_plugged_in_again_is_found_under_its_other_number() {
        let pick = |chosen: &str, present: &[PortInfo]| pick(chosen, present, false);
        let (acm1, usb0, com) = (port("/dev/ttyACM1"), port("/dev/ttyUSB0"), port("COM7"));
        assert_eq!(pick("/dev/ttyACM0", &[acm1.clone(), usb0.clone()]), Some("/dev/ttyACM1".into()));
        assert_eq!(pick("COM3", &[com]), Some("COM7".into()));
        assert_eq!(pick("/dev/ttyACM0", &[acm1.clone(), port("/dev/ttyACM2")]), None, "not one of several");
        assert_eq!(pick("/dev/ttyS0", &[port("/dev/ttyS1")]), None, "a real port has a place");
        assert_eq!(pick(&format!("{BY_ID}/usb-Scanner-if00"), &[acm1]), None);
        assert_eq!(super::pick("/dev/pts/3", &[usb0], true), Some("/dev/pts/3".into()));
    }
}
