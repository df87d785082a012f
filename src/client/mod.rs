//! The payment client: how the till and the commands speak to the Payment API.

use futures::stream::BoxStream;

use crate::api::wire::{
    ChangePayment, ChannelView, CreatePayment, EventView, Health, PaymentPage, PaymentQuery, PaymentView, Problem,
    StoryStep, Takings, TakingsParams,
};
use crate::crypto::Secret;
use crate::payment::{ChannelId, PaymentId};

/// The key that requests are signed with.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its id (the till's id).
    pub id: String,
    /// The HMAC key.
    pub secret: Secret<String>,
}

/// Why a call did not give what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The API refused, and says why.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// The API cannot be reached: nothing was done.
    #[error("the Payment API cannot be reached: {0}")]
    Unreachable(String),
    /// The request left, and no answer came. Idempotent calls are repeated before this is said.
    #[error("the Payment API did not answer in time: look the payment up before asking for money again")]
    NoAnswer,
    /// The answer is not of the API.
    #[error("the answer is not one of the Payment API's: {0}")]
    BadAnswer(String),
}

/// What the event stream tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEvent {
    /// The stream stands; from here on nothing is missed.
    Connected,
    /// Something happened.
    Event(Box<EventView>),
    /// The stream broke; it is being set up again and resumes after the last event.
    Lost(String),
}

/// The payment client. Cheap to clone.
#[derive(Clone)]
pub struct Client {}

impl Client {
    /// A client of the API at `base_url`.
    pub fn new(base_url: &str, key: ApiKey) -> Result<Self, ClientError> {
        todo!()
    }

    /// Whether the API is there.
    pub async fn health(&self) -> Result<Health, ClientError> {
        todo!()
    }

    /// What can be paid through.
    pub async fn channels(&self) -> Result<Vec<ChannelView>, ClientError> {
        todo!()
    }

    /// Begins a sale. The idempotency key is the caller's, so that a repeat after a crash is the same sale.
    pub async fn create_payment(&self, new: &CreatePayment, idempotency_key: &str) -> Result<PaymentView, ClientError> {
        todo!()
    }

    /// Changes a sale of which nothing was shown or submitted.
    pub async fn change_payment(&self, id: &PaymentId, change: &ChangePayment) -> Result<PaymentView, ClientError> {
        todo!()
    }

    /// Asks for a code to show.
    pub async fn show_code(&self, id: &PaymentId, channel: &ChannelId) -> Result<PaymentView, ClientError> {
        todo!()
    }

    /// Submits the customer's payment code.
    pub async fn scan(&self, id: &PaymentId, auth_code: &str) -> Result<PaymentView, ClientError> {
        todo!()
    }

    /// Asks to cancel.
    pub async fn cancel(&self, id: &PaymentId) -> Result<PaymentView, ClientError> {
        todo!()
    }

    /// A sale as it stands.
    pub async fn payment(&self, id: &PaymentId) -> Result<PaymentView, ClientError> {
        todo!()
    }

    /// Sales, the latest first.
    pub async fn payments(&self, query: &PaymentQuery) -> Result<PaymentPage, ClientError> {
        todo!()
    }

    /// The whole story of a sale, oldest first.
    pub async fn history(&self, id: &PaymentId) -> Result<Vec<StoryStep>, ClientError> {
        todo!()
    }

    /// The takings of a day.
    pub async fn takings(&self, params: &TakingsParams) -> Result<Takings, ClientError> {
        todo!()
    }

    /// Events after `after` (`None`: from now on), for ever: it sets itself up again and resumes by itself.
    pub fn events(&self, after: Option<i64>) -> BoxStream<'static, StreamEvent> {
        todo!()
    }
}
