//! The accounts as they are kept: the main account, which is the configured one,
//! and its sub-accounts.

use super::settings::Settings;
use super::shelf::Shelf;
use crate::secret::Secret;
use jiff::Timestamp;

/// What the main account is called until somebody renames it.
const NAME: &str = "Dialback sandbox";

/// A status of an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AccountStatus {
    /// It can do everything.
    Active,
    /// It can do nothing until it is active again.
    Suspended,
    /// It can do nothing any more.
    Closed,
}

impl AccountStatus {
    /// The three statuses, to find one by Twilio's word.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Closed];

    /// Twilio's word for it: `active`, `suspended` or `closed`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
        }
    }
}

/// A token and when it was made.
#[derive(Clone)]
pub(super) struct Token {
    /// The token itself, the password with which its account opens the REST API.
    pub secret: Secret,
    /// When it was made, or became the first.
    pub made: Timestamp,
}

/// A main account or a sub-account, as it is kept.
#[derive(Clone)]
pub(super) struct Account {
    /// Its SID, `AC…`: the user's name that goes with its tokens.
    pub sid: String,
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub status: AccountStatus,
    /// The account it belongs to; the main one belongs to itself.
    pub owner: String,
    /// Its token, with which its webhooks are signed.
    pub token: Token,
    /// A second token, which opens as much and signs nothing.
    pub secondary: Option<Token>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

impl Account {
    /// An active account without a second token.
    pub fn new(sid: String, owner: String, name: String, token: Secret, now: Timestamp) -> Self {
        Self {
            sid,
            name,
            status: AccountStatus::Active,
            owner,
            token: Token { secret: token, made: now },
            secondary: None,
            created: now,
            updated: now,
        }
    }

    /// Whether it can do anything.
    pub fn is_active(&self) -> bool {
        self.status == AccountStatus::Active
    }

    /// Whether it is a main account.
    pub fn is_main(&self) -> bool {
        self.owner == self.sid
    }

    /// Whether an account sees it: it is that one itself, or belongs to it.
    fn is_seen_by(&self, sid: &str) -> bool {
        self.sid == sid || self.owner == sid
    }

    /// Whether this is one of its tokens.
    pub fn opens(&self, password: &Secret) -> bool {
        let second = self.secondary.as_ref().is_some_and(|token| token.secret == *password);
        !password.is_empty() && (self.token.secret == *password || second)
    }
}

/// The main account and its sub-accounts, within a bound.
pub(super) struct Accounts {
    /// The configured one; it is always there.
    main: Account,
    below: Shelf<Account>,
}

impl Accounts {
    /// The configured accounts.
    pub fn new(settings: &Settings, born: Timestamp) -> Self {
        let sid = settings.account_sid.clone();
        let owner = sid.clone();
        let main = Account::new(sid.clone(), sid, NAME.to_owned(), settings.auth_token.clone(), born);
        let mut below = Shelf::new(settings.keep.resources);
        for other in &settings.others {
            let (sid, token) = (other.sid.clone(), other.token.clone());
            below.push(sid.clone(), Account::new(sid, owner.clone(), other.sid.clone(), token, born));
        }
        Self { main, below }
    }

    /// One of them.
    pub fn get(&self, sid: &str) -> Option<&Account> {
        if sid == self.main.sid { Some(&self.main) } else { self.below.get(sid) }
    }

    /// One of them, to change.
    pub fn get_mut(&mut self, sid: &str) -> Option<&mut Account> {
        if sid == self.main.sid { Some(&mut self.main) } else { self.below.get_mut(sid) }
    }

    /// Adds a sub-account.
    pub fn add(&mut self, account: Account) {
        self.below.push(account.sid.clone(), account);
    }

    /// All of them, youngest first, the main one last.
    pub fn newest_first(&self) -> impl Iterator<Item = &Account> {
        self.below.newest_first().chain([&self.main])
    }

    /// One of them, if another sees it: it is that one itself, or belongs to it.
    pub fn seen(&self, by: &str, sid: &str) -> Option<&Account> {
        self.get(sid).filter(|account| account.is_seen_by(by))
    }

    /// Those that an account sees: itself and what belongs to it.
    pub fn seen_by<'a>(&'a self, sid: &'a str) -> impl Iterator<Item = &'a Account> {
        self.newest_first().filter(move |account| account.is_seen_by(sid))
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::Keep;
    use super::*;

    const SUB_ACCOUNTS: usize = 20;

    #[test]
    fn the_main_account_never_falls_off() {
        let now = Timestamp::UNIX_EPOCH;
        let keep = Keep { resources: SUB_ACCOUNTS, ..Keep::default() };
        let settings = Settings { keep, ..Settings::new("AC0", Secret::new("t")) };
        let mut accounts = Accounts::new(&settings, now);
        for n in 1..=SUB_ACCOUNTS + 5 {
            let (sid, name) = (format!("AC{n}"), String::new());
            accounts.add(Account::new(sid, "AC0".to_owned(), name, Secret::new("s"), now));
        }
        assert_eq!(accounts.newest_first().count(), SUB_ACCOUNTS + 1);
        assert!(accounts.get("AC0").is_some_and(Account::is_main) && accounts.get("AC5").is_none());
        assert_eq!(accounts.seen_by("AC6").count(), 1);
        assert_eq!(accounts.seen_by("AC0").count(), SUB_ACCOUNTS + 1);
        assert!(accounts.seen("AC0", "AC6").is_some() && accounts.seen("AC6", "AC6").is_some());
        assert!(accounts.seen("AC6", "AC0").is_none() && accounts.seen("AC6", "AC7").is_none());
    }

    #[test]
    fn no_empty_password_opens() {
        let account =
            Account::new("AC0".into(), "AC0".into(), String::new(), Secret::new(""), Timestamp::UNIX_EPOCH);
        assert!(!account.opens(&Secret::new("")));
    }
}
