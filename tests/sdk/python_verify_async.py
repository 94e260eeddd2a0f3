"""The asynchronous side of Twilio's own Python library, unmodified, against the
server: the life of a service and of verifications, many at once.

Usage: python_verify_async.py BASE_URL SANDBOX_URL ACCOUNT_SID KEY
Exit code 0 when everything is as Twilio would have it.
"""

import asyncio
import json
import re
import sys
import urllib.request

from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

base, sandbox, account, key = sys.argv[1:5]


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")


async def refused(status, code, call):
    try:
        await call
    except TwilioRestException as error:
        expect(f"refusal ({error})", (error.status, error.code), (status, code))
        return
    sys.exit(f"{code} was expected and nothing was refused")


def texts(number):
    with urllib.request.urlopen(f"{sandbox}/sandbox/phones/{number}/messages?wait=1") as answer:
        return json.loads(answer.read())


async def code_of(number):
    for _ in range(60):
        found = await asyncio.to_thread(texts, number)
        if found:
            return re.search(r"(?<!\d)\d{6}(?!\d)", found[-1]["body"]).group()
    sys.exit("the text did not come")


async def life(own, number):
    started = await own.verifications.create_async(to=number, channel="sms")
    expect("status", (started.status, started.to), ("pending", number))
    code = await code_of(number)
    expect("fetched", (await own.verifications(number).fetch_async()).sid, started.sid)
    wrong = "000000" if code != "000000" else "000001"
    expect("wrong", (await own.verification_checks.create_async(to=number, code=wrong)).status, "pending")
    right = await own.verification_checks.create_async(to=number, code=code)
    expect("right", (right.status, right.valid), ("approved", True))
    await refused(404, 20404, own.verification_checks.create_async(to=number, code=code))


async def main():
    async with AsyncTwilioHttpClient() as http:
        client = Client(account, key, http_client=http)
        client.verify.base_url = base
        verify = client.verify.v2
        service = await verify.services.create_async(friendly_name="Owl Bank")
        own = verify.services(service.sid)
        await asyncio.gather(*(life(own, f"+1555123920{n}") for n in range(8)))
        attempts = await verify.verification_attempts.list_async(verify_service_sid=service.sid, page_size=3)
        expect("attempts", len(attempts), 8)
        count = 0
        async for attempt in await verify.verification_attempts.stream_async(verify_service_sid=service.sid, page_size=2):
            expect("converted", attempt.conversion_status, "converted")
            count += 1
        expect("streamed", count, 8)
        summary = await verify.verification_attempts_summary().fetch_async(verify_service_sid=service.sid)
        expect("summary", (summary.total_attempts, summary.conversion_rate_percentage), (8, "100"))
        limit = await own.rate_limits.create_async(unique_name="ip")
        await own.rate_limits(limit.sid).buckets.create_async(max=1, interval=2592000)
        canceled = await own.verifications.create_async(to="+15551239210", channel="sms", rate_limits={"ip": "1"})
        await refused(
            429, 20429, own.verifications.create_async(to="+15551239211", channel="sms", rate_limits={"ip": "1"})
        )
        expect("canceled", (await canceled.update_async(status="canceled")).status, "canceled")
        await refused(400, 60200, own.verifications.create_async(to="12", channel="sms"))
        await refused(403, 60223, own.verifications.create_async(to="a@example.com", channel="email"))
        expect("changed", (await service.update_async(friendly_name="Owl")).friendly_name, "Owl")
        expect("deleted", await service.delete_async(), True)
        await refused(404, 20404, own.fetch_async())
        stranger = Client(account, "wrong", http_client=http)
        stranger.verify.base_url = base
        await refused(401, 20003, stranger.verify.v2.services.create_async(friendly_name="x"))


asyncio.run(main())
print("python, asynchronously: the server is Twilio Verify")
