// Confirms a telephone number by way of Dialback's pages. ../README.md says how to run it.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import cookieParser from "cookie-parser";
import express from "express";

const { DIALBACK_URL = "http://127.0.0.1:8000", DIALBACK_API_KEY, PORT = "3000" } = process.env;
const { APP_URL = `http://127.0.0.1:${PORT}`, SECRET_KEY = randomBytes(32).toString("hex") } = process.env;
if (!DIALBACK_API_KEY) {
  console.error("set DIALBACK_API_KEY to the key that `serve` printed");
  process.exit(1);
}

const cookie = { signed: true, httpOnly: true, sameSite: "lax", secure: APP_URL.startsWith("https:") };
const app = express();
app.use(cookieParser(SECRET_KEY));

app.get("/", (req, res) => {
  res.send('<form method="post" action="/confirm"><button>Confirm my phone number</button></form>');
});

app.post("/confirm", async (req, res) => {
  const state = randomBytes(32).toString("base64url");
  const { id, url } = await dialback("sessions", { return_url: `${APP_URL}/back`, state });
  res.cookie("phone", { id, state }, cookie).redirect(303, url);
});

app.get("/back", async (req, res) => {
  const ours = req.signedCookies.phone;
  if (!ours || !same(ours.state, req.query.state)) {
    return res.status(400).send("This is not an answer to a question of yours. <a href='/'>Please begin again.</a>");
  }
  res.clearCookie("phone", cookie);
  const told = await dialback(`sessions/${ours.id}/result`, { result: String(req.query.result) });
  if (told.status !== "approved") {
    return res.send(`Your number is not proved: ${told.status}. <a href='/'>Try again</a>`);
  }
  // Here the number goes to the person's account.
  res.send(`${told.to} is proved.`);
});

async function dialback(path, body) {
  const headers = { authorization: `Bearer ${DIALBACK_API_KEY}`, "content-type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000) };
  const answer = await fetch(`${DIALBACK_URL}/v1/${path}`, request);
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  return answer.json();
}

// In constant time, also where the lengths differ.
function same(ours, theirs) {
  const hash = (text) => createHash("sha256").update(String(text)).digest();
  return timingSafeEqual(hash(ours), hash(theirs));
}

// Why is for the log; the person reads that it went wrong. Express knows this by its four parameters.
app.use((error, req, res, next) => {
  console.error("dialback:", error.message, error.cause?.message ?? "");
  res.status(502).send("Your number could not be confirmed. <a href='/'>Please try again.</a>");
});

app.listen(Number(PORT), "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`open ${APP_URL}`);
});
