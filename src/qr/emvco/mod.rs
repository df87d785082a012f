//! The payload of a code that a merchant shows (EMVCo QR Code Specification for Payment Systems, Merchant-Presented
//! Mode), built and read. Pure.
//!
//! What a country or a scheme writes into its templates is not here: who shows such a code knows it.

mod payload;
mod template;
mod tlv;

pub use payload::{Account, Initiation, Payload, Tip};
pub use template::{AdditionalData, Language, Template};

/// The longest payload, in characters (section 3.2 of the specification: a code that any telephone reads).
pub const MAX_CHARACTERS: usize = 512;

/// Why a text is no payload, or why there is none. Ids are those of the data objects: the payload's own, or within a
/// template the template's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmvcoError {
    /// It does not begin with `000201`: it is another kind of text.
    #[error("this is no EMVCo payload: it does not begin with 000201")]
    NotEmvco,
    /// Where a data object should begin there are not two digits of id and two digits of length.
    #[error("byte {at} of the payload begins no data object: two digits of id and two digits of length are wanted")]
    NotTlv {
        /// Where, in bytes.
        at: usize,
    },
    /// An object's length leads past the end.
    #[error("data object {id:02} is longer than what is left of the payload")]
    Truncated {
        /// Which.
        id: u8,
    },
    /// An object has no value.
    #[error("data object {id:02} is empty")]
    Empty {
        /// Which.
        id: u8,
    },
    /// An object comes twice.
    #[error("data object {id:02} comes twice")]
    Repeated {
        /// Which.
        id: u8,
    },
    /// An object stands where it may not: the checksum is the last.
    #[error("data object {id:02} is out of its place")]
    OutOfPlace {
        /// Which.
        id: u8,
    },
    /// An object that has to be there is not.
    #[error("data object {id:02} is missing")]
    Missing {
        /// Which.
        id: u8,
    },
    /// An object's value is not of its form.
    #[error("data object {id:02} {problem}")]
    Wrong {
        /// Which.
        id: u8,
        /// What is wrong with it, after its name.
        problem: &'static str,
    },
    /// An object, or the payload (id 0), is too long.
    #[error("data object {id:02} has {characters} characters, more than {limit}")]
    TooLong {
        /// Which.
        id: u8,
        /// How many it has.
        characters: usize,
        /// How many it may have.
        limit: usize,
    },
    /// The checksum is another: a character was lost or changed.
    #[error("the payload's checksum is {says}, but {is} is right: a character was lost or changed")]
    WrongChecksum {
        /// What object 63 says.
        says: String,
        /// What it should say.
        is: String,
    },
}

const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_IBM_3740);

/// CRC-16/CCITT-FALSE (polynomial 1021, from FFFF) of a payload up to and including `6304`, as object 63 has it: four
/// upper-case hex digits.
#[must_use]
pub fn checksum(text: &str) -> String {
    format!("{:04X}", CRC.checksum(text.as_bytes()))
}
