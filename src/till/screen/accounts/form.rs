//! The form of one account: a line for each credential, typed, pasted, or read from a file. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::api::wire::{
    AccountFormView, AccountTestView, AccountView, CreateAccount, CredentialFieldView, CredentialKind, TestAccount,
};
use crate::payment::AccountId;

/// A certificate with its chain is a few KiB; nothing that belongs here is longer.
const MAX_CHARS: usize = 64 * 1024;

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is on its way.
    Asking,
    /// The provider answered as it should.
    Good,
    /// Cause and cure.
    Bad(Box<AccountTestView>),
    /// The Payment API did not answer.
    NotAsked(String),
}

impl Verdict {
    /// The verdict that an answer comes to.
    #[must_use]
    pub fn of(answer: Result<AccountTestView, String>) -> Self {
        match answer {
            Ok(test) if test.ok => Self::Good,
            Ok(test) => Self::Bad(Box::new(test)),
            Err(why) => Self::NotAsked(why),
        }
    }
}

/// What was entered for one credential.
#[derive(Clone, Default)]
pub struct Entered {
    /// The value itself. It is shown only where it is no secret.
    pub value: Zeroizing<String>,
    /// The file that it came from.
    pub file: Option<String>,
}

/// The form.
#[derive(Clone)]
pub struct Form {
    /// The provider's fields.
    pub form: AccountFormView,
    /// The account whose credentials are renewed; a new account where absent.
    pub renews: Option<AccountId>,
    /// What people call the account.
    pub name: String,
    /// Whether it goes to the provider's real gateway, and not to its test gateway.
    pub live: bool,
    /// What came of the last test, until something changes.
    pub verdict: Option<Verdict>,
    /// Why it was not kept.
    pub trouble: Option<String>,
    /// The field that the trouble or the verdict points to.
    pub pointed: Option<String>,
    entered: BTreeMap<String, Entered>,
    focus: usize,
}

impl Default for Form {
    /// The form of no provider, which stands in while another is looked at.
    fn default() -> Self {
        Self::new(AccountFormView {
            channel: crate::payment::ChannelId::ALIPAY,
            title: String::new(),
            default_base_url: String::new(),
            sandbox_base_url: String::new(),
            fields: Vec::new(),
        })
    }
}

impl Form {
    /// An empty form for a new account.
    #[must_use]
    pub fn new(form: AccountFormView) -> Self {
        Self {
            name: form.title.clone(),
            form,
            renews: None,
            live: true,
            verdict: None,
            trouble: None,
            pointed: None,
            entered: BTreeMap::new(),
            focus: 0,
        }
    }

    /// A form for new credentials of an account: what stays empty stays as it is.
    #[must_use]
    pub fn renewing(form: AccountFormView, account: &AccountView) -> Self {
        Self { renews: Some(account.id.clone()), name: account.name.clone(), ..Self::new(form) }
    }

    /// The fields that are asked for, given what the others hold.
    pub fn fields(&self) -> impl Iterator<Item = &CredentialFieldView> {
        self.form.fields.iter().filter(|field| self.form.asks_for(field, |name| self.text_of(name)))
    }

    fn text_of(&self, name: &str) -> Option<&str> {
        self.entered.get(name).map(|entered| entered.value.as_str())
    }

    /// Where the name's line comes before the credentials: an account that is renewed keeps its name.
    #[must_use]
    pub const fn has_name_line(&self) -> bool {
        self.renews.is_none()
    }

    /// How many lines there are.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.fields().count() + usize::from(self.has_name_line())
    }

    /// Which line takes what is typed.
    #[must_use]
    pub const fn focused(&self) -> usize {
        self.focus
    }

    /// The credential of the line that takes what is typed; `None` on the name's line.
    #[must_use]
    pub fn field(&self) -> Option<&CredentialFieldView> {
        let index = self.focus.checked_sub(usize::from(self.has_name_line()))?;
        self.fields().nth(index)
    }

    /// What was entered for a field.
    #[must_use]
    pub fn entered(&self, name: &str) -> Option<&Entered> {
        self.entered.get(name).filter(|entered| !entered.value.is_empty())
    }

    /// Whether the name is being typed.
    #[must_use]
    pub fn types_name(&self) -> bool {
        self.has_name_line() && self.focus == 0
    }

    /// To another line.
    pub fn move_by(&mut self, by: isize) {
        self.focus(self.focus.saturating_add_signed(by));
    }

    /// To that line.
    pub fn focus(&mut self, index: usize) {
        self.focus = index.min(self.lines().saturating_sub(1));
    }

    /// Whether the chosen field can be read from a file.
    #[must_use]
    pub fn takes_file(&self) -> bool {
        self.field().is_some_and(|field| {
            matches!(field.kind, CredentialKind::PrivateKey | CredentialKind::Pem | CredentialKind::Pkcs12)
        })
    }

    fn edit(&mut self, change: impl FnOnce(&mut String)) {
        (self.verdict, self.trouble, self.pointed) = (None, None, None);
        if self.types_name() {
            return change(&mut self.name);
        }
        let Some((name, kind)) = self.field().map(|field| (field.name.clone(), field.kind)) else { return };
        if kind == CredentialKind::Choice {
            return;
        }
        let entered = self.entered.entry(name).or_default();
        entered.file = None;
        change(&mut entered.value);
    }

    /// Typed characters.
    pub fn type_text(&mut self, text: &str) {
        if self.field().is_some_and(|field| field.kind == CredentialKind::Choice) {
            return self.alter();
        }
        self.edit(|value| {
            let room = MAX_CHARS.saturating_sub(value.len());
            value.extend(text.chars().filter(|c| !c.is_control()).take(room));
        });
    }

    /// Pasted text takes the place of what was there: a key is never pasted in two halves.
    pub fn paste(&mut self, text: String) {
        let text = Zeroizing::new(text);
        let many = self.takes_file();
        self.edit(|value| {
            value.clear();
            value.extend(text.trim().chars().filter(|c| !c.is_control() || (many && *c == '\n')).take(MAX_CHARS));
        });
    }

    /// A file's content.
    pub fn set_from_file(&mut self, file: &str, text: Zeroizing<String>) {
        let Some(name) = self.field().map(|field| field.name.clone()) else { return };
        (self.verdict, self.trouble, self.pointed) = (None, None, None);
        self.entered.insert(name, Entered { value: text, file: Some(file.to_owned()) });
    }

    /// Takes back a character; all of a key that was pasted or read.
    pub fn backspace(&mut self) {
        let whole = self.takes_file();
        self.edit(|value| {
            if whole {
                value.clear();
            } else {
                let _ = value.pop();
            }
        });
    }

    /// Empties the field.
    pub fn clear(&mut self) {
        self.edit(String::clear);
    }

    /// The next of a few words.
    pub fn alter(&mut self) {
        let Some(field) = self.field().filter(|field| field.kind == CredentialKind::Choice) else { return };
        let (name, choices) = (field.name.clone(), field.choices.clone());
        let at = choices.iter().position(|choice| choice == self.chosen(&name)).unwrap_or(0);
        if let Some(next) = choices.get((at + 1) % choices.len().max(1)) {
            (self.verdict, self.trouble, self.pointed) = (None, None, None);
            self.entered.insert(name, Entered { value: Zeroizing::new(next.clone()), file: None });
        }
    }

    /// The word chosen for a field; its first where none is.
    #[must_use]
    pub fn chosen(&self, name: &str) -> &str {
        let first = || self.form.fields.iter().find(|field| field.name == name)?.choices.first().map(String::as_str);
        self.text_of(name).filter(|text| !text.is_empty()).or_else(first).unwrap_or_default()
    }

    /// Live, or the provider's own test gateway.
    pub fn set_live(&mut self, live: bool) {
        self.live = live || self.form.sandbox_base_url.is_empty();
        self.verdict = None;
    }

    /// Where the gateway is.
    #[must_use]
    pub fn base_url(&self) -> &str {
        if self.live { &self.form.default_base_url } else { &self.form.sandbox_base_url }
    }

    /// The fields that have to be filled and are not.
    pub fn missing(&self) -> impl Iterator<Item = &CredentialFieldView> {
        self.fields().filter(|field| {
            self.renews.is_none()
                && (field.required || field.required_when.is_some())
                && field.kind != CredentialKind::Choice
                && self.entered(&field.name).is_none()
        })
    }

    /// What was entered, as the API takes it; `None` where something is missing, which is then pointed to.
    pub fn credentials(&mut self) -> Option<Value> {
        let missing = self.missing().next().map(|field| field.name.clone());
        if let Some(name) = missing {
            self.point_to(&name);
            return None;
        }
        let filled: Map<_, _> = self
            .fields()
            .filter_map(|field| {
                let text = match field.kind {
                    CredentialKind::Choice if self.renews.is_some() => self.text_of(&field.name)?,
                    CredentialKind::Choice => self.chosen(&field.name),
                    _ => self.entered(&field.name)?.value.trim(),
                };
                Some((field.name.clone(), Value::String(text.to_owned())))
            })
            .collect();
        Some(Value::Object(filled))
    }

    fn point_to(&mut self, name: &str) {
        self.pointed = Some(name.to_owned());
        let at = self.fields().position(|field| field.name == name);
        if let Some(at) = at {
            self.focus = at + usize::from(self.has_name_line());
        }
    }

    /// What to test.
    pub fn to_test(&mut self) -> Option<TestAccount> {
        let credentials = self.credentials()?;
        Some(TestAccount {
            channel: self.form.channel.clone(),
            base_url: self.base_url().to_owned(),
            algorithms: None,
            timing: crate::api::wire::TimingOverrides::default(),
            credentials,
        })
    }

    /// The account to keep.
    #[must_use]
    pub fn to_create(&self, credentials: Value) -> CreateAccount {
        let name = match self.name.trim() {
            "" => self.form.title.clone(),
            name => name.to_owned(),
        };
        CreateAccount::new(self.form.channel.clone(), name, self.base_url().to_owned(), credentials)
    }

    /// What came of the test.
    pub fn tested(&mut self, verdict: Verdict) {
        if let Verdict::Bad(test) = &verdict
            && let Some(field) = test.field.clone()
        {
            self.point_to(&field);
        }
        self.verdict = Some(verdict);
    }

    /// It was not kept.
    pub fn complain(&mut self, why: String) {
        self.trouble = Some(why);
    }
}
