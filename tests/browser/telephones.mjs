// The telephones in a real browser: the whole story at two widths, by pointer
// and by keyboard.
//
//   node telephones.mjs URL_OF_SERVE URL_OF_LONE_SANDBOX ACCOUNT_SID AUTH_TOKEN
//
// DIALBACK_TEST_CHROMIUM      the browser
// DIALBACK_TEST_NODE_MODULES  a directory that holds playwright-core
// DIALBACK_TEST_SCREENSHOTS   where to leave pictures; none are taken without it

import { createRequire } from "node:module";
import assert from "node:assert/strict";
import path from "node:path";

const { DIALBACK_TEST_CHROMIUM: executablePath, DIALBACK_TEST_NODE_MODULES: modules, DIALBACK_TEST_SCREENSHOTS: pictures } = process.env;
const { chromium } = createRequire(path.join(modules, "x.js"))("playwright-core");
const [together, alone, account, token] = process.argv.slice(2);
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath, args: flags });

/** A page that remembers everything it complained about. */
async function open(url, { width, height, scheme }) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale: "en-US", permissions: ["clipboard-read", "clipboard-write"] });
  context.setDefaultTimeout(60_000);
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

/** Fails for text that is hard to read on what lies behind it (WCAG 2.2, 1.4.3). */
async function readable(page, ...selectors) {
  const ratios = await page.evaluate((selectors) => {
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const paint = (colours) => {
      pen.clearRect(0, 0, 1, 1);
      for (const colour of colours) [pen.fillStyle = colour, pen.fillRect(0, 0, 1, 1)];
      return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
    };
    const light = (rgb) => rgb.map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4).reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    return selectors.map((selector) => {
      const node = document.querySelector(selector);
      const behind = [];
      for (let at = node; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
      const [low, high] = [light(paint(behind)), light(paint([...behind, getComputedStyle(node).color]))].sort((a, b) => a - b);
      return (high + 0.05) / (low + 0.05);
    });
  }, selectors);
  selectors.forEach((selector, at) => assert.ok(ratios[at] >= 4.5, `${selector}: contrast ${ratios[at].toFixed(2)}`));
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
  // The list of phones is drawn with the next frame.
  await page.waitForFunction(() => ["number", "phones"].every((id) => document.getElementById(id).value === "+14155550142"));
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
  const newest = page.locator(".exchange", { hasText: "Status callback" }).first();
  // Once it is sent again, that is the newest.
  const callback = page.locator(`.exchange[data-key="${await newest.getAttribute("data-key")}"]`);
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

/** What was asked for before the code was checked is answered after it. */
async function overtaken(url) {
  const page = await open(url, { width: 1024, height: 700, scheme: "light" });
  await page.fill("#number", "+14155550189");
  await page.click("#send");
  await page.locator("#autofill").waitFor();
  const verification = /\/sandbox\/app\/verifications\/\w+$/;
  const read = (answer) => answer.request().method() === "GET" && verification.test(answer.url());
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  const held = new Promise((resolve) => {
    page.route(verification, async (route) => {
      const response = await route.fetch();
      assert.equal((await response.json()).status, "pending");
      resolve();
      await released;
      await route.fulfill({ response });
    }, { times: 1 });
  });
  await held;
  await page.click(".use-code");
  await page.keyboard.press("Enter");
  await until(page, "#done-title", "Number proved");
  const late = page.waitForResponse(read);
  release();
  await late.then(() => page.waitForResponse(read));
  await until(page, "#done-title", "Number proved");
  assert.equal(await page.evaluate(() => document.activeElement.id), "done");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

/** Sends as an application does, and gives the message's SID. */
async function send(url, fields) {
  const message = await api(url, "Messages.json", { method: "POST", body: new URLSearchParams({ From: "whatsapp:+15005550006", ...fields }) });
  assert.equal(message.status, "queued");
  return message.sid;
}

async function api(url, resource, options = {}) {
  const headers = { authorization: `Basic ${btoa(`${account}:${token}`)}` };
  return (await fetch(`${url}/2010-04-01/Accounts/${account}/${resource}`, { ...options, headers })).json();
}

async function becomes(url, sid, wanted) {
  for (const deadline = Date.now() + 60_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const { status, error_code } = await api(url, `Messages/${sid}.json`);
    if (status === wanted) return error_code;
    assert.ok(Date.now() < deadline, `${status} instead of ${wanted}`);
  }
}

/** The other app: a code by template, its button, an answer, free text; keys alone. */
async function whatsapp(url, number, look) {
  const page = await open(url, look);
  if (look.width < 900) await page.click('[data-show="phone"]');
  await page.click("#add");
  await page.fill("#add-number", number);
  await page.keyboard.press("Enter");
  await page.locator("#add-dialog").waitFor({ state: "hidden" });
  const [To, app] = [`whatsapp:${number}`, '.apps [data-app="whatsapp"]'];
  const template = { To, ContentSid: "HX6469616c6261636b2073616e64626f78", ContentVariables: '{"1":"481516"}' };
  const sid = await send(url, template);
  await until(page, `${app} i`, "1");
  assert.equal(await page.getAttribute(app, "aria-label"), "WhatsApp, 1 unread");
  assert.equal(await page.locator("#thread .bubble").count(), 0, "it is not among the texts");
  await becomes(url, sid, "delivered");
  await picture(page, `whatsapp-${look.width}-unread`);
  await page.focus(app);
  await page.keyboard.press("Enter");
  await page.waitForSelector(`${app}[aria-pressed="true"]`);
  await until(page, "#thread .bubble footer", "read");
  await becomes(url, sid, "read");
  await page.waitForSelector(`${app}[aria-label="WhatsApp"]`);
  assert.equal(await text(page, "#thread .bubble strong"), "481516");
  await page.focus(".copy-code");
  await page.keyboard.press("Enter");
  await until(page, ".copy-code", "Code copied");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "481516");
  assert.equal(await becomes(url, await send(url, { To, Body: "too early" }), "failed"), 63016);
  await page.focus("#write");
  await page.keyboard.type("it was *not* me");
  await page.keyboard.press("Enter");
  await until(page, ".bubble.sent strong", "not");
  await becomes(url, await send(url, { To, Body: "then change your password" }), "read");
  await until(page, "#thread .bubble", "change your password");
  await readable(page, ".bubble p", ".bubble footer", ".bubble.sent p", ".bubble.sent footer", "#peer", "#own-number", ".copy-code", app, '.apps [data-app="sms"]');
  await fits(page, "chat");
  await picture(page, `whatsapp-${look.width}-chat`);
  await page.click('.apps [data-app="sms"]');
  await page.locator("#thread .bubble").first().waitFor({ state: "detached" });
  // What comes while the chat is not on the screen is not read.
  const unseen = await send(url, template);
  await until(page, `${app} i`, "1");
  await becomes(url, unseen, "delivered");
  await page.reload();
  await page.waitForSelector('#live[data-state="live"]');
  await page.click("#templates summary");
  assert.match(await text(page, "#template-list .template code"), /^HX6469616c6261636b2073616e64626f78$/);
  const saved = page.waitForResponse((answer) => answer.url().includes("/sandbox/templates/"));
  await page.selectOption("#template-list .template select", "paused");
  assert.ok((await saved).ok());
  assert.equal(await becomes(url, await send(url, template), "failed"), 63041);
  await until(page, "#templates-brief", "1 may not go out");
  await page.selectOption("#template-list .template select", "approved");
  await until(page, "#templates-brief", "all approved");
  await fits(page, "templates");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

/** Without the service the form says so, and the telephones work. */
async function sandboxAlone(url) {
  const page = await open(url, { width: 1280, height: 800, scheme: "light" });
  await until(page, "#alone", "dialback serve");
  // Verify is there, and the page does not say that it is not.
  await until(page, "#alone-title", "Verify is beside them");
  await until(page, "#alone-verify", "/v2/Services");
  assert.ok(!/not running/.test(await text(page, "#alone")));
  assert.ok(await page.isDisabled("#send"));
  await page.fill("#write", "hello");
  await page.keyboard.press("Enter");
  await until(page, ".bubble.sent", "hello");
  await picture(page, "alone");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mP4z8CAFTEMLQkAKP8/wc53yE8AAAAASUVORK5CYII=";

/** A picture goes out from the telephone, chosen and sent by keys; what is no picture says so. */
async function pictureSent(url, number, look) {
  const page = await open(url, look);
  if (look.width < 900) await page.click('[data-show="phone"]');
  await page.click("#add");
  await page.fill("#add-number", number);
  await page.keyboard.press("Enter");
  await page.locator("#add-dialog").waitFor({ state: "hidden" });
  // Somebody who always listens keeps the browser from opening a dialog of its own.
  page.on("filechooser", () => {});
  const file = (name, mimeType, buffer = Buffer.from(PNG, "base64")) => ({ name, mimeType, buffer });
  const choose = async (...files) => {
    await page.focus("#attach");
    const chooser = page.waitForEvent("filechooser");
    await page.keyboard.press("Enter");
    await (await chooser).setFiles(files);
  };
  await choose(file("red.png", "image/png"), file("twice.png", "image/png"));
  await until(page, "#attached", "twice.png");
  assert.equal(await page.evaluate(() => document.activeElement.id), "write", "the focus goes on to the words");
  assert.equal(await page.getAttribute("#attach", "aria-label"), "Attach a picture or another file");
  await page.focus('#attached [aria-label="Remove red.png"]');
  await page.keyboard.press("Enter");
  await page.locator("#attached li").nth(1).waitFor({ state: "detached" });
  await until(page, "#say-politely", "red.png removed");
  await readable(page, "#attached span", "#attached button");
  await fits(page, "attached");
  await picture(page, `attached-${look.width}`);
  await page.focus("#write");
  await page.keyboard.type("look at this");
  await page.keyboard.press("Enter");
  await until(page, ".bubble.sent", "look at this");
  await page.waitForFunction(() => document.querySelector(".bubble.sent img.picture")?.naturalWidth === 8);
  assert.ok(await page.isHidden("#attached"), "nothing is attached any more");
  // A picture without words goes out, too, and one that is too large does not.
  await choose(file("alone.png", "image/png"));
  await until(page, "#attached", "alone.png");
  await page.click('[aria-label="Send the text"]');
  await page.locator(".bubble.sent img.picture").nth(1).waitFor();
  assert.equal(await page.locator(".bubble.sent").last().locator("p").count(), 0, "no words, no balloon");
  await choose(file("huge.png", "image/png", Buffer.alloc(5 * 1024 * 1024 + 1)));
  await until(page, "#composer-error", "larger than 5 MiB");
  await choose(file("run.exe", "application/x-msdownload"));
  await until(page, "#attached", "run.exe");
  await page.click('[aria-label="Send the text"]');
  await until(page, "#composer-error", "not carried");
  await picture(page, `pictures-${look.width}`);
  assert.deepEqual(page.complaints.filter((line) => !line.includes("400")), []);
  await page.context().close();
}

/** A call that is recorded says so, and a key ends that. */
async function recordedCall(url, number, look) {
  const page = await open(url, look);
  await page.click("#add");
  await page.fill("#add-number", number);
  await page.keyboard.press("Enter");
  await page.locator("#add-dialog").waitFor({ state: "hidden" });
  const Twiml = '<Response><Say>Speak.</Say><Record finishOnKey="#" action="http://127.0.0.1:9/"/></Response>';
  await api(url, "Calls.json", { method: "POST", body: new URLSearchParams({ To: number, From: "+15005550006", Twiml }) });
  await page.locator("#answer").click();
  await until(page, "#recorded", "Recording");
  await until(page, "#captions", "[beep]");
  await readable(page, "#recorded");
  await picture(page, `recorded-${look.width}`);
  await page.keyboard.press("#");
  await page.locator("#recorded").waitFor({ state: "hidden" });
  assert.deepEqual(page.complaints, []);
  await page.context().close();
}

try {
  const story = { pictures: () => pictureSent(alone, "+14155550181", { width: 1280, height: 860, scheme: "light" }), "pictures, narrow, dark": () => pictureSent(alone, "+14155550182", { width: 360, height: 740, scheme: "dark" }), recorded: () => recordedCall(alone, "+14155550183", { width: 1280, height: 860, scheme: "dark" }), wide: () => wide(together), "narrow, light": () => narrow(together, "light"), "narrow, dark": () => narrow(together, "dark"), declined: () => declined(together), overtaken: () => overtaken(together), "sandbox alone": () => sandboxAlone(alone), whatsapp: () => whatsapp(alone, "+14155550191", { width: 1280, height: 860, scheme: "light" }), "whatsapp, narrow, dark": () => whatsapp(alone, "+14155550192", { width: 360, height: 740, scheme: "dark" }) };
  for (const [name, tell] of Object.entries(story)) {
    await tell();
    console.log(`ok ${name}`);
  }
} finally {
  await browser.close();
}
