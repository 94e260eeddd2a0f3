//! A language is one that there are texts in: whoever asks for another would find out
//! from people who cannot read theirs.

use super::{OfRequest, Rule};
use crate::app::admission::finding::Finding;
use crate::app::admission::request::Request;

pub(super) const RULE: OfRequest = Rule { name: "language", code: "invalid_request", judge };

fn judge(request: &Request<'_>) -> Option<Finding> {
    request.language.clone().map(|wrong| Finding::never(wrong.into()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, found};
    use super::RULE;
    use crate::model::service::BadSetting;

    #[test]
    fn a_language_has_texts() {
        let wrong = BadSetting { field: "locale".into(), what: "has no texts".into() };
        for (language, finds) in [(None, ""), (Some(wrong), "locale: has no texts")] {
            let case = Case::of(|_| ());
            let mut request = case.request();
            request.language = language;
            assert_eq!(found((RULE.judge)(&request)), finds);
        }
    }
}
