// The pages for people in a real browser: at two widths, in light and dark, from
// left and from right, with a script and without.
//
//   node pages.mjs URL_OF_SERVER URL_OF_SANDBOX API_KEY
//
// DIALBACK_TEST_CHROMIUM      the browser
// DIALBACK_TEST_NODE_MODULES  a directory that holds playwright-core and axe-core
// DIALBACK_TEST_SCREENSHOTS   where to leave pictures; none are taken without it

import { createRequire } from "node:module";
import { createServer } from "node:http";
import assert from "node:assert/strict";
import path from "node:path";

const { DIALBACK_TEST_CHROMIUM: executablePath, DIALBACK_TEST_NODE_MODULES: modules, DIALBACK_TEST_SCREENSHOTS: pictures } = process.env;
const from = createRequire(path.join(modules, "x.js"));
const { chromium } = from("playwright-core");
const axe = from("axe-core").source;
const [server, sandbox, key] = process.argv.slice(2);
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** The application, to which people come back: another site than the server's, on this machine. */
const shop = createServer((request, response) => {
  response.setHeader("content-type", "text/html");
  response.end("<!doctype html><title>Shop</title><link rel=icon href=data:,><h1>Welcome back</h1>");
});
await new Promise((ready) => shop.listen(0, "127.0.0.1", ready));
const back = `http://localhost:${shop.address().port}/back`;
const browser = await chromium.launch({ executablePath, args: flags });


async function api(path, body) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const answer = await fetch(server + path, { method: "POST", headers, body: JSON.stringify(body) });
  const told = await answer.json();
  assert.ok(answer.ok, JSON.stringify(told));
  return told;
}

const session = (body) => api("/v1/sessions", { return_url: back, ...body });

/** What came back to the application, exchanged. */
async function exchanged(page) {
  await page.waitForURL((url) => url.href.startsWith(back));
  const params = new URL(page.url()).searchParams;
  return api(`/v1/sessions/${params.get("session")}/result`, { result: params.get("result") });
}

async function phone(number, behaviour) {
  const answer = await fetch(`${sandbox}/sandbox/phones/${encodeURIComponent(number)}`, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(behaviour) });
  assert.ok(answer.ok, await answer.text());
}

/** The code in the newest text on a telephone. */
async function texted(number, count = 1) {
  for (let turn = 0; turn < 40; turn += 1) {
    const answer = await fetch(`${sandbox}/sandbox/phones/${encodeURIComponent(number)}/messages?wait=1`);
    const texts = answer.ok ? await answer.json() : [];
    if (texts.length >= count) return texts.at(-1).body.match(/\b\d{6}\b/)[0];
  }
  throw new Error("no text came");
}

/** A page that remembers everything it complained about. */
async function open(url, { width = 1280, height = 800, scheme = "light", script = true, locale = "en-US" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, javaScriptEnabled: script, locale });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  page.complaints = [];
  page.script = script;
  page.on("console", (line) => ["error", "warning"].includes(line.type()) && page.complaints.push(line.text()));
  page.on("pageerror", (error) => page.complaints.push(error.stack));
  page.on("request", (request) => [server, back, "data:"].some((own) => request.url().startsWith(own)) || page.complaints.push(`asked for ${request.url()}`));
  await page.goto(url);
  return page;
}

/** The step with this heading, with its script. */
async function heading(page, words) {
  await page.locator("h1", { hasText: words }).waitFor();
  await page.waitForLoadState();
}

/** Keeps a page that goes on by itself where it is, until what is returned is called. */
async function kept(page, step) {
  let go;
  const told = new Promise((resolve) => { go = resolve; });
  await page.route(`${server}/**/${step}`, async (route) => {
    await told;
    await route.continue();
  });
  return go;
}

/** The step's answer comes only after the page's own stream has told it that all is
    over: a page that is read anew meanwhile never gets there. */
const answeredLate = (page, step) => page.route(`${server}/**/${step}`, async (route) => {
  const response = await route.fetch({ maxRedirects: 0 });
  await new Promise((told) => setTimeout(told, 2000));
  await route.fulfill({ response });
});

const picture = (page, name) => pictures && page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });

/** Nothing is cut off, and nothing keeps people out. */
async function sound(page, where) {
  await picture(page, where.replaceAll(/\W+/g, "-"));
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${where}: ${wide} px in a window of ${window} px`);
  if (!page.script) return;
  // Through the debugger, which the page's own policy does not bind.
  await page.evaluate(axe);
  const serious = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations.filter((it) => ["serious", "critical"].includes(it.impact)).map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(" ")}`);
  });
  assert.deepEqual(serious, [], where);
}

/** After something wrong the field has the focus; it and what is wrong are seen,
    also where a keyboard has taken the room below. */
async function wrongAt(page, field, send, words) {
  const whole = page.viewportSize();
  await page.setViewportSize({ width: whole.width, height: 330 });
  await send();
  await page.locator("#problem", { hasText: words }).waitFor();
  // A browser focuses what asks for it with the next picture, which may be after the load.
  await page.locator(`${field}:focus`).waitFor();
  await page.waitForLoadState();
  const [focus, seen] = await page.evaluate((field) => {
    const isSeen = (of) => { const at = document.querySelector(of).getBoundingClientRect(); return at.top >= 0 && at.bottom <= innerHeight; };
    return [`#${document.activeElement.id}`, [field, "#problem"].filter(isSeen)];
  }, field);
  await page.setViewportSize(whole);
  assert.equal(focus, field);
  assert.deepEqual(seen, [field, "#problem"]);
}

async function wholeWay(name, number, look) {
  const { url } = await session({ purpose: "Sign in to your account", state: "s 1" });
  const page = await open(url, look);
  const at = (step) => `${name} ${step}`;
  await heading(page, "Confirm your phone number");
  await sound(page, at("start"));
  assert.equal(await page.inputValue("#region"), "US");
  await page.selectOption("#region", "DE");
  if (page.script) assert.match(await page.innerText("#hint"), /01512 3456789/);
  await wrongAt(page, "#number", async () => {
    await page.fill("#number", "0151 23");
    await page.keyboard.press("Enter");
  }, "too short for +49. It was read as a number of Germany (+49).");
  assert.equal(await page.inputValue("#region"), "DE");
  assert.equal(await page.inputValue("#number"), "0151 23");
  await sound(page, at("number wrong"));
  await page.fill("#number", number);
  await page.keyboard.press("Enter");
  await heading(page, "How do you want to get the code?");
  await sound(page, at("channel"));
  await page.click("button[value=sms]");
  await heading(page, "Enter your code");
  const code = await texted(number);
  if (page.script) await page.locator("#now-text", { hasText: "Delivered" }).waitFor();
  await sound(page, at("code"));
  assert.equal(await page.getAttribute("#code", "autocomplete"), "one-time-code");
  const wrong = String((Number(code[0]) + 1) % 10) + code.slice(1);
  await wrongAt(page, "#code", async () => {
    await page.fill("#code", wrong);
    if (!page.script) await page.keyboard.press("Enter");
  }, "not the right code");
  await sound(page, at("code wrong"));
  assert.equal(await page.inputValue("#code"), "");
  assert.match(await page.innerText(".lead"), /\+49 1512 3456/);
  const leave = await kept(page, "return");
  await page.fill("#code", `Your code is ${code.slice(0, 3)} ${code.slice(3)}. It expires in 10 minutes.`);
  await page.keyboard.press("Enter");
  await heading(page, "Your number is confirmed");
  await picture(page, at("done").replaceAll(/\W+/g, "-"));
  leave();
  if (!page.script) await page.click("button.main");
  const told = await exchanged(page);
  assert.deepEqual([told.status, told.to, told.state], ["approved", number, "s 1"]);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

/** The message does not arrive, and the person is called instead and told so. */
async function followedText() {
  const number = "+14155550152";
  await phone(number, { message: { outcome: "undelivered", error_code: 30005 } });
  const { url } = await session({ to: number });
  const page = await open(url, { width: 360, height: 740 });
  await page.click("button[value=sms]");
  await page.locator("#now-text", { hasText: /could not be delivered\. (We|Your|You|The call)/ }).waitFor();
  await sound(page, "followed narrow");
  await page.click("text=Cancel");
  assert.equal((await exchanged(page)).status, "canceled");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

/** The message fails, the call is offered, and the person goes back instead. */
async function failedText() {
  const number = "+14155550150";
  await phone(number, { message: { outcome: "undelivered", error_code: 30004 } });
  const { url } = await session({ to: number });
  const page = await open(url, { width: 360, height: 740, scheme: "dark" });
  await page.click("button[value=sms]");
  await page.locator("#now-text", { hasText: "could not be delivered" }).waitFor();
  await page.locator("button[value=call]:enabled", { hasText: "Call me instead" }).waitFor();
  assert.equal(await page.locator("button[value=sms]").isDisabled(), true);
  await page.waitForFunction(() => document.querySelector("#now").dataset.state === "failed");
  await sound(page, "failed dark narrow");
  await answeredLate(page, "cancel");
  await page.click("text=Cancel");
  assert.equal((await exchanged(page)).status, "canceled");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

/** Another browser, a reload, a way back. */
async function reloads() {
  const number = "+14155550151";
  const { url } = await session({ to: number, channels: ["sms"] });
  const page = await open(url);
  await page.reload();
  await page.click("button.main");
  await heading(page, "Enter your code");
  await texted(number);
  await page.reload();
  await page.goBack().catch(() => null);
  await page.goto(url);
  await heading(page, "Enter your code");
  const other = await open(url, { scheme: "dark" });
  await heading(other, "This page is not available");
  other.complaints = other.complaints.filter((line) => !/status of 404/.test(line));
  await sound(other, "gone dark");
  assert.deepEqual(other.complaints, []);
  const answer = await fetch(`${sandbox}/sandbox/phones/${encodeURIComponent(number)}/messages`);
  assert.equal((await answer.json()).length, 1);
  await other.context().close();
  await page.context().close();
}

/** German, chosen on the page, and zoomed to 200 %. */
async function german() {
  const { url } = await session({ to: "+14155550152", amount: "49,90 €", payee: "Buchhandlung am Markt" });
  const page = await open(url, { width: 640, height: 800 });
  await page.click("summary");
  await page.click("text=Deutsch");
  await heading(page, "Bestätigen Sie Ihre Zahlung");
  assert.equal(await page.getAttribute("html", "lang"), "de");
  await page.evaluate(() => { document.documentElement.style.zoom = "2"; });
  await sound(page, "german zoomed");
  // Turned round, nothing runs out of its place.
  await page.evaluate(() => { document.documentElement.style.zoom = "1"; document.documentElement.dir = "rtl"; });
  await sound(page, "from right to left");
  await page.context().close();
}

try {
  const story = {
    "wide with a script": () => wholeWay("wide", "+4915123456780", { width: 1280 }),
    "narrow with a script, dark": () => wholeWay("narrow-dark", "+4915123456781", { width: 360, height: 740, scheme: "dark" }),
    "wide without a script": () => wholeWay("wide-plain", "+4915123456782", { width: 1280, script: false }),
    "narrow without a script": () => wholeWay("narrow-plain", "+4915123456783", { width: 360, height: 740, script: false }),
    "a failed text": failedText,
    "a text that a call follows": followedText,
    "reloads and other browsers": reloads,
    "german": german,
  };
  for (const [name, tell] of Object.entries(story)) {
    await tell();
    console.log(`ok ${name}`);
  }
} finally {
  await browser.close();
  shop.close();
}
