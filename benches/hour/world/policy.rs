//! What is done about what does not arrive: the policies that live through the same hour.

use dialback::model::policy::Failover;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Each message or call is asked for once, and the first no is the last. Nobody can
    /// set the service so: the gateway in between gives up in its place.
    None,
    /// What was certainly not processed is asked for again: `failover = "off"`.
    Retries,
    /// And what was refused or did not arrive goes by the next channel: `"on-failure"`.
    Failover,
    /// And what nothing is heard of: `"on-silence"`.
    Silence,
}

impl Policy {
    /// Every policy there is.
    pub const ALL: [Self; 4] = [Self::None, Self::Retries, Self::Failover, Self::Silence];

    /// Its name in the table and in `--policies`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Retries => "retries",
            Self::Failover => "failover",
            Self::Silence => "silence",
        }
    }

    /// The one of that name, or which there are.
    pub fn named(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|policy| policy.as_str() == name);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("--policies {name}: no policy of the hour; it has {known}")
        })
    }

    /// What a service sets for it.
    pub fn failover(self) -> Failover {
        match self {
            Self::None | Self::Retries => Failover::Off,
            Self::Failover => Failover::OnFailure,
            Self::Silence => Failover::OnSilence,
        }
    }
}
