//! Whether the codes of a service prove anything: how easily one is guessed, and
//! for how long it may be found. Who may allow weaker ones is not known here.

use super::{Complaint, Settings, bad};
use serde_json::json;

/// From which likelihood of a guess on a verification proves nothing: twice that of
/// the weakest that the compatible API has, five checks of four digits.
pub const GUESSABLE: f64 = 0.001;

/// How long a code may live, in seconds, without being found by others.
pub const LONGEST_LIFE: u32 = 3600;

impl Settings {
    /// How likely somebody who knows nothing guesses a code within its checks.
    pub fn guess(&self) -> f64 {
        let codes = (self.code_alphabet.len() as f64).powi(i32::from(self.code_length));
        f64::from(self.max_checks) / codes
    }

    /// What makes its codes prove nothing: that they can be guessed, or live too
    /// long.
    pub fn weaknesses(&self, may_be_guessable: bool, may_live_long: bool) -> Vec<Complaint> {
        let mut all = Vec::new();
        if !may_be_guessable && self.guess() >= GUESSABLE {
            let one_in = format!("{:.0}", 1.0 / self.guess());
            let what = format!(
                "with {} checks lets one guesser in {one_in} in: take longer codes or fewer checks; only \
                 verification.allow_guessable_codes in the configuration allows it",
                self.max_checks
            );
            let value = json!([self.code_alphabet, self.code_length, self.max_checks]);
            all.push(Complaint { wrong: bad("code_length", what), value });
        }
        if !may_live_long && self.lifetime_seconds > LONGEST_LIFE {
            let what = "is 3600 at most unless verification.allow_long_life in the configuration allows it";
            all.push(self.complaint(bad("lifetime_seconds", what)));
        }
        all
    }
}
