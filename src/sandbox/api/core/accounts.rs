//! The Accounts resource: the main account, and sub-accounts that it makes,
//! suspends, wakes and closes.

use crate::sandbox::account::{Account, AccountStatus};
use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome, Proof};
use crate::sandbox::api::paging::page;
use crate::sandbox::incoming::Form;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::resource::rfc2822;
use crate::secret::Secret;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The longest name, in characters.
const NAME_LENGTH: usize = 64;

/// What an account leads to. Twilio names two dozen; these are here.
const SUBRESOURCES: [(&str, &str); 9] = [
    ("applications", "Applications"),
    ("available_phone_numbers", "AvailablePhoneNumbers"),
    ("balance", "Balance"),
    ("calls", "Calls"),
    ("incoming_phone_numbers", "IncomingPhoneNumbers"),
    ("keys", "Keys"),
    ("messages", "Messages"),
    ("outgoing_caller_ids", "OutgoingCallerIds"),
    ("short_codes", "SMS/ShortCodes"),
];

/// `GET Accounts.json`: the caller's account and its sub-accounts.
pub(super) fn list(ask: &Ask<'_>) -> Outcome {
    let query = ask.query();
    let status = query.get("Status").map(status).transpose()?;
    let wanted = |account: &&Account| {
        query.get("FriendlyName").is_none_or(|name| account.name == name)
            && status.is_none_or(|status| account.status == status)
    };
    ask.world.with(|state| {
        let rows: Vec<&Account> = state.accounts.seen_by(&ask.caller.account).filter(wanted).collect();
        let shown = |row: &Account| document(row, ask.caller.proof);
        page(ask.request, "accounts", &rows, |row| row.sid.clone(), shown).map(Done::Found)
    })
}

/// `POST Accounts.json`: a new sub-account.
pub(super) fn create(ask: &Ask<'_>) -> Outcome {
    let (world, now) = (ask.world, ask.world.clock.now());
    let name = name(&ask.form())?.unwrap_or_else(|| default_name(now));
    let token = Secret::new(world.entropy.hex::<16>());
    let account = Account::new(world.sid("AC"), ask.caller.account.clone(), name, token, now);
    let shown = document(&account, ask.caller.proof);
    world.change(|state| {
        if state.accounts.get(&ask.caller.account).is_some_and(Account::is_main) {
            state.accounts.add(account);
            return Ok(Done::Created(shown));
        }
        Err(Refusal::new(403, 20006, "Access Denied: a subaccount has no subaccounts"))
    })
}

/// Twilio's own, such as `SubAccount Created at 2026-11-27 03:27 pm`.
fn default_name(now: Timestamp) -> String {
    format!("SubAccount Created at {}", now.strftime("%Y-%m-%d %I:%M %P"))
}

/// `GET Accounts/{sid}.json`: one account; its token is told only to who came with a token.
pub(super) fn fetch(ask: &Ask<'_>) -> Outcome {
    let found =
        ask.world.with(|state| state.accounts.get(ask.sid()).map(|it| document(it, ask.caller.proof)));
    found.map(Done::Found).ok_or_else(|| ask.missing())
}

/// `POST Accounts/{sid}.json`: a new `FriendlyName`, and for a sub-account a new
/// `Status`.
pub(super) fn update(ask: &Ask<'_>) -> Outcome {
    let form = ask.form();
    let (name, status) = (name(&form)?, form.get("Status").map(status).transpose()?);
    let now = ask.world.clock.now();
    ask.world.change(|state| {
        let account = state.accounts.get_mut(ask.sid()).ok_or_else(|| ask.missing())?;
        if let Some(status) = status.filter(|status| *status != account.status) {
            may_become(account, &ask.caller.account)?;
            (account.status, account.updated) = (status, now);
        }
        if let Some(name) = name {
            (account.name, account.updated) = (name, now);
        }
        Ok(Done::Found(document(account, ask.caller.proof)))
    })
}

/// Whether this caller may give an account another status.
fn may_become(account: &Account, caller: &str) -> Result<(), Refusal> {
    let why = if account.is_main() {
        "Parameter 'Status' of a main account can only be active: only subaccounts can be suspended or closed"
    } else if account.status == AccountStatus::Closed {
        "Parameter 'Status' of a closed account stays closed"
    } else if account.owner != caller {
        return Err(Refusal::new(403, 20006, "Access Denied: only the parent account changes a status"));
    } else {
        return Ok(());
    };
    Err(Refusal::bad(20001, why))
}

fn status(word: &str) -> Result<AccountStatus, Refusal> {
    let known = AccountStatus::ALL.into_iter().find(|status| status.word() == word);
    known.ok_or_else(|| Refusal::bad(20001, format!("Invalid parameter value for Status: {word}")))
}

/// The `FriendlyName` that was given, if one was.
///
/// # Errors
/// 20001 when it is too long.
pub(in crate::sandbox::api) fn name(form: &Form) -> Result<Option<String>, Refusal> {
    match form.get("FriendlyName") {
        Some(name) if name.chars().count() > NAME_LENGTH => {
            let why = format!("Parameter 'FriendlyName' has {NAME_LENGTH} characters at most");
            Err(Refusal::bad(20001, why))
        }
        name => Ok(name.map(str::to_owned)),
    }
}

/// An account's document. Its token is shown to who came with a token, and not to
/// who came with a key.
fn document(account: &Account, proof: Proof) -> Value {
    let base = format!("/2010-04-01/Accounts/{}", account.sid);
    let uris = SUBRESOURCES.map(|(key, name)| (key.to_owned(), json!(format!("{base}/{name}.json"))));
    json!({
        "auth_token": (proof == Proof::Token).then(|| account.token.secret.expose()),
        "date_created": rfc2822(account.created),
        "date_updated": rfc2822(account.updated),
        "friendly_name": account.name,
        "owner_account_sid": account.owner,
        "sid": account.sid,
        "status": account.status.word(),
        "subresource_uris": Map::from_iter(uris),
        "type": "Full",
        "uri": format!("{base}.json"),
    })
}
