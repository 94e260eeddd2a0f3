"""Runs snippets of Twilio's documentation against the sandbox, as they are.

Usage: snippets.py FOLDER BASE_URL ACCOUNT_SID AUTH_TOKEN [--count N] [--seed N] [--list]

FOLDER holds the snippets (Python, for version 9 of the library: `*.9.x.py`), such as
a checkout of github.com/TwilioDevEd/api-snippets; it is no part of this repository. N of
them are chosen by the seed among those that ask the REST API. Each runs in a process of
its own; every request of the library goes to the sandbox, with the host that it was
meant for in `Host`. The table says for each product what became of them:

  ran        to its end, with requests that the sandbox answered
  refused    ended by an error document of Twilio's (code, message, more_info, status)
  snippet    failed on its own side: an old name, a file, a module
  ours       ended by an answer that is none of Twilio's, or by a fault of the sandbox

Exit code 0 when none is ours.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import sys
import traceback
from urllib.parse import urlsplit, urlunsplit

from twilio.http.http_client import TwilioHttpClient

SECONDS = 20
KINDS = ["ran", "refused", "snippet", "ours"]
asked = []


def to_the_sandbox(base):
    """Makes every request of the library go to the sandbox, and notes the answers."""
    real, there = TwilioHttpClient.request, urlsplit(base)

    def request(self, method, url, params=None, data=None, headers=None, *args, **more):
        meant = urlsplit(url)
        url = urlunsplit((there.scheme, there.netloc, meant.path, meant.query, ""))
        headers = {**(headers or {}), "Host": meant.netloc}
        more["allow_redirects"] = False
        answer = real(self, method, url, params, data, headers, *args[:1], **more)
        asked.append((method, meant.netloc, meant.path, answer.status_code, answer.text))
        return answer

    TwilioHttpClient.request = request


def is_twilios(text):
    try:
        document = json.loads(text)
    except ValueError:
        return False
    return isinstance(document, dict) and {"code", "message", "more_info", "status"} <= document.keys()


def run(path, account, token):
    """What became of a snippet, and why."""
    os.environ.update(TWILIO_ACCOUNT_SID=account, TWILIO_AUTH_TOKEN=token)
    # The account's own name and token do what a key and its secret do.
    os.environ.update(TWILIO_API_KEY=account, TWILIO_API_KEY_SECRET=token, TWILIO_API_SECRET=token)
    source = path.read_text()
    # Credentials that stand in the text are placeholders.
    source = re.sub(r"(['\"])AC[X0-9a-fx]{32}\1", repr(account), source)
    source = re.sub(r"(['\"])your_auth_token\1", repr(token), source)
    failure = None
    try:
        with contextlib.redirect_stdout(open(os.devnull, "w")):
            exec(compile(source, str(path), "exec"), {"__name__": "__main__"})
    except SystemExit:
        pass
    except BaseException as error:
        failure = error
    odd = [one for one in asked if one[3] >= 500 or (one[3] >= 400 and not is_twilios(one[4]))]
    last = " ".join(map(str, asked[-1][:4])) if asked else "no request"
    if odd:
        return "ours", " ".join(map(str, odd[0][:4])) + f": {odd[0][4][:80]}"
    if asked and asked[-1][3] >= 400:
        return "refused", f"{last} {json.loads(asked[-1][4])['code']}"
    if failure is None:
        return "ran", last
    where = traceback.extract_tb(failure.__traceback__)[-1].filename
    why = f"{type(failure).__name__}: {failure}"[:120]
    # The library could not read what it was answered.
    if asked and "/twilio/" in where and asked[-1][3] < 400:
        return "ours", f"{last}: {why}"
    return "snippet", why


def apart(path, account, token):
    """The same in a process of its own, which may hang or die."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(SECONDS)
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)
        os.write(writing, json.dumps(run(path, account, token)).encode()[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else ("ours", f"no end within {SECONDS} s")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("base")
    arguments.add_argument("account")
    arguments.add_argument("token")
    arguments.add_argument("--count", type=int, default=300)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--list", action="store_true", help="also say what became of each")
    args = arguments.parse_args()
    all_files = sorted(args.folder.rglob("*.9.x.py"))
    rest = [path for path in all_files if "twilio.rest" in path.read_text(errors="replace")]
    chosen = random.Random(args.seed).sample(rest, min(args.count, len(rest)))
    to_the_sandbox(args.base)
    table, details = collections.defaultdict(collections.Counter), []
    for path in sorted(chosen):
        kind, why = apart(path, args.account, args.token)
        name = path.relative_to(args.folder)
        table[name.parts[0]][kind] += 1
        details.append((kind, str(name), why))
    print(f"{len(chosen)} of {len(rest)} snippets, seed {args.seed}")
    print(f"{'':24}" + "".join(f"{kind:>9}" for kind in KINDS))
    for name, counts in sorted(table.items()):
        print(f"{name:24}" + "".join(f"{counts[kind]:>9}" for kind in KINDS))
    total = sum(table.values(), collections.Counter())
    print(f"{'all':24}" + "".join(f"{total[kind]:>9}" for kind in KINDS))
    for kind, name, why in details:
        if args.list or kind == "ours":
            print(f"{kind:8} {name}: {why}")
    sys.exit(1 if total["ours"] else 0)


main()
