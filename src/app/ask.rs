//! Asking the person at the terminal.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};

use anyhow::{Context, Result};
use zeroize::Zeroizing;

/// Whether there is anybody to ask.
pub(super) fn somebody_is_there() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

/// A line that is seen while it is typed, without spaces around it.
pub(super) fn line(question: &str) -> Result<String> {
    let mut err = stderr().lock();
    write!(err, "{question}: ").and_then(|()| err.flush()).context("the question could not be asked")?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer).context("the answer could not be read")?;
    Ok(answer.trim().to_owned())
}

/// A line that is not.
pub(super) fn hidden(question: &str) -> Result<Zeroizing<String>> {
    rpassword::prompt_password(format!("{question}: ")).map(Zeroizing::new).context("the answer could not be read")
}

/// Yes or no; anything but a clear yes is no.
pub(super) fn agrees(question: &str) -> Result<bool> {
    let answer = line(&format!("{question} [y/N]"))?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}
