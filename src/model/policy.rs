//! What a verification may do: lengths, limits, waits. All of it is policy,
//! none of it is in the decisions.

use crate::model::channel::Channel;
use crate::model::lease::CLOCK_SLACK;
use jiff::SignedDuration;
use serde::Deserialize;
use serde::Serialize;
use std::time::Duration;

/// How long the provider's lists may lag behind what was made. It promises
/// nothing; its callback, which names our send and settles it too, comes sooner.
pub const LIST_LAG: SignedDuration = SignedDuration::from_secs(5);

/// Before this time a list without a send proves nothing: by any clock its lag must be
/// over.
pub const LEAST_PROOF: SignedDuration = SignedDuration::from_secs(LIST_LAG.as_secs() + CLOCK_SLACK.as_secs());

/// The rules by which a verification lives.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Digits of a code, 4 to 10.
    pub code_length: u8,
    /// How long a verification lives. OWASP ASVS 6.5.5 allows ten minutes.
    pub lifetime: Duration,
    /// How many codes may be offered.
    pub max_checks: u32,
    /// How many messages and calls may be sent.
    pub max_sends: u8,
    /// The wait between resends: after the first send, the second, and so on; the last
    /// one repeats. Empty for none.
    pub cooldown: Vec<Duration>,
    /// Whether sending again makes a new code and kills the old one, or repeats
    /// the same one.
    pub new_code_on_resend: bool,
    /// The channels that may be used.
    pub channels: Vec<Channel>,
    /// Whether what did not arrive is sent by the next channel.
    pub failover: Failover,
    /// Whether messages are emptied at the provider once their code is dead.
    pub redact: bool,
    /// What a call waits for before it reads the code.
    pub gate: Gate,
    /// How often the code may be read out in one call after the first time.
    pub max_replays: u8,
    /// How many wrong keys a call forgives at a named-key gate.
    pub max_wrong_keys: u8,
    /// How long a send belongs to the job that claimed it, from its claim or the
    /// last time that it was held on to: more than [`LEAST_PROOF`], for what is
    /// over that is [`Policy::hold`]. Then another one looks after it.
    pub lease: Duration,
    /// The longest that a send takes, its turn included.
    pub longest_send: Duration,
    /// A code with less life left than this would arrive dead and is not sent.
    pub least_life: Duration,
}

/// What a call waits for, so that voicemail never hears a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Any key of the telephone.
    AnyKey,
    /// A random key, named aloud.
    NamedKey,
    /// Nothing: the code is read at once.
    None,
}

/// When a code goes to the next channel by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failover {
    /// Never: the person asks for another way.
    Off,
    /// Once it is known that a message was refused or did not arrive, or that a call was
    /// not taken.
    #[default]
    OnFailure,
    /// Then, and where nothing was heard of a message for longer than usual.
    OnSilence,
}

impl Failover {
    /// Every value there is.
    pub const ALL: [Self; 3] = [Self::Off, Self::OnFailure, Self::OnSilence];

    /// It as the API and the file write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::OnFailure => "on-failure",
            Self::OnSilence => "on-silence",
        }
    }

    /// Whether it is as nobody sets it.
    pub fn is_on_failure(&self) -> bool {
        *self == Self::OnFailure
    }
}

impl Policy {
    /// How long a job may go on with a send that it has claimed, or held on to by a
    /// further write. One that could not do so drops its request, and so has one that
    /// was killed: whoever takes it over, by whatever clock, does so when lists show
    /// what it made before.
    pub fn hold(&self) -> Duration {
        self.lease.saturating_sub(LEAST_PROOF.unsigned_abs())
    }

    /// The wait before a resend after the send of that number (1 for the first).
    pub fn cooldown_after(&self, sends: usize) -> Duration {
        let at = sends.saturating_sub(1).min(self.cooldown.len().saturating_sub(1));
        self.cooldown.get(at).copied().unwrap_or_default()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            code_length: 6,
            lifetime: Duration::from_secs(600),
            max_checks: 5,
            max_sends: 5,
            cooldown: [30, 60, 120, 240].map(Duration::from_secs).to_vec(),
            new_code_on_resend: false,
            channels: vec![Channel::Sms, Channel::Call],
            failover: Failover::OnFailure,
            redact: false,
            gate: Gate::AnyKey,
            max_replays: 3,
            max_wrong_keys: 2,
            lease: Duration::from_secs(45),
            longest_send: Duration::from_secs(20),
            least_life: Duration::from_secs(15),
        }
    }
}
