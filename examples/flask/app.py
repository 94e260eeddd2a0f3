"""Confirms a telephone number by way of Dialback's pages. ../README.md says how to run it."""
import hmac
import os
import secrets

import requests
from flask import Flask, redirect, request, session
from markupsafe import escape

DIALBACK_URL = os.environ.get("DIALBACK_URL", "http://127.0.0.1:8000")
API_KEY = os.environ.get("DIALBACK_API_KEY") or exit("set DIALBACK_API_KEY to the key that `serve` printed")
PORT = int(os.environ.get("PORT", "5000"))
APP_URL = os.environ.get("APP_URL", f"http://127.0.0.1:{PORT}")

app = Flask(__name__)
app.secret_key = os.environ.get("SECRET_KEY") or secrets.token_hex(32)
app.config.update(SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_SECURE=APP_URL.startswith("https:"))


@app.get("/")
def home():
    return '<form method="post" action="/confirm"><button>Confirm my phone number</button></form>'


@app.post("/confirm")
def confirm():
    state = secrets.token_urlsafe(32)
    begun = dialback("sessions", {"return_url": f"{APP_URL}/back", "state": state})
    session["phone"] = {"id": begun["id"], "state": state}
    return redirect(begun["url"], 303)


@app.get("/back")
def back():
    ours, theirs = session.get("phone"), request.args.get("state", "")
    if not ours or not hmac.compare_digest(ours["state"].encode(), theirs.encode()):
        return "This is not an answer to a question of yours. <a href='/'>Please begin again.</a>", 400
    session.pop("phone")
    told = dialback(f"sessions/{ours['id']}/result", {"result": request.args.get("result", "")})
    if told["status"] != "approved":
        return f"Your number is not proved: {escape(told['status'])}. <a href='/'>Try again</a>"
    # Here the number goes to the person's account.
    return f"{escape(told['to'])} is proved."


def dialback(path, body):
    headers = {"Authorization": f"Bearer {API_KEY}"}
    answer = requests.post(f"{DIALBACK_URL}/v1/{path}", json=body, headers=headers, timeout=10)
    answer.raise_for_status()
    return answer.json()


@app.errorhandler(requests.RequestException)
def failed(error):
    # Why is for the log; the person reads that it went wrong.
    app.logger.error("dialback: %s", error if error.response is None else error.response.text)
    return "Your number could not be confirmed. <a href='/'>Please try again.</a>", 502


if __name__ == "__main__":
    app.run(port=PORT)
