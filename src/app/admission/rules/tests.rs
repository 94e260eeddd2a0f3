//! What the rules' tests have in common: a request that every rule lets pass.

use crate::app::ServiceDirectory;
use crate::app::admission::AdmissionError;
use crate::app::admission::finding::Finding;
use crate::app::admission::listed::Listed;
use crate::app::admission::profile::Profile;
use crate::app::admission::request::{Proof, Request, Who};
use crate::app::admission::way::{Countries, Way};
use crate::model::channel::Channel;
use crate::model::code::CodeSeed;
use crate::model::fraud::{Action, Signal};
use crate::model::id::VerificationId;
use crate::model::lists;
use crate::model::phone::{Kind, Line, PhoneNumber};
use crate::model::policy::Policy;
use crate::model::senders::Senders;
use crate::model::service::{Service, Settings};
use crate::model::verification::{Details, Start, Verification};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// That no kind of numbers is refused.
static NONE: BTreeSet<Kind> = BTreeSet::new();

/// A service and a number, and a request for a code.
pub(in crate::app) struct Case {
    service: Arc<Service>,
    to: PhoneNumber,
    details: Result<Details, AdmissionError>,
    lists: lists::Listed,
    senders: Arc<Senders>,
}

impl Case {
    /// With a service that was changed.
    pub(in crate::app) fn of(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let service = Arc::new(ServiceDirectory::of_file(None, settings, Timestamp::UNIX_EPOCH));
        Self {
            service,
            to: "+14155550123".parse().unwrap(),
            details: Ok(Details::default()),
            lists: lists::Listed::default(),
            senders: Arc::default(),
        }
    }

    /// The same for another number.
    pub(in crate::app) fn to(self, number: &str) -> Self {
        Self { to: number.parse().unwrap(), ..self }
    }

    /// A way to its number.
    pub(in crate::app) fn way(&self, channel: Channel) -> Way<'_> {
        Way {
            service: &self.service,
            to: &self.to,
            channel,
            countries: Countries::AsSet,
            block: None,
            is_unwanted: false,
            line: Line::Unknown,
            senders: &self.senders,
        }
    }

    /// The request, as the rules see it.
    pub(in crate::app) fn request(&self) -> Request<'_> {
        Request {
            profile: &Profile::API,
            plan: None,
            who: Who::default(),
            now: Timestamp::UNIX_EPOCH,
            service: self.service.clone(),
            policy: self.service.policy(&Policy::default()),
            senders: &self.senders,
            number: Ok(&self.to),
            is_voip: false,
            line: Line::Unknown,
            refused_kinds: &NONE,
            channel: None,
            countries: Countries::AsSet,
            unwanted: Vec::new(),
            details: &self.details,
            language: None,
            has_code: false,
            open: None,
            is_key_reused: false,
            rate_limits: Vec::new(),
            known_limits: &[],
            signals: &[],
            proof: Proof::Missing,
            listed: Listed::Nothing,
            lists: &self.lists,
        }
    }

    /// The same so many seconds after [`Case::verification`] began.
    pub(in crate::app) fn request_after(&self, seconds: i64) -> Request<'_> {
        let mut request = self.request();
        request.now += SignedDuration::from_secs(seconds);
        request
    }

    /// A verification of its number, which began when [`Case::request`] comes and was sent
    /// once, by text.
    pub(in crate::app) fn verification(&self) -> Verification {
        let start = Start {
            id: VerificationId::from_random([7; 15]),
            service: None,
            session: None,
            details: Details::default(),
            test: false,
            to: self.to.clone(),
            locale: None,
            channel: Channel::Sms,
            code: seed(),
            gate_key: None,
        };
        Verification::start(&self.service.policy(&Policy::default()), start, Timestamp::UNIX_EPOCH)
    }
}

fn seed() -> CodeSeed {
    use crate::model::code::{CodeKey, CodeKeys};
    use crate::secret::Secret;
    let key = CodeKey { id: "a".into(), secret: Secret::new("0123456789abcdef0123456789abcdef") };
    CodeKeys::new(vec![key]).unwrap().seed([7; 16], 6)
}

/// What a rule found, as text; nothing where it let the request pass.
pub(in crate::app) fn found(finding: Option<Finding>) -> String {
    match finding {
        None => String::new(),
        Some(Finding::Flag(what)) => format!("flag: {what}"),
        Some(Finding::Slow { why, .. }) => format!("slow: {why}"),
        Some(Finding::Captcha { why }) => format!("captcha: {why}"),
        Some(Finding::Shadow { .. }) => "shadow".to_owned(),
        Some(Finding::Refuse { why, .. }) => why.to_string(),
    }
}

/// A signal that asks for this, for a minute from when [`Case::request`] comes.
pub(in crate::app) fn signal(action: Action) -> Signal {
    Signal {
        name: "block_burst",
        action,
        value: 9.0,
        threshold: 8.0,
        subject: None,
        until: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(60),
    }
}
