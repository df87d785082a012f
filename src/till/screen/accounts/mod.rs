//! Merchant accounts: the list, and the assistant that takes a new one in: choose the provider, enter its credentials,
//! test them with a harmless call, keep them.
//!
//! The page is a machine: what happens comes in, what the program has to do goes out as an [`Action`]. Credentials are
//! held only while their form is open, and are wiped when it closes.

mod form;
mod form_view;
mod list_view;
mod picker;

use std::path::PathBuf;

use zeroize::Zeroizing;

pub use form::{Form, Verdict};
pub use picker::{Entry, Picker, read_credential, read_folder};

use iced::Element;

use crate::api::wire::{
    AccountFormView, AccountTestView, AccountView, ChangeAccount, CreateAccount, RotateAccount, TestAccount,
};
use crate::payment::AccountId;
use crate::till::theme::Look;

/// For how many seconds a provider's messages under the old credentials are still believed.
const OVERLAP_SECONDS: u32 = 24 * 3_600;

/// What stands on the page.
#[derive(Default)]
enum Step {
    /// The accounts.
    #[default]
    List,
    /// Which provider?
    Provider,
    /// The credentials.
    Form(Box<Form>),
    /// A file for the chosen credential.
    Picker(Box<Form>, Picker),
    /// Really remove this account?
    Removal(AccountId),
}

/// The page's state.
#[derive(Default)]
pub struct State {
    step: Step,
    chosen: usize,
    forms: Vec<AccountFormView>,
    accounts: Option<Vec<AccountView>>,
    tested: Option<(AccountId, Verdict)>,
    trouble: Option<String>,
}

/// The providers' forms and the merchant's accounts.
pub type FormsAndAccounts = (Vec<AccountFormView>, Vec<AccountView>);

/// What happens on the page.
#[derive(Clone)]
pub enum Message {
    /// Forms and accounts came, or why not.
    Loaded(Box<Result<FormsAndAccounts, String>>),
    /// To the line or field above or below.
    Move(isize),
    /// Take the chosen line, or go on.
    Enter,
    /// Back by one step.
    Back,
    /// Take this line.
    Choose(usize),
    /// A new account.
    Add,
    /// Typed text.
    Text(String),
    /// Takes back a character.
    Backspace,
    /// Empties the field.
    Clear,
    /// Ask for the clipboard.
    Paste,
    /// The clipboard's text.
    Pasted(Option<String>),
    /// Pick a file for the chosen field.
    Pick,
    /// What is in a folder.
    Folder(PathBuf, Result<Vec<Entry>, String>),
    /// What is in a file, as a credential.
    File(String, Box<Result<Zeroizing<String>, String>>),
    /// The other of a few words.
    Alter,
    /// Live or the provider's test gateway.
    Gateway(bool),
    /// Test what was entered, or the chosen account.
    Test,
    /// What came of testing what was entered.
    Tested(Box<Result<AccountTestView, String>>),
    /// What came of testing an account.
    TestedStored(AccountId, Box<Result<AccountTestView, String>>),
    /// Keep what was entered.
    Keep,
    /// Whether it was kept, or changed.
    Kept(Box<Result<AccountView, String>>),
    /// Turn the chosen account on or off.
    Toggle,
    /// New credentials for the chosen account.
    Renew,
    /// Remove the chosen account.
    Remove,
    /// Whether it was removed.
    Removed(Result<(), String>),
}

impl std::fmt::Debug for Message {
    // A message may hold a credential.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("accounts::Message(***)")
    }
}

/// What the page asks of the program.
pub enum Action {
    /// Nothing.
    None,
    /// Fetch forms and accounts.
    Load,
    /// Leave the page.
    Leave,
    /// Read the clipboard.
    ReadClipboard,
    /// List a folder; the usual one where none is named.
    ReadFolder(Option<PathBuf>),
    /// Read a file as a credential.
    ReadFile(PathBuf),
    /// Test credentials that are not kept.
    Test(TestAccount),
    /// Test an account.
    TestStored(AccountId),
    /// Keep a new account.
    Create(CreateAccount),
    /// Change an account.
    Change(AccountId, ChangeAccount),
    /// Give an account new credentials.
    Rotate(AccountId, RotateAccount),
    /// Remove an account.
    Remove(AccountId),
}

impl State {
    /// Whether typed text goes into a field here, and not to the next sale.
    #[must_use]
    pub const fn takes_text(&self) -> bool {
        matches!(self.step, Step::Form(_))
    }

    /// The page was opened.
    pub fn open(&mut self) -> Action {
        *self = Self { forms: std::mem::take(&mut self.forms), ..Self::default() };
        Action::Load
    }

    /// The page was left: what was entered is forgotten.
    pub fn close(&mut self) {
        self.step = Step::List;
        self.tested = None;
    }

    fn account(&self) -> Option<&AccountView> {
        self.accounts.as_ref()?.get(self.chosen)
    }

    fn lines(&self) -> usize {
        match &self.step {
            // The last line is for a new account.
            Step::List => self.accounts.as_ref().map_or(0, Vec::len) + 1,
            Step::Provider => self.forms.len(),
            Step::Form(form) => form.lines(),
            Step::Picker(_, picker) => picker.entries.len(),
            Step::Removal(_) => 0,
        }
    }

    /// Something happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Loaded(loaded) => {
                match *loaded {
                    Ok((forms, accounts)) => {
                        self.chosen = self.chosen.min(accounts.len());
                        (self.forms, self.accounts, self.trouble) = (forms, Some(accounts), None);
                    }
                    Err(why) => self.trouble = Some(why),
                }
                Action::None
            }
            Message::Move(by) => {
                let last = self.lines().saturating_sub(1);
                match &mut self.step {
                    Step::Form(form) => form.move_by(by),
                    Step::Picker(_, picker) => picker.chosen = picker.chosen.saturating_add_signed(by).min(last),
                    _ => self.chosen = self.chosen.saturating_add_signed(by).min(last),
                }
                Action::None
            }
            Message::Choose(index) => self.choose(index),
            Message::Enter => self.enter(),
            Message::Back => self.back(),
            Message::Add => self.go_to_provider(),
            Message::Toggle => self.account().map_or(Action::None, |account| {
                let change = ChangeAccount { enabled: Some(!account.enabled), ..ChangeAccount::default() };
                Action::Change(account.id.clone(), change)
            }),
            Message::Renew => self.renew(),
            Message::Remove => {
                if let Some(account) = self.account() {
                    self.step = Step::Removal(account.id.clone());
                }
                Action::None
            }
            Message::Removed(done) => self.done(done),
            Message::Kept(kept) => self.done(kept.map(|_| ())),
            Message::TestedStored(id, answer) => {
                self.tested = Some((id, Verdict::of(*answer)));
                Action::None
            }
            Message::Test if matches!(self.step, Step::List) => {
                match self.account().map(|account| account.id.clone()) {
                    Some(id) => {
                        self.tested = Some((id.clone(), Verdict::Asking));
                        Action::TestStored(id)
                    }
                    None => Action::None,
                }
            }
            Message::Folder(path, entries) => {
                if let Step::Picker(_, picker) = &mut self.step {
                    picker.show(path, entries);
                }
                Action::None
            }
            message => self.in_form(message),
        }
    }

    fn in_form(&mut self, message: Message) -> Action {
        let (Step::Form(form) | Step::Picker(form, _)) = &mut self.step else { return Action::None };
        match message {
            Message::Text(text) => form.type_text(&text),
            Message::Backspace => form.backspace(),
            Message::Clear => form.clear(),
            Message::Pasted(Some(text)) => form.paste(text),
            Message::Alter => form.alter(),
            Message::Gateway(live) => form.set_live(live),
            Message::Paste => return Action::ReadClipboard,
            Message::Pick if form.takes_file() => {
                let form = std::mem::take(form);
                self.step = Step::Picker(form, Picker::default());
                return Action::ReadFolder(None);
            }
            Message::File(name, text) => {
                let mut form = std::mem::take(form);
                match *text {
                    Ok(text) => form.set_from_file(&name, text),
                    Err(why) => form.complain(why),
                }
                self.step = Step::Form(form);
            }
            Message::Tested(answer) => form.tested(Verdict::of(*answer)),
            Message::Test => {
                return form.to_test().map_or(Action::None, |test| {
                    form.tested(Verdict::Asking);
                    Action::Test(test)
                });
            }
            Message::Keep => return Self::keep(form),
            _ => {}
        }
        Action::None
    }

    fn keep(form: &mut Form) -> Action {
        let Some(credentials) = form.credentials() else { return Action::None };
        match form.renews.clone() {
            Some(id) => Action::Rotate(id, RotateAccount { credentials, overlap_seconds: OVERLAP_SECONDS }),
            None => Action::Create(form.to_create(credentials)),
        }
    }

    /// Something was stored, or was not.
    fn done(&mut self, done: Result<(), String>) -> Action {
        match done {
            Ok(()) => {
                self.step = Step::List;
                self.tested = None;
                Action::Load
            }
            Err(why) => {
                match &mut self.step {
                    Step::Form(form) => form.complain(why),
                    _ => {
                        self.step = Step::List;
                        self.trouble = Some(why);
                    }
                }
                Action::None
            }
        }
    }

    fn choose(&mut self, index: usize) -> Action {
        match &mut self.step {
            Step::Form(form) => {
                form.focus(index);
                Action::None
            }
            Step::Picker(_, picker) => {
                picker.chosen = index;
                self.enter()
            }
            Step::List if index < self.accounts.as_ref().map_or(0, Vec::len) => {
                self.chosen = index;
                Action::None
            }
            _ => {
                self.chosen = index;
                self.enter()
            }
        }
    }

    fn enter(&mut self) -> Action {
        let on_account = self.account().is_some();
        match &mut self.step {
            Step::List if !on_account => self.go_to_provider(),
            Step::List => Action::None,
            Step::Provider => {
                if let Some(form) = self.forms.get(self.chosen) {
                    self.step = Step::Form(Box::new(Form::new(form.clone())));
                }
                Action::None
            }
            Step::Form(form) => {
                form.move_by(1);
                Action::None
            }
            Step::Picker(_, picker) => picker.take(),
            Step::Removal(id) => Action::Remove(id.clone()),
        }
    }

    fn back(&mut self) -> Action {
        match std::mem::take(&mut self.step) {
            Step::List => return Action::Leave,
            Step::Provider | Step::Removal(_) => self.chosen = 0,
            Step::Form(form) if form.renews.is_some() => self.chosen = 0,
            Step::Form(form) => {
                self.chosen = self.forms.iter().position(|known| known.channel == form.form.channel).unwrap_or(0);
                self.step = Step::Provider;
            }
            Step::Picker(form, _) => self.step = Step::Form(form),
        }
        Action::None
    }

    fn go_to_provider(&mut self) -> Action {
        (self.step, self.chosen, self.trouble) = (Step::Provider, 0, None);
        Action::None
    }

    fn renew(&mut self) -> Action {
        let Some(account) = self.account() else { return Action::None };
        if let Some(form) = self.forms.iter().find(|form| form.channel == account.channel) {
            self.step = Step::Form(Box::new(Form::renewing(form.clone(), account)));
        }
        Action::None
    }

    /// The page.
    pub fn view<'a>(&'a self, look: Look<'a>) -> Element<'a, Message> {
        match &self.step {
            Step::List => list_view::accounts(look, self),
            Step::Provider => list_view::providers(look, self),
            Step::Removal(id) => list_view::removal(look, self, id),
            Step::Form(form) => form_view::view(look, form),
            Step::Picker(form, picker) => form_view::picker(look, form, picker),
        }
    }
}
