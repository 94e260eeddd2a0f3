// Drives `dialback sandbox` alone with Twilio's own Node library, unmodified, as an
// application does that signs somebody up: messages and Verify at one address.
//
// Usage: node node_alone.mjs BASE_URL ACCOUNT_SID AUTH_TOKEN NODE_MODULES
// Exit code 0 when everything is as Twilio would have it.

import { createRequire } from "node:module";
import { join } from "node:path";

const [base, account, token, modules] = process.argv.slice(2);
const twilio = createRequire(join(modules, "here.js"))("twilio");
const client = twilio(account, token);
client.api.baseUrl = client.verify.baseUrl = base;
const to = "+15551230001";

function expect(what, got, wanted) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: got ${a}, wanted ${b}`);
}

async function awaited(wanted) {
  const answer = await fetch(`${base}/sandbox/expect?${new URLSearchParams({ within: 60, ...wanted })}`);
  const document = await answer.json();
  expect(JSON.stringify(document), answer.status, 200);
  return document;
}

const service = await client.verify.v2.services.create({ friendlyName: "Acme" });
const verify = client.verify.v2.services(service.sid);
expect("status", (await verify.verifications.create({ to, channel: "sms" })).status, "pending");
const { code } = await awaited({ to, "body~": "Acme" });
expect("length", code.length, 6);
expect("right", (await verify.verificationChecks.create({ to, code })).status, "approved");
const message = await client.messages.create({ to, from: "+15005550006", body: "Welcome to Acme" });
expect("welcome", (await awaited({ to, "body~": "^welcome" })).sid, message.sid);
