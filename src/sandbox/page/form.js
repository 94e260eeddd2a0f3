// The form that stands for an application: it starts a verification, checks a
// code, and follows what became of the texts and calls.

import { ask, byId, clockTime, el, icon, memory, reconcile, say, shortly, span } from "./dom.js";
import { codeIn } from "./telephone.js";
import { ensure, now, onNews, phone, select, world } from "./world.js";

const LOCALES = { en: "English", de: "Deutsch", fr: "Français", es: "Español", it: "Italiano", "pt-BR": "Português (BR)", nl: "Nederlands", pl: "Polski", sv: "Svenska", da: "Dansk", nb: "Norsk", fi: "Suomi", ja: "日本語", ko: "한국어", "zh-CN": "简体中文", ru: "Русский", tr: "Türkçe", uk: "Українська", ar: "العربية", hi: "हिन्दी" };
const STATUS = {
  pending: "waiting to be sent", sending: "on its way to the carrier", accepted: "taken, not yet sent", queued: "waits at Twilio", sent: "the carrier has it", delivered: "on the telephone", read: "opened",
  undelivered: "the carrier gave it up", failed: "it never left", canceled: "called off", initiated: "being set up", ringing: "the telephone rings", "in-progress": "answered", completed: "the call took place", busy: "engaged, or declined", "no-answer": "nobody answered", scheduled: "to be sent later",
};
/** A channel's icon, and what a send over it is called. */
const CHANNEL = { sms: ["text", "Text"], call: ["phone", "Call"], whatsapp: ["chat", "WhatsApp"] };
const SOURCE = { "status-callback": "callback", api: "API", "async-amd": "detection", "voice-request": "asked what to say", inbound: "inbound" };
const OUTCOME = {
  approved: ["Number proved", "The code was right, and is spent."],
  expired: ["Too late", "The code has expired. Start over for a new one."],
  max_attempts_reached: ["Too many wrong codes", "This verification is closed. Start over for a new one."],
  canceled: ["Called off", "This verification was canceled."],
};
/** How soon news leads to a fresh look, in milliseconds. */
const SOON = 120;
/** How often to look in any case while something is open, in milliseconds. */
const SELDOM = 5000;

const tone = (status) => ["delivered", "completed", "read", "approved"].includes(status) ? "good" : ["undelivered", "failed", "canceled", "busy", "no-answer", "expired", "max_attempts_reached"].includes(status) ? "bad" : "plain";

export function setUpForm({ show }) {
  let verification = null;
  let deliveries = new Map();
  let touched = false;
  let turn = 0;
  const look = shortly(SOON, fresh);

  for (const [tag, name] of Object.entries(LOCALES)) byId("locale").append(el("option", { value: tag, lang: tag }, name));
  const own = Object.keys(LOCALES).find((tag) => navigator.language === tag) ?? Object.keys(LOCALES).find((tag) => navigator.language.startsWith(tag));
  byId("locale").value = own ?? "en";

  byId("number").addEventListener("input", () => { touched = true; });
  byId("send-form").addEventListener("submit", send);
  byId("check-form").addEventListener("submit", check);
  for (const channel of Object.keys(CHANNEL)) byId(`again-${channel}`).addEventListener("click", () => again(channel));
  byId("restart").addEventListener("click", restart);
  byId("autofill").addEventListener("click", () => useCode(byId("autofill-code").textContent));
  byId("code").addEventListener("input", () => say(byId("check-error"), ""));

  onNews((kind, data) => {
    if (["select", "snapshot"].includes(kind) && !touched) byId("number").value = world.selected;
    if (kind === "snapshot") {
      alone();
      if (!verification && memory.get("verification")) resume(memory.get("verification"));
    }
    if (kind === "reset" && verification) look();
    if (["message", "call", "exchange", "clock", "snapshot"].includes(kind) && concerns(kind, data)) look();
    if (kind === "text") offer();
  });
  setInterval(() => { if (isOpen()) look(); }, SELDOM);
  setInterval(counts, 250);

  function alone() {
    byId("alone").hidden = world.app;
    byId("alone-verify").hidden = !world.verify;
    say(byId("alone-title"), world.verify ? "The telephones work, and Verify is beside them." : "The telephones work; the service is not running.");
    byId("send").disabled = !world.app;
    if (!world.app) say(byId("alone-curl"), `curl ${location.origin}/2010-04-01/Accounts/${world.account}/Messages.json \\\n  -u ${world.account}:$AUTH_TOKEN -d To=${world.selected} \\\n  -d From=${world.sender} -d 'Body=Your code is 481516'`);
  }

  const isOpen = () => verification && (verification.status === "pending" || [...deliveries.values()].some((delivery) => !delivery.final));
  function concerns(kind, data) {
    if (!isOpen()) return false;
    const known = verification.deliveries.map((delivery) => delivery.sid);
    return !data.sid || known.includes(data.sid) || known.includes(null);
  }

  async function send(event) {
    event.preventDefault();
    const form = new FormData(byId("send-form"));
    const to = form.get("to").trim();
    const button = byId("send");
    button.disabled = true;
    say(byId("send-error"), "");
    if (/^\+[1-9]\d{6,14}$/.test(to)) await ensure(to);
    const { ok, status, value, problem } = await ask("POST", "/sandbox/app/verifications", { to, channel: form.get("channel"), locale: form.get("locale") });
    button.disabled = !world.app;
    byId("number").setAttribute("aria-invalid", String(!ok && value?.field === "to"));
    if (!ok) {
      say(byId("send-error"), status === 503 && value?.error ? "This form needs the whole service: start it with “dialback serve”." : problem);
      return;
    }
    deliveries = new Map();
    touched = false;
    if (value.to !== world.selected) select(value.to);
    byId("code").value = "";
    say(byId("check-error"), "");
    take(value);
    look();
    if (form.get("channel") !== "call") byId("code").focus({ preventScroll: true });
  }

  async function check(event) {
    event.preventDefault();
    const input = byId("code");
    if (!verification || !input.value.trim()) return input.focus();
    byId("check").disabled = true;
    const { id } = verification;
    const { ok, value, problem } = await ask("POST", `/sandbox/app/verifications/${id}/check`, { code: input.value.trim() });
    byId("check").disabled = false;
    if (verification?.id !== id) return;
    if (ok) take(value);
    if (ok || value?.verification_status) look();
    if (ok && value.valid) return byId("done").focus({ preventScroll: true });
    const left = value?.checks_left;
    say(byId("check-error"), ok ? (value.status === "pending" ? `Not the code. ${left} ${left === 1 ? "try" : "tries"} left.` : "") : problem);
    input.classList.remove("shake");
    void input.offsetWidth;
    input.classList.add("shake");
    input.select();
  }

  async function again(channel) {
    const { id } = verification;
    const { ok, value, problem } = await ask("POST", `/sandbox/app/verifications/${id}/resend`, { channel });
    if (verification?.id !== id) return;
    say(byId("check-error"), problem);
    if (ok) take(value);
    look();
  }

  function restart() {
    verification = null;
    deliveries = new Map();
    memory.set("verification", null);
    byId("code").value = "";
    byId("number").value = world.selected;
    draw();
    byId("send").focus();
  }

  async function resume(id) {
    const { ok, value } = await ask("GET", `/sandbox/app/verifications/${id}`);
    if (!ok) return memory.set("verification", null);
    take(value);
    look();
  }

  async function fresh() {
    if (!verification) return;
    const { id } = verification;
    const mine = ++turn;
    const { ok, value } = await ask("GET", `/sandbox/app/verifications/${id}`);
    if (!ok || verification?.id !== id || mine !== turn) return;
    take(value);
    const found = await Promise.all(value.deliveries.map((delivery) => ask("GET", `/sandbox/app/deliveries/${delivery.sid ?? delivery.id}`)));
    if (verification?.id !== id) return;
    value.deliveries.forEach((delivery, at) => { if (found[at].ok) deliveries.set(delivery.id, found[at].value); });
    draw();
  }

  /** What was asked for before this answer came is older than it, and is not taken. */
  function take(value) {
    turn += 1;
    verification = value;
    memory.set("verification", value.id);
    draw();
  }

  function draw() {
    const open = verification?.status === "pending";
    const over = Boolean(verification) && !open;
    byId("step-send").toggleAttribute("data-done", Boolean(verification));
    byId("step-check").toggleAttribute("data-waiting", !verification);
    byId("step-check").toggleAttribute("data-done", verification?.status === "approved");
    say(byId("status"), verification ? verification.status.replaceAll("_", " ") : "");
    byId("status").dataset.tone = tone(verification?.status);
    say(byId("send"), verification ? "Send a new code" : "Send code");
    byId("check-form").hidden = over;
    byId("done").hidden = !over;
    for (const id of ["code", "check"]) byId(id).disabled = !open;
    if (over) {
      const [title, text] = OUTCOME[verification.status] ?? [verification.status, ""];
      byId("done").dataset.tone = verification.status === "approved" ? "good" : "bad";
      say(byId("done-title"), title);
      say(byId("done-text"), text);
    }
    counts();
    offer();
    timeline();
  }

  function counts() {
    const open = verification?.status === "pending";
    const wait = open && verification.resend_at ? Date.parse(verification.resend_at) - now() : 0;
    const none = !open || verification.sends_left === 0;
    for (const [channel, [, name]] of Object.entries(CHANNEL)) {
      byId(`again-${channel}`).disabled = none || wait > 0;
      say(byId(`again-${channel}`), `${name} ${lastChannel() === channel ? "again" : "instead"}`);
    }
    say(byId("again-when"), open && !none && wait > 0 ? `in ${span(wait + 999)}` : "");
    if (!open) return say(byId("counts"), "The code lives ten minutes and takes five tries.");
    const life = Date.parse(verification.expires_at) - now();
    const plural = (n, word, words) => `${n} ${n === 1 ? word : words} left`;
    say(byId("counts"), `Expires in ${span(life)} · ${plural(verification.checks_left, "try", "tries")} · ${plural(verification.sends_left, "send", "sends")}`);
    if (life <= 0) look();
  }

  const lastChannel = () => verification?.deliveries.at(-1)?.channel ?? "sms";

  /** Offers the code of the newest text that this verification sent. */
  function offer() {
    const open = verification?.status === "pending";
    const sent = new Set(open ? verification.deliveries.map((delivery) => delivery.sid) : []);
    const text = open ? phone(verification.to).texts.findLast((text) => sent.has(text.sid) && codeIn(text.body)) : null;
    byId("autofill").hidden = !text;
    if (text) say(byId("autofill-code"), codeIn(text.body));
  }

  function useCode(code) {
    if (verification?.status !== "pending") return;
    show("app");
    const input = byId("code");
    input.value = code;
    say(byId("check-error"), "");
    input.focus({ preventScroll: true });
  }

  function timeline() {
    const list = verification?.deliveries ?? [];
    byId("timeline-empty").hidden = list.length > 0;
    reconcile(byId("timeline"), list, {
      key: (delivery) => delivery.id,
      version: (delivery) => JSON.stringify([delivery.status, delivery.sid, deliveries.get(delivery.id)?.events?.length, deliveries.get(delivery.id)?.error?.code]),
      make: (delivery, old) => drawDelivery(delivery, deliveries.get(delivery.id), old),
    });
  }

  function drawDelivery(brief, whole, old) {
    const box = old ?? el("div", { class: "delivery" }, el("p", { class: "delivery-head" }), el("ol", { class: "facts" }));
    const status = whole?.status ?? brief.status;
    const by = whole?.answered_by ? `answered by ${String(whole.answered_by).replaceAll("_", " ")}` : "";
    const [picture, name] = CHANNEL[brief.channel] ?? CHANNEL.sms;
    box.firstElementChild.replaceChildren(icon(picture), el("strong", {}, name), el("code", { title: brief.sid ?? brief.id }, [brief.sid ?? brief.id, by].filter(Boolean).join(" · ")), el("span", { class: "pill", tone: tone(status) }, status));
    const begin = Date.parse(brief.created_at);
    const asked = { status: "asked for", received_at: brief.created_at, what: "written down, then sent" };
    const facts = [asked, ...(whole?.events ?? []).filter((event) => event.status)];
    reconcile(box.lastElementChild, facts.map((fact, at) => ({ fact, at })), {
      key: ({ fact, at }) => `${at} ${fact.status} ${fact.received_at}`,
      version: () => "",
      make: ({ fact }) => drawFact(fact, begin),
    });
    // An error that came with no status of its own.
    const error = whole?.error ?? brief.error;
    if (error && !facts.some((fact) => fact.error)) box.lastElementChild.append(el("li", { class: "fact", tone: "bad" }, el("strong", {}, "not sent"), el("span"), advice(error)));
    return box;
  }

  function drawFact(fact, begin) {
    const after = Date.parse(fact.received_at) - begin;
    const more = [fact.what ?? STATUS[fact.status], fact.source && (SOURCE[fact.source.replaceAll("_", "-")] ?? fact.source), fact.duration_seconds !== undefined && `${fact.duration_seconds} s long`, fact.answered_by && `answered by ${fact.answered_by}`];
    return el("li", { class: "fact", tone: tone(fact.status) },
      el("strong", {}, fact.status),
      el("time", { datetime: fact.received_at, title: clockTime(fact.received_at, true) }, fact.what ? clockTime(fact.received_at, true) : `+${(after / 1000).toFixed(after < 9950 ? 1 : 0)} s`),
      el("p", {}, more.filter(Boolean).join(" · ")),
      fact.error ? advice(fact.error) : null);
  }

  function advice(error) {
    const link = typeof error.docs === "string" && error.docs.startsWith("https://") ? el("a", { href: error.docs, rel: "noreferrer noopener", target: "_blank" }, "more") : null;
    return el("div", { class: "advice" }, el("b", {}, [error.code, error.name].filter(Boolean).join(" ")), error.meaning ? el("div", {}, error.meaning) : null, error.advice ? el("div", {}, error.advice, " ") : null, link);
  }

  draw();
  return { useCode };
}
