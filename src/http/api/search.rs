//! Lists asked for by POST: the same filters as of the GET, in a body. What stands in
//! a URL is kept by proxies, browsers and logs, and a filter may be somebody's number.

use super::operation::{Answer, Body, Call, Operation, Repeats};

/// The search beside a list.
pub const fn of(list: &Operation, id: &'static str, summary: &'static str) -> Operation {
    Operation {
        method: "POST",
        id,
        tag: list.tag,
        summary,
        about: "As the list, with its filters in the body instead of the URL, where a number would be kept by logs. The next page is asked for with `next_cursor` and the same filters.",
        scope: list.scope,
        path: &[],
        query: &[],
        body: Body::Optional(list.query),
        answer: Answer { ..list.answer },
        problems: list.problems,
        repeats: Repeats::OnlyReads,
    }
}

/// A call to a search as one to its list.
pub fn as_list(mut call: Call) -> Call {
    call.query = std::mem::take(&mut call.body);
    // A page's address is no way to the next one here.
    call.is_linked = false;
    call
}
