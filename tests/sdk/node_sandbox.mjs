// Drives the sandbox with Twilio's own Node library, unmodified.
//
// Usage: node node_sandbox.mjs BASE_URL ACCOUNT_SID AUTH_TOKEN NODE_MODULES
// Exit code 0 when everything is as Twilio would have it.

import { createRequire } from "node:module";
import { join } from "node:path";

const [base, account, token, modules] = process.argv.slice(2);
const twilio = createRequire(join(modules, "here.js"))("twilio");

const open = (password) => {
  const client = twilio(account, password);
  client.api.baseUrl = base;
  return client;
};
const client = open(token);
const FROM = "+15005550006";
const TO = "+15551240001";

function expect(what, got, wanted) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: got ${a}, wanted ${b}`);
}

async function refused(status, code, call) {
  try {
    await call();
  } catch (error) {
    expect(`status of ${code}`, error.status, status);
    expect("code", error.code, code);
    expect("more", error.moreInfo, `https://www.twilio.com/docs/errors/${code}`);
    return;
  }
  throw new Error(`${code} was expected and nothing was refused`);
}

async function until(what, look) {
  for (const deadline = Date.now() + 90_000; Date.now() < deadline; ) {
    if (await look()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not come about in 90 s`);
}

// Messages: create, fetch, follow, redact, delete.
const message = await client.messages.create({ to: TO, from: FROM, body: "It's 0421 & more, naïvely" });
expect("status", message.status, "queued");
expect("segments", message.numSegments, "1");
expect("error", message.errorCode, null);
expect("created", message.dateCreated instanceof Date && !Number.isNaN(+message.dateCreated), true);
await until("delivery", async () => (await client.messages(message.sid).fetch()).status === "delivered");
const fetched = await client.messages(message.sid).fetch();
expect("body", fetched.body, "It's 0421 & more, naïvely");
expect("redacted", (await client.messages(message.sid).update({ body: "" })).body, "");
const feedback = await client.messages(message.sid).feedback.create({ outcome: "confirmed" });
expect("feedback", feedback.outcome, "confirmed");

// Numbers: found, bought, told where to go, released.
const [offer] = await client.availablePhoneNumbers("GB").mobile.list({ limit: 1 });
const bought = await client.incomingPhoneNumbers.create({ phoneNumber: offer.phoneNumber, friendlyName: "node" });
const { phoneNumber } = bought;
expect("bought", [phoneNumber, bought.friendlyName, bought.capabilities.voice], [offer.phoneNumber, "node", true]);
const [own] = await client.incomingPhoneNumbers.list({ phoneNumber });
const voice = { voiceUrl: "https://example.com/voice", voiceMethod: "GET" };
const changed = await client.incomingPhoneNumbers(own.sid).update(voice);
expect("told where to go", [changed.voiceUrl, changed.voiceMethod], Object.values(voice));
expect("released", await client.incomingPhoneNumbers(own.sid).remove(), true);
expect("short codes", await client.shortCodes.list(), []);

// Lists and pages: the library follows next_page_uri by itself.
const OTHER = `+1556${String(Date.now() % 1e7).padStart(7, "0")}`;
const sids = [];
for (let n = 0; n < 7; n += 1) {
  sids.unshift((await client.messages.create({ to: OTHER, from: FROM, body: `number ${n}` })).sid);
}
const listed = await client.messages.list({ to: OTHER, pageSize: 3 });
expect("list", listed.map((m) => m.sid), sids);
const first = await client.messages.page({ to: OTHER, pageSize: 3 });
const second = await first.nextPage();
expect("page", second.instances.map((m) => m.sid), sids.slice(3, 6));
expect("page back", (await second.previousPage()).instances.map((m) => m.sid), sids.slice(0, 3));
const after = await client.messages.list({ to: OTHER, dateSentAfter: new Date("2020-01-01") });
expect("after", after.length, 7);
await until("its delivery", async () => (await client.messages(sids[0]).fetch()).status === "delivered");
expect("deleted", await client.messages(sids[0]).remove(), true);
await refused(404, 20404, () => client.messages(sids[0]).fetch());

// WhatsApp: a template goes out at any time, free text after the person wrote.
const chat = { to: `whatsapp:${TO}`, from: `whatsapp:${FROM}` };
const contentSid = "HX6469616c6261636b2073616e64626f78";
const byTemplate = await client.messages.create({ ...chat, contentSid, contentVariables: JSON.stringify({ 1: "0421" }) });
const words = "*0421* is your verification code. For your security, do not share this code.";
expect("template", [byTemplate.status, byTemplate.body, byTemplate.to], ["queued", words, chat.to]);
await until("WhatsApp", async () => (await client.messages(byTemplate.sid).fetch()).status === "delivered");
const free = await client.messages.create({ ...chat, body: "free text" });
await until("the window", async () => (await client.messages(free.sid).fetch()).status === "failed");
expect("the window", (await client.messages(free.sid).fetch()).errorCode, 63016);
await refused(400, 21910, () => client.messages.create({ ...chat, from: FROM, body: "x" }));
await refused(400, 63007, () => client.messages.create({ ...chat, from: "whatsapp:+15005550007", body: "x" }));
await refused(400, 21656, () => client.messages.create({ ...chat, contentSid, contentVariables: "{" }));

// What Twilio refuses.
await refused(400, 21211, () => client.messages.create({ to: "+15005550001", from: FROM, body: "x" }));
await refused(400, 21610, () => client.messages.create({ to: "+15005550004", from: FROM, body: "x" }));
await refused(400, 21606, () => client.messages.create({ to: TO, from: "+15005550007", body: "x" }));
await refused(400, 21603, () => client.messages.create({ to: TO, body: "x" }));
await refused(400, 21617, () => client.messages.create({ to: TO, from: FROM, body: "x".repeat(1601) }));
await refused(400, 20007, () => client.messages.page({ pageSize: 1001 }));
await refused(401, 20003, () => open("wrong").messages.list());

// Calls: create, fetch, list, cancel.
const twiml = "<Response><Say>Hello</Say></Response>";
const order = { to: TO, from: FROM, twiml, statusCallbackEvent: ["initiated", "completed"] };
const call = await client.calls.create(order);
expect("call", call.status, "queued");
expect("subresources", Object.keys(call.subresourceUris).includes("recordings"), true);
await until("ringing", async () => (await client.calls(call.sid).fetch()).status === "ringing");
const ringing = await client.calls.list({ status: "ringing", to: TO });
expect("ringing list", ringing.map((c) => c.sid), [call.sid]);
expect("canceled", (await client.calls(call.sid).update({ status: "canceled" })).status, "canceled");
await until("cancellation", async () => (await client.calls(call.sid).fetch()).status === "canceled");
await refused(400, 21205, () => client.calls.create({ to: TO, from: FROM }));
await refused(400, 21216, () => client.calls.create({ to: "+15005550004", from: FROM, twiml }));

console.log("node: the sandbox is a Twilio");
