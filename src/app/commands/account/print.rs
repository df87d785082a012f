//! How accounts, forms and tests look in a terminal.

use anyhow::Result;
use serde::Serialize;

use super::super::print_line;
use crate::api::wire::{
    AccountFormView, AccountPolicy, AccountTestView, AccountView, Algorithm, CredentialFieldView, CredentialKind,
};

/// What a person reads of it.
pub(super) trait Printed: Serialize {
    fn text(&self) -> String;

    /// Lines that go with it on stderr.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// One JSON object in a line, or text.
pub(super) fn print<T: Printed>(what: &T, json: bool) -> Result<()> {
    if json {
        print_line(&serde_json::to_string(what)?);
    } else {
        print_line(&what.text());
        for line in what.notes() {
            eprintln!("{line}");
        }
    }
    Ok(())
}

impl Printed for AccountView {
    fn text(&self) -> String {
        let mut lines = vec![
            format!("{} ({}, {})", self.id, self.name, self.channel),
            format!("  state          {}", state(self)),
            format!("  gateway        {}", self.base_url),
        ];
        if let Some(url) = &self.notify_base_url {
            lines.push(format!("  notifications  {url}"));
        }
        let stores: Vec<_> = self.stores.iter().map(ToString::to_string).collect();
        lines.push(format!("  stores         {}", if stores.is_empty() { "every".into() } else { stores.join(", ") }));
        lines.push(format!("  algorithms     {}", algorithms(&self.algorithms)));
        for (index, credential) in self.credentials.iter().enumerate() {
            let title = if index == 0 { "credentials" } else { "" };
            let shown = credential.shown.as_deref().unwrap_or("set, not shown");
            lines.push(format!("  {title:<13}  {:<24} {shown}", credential.name));
        }
        if let Some(until) = self.retiring_until {
            lines.push(format!("  rotation       the credentials before still count until {until}"));
        }
        lines.join("\n")
    }

    fn notes(&self) -> Vec<String> {
        let warnings = self.warnings.iter().map(|warning| format!("Warning: {}", warning.sentence));
        let problem = self.problem.iter().map(|problem| format!("It cannot be used: {problem}."));
        problem.chain(warnings).collect()
    }
}

impl Printed for AccountFormView {
    fn text(&self) -> String {
        let mut lines = vec![format!("{} ({})", self.channel, self.title)];
        if !self.default_base_url.is_empty() {
            lines.push(format!("  gateway: {}", self.default_base_url));
        }
        if !self.sandbox_base_url.is_empty() {
            lines.push(format!("  its test gateway: {}", self.sandbox_base_url));
        }
        for field in &self.fields {
            lines.push(format!("  {:<26} {}; {}. {}", field.name, kind(field), field.label, field.hint));
        }
        lines.join("\n")
    }
}

fn kind(field: &CredentialFieldView) -> String {
    let kind = match field.kind {
        CredentialKind::Text => "text".to_owned(),
        CredentialKind::Secret => "secret".to_owned(),
        CredentialKind::PrivateKey => "private key, secret".to_owned(),
        CredentialKind::Pem => "public key or certificate".to_owned(),
        CredentialKind::Pkcs12 => "PKCS#12 file, secret".to_owned(),
        CredentialKind::Choice => field.choices.join(" or "),
    };
    match (&field.required_when, field.required) {
        (Some(when), _) => format!("{kind}, where {} is {}", when.field, when.is),
        (None, true) => kind,
        (None, false) => format!("{kind}, may be left out"),
    }
}

fn state(account: &AccountView) -> String {
    let money = if account.training { "training" } else { "live" };
    let open = match (&account.problem, account.enabled) {
        (Some(_), _) => "cannot be used",
        (None, true) => "enabled",
        (None, false) => "disabled",
    };
    format!("{money}, {open}")
}

fn algorithms(list: &[Algorithm]) -> String {
    let names = list.iter().map(|algorithm| {
        let weak = if algorithm.is_weak() { " (broken!)" } else { "" };
        format!("{}{weak}", algorithm.name())
    });
    names.collect::<Vec<_>>().join(", ")
}

pub(super) fn policy(account: &AccountPolicy) -> String {
    format!("{:<28} {}", account.account, algorithms(&account.algorithms))
}

/// A line for each account.
pub(super) fn table(accounts: &[AccountView]) -> String {
    if accounts.is_empty() {
        return "There is no account yet: scantill account add --channel alipay".into();
    }
    let mut lines = vec![format!("{:<28} {:<14} {:<26} {}", "id", "channel", "state", "name")];
    for account in accounts {
        lines.push(format!("{:<28} {:<14} {:<26} {}", account.id, account.channel, state(account), account.name));
        lines.extend(account.notes().into_iter().map(|note| format!("    {note}")));
    }
    lines.join("\n")
}

/// Cause and cure.
pub(super) fn test(test: &AccountTestView, of: &str) -> String {
    if test.ok {
        return format!("{of}: good. The provider answered, and every signature fits.");
    }
    let mut lines = vec![format!("{of}: {}", test.cause), format!("  {}", test.cure)];
    let words: Vec<_> =
        [&test.provider_code, &test.provider_message].into_iter().filter(|text| !text.is_empty()).cloned().collect();
    if !words.is_empty() {
        lines.push(format!("  What it said: {}", words.join(" ")));
    }
    if let Some(fault) = &test.fault {
        lines.push(format!("  ({fault})"));
    }
    lines.join("\n")
}
