"""Drives the sandbox with Twilio's own Python library, unmodified.

Usage: python_sandbox.py BASE_URL ACCOUNT_SID AUTH_TOKEN
Exit code 0 when everything is as Twilio would have it.
"""

import json
import sys
import time
import urllib.request
from datetime import datetime, timezone

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

base, account, token = sys.argv[1:4]
client = Client(account, token)
client.api.base_url = base

FROM, TO = "+15005550006", "+15551230001"


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")


def refused(status, code, call):
    try:
        call()
    except TwilioRestException as error:
        expect(f"status of {code}", error.status, status)
        expect("code", error.code, code)
        return error
    except TwilioException as error:
        # Pages are fetched by another road, which keeps the response as it is.
        expect(f"document of {code}", f'"code":{code}' in str(error), True)
        return error
    sys.exit(f"{code} was expected and nothing was refused")


def until(what, look, seconds=90):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if look():
            return
        time.sleep(0.05)
    sys.exit(f"{what} did not come about in {seconds} s")


# Messages: create, fetch, follow, redact, delete.
message = client.messages.create(to=TO, from_=FROM, body="It's 0421 & more, naïvely")
expect("status", message.status, "queued")
expect("direction", message.direction, "outbound-api")
expect("segments", message.num_segments, "1")
expect("media", message.num_media, "0")
expect("error", message.error_code, None)
expect("sent", message.date_sent, None)
expect("created", message.date_created.tzinfo is not None, True)
expect("recent", abs((datetime.now(timezone.utc) - message.date_created).total_seconds()) < 60, True)
expect("uri", message.uri, f"/2010-04-01/Accounts/{account}/Messages/{message.sid}.json")
until("delivery", lambda: client.messages(message.sid).fetch().status == "delivered")
fetched = client.messages(message.sid).fetch()
expect("body", fetched.body, "It's 0421 & more, naïvely")
expect("sent", fetched.date_sent is not None, True)
expect("redacted", client.messages(message.sid).update(body="").body, "")
expect("feedback", client.messages(message.sid).feedback.create(outcome="confirmed").outcome, "confirmed")

# Lists and pages: the library follows next_page_uri by itself.
OTHER = f"+1555{time.time_ns() // 1_000_000 % 10**7:07d}"
sids = [client.messages.create(to=OTHER, from_=FROM, body=f"number {n}").sid for n in range(7)]
listed = [m.sid for m in client.messages.list(to=OTHER, page_size=3)]
expect("list", listed, sids[::-1])
expect("limit", len(client.messages.list(to=OTHER, limit=2)), 2)
expect("after", len(client.messages.list(to=OTHER, date_sent_after=datetime(2020, 1, 1))), 7)
expect("before", len(client.messages.list(to=OTHER, date_sent_before=datetime(2020, 1, 1))), 0)
first = client.messages.page(to=OTHER, page_size=3)
second = first.next_page()
expect("page", [m.sid for m in second], sids[::-1][3:6])
expect("page back", [m.sid for m in second.previous_page()], sids[::-1][:3])
until("its delivery", lambda: client.messages(sids[0]).fetch().status == "delivered")
expect("deleted", client.messages(sids[0]).delete(), True)
refused(404, 20404, client.messages(sids[0]).fetch)

# A messaging service picks the sender later.
by_service = client.messages.create(to=TO, messaging_service_sid="MG" + "a" * 32, body="hi")
expect("accepted", by_service.status, "accepted")
expect("no sender yet", by_service.from_, None)
until("a sender", lambda: client.messages(by_service.sid).fetch().from_ is not None)

# WhatsApp: a template goes out at any time, free text after the person wrote.
CHAT, CODE_TEMPLATE = f"whatsapp:{TO}", "HX6469616c6261636b2073616e64626f78"
WORDS = "*0421* is your verification code. For your security, do not share this code."
by_template = client.messages.create(
    to=CHAT, from_=f"whatsapp:{FROM}", content_sid=CODE_TEMPLATE, content_variables='{"1": "0421"}'
)
expect("template", (by_template.status, by_template.body, by_template.to), ("queued", WORDS, CHAT))
until("WhatsApp", lambda: client.messages(by_template.sid).fetch().status == "delivered")
free = client.messages.create(to=CHAT, from_=f"whatsapp:{FROM}", body="free text")
until("the window", lambda: client.messages(free.sid).fetch().status == "failed")
expect("the window", client.messages(free.sid).fetch().error_code, 63016)
expect("chat", [m.sid for m in client.messages.list(to=CHAT, limit=2)], [free.sid, by_template.sid])
refused(400, 21910, lambda: client.messages.create(to=CHAT, from_=FROM, body="x"))
refused(400, 63007, lambda: client.messages.create(to=CHAT, from_="whatsapp:+15005550007", body="x"))
refused(
    400,
    21656,
    lambda: client.messages.create(
        to=CHAT, from_=f"whatsapp:{FROM}", content_sid=CODE_TEMPLATE, content_variables="{"
    ),
)

# What Twilio refuses.
refused(400, 21211, lambda: client.messages.create(to="+15005550001", from_=FROM, body="x"))
refused(400, 21612, lambda: client.messages.create(to="+15005550002", from_=FROM, body="x"))
refused(400, 21408, lambda: client.messages.create(to="+15005550003", from_=FROM, body="x"))
refused(400, 21610, lambda: client.messages.create(to="+15005550004", from_=FROM, body="x"))
refused(400, 21614, lambda: client.messages.create(to="+15005550009", from_=FROM, body="x"))
refused(400, 21212, lambda: client.messages.create(to=TO, from_="+15005550001", body="x"))
refused(400, 21606, lambda: client.messages.create(to=TO, from_="+15005550007", body="x"))
refused(400, 21611, lambda: client.messages.create(to=TO, from_="+15005550008", body="x"))
refused(400, 21603, lambda: client.messages.create(to=TO, body="x"))
refused(400, 21602, lambda: client.messages.create(to=TO, from_=FROM))
refused(400, 21617, lambda: client.messages.create(to=TO, from_=FROM, body="x" * 1601))
refused(400, 90007, lambda: client.messages.create(to=TO, from_=FROM, body="x", validity_period=36001))
refused(400, 21609, lambda: client.messages.create(to=TO, from_=FROM, body="x", status_callback="nowhere"))
refused(400, 20007, lambda: client.messages.page(page_size=1001))
error = refused(404, 20404, client.messages("SM" + "0" * 32).fetch)
expect("text", f"Messages/SM{'0' * 32}.json was not found" in error.msg, True)
stranger = Client(account, "wrong")
stranger.api.base_url = base
refused(401, 20003, stranger.messages.list)

# Calls: create, fetch, list, cancel, complete.
TWIML = "<Response><Say>Hello</Say></Response>"
call = client.calls.create(to=TO, from_=FROM, twiml=TWIML, timeout=30, status_callback_event=["initiated", "completed"])
expect("call", call.status, "queued")
expect("subresources", "recordings" in call.subresource_uris, True)
until("ringing", lambda: client.calls(call.sid).fetch().status == "ringing")
expect("ringing list", [c.sid for c in client.calls.list(status="ringing", to=TO)], [call.sid])
expect("canceled", client.calls(call.sid).update(status="canceled").status, "canceled")
until("cancellation", lambda: client.calls(call.sid).fetch().status == "canceled")
refused(400, 21220, lambda: client.calls(call.sid).update(twiml=TWIML))
refused(400, 21205, lambda: client.calls.create(to=TO, from_=FROM))
refused(400, 21214, lambda: client.calls.create(to="+15005550002", from_=FROM, twiml=TWIML))
refused(400, 21215, lambda: client.calls.create(to="+15005550003", from_=FROM, twiml=TWIML))
refused(400, 21216, lambda: client.calls.create(to="+15005550004", from_=FROM, twiml=TWIML))
refused(400, 21210, lambda: client.calls.create(to=TO, from_="+15005550007", twiml=TWIML))
expect("call deleted", client.calls(call.sid).delete(), True)
refused(404, 20404, client.calls(call.sid).fetch)

# Accounts: the main one makes others, which have what is theirs alone.
client.accounts.base_url = client.iam.base_url = base
below = client.api.accounts.create(friendly_name="sdk")
expect("sub-account", (below.status, below.type, below.owner_account_sid), ("active", "Full", account))
expect("found by name", [a.sid for a in client.api.accounts.list(friendly_name="sdk")], [below.sid])
theirs = Client(below.sid, below.auth_token)
theirs.api.base_url = theirs.accounts.base_url = theirs.iam.base_url = base
text = theirs.messages.create(to=TO, from_=FROM, body="below")
expect("its account", text.account_sid, below.sid)
until("its delivery", lambda: theirs.messages(text.sid).fetch().status == "delivered")
refused(404, 20404, client.messages(text.sid).fetch)
expect("from above", client.api.accounts(below.sid).messages(text.sid).fetch().sid, text.sid)
refused(401, 20003, lambda: theirs.api.accounts(account).fetch())
from_above = Client(account, token, below.sid)
from_above.api.base_url = base
expect("by a third parameter", [m.sid for m in from_above.messages.list()], [text.sid])

# Second tokens, and keys in both forms.
second = theirs.accounts.v1.secondary_auth_token().create()
expect("second", (second.account_sid, second.date_created is not None), (below.sid, True))
expect("second away", theirs.accounts.v1.secondary_auth_token().delete(), True)
second = theirs.accounts.v1.secondary_auth_token().create()
promoted = theirs.accounts.v1.auth_token_promotion().update()
expect("promoted", promoted.auth_token, second.secondary_auth_token)
refused(401, 20003, lambda: theirs.messages(text.sid).fetch())
key = client.new_keys.create(friendly_name="old form")
by_key = Client(key.sid, key.secret, account)
by_key.api.base_url = base
expect("a key opens", by_key.api.accounts(account).fetch().sid, account)
expect("key", client.keys(key.sid).fetch().friendly_name, "old form")
expect("renamed", client.keys(key.sid).update(friendly_name="x").friendly_name, "x")
for n in range(3):
    client.iam.v1.new_api_key.create(account_sid=account, friendly_name=f"new form {n}")
listed = client.iam.v1.get_api_keys.list(account_sid=account, page_size=2)
expect("keys by pages", len(listed), len(client.keys.list()))
expect("newer key", client.iam.v1.api_key(listed[0].sid).fetch().friendly_name, "new form 2")
for k in listed:
    expect("key away", client.iam.v1.api_key(k.sid).delete(), True)
refused(401, 20003, lambda: by_key.api.accounts(account).fetch())

# Money: what it costs is said a few seconds later.
moved = urllib.request.Request(f"{base}/sandbox/clock", json.dumps({"advance_seconds": 5}).encode(), method="POST")
urllib.request.urlopen(moved).close()
balance = client.balance.fetch()
expect("balance", (balance.account_sid, balance.currency, 0 < float(balance.balance) < 100), (account, "USD", True))
records = client.usage.records.list(category="sms-outbound")
expect("usage", (records[0].count_unit, int(records[0].count) > 0, records[0].price > 0), ("messages", True, True))
for period in ("all_time", "daily", "last_month", "monthly", "this_month", "today", "yearly", "yesterday"):
    found = getattr(client.usage.records, period).list(category="totalprice")
    expect(period, found[0].category, "totalprice")

# Numbers: found, bought, told where to go, moved, released.
free = client.available_phone_numbers("US").local.list(area_code=559, sms_enabled=True, limit=2)
expect("free", [n.phone_number[:5] for n in free], ["+1559", "+1559"])
expect("countries", "GB" in [c.country_code for c in client.available_phone_numbers.list()], True)
mine = client.incoming_phone_numbers.create(phone_number=free[0].phone_number, sms_url="https://example.com/sms")
expect("bought", (mine.phone_number, mine.type, mine.capabilities["sms"]), (free[0].phone_number, "local", True))
refused(400, 21422, lambda: client.incoming_phone_numbers.create(phone_number=mine.phone_number))
[found] = client.incoming_phone_numbers.list(phone_number=mine.phone_number)
told = client.incoming_phone_numbers(found.sid).update(sms_method="POST", sms_url="https://example.com/twilio/callback")
expect("told", (told.sms_url, told.sms_method), ("https://example.com/twilio/callback", "POST"))
expect("the sender", [n.phone_number for n in client.incoming_phone_numbers.list(phone_number=FROM)], [FROM])
free_toll = client.available_phone_numbers("US").toll_free.list(limit=1)[0].phone_number
toll_free = client.incoming_phone_numbers.toll_free.create(phone_number=free_toll)
expect("toll-free", [n.sid for n in client.incoming_phone_numbers.toll_free.list()], [toll_free.sid])
expect("moved", client.incoming_phone_numbers(toll_free.sid).update(account_sid=below.sid).account_sid, below.sid)
there = client.api.accounts(below.sid).incoming_phone_numbers
expect("theirs", [n.sid for n in there.list()], [toll_free.sid])
expect("released", client.incoming_phone_numbers(mine.sid).delete(), True)
refused(404, 20404, lambda: client.incoming_phone_numbers(mine.sid).fetch())
asked = client.validation_requests.create(phone_number=f"+1415556{time.time_ns() // 1_000_000 % 10**4:04d}")
expect("validation", (len(asked.validation_code), asked.call_sid[:2]), (6, "CA"))
expect("short codes", client.short_codes.list(), [])

# What a status does.
expect("suspended", client.api.accounts(below.sid).update(status="suspended").status, "suspended")
refused(401, 20005, lambda: client.api.accounts(below.sid).messages.create(to=TO, from_=FROM, body="x"))
expect("active", client.api.accounts(below.sid).update(status="active").status, "active")
expect("closed", client.api.accounts(below.sid).update(status="closed").status, "closed")
refused(400, 20001, lambda: client.api.accounts(below.sid).update(status="active"))

# What is known of numbers, what they cost, and where events go.
client.lookups.base_url = client.pricing.base_url = client.events.base_url = base
found = client.lookups.v2.phone_numbers("+14159929960").fetch(fields="line_type_intelligence")
expect("looked up", (found.valid, found.line_type_intelligence["type"], found.sim_swap), (True, "mobile", None))
expect("invalid", client.lookups.v2.phone_numbers("+1415").fetch().valid, False)
older = client.lookups.v1.phone_numbers("+14159929960").fetch(type=["carrier"])
expect("looked up before", (older.carrier["type"], older.caller_name), ("mobile", None))
refused(404, 20404, lambda: client.lookups.v1.phone_numbers("+1415").fetch())
german = client.pricing.v1.messaging.countries("DE").fetch()
expect("pricing", (german.country, german.price_unit), ("Germany", "USD"))
expect("countries", len(client.pricing.v2.voice.countries.list(limit=60, page_size=20)) > 50, True)
sink = client.events.v1.sinks.create(
    description="tests", sink_type="webhook", sink_configuration={"destination": "http://127.0.0.1:9/"})
expect("sink", client.events.v1.sinks(sink.sid).fetch().status, "initialized")
kinds = [{"type": "com.twilio.messaging.message.sent", "schema_version": 1}]
subscription = client.events.v1.subscriptions.create(description="tests", sink_sid=sink.sid, types=kinds)
subscribed = client.events.v1.subscriptions(subscription.sid).subscribed_events.list()
expect("subscribed", [one.type for one in subscribed], ["com.twilio.messaging.message.sent"])
expect("unsubscribed", client.events.v1.subscriptions(subscription.sid).delete(), True)
expect("no sink", client.events.v1.sinks(sink.sid).delete(), True)
expect("recordings", client.recordings.list(), [])

print("python: the sandbox is a Twilio")
