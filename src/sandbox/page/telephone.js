// The telephone: its thread of texts and calls, and the call that is on.

import { attached, detachAll, setUpAttaching } from "./attach.js";
import { ask, byId, clockTime, el, icon, pretty, reconcile, say, span } from "./dom.js";
import { addressee } from "./numbers.js";
import * as sound from "./sound.js";
import { chatBubble, pictures } from "./whatsapp.js";
import { liveCall, now, onNews, openChats, phone, select, tell, turnTo, unopened, world } from "./world.js";

const KEYS = [["1", ""], ["2", "ABC"], ["3", "DEF"], ["4", "GHI"], ["5", "JKL"], ["6", "MNO"], ["7", "PQRS"], ["8", "TUV"], ["9", "WXYZ"], ["*", ""], ["0", "+"], ["#", ""]];
/** How long the end of a call stays on the screen, in milliseconds. */
const FAREWELL = 1800;
const TICKS = { queued: "waiting", sending: "on its way", sent: "sent", delivered: "delivered", read: "read", received: "sent", undelivered: "no receipt", failed: "failed" };

/** What each app is called, shows and says. */
const APPS = {
  sms: { name: "Messages", icon: "#i-text", hint: "Text message", log: "Texts and calls", empty: "Send a code, and it arrives here." },
  whatsapp: { name: "WhatsApp", icon: "#i-chat", hint: "Message", log: "WhatsApp chat", empty: "Messages over WhatsApp arrive here." },
};

/** The code in a text: its longest run of four to ten digits. */
export function codeIn(text) {
  const runs = (text.match(/\d+/g) ?? []).filter((run) => run.length >= 4 && run.length <= 10);
  return runs.sort((a, b) => b.length - a.length)[0] ?? null;
}

/** What was said, with digits that were said one by one in one line. */
export function lines(captions) {
  const lines = [];
  for (const { text, language } of captions) {
    const digit = /^\p{Nd}$/u.test(text);
    const last = lines.at(-1);
    if (digit && last?.digits) last.text += text;
    else lines.push({ text, language, digits: digit });
  }
  return lines;
}

export function setUpTelephone({ useCode, show }) {
  for (const [key, letters] of KEYS) {
    byId("keypad").append(el("button", { type: "button", "data-key": key, onclick: () => press(key) }, key, el("small", { "aria-hidden": "true" }, letters)));
  }
  byId("answer").addEventListener("click", answer);
  byId("decline").addEventListener("click", decline);
  byId("phones").addEventListener("change", (event) => select(event.target.value));
  byId("composer").addEventListener("submit", write);
  setUpAttaching();
  byId("dial").addEventListener("click", dial);
  byId("call-strip-open").addEventListener("click", () => show("phone"));
  document.addEventListener("keydown", shortcut);
  document.addEventListener("visibilitychange", () => tell("view", {}));
  for (const button of appButtons()) button.addEventListener("click", () => turnTo(button.dataset.app));

  let ended = null;
  let before = null;
  let wanted = false;
  let opening = false;
  const spoken = new Map();

  onNews((kind, data) => {
    if (kind === "reset") [spoken.clear(), ended = null];
    if (kind === "snapshot") for (const mine of world.phones.values()) for (const call of mine.calls) spoken.set(call.sid, call.captions.length);
    if (kind === "text" && data.direction === "received") {
      sound.ping();
      say(byId("say-politely"), `${data.channel === "whatsapp" ? "WhatsApp" : "Text"} to ${pretty(data.number)}: ${data.body}`);
    }
    if (kind === "call") heard(data);
    if (!wanted) {
      wanted = true;
      requestAnimationFrame(() => { wanted = false; draw(); });
    }
  });
  setInterval(tick, 250);

  function heard(call) {
    // A call takes the screen, unless the phone on it is busy with another one.
    if (call.live && call.status === "ringing" && call.number !== world.selected && !liveCall()) select(call.number);
    const known = spoken.get(call.sid) ?? 0;
    if (call.number === world.selected && call.live) call.captions.slice(known).forEach(({ text, language }) => sound.speak(text, language));
    spoken.set(call.sid, call.captions.length);
    if (!call.live && call.number === world.selected) {
      sound.hush();
      if (byId("call").dataset.sid === call.sid && !byId("call").hidden) {
        ended = call;
        setTimeout(() => { if (ended === call) [ended = null, draw()]; }, FAREWELL);
      }
    }
  }

  function draw() {
    drawPicker();
    drawApps();
    drawThread();
    drawCall();
    readChats();
    tick();
  }

  function drawPicker() {
    const picker = byId("phones");
    const numbers = [...world.phones.keys()];
    reconcile(picker, numbers, {
      key: (number) => number,
      version: label,
      make: (number) => el("option", { value: number }, label(number)),
    });
    picker.value = world.selected;
  }

  function drawApps() {
    const app = APPS[world.screen];
    const counts = { sms: world.unread.get(world.selected) ?? 0, whatsapp: unopened(world.selected) };
    for (const button of appButtons()) {
      const { app: name } = button.dataset;
      const badge = button.querySelector("i");
      button.setAttribute("aria-pressed", String(name === world.screen));
      button.setAttribute("aria-label", counts[name] ? `${APPS[name].name}, ${counts[name]} unread` : APPS[name].name);
      badge.hidden = !counts[name];
      say(badge, String(counts[name]));
    }
    if (byId("messages").dataset.app === world.screen) return;
    byId("messages").dataset.app = world.screen;
    byId("thread-scroll").setAttribute("aria-label", app.log);
    byId("thread-empty-icon").setAttribute("href", app.icon);
    say(byId("thread-empty-text"), app.empty);
    byId("write").placeholder = app.hint;
    say(byId("composer-error"), "");
  }

  /** A chat that is on the screen is read, unless a call covers it. */
  async function readChats() {
    const number = world.selected;
    const seen = world.screen === "whatsapp" && byId("call").hidden && !document.hidden && byId("thread-scroll").offsetParent;
    if (!seen || opening || !unopened(number)) return;
    opening = true;
    const ok = await openChats(number);
    opening = false;
    if (ok) tell("view", {});
  }

  function drawThread() {
    const mine = phone();
    const chatting = world.screen === "whatsapp";
    const texts = mine.texts.filter((text) => text.channel === world.screen);
    const peer = chatting ? chatPeer() : addressee() ?? textPeer(texts);
    say(byId("peer"), peer ? pretty(peer) : APPS[world.screen].name);
    say(byId("own-number"), `${chatting ? "WhatsApp on" : "on"} ${pretty(mine.number)}`);
    byId("dial").disabled = byId("write").disabled = byId("attach").disabled = !world.ready;
    const items = [
      ...texts.map((text) => ({ kind: "text", at: text.received_at, sid: text.sid, text })),
      ...mine.calls.filter((call) => !chatting && !call.live).map((call) => ({ kind: "call", at: call.started_at, sid: call.sid, call })),
    ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    items.forEach((item, at) => { item.first = item.text?.direction === "received" && items[at - 1]?.text?.from !== item.text.from; });
    // Only the newest code is worth using.
    const newest = items.findLast(({ text }) => text?.direction === "received" && codeIn(text.body));
    if (newest) newest.usable = true;
    const scroll = byId("thread-scroll");
    const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
    const before = items.length && byId("thread").lastElementChild?.dataset.key;
    byId("thread-empty").hidden = items.length > 0;
    reconcile(byId("thread"), items, {
      key: (item) => `${mine.number} ${world.screen} ${item.sid}`,
      version: (item) => item.kind === "text" ? `${item.text.status} ${item.first} ${item.usable}` : item.call.status,
      make: (item) => chatting ? chatBubble(item.text, useCode) : item.kind === "text" ? bubble(item.text, item.first, item.usable) : record(item.call),
    });
    if (atEnd || byId("thread").lastElementChild?.dataset.key !== before) scroll.scrollTop = scroll.scrollHeight;
  }

  function bubble(text, first, usable) {
    const received = text.direction === "received";
    const code = received ? codeIn(text.body) : null;
    const words = el("p", { dir: "auto" });
    if (code) {
      const at = text.body.indexOf(code);
      words.append(text.body.slice(0, at), el("mark", {}, code), text.body.slice(at + code.length));
    } else words.append(text.body);
    const status = received ? TICKS[text.status] ?? text.status : "sent";
    return el("li", { class: received ? "bubble" : "bubble sent" },
      first ? el("span", { class: "from" }, pretty(text.from)) : null,
      text.body ? words : null,
      ...pictures(text),
      el("footer", {}, `${clockTime(text.received_at)} · ${status}`),
      usable ? el("button", { class: "use-code", type: "button", onclick: () => useCode(code) }, `Use code ${code}`) : null);
  }

  function record(call) {
    const out = call.direction === "inbound";
    const length = call.answered_at ? span(Date.parse(call.ended_at) - Date.parse(call.answered_at)) : "";
    const what = { completed: out ? "Call" : "Answered call", busy: "Call not taken", "no-answer": "Missed call", canceled: "Missed call", failed: "Call failed" }[call.status] ?? "Call";
    const title = [icon("phone"), [what, length].filter(Boolean).join(", "), ` · ${clockTime(call.started_at)}`];
    const said = lines(call.captions);
    const item = el("li", { class: "call-item", tone: call.status === "completed" ? "good" : "bad" });
    if (said.length) item.append(el("details", {}, el("summary", {}, ...title, " · ", el("u", {}, "what was said")), ...said.map((line) => el("p", { dir: "auto", lang: line.language }, line.text))));
    else item.append(el("p", {}, ...title));
    return item;
  }

  function drawCall() {
    const panel = byId("call");
    const mine = phone();
    const wish = mine.effective?.answers;
    let call = liveCall();
    // These never ring audibly: the network says so at once.
    if (call?.status === "ringing" && ["busy", "declines", "fails"].includes(wish)) call = undefined;
    if (call) ended = null;
    const shown = call ?? ended;
    const was = panel.hidden ? "none" : panel.dataset.state;
    const state = stateOf(call, wish);
    if (!shown) {
      panel.hidden = true;
      panel.dataset.sid = "";
      byId("messages").inert = false;
      if (was !== "none") back();
    } else {
      panel.hidden = false;
      byId("messages").inert = true;
      panel.dataset.sid = shown.sid;
      panel.dataset.state = state;
      say(byId("caller"), pretty(shown.direction === "inbound" ? shown.to : shown.from));
      say(byId("decline-label"), state === "ringing" ? "Decline" : "Hang up");
      byId("decline").setAttribute("aria-label", state === "ringing" ? "Decline" : "Hang up");
      say(byId("call-hint"), { unheard: "This phone is set to let it ring.", ringing: wish === "machine" ? "The machine takes it unless you do." : "" }[state] ?? "");
      drawCaptions(shown, state);
      drawRecorded(shown);
      if (was === "none" || was !== state) arrive(was, state, shown);
    }
    if (state === "ringing" && call) sound.startRing();
    else sound.stopRing();
    byId("call-strip").hidden = !call || state !== "talking";
  }

  function drawRecorded({ recording }) {
    const mark = byId("recorded");
    mark.hidden = !recording;
    mark.dataset.state = recording ?? "";
    say(mark, { "in-progress": "Recording", paused: "Recording paused" }[recording] ?? "");
  }

  function stateOf(call, wish) {
    if (!call) return "ended";
    if (call.status !== "ringing") return "talking";
    if (call.direction === "inbound") return "calling";
    return wish === "nobody" ? "unheard" : "ringing";
  }

  function drawCaptions(call, state) {
    const list = byId("captions");
    const said = state === "talking" || state === "ended" ? lines(call.captions) : [];
    reconcile(list, said.map((line, at) => ({ ...line, at })), {
      key: (line) => `${call.sid} ${line.at}`,
      version: (line) => line.text,
      make: (line) => el("p", { class: line.digits ? "digits" : "", dir: "auto", lang: line.language }, line.digits ? [...line.text].join(" ") : line.text),
    });
    list.scrollTop = list.scrollHeight;
    say(byId("call-strip-caption"), said.at(-1)?.text ?? "");
  }

  /** A call came, or was answered: the screen and the focus go to it. */
  function arrive(was, state, call) {
    const busyTyping = isTyping();
    if (was === "none") before = busyTyping ? null : document.activeElement;
    if (state === "ringing") {
      show("phone");
      say(byId("say-now"), `Incoming call from ${pretty(call.from)}. Enter answers, Escape declines.`);
      if (!busyTyping) byId("answer").focus({ preventScroll: true });
    } else if (state === "talking") {
      say(byId("say-now"), "On the call. Digits press keys, Escape hangs up.");
      if (!busyTyping) byId("call").focus({ preventScroll: true });
    } else if (state === "ended") say(byId("say-now"), "Call ended.");
  }

  function back() {
    const home = before?.isConnected && !before.disabled && before !== document.body ? before : byId("code");
    if (document.activeElement === document.body || byId("call").contains(document.activeElement)) home.focus({ preventScroll: true });
    before = null;
  }

  function tick() {
    say(byId("bar-time"), clockTime(now()).replace(/\s?[AP]M$/i, ""));
    const panel = byId("call");
    if (panel.hidden) return;
    const call = liveCall() ?? ended;
    if (!call) return;
    const length = call.answered_at ? span((call.live ? now() : Date.parse(call.ended_at)) - Date.parse(call.answered_at)) : "";
    const line = { ringing: "is calling", unheard: "is calling", calling: "calling…", talking: length, ended: length ? `Call ended · ${length}` : "Call ended" }[panel.dataset.state];
    say(byId("call-line"), line);
    say(byId("call-strip-title"), `On a call · ${length}`);
  }

  function answer() {
    const call = liveCall();
    if (call) ask("POST", `/sandbox/calls/${call.sid}/answer`);
  }

  function decline() {
    const call = liveCall();
    if (!call) return;
    sound.stopRing();
    sound.hush();
    ask("POST", `/sandbox/calls/${call.sid}/${call.status === "ringing" && call.direction !== "inbound" ? "decline" : "hang-up"}`);
  }

  function press(key) {
    const call = liveCall();
    if (!call || call.status === "ringing") return;
    sound.hush();
    sound.key(key);
    const button = byId("keypad").querySelector(`[data-key="${CSS.escape(key)}"]`);
    button.classList.add("down");
    setTimeout(() => button.classList.remove("down"), 140);
    ask("POST", `/sandbox/calls/${call.sid}/press`, { digits: key });
  }

  function shortcut(event) {
    const panel = byId("call");
    if (panel.hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping() || document.querySelector("dialog[open]")) return;
    const { state } = panel.dataset;
    if (event.key === "Escape" && ["ringing", "talking", "calling"].includes(state)) decline();
    else if (event.key === "Enter" && state === "ringing" && !event.target.closest("button, a, summary, select")) answer();
    else if (state === "talking" && /^[0-9*#]$/.test(event.key)) press(event.key);
    else return;
    event.preventDefault();
  }

  async function write(event) {
    event.preventDefault();
    const input = byId("write");
    const media = attached();
    if (!input.value.trim() && !media.length) return;
    const to = world.screen === "whatsapp" ? chatPeer() : addressee();
    const { ok, problem } = await ask("POST", `/sandbox/phones/${encodeURIComponent(world.selected)}/messages`, { to, body: input.value, media });
    say(byId("composer-error"), problem);
    if (!ok) return;
    input.value = "";
    detachAll();
  }

  async function dial() {
    const { problem } = await ask("POST", `/sandbox/phones/${encodeURIComponent(world.selected)}/calls`, { to: addressee() });
    say(byId("composer-error"), problem);
  }
}

function label(number) {
  const fresh = (world.unread.get(number) ?? 0) + unopened(number);
  return `${pretty(number)}${liveCall(number) ? " · on a call" : fresh ? ` · ${fresh} new` : ""}`;
}

const appButtons = () => document.querySelectorAll(".apps button");

/** Who is on the other end of a list of texts. */
function textPeer(texts) {
  const last = texts.at(-1);
  return last?.direction === "received" ? last.from : last?.to;
}

/** With whom the phone chats: who wrote last, else the sandbox's own sender. */
const chatPeer = () => textPeer(phone().texts.filter((text) => text.channel === "whatsapp")) ?? `whatsapp:${world.sender}`;

/** True while keys belong to a field. */
function isTyping() {
  const at = document.activeElement;
  return at instanceof HTMLInputElement ? !["radio", "checkbox", "button"].includes(at.type) : at instanceof HTMLTextAreaElement || at instanceof HTMLSelectElement;
}
