//! Is this the code? And looking at or calling off a verification.

use crate::app::admission::limits::flags;
use crate::app::admission::{Admission, AdmissionError};
use crate::app::fault::Fault;
use crate::app::services::find;
use crate::app::verification::elsewhere;
use crate::app::verification::happen::{self, happen_beside};
use crate::app::verification::view::{around, view, view_from};
use crate::app::verification::{VerificationError, Verifying, View};
use crate::model::id::VerificationId;
use crate::model::verification::{Answer, Input, OpenCheck, Outcome, Status, Verification, binding};
use crate::model::wording;
use std::time::Duration;

/// How often it is looked whether another check has ended what the other side calls over,
/// and how many milliseconds are waited before each look.
const LOOKS: [u64; 5] = [50, 100, 200, 400, 800];

/// How many milliseconds are waited before what the other side said is written once more,
/// where the store could not.
const WRITES: [u64; 4] = [50, 150, 400, 1000];

/// What somebody says the code is.
#[derive(Clone, Default)]
pub struct Offer {
    /// The code, as the person typed it.
    pub code: String,
    /// What is to be paid, of a code that is bound to it.
    pub amount: Option<String>,
    /// Who is to be paid.
    pub payee: Option<String>,
}

/// A code alone.
impl From<&str> for Offer {
    fn from(code: &str) -> Self {
        Self { code: code.to_owned(), ..Self::default() }
    }
}

impl From<&String> for Offer {
    fn from(code: &String) -> Self {
        code.as_str().into()
    }
}

/// What came of a check.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Whether it was the code, of a verification that was still alive.
    pub valid: bool,
    /// The verification after it.
    pub view: View,
}

/// Compares a code. The check is counted, and the code is spent if it was
/// right, by the same write, so that no two callers can both be right and
/// none gets a check for free.
///
/// # Errors
/// What cannot be a code is refused without spending a check. An ended
/// verification is [`VerificationError::Ended`]. A number that is locked refuses what is
/// beyond the first five checks, whether it is right or not.
pub async fn check(
    verifying: &Verifying,
    id: &VerificationId,
    offered: impl Into<Offer>,
) -> Result<Checked, VerificationError> {
    check_own(verifying, id, offered, |_| true).await
}

/// The same of a verification that is one of the caller's; any other is not there.
pub(in crate::app) async fn check_own(
    verifying: &Verifying,
    id: &VerificationId,
    offered: impl Into<Offer>,
    is_own: impl Fn(&Verification) -> bool,
) -> Result<Checked, VerificationError> {
    check_asking(verifying, id, offered.into(), is_own).await.0
}

/// The same, and whether the other side was asked about it.
pub(super) async fn check_asking(
    verifying: &Verifying,
    id: &VerificationId,
    offered: Offer,
    is_own: impl Fn(&Verification) -> bool,
) -> (Result<Checked, VerificationError>, bool) {
    let (outcome, view) = match counted(verifying, id, &offered, &is_own).await {
        Ok(counted) => counted,
        Err(error) => return (Err(error), false),
    };
    let Outcome::Counted(open) = outcome else {
        return (checked(verifying, outcome, view).await, false);
    };
    let code = view.verification.code.read(&offered.code).unwrap_or_default();
    let settled = settle(verifying, (&view.verification, open), &code, &is_own).await;
    let checked = match settled {
        Ok((outcome, view)) => checked(verifying, outcome, view).await,
        Err(error) => Err(error),
    };
    (checked, true)
}

/// Counts a check, and compares it where the code is not the other side's.
async fn counted(
    verifying: &Verifying,
    id: &VerificationId,
    offered: &Offer,
    is_own: impl Fn(&Verification) -> bool,
) -> Result<(Outcome, View), VerificationError> {
    happen_and_view(&verifying.admission, id, &is_own, |verification| {
        let seed = &verification.code;
        let Some(code) = seed.read(&offered.code) else {
            return Err(VerificationError::NotACode { length: seed.length, kind: seed.kind() });
        };
        if verification.status == Status::Pending && elsewhere::is_left_behind(verifying, verification) {
            return Err(VerificationError::CheckUnavailable { seconds: elsewhere::WAIT.1 });
        }
        let offered = Offer { code, ..offered.clone() };
        Ok(match elsewhere::has_code(verifying, verification) {
            true if verification.has_begun() && is_bound_so(verification, &offered) => Input::Offer,
            // Nobody can have been sent a code, or not for that.
            true => Input::Check { matches: false },
            false => Input::Check { matches: matches(verifying, verification, &offered)? },
        })
    })
    .await
    .inspect_err(|error| {
        if let VerificationError::Admission(AdmissionError::LimitReached { rule, .. }) = error {
            tracing::warn!(verification = %id, rule, "a code was not compared: its number is locked");
        }
    })
}

/// What came of a check that was settled.
async fn checked(verifying: &Verifying, outcome: Outcome, view: View) -> Result<Checked, VerificationError> {
    let valid = match outcome {
        Outcome::Ended(status) => return Err(VerificationError::Ended(status)),
        Outcome::NotMine => return Err(VerificationError::ChecksOpen),
        outcome => outcome == Outcome::Approved,
    };
    let verification = &view.verification;
    if !valid {
        tell_of_wrong_codes(&verifying.admission, verification).await;
    }
    tracing::info!(verification = %verification.id, valid, status = %verification.status, checks = verification.checks, "code checked");
    Ok(Checked { valid, view })
}

/// Asks the other side about a code that was counted, and writes down what it says: only
/// what was counted is settled by it, and once.
///
/// # Errors
/// [`VerificationError::CheckUnavailable`] where it says nothing; the store's.
async fn settle(
    verifying: &Verifying,
    (verification, open): (&Verification, OpenCheck),
    code: &str,
    is_own: impl Fn(&Verification) -> bool,
) -> Result<(Outcome, View), VerificationError> {
    let (admission, id) = (&verifying.admission, &verification.id);
    let (answer, seconds) = elsewhere::ask(verifying, verification, &open, code).await;
    let (outcome, view) = write_told(admission, id, &open, answer, &is_own).await?;
    if outcome != Outcome::NotMine {
        return Ok((outcome, view));
    }
    if matches!(answer, Answer::Over | Answer::UsedUp) {
        // The right code that somebody else offers at this moment is not written yet.
        for wait in LOOKS {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let view = fetch(admission, id).await?;
            if view.status != Status::Pending {
                return Ok((Outcome::Ended(view.status), view));
            }
        }
    }
    Err(VerificationError::CheckUnavailable { seconds: seconds.max(1) })
}

/// Writes down what the other side said. It says so once, so a hiccup of the store is waited
/// for: only what was counted is settled, however often it is written.
async fn write_told(
    admission: &Admission,
    id: &VerificationId,
    open: &OpenCheck,
    answer: Answer,
    is_own: impl Fn(&Verification) -> bool,
) -> Result<(Outcome, View), VerificationError> {
    let told = |_: &Verification| Ok(Input::Told { open: open.clone(), answer });
    let mut waits = WRITES.into_iter();
    let mut is_repeated = false;
    loop {
        let error = match happen_and_view(admission, id, &is_own, told).await {
            // It was written, and what stands around it could not be read.
            Ok((Outcome::Ended(Status::Approved), view)) if is_repeated && answer == Answer::Right => {
                return Ok((Outcome::Approved, view));
            }
            Err(error) if is_hiccup(&error) => error,
            done => return done,
        };
        let Some(wait) = waits.next() else { return Err(error) };
        tracing::warn!(verification = %id, %error, "what was said of a code is written once more");
        tokio::time::sleep(Duration::from_millis(wait)).await;
        is_repeated = true;
    }
}

/// Whether the store may do it a moment later.
fn is_hiccup(error: &VerificationError) -> bool {
    use crate::store::StoreError;
    let passes = |error: &StoreError| matches!(error, StoreError::Overloaded | StoreError::Unavailable(_));
    match error {
        VerificationError::Fault(Fault::Contended) => true,
        VerificationError::Fault(Fault::Store(error)) => passes(error),
        _ => false,
    }
}

/// Says in the log where rules of wrong codes that refuse nobody are full. What cannot be
/// read for that is not said.
async fn tell_of_wrong_codes(admission: &Admission, verification: &Verification) {
    // Nothing of a test number counts.
    if verification.test {
        return;
    }
    let Ok(service) = find::service_of(&admission.directory, verification).await else { return };
    let (base, limiting) = (&admission.base, &admission.limiting);
    let limits = limiting.of(&service.settings.limits);
    let full = flags::full_of_wrong_codes(base, &limiting.names, &limits, &verification.to).await;
    for rule in full.unwrap_or_default() {
        tracing::warn!(verification = %verification.id, rule, "a limit of wrong codes that refuses nobody is full");
    }
}

/// Lets an event happen to a verification of the caller's, and shows it: what stands
/// around it is read while it is written. Another's is not there.
async fn happen_and_view(
    admission: &Admission,
    id: &VerificationId,
    is_own: impl Fn(&Verification) -> bool,
    input: impl Fn(&Verification) -> Result<Input, VerificationError>,
) -> Result<(Outcome, View), VerificationError> {
    let input = |verification: &Verification| match is_own(verification) {
        true => input(verification),
        false => Err(Fault::NotFound.into()),
    };
    let beside = |verification: &Verification| {
        let verification = verification.clone();
        async move { around(admission, &[&verification]).await }
    };
    let (decision, ahead) = happen_beside(admission, id, input, beside).await?;
    Ok((decision.outcome, view_from(admission, decision.verification, &ahead).await?))
}

/// Does the work of comparing an offer with a code that nobody was sent, so
/// that who asks in vain cannot tell by the time it takes.
///
/// # Errors
/// Where codes are the other side's: that it is away, as of a code that somebody was sent.
pub(in crate::app) async fn pretend_to_check(
    verifying: &Verifying,
    offered: &Offer,
) -> Result<(), VerificationError> {
    let id = VerificationId::from_random([0; 15]);
    let length = u8::try_from(offered.code.len()).unwrap_or(u8::MAX);
    let seed = verifying.codes.seed([0; 16], length);
    let matches = verifying.codes.derive(&id, &seed).map(|code| code.matches(&offered.code));
    std::hint::black_box(matches);
    elsewhere::pretend(verifying).await
}

/// A verification as it stands.
///
/// # Errors
/// Not found, or the store's.
pub async fn fetch(admission: &Admission, id: &VerificationId) -> Result<View, VerificationError> {
    let verification = happen::verification(&admission.base, id).await?.record;
    view(admission, verification).await
}

/// Calls a verification off. One that was called off stays so.
///
/// # Errors
/// Not found, ended otherwise, or the store's.
pub async fn cancel(admission: &Admission, id: &VerificationId) -> Result<View, VerificationError> {
    cancel_own(admission, id, |_| true).await
}

/// The same of one of the caller's.
pub(in crate::app) async fn cancel_own(
    admission: &Admission,
    id: &VerificationId,
    is_own: impl Fn(&Verification) -> bool,
) -> Result<View, VerificationError> {
    match happen_and_view(admission, id, is_own, |_| Ok(Input::Cancel)).await? {
        (Outcome::Ended(status), _) if status != Status::Canceled => Err(VerificationError::Ended(status)),
        (_, view) => {
            tracing::info!(verification = %id, "verification canceled");
            Ok(view)
        }
    }
}

/// Sends by itself nothing more of a verification: what does not arrive is followed by
/// nothing, and what was about to follow is dropped unless it has begun to leave.
///
/// # Errors
/// Not found, ended, or the store's.
pub async fn stay(admission: &Admission, id: &VerificationId) -> Result<View, VerificationError> {
    stay_own(admission, id, |_| true).await
}

/// The same of one of the caller's.
pub(in crate::app) async fn stay_own(
    admission: &Admission,
    id: &VerificationId,
    is_own: impl Fn(&Verification) -> bool,
) -> Result<View, VerificationError> {
    match happen_and_view(admission, id, is_own, |_| Ok(Input::Stay)).await? {
        (Outcome::Ended(status), _) => Err(VerificationError::Ended(status)),
        (_, view) => {
            tracing::info!(verification = %id, "nothing follows by itself: who waits wants nothing else");
            Ok(view)
        }
    }
}

/// Ends a verification of the caller's whose code the application chose and checked itself.
///
/// # Errors
/// Not found, ended otherwise, [`VerificationError::CodeNotChosen`], or the store's.
pub(in crate::app) async fn approve(
    admission: &Admission,
    id: &VerificationId,
    is_own: impl Fn(&Verification) -> bool,
) -> Result<View, VerificationError> {
    match happen_and_view(admission, id, is_own, |_| Ok(Input::Approve)).await? {
        (Outcome::Ended(status), _) if status != Status::Approved => Err(VerificationError::Ended(status)),
        (Outcome::CodeNotChosen, _) => Err(VerificationError::CodeNotChosen),
        (_, view) => {
            tracing::info!(verification = %id, "verification approved by the application");
            Ok(view)
        }
    }
}

fn matches(
    verifying: &Verifying,
    verification: &Verification,
    offered: &Offer,
) -> Result<bool, VerificationError> {
    let code =
        verifying.codes.derive(&verification.id, &verification.code).ok_or(VerificationError::CodeKeyGone)?;
    let bound = is_bound_so(verification, offered);
    // Of a code that nobody was sent every offer is a guess, the right one too; the work is
    // the same.
    let is_right = code.matches(&offered.code) & bound;
    Ok(is_right && !verification.is_unknown())
}

/// A code that is bound to an amount and a payee is good for them alone.
fn is_bound_so(verification: &Verification, offered: &Offer) -> bool {
    let shown = |text: &Option<String>| text.as_deref().map(wording::shown).filter(|text| !text.is_empty());
    let (details, payment) = (&verification.details, (shown(&offered.amount), shown(&offered.payee)));
    // Those of before words were made plain are compared as plainly.
    let own = (shown(&details.amount), shown(&details.payee));
    binding(&own.0, &own.1) == binding(&payment.0, &payment.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    #[test]
    fn what_passes_is_written_once_more() {
        let of_store = |error: StoreError| VerificationError::from(error);
        for (error, is_so) in [
            (VerificationError::from(Fault::Contended), true),
            (of_store(StoreError::Overloaded), true),
            (of_store(StoreError::Unavailable("away".to_owned())), true),
            (of_store(StoreError::Damaged("torn".to_owned())), false),
            (VerificationError::from(Fault::NotFound), false),
        ] {
            assert_eq!(is_hiccup(&error), is_so, "{error:?}");
        }
    }
}
