//! Why a number is none, or is refused: texts for the caller of the API, and a
//! stable word for programs. They repeat no digit.

use super::kind::Kind;

/// What is wrong with a number. The texts are meant for the caller of the API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Too few digits, or nothing at all.
    #[error("this is not a telephone number; write it with its country code, like +14155550123")]
    NotANumber,
    /// An O for a zero, an l for a one, a word: which digit was meant, nobody
    /// knows.
    #[error("there is a letter among the digits ({letter}); write the number in digits alone")]
    Letter {
        /// The first one.
        letter: char,
    },
    /// Two lines are no number, and maybe two.
    #[error("there is a line break in the number; write one number, in one line")]
    LineBreak,
    /// A national number, and no default region to read it in.
    #[error("the number has no country code; write it in international form, like +14155550123")]
    NoCountryCode,
    /// `+999…`.
    #[error("no country has this calling code")]
    UnknownCountryCode,
    /// Fewer digits than any number of that country.
    #[error("the number is too short for its country code +{country_code}")]
    TooShort {
        /// The calling code, without plus.
        country_code: u16,
    },
    /// More digits than any number of that country.
    #[error("the number is too long for its country code +{country_code}")]
    TooLong {
        /// The calling code, without plus.
        country_code: u16,
    },
    /// The length fits, the digits do not.
    #[error("no number in the country of +{country_code} begins like this")]
    NoSuchRange {
        /// The calling code, without plus.
        country_code: u16,
    },
    /// An extension cannot receive a text message or be dialled at once.
    #[error("numbers with an extension cannot be verified")]
    Extension,
    /// A kind of number that the policy refuses.
    #[error("{0} numbers are refused by this service's policy")]
    RefusedKind(Kind),
    /// What is wrong with a number that was read as somebody in a region dials.
    #[error("{error}; it has no country code and was read as a number of {region}")]
    ReadBy {
        /// The region, ISO 3166.
        region: String,
        /// What is wrong.
        error: Box<PhoneError>,
    },
}

impl PhoneError {
    /// The calling code of the country by whose plan it was judged.
    pub fn country_code(&self) -> Option<u16> {
        match self {
            Self::TooShort { country_code }
            | Self::TooLong { country_code }
            | Self::NoSuchRange { country_code } => Some(*country_code),
            Self::ReadBy { error, .. } => error.country_code(),
            _ => None,
        }
    }

    /// Whether it is a number, and of a kind that the policy refuses.
    pub fn is_refused_kind(&self) -> bool {
        match self {
            Self::RefusedKind(_) => true,
            Self::ReadBy { error, .. } => error.is_refused_kind(),
            _ => false,
        }
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotANumber | Self::Letter { .. } | Self::LineBreak => "not_a_number",
            Self::NoCountryCode => "no_country_code",
            Self::UnknownCountryCode => "unknown_country_code",
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::NoSuchRange { .. } => "no_such_range",
            Self::Extension => "extension",
            Self::RefusedKind(_) => "refused_kind",
            Self::ReadBy { error, .. } => error.code(),
        }
    }
}
