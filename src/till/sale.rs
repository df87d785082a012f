//! The counter as a machine: amount, collecting, result. Pure: what happens comes in, what to do goes out as
//! [`Effect`]s; time comes in as an argument.

use std::collections::BTreeMap;

use crate::api::wire::{AttemptView, ChannelView, PaymentView};
use crate::client::ClientError;
use crate::money::{Currency, Money, MoneyError};
use crate::payment::{
    AttemptState, ChannelId, CodeRejection, CodeRule, ConfirmedBy, FailureReason, PaymentCode, PaymentId, PaymentState,
    PendingReason, UnixMillis, Way,
};

use super::entry::{Entry, Key, Refusal};

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

/// A key that the counter knows. The window makes these of key events and of pressed buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// A typed character, or several at once from an input method.
    Text(String),
    /// Pasted text.
    Paste(String),
    /// The keypad's `00`.
    DoubleZero,
    /// Takes back.
    Backspace,
    /// The keypad's C.
    Clear,
    /// Begin, or the next sale.
    Enter,
    /// Back, or cancel.
    Escape,
    /// To the note and back.
    Note,
    /// To the typed code and back.
    TypeCode,
    /// The money of a shown code has arrived, where the cashier is the one who sees it.
    Arrived,
}

/// What the program has to do for the counter.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Create the payment.
    Create {
        /// What is due.
        amount: Money,
        /// The note.
        note: Option<String>,
    },
    /// Ask for a channel's code.
    ShowCode(PaymentId, ChannelId),
    /// Submit the customer's code.
    Submit(PaymentId, PaymentCode),
    /// Ask to cancel.
    Cancel(PaymentId),
    /// Say that the money of a channel's shown code is on the shop's account.
    Confirm(PaymentId, ChannelId),
    /// Make a sound.
    Sound(Cue),
    /// Sales and takings have changed.
    Refresh,
}

/// What is to be heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cue {
    /// A code was read.
    Read,
    /// Paid.
    Success(Option<ChannelId>, Money),
    /// Not paid.
    Failure,
    /// Look here.
    Attention,
}

/// A line that tells the cashier something about what was just done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// A key was not taken.
    Refused(Refusal),
    /// Enter on an amount that no sale can be made of.
    Amount(MoneyError),
    /// A payment code came while no sale is open.
    AmountFirst,
    /// A payment code came while an amount stands, but was not begun.
    EnterFirst,
    /// What was scanned is no payment code.
    NotACode(CodeRejection),
    /// The latest try was refused.
    TryFailed {
        /// The channel that refused.
        channel: ChannelId,
        /// Why.
        reason: FailureReason,
        /// The provider's code, for support.
        code: Option<String>,
    },
    /// The API cannot be reached; nothing was sent.
    Offline,
    /// The API did not answer: the sale has to be looked up.
    NoAnswer,
    /// The API refused and says why.
    Api {
        /// Its stable code.
        code: String,
        /// Its sentence.
        detail: String,
    },
    /// The cancellation did not reach the API; the sale is still open.
    CancelNotSent,
}

impl Hint {
    /// Whether the line is about something that went wrong, rather than advice.
    #[must_use]
    pub const fn is_problem(&self) -> bool {
        matches!(self, Self::TryFailed { .. } | Self::Offline | Self::NoAnswer | Self::Api { .. } | Self::CancelNotSent)
    }
}

/// What one channel is doing for the open sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// Its code is being asked for.
    Preparing,
    /// Its code is shown when it is asked for: once shown it cannot be closed, only run out.
    OnRequest,
    /// Its code is on the customer's display.
    CodeShown,
    /// Its code is on the customer's display, and the cashier watches the shop's account.
    CashierWatches,
    /// A scanned code was sent.
    Submitted,
    /// The customer is entering the password or confirming.
    Confirming,
    /// The provider gave no clear answer and is being asked.
    Asking,
    /// Being taken back.
    Voiding,
    /// It has paid.
    Paid,
    /// It refused the latest try.
    Refused(FailureReason),
    /// Closed; nothing is awaited of it.
    Closed,
    /// The amount is outside of what it takes.
    OutsideLimits,
    /// It gave no code to show; scanning the customer's code still works.
    NoCode(String),
    /// It shows no codes; the customer's code can be scanned.
    ScanOnly,
}

/// One row of the collecting page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRow {
    /// Which channel.
    pub channel: ChannelId,
    /// What is awaited of it.
    pub awaited: Awaited,
}

/// A sale under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Collecting {
    /// What is due.
    pub amount: Money,
    /// The note.
    pub note: Option<String>,
    /// The payment, once it exists.
    pub view: Option<PaymentView>,
    /// The cashier asked to cancel.
    pub cancelling: bool,
    /// The cashier is asked whether the money of this channel's code has really arrived.
    pub sure: Option<ChannelId>,
    /// A code that came before the payment existed.
    early_scan: Option<PaymentCode>,
    /// A code is on its way to the API.
    pub submitting: Option<ChannelId>,
    /// The number of the latest attempt whose refusal was told.
    told: u32,
    /// Why channels gave no code.
    no_code: BTreeMap<ChannelId, String>,
    /// When the result became unknown.
    pub unknown_since: Option<UnixMillis>,
}

/// How a sale ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndKind {
    /// Paid.
    Paid,
    /// Refused.
    NotPaid,
    /// Cancelled by the cashier, nothing was taken.
    Cancelled,
    /// The time ran out, nothing was taken.
    Expired,
    /// Money that moved, or may have, was returned.
    Reversed,
    /// Paid, and returned since.
    Refunded,
}

/// Something a result says beside its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The cashier cancelled, but the customer had paid already.
    PaidDespiteCancel,
    /// Paid twice; the second is returned by itself.
    PaidTwice {
        /// Through which channel the second came.
        channel: ChannelId,
        /// Whether it is back already.
        returned: bool,
    },
    /// The sale is over, and its shown code can still be paid for a while; what comes in goes back by itself.
    CodeRunsOut {
        /// Whose code.
        channel: ChannelId,
    },
    /// What a person has to look at, in the API's words.
    Attention(String),
}

/// The end of a sale, on the screen until the next key.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// The payment.
    pub view: PaymentView,
    /// How it ended.
    pub kind: EndKind,
    /// What else there is to say.
    pub notices: Vec<Notice>,
    /// When it ended, by this till's clock.
    pub at: UnixMillis,
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

    /// The answer to [`Effect::Create`].
    pub fn created(&mut self, answer: Result<PaymentView, ClientError>, now: UnixMillis) -> Vec<Effect> {
        let Phase::Collecting(collecting) = &mut self.phase else { return Vec::new() };
        if collecting.view.is_some() {
            return Vec::new();
        }
        let view = match answer {
            Ok(view) => view,
            Err(error) => {
                self.entry = Entry::of(collecting.amount);
                self.phase = Phase::Entry;
                self.hint = Some(Hint::of(error));
                return vec![Effect::Sound(Cue::Attention)];
            }
        };
        let id = view.id.clone();
        collecting.view = Some(view.clone());
        if collecting.cancelling {
            return vec![Effect::Cancel(id)];
        }
        let mut effects: Vec<_> = self
            .channels
            .iter()
            .filter(|channel| channel.ways.contains(&Way::MerchantPresented) && takes(channel, view.amount))
            .filter(|channel| channel.closes_codes)
            .map(|channel| Effect::ShowCode(id.clone(), channel.channel.clone()))
            .collect();
        if let Some(code) = collecting.early_scan.take() {
            collecting.submitting = Some(code.channel().clone());
            effects.push(Effect::Submit(id, code));
        }
        effects.extend(self.moved(view, now));
        effects
    }

    /// The answer to [`Effect::ShowCode`].
    pub fn code_shown(
        &mut self,
        id: &PaymentId,
        channel: &ChannelId,
        answer: Result<PaymentView, ClientError>,
        now: UnixMillis,
    ) -> Vec<Effect> {
        match answer {
            Ok(view) => self.moved(view, now),
            Err(error) => {
                if let Phase::Collecting(collecting) = &mut self.phase
                    && collecting.view.as_ref().is_some_and(|view| view.id == *id)
                {
                    let _ = collecting.no_code.insert(channel.clone(), error.to_string());
                }
                Vec::new()
            }
        }
    }

    /// The answer to [`Effect::Submit`].
    pub fn submitted(
        &mut self,
        id: &PaymentId,
        answer: Result<PaymentView, ClientError>,
        now: UnixMillis,
    ) -> Vec<Effect> {
        if let Phase::Collecting(collecting) = &mut self.phase
            && collecting.view.as_ref().is_some_and(|view| view.id == *id)
        {
            collecting.submitting = None;
            if let Err(error) = &answer {
                self.hint = Some(Hint::of(error.clone()));
                return vec![Effect::Sound(Cue::Attention)];
            }
        }
        answer.map_or_else(|_| Vec::new(), |view| self.moved(view, now))
    }

    /// The answer to [`Effect::Cancel`].
    pub fn cancelled(
        &mut self,
        id: &PaymentId,
        answer: Result<PaymentView, ClientError>,
        now: UnixMillis,
    ) -> Vec<Effect> {
        match answer {
            Ok(view) => self.moved(view, now),
            Err(error) => {
                if let Phase::Collecting(collecting) = &mut self.phase
                    && collecting.view.as_ref().is_some_and(|view| view.id == *id)
                {
                    collecting.cancelling = false;
                    self.hint = Some(match error {
                        ClientError::Refused(_) | ClientError::BadAnswer(_) => Hint::of(error),
                        ClientError::Unreachable(_) | ClientError::NoAnswer => Hint::CancelNotSent,
                    });
                }
                vec![Effect::Sound(Cue::Attention)]
            }
        }
    }

    /// A payment has changed, by an event or an answer. Foreign and older views change nothing here.
    pub fn moved(&mut self, view: PaymentView, now: UnixMillis) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Entry => return Vec::new(),
            Phase::Result(ending) => {
                if ending.view.id == view.id && ending.view.version < view.version {
                    let cancelled = ending.notices.contains(&Notice::PaidDespiteCancel);
                    let new = Ending::new(view, cancelled, ending.at);
                    let told = new.notices.len() > ending.notices.len();
                    **ending = new;
                    return if told { vec![Effect::Sound(Cue::Attention)] } else { Vec::new() };
                }
                return Vec::new();
            }
            Phase::Collecting(collecting) => {
                let Some(before) = &collecting.view else { return Vec::new() };
                if before.id != view.id || before.version > view.version {
                    return Vec::new();
                }
                collecting.view = Some(view.clone());
            }
        }
        if view.state.is_end() {
            return self.end(view, now);
        }
        let mut effects = Vec::new();
        let Phase::Collecting(collecting) = &mut self.phase else { return effects };
        if view.pending == Some(PendingReason::ResultUnknown) {
            if collecting.unknown_since.is_none() {
                collecting.unknown_since = Some(now);
                effects.push(Effect::Sound(Cue::Attention));
            }
        } else {
            collecting.unknown_since = None;
        }
        if let Some(failed) = latest_refused(&view, collecting.told) {
            collecting.told = failed.no;
            collecting.submitting = None;
            self.hint = Some(Hint::TryFailed {
                channel: failed.channel.clone(),
                reason: failed.reason.unwrap_or(FailureReason::ProviderRefused),
                code: failed.reason_code.clone(),
            });
            effects.push(Effect::Sound(Cue::Failure));
        }
        effects
    }

    fn end(&mut self, view: PaymentView, now: UnixMillis) -> Vec<Effect> {
        let cancelling = self.collecting().is_some_and(|collecting| collecting.cancelling);
        let ending = Ending::new(view, cancelling, now);
        let cue = match ending.kind {
            EndKind::Paid => {
                Cue::Success(ending.view.channel.clone(), Money::new(ending.view.amount, ending.view.currency))
            }
            EndKind::NotPaid => Cue::Failure,
            EndKind::Expired | EndKind::Reversed | EndKind::Cancelled | EndKind::Refunded => Cue::Attention,
        };
        self.hint = None;
        self.focus = Focus::Amount;
        self.typed_code.clear();
        self.phase = Phase::Result(Box::new(ending));
        vec![Effect::Sound(cue), Effect::Refresh]
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

impl Hint {
    fn of(error: ClientError) -> Self {
        match error {
            ClientError::Refused(problem) => Self::Api { code: problem.code, detail: problem.detail },
            ClientError::Unreachable(_) => Self::Offline,
            ClientError::NoAnswer => Self::NoAnswer,
            ClientError::BadAnswer(detail) => Self::Api { code: "bad_answer".to_owned(), detail },
        }
    }
}

impl Collecting {
    /// When the offer to pay began and when it ends, once known.
    #[must_use]
    pub fn span(&self) -> Option<(UnixMillis, UnixMillis)> {
        self.view.as_ref().map(|view| (view.created_at.as_millisecond(), view.collect_until.as_millisecond()))
    }

    /// What the payment waits for.
    #[must_use]
    pub fn pending(&self) -> Option<PendingReason> {
        self.view.as_ref().and_then(|view| view.pending)
    }

    /// The channel whose customer is confirming, or whose answer is unknown.
    #[must_use]
    pub fn busy_channel(&self, state: AttemptState) -> Option<&ChannelId> {
        self.view.as_ref()?.attempts.iter().rev().find(|attempt| attempt.state == state).map(|attempt| &attempt.channel)
    }

    fn awaited(&self, channel: &ChannelView) -> Awaited {
        use AttemptState as A;
        if !takes(channel, self.amount.minor) {
            return Awaited::OutsideLimits;
        }
        let of_channel = || self.view.iter().flat_map(|view| &view.attempts).filter(|a| a.channel == channel.channel);
        let rank = |attempt: &AttemptView| match attempt.state {
            A::Succeeded => 7,
            A::Unknown => 6,
            A::CustomerConfirming => 5,
            A::Prepared if attempt.way == Way::ConsumerPresented => 4,
            A::CodeShown => 3,
            A::Prepared => 2,
            A::Voiding | A::SurplusRefunding => 1,
            A::Failed | A::Closed | A::Reversed | A::SurplusRefunded | A::SurplusOwed => 0,
        };
        let Some(attempt) = of_channel().max_by_key(|attempt| (rank(attempt), attempt.no)) else {
            return match self.no_code.get(&channel.channel) {
                Some(why) => Awaited::NoCode(why.clone()),
                None if self.submitting.as_ref() == Some(&channel.channel) => Awaited::Submitted,
                None if channel.ways.contains(&Way::MerchantPresented) && !self.cancelling => {
                    if channel.closes_codes {
                        Awaited::Preparing
                    } else {
                        Awaited::OnRequest
                    }
                }
                None if self.cancelling => Awaited::Closed,
                None => Awaited::ScanOnly,
            };
        };
        match attempt.state {
            A::Succeeded => Awaited::Paid,
            A::Unknown => Awaited::Asking,
            A::CustomerConfirming => Awaited::Confirming,
            A::Prepared if attempt.way == Way::ConsumerPresented => Awaited::Submitted,
            _ if self.submitting.as_ref() == Some(&channel.channel) => Awaited::Submitted,
            A::CodeShown if channel.confirmed_by == ConfirmedBy::Cashier => Awaited::CashierWatches,
            A::CodeShown => Awaited::CodeShown,
            A::Prepared => Awaited::Preparing,
            A::Voiding | A::SurplusRefunding => Awaited::Voiding,
            A::Failed => Awaited::Refused(attempt.reason.unwrap_or(FailureReason::ProviderRefused)),
            A::Closed | A::Reversed | A::SurplusRefunded | A::SurplusOwed => Awaited::Closed,
        }
    }

    /// The codes to show, in the API's order of attempts, the latest of each channel.
    #[must_use]
    pub fn shown_codes(&self, channels: &[ChannelView]) -> Vec<ShownCode> {
        let Some(view) = &self.view else { return Vec::new() };
        if self.cancelling {
            return Vec::new();
        }
        channels
            .iter()
            .filter_map(|channel| {
                let attempt =
                    view.attempts.iter().rev().find(|a| {
                        a.channel == channel.channel && a.state == AttemptState::CodeShown && a.code.is_some()
                    })?;
                Some(ShownCode {
                    channel: channel.channel.clone(),
                    text: attempt.code.clone()?,
                    from: attempt.started_at.as_millisecond(),
                    until: attempt.code_expires_at.unwrap_or(view.collect_until).as_millisecond(),
                })
            })
            .collect()
    }
}

/// A code on the customer's display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCode {
    /// Whose.
    pub channel: ChannelId,
    /// What it says.
    pub text: String,
    /// When it was first offered.
    pub from: UnixMillis,
    /// When a fresh one takes its place.
    pub until: UnixMillis,
}

impl Ending {
    fn new(view: PaymentView, cancelled: bool, at: UnixMillis) -> Self {
        let kind = EndKind::of(&view);
        let mut notices = Vec::new();
        if cancelled && kind == EndKind::Paid {
            notices.push(Notice::PaidDespiteCancel);
        }
        let surplus = view.attempts.iter().filter(|attempt| attempt.surplus && kind == EndKind::Paid);
        notices.extend(surplus.map(|attempt| Notice::PaidTwice {
            channel: attempt.channel.clone(),
            returned: attempt.state == AttemptState::SurplusRefunded,
        }));
        let runs_out = |one: &&AttemptView| one.deferred && one.state == AttemptState::Voiding && kind != EndKind::Paid;
        let watched = view.attempts.iter().filter(runs_out);
        notices.extend(watched.map(|attempt| Notice::CodeRunsOut { channel: attempt.channel.clone() }));
        notices.extend(view.attention.iter().cloned().map(Notice::Attention));
        Self { view, kind, notices, at }
    }
}

impl EndKind {
    /// How a payment that is at its end has ended. A payment under way counts as expired; ask only at its end.
    #[must_use]
    pub fn of(view: &PaymentView) -> Self {
        match view.state {
            PaymentState::Succeeded => Self::Paid,
            PaymentState::PartiallyRefunded | PaymentState::Refunded => Self::Refunded,
            PaymentState::Failed => Self::NotPaid,
            PaymentState::Reversed => Self::Reversed,
            PaymentState::Created | PaymentState::Pending | PaymentState::Closed => {
                if view.changed_at >= view.collect_until { Self::Expired } else { Self::Cancelled }
            }
        }
    }
}

const fn takes(channel: &ChannelView, amount: i64) -> bool {
    channel.min_amount <= amount && amount <= channel.max_amount
}

fn latest_refused(view: &PaymentView, after: u32) -> Option<&AttemptView> {
    view.attempts.iter().rev().find(|attempt| attempt.no > after && attempt.state == AttemptState::Failed)
}
