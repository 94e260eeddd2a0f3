"""What schemathesis must know of this API beyond its description.

Loaded by schemathesis (SCHEMATHESIS_HOOKS); knows nothing of the server but
what /openapi.json says.
"""

import uuid

import schemathesis
from schemathesis.specs.openapi import checks

# Who offers many wrong keys has to wait: that too is a refusal, and the only 429
# of a server without a limit per key.
checks.AUTH_REJECTION_STATUSES |= {429}

# Refused for what they mean, though their form is right. What has the right
# form is `invalid_request` only where there are rules that a schema cannot say:
# letters that differ, a length in bytes, a name that is more than spaces, a
# sender where there is none.
MEANING = {
    "invalid_number",
    "invalid_code",
    "invalid_cursor",
    "channel_not_offered",
    "country_not_offered",
    "no_channel",
    "not_allowed",
    "recipient_opted_out",
    "service_not_found",
}
# A language is refused for the texts that there are, in every operation.
FREE_FIELDS = {"locale"}
# Whom an entry names is one of four fields, and what stands there is read by its own rules.
BLOCKS = {"createBlock", "listBlocks", "searchBlocks"}
FREE_RULES = {"createService", "changeService", "createKey", "createSession", "setOptOut"} | BLOCKS


@schemathesis.hook
def before_call(context, case, kwargs):
    """A good Idempotency-Key is made a new one: the same key with another
    request is refused, and with the same it names what may be gone by now."""
    for name, value in list((case.headers or {}).items()):
        good = isinstance(value, str) and 0 < len(value) <= 255 and all("!" <= c <= "~" for c in value)
        if name.lower() == "idempotency-key" and good:
            case.headers[name] = f"{value[:100]}-{uuid.uuid4()}"


@schemathesis.check
def the_form_is_enough(ctx, response, case):
    """What fits the description is never refused for its form."""
    positive = case.meta is not None and case.meta.generation.mode.is_positive
    if response.status_code != 422 or not positive:
        return
    code = response.json()["code"]
    if code == "invalid_request" and response.json().get("field") in FREE_FIELDS:
        return
    allowed = MEANING | ({"invalid_request"} if case.operation.definition.raw["operationId"] in FREE_RULES else set())
    assert code in allowed, f"the form was right and the answer is {code}: {response.json()['detail']}"


@schemathesis.check
def every_problem_is_one(ctx, response, case):
    """Everything that went wrong is a problem document with a known code."""
    if response.status_code < 400:
        return
    content_type = response.headers["content-type"][0]
    assert content_type == "application/problem+json", content_type
    problem = response.json()
    assert problem["status"] == response.status_code, problem
    assert problem["type"] == "urn:dialback:problem:" + problem["code"].replace("_", "-"), problem
