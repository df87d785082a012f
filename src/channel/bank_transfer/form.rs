//! What an account consists of: the scheme, and what each scheme needs of it.

use super::{CHANNEL, paynow, promptpay, scheme};
use crate::channel::{AccountForm, CredentialField, FieldKind, Required};

pub(super) fn form() -> AccountForm {
    let always = CredentialField {
        name: "scheme",
        kind: FieldKind::Choice(&scheme::NAMES),
        required: Required::Always,
        label: "Scheme",
        hint: "What your customers' banking apps read: PromptPay, PIX, PayNow, UPI, SEPA or the Swiss QR-bill.",
    };
    AccountForm {
        channel: CHANNEL,
        title: "Bank transfer",
        default_base_url: "",
        sandbox_base_url: "",
        fields: [vec![always], promptpay(), pix(), paynow(), upi(), sepa(), swiss()].concat(),
    }
}

/// The fields of one scheme.
struct Of(&'static str);

impl Of {
    fn field(&self, name: &'static str, kind: FieldKind, label: &'static str, hint: &'static str) -> CredentialField {
        CredentialField { name, kind, required: Required::When { field: "scheme", is: self.0 }, label, hint }
    }

    fn text(&self, name: &'static str, label: &'static str, hint: &'static str) -> CredentialField {
        self.field(name, FieldKind::Text, label, hint)
    }

    fn optional(&self, name: &'static str, label: &'static str, hint: &'static str) -> CredentialField {
        let required = Required::OptionalWhen { field: "scheme", is: self.0 };
        CredentialField { required, ..self.text(name, label, hint) }
    }
}

fn promptpay() -> Vec<CredentialField> {
    let of = Of("promptpay");
    vec![
        of.field(
            "promptpay_kind",
            FieldKind::Choice(&promptpay::KINDS),
            "Kind of PromptPay number",
            "What the number below is: a mobile phone, a tax or national number, an e-wallet, or a biller's number.",
        ),
        of.text("promptpay_id", "PromptPay number", "The number that is registered with your bank for PromptPay."),
    ]
}

fn pix() -> Vec<CredentialField> {
    let of = Of("pix");
    vec![
        of.text(
            "pix_key",
            "PIX key",
            "The CPF, CNPJ, telephone (+55...), e-mail or random key registered at your bank.",
        ),
        of.text("pix_name", "Name", "The account holder as customers know it, up to 25 letters without accents."),
        of.text("pix_city", "City", "Where the shop is, up to 15 letters without accents."),
    ]
}

fn paynow() -> Vec<CredentialField> {
    let of = Of("paynow");
    vec![
        of.field(
            "paynow_kind",
            FieldKind::Choice(&paynow::KINDS),
            "Kind of PayNow number",
            "What the number below is: the company's UEN or a mobile phone.",
        ),
        of.text("paynow_id", "PayNow number", "The UEN or mobile number that is registered with your bank for PayNow."),
        of.text("paynow_name", "Name", "The shop's name for the customer, up to 25 letters without accents."),
    ]
}

fn upi() -> Vec<CredentialField> {
    let of = Of("upi");
    vec![
        of.text("upi_address", "UPI id", "The shop's address at its bank, such as shop@bank."),
        of.text("upi_name", "Name", "The account holder's name, up to 50 characters."),
    ]
}

fn sepa() -> Vec<CredentialField> {
    let of = Of("sepa");
    vec![
        of.text("sepa_iban", "IBAN", "The shop's account number."),
        of.optional("sepa_bic", "BIC", "The bank's code; needed only for accounts outside the European Economic Area."),
        of.text("sepa_name", "Account holder", "The name on the account, up to 70 characters."),
    ]
}

fn swiss() -> Vec<CredentialField> {
    let of = Of("swiss");
    vec![
        of.text(
            "swiss_iban",
            "IBAN or QR-IBAN",
            "The shop's account number; with a QR-IBAN transfers carry a QR reference.",
        ),
        of.field("swiss_currency", FieldKind::Choice(&["CHF", "EUR"]), "Currency", "The currency of the account."),
        of.text("swiss_name", "Account holder", "The name on the account, up to 70 characters."),
        of.optional("swiss_street", "Street", "The account holder's street, without the house number."),
        of.optional("swiss_house", "House number", "The account holder's house number."),
        of.text("swiss_postcode", "Postal code", "The account holder's postal code, without the country."),
        of.text("swiss_town", "Town", "The account holder's town."),
        of.text("swiss_country", "Country", "The account holder's country in two letters, such as CH."),
    ]
}
