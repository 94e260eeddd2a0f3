// The telephones in a real browser: the whole story at two widths, by pointer
// and by keyboard.
//
//   node telephones.mjs URL_OF_SERVE URL_OF_LONE_SANDBOX
//
// DIALBACK_TEST_CHROMIUM      the browser
// DIALBACK_TEST_NODE_MODULES  a directory that holds playwright-core
// DIALBACK_TEST_SCREENSHOTS   where to leave pictures; none are taken without it

import { createRequire } from "node:module";
import assert from "node:assert/strict";
import path from "node:path";

const { DIALBACK_TEST_CHROMIUM: executablePath, DIALBACK_TEST_NODE_MODULES: modules, DIALBACK_TEST_SCREENSHOTS: pictures } = process.env;
const { chromium } = createRequire(path.join(modules, "x.js"))("playwright-core");
const [together, alone] = process.argv.slice(2);
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath, args: flags });

/** A page that remembers everything it complained about. */
async function open(url, { width, height, scheme }) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale: "en-US" });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (line) => ["error", "warning"].includes(line.type()) && page.complaints.push(line.text()));
  page.on("pageerror", (error) => page.complaints.push(error.stack));
  page.on("request", (request) => request.url().startsWith(url) || request.url().startsWith("data:") || page.complaints.push(`asked for ${request.url()}`));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  await page.goto(url);
  await page.waitForSelector('#live[data-state="live"]');
  return page;
}

const picture = (page, name) => pictures && page.screenshot({ path: path.join(pictures, `${name}.png`) });
const text = (page, selector) => page.locator(selector).first().innerText();
const until = (page, selector, words) => page.locator(selector, { hasText: words }).first().waitFor();
const has = (page, pattern) => page.locator("#send-error, #check-error").filter({ hasText: pattern }).first().waitFor();

async function fits(page, where) {
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= window, `${where}: ${wide} px in a window of ${window} px`);
}

/** Sets one of the phone's habits and waits until the sandbox has it. */
async function wish(page, field, value) {
  const saved = page.waitForResponse((answer) => answer.url().includes("/sandbox/phones/") && answer.request().method() === "PUT");
  await page.locator(`#behaviour-form [name=${field}]`).selectOption(value);
  assert.ok((await saved).ok());
}

/** What the call has read out so far, when it is a whole code. */
async function heardCode(page) {
  const line = page.locator(".captions .digits").first();
  await page.waitForFunction(() => /^\d( \d){5}$/.test(document.querySelector(".captions .digits")?.textContent ?? ""));
  return (await line.textContent()).replaceAll(" ", "");
}

async function addPhone(page) {
  await page.click("#add");
  await page.fill("#add-number", "0171 123");
  await page.keyboard.press("Enter");
  await until(page, "#add-error", "country code");
  await page.fill("#add-number", "+1 (415) 555-0142");
  await page.keyboard.press("Enter");
  await page.locator("#add-dialog").waitFor({ state: "hidden" });
  await page.waitForFunction(() => document.getElementById("number").value === "+14155550142");
  assert.equal(await page.inputValue("#phones"), "+14155550142");
}

async function badNumber(page) {
  await page.fill("#number", "+1");
  await page.click("#send");
  await has(page, /country code|short/i);
  assert.equal(await page.getAttribute("#number", "aria-invalid"), "true");
  // The browser itself notes every answer of 4xx; this one was wanted.
  page.complaints = page.complaints.filter((line) => !/status of 422/.test(line));
  await page.fill("#number", "+14155550142");
}

async function byText(page) {
  await page.click("#send");
  await until(page, "#thread .bubble", "Your Dialback code is");
  await until(page, "#thread .bubble footer", "delivered");
  await page.locator("#autofill").waitFor();
  const code = await text(page, "#autofill-code");
  await picture(page, "text");
  const wrong = String((Number(code[0]) + 1) % 10) + code.slice(1);
  await page.fill("#code", wrong);
  await page.keyboard.press("Enter");
  await has(page, /Not the code. 4 tries left./);
  await page.click(".use-code");
  assert.equal(await page.inputValue("#code"), code);
  await page.click("#check");
  await until(page, "#done-title", "Number proved");
  await until(page, ".delivery-head .pill", "delivered");
  assert.deepEqual(await statuses(page), ["asked for", "queued", "sending", "sent", "delivered"]);
  await picture(page, "proved");
}

/** The timeline's words, without those that came twice. */
async function statuses(page) {
  const all = await page.locator(".fact strong").allInnerTexts();
  return all.filter((status, at) => status !== all[at - 1]);
}

async function markupStaysText(page) {
  const body = "<img src=x onerror=alert(1)><b>STOP</b> 1";
  await page.fill("#write", body);
  await page.keyboard.press("Enter");
  await until(page, ".bubble.sent", "onerror");
  assert.equal(await page.locator("#thread img, #thread b").count(), 0);
}

/** Nothing but keys from here to the end of the call. */
async function byCallWithKeys(page) {
  await page.focus("#restart");
  await page.keyboard.press("Enter");
  await page.focus("input[name=channel]:checked");
  await page.keyboard.press("ArrowRight");
  assert.ok(await page.isChecked("input[value=call]"));
  await page.focus("#send");
  await page.keyboard.press("Enter");
  await page.waitForSelector('#call[data-state="ringing"]');
  assert.equal(await page.evaluate(() => document.activeElement.id), "answer");
  assert.match(await page.textContent("#say-now"), /Incoming call/);
  await picture(page, "ringing");
  await page.keyboard.press("Enter");
  await page.waitForSelector('#call[data-state="talking"]');
  await until(page, ".captions p", "press any key");
  const pressed = page.waitForRequest((request) => request.url().endsWith("/press"));
  await page.keyboard.press("5");
  assert.deepEqual((await pressed).postDataJSON(), { digits: "5" });
  const code = await heardCode(page);
  await picture(page, "captions");
  // In a field, digits are the field's and press no keys.
  let more = 0;
  page.on("request", (request) => { more += request.url().endsWith("/press") ? 1 : 0; });
  await page.focus("#code");
  await page.keyboard.type(code);
  await page.keyboard.press("Enter");
  await until(page, "#done-title", "Number proved");
  assert.equal(more, 0);
  await page.keyboard.press("Escape");
  await page.locator("#call").waitFor({ state: "hidden" });
  await until(page, ".delivery-head .pill", "completed");
  assert.deepEqual(await statuses(page), ["asked for", "queued", "initiated", "ringing", "in-progress", "completed"]);
  await until(page, ".call-item", "Answered call");
  assert.equal(await page.evaluate(() => document.activeElement.id), "done");
}

async function reloadKeepsTheStory(page) {
  await page.reload();
  await until(page, "#done-title", "Number proved");
  await until(page, "#thread .bubble", "Your Dialback code is");
}

async function habits(page) {
  await page.click("#behaviour summary");
  await wish(page, "outcome", "undelivered");
  await wish(page, "error_code", "30005");
  await until(page, "#behaviour-brief", "undelivered");
  await page.check("input[value=sms]", { force: true });
  await page.click("#send");
  await until(page, ".delivery-head .pill", "undelivered");
  await until(page, ".advice b", "30005");
  await wish(page, "answers", "busy");
  await page.check("input[value=call]", { force: true });
  await page.click("#send");
  await until(page, ".delivery-head .pill", "busy");
  await picture(page, "habits");
  await page.click("#behaviour-reset");
  await until(page, "#behaviour-brief", "a person answers");
}

async function timeAndWire(page) {
  await page.click("#clock summary");
  await page.click('[data-advance="600"]');
  await until(page, "#done-title", "Too late");
  await page.click("#traffic summary");
  const callback = page.locator(".exchange", { hasText: "Status callback" }).first();
  await callback.locator("summary").click();
  await callback.getByRole("button", { name: "Send again" }).click();
  await callback.locator("[role=status]", { hasText: "Sent again: 204" }).waitFor();
  await picture(page, "wire");
}

async function wide(url) {
  const page = await open(url, { width: 1280, height: 860, scheme: "light" });
  await picture(page, "first");
  await addPhone(page);
  await badNumber(page);
  await byText(page);
  await markupStaysText(page);
  await byCallWithKeys(page);
  await reloadKeepsTheStory(page);
  await habits(page);
  await timeAndWire(page);
  await fits(page, "laptop");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

/** One side at a time: a banner tells of a text, a call takes the screen. */
async function narrow(url, scheme) {
  const page = await open(url, { width: 360, height: 740, scheme });
  const shows = (side) => page.locator(side).isVisible();
  await fits(page, "form");
  assert.deepEqual([await shows(".app-side"), await shows(".phone-side")], [true, false]);
  await page.fill("#number", "+14155550177");
  await page.click("#send");
  await until(page, "#banner-text", "Your Dialback code is");
  await picture(page, `narrow-${scheme}-text`);
  await page.click("#banner");
  await until(page, "#thread .bubble", "Your Dialback code is");
  await fits(page, "thread");
  await page.click(".use-code");
  assert.deepEqual([await shows(".app-side"), await shows(".phone-side")], [true, false]);
  await page.click("#check");
  await until(page, "#done-title", "Number proved");
  await fits(page, "proved");
  await page.click("#restart");
  await page.check("input[value=call]", { force: true });
  await page.click("#send");
  await page.waitForSelector('#call[data-state="ringing"]');
  await picture(page, `narrow-${scheme}-ringing`);
  await page.click("#answer");
  await until(page, ".captions p", "press any key");
  await page.click('[data-key="#"]');
  const code = await heardCode(page);
  await fits(page, "call");
  await picture(page, `narrow-${scheme}-call`);
  await page.click('[data-show="app"]');
  await until(page, "#call-strip-title", "On a call");
  await page.fill("#code", code);
  await page.click("#check");
  await until(page, "#done-title", "Number proved");
  await page.click("#call-strip-open");
  await page.click("#decline");
  await page.locator("#call").waitFor({ state: "hidden" });
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

async function declined(url) {
  const page = await open(url, { width: 1024, height: 700, scheme: "dark" });
  await page.fill("#number", "+14155550188");
  await page.check("input[value=call]", { force: true });
  await page.click("#send");
  await page.waitForSelector('#call[data-state="ringing"]');
  await page.keyboard.press("Escape");
  await until(page, ".call-item", "Call not taken");
  await until(page, ".delivery-head .pill", "busy");
  await fits(page, "between");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

/** Without the service the form says so, and the telephones work. */
async function sandboxAlone(url) {
  const page = await open(url, { width: 1280, height: 800, scheme: "light" });
  await until(page, "#alone", "dialback serve");
  assert.ok(await page.isDisabled("#send"));
  await page.fill("#write", "hello");
  await page.keyboard.press("Enter");
  await until(page, ".bubble.sent", "hello");
  await picture(page, "alone");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

try {
  const story = { wide: () => wide(together), "narrow, light": () => narrow(together, "light"), "narrow, dark": () => narrow(together, "dark"), declined: () => declined(together), "sandbox alone": () => sandboxAlone(alone) };
  for (const [name, tell] of Object.entries(story)) {
    await tell();
    console.log(`ok ${name}`);
  }
} finally {
  await browser.close();
}
