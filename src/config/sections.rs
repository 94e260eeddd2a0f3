//! The values, section by section, as `config.toml` documents them.

use super::file::join;
use super::reader::{Choice, Reader};
use crate::model::policy::Policy;
use crate::secret::Secret;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Words of a fixed list, each with the name it has in `config.toml`.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$word_doc])* $variant,)* }

        impl Choice for $name {
            const ALL: &'static [(&'static str, Self)] = &[$(($word, Self::$variant),)*];
        }
    };
}

const ADDRESS: &str = "write an address and a port, such as \"127.0.0.1:8000\" or \"[::1]:0\"";

pub(super) const HOSTS: &str = "write host names without scheme, port and path, such as \"otp.example.com\"";

/// What stands in for an address that is none.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const ADMIN_ADDRESS: &str =
    "write an address of this machine alone and a port, such as \"127.0.0.1:0\", or leave it empty";

/// The server and its limits.
#[derive(Clone, Debug)]
pub struct Server {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// For this machine's own: the operator's routes. Port 0 takes a free one;
    /// `None` has none.
    pub admin_listen: Option<SocketAddr>,
    /// Why others may reach that.
    pub allow_admin_on_public: Option<String>,
    /// Names besides this machine's by which that may be called.
    pub admin_hosts: Vec<String>,
    /// Who may see the API's description on the server's own address.
    pub openapi: Openapi,
    /// Connections open at once.
    pub max_connections: usize,
    /// Of them, those of one peer that is no trusted proxy.
    pub max_connections_per_peer: usize,
    /// Bytes of a request's head.
    pub max_head_bytes: usize,
    /// Header lines in a request.
    pub max_headers: usize,
    /// Bytes of a request's body.
    pub max_body_bytes: usize,
    /// Bytes of all requests' bodies at once.
    pub max_body_bytes_in_flight: usize,
    /// For a head, from its first byte.
    pub head_timeout: Duration,
    /// For a kept-alive connection's rest.
    pub idle_timeout: Duration,
    /// For a whole request.
    pub request_timeout: Duration,
    /// For a client that takes no byte of its answer.
    pub write_stall_timeout: Duration,
    /// For work in flight at a stop.
    pub drain_timeout: Duration,
}

impl Server {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            listen: r.required("server.listen", ADDRESS, ANY_PORT),
            admin_listen: r.parsed("server.admin_listen", ADMIN_ADDRESS),
            allow_admin_on_public: r.reason("server.allow_admin_on_public"),
            admin_hosts: r.parsed_list("server.admin_hosts", HOSTS, host),
            openapi: r.choice("server.openapi"),
            max_connections: r.number("server.max_connections", 1..=1_000_000),
            max_connections_per_peer: r.number("server.max_connections_per_peer", 1..=1_000_000),
            max_head_bytes: r.number("server.max_head_bytes", 8192..=1_048_576),
            max_headers: r.number("server.max_headers", 8..=1000),
            max_body_bytes: r.number("server.max_body_bytes", 1024..=16_777_216),
            max_body_bytes_in_flight: r.number("server.max_body_bytes_in_flight", 8_388_608..=17_179_869_184),
            head_timeout: r.seconds("server.head_timeout_seconds", 1..=300),
            idle_timeout: r.seconds("server.idle_timeout_seconds", 1..=3600),
            request_timeout: r.seconds("server.request_timeout_seconds", 1..=300),
            write_stall_timeout: r.seconds("server.write_stall_timeout_seconds", 1..=300),
            drain_timeout: r.seconds("server.drain_timeout_seconds", 0..=300),
        }
    }
}

choices! {
    /// Who may see `/openapi.json` on the server's own address.
    Openapi {
        /// Who can reach it, as long as that is this machine alone.
        Private = "private",
        /// Everybody who can reach it.
        Always = "always",
        /// Nobody; it is on the admin listener.
        Never = "never",
    }
}

/// The pages for people.
#[derive(Clone, Debug)]
pub struct Pages {
    /// A directory of templates that take the place of the binary's.
    pub templates: Option<PathBuf>,
}

impl Pages {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self { templates: r.text("pages.templates").map(PathBuf::from) }
    }
}

/// The applications' API.
#[derive(Clone, Debug)]
pub struct Api {
    /// Requests of one key; 0 for all that come.
    pub requests_per_minute: u32,
    /// Why that may be so in public.
    pub allow_unlimited: Option<String>,
}

/// How webhooks are proven.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Whether a failure refuses.
    pub mode: SignatureMode,
    /// Why it may be so in public.
    pub allow_report_only_on_public: Option<String>,
    /// Proxies whose forwarded headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Why they may be so many that strangers are among them.
    pub allow_trusted_proxies: Option<String>,
    /// Hosts besides `public_url`'s that they may name.
    pub hosts: Vec<String>,
    /// HMAC-SHA256 secrets by id.
    pub shared_keys: BTreeMap<String, Secret>,
}

choices! {
    /// Whether a failed signature refuses its request.
    SignatureMode {
        /// It does: what Twilio did not sign is refused with 403.
        Enforce = "enforce",
        /// It is counted and passes.
        ReportOnly = "report-only",
    }
}

impl Signature {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let mend = "write addresses or networks, such as \"10.0.0.0/8\"";
        Self {
            mode: r.choice("signature.mode"),
            allow_report_only_on_public: r.reason("signature.allow_report_only_on_public"),
            trusted_proxies: r.parsed_list("signature.trusted_proxies", mend, network),
            allow_trusted_proxies: r.reason("signature.allow_trusted_proxies"),
            hosts: r.parsed_list("signature.hosts", HOSTS, host),
            shared_keys: shared_keys(r),
        }
    }
}

/// A network, or an address as one. What is IPv4 within IPv6 is IPv4, as its peers are.
fn network(text: &str) -> Option<IpNet> {
    let net = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    let IpNet::V6(six) = net else { return Some(net) };
    let (four, bits) = (six.addr().to_ipv4_mapped(), six.prefix_len().checked_sub(96));
    let mapped = four.zip(bits).and_then(|(four, bits)| IpNet::new(four.into(), bits).ok());
    Some(mapped.unwrap_or(net))
}

/// A host as it stands in a URL.
pub(super) fn host(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(&format!("https://{text}/")).ok()?;
    (url.host_str()? == text.to_ascii_lowercase() && url.path() == "/").then(|| text.to_owned())
}

fn shared_keys(r: &mut Reader<'_>) -> BTreeMap<String, Secret> {
    const KEY: &str = "signature.shared_keys";
    let mut keys = BTreeMap::new();
    for (id, value) in r.table(KEY) {
        let path = join(KEY, &id);
        let Some(text) = value.as_str() else {
            r.note(&path, "is no text", "write it in quotation marks");
            continue;
        };
        let secret = r.checked_secret(&path, text.to_owned());
        keys.extend(secret.map(|secret| (id, secret)));
    }
    keys
}

choices! {
    /// Which senders and messaging services the sandbox lets pass.
    SandboxSenders {
        /// Every one that is well formed, unless some are configured.
        Any = "any",
        /// The account's own.
        Owned = "owned",
    }
}

choices! {
    /// Which limits hold in the sandbox.
    SandboxProfile {
        /// No limits: everything passes at once.
        Unlimited = "unlimited",
        /// Those of an account that pays.
        Paid = "paid",
        /// Those of a trial account.
        Trial = "trial",
    }
}

/// The Twilio of its own.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// Whether it runs, and takes everything that is sent.
    pub enabled: bool,
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Why others may reach it.
    pub allow_public: Option<String>,
    /// The seed of its awkwardness.
    pub seed: u64,
    /// How much of real time its network, speech and pauses take, 0 to 100.
    pub pace: f64,
    /// Which senders and messaging services pass.
    pub senders: SandboxSenders,
    /// Which limits hold until a control says otherwise.
    pub profile: SandboxProfile,
    /// How many messages it keeps, how many calls, and how many texts on telephones.
    pub keep_messages: usize,
    /// How many telephones.
    pub keep_phones: usize,
    /// How many requests with their answers.
    pub keep_exchanges: usize,
}

impl Sandbox {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let listen = r.required("sandbox.listen", ADDRESS, ANY_PORT);
        let (enabled, allow_public) = (r.flag("sandbox.enabled"), r.reason("sandbox.allow_public"));
        let seed = r.number("sandbox.seed", 0..=u64::MAX / 2);
        let pace = r.fraction("sandbox.pace", 0.0..=100.0);
        Self {
            enabled,
            listen,
            allow_public,
            seed,
            pace,
            senders: r.choice("sandbox.senders"),
            profile: r.choice("sandbox.profile"),
            keep_messages: r.number("sandbox.keep_messages", 100..=1_000_000),
            keep_phones: r.number("sandbox.keep_phones", 10..=100_000),
            keep_exchanges: r.number("sandbox.keep_exchanges", 10..=100_000),
        }
    }
}

/// The life of a verification.
#[derive(Clone, Debug)]
pub struct Verification {
    /// Digits in a code.
    pub code_length: u8,
    /// How long a code lives.
    pub lifetime: Duration,
    /// Wrong codes before it is spent.
    pub max_checks: u32,
    /// Texts and calls for it.
    pub max_sends: u32,
    /// Waits after the first send, the second and so on; the last repeats.
    /// Never empty.
    pub resend_cooldown: Vec<Duration>,
    /// Whether the file or the environment says so, though it be as usual.
    pub resend_cooldown_is_set: bool,
    /// Whether sending again makes a new code.
    pub new_code_on_resend: bool,
    /// Why codes may be guessed by one in a thousand.
    pub allow_guessable_codes: Option<String>,
    /// Why codes may live longer than an hour.
    pub allow_long_life: Option<String>,
}

impl Verification {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let cooldown = r.seconds_list("verification.resend_cooldown_seconds", 0..=3600);
        Self {
            code_length: r.number("verification.code_length", 4..=10),
            lifetime: r.seconds("verification.lifetime_seconds", 60..=86_400),
            max_checks: r.number("verification.max_checks", 1..=20),
            max_sends: r.number("verification.max_sends", 1..=20),
            resend_cooldown_is_set: !cooldown.is_empty(),
            resend_cooldown: if cooldown.is_empty() { Policy::default().cooldown } else { cooldown },
            new_code_on_resend: r.flag("verification.new_code_on_resend"),
            allow_guessable_codes: r.reason("verification.allow_guessable_codes"),
            allow_long_life: r.reason("verification.allow_long_life"),
        }
    }
}

/// How a code is read aloud.
#[derive(Clone, Debug)]
pub struct Voice {
    /// What comes before the code.
    pub gate: Gate,
    /// How often it can be heard again.
    pub max_replays: u8,
    /// How long a telephone rings.
    pub ring: Duration,
    /// Twilio's answering machine detection.
    pub machine_detection: MachineDetection,
}

choices! {
    /// What a call waits for before it says the code.
    Gate {
        /// Any key of the telephone lets the code be read.
        AnyKey = "any-key",
        /// A random key that is named aloud.
        NamedKey = "named-key",
        /// Nothing: the code is read to whatever answers.
        None = "none",
    }
}

choices! {
    /// Twilio's answering machine detection.
    MachineDetection {
        /// Not asked for.
        Off = "off",
        /// `Enable`: as soon as it is known.
        Enable = "enable",
        /// `DetectMessageEnd`: after the machine's greeting.
        DetectMessageEnd = "detect-message-end",
    }
}

impl Voice {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            gate: r.choice("voice.gate"),
            max_replays: r.number("voice.max_replays", 0..=10),
            ring: r.seconds("voice.ring_seconds", 5..=600),
            machine_detection: r.choice("voice.machine_detection"),
        }
    }
}

/// The words of messages.
#[derive(Clone, Debug)]
pub struct Messages {
    /// Where the operator's texts are; `None`: the shipped ones alone.
    pub dir: Option<PathBuf>,
}

impl Messages {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self { dir: r.text("messages.dir").map(PathBuf::from) }
    }
}

/// Which numbers are taken.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// Two upper-case letters; `None`: numbers need their country code.
    pub default_region: Option<String>,
    /// Kinds that are refused.
    pub refuse: Vec<NumberKind>,
}

choices! {
    /// A kind of number that can be refused.
    NumberKind {
        /// Numbers that cost the caller a premium rate.
        Premium = "premium",
        /// Numbers whose cost caller and called share.
        SharedCost = "shared-cost",
        /// Numbers of satellite networks, which cost most.
        Satellite = "satellite",
        /// Personal numbers, which follow their owner at the caller's cost.
        Personal = "personal",
        /// Pagers, which nobody can answer by.
        Pager = "pager",
        /// Numbers that lead into somebody's voicemail.
        Voicemail = "voicemail",
        /// Universal access numbers of companies.
        Uan = "uan",
        /// Free for the caller.
        TollFree = "toll-free",
        /// Internet telephony: anybody may have many of them.
        Voip = "voip",
    }
}

impl Numbers {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self { default_region: r.text("numbers.default_region"), refuse: r.choices("numbers.refuse") }
    }
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// A level, or levels per module.
    pub level: String,
}

choices! {
    /// For whom the log is written.
    LogFormat {
        /// Lines for people, in words.
        Human = "human",
        /// Machines: an object on each line.
        Json = "json",
    }
}

impl Log {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            format: r.choice("log.format"),
            level: r.text("log.level").unwrap_or_else(|| "info".to_owned()),
        }
    }
}
