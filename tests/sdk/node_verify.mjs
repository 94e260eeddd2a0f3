// Drives the server with Twilio's own Node library, unmodified, as an
// application drives Twilio Verify: only the base URL is another one.
//
// Usage: node node_verify.mjs BASE_URL SANDBOX_URL ACCOUNT_SID KEY NODE_MODULES TOKEN
// Exit code 0 when everything is as Twilio would have it.

import { createRequire } from "node:module";
import { join } from "node:path";

const [base, sandbox, account, key, modules, token] = process.argv.slice(2);
const twilio = createRequire(join(modules, "here.js"))("twilio");

const open = (password, options) => {
  const client = twilio(account, password, options);
  client.verify.baseUrl = base;
  return client.verify.v2;
};
const verify = open(key);

function expect(what, got, wanted) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: got ${a}, wanted ${b}`);
}

async function refused(status, code, call) {
  try {
    await call();
  } catch (error) {
    expect(`refusal (${error.message})`, [error.status, error.code], [status, code]);
    expect("more", error.moreInfo, `https://www.twilio.com/docs/errors/${code}`);
    return error;
  }
  throw new Error(`${code} was expected and nothing was refused`);
}

async function control(path, body) {
  const answer = await fetch(`${sandbox}/sandbox${path}`, body && { method: "POST", body: JSON.stringify(body) });
  return answer.status === 204 ? null : answer.json();
}

async function codeOf(number, count) {
  for (let n = 0; n < 600; n++) {
    const texts = await control(`/phones/${number}/messages?wait=1`);
    if (texts.length >= count) return texts.at(-1).body.match(/(?<!\d)\d{6}(?!\d)/)[0];
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${count} texts did not come`);
}

// A service: made, looked at, listed page by page, changed.
const service = await verify.services.create({ friendlyName: "Owl's Bank & Co", customCodeEnabled: true, totp: undefined, "totp.skew": 2, "totp.issuer": "Owl" });
expect("name", service.friendlyName, "Owl's Bank & Co");
expect("custom code", service.customCodeEnabled, true);
expect("totp", [service.totp.issuer, service.totp.skew], ["Owl", 2]);
expect("created", service.dateCreated instanceof Date, true);
expect("links", service.links.rate_limits, `${service.url}/RateLimits`);
for (let n = 0; n < 5; n++) await verify.services.create({ friendlyName: `Page ${n}` });
const listed = await verify.services.list({ pageSize: 2 });
expect("list", listed.length >= 7 && new Set(listed.map((one) => one.sid)).size === listed.length, true);
const first = await verify.services.page({ pageSize: 2 });
const second = await first.nextPage();
expect("page", second.instances.map((one) => one.sid), listed.slice(2, 4).map((one) => one.sid));
const back = await second.previousPage();
expect("back", back.instances.map((one) => one.sid), listed.slice(0, 2).map((one) => one.sid));
expect("changed", (await verify.services(service.sid).update({ friendlyName: "Owl", ttsName: "Aul" })).ttsName, "Aul");
await refused(403, 20006, () => verify.services(listed.at(-1).sid).update({ friendlyName: "Other" }));
await refused(400, 60200, () => verify.services.create({ friendlyName: "call 1234567" }));
await refused(400, 20007, () => verify.services.page({ pageSize: 1001 }));

// A verification: begun, called, checked wrongly, then rightly.
const TO = "+15551249001";
const own = verify.services(service.sid);
const started = await own.verifications.create({ to: TO, channel: "sms", tags: JSON.stringify({ order: "7" }), customFriendlyName: "Söhne & Co" });
expect("started", [started.status, started.valid, started.to, started.accountSid], ["pending", false, TO, account]);
const code = await codeOf(TO, 1);
const again = await own.verifications.create({ to: TO, channel: "call", sendDigits: "1w2" });
expect("again", [again.sid, again.sendCodeAttempts.map((one) => one.channel)], [started.sid, ["SMS", "CALL"]]);
expect("by number", (await own.verifications(TO).fetch()).sid, started.sid);
const wrong = await own.verificationChecks.create({ to: TO, code: code === "000000" ? "000001" : "000000" });
expect("wrong", [wrong.status, wrong.valid], ["pending", false]);
const right = await own.verificationChecks.create({ verificationSid: started.sid, code });
expect("right", [right.status, right.valid], ["approved", true]);
const gone = await refused(404, 20404, () => own.verificationChecks.create({ to: TO, code }));
expect("gone", gone.message.includes(`/Services/${service.sid}/VerificationCheck was not found`), true);
const off = await own.verifications.create({ to: TO, channel: "sms", customCode: "Q7x9" });
expect("canceled", (await own.verifications(off.sid).update({ status: "canceled" })).status, "canceled");
await refused(404, 20404, () => own.verifications(off.sid).fetch());

// The limits, with and without the library's own patience.
const LIMITED = "+15551249002";
for (let n = 0; n < 5; n++) await own.verifications.create({ to: LIMITED, channel: "sms" });
await refused(429, 60203, () => own.verifications.create({ to: LIMITED, channel: "sms" }));
const patient = open(key, { autoRetry: true, maxRetries: 2 }).services(service.sid);
await refused(429, 60203, () => patient.verifications.create({ to: LIMITED, channel: "sms" }));
const limit = await own.rateLimits.create({ uniqueName: "end_user_ip_address" });
await own.rateLimits(limit.sid).buckets.create({ max: 1, interval: 2592000 });
const counted = (to) => own.verifications.create({ to, channel: "sms", rateLimits: { end_user_ip_address: "192.0.2.1" } });
await counted("+15551249003");
await refused(429, 20429, () => counted("+15551249004"));

// What cannot be.
const create = (params) => () => own.verifications.create({ to: TO, channel: "sms", ...params });
await refused(400, 60200, create({ to: "123" }));
await refused(400, 60200, create({ channel: "pigeon" }));
await refused(403, 60223, create({ to: "owl@example.com", channel: "email" }));
await refused(404, 60229, create({ locale: "tlh" }));
await refused(403, 60204, create({ amount: "1 €", payee: "Acme" }));
await refused(400, 60221, () => own.verificationChecks.create({ code: "123456" }));
await refused(403, 60204, () => own.newFactors.create({ friendlyName: "x", factorType: "passkeys", identity: "ff483d1ff591898a" }));
await refused(403, 60204, () => own.entities.create({ identity: "ff483d1ff591898a" }));

// What was sent, and the rest of the resources.
const attempts = await verify.verificationAttempts.list({ verificationSid: started.sid });
expect("attempts", attempts.map((one) => [one.channel, one.conversionStatus]), [["call", "converted"], ["sms", "unconverted"]]);
expect("after", (await verify.verificationAttempts.list({ "channelData.to": LIMITED, pageSize: 2 })).length, 5);
const summary = await verify.verificationAttemptsSummary().fetch({ verifyServiceSid: service.sid, channel: "call" });
expect("summary", [summary.totalAttempts, summary.conversionRatePercentage], [1, "100"]);
expect("templates", (await verify.templates.list())[0].sid.slice(0, 2), "HJ");
await verify.safelist.create({ phoneNumber: TO });
expect("safe", (await verify.safelist(TO).fetch()).phoneNumber, TO);
expect("unsafe", await verify.safelist(TO).remove(), true);
const webhook = await own.webhooks.create({ friendlyName: "E", eventTypes: ["*"], webhookUrl: "https://owl.example.com/" });
expect("webhook", [webhook.eventTypes, webhook.version], [["*"], "v2"]);
expect("webhook gone", await own.webhooks(webhook.sid).remove(), true);
const sender = await own.messagingConfigurations.create({ country: "all", messagingServiceSid: `MG${"a".repeat(32)}` });
expect("sender", (await own.messagingConfigurations("all").fetch()).messagingServiceSid, sender.messagingServiceSid);
await refused(401, 20003, () => open("wrong").services.list());
expect("deleted", await verify.services(service.sid).remove(), true);
await refused(404, 20404, () => verify.services(service.sid).fetch());

// One client for messages and for Verify, by the account's token and by an API key.
const both = (...credentials) => {
  const one = twilio(...credentials);
  [one.api.baseUrl, one.verify.baseUrl] = [sandbox, base];
  return one;
};
const byToken = both(account, token);
const made = await byToken.newKeys.create({ friendlyName: "both" });
const byKey = () => both(made.sid, made.secret, { accountSid: account });
for (const one of [byToken, byKey()]) {
  expect("account", (await one.verify.v2.services.create({ friendlyName: "Both" })).accountSid, account);
  const sent = await one.messages.create({ to: "+15551239999", from: "+15005550006", body: "x" });
  expect("message", (await one.messages(sent.sid).fetch()).accountSid, account);
}
expect("key deleted", await byToken.keys(made.sid).remove(), true);
await refused(401, 20003, () => byKey().verify.v2.services.create({ friendlyName: "Both" }));

console.log("node: the server is Twilio Verify");
