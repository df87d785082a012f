//! `scantill refund`: money of a payment returned from the shell, through the payment client.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use futures::StreamExt;
use serde_json::json;

use super::{asked_to_end, print_line};
use crate::api::wire::{PaymentView, RefundPayment, RefundView};
use crate::app::cli::RefundArgs;
use crate::app::config::Config;
use crate::app::data::DataDir;
use crate::app::reach::reach_as;
use crate::client::{Client, ClientError, StreamEvent, idempotency_key};
use crate::money::Money;
use crate::payment::{PaymentId, RefundState};

/// How often the payment is read anew beside the events, should the stream be broken.
const READ_ANEW: Duration = Duration::from_secs(2);

pub(super) async fn run(args: RefundArgs, data: &DataDir, config: &Config) -> Result<ExitCode> {
    let Ok(id) = args.payment.parse::<PaymentId>() else {
        eprintln!("scantill: {:?} is no payment's id: it begins with pay_. Nothing was returned", args.payment);
        return Ok(ExitCode::from(2));
    };
    let reached = reach_as(data, config, &args.api, &args.who).await?;
    let result = refund(&reached.client, &id, &args).await;
    reached.stop().await;
    result
}

async fn refund(client: &Client, id: &PaymentId, args: &RefundArgs) -> Result<ExitCode> {
    let before = match client.payment(id).await {
        Ok(payment) => payment,
        Err(ClientError::Refused(problem)) if problem.code == "not_found" => {
            anyhow::bail!(
                "these books have no payment {id}. Nothing was returned. Check the id (the till shows it with the sale, \
                 F2) and which books are asked (--data-dir, or the API that the settings name)"
            )
        }
        Err(error) => return Err(error.into()),
    };
    let amount = match args.amount.as_deref().map(|text| Money::parse_sale(text, before.currency)).transpose() {
        Ok(amount) => amount,
        Err(error) => {
            let text = args.amount.as_deref().unwrap_or_default();
            eprintln!("scantill: {text:?}: {error}. Nothing was returned");
            return Ok(ExitCode::from(2));
        }
    };
    let mut events = client.events(None);
    // From `Connected` on nothing is missed.
    while !matches!(events.next().await, None | Some(StreamEvent::Connected | StreamEvent::Lost(_))) {}
    let wish = RefundPayment {
        amount: amount.map(|amount| amount.minor),
        reason: args.reason.clone(),
        by_hand: args.by_hand,
        attempt: args.attempt,
        operator: None,
    };
    let mut payment = client.refund(id, &wish, &idempotency_key()).await?;
    // Ours is the newest of the answer; later ones are somebody else's.
    let no = payment.refunds.last().map_or(0, |refund| refund.no);
    tell(args, "refund_started", &payment, no);
    let ask_to_end = asked_to_end();
    tokio::pin!(ask_to_end);
    while is_open(&payment, no) {
        tokio::select! {
            event = events.next() => {
                if let Some(StreamEvent::Event(event)) = event
                    && event.payment.id == payment.id
                    && event.payment.version >= payment.version
                {
                    payment = event.payment.clone();
                    tell(args, &event.kind, &payment, no);
                }
            }
            () = tokio::time::sleep(READ_ANEW) => {
                if let Ok(now) = client.payment(id).await && now.version > payment.version {
                    payment = now;
                    tell(args, "changed", &payment, no);
                }
            }
            () = &mut ask_to_end => {
                eprintln!("scantill: the refund goes on where the Payment API runs; look the payment up later");
                break;
            }
        }
    }
    if args.json {
        print_line(&serde_json::to_string(&payment)?);
    } else {
        print_line(&verdict(&payment, no));
    }
    let returned = of(&payment, no).is_some_and(|refund| refund.state == RefundState::Succeeded);
    Ok(if returned { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn of(payment: &PaymentView, no: u32) -> Option<&RefundView> {
    payment.refunds.iter().find(|refund| refund.no == no)
}

fn is_open(payment: &PaymentView, no: u32) -> bool {
    of(payment, no).is_some_and(|refund| refund.state == RefundState::Pending)
}

fn tell(args: &RefundArgs, event: &str, payment: &PaymentView, no: u32) {
    let Some(refund) = of(payment, no) else { return };
    if args.json {
        let line = json!({
            "event": event,
            "id": payment.id,
            "state": payment.state,
            "out_refund_no": refund.out_refund_no,
            "refund_state": refund.state,
        });
        print_line(&line.to_string());
    } else if is_open(payment, no) {
        eprintln!("Asking the provider to return {}.", Money::new(refund.amount, payment.currency));
    }
}

/// What came of it, the money first.
fn verdict(payment: &PaymentView, no: u32) -> String {
    let Some(refund) = of(payment, no) else { return "Nothing was returned".into() };
    let amount = Money::new(refund.amount, payment.currency);
    let number = &refund.out_refund_no;
    match refund.state {
        RefundState::Succeeded => {
            let left = Money::new(payment.refundable, payment.currency);
            format!("Returned: {amount}. {left} of the payment is left. out_refund_no {number}")
        }
        RefundState::Failed => {
            let code = refund.failure_code.as_deref().unwrap_or_default();
            let words = refund.failure_message.as_deref().unwrap_or_default();
            format!("Not returned: {amount}. The provider refused ({code} {words}). out_refund_no {number}")
        }
        RefundState::Pending => format!("Not known yet: {amount}. out_refund_no {number}"),
    }
}
