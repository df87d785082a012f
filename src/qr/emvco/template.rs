//! Templates: data objects within a data object.

use std::collections::BTreeMap;

use super::{EmvcoError, tlv};

/// A template that says by its object 00 whose it is: a merchant account (26-51), or a group of a country's or a
/// scheme's own objects (80-99; 50-99 within the additional data).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Object 00: an application id, a UUID without hyphens, or a reversed domain name.
    pub globally_unique_id: String,
    /// The other objects, by their ids (1-99).
    pub objects: BTreeMap<u8, String>,
}

impl Template {
    /// A template of that owner's, still without objects.
    #[must_use]
    pub fn new(globally_unique_id: impl Into<String>) -> Self {
        Self { globally_unique_id: globally_unique_id.into(), objects: BTreeMap::new() }
    }

    /// With this object beside the others.
    #[must_use]
    pub fn with(mut self, id: u8, value: impl Into<String>) -> Self {
        self.objects.insert(id, value.into());
        self
    }

    /// The value of an object.
    #[must_use]
    pub fn get(&self, id: u8) -> Option<&str> {
        self.objects.get(&id).map(String::as_str)
    }

    /// Reads a template's value.
    ///
    /// # Errors
    /// [`EmvcoError`]; the ids in it are the template's own.
    pub fn read(value: &str) -> Result<Self, EmvcoError> {
        let mut objects = collect(value)?;
        let globally_unique_id = objects.remove(&0).ok_or(EmvcoError::Missing { id: 0 })?;
        Ok(Self { globally_unique_id, objects })
    }

    /// The template's value.
    ///
    /// # Errors
    /// [`EmvcoError`] where an object is empty or longer than 99 characters.
    pub fn to_value(&self) -> Result<String, EmvcoError> {
        if let Some((id, _)) = self.objects.range(..1).next() {
            return Err(EmvcoError::Repeated { id: *id });
        }
        let mut text = String::new();
        tlv::write(&mut text, 0, &self.globally_unique_id)?;
        write_all(&mut text, &self.objects)?;
        Ok(text)
    }
}

/// What is known beside the payment itself (62). A value `***` asks the customer's wallet to fill it in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdditionalData {
    /// 01: the invoice or bill.
    pub bill_number: Option<String>,
    /// 02: a telephone number.
    pub mobile_number: Option<String>,
    /// 03: which store.
    pub store_label: Option<String>,
    /// 04: a loyalty card.
    pub loyalty_number: Option<String>,
    /// 05: the merchant's or the provider's reference (PIX: the txid).
    pub reference_label: Option<String>,
    /// 06: which customer.
    pub customer_label: Option<String>,
    /// 07: which till.
    pub terminal_label: Option<String>,
    /// 08: what for.
    pub purpose: Option<String>,
    /// 09: what the wallet has to send of the customer: any of `A` address, `M` mobile number, `E` email.
    pub consumer_data_request: Option<String>,
    /// 10-99 as they are: reserved objects, and templates of payment systems (50-99), which [`Template::read`] reads.
    pub others: BTreeMap<u8, String>,
}

/// The longest of 01 to 08.
const MAX_LABEL: usize = 25;

impl AdditionalData {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn labels(&self) -> [(u8, &Option<String>, usize); 9] {
        [
            (1, &self.bill_number, MAX_LABEL),
            (2, &self.mobile_number, MAX_LABEL),
            (3, &self.store_label, MAX_LABEL),
            (4, &self.loyalty_number, MAX_LABEL),
            (5, &self.reference_label, MAX_LABEL),
            (6, &self.customer_label, MAX_LABEL),
            (7, &self.terminal_label, MAX_LABEL),
            (8, &self.purpose, MAX_LABEL),
            (9, &self.consumer_data_request, 3),
        ]
    }

    pub(super) fn read(value: &str) -> Result<Self, EmvcoError> {
        let mut objects = collect(value)?;
        if objects.contains_key(&0) {
            return Err(EmvcoError::OutOfPlace { id: 0 });
        }
        let read = Self {
            bill_number: objects.remove(&1),
            mobile_number: objects.remove(&2),
            store_label: objects.remove(&3),
            loyalty_number: objects.remove(&4),
            reference_label: objects.remove(&5),
            customer_label: objects.remove(&6),
            terminal_label: objects.remove(&7),
            purpose: objects.remove(&8),
            consumer_data_request: objects.remove(&9),
            others: objects,
        };
        Ok(read)
    }

    pub(super) fn to_value(&self) -> Result<String, EmvcoError> {
        let mut text = String::new();
        for (id, value, limit) in self.labels() {
            let Some(value) = value else { continue };
            let characters = value.chars().count();
            if characters > limit {
                return Err(EmvcoError::TooLong { id, characters, limit });
            }
            tlv::write(&mut text, id, value)?;
        }
        if let Some((id, _)) = self.others.range(..10).next() {
            return Err(EmvcoError::OutOfPlace { id: *id });
        }
        write_all(&mut text, &self.others)?;
        Ok(text)
    }
}

/// The merchant's name and city in another language (64), in whatever script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language {
    /// 00: ISO 639, two letters.
    pub code: String,
    /// 01: the name, up to 25 characters.
    pub name: String,
    /// 02: the city, up to 15 characters.
    pub city: Option<String>,
    /// 03-99 as they are.
    pub others: BTreeMap<u8, String>,
}

impl Language {
    pub(super) fn read(value: &str) -> Result<Self, EmvcoError> {
        let mut objects = collect(value)?;
        let mut take = |id| objects.remove(&id);
        let (code, name, city) = (take(0), take(1), take(2));
        let code = code.ok_or(EmvcoError::Missing { id: 0 })?;
        let name = name.ok_or(EmvcoError::Missing { id: 1 })?;
        Ok(Self { code, name, city, others: objects })
    }

    pub(super) fn to_value(&self) -> Result<String, EmvcoError> {
        let mut text = String::new();
        tlv::write(&mut text, 0, &self.code)?;
        tlv::write(&mut text, 1, &self.name)?;
        if let Some(city) = &self.city {
            tlv::write(&mut text, 2, city)?;
        }
        if let Some((id, _)) = self.others.range(..3).next() {
            return Err(EmvcoError::OutOfPlace { id: *id });
        }
        write_all(&mut text, &self.others)?;
        Ok(text)
    }
}

pub(super) fn collect(value: &str) -> Result<BTreeMap<u8, String>, EmvcoError> {
    Ok(tlv::read(value)?.into_iter().map(|object| (object.id, object.value.to_owned())).collect())
}

pub(super) fn write_all(text: &mut String, objects: &BTreeMap<u8, String>) -> Result<(), EmvcoError> {
    objects.iter().try_for_each(|(id, value)| tlv::write(text, *id, value))
}
