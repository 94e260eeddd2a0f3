//! Accounts at the provider: which of them a request is proved to come from, and
//! what belongs to which.
//!
//! What people send to, what was sent and what calls hear belong to the main account; other
//! accounts have what the configuration gives them, and what left by them. This module refuses to know how anything is proved.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// An account at the provider, `AC…`. It is compared as a whole, and never guessed at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountSid(Arc<str>);

impl AccountSid {
    /// The SID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for AccountSid {
    fn from(sid: &str) -> Self {
        Self(sid.into())
    }
}

impl fmt::Display for AccountSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// That a request was signed with a token that we accept. Whatever changes what
/// we know or do asks for one, so that nothing unproved can; only who has
/// verified a signature makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    account: Option<AccountSid>,
    signer: Arc<str>,
}

impl Proof {
    /// What a verified signature proves: whose token made it, and what logs
    /// call that token. A token is nobody's only where no account is configured.
    pub fn new(account: Option<AccountSid>, signer: Arc<str>) -> Self {
        Self { account, signer }
    }

    /// The account whose token signed.
    pub fn account(&self) -> Option<&AccountSid> {
        self.account.as_ref()
    }

    /// The token's label, for logs.
    pub fn signer(&self) -> &str {
        &self.signer
    }
}

/// Which account has what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    /// The account that sends where nothing else is said; nothing where none is configured.
    pub main: Option<AccountSid>,
    /// Others that have senders by which messages and calls of ours leave.
    pub sending: BTreeSet<AccountSid>,
    /// Senders of other accounts. All others are the main account's.
    pub senders: BTreeMap<String, AccountSid>,
}

impl Accounts {
    /// Whether a request comes from an account that sends: only then can it be about a send
    /// of ours, and hear a code.
    pub fn sends(&self, proof: &Proof) -> bool {
        proof.account == self.main
            || proof.account.as_ref().is_some_and(|account| self.sending.contains(account))
    }

    /// Whether an account, by its name, is the one that made a send, which names its account
    /// where that is not the main one. Of an account that nobody named nothing is said.
    pub fn made(&self, account: Option<&str>, of_send: Option<&str>) -> bool {
        let made_by = of_send.or(self.main.as_ref().map(AccountSid::as_str));
        account.zip(made_by).is_none_or(|(account, made_by)| account == made_by)
    }

    /// Whether an account, by its name, is one that sends; of one that nobody named nothing
    /// speaks against it.
    pub fn is_ours(&self, account: Option<&str>) -> bool {
        let Some((account, main)) = account.zip(self.main.as_ref()) else { return true };
        account == main.as_str() || self.sending.iter().any(|sending| sending.as_str() == account)
    }

    /// Whether a sender is the account's: only then do people who write to it
    /// change what they want of it. A number is one sender on every channel.
    pub fn owns(&self, proof: &Proof, sender: &str) -> bool {
        let number = sender.rsplit(':').next().unwrap_or(sender);
        let owner = self.senders.get(sender).or_else(|| self.senders.get(number));
        proof.account.as_ref() == owner.or(self.main.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(account: Option<&str>) -> Proof {
        Proof::new(account.map(AccountSid::from), "a token".into())
    }

    #[test]
    fn a_sender_is_the_main_account_s_unless_another_one_has_it() {
        let senders = [("+15005550007", "AC2"), ("MG1", "AC3")];
        let accounts = Accounts {
            main: Some("AC1".into()),
            sending: BTreeSet::new(),
            senders: senders.map(|(sender, account)| (sender.to_owned(), account.into())).into(),
        };
        let owners = |sender: &str| {
            let all = ["AC1", "AC2", "AC3", "AC4"];
            all.into_iter().filter(|sid| accounts.owns(&proof(Some(sid)), sender)).collect::<Vec<_>>()
        };
        assert_eq!(owners("+15005550006"), ["AC1"]);
        assert_eq!(owners("+15005550007"), ["AC2"]);
        assert_eq!(owners("whatsapp:+15005550007"), ["AC2"]);
        assert_eq!(owners("MG1"), ["AC3"]);
        assert_eq!(owners("MG2"), ["AC1"]);
        assert!(!accounts.owns(&proof(None), "MG2"));
    }

    #[test]
    fn the_main_account_sends_and_those_that_have_senders_of_ours() {
        let sending = BTreeSet::from(["AC3".into()]);
        let accounts = Accounts { main: Some("AC1".into()), sending, ..Accounts::default() };
        assert!(accounts.sends(&proof(Some("AC1"))) && accounts.sends(&proof(Some("AC3"))));
        assert!(!accounts.sends(&proof(Some("AC2"))) && !accounts.sends(&proof(Some("ac1"))));
        assert!(!accounts.sends(&proof(None)));
        // Where none is configured, the tokens that are accepted are nobody's.
        assert!(Accounts::default().sends(&proof(None)));
        assert!(!Accounts::default().sends(&proof(Some("AC1"))));
    }

    #[test]
    fn a_send_is_of_the_account_that_made_it() {
        let accounts = Accounts { main: Some("AC1".into()), ..Accounts::default() };
        for (account, of_send, made) in [
            (Some("AC1"), None, true),
            (Some("AC3"), None, false),
            (Some("AC3"), Some("AC3"), true),
            (Some("AC1"), Some("AC3"), false),
            (None, Some("AC3"), true),
        ] {
            assert_eq!(accounts.made(account, of_send), made, "{account:?} {of_send:?}");
        }
        assert!(Accounts::default().made(Some("AC1"), None));
    }
}
