//! `scantill pay`: one payment from the shell, through the payment client.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::StreamExt;
use serde_json::json;

use super::{asked_to_end, print_line};
use crate::api::wire::{CreatePayment, PaymentView};
use crate::app::cli::PayArgs;
use crate::app::config::Config;
use crate::app::data::DataDir;
use crate::app::reach::{Reached, reach_as};
use crate::client::{Client, ClientError, StreamEvent, idempotency_key};
use crate::money::Money;
use crate::payment::{AttemptState, ChannelId, PaymentState, PendingReason};
use crate::qr::Modules;

/// How often the payment is read anew beside the events, should the stream be broken.
const READ_ANEW: Duration = Duration::from_secs(2);

pub(super) async fn run(args: PayArgs, data: &DataDir, config: &Config) -> Result<ExitCode> {
    let amount = match Money::parse_sale(&args.amount, config.currency) {
        Ok(amount) => amount,
        Err(error) => {
            eprintln!("scantill: {:?}: {error}. No payment was begun", args.amount);
            return Ok(ExitCode::from(2));
        }
    };
    let reached = reach_as(data, config, &args.api, &args.who).await?;
    if let (Some(url), Some(_)) = (&reached.sandbox_url, &args.code.as_ref().or(args.show.as_ref())) {
        eprintln!("Training: no real money moves. The sandbox is at {url}");
    }
    let result = pay(&reached, &args, amount).await;
    reached.stop().await;
    result
}

async fn pay(reached: &Reached, args: &PayArgs, amount: Money) -> Result<ExitCode> {
    let client = &reached.client;
    let mut events = client.events(None);
    // From `Connected` on nothing is missed.
    while !matches!(events.next().await, None | Some(StreamEvent::Connected | StreamEvent::Lost(_))) {}
    let new = CreatePayment {
        amount: amount.minor,
        currency: amount.currency,
        description: args.note.clone(),
        operator: None,
        collect_seconds: None,
    };
    let mut payment = client.create_payment(&new, &idempotency_key()).await?;
    let mut teller = Teller { json: args.json, shown: Vec::new(), last: String::new() };
    teller.tell("created", &payment);
    let begun = match (&args.code, &args.show) {
        (Some(code), _) => client.scan(&payment.id, code).await,
        (None, Some(channel)) => show(client, &payment, channel).await,
        (None, None) => Ok(payment.clone()),
    };
    match begun {
        Ok(now) => payment = now,
        Err(error) => {
            eprintln!("scantill: {error}");
            if args.json {
                print_line(&json!({ "event": "refused", "detail": error.to_string() }).to_string());
            }
            payment = client.cancel(&payment.id).await.context("the payment could not be cancelled")?;
        }
    }
    teller.tell("submitted", &payment);
    let ask_to_end = asked_to_end();
    tokio::pin!(ask_to_end);
    let mut cancelled = false;
    while !payment.state.is_end() {
        tokio::select! {
            event = events.next() => {
                if let Some(StreamEvent::Event(event)) = event
                    && event.payment.id == payment.id
                    && event.payment.version >= payment.version
                {
                    payment = event.payment.clone();
                    teller.tell(&event.kind, &payment);
                }
            }
            () = tokio::time::sleep(READ_ANEW) => {
                if let Ok(now) = client.payment(&payment.id).await && now.version > payment.version {
                    payment = now;
                    teller.tell("changed", &payment);
                }
            }
            () = &mut ask_to_end, if !cancelled => {
                cancelled = true;
                eprintln!("Cancelling: asking the provider first.");
                if let Ok(now) = client.cancel(&payment.id).await {
                    payment = now;
                }
            }
        }
    }
    if args.json {
        print_line(&serde_json::to_string(&payment)?);
    } else {
        print_line(&verdict(&payment));
    }
    Ok(if payment.state.is_paid() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn show(client: &Client, payment: &PaymentView, channel: &str) -> Result<PaymentView, ClientError> {
    let channel: ChannelId = channel
        .parse()
        .map_err(|_| ClientError::BadAnswer(format!("{channel:?} is no channel: write alipay or wechatpay")))?;
    client.show_code(&payment.id, &channel).await
}

/// Tells progress: JSON lines on stdout, or sentences on stderr.
struct Teller {
    json: bool,
    shown: Vec<String>,
    last: String,
}

impl Teller {
    fn tell(&mut self, event: &str, payment: &PaymentView) {
        if self.json {
            let line = json!({
                "event": event,
                "id": payment.id,
                "state": payment.state,
                "pending": payment.pending,
                "codes": payment.attempts.iter().filter_map(|attempt| attempt.code.as_ref()).collect::<Vec<_>>(),
            });
            print_line(&line.to_string());
        }
        for attempt in payment.attempts.iter().filter(|attempt| attempt.state == AttemptState::CodeShown) {
            if let Some(code) = attempt.code.as_ref().filter(|code| !self.shown.contains(code)) {
                self.shown.push(code.clone());
                self.draw(code);
            }
        }
        let sentence = progress(payment);
        if !payment.state.is_end() && sentence != self.last {
            eprintln!("{sentence}");
            sentence.clone_into(&mut self.last);
        }
    }

    fn draw(&self, code: &str) {
        match Modules::of(code) {
            // With --json stdout is for programs; the drawing is for eyes.
            Ok(modules) if self.json => eprintln!("{}", modules.to_terminal()),
            Ok(modules) => print_line(&modules.to_terminal()),
            Err(error) => eprintln!("scantill: the code cannot be drawn: {error}"),
        }
        eprintln!("{code}");
    }
}

const fn progress(payment: &PaymentView) -> &'static str {
    match payment.pending {
        None => "The payment is ready.",
        Some(PendingReason::Submitting) => "Asking the provider.",
        Some(PendingReason::AwaitingScan) => "Waiting for the customer to scan the code.",
        Some(PendingReason::CustomerConfirming) => "Waiting for the customer to confirm on the phone.",
        Some(PendingReason::ResultUnknown) => {
            "Asking the provider whether the customer has paid. Do not ask for money again yet."
        }
        Some(PendingReason::ClosingOthers) => "Paid; closing the other code so that it cannot be paid as well.",
        Some(PendingReason::Reversing) => "Taking the payment back with the provider.",
        Some(PendingReason::AwaitingCashier) => {
            "The time ran out. Look at the shop's account: confirm the payment if the money arrived, or cancel."
        }
    }
}

/// What came of it, the money first.
fn verdict(payment: &PaymentView) -> String {
    let amount = Money::new(payment.amount, payment.currency);
    let number = payment.out_trade_no.as_ref().map_or("none", |number| number.as_str());
    let channel = payment.channel.as_ref().map_or("", |channel| channel.as_str());
    match payment.state {
        PaymentState::Succeeded | PaymentState::PartiallyRefunded => {
            format!("Paid: {amount} by {channel}. out_trade_no {number}")
        }
        PaymentState::Failed => {
            let sentence = payment.reason.map_or("Not paid.", |reason| reason.sentence());
            let code = payment.reason_code.as_deref().filter(|code| !code.is_empty());
            format!("{sentence}{} out_trade_no {number}", code.map_or_else(String::new, |code| format!(" ({code})")))
        }
        PaymentState::Closed => format!("Not paid: the payment of {amount} was closed. out_trade_no {number}"),
        PaymentState::Reversed => {
            format!("Not paid: the payment of {amount} was taken back with the provider. out_trade_no {number}")
        }
        PaymentState::Refunded => format!("Returned: {amount}. out_trade_no {number}"),
        PaymentState::Created | PaymentState::Pending => progress(payment).to_owned(),
    }
}
