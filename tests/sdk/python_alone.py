"""Drives `dialback sandbox` alone with Twilio's own Python library, unmodified, as an
application does that signs somebody up: messages and Verify at one address.

Usage: python_alone.py BASE_URL ACCOUNT_SID AUTH_TOKEN
Exit code 0 when everything is as Twilio would have it.
"""

import json
import sys
import urllib.request
from urllib.parse import urlencode

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

base, account, token = sys.argv[1:4]
client = Client(account, token)
client.api.base_url = client.verify.base_url = base
PHONE = "+15551230001"


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")


def awaited(**wanted):
    query = urlencode({"within": 60, **wanted})
    with urllib.request.urlopen(f"{base}/sandbox/expect?{query}") as answer:
        return json.load(answer)


service = client.verify.v2.services.create(friendly_name="Acme", code_length=5)
verifications = client.verify.v2.services(service.sid)
begun = verifications.verifications.create(to=PHONE, channel="sms")
expect("status", begun.status, "pending")
text = awaited(to=PHONE, **{"body~": r"Acme.*\b\d{5}\b"})
expect("length", len(text["code"]), 5)
wrong = "00000" if text["code"] != "00000" else "00001"
expect("wrong", verifications.verification_checks.create(to=PHONE, code=wrong).status, "pending")
expect("right", verifications.verification_checks.create(to=PHONE, code=text["code"]).status, "approved")
message = client.messages.create(to=PHONE, from_="+15005550006", body="Welcome to Acme")
expect("welcome", awaited(to=PHONE, **{"body~": "^welcome"})["sid"], message.sid)
expect("listed", service.sid in [row.sid for row in client.verify.v2.services.list()], True)
client.verify.v2.services(service.sid).delete()
try:
    verifications.fetch()
    sys.exit("a service that was deleted is there")
except TwilioRestException as error:
    expect("gone", (error.status, error.code), (404, 20404))
