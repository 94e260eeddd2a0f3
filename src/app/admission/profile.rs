//! How faces differ where somebody asks for a code: as a value, so that none has code
//! of its own.

/// How a face differs from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name, as the log has it.
    pub name: &'static str,
    /// Whose verifications of one number are one while they live.
    pub one: One,
    /// Whether the wait between sends is none where nobody has set one.
    pub waits_only_if_set: bool,
    /// What becomes of a start that comes too soon after another, or at the same moment.
    pub early: Early,
    /// Whether a verification whose codes were all wrong keeps its number from beginning
    /// anew while it would have lived.
    pub holds_after_wrong_codes: bool,
    /// Whether a start with another payment or purpose goes on with the verification that
    /// stands open, whose code it renews; otherwise it is refused.
    pub renews: bool,
}

/// Whose verifications of one number are one while they live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum One {
    /// All of a service, whoever asks.
    OfService,
    /// Those of one caller, unless the service says that each start is one of its own.
    OfCaller,
}

/// What becomes of a start that comes too soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Early {
    /// It is refused.
    Refused,
    /// It is answered with the verification that stands open, and nothing is sent.
    Shown,
}

impl Profile {
    /// `/v1`: an application that shows what stands open, and waits between sends.
    pub const API: Self = Self {
        name: "api",
        one: One::OfCaller,
        waits_only_if_set: false,
        early: Early::Shown,
        holds_after_wrong_codes: false,
        renews: false,
    };
    /// The hosted pages.
    pub const PAGES: Self = Self { name: "pages", ..Self::API };
    /// Twilio Verify, whose clients expect no wait between two sends.
    pub const VERIFY: Self = Self {
        name: "verify",
        one: One::OfService,
        waits_only_if_set: true,
        early: Early::Refused,
        holds_after_wrong_codes: true,
        renews: true,
    };
    /// What takes the place of a send that did not arrive: nobody asks for it.
    pub const FAILOVER: Self = Self { name: "failover", early: Early::Refused, ..Self::API };
    /// What is sent again by its name, by whichever face.
    pub const AGAIN: Self = Self { name: "again", early: Early::Refused, ..Self::API };
}
