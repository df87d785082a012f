//! The accounts page among the till's other pages: its keys, and the errands that it asks for.

use iced::Task;
use iced::keyboard::key::Named;

use super::{Message, Page, Till};
use crate::client::{Client, ClientError};
use crate::till::keys::Stroke;
use crate::till::screen::accounts::{self, Action, read_credential, read_folder};

impl Till {
    /// Something happened on the accounts page.
    pub(super) fn accounts_message(&mut self, message: accounts::Message) -> Task<Message> {
        let action = self.accounts.update(message);
        self.accounts_errand(action)
    }

    /// The page is opened.
    pub(super) fn open_accounts(&mut self) -> Task<Message> {
        let action = self.accounts.open();
        self.accounts_errand(action)
    }

    fn accounts_errand(&mut self, action: Action) -> Task<Message> {
        use accounts::Message as M;
        match action {
            Action::None => Task::none(),
            Action::Leave => self.go(Page::Settings),
            Action::ReadClipboard => iced::clipboard::read().map(|text| Message::Accounts(M::Pasted(text))),
            Action::Load => self.accounts_call(
                |client| async move { Ok((client.account_forms().await?, client.accounts().await?)) },
                |answer| M::Loaded(Box::new(answer)),
            ),
            Action::Test(test) => self.accounts_call(
                |client| async move { client.test_account(&test).await },
                |answer| M::Tested(Box::new(answer)),
            ),
            Action::TestStored(id) => {
                let of = id.clone();
                self.accounts_call(
                    |client| async move { client.test_stored_account(&id, &Default::default()).await },
                    move |answer| M::TestedStored(of.clone(), Box::new(answer)),
                )
            }
            Action::Create(account) => self.accounts_call(
                |client| async move { client.create_account(&account).await },
                |answer| M::Kept(Box::new(answer)),
            ),
            Action::Change(id, change) => self.accounts_call(
                |client| async move { client.change_account(&id, &change).await },
                |answer| M::Kept(Box::new(answer)),
            ),
            Action::Rotate(id, rotation) => self.accounts_call(
                |client| async move { client.rotate_account(&id, &rotation).await },
                |answer| M::Kept(Box::new(answer)),
            ),
            Action::Remove(id) => {
                self.accounts_call(|client| async move { client.remove_account(&id).await }, M::Removed)
            }
            Action::ReadFolder(folder) => Task::perform(
                tokio::task::spawn_blocking(move || {
                    let folder = folder.unwrap_or_else(usual_folder);
                    let entries = read_folder(&folder);
                    (folder, entries)
                }),
                |read| match read {
                    Ok((folder, entries)) => Message::Accounts(M::Folder(folder, entries)),
                    Err(_) => Message::Done,
                },
            ),
            Action::ReadFile(path) => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                Task::perform(tokio::task::spawn_blocking(move || read_credential(&path)), move |read| match read {
                    Ok(text) => Message::Accounts(M::File(name.clone(), Box::new(text))),
                    Err(_) => Message::Done,
                })
            }
        }
    }

    /// A call whose answer is for the page. What changes an account may change what can be paid through.
    fn accounts_call<T: Send + 'static, F: Future<Output = Result<T, ClientError>> + Send + 'static>(
        &self,
        call: impl FnOnce(Client) -> F,
        then: impl Fn(Result<T, String>) -> accounts::Message + Send + 'static,
    ) -> Task<Message> {
        self.call(call, move |answer| Message::Accounts(then(answer.map_err(|error| error.to_string()))))
    }

    /// A key went down on the page; `None` where it means nothing here.
    pub(super) fn accounts_key(&self, stroke: &Stroke, named: Option<Named>) -> Option<accounts::Message> {
        use accounts::Message as M;
        let typing = self.accounts.takes_text();
        if stroke.modifiers.control() || stroke.modifiers.logo() {
            return match stroke.character()?.to_ascii_lowercase() {
                'v' => Some(M::Paste),
                'o' => Some(M::Pick),
                't' => Some(M::Test),
                's' => Some(M::Keep),
                _ => None,
            };
        }
        match (named, stroke.character()) {
            (Some(Named::ArrowUp), _) => Some(M::Move(-1)),
            (Some(Named::ArrowDown), _) => Some(M::Move(1)),
            (Some(Named::Tab), _) => Some(M::Move(if stroke.modifiers.shift() { -1 } else { 1 })),
            (Some(Named::PageUp), _) => Some(M::Move(-10)),
            (Some(Named::PageDown), _) => Some(M::Move(10)),
            (Some(Named::ArrowLeft | Named::ArrowRight), _) if typing => Some(M::Alter),
            (Some(Named::Enter), _) => (!stroke.repeat).then_some(M::Enter),
            (Some(Named::Escape), _) => (!stroke.repeat).then_some(M::Back),
            (Some(Named::Backspace), _) => Some(if typing { M::Backspace } else { M::Back }),
            (Some(Named::Delete), _) => Some(if typing { M::Clear } else { M::Remove }),
            (Some(Named::Space), _) if typing => Some(M::Text(" ".into())),
            (_, Some(character)) if typing => {
                Some(M::Text(stroke.text.clone().unwrap_or_else(|| character.to_string())))
            }
            (_, Some(character)) => match character.to_ascii_lowercase() {
                'n' => Some(M::Add),
                't' => Some(M::Test),
                'r' => Some(M::Renew),
                'e' => Some(M::Toggle),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Where keys are likely to lie: the folder of downloads, else the home folder.
fn usual_folder() -> std::path::PathBuf {
    let folders = directories::UserDirs::new();
    let folders = folders.as_ref();
    folders
        .and_then(|folders| folders.download_dir())
        .filter(|folder| folder.is_dir())
        .or_else(|| folders.map(directories::UserDirs::home_dir))
        .map_or_else(|| std::path::PathBuf::from("/"), ToOwned::to_owned)
}
