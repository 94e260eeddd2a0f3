//! The Usage Records resource: what was used and what it cost, as one sum or by
//! days, months or years.

use crate::sandbox::api::ask::Ask;
use crate::sandbox::api::outcome::{Done, Outcome};
use crate::sandbox::api::paging::page;
use crate::sandbox::incoming::Form;
use crate::sandbox::money::dollars;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::usage::{Amount, CATEGORIES, Category, day};
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

/// The most periods that one list is cut into; the oldest are left out.
const PERIODS: usize = 4_000;

/// The lists by their names, in paths and in `subresource_uris`.
const LISTS: [(&str, &str); 8] = [
    ("all_time", "AllTime"),
    ("daily", "Daily"),
    ("last_month", "LastMonth"),
    ("monthly", "Monthly"),
    ("this_month", "ThisMonth"),
    ("today", "Today"),
    ("yearly", "Yearly"),
    ("yesterday", "Yesterday"),
];

/// A category in a period.
struct Row {
    category: &'static Category,
    from: Date,
    to: Date,
    amount: Amount,
}

/// `GET Usage/Records.json`, and `AllTime.json`, which is the same.
pub(super) fn all(ask: &Ask<'_>) -> Outcome {
    list(ask, vec![asked(ask)?])
}

/// `GET Usage/Records/Daily.json`: a row for each day in UTC and category, newest day first.
pub(super) fn daily(ask: &Ask<'_>) -> Outcome {
    list(ask, cut(asked(ask)?, |at| at))
}

/// `GET Usage/Records/Monthly.json`: a row for each month and category, newest month first.
pub(super) fn monthly(ask: &Ask<'_>) -> Outcome {
    list(ask, cut(asked(ask)?, Date::first_of_month))
}

/// `GET Usage/Records/Yearly.json`: a row for each year and category, newest year first.
pub(super) fn yearly(ask: &Ask<'_>) -> Outcome {
    list(ask, cut(asked(ask)?, Date::first_of_year))
}

/// `GET Usage/Records/Today.json`: today in UTC until now, a row for each category.
pub(super) fn today(ask: &Ask<'_>) -> Outcome {
    let today = now(ask);
    list(ask, vec![(today, today)])
}

/// `GET Usage/Records/Yesterday.json`: the day before today in UTC, a row for each category.
pub(super) fn yesterday(ask: &Ask<'_>) -> Outcome {
    let yesterday = before(now(ask));
    list(ask, vec![(yesterday, yesterday)])
}

/// `GET Usage/Records/ThisMonth.json`: from the first of the month until now, a row for each category.
pub(super) fn this_month(ask: &Ask<'_>) -> Outcome {
    list(ask, vec![(now(ask).first_of_month(), now(ask))])
}

/// `GET Usage/Records/LastMonth.json`: all of the month before this one, a row for each category.
pub(super) fn last_month(ask: &Ask<'_>) -> Outcome {
    let end = before(now(ask).first_of_month());
    list(ask, vec![(end.first_of_month(), end)])
}

fn now(ask: &Ask<'_>) -> Date {
    day(ask.world.clock.now())
}

/// The day before; the first of all days has none.
fn before(at: Date) -> Date {
    at.yesterday().unwrap_or(at)
}

/// The days that were asked for: by default from the account's first to today.
fn asked(ask: &Ask<'_>) -> Result<(Date, Date), Refusal> {
    let (query, today) = (ask.query(), now(ask));
    let created = ask.world.with(|state| state.accounts.get(ask.account).map(|account| day(account.created)));
    let from = date(&query, "StartDate", today)?.unwrap_or(created.unwrap_or(today).min(today));
    let to = date(&query, "EndDate", today)?.unwrap_or(today.max(from));
    if from > to {
        return Err(Refusal::bad(20001, "StartDate is after EndDate"));
    }
    Ok((from, to))
}

/// A date, or an offset from today such as `-30days`.
fn date(query: &Form, name: &str, today: Date) -> Result<Option<Date>, Refusal> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let offset = || {
        let days: i32 = text.strip_suffix("days")?.parse().ok()?;
        today.checked_add(days.days()).ok()
    };
    // The SDKs write a moment for a date that is one.
    let plain = || text.split('T').next()?.parse::<Date>().ok();
    let wrong = || Refusal::bad(20001, format!("Invalid parameter value for {name}: {text}"));
    offset().or_else(plain).map(Some).ok_or_else(wrong)
}

/// Cuts a span of days at the days that `begin` gives, newest first.
fn cut((from, to): (Date, Date), begin: impl Fn(Date) -> Date) -> Vec<(Date, Date)> {
    let mut periods = Vec::new();
    let mut end = to;
    while periods.len() < PERIODS {
        let first = begin(end).max(from);
        periods.push((first, end));
        if first == from {
            break;
        }
        end = before(first);
    }
    periods
}

fn list(ask: &Ask<'_>, periods: Vec<(Date, Date)>) -> Outcome {
    let query = ask.query();
    let below = !query.get("IncludeSubaccounts").is_some_and(|word| word.eq_ignore_ascii_case("false"));
    let wanted = query.get("Category");
    let rows: Vec<Row> = ask.world.with(|state| {
        let seen: Vec<&str> =
            state.accounts.seen_by(ask.account).map(|account| account.sid.as_str()).collect();
        let of = |account: &str| account == ask.account || below && seen.contains(&account);
        let rows = periods.into_iter().flat_map(|(from, to)| {
            let sum = state.ledger.sum(from, to, of);
            let all = CATEGORIES.iter().filter(|category| wanted.is_none_or(|name| category.name == name));
            all.map(move |category| {
                let amount = sum.get(category.name).copied().unwrap_or_default();
                Row { category, from, to, amount }
            })
        });
        rows.collect()
    });
    let rows: Vec<&Row> = rows.iter().collect();
    let place = |row: &Row| format!("{}.{}", row.category.name, row.from);
    page(ask.request, "usage_records", &rows, place, |row| document(ask, row)).map(Done::Found)
}

fn document(ask: &Ask<'_>, Row { category, from, to, amount }: &Row) -> Value {
    let base = format!("/2010-04-01/Accounts/{}/Usage/Records", ask.account);
    let name = category.name;
    let uris =
        LISTS.map(|(key, list)| (key.to_owned(), json!(format!("{base}/{list}.json?Category={name}"))));
    let is_money = category.count_unit.is_none();
    let usage = if is_money { dollars(amount.usage) } else { amount.usage.to_string() };
    json!({
        "account_sid": ask.account,
        "api_version": "2010-04-01",
        "as_of": ask.world.clock.now().strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
        "category": name,
        "count": (!is_money).then(|| amount.count.to_string()),
        "count_unit": category.count_unit,
        "description": category.description,
        "end_date": to.to_string(),
        "price": amount.price as f64 / 100_000.0,
        "price_unit": "usd",
        "start_date": from.to_string(),
        "subresource_uris": Value::Object(uris.into_iter().collect()),
        "uri": format!("{base}.json?Category={name}&StartDate={from}&EndDate={to}"),
        "usage": usage,
        "usage_unit": category.usage_unit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn spans_are_cut_at_months_and_years_newest_first() {
        let span = (at("2025-12-30"), at("2026-02-02"));
        let months = cut(span, Date::first_of_month);
        assert_eq!(
            months,
            [
                (at("2026-02-01"), at("2026-02-02")),
                (at("2026-01-01"), at("2026-01-31")),
                (at("2025-12-30"), at("2025-12-31"))
            ]
        );
        assert_eq!(cut(span, Date::first_of_year).len(), 2);
        assert_eq!(cut(span, |at| at).len(), 35);
        assert_eq!(cut((at("1900-01-01"), at("2026-01-01")), |at| at).len(), PERIODS);
    }

    #[test]
    fn a_date_may_be_an_offset() {
        let read = |text: &str| {
            let form = Form(vec![("StartDate".to_owned(), text.to_owned())]);
            date(&form, "StartDate", at("2026-11-27"))
        };
        assert_eq!(read("2026-11-01").unwrap(), Some(at("2026-11-01")));
        assert_eq!(read("-30days").unwrap(), Some(at("2026-10-28")));
        assert_eq!(read("2026-11-01T00:00:00Z").unwrap(), Some(at("2026-11-01")));
        assert!(read("soon").is_err());
    }
}
