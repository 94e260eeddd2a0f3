"""Messaging services, contents, permissions and limits by Twilio's Python library.

    python python_services.py SANDBOX ACCOUNT TOKEN
"""

import hashlib
import json
import sys
import time
import urllib.request

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client
from twilio.rest.content.v1.content import ContentList
from twilio.rest.content.v1.content.approval_create import ApprovalCreateList

base, account, token = sys.argv[1:4]
TO, FROM = "+447700900123", "+15005550006"

client = Client(account, token)
for product in ("api", "messaging", "content", "accounts", "voice"):
    getattr(client, product).base_url = base


def expect(what, found, wanted):
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"


def refused(status, code, call):
    try:
        call()
    except TwilioRestException as error:
        return expect(f"refusal by {code}", (error.status, error.code), (status, code))
    raise AssertionError(f"not refused by {code}")


def until(what, found):
    for _ in range(600):
        if found():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} never came")


def control(path, document):
    request = urllib.request.Request(f"{base}/sandbox/{path}", json.dumps(document).encode(), method="PUT")
    urllib.request.urlopen(request).read()


def number_sid():
    """The SID of the number that is always there: as listed, or made of the seed."""
    try:
        found = client.incoming_phone_numbers.list(phone_number=FROM)
        if found:
            return found[0].sid
    except TwilioException:
        pass
    digest = hashlib.sha256((1).to_bytes(8, "big") + b"PN" + FROM.encode()).hexdigest()
    return f"PN{digest[:32]}"


# A service, its pool, and a message by it.
service = client.messaging.v1.services.create(friendly_name="sdk", sticky_sender=True, validity_period=600)
expect("service", (service.friendly_name, service.validity_period), ("sdk", 600))
pool = client.messaging.v1.services(service.sid)
refused(400, 21704, lambda: client.messages.create(to=TO, messaging_service_sid=service.sid, body="x"))
name = pool.alpha_senders.create(alpha_sender="Dialback")
refused(400, 21703, lambda: client.messages.create(to="+12125550123", messaging_service_sid=service.sid, body="x"))
number = pool.phone_numbers.create(phone_number_sid=number_sid())
expect("number", (number.phone_number, number.country_code), (FROM, "US"))
refused(409, 21710, lambda: pool.phone_numbers.create(phone_number_sid=number.sid))
text = client.messages.create(to=TO, messaging_service_sid=service.sid, body="hello")
expect("accepted", (text.status, text.from_), ("accepted", None))
until("delivery", lambda: client.messages(text.sid).fetch().status == "delivered")
expect("a name writes", client.messages(text.sid).fetch().from_, "Dialback")
expect("pool", [s.sid for s in pool.alpha_senders.list()], [name.sid])
expect("fetched", pool.phone_numbers(number.sid).fetch().phone_number, FROM)
expect("none", (pool.short_codes.list(), pool.channel_senders.list()), ([], []))
expect("away", pool.alpha_senders(name.sid).delete(), True)
expect("listed", service.sid in [s.sid for s in client.messaging.v1.services.list()], True)
expect("renamed", pool.update(friendly_name="other").friendly_name, "other")
expect("usecases", len(client.messaging.v1.usecases.fetch().usecases) > 0, True)
expect("deleted", pool.delete(), True)
refused(404, 20404, pool.fetch)

# A content, its approval, and a message of it.
wanted = {
    "friendly_name": "sdk",
    "language": "en",
    "variables": {"1": "000000"},
    "types": {"twilio/text": {"body": "{{1}} is your code"}},
}
content = client.content.v1.contents.create(ContentList.ContentCreateRequest(wanted))
expect("content", (content.language, content.types), ("en", wanted["types"]))
approval = client.content.v1.contents(content.sid).approval_create.create(
    ApprovalCreateList.ContentApprovalRequest({"name": "sdk", "category": "AUTHENTICATION"})
)
expect("submitted", approval.status, "received")
found = client.content.v1.contents(content.sid).approval_fetch().fetch()
expect("approved", found.whatsapp["status"], "approved")
text = client.messages.create(to=TO, from_=FROM, content_sid=content.sid, content_variables='{"1":"0421"}')
expect("words", text.body, "0421 is your code")
expect("contents", content.sid in [c.sid for c in client.content.v1.contents.list()], True)
expect("both", content.sid in [c.sid for c in client.content.v1.content_and_approvals.list()], True)
expect("content away", client.content.v1.contents(content.sid).delete(), True)
refused(404, 20404, client.content.v1.contents(content.sid).fetch)

# Where it may write to and call.
safe = client.accounts.v1.safelist.create(phone_number="+37121234567")
expect("safe", client.accounts.v1.safelist.fetch(phone_number="+37121234567").sid, safe.sid)
expect("safe away", client.accounts.v1.safelist.delete(phone_number="+37121234567"), True)
dialing = client.voice.v1.dialing_permissions
latvia = [{"iso_code": "LV", "low_risk_numbers_enabled": "false"}]
expect("bulk", dialing.bulk_country_updates.create(update_request=json.dumps(latvia)).update_count, 1)
expect("off", dialing.countries("LV").fetch().low_risk_numbers_enabled, False)
expect("prefixes", len(dialing.countries("LV").highrisk_special_prefixes.list()), 2)
expect("europe", "LV" in [c.iso_code for c in dialing.countries.list(continent="EUROPE")], True)
expect("inheritance", dialing.settings().fetch().dialing_permissions_inheritance, False)
refused(400, 21215, lambda: client.calls.create(to="+37121234567", from_=FROM, twiml="<Response/>"))
control("permissions/LV", {"messages": False})
refused(400, 21408, lambda: client.messages.create(to="+37121234567", from_=FROM, body="x"))

# A trial account.
control("limits", {"profile": "trial"})
refused(400, 21608, lambda: client.messages.create(to=TO, from_=FROM, body="x"))
refused(400, 21219, lambda: client.calls.create(to=TO, from_=FROM, twiml="<Response/>"))
control("limits", {"profile": "trial", "verified": [TO]})
text = client.messages.create(to=TO, from_=FROM, body="x")
expect("trial", text.body, "Sent from your Twilio trial account - x")
control("limits", {})

print("python: the sandbox has services, contents, permissions and limits")
