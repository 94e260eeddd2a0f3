//! `twilio.accounts`: accounts beside the one that sends, and what is theirs.

use super::file::join;
use super::reader::Reader;
use crate::model::sender;
use crate::secret::Secret;
use std::collections::BTreeMap;
use toml::Table;

pub(super) const KEY: &str = "twilio.accounts";
const MEND: &str = "write [twilio.accounts.AC…] with auth_token, and senders if it has any";

/// An account that may report what became of its own messages and calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The tokens it signs with: the primary one, and others while rotating.
    pub tokens: Vec<Secret>,
    /// An API key, "SK…" and its secret, for requests where senders of it are used; nothing
    /// for the primary token.
    pub api_key: Option<(String, Secret)>,
    /// Numbers and messaging services that people write to and that are its
    /// own: what they say there is heard from it alone.
    pub senders: Vec<String>,
}

/// The accounts by their SIDs.
pub(super) fn read(r: &mut Reader<'_>) -> BTreeMap<String, Account> {
    let mut accounts = BTreeMap::new();
    for (sid, value) in r.table(KEY) {
        let path = join(KEY, &sid);
        let Some(table) = value.as_table() else {
            r.note(&path, "is no table", MEND);
            continue;
        };
        let is_sid = r.checked_sid(&path, &sid, "AC");
        if let Some(account) = account(r, &path, table).filter(|_| is_sid) {
            accounts.insert(sid, account);
        }
    }
    accounts
}

fn account(r: &mut Reader<'_>, path: &str, table: &Table) -> Option<Account> {
    r.only(
        path,
        table,
        &[
            "auth_token",
            "auth_token_file",
            "auth_tokens",
            "senders",
            "api_key_sid",
            "api_key_secret",
            "api_key_secret_file",
        ],
    );
    let primary = r.secret_in(path, table, "auth_token");
    let primary = primary.and_then(|(of, token)| r.checked_token(&of, token));
    let mut tokens: Vec<Secret> = primary.into_iter().collect();
    let mut senders = Vec::new();
    for (path, token) in r.texts_in(path, table, "auth_tokens", MEND) {
        tokens.extend(r.checked_token(&path, token));
    }
    for (path, sender) in r.texts_in(path, table, "senders", MEND) {
        match sender::check_any(&sender) {
            Ok(()) => senders.push(sender),
            Err(wrong) => r.note(&path, wrong.what, wrong.mend),
        }
    }
    let api_key = api_key(r, path, table);
    Some(Account { tokens, api_key, senders }).filter(|account| !account.tokens.is_empty())
}

/// The key and its secret; nothing where there is none.
fn api_key(r: &mut Reader<'_>, path: &str, table: &Table) -> Option<(String, Secret)> {
    const SECRET: &str = "api_key_secret";
    let (sid_at, is_there) = (join(path, "api_key_sid"), |name: &str| table.get(name).is_some());
    let has_secret = is_there(SECRET) || is_there("api_key_secret_file");
    let Some(sid) = table.get("api_key_sid") else {
        if has_secret {
            r.note(&sid_at, "is missing", "the key and its secret go together");
        }
        return None;
    };
    let sid = sid.as_str().unwrap_or_default();
    let is_sid = r.checked_sid(&sid_at, sid, "SK");
    let (of, secret) = r.secret_in(path, table, SECRET)?;
    let secret = r.checked_secret(&of, secret)?;
    is_sid.then(|| (sid.to_owned(), secret))
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Env, parse};

    const SUB: &str = "AC22222222222222222222222222222222";

    fn load(twilio: &str, pairs: &[(&str, &str)]) -> Result<Config, String> {
        let text = format!("[twilio]\naccount_sid = \"AC11111111111111111111111111111111\"\n{twilio}");
        let env: Env = pairs.iter().copied().collect();
        parse(Some(("config.toml", &text)), &env)
            .map(|loaded| {
                assert!(!loaded.show().contains("S3CRET"), "{}", loaded.show());
                loaded.config
            })
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn an_account_has_its_tokens_and_its_senders() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        std::fs::write(&file, "S3CRET1\n").unwrap();
        let text = format!(
            "[twilio.accounts.{SUB}]\nauth_token_file = \"{}\"\nauth_tokens = [\"S3CRET2\"]\n\
             senders = [\"+15005550007\", \"MG11111111111111111111111111111111\"]\n",
            file.display()
        );
        let config = load(&text, &[]).unwrap();
        let account = &config.twilio.accounts[SUB];
        let tokens: Vec<_> = account.tokens.iter().map(|token| token.expose()).collect();
        assert_eq!(tokens, ["S3CRET1", "S3CRET2"]);
        assert_eq!(account.senders, ["+15005550007", "MG11111111111111111111111111111111"]);
        let line = format!("{{ {SUB} = {{ auth_token = \"S3CRET3\" }} }}");
        let config = load("", &[("DIALBACK_TWILIO__ACCOUNTS", &line)]).unwrap();
        assert_eq!(config.twilio.accounts[SUB].tokens[0].expose(), "S3CRET3");
        assert!(config.twilio.accounts[SUB].senders.is_empty());
    }

    #[test]
    fn what_an_account_cannot_be_is_said_without_its_secrets() {
        let cases = [
            (format!("accounts = {{ {SUB} = \"S3CRET\" }}"), "is no table"),
            (format!("accounts = {{ {SUB} = {{ senders = [] }} }}"), "has no secret"),
            (format!("accounts = {{ {SUB} = {{ auth_token = \"S3CRET \" }} }}"), "blanks"),
            (
                format!("accounts = {{ {SUB} = {{ auth_token = \"t\", auth_tokens = [5] }} }}"),
                "auth_tokens[0]: is no text",
            ),
            (
                format!("accounts = {{ {SUB} = {{ auth_token = \"t\", sender = [] }} }}"),
                "did you mean senders?",
            ),
            ("accounts = { SK1 = { auth_token = \"t\" } }".to_owned(), "does not begin with AC"),
            (
                "accounts = { AC11111111111111111111111111111111 = { auth_token = \"t\" } }".to_owned(),
                "is twilio.account_sid",
            ),
            (
                format!(
                    "from = \"+15005550006\"\n\
                     accounts = {{ {SUB} = {{ auth_token = \"t\", senders = [\"+15005550006\"] }} }}"
                ),
                "which twilio.account_sid sends from",
            ),
            (
                format!(
                    "accounts = {{ {SUB} = {{ auth_token = \"t\", senders = [\"+15005550007\"] }}, \
                     AC33333333333333333333333333333333 = {{ auth_token = \"t\", senders = [\"+15005550007\"] }} }}"
                ),
                "more than one account",
            ),
        ];
        for (text, what) in cases {
            let found = load(&text, &[]).map(|_| ()).unwrap_err();
            assert!(found.contains("twilio.accounts") && found.contains(what), "{what}: {found}");
            assert!(!found.contains("S3CRET"), "{found}");
        }
    }
}
