"""Drives the server with Twilio's own Python library, unmodified, as an
application drives Twilio Verify: only the base URL is another one.

Usage: python_verify.py BASE_URL SANDBOX_URL ACCOUNT_SID KEY TOKEN
Exit code 0 when everything is as Twilio would have it.
"""

import json
import re
import sys
import time
import urllib.request
from datetime import datetime, timedelta, timezone

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

base, sandbox, account, key, token = sys.argv[1:6]
client = Client(account, key)
client.verify.base_url = base
verify = client.verify.v2


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")


def refused(status, code, call):
    try:
        call()
    except TwilioRestException as error:
        expect(f"status of {code} ({error})", error.status, status)
        expect(f"code ({error})", error.code, code)
        return error
    except TwilioException as error:
        # Pages are fetched by another road, which keeps the response as it is.
        expect(f"document of {code} ({error})", f'"code":{code}' in str(error), True)
        return error
    sys.exit(f"{code} was expected and nothing was refused")


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"{sandbox}/sandbox{path}", data=data) as answer:
        return json.loads(answer.read() or "null")


def code_of(number, count, pattern=r"(?<!\d)\d{6}(?!\d)"):
    """The code in the newest text of a telephone that has so many."""
    for _ in range(600):
        texts = control(f"/phones/{number}/messages?wait=1")
        found = re.search(pattern, texts[-1]["body"]) if len(texts) >= count else None
        if found:
            return found.group()
        time.sleep(0.1)
    sys.exit(f"{count} texts did not come")


def advance(seconds):
    control("/clock", {"advance_seconds": seconds})


# A service: made, looked at, listed, changed.
service = verify.services.create(
    friendly_name="Owl Bank",
    code_length=6,
    lookup_enabled=True,
    do_not_share_warning_enabled=True,
    custom_code_enabled=True,
    tts_name="Aul Bank",
    push_include_date=True,
    totp_issuer="Owl",
    totp_time_step=40,
    totp_code_length=8,
    totp_skew=2,
    passkeys_relying_party_id="owl.example.com",
    passkeys_relying_party_origins="a.example.com,b.example.com",
    passkeys_user_verification="preferred",
    verify_event_subscription_enabled=True,
)
expect("account", service.account_sid, account)
expect("name", service.friendly_name, "Owl Bank")
expect("tts name", service.tts_name, "Aul Bank")
expect("lookup", service.lookup_enabled, True)
expect("do not share", service.do_not_share_warning_enabled, True)
expect("custom code", service.custom_code_enabled, True)
expect("psd2", service.psd2_enabled, False)
expect("totp", service.totp, {"issuer": "Owl", "time_step": 40, "code_length": 8, "skew": 2})
expect("push", service.push["include_date"], True)
expect("passkeys", service.passkeys["relying_party"]["origins"], ["a.example.com", "b.example.com"])
expect("events", service.verify_event_subscription_enabled, True)
expect("recent", abs((datetime.now(timezone.utc) - service.date_created).total_seconds()) < 3600, True)
expect("url", service.url, f"{base}/v2/Services/{service.sid}")
expect("link", service.links["verification_checks"], f"{service.url}/VerificationCheck")
expect("fetched", verify.services(service.sid).fetch().friendly_name, "Owl Bank")
changed = service.update(friendly_name="Owl Shop", tts_name="", dtmf_input_required=False, code_length=8)
expect("changed name", changed.friendly_name, "Owl Shop")
expect("no tts name", changed.tts_name, None)
expect("no key", changed.dtmf_input_required, False)
expect("code length", changed.code_length, 8)
expect("kept", changed.totp["skew"], 2)
service.update(code_length=6, dtmf_input_required=True)

others = [verify.services.create(friendly_name=f"Page {n}").sid for n in range(7)]
sids = [listed.sid for listed in verify.services.list(page_size=3)]
expect("list", sids[:8], others[::-1] + [service.sid])
expect("limit", len(verify.services.list(limit=2)), 2)
first = verify.services.page(page_size=3)
second = first.next_page()
expect("page", [listed.sid for listed in second], sids[3:6])
expect("page back", [listed.sid for listed in second.previous_page()], sids[:3])
expect("deleted", verify.services(others[0]).delete(), True)
refused(404, 20404, verify.services(others[0]).fetch)
refused(400, 20007, lambda: verify.services.page(page_size=1001))
refused(400, 60200, lambda: verify.services.create(friendly_name="call 1234567"))
refused(400, 60200, lambda: verify.services.create(friendly_name="x", code_length=11))
refused(400, 60200, lambda: verify.services.create(friendly_name="x", totp_skew=9))
of_the_file = verify.services.list()[-1]
error = refused(403, 20006, lambda: of_the_file.update(friendly_name="Other"))
expect("where it is set", "configuration file" in error.msg, True)
refused(403, 20006, of_the_file.delete)

# A verification: begun, sent again by other ways, checked wrongly, then rightly.
TO = "+15551239001"
own = verify.services(service.sid)
started = own.verifications.create(
    to=TO, channel="sms", locale="de", app_hash="He42w354ol9", device_ip="192.0.2.7",
    risk_check="enable", tags='{"order":"7"}', custom_friendly_name="Owl & Söhne",
    channel_configuration={"from": "owl@example.com"},
)
expect("status", (started.status, started.valid, started.channel, started.to), ("pending", False, "sms", TO))
expect("lookup", started.lookup, {})
expect("attempt", started.send_code_attempts[0]["channel"], "SMS")
expect("attempt's name", started.send_code_attempts[0]["attempt_sid"][:2], "VL")
code = code_of(TO, 1)
body = control(f"/phones/{TO}/messages")[-1]["body"]
expect("words of the request", "Owl & Söhne" in body and "He42w354ol9" in body, True)
again = own.verifications.create(to=TO, channel="auto")
expect("the same", again.sid, started.sid)
expect("sent twice", [sent["channel"] for sent in again.send_code_attempts], ["SMS", "SMS"])
expect("the same code", code_of(TO, 2), code)
called = own.verifications.create(to=TO, channel="call", send_digits="12#")
expect("called", called.send_code_attempts[2]["channel"], "CALL")
expect("by sid", own.verifications(started.sid).fetch().status, "pending")
expect("by number", own.verifications(TO).fetch().sid, started.sid)
wrong = own.verification_checks.create(to=TO, code="000000" if code != "000000" else "000001")
expect("wrong", (wrong.status, wrong.valid, wrong.sna_attempts_error_codes), ("pending", False, []))
right = own.verification_checks.create(verification_sid=started.sid, code=code)
expect("right", (right.status, right.valid, right.sid), ("approved", True, started.sid))
gone = refused(404, 20404, lambda: own.verification_checks.create(to=TO, code=code))
expect("gone", f"/Services/{service.sid}/VerificationCheck was not found" in gone.msg, True)
never = refused(404, 20404, lambda: own.verification_checks.create(to="+15551239099", code=code))
expect("gone and never look alike", gone.msg, never.msg)
refused(404, 20404, own.verifications(started.sid).fetch)

# Called off, approved by the application, expired.
second = own.verifications.create(to=TO, channel="sms")
expect("anew", second.sid != started.sid, True)
expect("canceled", second.update(status="canceled").status, "canceled")
refused(404, 20404, own.verifications(TO).fetch)
third = own.verifications.create(to=TO, channel="sms", custom_code="Q7x9")
# The one that was called off may or may not have been sent before.
expect("own code", code_of(TO, 3, r"\bQ7x9\b"), "Q7x9")
approved = own.verifications(third.sid).update(status="approved")
expect("approved", (approved.status, approved.valid), ("approved", True))
# Another number: the first has had the texts of an hour.
LATE = "+15551239004"
fourth = own.verifications.create(to=LATE, channel="sms")
advance(601)
refused(404, 20404, lambda: own.verification_checks.create(to=LATE, code="123456"))

# The limits of a verification.
LIMITED = "+15551239002"
for _ in range(5):
    own.verifications.create(to=LIMITED, channel="sms")
error = refused(429, 60203, lambda: own.verifications.create(to=LIMITED, channel="sms"))
expect("max sends", error.msg.endswith("Max send attempts reached"), True)
code = code_of(LIMITED, 5)
guess = "111111" if code != "111111" else "222222"
for _ in range(5):
    expect("guess", own.verification_checks.create(to=LIMITED, code=guess).valid, False)
error = refused(429, 60202, lambda: own.verification_checks.create(to=LIMITED, code=code))
expect("max checks", error.msg.endswith("Max check attempts reached"), True)
refused(429, 60202, lambda: own.verifications.create(to=LIMITED, channel="sms"))

# WhatsApp, whose telephone is the same.
WRITER = "+15551239105"
written = own.verifications.create(to=WRITER, channel="whatsapp")
expect("written", (written.channel, written.send_code_attempts[0]["channel"]), ("whatsapp", "WHATSAPP"))
expect("read", own.verification_checks.create(to=WRITER, code=code_of(WRITER, 1)).valid, True)

# What cannot be.
create = own.verifications.create
error = refused(400, 60200, lambda: create(to="123", channel="sms"))
expect("names To", "Invalid parameter `To`" in error.msg, True)
refused(400, 60200, lambda: create(to=TO, channel="pigeon"))
error = refused(403, 60223, lambda: create(to="owl@example.com", channel="email"))
expect("disabled", error.msg.endswith("Delivery channel disabled: EMAIL"), True)
refused(403, 60223, lambda: create(to=TO, channel="sna"))
refused(400, 60200, lambda: create(to=TO, channel="sms", custom_code="123"))
refused(400, 60200, lambda: create(to=TO, channel="sms", tags="[]"))
refused(404, 60229, lambda: create(to=TO, channel="sms", locale="tlh"))
refused(404, 60228, lambda: create(to=TO, channel="sms", template_sid="HJ" + "0" * 32))
refused(403, 60204, lambda: create(to=TO, channel="sms", amount="1 €", payee="Acme"))
refused(400, 60221, lambda: own.verification_checks.create(code="123456"))
refused(400, 60200, lambda: own.verification_checks.create(to=TO, code="123"))
refused(400, 60200, lambda: own.verifications(TO).update(status="pending"))
refused(404, 20404, lambda: verify.services("VA" + "0" * 32).verifications.create(to=TO, channel="sms"))

# A payment: the code dies when it changes.
PAYER = "+15551239003"
bank = verify.services(verify.services.create(friendly_name="Bank", psd2_enabled=True).sid)
refused(400, 60206, lambda: bank.verifications.create(to=PAYER, channel="sms", amount="39.99 €"))
refused(400, 60214, lambda: bank.verifications.create(to=PAYER, channel="call", amount="1", payee="Acme"))
paid = bank.verifications.create(to=PAYER, channel="sms", amount="39.99 €", payee="Acme & Co")
expect("amount", (paid.amount, paid.payee), ("39.99 €", "Acme & Co"))
code = code_of(PAYER, 1)
other = bank.verification_checks.create(to=PAYER, code=code, amount="99.99 €", payee="Acme & Co")
expect("another amount", other.valid, False)
same = bank.verification_checks.create(to=PAYER, code=code, amount="39.99 €", payee="Acme & Co")
expect("the amount", (same.valid, same.amount), (True, "39.99 €"))

# Rate limits and buckets.
limit = own.rate_limits.create(unique_name="end_user_ip_address", description="One address")
expect("limit", (limit.unique_name, limit.description), ("end_user_ip_address", "One address"))
bucket = own.rate_limits(limit.sid).buckets.create(max=2, interval=2592000)
expect("bucket", (bucket.max, bucket.interval, bucket.rate_limit_sid), (2, 2592000, limit.sid))
refused(400, 60208, lambda: own.rate_limits.create(unique_name="end_user_ip_address"))
refused(400, 60209, lambda: own.rate_limits.create(unique_name="end user"))
refused(400, 60211, lambda: own.rate_limits(limit.sid).buckets.create(max=9, interval=2592000))
expect("described", own.rate_limits(limit.sid).update(description="New").description, "New")
expect("limits", [listed.sid for listed in own.rate_limits.list()], [limit.sid])
for n in range(2):
    create(to=f"+1555123910{n}", channel="sms", rate_limits={"end_user_ip_address": "192.0.2.1"})
try:
    create(to="+15551239102", channel="sms", rate_limits={"end_user_ip_address": "192.0.2.1"})
    sys.exit("the rate limit was not reached")
except TwilioRestException as error:
    expect("rate limit", (error.status, error.code), (429, 20429))
create(to="+15551239102", channel="sms", rate_limits={"end_user_ip_address": "192.0.2.2"})
refused(400, 60200, lambda: create(to=TO, channel="sms", rate_limits={"nobody": "1"}))
bucket = bucket.update(max=3)
expect("wider", own.rate_limits(limit.sid).buckets(bucket.sid).fetch().max, 3)
create(to="+15551239103", channel="sms", rate_limits={"end_user_ip_address": "192.0.2.1"})
expect("buckets", [listed.sid for listed in own.rate_limits(limit.sid).buckets.list()], [bucket.sid])
expect("bucket deleted", bucket.delete(), True)
refused(404, 20404, own.rate_limits(limit.sid).buckets(bucket.sid).fetch)
expect("limit deleted", own.rate_limits(limit.sid).delete(), True)
refused(404, 20404, own.rate_limits(limit.sid).fetch)

# Attempts: derived from what was sent.
attempts = verify.verification_attempts.list(verify_service_sid=service.sid, page_size=4)
expect("all attempts", len(attempts) > 12 and len({attempt.sid for attempt in attempts}) == len(attempts), True)
mine = verify.verification_attempts.list(verification_sid=started.sid)
expect("of one", [attempt.channel for attempt in mine], ["call", "sms", "sms"])
expect("converted", [attempt.conversion_status for attempt in mine], ["converted", "unconverted", "unconverted"])
data = mine[1].channel_data
expect("data", (data["to"], data["code_length"], data["verification_sid"]), (TO, 6, started.sid))
expect("to", len(verify.verification_attempts.list(channel_data_to=LIMITED)), 5)
expect("none", verify.verification_attempts.list(channel="email"), [])
expect("one", verify.verification_attempts(mine[0].sid).fetch().verification_sid, started.sid)
soon = datetime.now(timezone.utc) + timedelta(days=2)
expect("not yet", verify.verification_attempts.list(date_created_after=soon), [])
summary = verify.verification_attempts_summary().fetch(verify_service_sid=service.sid)
expect("sum", summary.total_converted + summary.total_unconverted, summary.total_attempts)
expect("total", summary.total_attempts, len(attempts))
expect("percentage", isinstance(summary.conversion_rate_percentage, str), True)
refused(404, 20404, verify.verification_attempts("VL" + "0" * 32).fetch)

# Templates.
template = verify.templates.list(friendly_name="default")[0]
expect("template", (template.sid[:2], template.channels[0]), ("HJ", "sms"))
expect("english", "{code}" in template.translations["en"]["text"], True)
expect("default", template.translations["en"]["is_default_translation"], True)
expect("chosen", service.update(default_template_sid=template.sid).default_template_sid, template.sid)
own.verifications.create(to="+15551239104", channel="sms", template_sid=template.sid)

# The safe list, webhooks, messaging configurations.
safe = verify.safelist.create(phone_number=TO)
expect("safe", (safe.sid[:2], verify.safelist(TO).fetch().phone_number), ("GN", TO))
expect("unsafe", verify.safelist(TO).delete(), True)
refused(404, 20404, verify.safelist(TO).fetch)
refused(400, 60200, lambda: verify.safelist.create(phone_number="12"))
webhook = own.webhooks.create(
    friendly_name="Events", event_types=["factor.created", "challenge.approved"],
    webhook_url="https://owl.example.com/events",
)
expect("events", webhook.event_types, ["factor.created", "challenge.approved"])
expect("webhook", (webhook.status, webhook.version, webhook.webhook_method), ("enabled", "v2", "POST"))
expect("disabled", webhook.update(status="disabled", event_types=["*"]).status, "disabled")
expect("webhooks", [listed.event_types for listed in own.webhooks.list()], [["*"]])
refused(400, 60200, lambda: webhook.update(event_types=["weather.changed"]))
expect("webhook deleted", webhook.delete(), True)
refused(404, 20404, own.webhooks(webhook.sid).fetch)
sender = own.messaging_configurations.create(country="DE", messaging_service_sid="MG" + "a" * 32)
expect("country", sender.country, "DE")
expect("sender", sender.update(messaging_service_sid="MG" + "b" * 32).messaging_service_sid, "MG" + "b" * 32)
expect("senders", len(own.messaging_configurations.list()), 1)
expect("sender deleted", own.messaging_configurations("DE").delete(), True)

# What is not there answers like a feature that is off.
refused(403, 60204, lambda: own.entities.create(identity="ff483d1ff591898a"))
refused(403, 60204, lambda: own.entities("ff483d1ff591898a").factors.list())
refused(403, 60204, lambda: own.access_tokens.create(identity="ff483d1ff591898a", factor_type="push"))

# Strangers.
for stranger in (Client(account, "wrong"), Client("AC" + "0" * 32, key)):
    stranger.verify.base_url = base
    refused(401, 20003, lambda: stranger.verify.v2.services.create(friendly_name="x"))
    refused(401, 20003, stranger.verify.v2.services.list)

# One client for messages and for Verify, by the account's token and by an API key.
def both(*credentials):
    one = Client(*credentials)
    one.api.base_url, one.verify.base_url = sandbox, base
    return one


by_token = both(account, token)
made = by_token.new_keys.create(friendly_name="both")
for one in (by_token, both(made.sid, made.secret, account)):
    expect("account", one.verify.v2.services.create(friendly_name="Both").account_sid, account)
    sent = one.messages.create(to="+15551239999", from_="+15005550006", body="x")
    expect("message", one.messages(sent.sid).fetch().account_sid, account)
expect("key deleted", by_token.keys(made.sid).delete(), True)
refused(401, 20003, lambda: both(made.sid, made.secret, account).verify.v2.services.list(limit=1))

print("python: the server is Twilio Verify")
