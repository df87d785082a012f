//! Who is at the till: the lock screen among the till's other pages, and when it comes up.

use iced::Task;
use iced::keyboard::key::Named;

use super::{Message, Page, Till};
use crate::api::wire::{OperatorView, PaymentView, SessionView};
use crate::client::ClientError;
use crate::till::keys::Stroke;
use crate::till::screen::sign_in::{self, Action};
use crate::till::sound::Sound;

/// After how long without a key, a click or a sale the till locks itself, in ms.
const LOCK_AFTER: i64 = 10 * 60 * 1_000;

/// Who is at the till.
#[derive(Debug, Default)]
pub(super) enum Who {
    /// Nobody has to sign in here.
    #[default]
    Anybody,
    /// Somebody has to sign in.
    Nobody(sign_in::State),
    /// Somebody is signed in, until then, in Unix milliseconds.
    Operator(OperatorView, i64),
}

impl Till {
    /// Whether somebody has to sign in before anything else.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        matches!(self.who, Who::Nobody(_))
    }

    /// Who is signed in.
    #[must_use]
    pub const fn operator(&self) -> Option<&OperatorView> {
        match &self.who {
            Who::Operator(operator, _) => Some(operator),
            Who::Anybody | Who::Nobody(_) => None,
        }
    }

    pub(super) fn fetch_operators(&self) -> Task<Message> {
        self.call(|client| async move { client.operators_here().await }, Message::Operators)
    }

    /// The list of those who may sign in here came.
    pub(super) fn operators_told(&mut self, answer: Result<Vec<OperatorView>, ClientError>) -> Task<Message> {
        // Without a list things stay as they are: the API is asked again with the next connection.
        let Ok(operators) = answer else { return Task::none() };
        match &mut self.who {
            Who::Anybody if operators.is_empty() => {}
            Who::Anybody => self.who = Who::Nobody(sign_in::State::new(operators)),
            Who::Nobody(_) if operators.is_empty() => self.who = Who::Anybody,
            Who::Nobody(page) => page.list(operators),
            Who::Operator(..) => {}
        }
        Task::none()
    }

    /// Something happened on the lock screen.
    pub(super) fn sign_in_message(&mut self, message: sign_in::Message) -> Task<Message> {
        let Who::Nobody(page) = &mut self.who else { return Task::none() };
        match page.update(message, self.now) {
            Action::None => Task::none(),
            Action::SignIn(operator, pin) => self.call(
                |client| async move { client.sign_in(&operator, pin).await },
                |answer| Message::SignedIn(Box::new(answer)),
            ),
        }
    }

    /// The answer to a PIN came.
    pub(super) fn signed_in(&mut self, answer: Result<SessionView, ClientError>) -> Task<Message> {
        let Who::Nobody(page) = &mut self.who else { return Task::none() };
        match answer {
            Ok(session) => {
                self.touched_at = self.now;
                self.who = Who::Operator(session.operator, session.expires_at.as_millisecond());
                self.sounds.make(Sound::Read);
                Task::none()
            }
            Err(error) => {
                page.refused(&error, self.now);
                self.sounds.make(Sound::Failure);
                // Somebody may have been added, or locked out at another till.
                self.fetch_operators()
            }
        }
    }

    /// Whoever is here leaves. A sale under way is finished first.
    pub(super) fn lock(&mut self) -> Task<Message> {
        if self.operator().is_none() || self.counter.is_busy() {
            return Task::none();
        }
        self.page = Page::Counter;
        self.phone_open = false;
        self.show_lock();
        self.fetch_operators()
    }

    fn show_lock(&mut self) {
        let Some(client) = self.client() else { return };
        client.sign_out();
        let operators = self.operator().cloned().into_iter().collect();
        self.who = Who::Nobody(sign_in::State::new(operators));
    }

    /// Somebody did something here.
    pub(super) const fn touched(&mut self) {
        self.touched_at = self.now;
    }

    /// Time goes on: whoever has left without locking is signed out, and so is everybody after a long day.
    pub(super) fn lock_where_nobody_is(&mut self) -> Task<Message> {
        if self.counter.is_busy() {
            self.touched();
        }
        let over = matches!(self.who, Who::Operator(_, until) if until <= self.now);
        if over || self.now - self.touched_at >= LOCK_AFTER { self.lock() } else { Task::none() }
    }

    /// The API may say with any answer that nobody is signed in any more: the lock screen comes up, and the sale under
    /// way goes on under it.
    pub(super) fn look_who(&mut self, answer: Result<&PaymentView, &ClientError>) -> Task<Message> {
        let Err(ClientError::Refused(problem)) = answer else { return Task::none() };
        if !matches!(problem.code.as_str(), "session_over" | "sign_in_needed") {
            return Task::none();
        }
        self.show_lock();
        self.fetch_operators()
    }

    /// A key went down on the lock screen.
    pub(super) fn sign_in_key(stroke: &Stroke, named: Option<Named>) -> Option<sign_in::Message> {
        use sign_in::Message as M;
        if stroke.modifiers.control() || stroke.modifiers.logo() {
            return None;
        }
        match (named, stroke.character()) {
            (Some(Named::Enter), _) => (!stroke.repeat).then_some(M::Enter),
            (Some(Named::Escape | Named::Delete), _) => Some(M::Clear),
            (Some(Named::Backspace), _) => Some(M::Backspace),
            (Some(Named::ArrowUp), _) => Some(M::Move(-1)),
            (Some(Named::ArrowDown), _) => Some(M::Move(1)),
            (Some(Named::Tab), _) => Some(M::Next),
            (_, Some(character)) => Some(M::Text(stroke.text.clone().unwrap_or_else(|| character.to_string()))),
            _ => None,
        }
    }
}
