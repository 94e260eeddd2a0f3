//! What a TwiML document can ask for, as values. It refuses to know how they are written
//! and how they are done.

/// What a recording may be told of.
pub(super) const RECORDING_EVENTS: [&str; 3] = ["in-progress", "completed", "absent"];

/// One thing to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Verb {
    /// Speak words, in a voice and a language.
    Say(Say),
    /// Play a sound, or keys as tones.
    Play {
        /// What is heard: `[sound: URL]` or `[keys: 12]`.
        name: String,
        /// How often; 0 is until hang-up.
        loops: u32,
    },
    /// Be silent for some seconds.
    Pause(u64),
    /// Listen for keys.
    Gather(Box<Gather>),
    /// Record what the telephone says.
    Record(Box<Record>),
    /// Go on with another document.
    Redirect {
        /// The URL, perhaps relative.
        url: String,
        /// Asked for with GET.
        get: bool,
    },
    /// End the call.
    Hangup,
    /// Do not take an inbound call.
    Reject {
        /// Sound busy rather than rejected.
        busy: bool,
    },
    /// Answer a message.
    Message(Reply),
    /// Send a text out of a call, or answer a message.
    Sms(Reply),
    /// A verb of Twilio's that is not played here, by its name.
    NotPlayed(String),
}

impl Verb {
    /// The error that a call ends with where this verb would be its turn: what
    /// nobody can be reached by says so, and all else is the exchange's own failure.
    pub fn not_played_code(name: &str) -> u32 {
        if name == "Dial" { 13224 } else { 12400 }
    }
}

/// Something to say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Say {
    /// The words, SSML flattened.
    pub text: String,
    /// The language as it was written; nothing where none was.
    pub language: Option<String>,
    /// A voice that Twilio has; nothing is the default one.
    pub voice: Option<String>,
    /// How often; 0 is until hang-up.
    pub loops: u32,
}

/// How to listen for keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Gather {
    /// Where the keys go; the document's own URL by default.
    pub action: Option<String>,
    /// Sent there with GET.
    pub get: bool,
    /// How many keys are enough.
    pub num_digits: Option<usize>,
    /// How long after the last key it goes on, in seconds.
    pub timeout: u64,
    /// The key that ends it.
    pub finish_on: Option<char>,
    /// Whether no keys are worth telling.
    pub on_empty: bool,
    /// Whether keys are heard at all.
    pub keys: bool,
    /// What is said meanwhile.
    pub prompts: Vec<Verb>,
}

/// An answer to a message.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Reply {
    /// To whom; the writer by default.
    pub to: Option<String>,
    /// From whom; the number written to by default.
    pub from: Option<String>,
    /// The words: every `<Body>` on its own line, or without any the verb's own text.
    pub body: String,
    /// The media's URLs.
    pub media: Vec<String>,
    /// Where its fate is told.
    pub callback: Option<String>,
}

/// How to record what the telephone says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Record {
    /// Where it is told what was recorded; the document's own URL by default.
    pub action: Option<String>,
    /// Told there with GET.
    pub get: bool,
    /// How long a silence ends it, in seconds; 0 is none.
    pub timeout: u64,
    /// The keys of which each ends it.
    pub finish_on: String,
    /// How long it is at most, in seconds.
    pub max_length: u64,
    /// Whether a beep is heard before.
    pub beep: bool,
    /// Whether silence at its ends is cut off.
    pub trims: bool,
    /// Where the recording's fate is told.
    pub callback: Option<String>,
    /// Told there with GET.
    pub callback_get: bool,
    /// What is told there.
    pub events: Vec<String>,
    /// Whether somebody wishes to read what was said.
    pub transcribes: bool,
}
