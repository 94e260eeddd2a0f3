//! Looking at who is on the lists, safe numbers among them.

use crate::app::admission::{Admission, AdmissionError};
use crate::app::fault::Fault;
use crate::app::listing::{self, Page, Window};
use crate::model::id::ServiceId;
use crate::model::lists::{Effect, ListEntry, ListLine, Target};

/// Which entries to list.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// Those that do this.
    pub effect: Option<Effect>,
    /// Those of such a target: `number`, `range`, `network` or `country`.
    pub kind: Option<String>,
    /// Those that name this very target.
    pub target: Option<Target>,
    /// Those for a service alone.
    pub service: Option<ServiceId>,
}

/// Lists who is allowed or blocked now, the newest first.
///
/// # Errors
/// The store's.
pub async fn list_entries(
    admission: &Admission,
    filter: &ListFilter,
    window: &Window,
) -> Result<Page<ListLine>, AdmissionError> {
    let mut lines = all_lines(admission).await?;
    let erased = filter.target.as_ref().and_then(|target| match target {
        Target::Number(number) => {
            let name = ListEntry::name_of(&admission.limiting.names, number.person().as_str());
            Some(Target::ErasedNumber(name))
        }
        _ => None,
    });
    lines.retain(|line| {
        filter.effect.is_none_or(|effect| line.effect == effect)
            && filter.kind.as_ref().is_none_or(|kind| line.target.sort() == kind)
            && (filter.target.is_none()
                || [&filter.target, &erased].iter().any(|one| one.as_ref() == Some(&line.target)))
            && (filter.service.is_none() || filter.service == line.service)
    });
    Ok(listing::page_of(lines, window, |line| (line.created_at, line.id.clone())))
}

/// Reads the lists, and then never again, but for what is changed in this process: for
/// whoever looks at all accesses of the store, of which none may depend on a clock.
///
/// # Errors
/// The store's.
pub async fn hold_lists(admission: &Admission) -> Result<(), AdmissionError> {
    Ok(admission.lists.hold(&admission.base).await?)
}

/// One entry, by its id or by the name of a safe number.
///
/// # Errors
/// [`Fault::NotFound`], also where it has ended, or the store's.
pub async fn list_entry(admission: &Admission, id: &str) -> Result<ListLine, AdmissionError> {
    let lines = all_lines(admission).await?;
    lines.into_iter().find(|line| line.id == id).ok_or(Fault::NotFound.into())
}

async fn all_lines(admission: &Admission) -> Result<Vec<ListLine>, AdmissionError> {
    let (entries, safe) = admission.lists.all(&admission.base).await?;
    let now = admission.base.now();
    let entries = entries.iter().filter(|entry| !entry.is_over(now)).map(|entry| ListLine::from(&**entry));
    Ok(entries.chain(safe.iter().map(|safe| ListLine::from(&**safe))).collect())
}

/// Keeps the lists fresh as long as somebody asks for codes, until `stop`, so that no
/// request waits for them.
pub async fn keep_lists(admission: &Admission, stop: impl Future<Output = ()>) {
    admission.lists.keep(&admission.base, stop).await;
}
