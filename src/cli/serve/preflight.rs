//! What only the users of a setting can say of it: all that `serve` would refuse at
//! its start, looked at and left as it is. `serve` and `config check` run it alike,
//! so that neither takes what the other refuses.
//!
//! It refuses to know what changes from one moment to the next: whether a port is
//! taken, whether a database answers.

use super::built::Lacking;
use super::parts;
use crate::cli::local::Local;
use crate::cli::{operator, private};
use crate::config::{At, Config, Loaded, Origin, Problem, StoreUrl};
use crate::entropy::Entropy;
use crate::http;
use crate::store::sled;
use crate::texts::{Catalog, Mistake};
use crate::twilio::url::PublicUrl;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use tokio::net::TcpSocket;

/// Looks at everything, and adds what is wrong to what the configuration knows of
/// itself.
pub fn look(loaded: &mut Loaded) {
    // Of a file that is no TOML the values are not known.
    if !loaded.is_read() {
        return;
    }
    let config = loaded.config.clone();
    for Lacking { key, what, mend } in Lacking::of(&config) {
        loaded.refuse(&key, what, mend);
    }
    addresses(&config, loaded);
    store(&config, loaded);
    texts(&config, loaded);
    keys(&config, loaded);
    if let Some(Err(wrong)) = config.public_url.as_deref().map(PublicUrl::parse) {
        loaded.refuse(&["public_url"], wrong, "write it like \"https://verify.example.com\"");
    }
    if let Err(wrong) = http::Pages::load(config.pages.templates.as_deref()) {
        let what = wrong.to_string();
        let what = what.strip_prefix("pages.templates: ").unwrap_or(&what);
        loaded.refuse(&["pages", "templates"], what, "mend it, or leave pages.templates empty");
    }
}

fn addresses(config: &Config, loaded: &mut Loaded) {
    let sandbox = config.sandbox.enabled.then_some((["sandbox", "listen"], config.sandbox.listen));
    let admin = config.server.admin_listen.map(|addr| (["server", "admin_listen"], addr));
    let all = [(["server", "listen"], config.server.listen)].into_iter().chain(admin).chain(sandbox);
    for (key, addr) in all {
        if let Some((what, mend)) = unusable(addr) {
            loaded.refuse(&key, format_args!("{addr} {what}"), mend);
        }
    }
}

/// Whether nobody could listen there, whoever else does. The address is bound, and
/// not listened on: a server that starts at this moment is not in its way.
fn unusable(addr: SocketAddr) -> Option<(&'static str, &'static str)> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let bound = socket.and_then(|socket| socket.set_reuseaddr(true).and_then(|()| socket.bind(addr)));
    match bound.err()?.kind() {
        ErrorKind::AddrNotAvailable => Some((
            "is no address of this machine",
            "write one that it has, or 0.0.0.0 or [::] for all of them",
        )),
        ErrorKind::PermissionDenied => {
            Some(("is not ours to listen on", "take a port from 1024 on, or grant CAP_NET_BIND_SERVICE"))
        }
        _ => None,
    }
}

fn store(config: &Config, loaded: &mut Loaded) {
    #[cfg(feature = "postgres")]
    if let StoreUrl::Postgres(url) = &config.store.url
        && let Err(error) = crate::store::postgres::check_url(url.expose())
    {
        let what = error.to_string();
        let what = what.strip_prefix("cannot open the store: ").unwrap_or(&what);
        let (what, mend) =
            what.split_once(": write ").unwrap_or((what, "postgres://USER:PASSWORD@HOST/DATABASE"));
        loaded.refuse(&["store", "url"], what, format_args!("write {mend}"));
    }
    let Some(dir) = config.store.dir() else { return };
    let key = if matches!(config.store.url, StoreUrl::Postgres(_)) { "state_dir" } else { "url" };
    if let Err(error) = private::look(dir, |name| operator::is_own(name) || sled::is_own(name)) {
        loaded.refuse(&["store", key], format_args!("{error:#}"), "name a directory for dialback alone");
    }
}

/// The words of messages, and what services name of them.
fn texts(config: &Config, loaded: &mut Loaded) {
    let catalog = match &config.messages.dir {
        None => Catalog::shipped(),
        Some(dir) => match Catalog::load(dir) {
            Ok(catalog) => catalog,
            Err(wrong) => {
                let (of_dir, of_files): (Vec<_>, Vec<_>) =
                    wrong.0.into_iter().partition(|mistake| Path::new(&mistake.file) == dir);
                for Mistake { what, mend, .. } in of_dir {
                    loaded.refuse(&["messages", "dir"], format_args!("{} {what}", dir.display()), mend);
                }
                return loaded.refused.extend(of_files.into_iter().map(of_text));
            }
        },
    };
    let services = &config.services;
    let others = services.others.iter().map(|(key, settings)| (key.as_str(), settings));
    let of_default = catalog.wrong_in(&services.default);
    for (key, settings) in std::iter::once(("default", &services.default)).chain(others) {
        for wrong in catalog.wrong_in(settings) {
            // What others have of the default is told once.
            if key != "default" && of_default.contains(&wrong) {
                continue;
            }
            let path: Vec<&str> = ["services", key].into_iter().chain(wrong.field.split('.')).collect();
            let (what, mend) =
                wrong.what.split_once("; ").unwrap_or((&wrong.what, "write one that there is"));
            loaded.refuse(&path, what, mend);
        }
    }
}

fn of_text(mistake: Mistake) -> Problem {
    let Mistake { file, line, column, key, what, mend } = mistake;
    Problem { origin: Origin::File { path: file.into(), at: Some(At { line, column }) }, key, what, mend }
}

/// What proves and what derives.
fn keys(config: &Config, loaded: &mut Loaded) {
    // Without a directory nothing is written; what it makes is thrown away.
    let Ok(local) = Local::load(None, &Entropy::system()) else { return };
    if let Err(error) = parts::code_keys(config, &local) {
        loaded.refuse(&["codes", "keys"], error, "make one with `openssl rand -hex 32`");
    }
    if let Err(error) = parts::verifier(config, &local) {
        loaded.refuse(&["twilio", "auth_tokens"], error, "take out those that no longer sign");
    }
}
