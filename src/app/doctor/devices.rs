//! What stands on the counter.

use super::Check;

const CAMERA: &str = "camera";

pub(super) fn examine() -> Vec<Check> {
    vec![camera(), Check::ok("printer", "No printer is configured: this version prints no receipts.")]
}

#[cfg(feature = "till")]
fn camera() -> Check {
    let cure = "Plug it in, or let this user use it (on Linux: the group video), and look again. A scanner or typed codes \
                do without.";
    match crate::scan::list_cameras() {
        Ok(cameras) if cameras.is_empty() => Check::warning(CAMERA, "No camera was found.", cure),
        Ok(cameras) => {
            let names: Vec<_> = cameras.iter().map(|camera| format!("{} ({})", camera.name, camera.index)).collect();
            Check::ok(CAMERA, format!("Found: {}. `scantill camera test` shows what it reads.", names.join(", ")))
        }
        Err(error) => Check::warning(CAMERA, format!("{error}."), cure),
    }
}

#[cfg(not(feature = "till"))]
fn camera() -> Check {
    Check::ok(CAMERA, "This build has no window and reads no camera.")
}
