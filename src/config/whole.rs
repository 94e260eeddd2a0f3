//! Everything that can be configured, out of its sections.

use super::captcha;
use super::codes::Codes;
use super::events::Events;
use super::fraud;
use super::gateway::Gateway;
use super::jobs::Jobs;
use super::limits;
use super::lookup;
use super::prices;
use super::reader::Reader;
use super::reconcile;
use super::retention::Retention;
use super::sections::{Api, Log, Messages, Numbers, Pages, Sandbox, Server, Signature, Verification, Voice};
use super::services::{Base, Services};
use super::store::Store;
use super::test_numbers;
use super::twilio::Twilio;
use crate::model::captcha::CaptchaSettings;
use crate::model::fraud::FraudPolicy;
use crate::model::limits::Limits;
use crate::model::lookup::LookupSettings;
use crate::model::price::Prices;
use crate::model::test_number::TestNumber;

/// Everything that can be configured. Each field is the key of the same name in
/// `config.toml`, which explains it; a span needs no unit in its name here.
#[derive(Clone, Debug)]
pub struct Config {
    /// Without a slash at its end; `None` only with the sandbox, or when codes
    /// go to the console or are made elsewhere.
    pub public_url: Option<String>,
    /// The name in texts and calls.
    pub service_name: String,
    /// The services, by their keys in the file.
    pub services: Services,
    /// Numbers to which nothing is sent.
    pub test_numbers: Vec<TestNumber>,
    /// Why they may be a door.
    pub allow_test_numbers: Option<String>,
    /// The section `[server]`: where it listens, and its bounds.
    pub server: Server,
    /// The section `[store]`: where records are.
    pub store: Store,
    /// The section `[twilio]`: account, tokens and senders.
    pub twilio: Twilio,
    /// The section `[signature]`: how webhooks are proved.
    pub signature: Signature,
    /// The section `[gateway]`: how codes leave.
    pub gateway: Gateway,
    /// The section `[sandbox]`: the Twilio of this process.
    pub sandbox: Sandbox,
    /// The section `[verification]`: lengths, lives and waits.
    pub verification: Verification,
    /// The section `[voice]`: what calls do.
    pub voice: Voice,
    /// The section `[messages]`: texts of one's own.
    pub messages: Messages,
    /// The section `[numbers]`: how numbers are read, and which are refused.
    pub numbers: Numbers,
    /// The section `[limits]`: how often something may happen to whom.
    pub limits: Limits,
    /// The section `[fraud]`: what is taken for a sign of fraud, and what follows.
    pub fraud: FraudPolicy,
    /// The section `[prices]`: what messages and calls cost.
    pub prices: Prices,
    /// The section `[captcha]`: who says that a person is there; `None` for nobody.
    pub captcha: Option<CaptchaSettings>,
    /// The section `[lookup]`: what a provider is asked about numbers; `None` for nothing.
    pub lookup: Option<LookupSettings>,
    /// The section `[codes]`: the keys that codes are derived from.
    pub codes: Codes,
    /// The section `[events]`: what applications are told.
    pub events: Events,
    /// The section `[jobs]`: how much is done at once.
    pub jobs: Jobs,
    /// The section `[reconcile]`: the hour of UTC (0 to 23) at which the provider's lists are
    /// compared with what is known, every day; `None` where they never are.
    pub sweep_hour: Option<i8>,
    /// The section `[retention]`: how long records are kept.
    pub retention: Retention,
    /// The section `[api]`: what a key may ask in a minute.
    pub api: Api,
    /// The section `[pages]`: templates of one's own.
    pub pages: Pages,
    /// The section `[log]`: what is said, and how.
    pub log: Log,
}

impl Config {
    /// Reads every section. What is wrong is noted, and some value that could be
    /// is put in its place, so that all else can be looked at too.
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let public_url = r.text("public_url").map(|url| url.trim_end_matches('/').to_owned());
        let service_name = r.required("service_name", "write a name, such as \"Dialback\"", NAME.to_owned());
        let (server, store, sandbox) = (Server::read(r), Store::read(r), Sandbox::read(r));
        let (twilio, gateway) = (Twilio::read(r), Gateway::read(r));
        let (verification, voice) = (Verification::read(r), Voice::read(r));
        let base = Base {
            name: &service_name,
            twilio: &twilio,
            gateway: &gateway,
            sandbox: &sandbox,
            verification: &verification,
            voice: &voice,
        };
        Self {
            services: Services::read(r, &base),
            test_numbers: test_numbers::read(r),
            allow_test_numbers: r.reason("allow_test_numbers"),
            public_url,
            service_name,
            twilio,
            signature: Signature::read(r),
            gateway,
            verification,
            voice,
            messages: Messages::read(r),
            numbers: Numbers::read(r),
            limits: limits::read(r),
            fraud: fraud::read(r),
            prices: prices::read(r),
            captcha: captcha::read(r),
            lookup: lookup::read(r),
            codes: Codes::read(r),
            events: Events::read(r),
            jobs: Jobs::read(r),
            sweep_hour: reconcile::read(r),
            retention: Retention::read(r),
            api: Api {
                requests_per_minute: r.number("api.requests_per_minute", 0..=1_000_000),
                allow_unlimited: r.reason("api.allow_unlimited"),
            },
            pages: Pages::read(r),
            log: Log::read(r),
            server,
            store,
            sandbox,
        }
    }
}

/// Who speaks where no name, or none that could be, is given.
const NAME: &str = "Dialback";
