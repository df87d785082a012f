//! What to set on a camera so that it reads codes: exposure left to it with the rate kept, focus that follows. Pure;
//! numbers of controls and their values are Video4Linux's (linux/v4l2-controls.h, camera class).

use crate::scan::facts::{Control, ControlReport, Setting};

const EXPOSURE_AUTO: u32 = 0x009a_0901;
const EXPOSURE_ABSOLUTE: u32 = 0x009a_0902;
const EXPOSURE_AUTO_PRIORITY: u32 = 0x009a_0903;
const FOCUS_ABSOLUTE: u32 = 0x009a_090a;
const FOCUS_AUTO: u32 = 0x009a_090c;

/// The camera chooses the exposure and leaves the iris alone: what webcams with a fixed iris offer.
const APERTURE_PRIORITY: i64 = 3;
/// The camera chooses everything.
const ALL_AUTOMATIC: i64 = 0;
const BY_HAND: i64 = 1;
/// In units of 100 µs: short enough for a hand that moves, long enough for a lit screen.
const SHORT_EXPOSURE: i64 = 100;

/// A control that a driver has and that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The driver's number for it.
    pub id: u32,
    /// The least value.
    pub least: i64,
    /// The greatest value.
    pub most: i64,
    /// The values of a menu; empty where it is none.
    pub menu: Vec<i64>,
    /// Whether it is a switch.
    pub switch: bool,
}

/// Values to write, in this order, and what is reached if the driver takes them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What they are for.
    pub control: Control,
    /// What is reached.
    pub setting: Setting,
    /// Control and value; a switch takes 0 or 1.
    pub writes: Vec<(u32, i64)>,
}

/// What to write to a driver that offers these controls. A step without writes has nothing to set.
#[must_use]
pub fn plan(offers: &[Offer]) -> Vec<Step> {
    let find = |id: u32| offers.iter().find(|offer| offer.id == id);
    let step = |control, setting, writes| Step { control, setting, writes };
    let absent = |control| step(control, Setting::Absent, Vec::new());

    let menu = find(EXPOSURE_AUTO).map(|offer| offer.menu.as_slice()).unwrap_or_default();
    let automatic = [APERTURE_PRIORITY, ALL_AUTOMATIC].into_iter().find(|value| menu.contains(value));
    let exposure = match (automatic, find(EXPOSURE_ABSOLUTE)) {
        (Some(value), _) => step(Control::Exposure, Setting::Automatic, vec![(EXPOSURE_AUTO, value)]),
        (None, Some(time)) => {
            let by_hand = menu.contains(&BY_HAND).then_some((EXPOSURE_AUTO, BY_HAND));
            let short = (EXPOSURE_ABSOLUTE, within(time, SHORT_EXPOSURE));
            step(Control::Exposure, Setting::Fixed, by_hand.into_iter().chain([short]).collect())
        }
        (None, None) => absent(Control::Exposure),
    };
    let rate = match (automatic, find(EXPOSURE_AUTO_PRIORITY)) {
        (Some(_), Some(_)) => step(Control::SteadyRate, Setting::Fixed, vec![(EXPOSURE_AUTO_PRIORITY, 0)]),
        _ => absent(Control::SteadyRate),
    };
    let focus = match (find(FOCUS_AUTO), find(FOCUS_ABSOLUTE)) {
        (Some(_), _) => step(Control::Focus, Setting::Automatic, vec![(FOCUS_AUTO, 1)]),
        // Greater is nearer. A quarter of the way is some 20 to 40 cm on common webcams.
        (None, Some(at)) => {
            let near = at.least.saturating_add(at.most.saturating_sub(at.least) / 4);
            step(Control::Focus, Setting::Fixed, vec![(FOCUS_ABSOLUTE, near)])
        }
        (None, None) => absent(Control::Focus),
    };
    vec![exposure, rate, focus]
}

/// Writes a plan's values and tells what became of each step.
pub fn carry_out(plan: &[Step], mut write: impl FnMut(u32, i64) -> bool) -> Vec<ControlReport> {
    plan.iter()
        .map(|step| {
            let taken = step.writes.iter().all(|(id, value)| write(*id, *value));
            ControlReport { control: step.control, setting: if taken { step.setting } else { Setting::Refused } }
        })
        .collect()
}

fn within(offer: &Offer, value: i64) -> i64 {
    value.max(offer.least).min(offer.most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu(id: u32, values: &[i64]) -> Offer {
        Offer { id, least: 0, most: 3, menu: values.to_vec(), switch: false }
    }

    fn range(id: u32, least: i64, most: i64) -> Offer {
        Offer { id, least, most, menu: Vec::new(), switch: false }
    }

    fn reached(offers: &[Offer]) -> Vec<(Setting, Vec<(u32, i64)>)> {
        plan(offers).into_iter().map(|step| (step.setting, step.writes)).collect()
    }

    #[test]
    fn a_webcam_sees_to_exposure_and_focus_itself_and_keeps_its_rate() {
        let offers = [
            menu(EXPOSURE_AUTO, &[1, 3]),
            range(EXPOSURE_ABSOLUTE, 3, 2_047),
            range(EXPOSURE_AUTO_PRIORITY, 0, 1),
            range(FOCUS_ABSOLUTE, 0, 250),
            range(FOCUS_AUTO, 0, 1),
        ];
        assert_eq!(
            reached(&offers),
            [
                (Setting::Automatic, vec![(EXPOSURE_AUTO, 3)]),
                (Setting::Fixed, vec![(EXPOSURE_AUTO_PRIORITY, 0)]),
                (Setting::Automatic, vec![(FOCUS_AUTO, 1)]),
            ]
        );
    }

    #[test]
    fn what_a_camera_cannot_choose_is_fixed_within_its_range() {
        let offers = [menu(EXPOSURE_AUTO, &[1]), range(EXPOSURE_ABSOLUTE, 1, 60), range(FOCUS_ABSOLUTE, 0, 400)];
        assert_eq!(
            reached(&offers),
            [
                (Setting::Fixed, vec![(EXPOSURE_AUTO, 1), (EXPOSURE_ABSOLUTE, 60)]),
                (Setting::Absent, vec![]),
                (Setting::Fixed, vec![(FOCUS_ABSOLUTE, 100)]),
            ]
        );
        assert!(reached(&[]).iter().all(|(setting, writes)| *setting == Setting::Absent && writes.is_empty()));
        assert_eq!(within(&range(1, 5, 2), 3), 2, "a range that is none is no reason to fall over");
    }

    #[test]
    fn a_driver_that_refuses_is_told_of_and_the_rest_is_set_all_the_same() {
        let plan = plan(&[menu(EXPOSURE_AUTO, &[0, 1]), range(FOCUS_AUTO, 0, 1)]);
        let reports = carry_out(&plan, |id, _| id != EXPOSURE_AUTO);
        let settings: Vec<_> = reports.iter().map(|report| report.setting).collect();
        assert_eq!(settings, [Setting::Refused, Setting::Absent, Setting::Automatic]);
    }
}
