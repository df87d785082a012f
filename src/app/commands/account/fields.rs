//! Credentials from the command line, from files, and from the person at the terminal.

use std::fs;
use std::io::{Read, stdin};
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::api::wire::{AccountFormView, CredentialFieldView, CredentialKind};
use crate::app::ask;
use crate::app::cli::FieldArgs;

/// No credential is longer.
const MAX_FILE: u64 = 64 * 1024;

/// The command line asks for something that is not possible: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadUsage(pub String);

fn usage(words: impl Into<String>) -> anyhow::Error {
    BadUsage(words.into()).into()
}

/// The credentials that were given, by the form's names. What is named twice counts as named last.
pub(super) fn given(args: &FieldArgs, form: &AccountFormView) -> Result<Map<String, Value>> {
    let mut credentials = Map::new();
    if let Some(path) = &args.credentials {
        for (name, value) in object(path)? {
            field_of(form, &name)?;
            credentials.insert(name, value);
        }
    }
    for text in &args.files {
        let (name, path) = pair(text, "--file NAME=PATH")?;
        let field = field_of(form, name)?;
        credentials.insert(name.to_owned(), Value::String(from_file(field, Path::new(path))?));
    }
    for text in &args.fields {
        let (name, value) = pair(text, "--field NAME=TEXT")?;
        let field = field_of(form, name)?;
        let value = match value.strip_prefix('@') {
            Some(path) => from_file(field, Path::new(path))?,
            None => {
                if field.secret {
                    eprintln!(
                        "Warning: {name} on the command line can be seen by others on this machine, and stays in the \
                         shell's history. Better: --field {name}=@PATH"
                    );
                }
                value.to_owned()
            }
        };
        credentials.insert(name.to_owned(), Value::String(value));
    }
    Ok(credentials)
}

fn pair<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str)> {
    // The text may be a secret; it is not told again.
    text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| usage(format!("write {form}")))
}

fn field_of<'a>(form: &'a AccountFormView, name: &str) -> Result<&'a CredentialFieldView> {
    form.fields.iter().find(|field| field.name == name).ok_or_else(|| {
        let known: Vec<_> = form.fields.iter().map(|field| field.name.as_str()).collect();
        usage(format!("{} has no field of that name: there are {}", form.title, known.join(", ")))
    })
}

fn object(path: &Path) -> Result<Map<String, Value>> {
    let mut text = String::new();
    if path == Path::new("-") {
        stdin().take(MAX_FILE).read_to_string(&mut text).context("stdin cannot be read")?;
    } else {
        text = String::from_utf8(bytes(path)?).map_err(|_| usage(format!("{} is not JSON", path.display())))?;
    }
    // The parser's own words could repeat a part of a secret.
    match serde_json::from_str(&text) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(usage(format!("{} is not a JSON object of credentials", path.display()))),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("{} cannot be read", path.display());
    let mut found = Vec::new();
    fs::File::open(path).with_context(cannot)?.take(MAX_FILE + 1).read_to_end(&mut found).with_context(cannot)?;
    if found.len() as u64 > MAX_FILE {
        return Err(usage(format!("{} is too long to be a credential", path.display())));
    }
    Ok(found)
}

/// A file's text; what is no text (DER, PKCS#12) in base64.
fn from_file(field: &CredentialFieldView, path: &Path) -> Result<String> {
    let bytes = bytes(path)?;
    let text = std::str::from_utf8(&bytes).ok().map(str::trim).filter(|text| !text.is_empty());
    match (field.kind, text) {
        (CredentialKind::Pkcs12, Some(text))
            if STANDARD.decode(text.split_whitespace().collect::<String>()).is_err() =>
        {
            Ok(STANDARD.encode(&bytes))
        }
        (_, Some(text)) => Ok(text.to_owned()),
        (_, None) if bytes.iter().all(u8::is_ascii_whitespace) => Err(usage(format!("{} is empty", path.display()))),
        (_, None) => Ok(STANDARD.encode(&bytes)),
    }
}

/// Asks the person at the terminal for what has to be there and is not; without a terminal it is bad usage.
pub(super) fn ask_for_missing(form: &AccountFormView, credentials: &mut Map<String, Value>) -> Result<()> {
    let somebody = ask::somebody_is_there();
    let mut missing = Vec::new();
    for field in &form.fields {
        let has = credentials.get(&field.name).is_some_and(|value| value.as_str().is_some_and(|text| !text.is_empty()));
        let value_of = |name: &str| credentials.get(name).and_then(Value::as_str);
        let wanted = form.asks_for(field, value_of);
        if has || !wanted {
            continue;
        }
        if !somebody {
            if field.required || field.required_when.is_some() {
                missing.push(field);
            }
            continue;
        }
        let answer = ask_for(field)?;
        if !answer.is_empty() {
            credentials.insert(field.name.clone(), Value::String(answer));
        }
    }
    // A choice has a first value; everything else cannot be guessed.
    missing.retain(|field| field.kind != CredentialKind::Choice);
    if missing.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> =
        missing.iter().map(|field| format!("  {}: {}. {}", flag(field), field.label, field.hint)).collect();
    Err(usage(format!("these credentials of {} are missing:\n{}", form.title, lines.join("\n"))))
}

fn flag(field: &CredentialFieldView) -> String {
    match field.kind {
        CredentialKind::Text | CredentialKind::Choice => format!("--field {}=TEXT", field.name),
        CredentialKind::Secret => format!("--field {}=@PATH", field.name),
        CredentialKind::PrivateKey | CredentialKind::Pem | CredentialKind::Pkcs12 => {
            format!("--file {}=PATH", field.name)
        }
    }
}

fn ask_for(field: &CredentialFieldView) -> Result<String> {
    eprintln!("{}", field.hint);
    let needed = field.required || field.required_when.is_some();
    let end = if needed { "" } else { " (Enter leaves it out)" };
    loop {
        let answer = match field.kind {
            CredentialKind::Text => ask::line(&format!("{}{end}", field.label))?,
            CredentialKind::Secret => ask::hidden(&format!("{}{end}, not shown", field.label))?.trim().to_owned(),
            CredentialKind::Choice => {
                let first = field.choices.first().cloned().unwrap_or_default();
                let answer = ask::line(&format!("{}, one of {} [{first}]", field.label, field.choices.join(", ")))?;
                if answer.is_empty() { first } else { answer }
            }
            CredentialKind::PrivateKey | CredentialKind::Pem | CredentialKind::Pkcs12 => {
                match ask::line(&format!("{}{end}, the file's path", field.label))? {
                    path if path.is_empty() => path,
                    path => match from_file(field, Path::new(&path)) {
                        Ok(text) => text,
                        Err(error) => {
                            eprintln!("scantill: {error:#}");
                            continue;
                        }
                    },
                }
            }
        };
        let fits = match field.kind {
            CredentialKind::Choice => field.choices.contains(&answer),
            _ => !answer.is_empty() || !needed,
        };
        if fits {
            return Ok(answer);
        }
    }
}
