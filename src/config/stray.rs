//! Variables that begin as ours do and are no key: each is a setting that
//! somebody believes in, so none is passed over in silence.
//!
//! Two kinds are let be: what `config.toml` names as `${NAME}`, and what
//! Kubernetes sets in every pod for a service that is named as we are, which
//! nobody wrote and which is known by all its parts agreeing. Values are never
//! said: any of them may be a secret.

use super::env::{Env, PREFIX};
use super::problem::{Origin, Problem};
use std::collections::BTreeSet;

/// Variables that mean something and are no keys: `dialback serve` takes this API
/// key, and commands send it.
const OTHERS: [&str; 1] = ["DIALBACK_API_KEY"];

/// As many near keys are named.
const MOST_NEAR: usize = 3;

/// What is wrong with the variables that set none of the `known` keys, which are
/// variables too, in the order of `config.toml`; `named` are those that a file
/// refers to.
pub(super) fn strays(env: &Env, known: &[&str], named: &BTreeSet<String>) -> Vec<Problem> {
    let links = links(env);
    let is_fine = |name: &str| {
        known.contains(&name)
            || OTHERS.contains(&name)
            || named.contains(name)
            || links.iter().any(|service| is_link_of(service, name))
    };
    let strays = env.starting_with(PREFIX).map(|(name, _)| name).filter(|name| !is_fine(name));
    let strays = strays.map(|name| stray(env, name, known));
    strays.chain(env.unreadable(PREFIX).map(unreadable)).collect()
}

fn stray(env: &Env, name: &str, known: &[&str]) -> Problem {
    let near = near(name, known);
    let (what, mend) = match near.split_last() {
        _ if looks_linked(env, name) => (
            "is no key; it looks like a service link of kubernetes or docker",
            "set `enableServiceLinks: false` in the pod, or give the service another name".to_owned(),
        ),
        None => ("there is no such key", "`dialback config default` lists them all".to_owned()),
        Some((last, [])) => ("there is no such key", format!("did you mean {last}?")),
        Some((last, more)) => {
            ("there is no such key", format!("did you mean {} or {last}?", more.join(", ")))
        }
    };
    Problem { origin: Origin::Env(name.to_owned()), key: String::new(), what: what.to_owned(), mend }
}

fn unreadable(name: &str) -> Problem {
    Problem {
        origin: Origin::Env(name.to_owned()),
        key: String::new(),
        what: "is not UTF-8".to_owned(),
        mend: "write it as text, or unset it".to_owned(),
    }
}

/// The keys that a name was probably meant to be, the likeliest first.
fn near<'k>(name: &str, known: &[&'k str]) -> Vec<&'k str> {
    let (own, last) = (plain(name), last(name));
    let all = || known.iter().copied().chain(OTHERS);
    let found = |is_near: &dyn Fn(&str) -> bool| -> Vec<&'k str> {
        all().filter(|key| is_near(key)).take(MOST_NEAR).collect()
    };
    // The same but for the underscores, as in DIALBACK_STORE_URL; the same
    // letters but one; a key without its section; one in another section; a
    // section without its key.
    let spelt = || {
        let distance = |key: &str| strsim::damerau_levenshtein(&own, &plain(key));
        let nearest = all().min_by_key(|key| distance(key));
        nearest.filter(|key| distance(key) <= 2.max(own.len() / 5)).into_iter().collect::<Vec<_>>()
    };
    [
        found(&|key| plain(key) == own),
        spelt(),
        found(&|key| plain(key).ends_with(&format!("_{own}"))),
        found(&|key| key.contains("__") && self::last(key) == last),
        found(&|key| plain(key).starts_with(&format!("{own}_"))),
    ]
    .into_iter()
    .find(|near| !near.is_empty())
    .unwrap_or_default()
}

/// A name without what people get wrong first: its case and its underscores.
fn plain(name: &str) -> String {
    let name = name.strip_prefix(PREFIX).unwrap_or(name).to_uppercase();
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("_")
}

/// What stands behind the section.
fn last(name: &str) -> String {
    plain(name.rsplit("__").next().unwrap_or(name))
}

/// The services that Kubernetes linked: host, port and URL are there and agree.
fn links(env: &Env) -> Vec<&str> {
    let hosts = env.starting_with(PREFIX).filter_map(|(name, host)| {
        let service = name.strip_suffix("_SERVICE_HOST")?;
        let port = env.get(&format!("{service}_SERVICE_PORT"))?;
        let (_, at) = env.get(&format!("{service}_PORT"))?.split_once("://")?;
        let agrees = [format!("{host}:{port}"), format!("[{host}]:{port}")].iter().any(|own| own == at);
        (agrees && port.parse::<u16>().is_ok()).then_some(service)
    });
    hosts.collect()
}

/// Whether a link to this service has a variable of that name.
fn is_link_of(service: &str, name: &str) -> bool {
    let Some(rest) = name.strip_prefix(service) else {
        return false;
    };
    let of_port = |rest: &str| {
        let mut parts = rest.splitn(3, '_');
        let number = parts.next().is_some_and(|number| number.parse::<u16>().is_ok());
        let protocol = parts.next().is_some_and(|name| matches!(name, "TCP" | "UDP" | "SCTP"));
        number && protocol && matches!(parts.next(), None | Some("PROTO" | "PORT" | "ADDR"))
    };
    matches!(rest, "_SERVICE_HOST" | "_SERVICE_PORT" | "_PORT")
        || rest.starts_with("_SERVICE_PORT_")
        || rest.strip_prefix("_PORT_").is_some_and(of_port)
}

/// Whether a variable is probably a link, though not all of its kin are there.
fn looks_linked(env: &Env, name: &str) -> bool {
    let is_url = env
        .get(name)
        .is_some_and(|value| ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme)));
    is_url && name.contains("_PORT")
        || ["_SERVICE_HOST", "_SERVICE_PORT", "_TCP_ADDR", "_TCP_PORT", "_TCP_PROTO"]
            .iter()
            .any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pairs: &[(&str, &str)], named: &[&str]) -> Vec<String> {
        const KNOWN: [&str; 7] = [
            "DIALBACK_PUBLIC_URL",
            "DIALBACK_SERVICE_NAME",
            "DIALBACK_SERVER__LISTEN",
            "DIALBACK_STORE__URL",
            "DIALBACK_TWILIO__AUTH_TOKEN",
            "DIALBACK_SANDBOX__ENABLED",
            "DIALBACK_SANDBOX__LISTEN",
        ];
        let named = named.iter().map(|name| (*name).to_owned()).collect();
        let env: Env = pairs.iter().copied().collect();
        strays(&env, &KNOWN, &named).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_is_named_with_the_key_that_was_meant_and_without_its_value() {
        let cases = [
            ("DIALBACK_STORE_URL", "did you mean DIALBACK_STORE__URL?"),
            ("DIALBACK_SANDBOX_ENABLED", "did you mean DIALBACK_SANDBOX__ENABLED?"),
            ("DIALBACK_PUBLIC__URL", "did you mean DIALBACK_PUBLIC_URL?"),
            ("DIALBACK___store__url", "did you mean DIALBACK_STORE__URL?"),
            ("DIALBACK_STORE.URL", "did you mean DIALBACK_STORE__URL?"),
            ("DIALBACK_TWILIO__AUTH_TOKN", "did you mean DIALBACK_TWILIO__AUTH_TOKEN?"),
            ("DIALBACK_AUTH_TOKEN", "did you mean DIALBACK_TWILIO__AUTH_TOKEN?"),
            ("DIALBACK_API__KEY", "did you mean DIALBACK_API_KEY?"),
            ("DIALBACK_APIKEY", "did you mean DIALBACK_API_KEY?"),
            ("DIALBACK_HTTP__LISTEN", "did you mean DIALBACK_SERVER__LISTEN or DIALBACK_SANDBOX__LISTEN?"),
            ("DIALBACK_SANDBOX", "did you mean DIALBACK_SANDBOX__ENABLED or DIALBACK_SANDBOX__LISTEN?"),
            ("DIALBACK_URL", "did you mean DIALBACK_PUBLIC_URL or DIALBACK_STORE__URL?"),
            ("DIALBACK_", "`dialback config default` lists them all"),
            ("DIALBACK_PORT", "`dialback config default` lists them all"),
        ];
        for (name, mend) in cases {
            let told = told(&[(name, "hunter2")], &[]);
            let expected = format!("environment variable {name}: there is no such key; {mend}");
            assert_eq!(told, [expected], "{name}");
        }
    }

    #[test]
    fn what_means_something_is_let_be() {
        let fine = [("DIALBACK_API_KEY", "k"), ("DIALBACK_STORE__URL", "memory:"), ("DIALBACKER", "x")];
        assert_eq!(told(&fine, &[]), Vec::<String>::new());
        assert_eq!(told(&[("DIALBACK_DB_PASSWORD", "x")], &["DIALBACK_DB_PASSWORD"]), Vec::<String>::new());
    }

    /// As a pod has them: kubernetes.io, "Environment variables" of services.
    const LINKS: [(&str, &str); 8] = [
        ("DIALBACK_SERVICE_HOST", "10.0.0.11"),
        ("DIALBACK_SERVICE_PORT", "8000"),
        ("DIALBACK_SERVICE_PORT_HTTP", "8000"),
        ("DIALBACK_PORT", "tcp://10.0.0.11:8000"),
        ("DIALBACK_PORT_8000_TCP", "tcp://10.0.0.11:8000"),
        ("DIALBACK_PORT_8000_TCP_PROTO", "tcp"),
        ("DIALBACK_PORT_8000_TCP_PORT", "8000"),
        ("DIALBACK_PORT_8000_TCP_ADDR", "10.0.0.11"),
    ];

    #[test]
    fn links_of_kubernetes_are_let_be_when_they_agree_and_else_explained() {
        assert_eq!(told(&LINKS, &[]), Vec::<String>::new());
        let of_another = LINKS.map(|(name, value)| (name.replace("DIALBACK_", "DIALBACK_DB_"), value));
        let of_another: Vec<_> = of_another.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(told(&of_another, &[]), Vec::<String>::new());
        let mut six = LINKS;
        six[0].1 = "fd00::b";
        six[3].1 = "tcp://[fd00::b]:8000";
        assert_eq!(told(&six, &[]), Vec::<String>::new());

        let partly = told(&LINKS[3..], &[]);
        assert_eq!(partly.len(), 5, "{partly:?}");
        assert!(partly.iter().all(|it| it.contains("enableServiceLinks: false")), "{partly:?}");
        // A setting between them is none the less a mistake.
        let mixed = [&LINKS[..], &[("DIALBACK_PORT_NUMBER", "80"), ("DIALBACK_STORE_URL", "x")]].concat();
        assert_eq!(told(&mixed, &[]).len(), 2);
    }
}
