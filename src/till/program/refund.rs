//! The refund page among the till's other pages: from which sale, its keys, and its one errand.

use iced::Task;
use iced::keyboard::key::Named;

use super::{Message, Page, Till};
use crate::client::ClientError;
use crate::till::keys::Stroke;
use crate::till::screen::refund::{self, Action};

impl Till {
    /// F4: a refund of the sale that is open or chosen; else the list to choose from.
    pub(super) fn open_refund(&mut self) -> Task<Message> {
        let sale = match (self.page, &self.story) {
            (Page::Story, Some(story)) => Some(story.sale.clone()),
            (Page::Sales, _) => self.recent.get(self.sales.chosen()).cloned(),
            _ => None,
        };
        let Some(sale) = sale else { return self.go(Page::Sales) };
        self.refund = Some(refund::State::new(sale, &self.counter.channels));
        self.page = Page::Refund;
        Task::none()
    }

    /// Something happened on the refund page.
    pub(super) fn refund_message(&mut self, message: refund::Message) -> Task<Message> {
        let words = self.words;
        let say = |key: &str, amount: Option<crate::money::Money>| {
            let values = amount.map(|amount| ("amount", amount.to_string().into()));
            words.ta(key, values.as_slice())
        };
        let Some(page) = &mut self.refund else { return Task::none() };
        match page.update(message, &say) {
            Action::None => Task::none(),
            Action::Leave => {
                self.refund = None;
                self.go(if self.story.is_some() && self.back == Page::Sales { Page::Sales } else { Page::Counter })
            }
            Action::Refund(id, refund, key) => self.call(
                |client| async move { client.refund(&id, &refund, &key).await },
                move |answer| {
                    let answer = answer.map_err(|error| match error {
                        ClientError::Refused(problem) => words.problem(&problem.code, &problem.detail),
                        error => error.to_string(),
                    });
                    Message::Refund(refund::Message::Answered(Box::new(answer)))
                },
            ),
        }
    }

    /// A key went down on the page; `None` where it means nothing here.
    pub(super) fn refund_key(stroke: &Stroke, named: Option<Named>) -> Option<refund::Message> {
        use refund::Message as M;
        if stroke.modifiers.control() || stroke.modifiers.logo() {
            return None;
        }
        match (named, stroke.character()) {
            (Some(Named::Enter), _) => (!stroke.repeat).then_some(M::Enter),
            (Some(Named::Escape), _) => (!stroke.repeat).then_some(M::Back),
            (Some(Named::Backspace), _) => Some(M::Backspace),
            (Some(Named::Delete), _) => Some(M::Clear),
            (Some(Named::Tab | Named::ArrowUp | Named::ArrowDown), _) => Some(M::Field),
            (Some(Named::Space), _) => Some(M::Text(" ".into())),
            (_, Some(character)) => Some(M::Text(stroke.text.clone().unwrap_or_else(|| character.to_string()))),
            _ => None,
        }
    }
}
