//! The counter as a machine: amount, collecting, result. Pure: what happens comes in, what to do goes out as
//! [`Effect`]s; time comes in as an argument.

mod answers;
mod collecting;
mod ending;
mod press;

use std::collections::BTreeMap;

use crate::api::wire::ChannelView;
use crate::money::{Currency, Money};
use crate::payment::{ChannelId, CodeRule, PaymentCode};

pub use self::collecting::{Awaited, ChannelRow, Collecting, ShownCode};
pub use self::ending::{EndKind, Ending, Notice};
pub use self::press::{Cue, Effect, Hint, Press};
use super::entry::{Entry, Key};

/// The wallet shows at most so many characters of a note.
const MAX_NOTE_CHARS: usize = 60;
/// The longest payment code that can be typed.
const MAX_TYPED_CODE: usize = 24;
/// How long the customer's display thanks before it shows the idle page, in ms.
pub const THANKS_MS: i64 = 8_000;

/// Where typed characters go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    /// Into the amount.
    #[default]
    Amount,
    /// Into the note.
    Note,
    /// Into the typed payment code, while collecting.
    Code,
}

/// Where the counter stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// An amount is being typed.
    Entry,
    /// A sale is under way.
    Collecting(Box<Collecting>),
    /// A sale has ended.
    Result(Box<Ending>),
}

/// The counter.
#[derive(Debug, Clone)]
pub struct Counter {
    /// The amount being typed.
    pub entry: Entry,
    /// What for.
    pub note: String,
    /// A payment code being typed.
    pub typed_code: String,
    /// Where typed characters go.
    pub focus: Focus,
    /// Where the counter stands.
    pub phase: Phase,
    /// A line for the cashier, until the next key.
    pub hint: Option<Hint>,
    /// What can be paid through.
    pub channels: Vec<ChannelView>,
    /// The customers' codes that were sent, the latest last; as fingerprints, since a code is nobody's to keep.
    pub sent: Vec<u64>,
}

impl Default for Counter {
    fn default() -> Self {
        Self::taking(Currency::CNY)
    }
}

impl Counter {
    /// An idle counter that takes that currency.
    #[must_use]
    pub const fn taking(currency: Currency) -> Self {
        Self {
            entry: Entry::new(currency),
            note: String::new(),
            typed_code: String::new(),
            focus: Focus::Amount,
            phase: Phase::Entry,
            hint: None,
            channels: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// Whether a sale is under way that closing the window would leave behind.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Collecting(_))
    }

    /// The sale under way.
    #[must_use]
    pub fn collecting(&self) -> Option<&Collecting> {
        match &self.phase {
            Phase::Collecting(collecting) => Some(collecting),
            Phase::Entry | Phase::Result(_) => None,
        }
    }

    /// A key was pressed.
    pub fn press(&mut self, press: Press) -> Vec<Effect> {
        match self.phase {
            Phase::Entry => self.press_entry(press),
            Phase::Collecting(_) => self.press_collecting(press),
            Phase::Result(_) => self.press_result(press),
        }
    }

    fn press_entry(&mut self, press: Press) -> Vec<Effect> {
        let hint_before = self.hint.take();
        match (press, self.focus) {
            (Press::Enter, _) => return self.begin(),
            (Press::Escape, Focus::Note) => self.focus = Focus::Amount,
            (Press::Escape, _) => {
                self.entry.clear();
                self.note.clear();
            }
            (Press::Note, Focus::Note) => self.focus = Focus::Amount,
            (Press::Note, _) => self.focus = Focus::Note,
            (Press::TypeCode, _) => self.hint = Some(self.scan_first()),
            (Press::Arrived, _) => {}
            (Press::Text(text) | Press::Paste(text), Focus::Note) => {
                let room = MAX_NOTE_CHARS.saturating_sub(self.note.chars().count());
                self.note.extend(text.chars().filter(|c| !c.is_control()).take(room));
            }
            (Press::Text(text), _) => {
                for key in text.chars().filter_map(Key::of_char) {
                    self.key(key);
                }
            }
            (Press::Paste(text), _) => match Money::parse_sale(&text.trim().replace(',', ""), self.entry.currency()) {
                Ok(amount) => self.entry = Entry::of(amount),
                Err(error) => self.hint = Some(Hint::Amount(error)),
            },
            (Press::DoubleZero, _) => self.key(Key::DoubleZero),
            (Press::Backspace, Focus::Note) => {
                let _ = self.note.pop();
            }
            (Press::Backspace, _) => self.key(Key::Backspace),
            (Press::Clear, Focus::Note) => self.note.clear(),
            (Press::Clear, _) => self.key(Key::Clear),
        }
        // A hint that tells why a scan did nothing must outlive the scanner's own trailing keys.
        if self.hint.is_none() && matches!(hint_before, Some(Hint::Offline)) {
            self.hint = hint_before;
        }
        Vec::new()
    }

    fn key(&mut self, key: Key) {
        if let Err(refusal) = self.entry.press(key) {
            self.hint = Some(Hint::Refused(refusal));
        }
    }

    fn begin(&mut self) -> Vec<Effect> {
        match self.entry.amount() {
            Err(error) => {
                self.hint = Some(Hint::Amount(error));
                vec![Effect::Sound(Cue::Attention)]
            }
            Ok(amount) => {
                let note = Some(self.note.trim().to_owned()).filter(|note| !note.is_empty());
                self.start(amount, note)
            }
        }
    }

    fn start(&mut self, amount: Money, note: Option<String>) -> Vec<Effect> {
        self.hint = None;
        self.focus = Focus::Amount;
        self.typed_code.clear();
        self.phase = Phase::Collecting(Box::new(Collecting {
            amount,
            note: note.clone(),
            view: None,
            cancelling: false,
            sure: None,
            early_scan: None,
            submitting: None,
            told: 0,
            no_code: BTreeMap::new(),
            unknown_since: None,
        }));
        vec![Effect::Create { amount, note }]
    }

    /// The channel whose code is shown and whose money only the cashier sees arrive.
    #[must_use]
    pub fn watched(&self) -> Option<&ChannelId> {
        let collecting = self.collecting().filter(|collecting| !collecting.cancelling)?;
        let rows = self.channels.iter().map(|channel| (channel, collecting.awaited(channel)));
        rows.into_iter().find(|(_, awaited)| *awaited == Awaited::CashierWatches).map(|(channel, _)| &channel.channel)
    }

    /// The cashier says that money arrived: asked once more, because a slip here gives goods away.
    fn press_arrived(&mut self, press: &Press) -> Option<Vec<Effect>> {
        let watched = self.watched().cloned();
        let Phase::Collecting(collecting) = &mut self.phase else { return None };
        match (press, collecting.sure.take()) {
            (Press::Enter, Some(channel)) => {
                let id = collecting.view.as_ref().map(|view| view.id.clone())?;
                Some(vec![Effect::Confirm(id, channel)])
            }
            (Press::Escape, Some(_)) => Some(Vec::new()),
            (Press::Arrived, None) => {
                collecting.sure = watched;
                Some(Vec::new())
            }
            (Press::Text(text), None) if text == "+" && watched.is_some() => {
                collecting.sure = watched;
                Some(Vec::new())
            }
            // Any other key leaves the question standing.
            (_, sure) => {
                let asked = sure.is_some();
                collecting.sure = sure;
                asked.then(Vec::new)
            }
        }
    }

    /// The channels whose code is shown only when it is asked for.
    #[must_use]
    pub fn on_request(&self) -> Vec<ChannelId> {
        let waiting = self.rows().into_iter().filter(|row| row.awaited == Awaited::OnRequest);
        waiting.map(|row| row.channel).collect()
    }

    fn show_requested(&self) -> Vec<Effect> {
        let Some(view) = self.collecting().and_then(|collecting| collecting.view.as_ref()) else { return Vec::new() };
        self.on_request().into_iter().map(|channel| Effect::ShowCode(view.id.clone(), channel)).collect()
    }

    fn press_collecting(&mut self, press: Press) -> Vec<Effect> {
        if self.focus != Focus::Code
            && let Some(effects) = self.press_arrived(&press)
        {
            return effects;
        }
        match (press, self.focus) {
            (Press::TypeCode | Press::Escape, Focus::Code) => {
                self.focus = Focus::Amount;
                self.typed_code.clear();
            }
            (Press::TypeCode, _) => self.focus = Focus::Code,
            (Press::Text(text), focus) if text == "*" && focus != Focus::Code => return self.show_requested(),
            (Press::Text(text), Focus::Code) => {
                let room = MAX_TYPED_CODE.saturating_sub(self.typed_code.len());
                self.typed_code.extend(text.chars().filter(char::is_ascii_digit).take(room));
            }
            (Press::Paste(text), _) => return self.scanned(&text),
            (Press::Backspace, Focus::Code) => {
                let _ = self.typed_code.pop();
            }
            (Press::Clear, Focus::Code) => self.typed_code.clear(),
            (Press::Enter, Focus::Code) => {
                let code = std::mem::take(&mut self.typed_code);
                let effects = self.scanned(&code);
                if effects.is_empty() {
                    self.typed_code = code;
                } else {
                    self.focus = Focus::Amount;
                }
                return effects;
            }
            (Press::Escape, _) => return self.cancel(),
            _ => {}
        }
        Vec::new()
    }

    fn cancel(&mut self) -> Vec<Effect> {
        let Phase::Collecting(collecting) = &mut self.phase else { return Vec::new() };
        if collecting.cancelling {
            return Vec::new();
        }
        collecting.cancelling = true;
        collecting.view.as_ref().map(|view| Effect::Cancel(view.id.clone())).into_iter().collect()
    }

    fn press_result(&mut self, press: Press) -> Vec<Effect> {
        let Phase::Result(ending) = &self.phase else { return Vec::new() };
        if press == Press::Enter && matches!(ending.kind, EndKind::NotPaid | EndKind::Expired) {
            let amount = Money::new(ending.view.amount, ending.view.currency);
            let note = Some(self.note.clone()).filter(|note| !note.is_empty());
            self.entry = Entry::of(amount);
            return self.start(amount, note);
        }
        self.next_sale();
        match press {
            Press::Enter | Press::Escape | Press::Backspace | Press::Clear => Vec::new(),
            other => self.press_entry(other),
        }
    }

    fn next_sale(&mut self) {
        self.phase = Phase::Entry;
        self.entry = Entry::new(self.entry.currency());
        self.note.clear();
        self.typed_code.clear();
        self.focus = Focus::Amount;
        self.hint = None;
    }

    fn scan_first(&self) -> Hint {
        if self.entry.is_empty() { Hint::AmountFirst } else { Hint::EnterFirst }
    }

    /// A code came from the camera, a scanner, or was typed.
    pub fn scanned(&mut self, text: &str) -> Vec<Effect> {
        let code = match PaymentCode::classify(text, &CodeRule::published()) {
            Ok(code) => code,
            Err(rejection) => {
                if !matches!(self.phase, Phase::Result(_)) {
                    self.hint = Some(Hint::NotACode(rejection));
                }
                return Vec::new();
            }
        };
        let hint = self.scan_first();
        match &mut self.phase {
            Phase::Entry => {
                self.hint = Some(hint);
                vec![Effect::Sound(Cue::Attention)]
            }
            Phase::Result(_) => Vec::new(),
            Phase::Collecting(collecting) => {
                if collecting.submitting.is_some() || collecting.cancelling {
                    return Vec::new();
                }
                self.hint = None;
                super::seen::remember(&mut self.sent, &code);
                let Some(view) = &collecting.view else {
                    collecting.early_scan = Some(code);
                    return vec![Effect::Sound(Cue::Read)];
                };
                collecting.submitting = Some(code.channel().clone());
                vec![Effect::Sound(Cue::Read), Effect::Submit(view.id.clone(), code)]
            }
        }
    }

    /// One row for each channel, in the order the API names them.
    #[must_use]
    pub fn rows(&self) -> Vec<ChannelRow> {
        let Some(collecting) = self.collecting() else { return Vec::new() };
        self.channels
            .iter()
            .map(|channel| ChannelRow { channel: channel.channel.clone(), awaited: collecting.awaited(channel) })
            .collect()
    }
}

impl Entry {
    fn clear(&mut self) {
        let _ = self.press(Key::Clear);
    }
}
