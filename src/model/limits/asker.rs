//! Who asks for something to be sent, as far as anybody knows.

use super::network::{address_of, subnet_of};
use super::subject::Subject;
use crate::model::fraud::DecisionId;
use crate::model::lookup::LineType;
use crate::model::pseudonym::Pseudonyms;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;

/// Who asks for a message or call: key, address and device, each as far as it is known.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Asker {
    /// The id of the API key, or the name of another caller; nothing at the pages.
    pub key: Option<String>,
    /// The address of the person's device, by the application's word or the pages' own.
    pub address: Option<IpAddr>,
    /// The person's device, as the application names it.
    pub device: Option<String>,
}

/// Without address and device, which are somebody's.
impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Under what a verification was counted beside its number, service and session, which
/// it names itself: so that what is given back is given back there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Admitted {
    /// The id of the API key that it was begun with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A pseudonym of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// A pseudonym of the network around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// A pseudonym of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The rules of which a window was full and which refuse nobody, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// The decision that began it, as the log of decisions names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionId>,
    /// The face by which it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub face: Option<String>,
    /// Who its first send was to be from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// What sort of telephone the number leads to by a look-up, where one told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_type: Option<LineType>,
    /// Whether it was answered as usual and is not sent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
}

impl Admitted {
    /// Who asked, without what could be read.
    pub fn of(asker: &Asker, names: &Pseudonyms) -> Self {
        let name = |subject: Subject, value: String| names.of(subject.word(), &value);
        Self {
            key: asker.key.clone(),
            address: asker.address.map(|address| name(Subject::Address, address_of(address))),
            subnet: asker.address.map(|address| name(Subject::Subnet, subnet_of(address))),
            device: asker.device.clone().map(|device| name(Subject::Device, device)),
            flags: Vec::new(),
            decision: None,
            face: None,
            sender: None,
            line_type: None,
            shadow: false,
        }
    }

    /// Marks it by names of rules and signals, each once.
    pub fn flag<N: AsRef<str>>(&mut self, names: &[N]) {
        for name in names.iter().map(AsRef::as_ref) {
            if !self.flags.iter().any(|flag| flag == name) {
                self.flags.push(name.to_owned());
            }
        }
    }

    /// The same where somebody asks again: what is known of them takes the place of what
    /// was known before.
    pub fn asked_by(self, again: Self) -> Self {
        Self {
            key: again.key.or(self.key),
            address: again.address.or(self.address),
            subnet: again.subnet.or(self.subnet),
            device: again.device.or(self.device),
            flags: self.flags,
            decision: self.decision.or(again.decision),
            face: self.face.or(again.face),
            sender: self.sender.or(again.sender),
            line_type: again.line_type.or(self.line_type),
            shadow: again.shadow || self.shadow,
        }
    }
}
