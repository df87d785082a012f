//! `scantill ledger backup`, `restore`, `accept`: copies of the books, and which end of the journal is the right one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::print_line;
use crate::app::anchor::{AnchorFile, Held};
use crate::app::ask;
use crate::app::cli::BooksArgs;
use crate::app::config::Config;
use crate::app::data::DataDir;
use crate::app::embedded::now;
use crate::crypto::random_token;
use crate::ledger::{Anchor, Ledger};

const ACTOR: &str = "setup";

pub(super) async fn backup(
    out: &Path,
    json: bool,
    books: BooksArgs,
    data: &DataDir,
    config: &Config,
) -> Result<ExitCode> {
    let ledger = Ledger::open(data.ledger_config(books.database, config.calendar(), true)?).await?;
    let copied = ledger.backup(out).await;
    ledger.close().await;
    let end = copied.context("no backup was made")?;
    let url = format!("sqlite:{}", out.display());
    let copy = Ledger::open(data.ledger_config(Some(url), config.calendar(), true)?).await?;
    let checked = whole(&copy, &end).await;
    copy.close().await;
    let rows = checked.with_context(|| format!("the backup {} is not good: do not rely on it", out.display()))?;
    if json {
        print_line(&json!({ "file": out, "rows": rows, "seq": end.seq, "mac": end.mac }).to_string());
    } else {
        print_line(&format!("{} holds the books up to row {}, each as it was written.", out.display(), end.seq));
        eprintln!("It opens with the keys in {} only: keep a copy of those too, elsewhere.", data.keys().display());
    }
    Ok(ExitCode::SUCCESS)
}

/// What a person said about restoring.
#[derive(Clone, Copy)]
pub(super) struct Wish {
    pub replace: bool,
    pub accept_older: bool,
    pub json: bool,
}

pub(super) async fn restore(
    file: &Path,
    wish: Wish,
    books: BooksArgs,
    data: &DataDir,
    config: &Config,
) -> Result<ExitCode> {
    if !file.is_file() {
        bail!("there is no file {}", file.display());
    }
    // What is checked is what is restored, brought up to date, and the backup itself stays as it is.
    let copy = Copy::of(file, data)?;
    let url = format!("sqlite:{}", copy.0.display());
    let ledger = Ledger::open(data.ledger_config(Some(url), config.calendar(), false)?)
        .await
        .with_context(|| format!("{} cannot be restored", file.display()))?;
    let checked = async {
        let end = ledger.anchor().await?;
        let rows = whole(&ledger, &end)
            .await
            .with_context(|| format!("{} is not restored: nothing was changed", file.display()))?;
        Ok::<_, anyhow::Error>((end, rows))
    }
    .await;
    let target = data.ledger_config(books.database, config.calendar(), false)?;
    let place = Ledger::place_of(&target.url)?;
    let anchor = AnchorFile::of_place(data, place);
    let older = match anchor.read() {
        Ok(Some(anchored)) => ledger.holds(&anchored).await?.map(|broken| (anchored, broken)),
        Ok(None) => None,
        Err(error) => {
            eprintln!("scantill: {error:#}");
            None
        }
    };
    ledger.close().await;
    let (end, rows) = checked?;
    if let Some((anchored, broken)) = &older
        && !wish.accept_older
    {
        bail!(
            "the books here were written up to row {}, and the copy differs from row {} on: those rows are not in it. \
             Nothing was changed. Look for a newer copy, or say --accept-older",
            anchored.seq,
            broken.seq
        );
    }
    let aside = Ledger::restore(&copy.0, &target, wish.replace)
        .await
        .context("the copy was not restored; --replace moves books in a SQLite file aside")?;
    let ledger = Ledger::open(target).await?;
    let written = async {
        let rows = whole(&ledger, &end).await?;
        let payload = json!({ "up_to": end.seq, "anchored": older.as_ref().map(|(anchored, _)| anchored.seq) });
        ledger.note(now(), ACTOR, "books_restored", payload).await?;
        anchor.write(&ledger.anchor().await?)?;
        Ok::<_, anyhow::Error>(rows)
    }
    .await;
    ledger.close().await;
    written.context("the copy was restored and then could not be checked")?;
    if wish.json {
        print_line(&json!({ "rows": rows, "seq": end.seq, "moved_aside": aside }).to_string());
    } else {
        print_line(&format!("The books are those of {}, up to row {}.", file.display(), end.seq));
        if let Some(aside) = aside {
            print_line(&format!("What was there is in {} now.", aside.display()));
        }
        eprintln!("What was paid since is with the providers: hold the days since against their bills.");
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn accept(yes: bool, books: BooksArgs, data: &DataDir, config: &Config) -> Result<ExitCode> {
    let ledger = Ledger::open(data.ledger_config(books.database, config.calendar(), false)?).await?;
    let accepted = accept_end(yes, data, &ledger).await;
    ledger.close().await;
    accepted
}

async fn accept_end(yes: bool, data: &DataDir, ledger: &Ledger) -> Result<ExitCode> {
    let file = AnchorFile::of(data, ledger);
    let end = ledger.anchor().await?;
    whole(ledger, &end).await.context("this end cannot be accepted: nothing was changed")?;
    let (seq, told) = match file.held(ledger).await {
        Ok(Held::Broken(broken)) => (broken.seq, format!("From row {} on: {}.", broken.seq, broken.why)),
        Ok(Held::Nothing | Held::Whole(_)) => {
            print_line("The journal holds what was anchored: there is nothing to accept.");
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => (end.seq, format!("{error:#}.")),
    };
    eprintln!("{told}");
    let agreed = yes || (ask::somebody_is_there() && ask::agrees("Take the journal as it is for the right one?")?);
    if !agreed {
        bail!("nothing was changed; --yes says so without being asked");
    }
    ledger.note(now(), ACTOR, "end_accepted", json!({ "from": seq, "end": end.seq })).await?;
    file.write(&ledger.anchor().await?)?;
    print_line(&format!("The journal up to row {} is taken for the right one.", end.seq));
    Ok(ExitCode::SUCCESS)
}

/// How many rows there are, where the chain verifies and holds `end`.
async fn whole(ledger: &Ledger, end: &Anchor) -> Result<u64> {
    let found = ledger.verify().await?;
    if let Some(broken) = found.broken {
        bail!("its journal is broken at row {}: {}", broken.seq, broken.why);
    }
    if let Some(broken) = ledger.holds(end).await? {
        bail!("its journal is broken at row {}: {}", broken.seq, broken.why);
    }
    Ok(found.rows)
}

/// A copy of a file in the data folder, for its owner alone, until it is dropped.
struct Copy(PathBuf);

impl Copy {
    fn of(file: &Path, data: &DataDir) -> Result<Self> {
        let name: String = random_token().chars().take(12).collect();
        let copy = Self(data.path().join(format!("restoring-{name}.db")));
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let made = options.open(&copy.0).and_then(|mut to| std::io::copy(&mut fs::File::open(file)?, &mut to));
        made.with_context(|| format!("{} cannot be copied into the data folder", file.display()))?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", ".lock"] {
            let mut path = self.0.clone().into_os_string();
            path.push(end);
            // Most of them are not there.
            let _ = fs::remove_file(path);
        }
    }
}
