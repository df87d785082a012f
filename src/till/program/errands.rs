//! The errands that the counter asks for.

use std::time::Instant;

use iced::Task;

use super::{Link, Message, Till};
use crate::api::wire::{ConfirmPayment, CreatePayment};
use crate::client::{self, Client};
use crate::till::sale::{Cue, Effect, Hint, Phase, Press};
use crate::till::sound::Sound;

impl Till {
    pub(super) fn perform(&mut self, effects: Vec<Effect>) -> Task<Message> {
        self.display.prepare(&self.counter);
        let tasks: Vec<_> = effects.into_iter().map(|effect| self.errand(effect)).collect();
        Task::batch(tasks)
    }

    pub(super) fn errand(&mut self, effect: Effect) -> Task<Message> {
        match effect {
            Effect::Create { amount, note } => {
                // A code may be held up any moment now.
                self.sounds.wake();
                let new = CreatePayment {
                    amount: amount.minor,
                    currency: amount.currency,
                    description: note,
                    operator: None,
                    collect_seconds: None,
                };
                let key = client::idempotency_key();
                let call = move |client: Client| async move { client.create_payment(&new, &key).await };
                self.call(call, |answer| Message::Created(Box::new(answer)))
            }
            Effect::ShowCode(id, channel) => {
                let of = (id.clone(), channel.clone());
                self.call(
                    move |client| async move { client.show_code(&id, &channel).await },
                    move |answer| Message::CodeShown(of.0.clone(), of.1.clone(), Box::new(answer)),
                )
            }
            Effect::Submit(id, code) => {
                let of = id.clone();
                self.call(
                    move |client| async move { client.scan(&id, code.expose()).await },
                    move |answer| Message::Submitted(of.clone(), Box::new(answer)),
                )
            }
            Effect::Cancel(id) => {
                let of = id.clone();
                self.call(
                    move |client| async move { client.cancel(&id).await },
                    move |answer| Message::Cancelled(of.clone(), Box::new(answer)),
                )
            }
            Effect::Confirm(id, channel) => {
                let of = id.clone();
                let seen = ConfirmPayment { channel: Some(channel), ..ConfirmPayment::default() };
                self.call(
                    move |client| async move { client.confirm(&id, &seen).await },
                    move |answer| Message::Submitted(of.clone(), Box::new(answer)),
                )
            }
            Effect::Sound(cue) => {
                let since = self.scanned_at.take().unwrap_or_else(Instant::now);
                self.sounds.make_for(sound_of(&cue), since);
                Task::none()
            }
            Effect::Refresh => self.refresh(),
        }
    }

    pub(super) fn press(&mut self, press: Press) -> Task<Message> {
        if press == Press::Enter && matches!(self.counter.phase, Phase::Entry) && self.link != Link::Online {
            self.counter.hint = (self.link == Link::Offline).then_some(Hint::Offline);
            return Task::none();
        }
        let effects = self.counter.press(press);
        self.perform(effects)
    }
}

/// What is to be heard.
const fn sound_of(cue: &Cue) -> Sound {
    match cue {
        Cue::Read => Sound::Read,
        Cue::Success(..) => Sound::Success,
        Cue::Failure => Sound::Failure,
        Cue::Attention => Sound::Attention,
    }
}
