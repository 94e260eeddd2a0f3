"""Takes Dialback's messages (`gateway.kind = "http"`) and plays a provider. ../README.md says how to run it."""
import base64
import hashlib
import hmac
import json
import os
import re
import threading
import time
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(os.environ.get("PORT", "9000"))
SECRETS = (os.environ.get("GATEWAY_SECRETS") or exit("set GATEWAY_SECRETS to the secret of gateway.http, whsec_…")).split()
KEYS = [base64.b64decode(secret.removeprefix("whsec_")) for secret in SECRETS]
MOST_BYTES, TOLERANCE_SECONDS = 64 * 1024, 300

# A real one keeps this on disk, before it answers.
sent, lock = {}, threading.Lock()


def signature(key, name, at, body):
    mac = hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def is_proved(headers, name, body):
    """Whether Dialback signed it, a moment ago, for just this: the name says what is asked of which message."""
    at, told = headers.get("webhook-timestamp", ""), headers.get("webhook-signature", "").split()
    is_now = re.fullmatch(r"\d{1,12}", at) and abs(time.time() - int(at)) <= TOLERANCE_SECONDS
    ours = [signature(key, name, at, body).encode() for key in KEYS]
    known = any(hmac.compare_digest(one, other.encode()) for one in ours for other in told)
    return bool(is_now) and known and headers.get("webhook-id") == name


def send(message):
    """Hands a message to whoever carries it. What comes back is the name it has there."""
    # The code is for the person alone: it stands in no log.
    print(f"a {message['channel']} to …{message['to'][-2:]}, {len(message['text'])} characters", flush=True)
    return f"msg_{uuid.uuid4().hex}"


def tell(url, delivery, reference, status):
    """Tells what became of a message, until it is taken."""
    told = {"delivery": delivery, "id": reference, "status": status}
    body, name = json.dumps(told).encode(), f"evt_{uuid.uuid4().hex}"
    for wait in [0, 1, 5, 30, 120]:
        time.sleep(wait)
        at = str(int(time.time()))
        headers = {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": at,
            "webhook-signature": signature(KEYS[0], name, at, body),
        }
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10):
                return
        except urllib.error.HTTPError as error:
            print(f"not told that it is {status}: {error.code} {error.read(1000).decode(errors='replace')}", flush=True)
            if error.code < 500 and error.code != 429:
                return
        except OSError as error:
            print(f"not told that it is {status}: {error}", flush=True)


def deliver(message, reference):
    for status in ["sent", "delivered"]:
        tell(message["callback_url"], message["delivery"], reference, status)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        if length > MOST_BYTES:
            return self.answer(413, {"reason": "the message is too long"})
        body = self.rfile.read(length)
        name = self.headers.get("webhook-id", "")
        if self.path != "/messages" or not is_proved(self.headers, name, body):
            return self.answer(401, {"reason": "the signature is wrong"})
        message = json.loads(body)
        if message["delivery"] != name:
            return self.answer(401, {"reason": "the signature is of another message"})
        # One name from the first try to the last: a repetition sends nothing.
        with lock:
            is_new = name not in sent
            reference = sent.setdefault(name, "") or send(message)
            sent[name] = reference
        if is_new:
            threading.Thread(target=deliver, args=(message, reference), daemon=True).start()
        return self.answer(201, {"id": reference})

    def do_GET(self):
        delivery = self.asked("look-up")
        if delivery is None:
            return
        reference = sent.get(delivery)
        self.answer(200, {"id": reference}) if reference else self.answer(404, {"reason": "never heard of it"})

    def do_DELETE(self):
        delivery = self.asked("erase")
        if delivery is not None:
            self.answer(204 if sent.pop(delivery, None) else 404)

    def asked(self, what):
        """The delivery in the path, if it is asked for by who may."""
        found = re.fullmatch(r"/messages/(D[LM][0-9a-f]{32})", self.path)
        if not found or not is_proved(self.headers, f"{what}-{found[1]}", b""):
            return self.answer(401, {"reason": "the signature is wrong"})
        return found[1]

    def answer(self, status, said=None):
        body = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    print(f"messages are taken at http://127.0.0.1:{PORT}/messages", flush=True)
    server.serve_forever()
