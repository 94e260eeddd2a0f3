// The panels below the form: how a phone behaves, the clock, the wire.

import { ask, byId, clockTime, el, reconcile, say, shortly } from "./dom.js";
import { NATURAL, now, onNews, phone, world } from "./world.js";

const KIND = { api: "API request", "status-callback": "Status callback", twiml: "What to say?", "amd-callback": "Who answered", "inbound-message": "Inbound text", "inbound-call": "Inbound call" };
const ANSWERS = { machine: "a machine answers", busy: "busy", nobody: "nobody answers", declines: "declines calls", fails: "unreachable" };
/** How many exchanges are listed. */
const LISTED = 60;

export function setUpBench() {
  setUpBehaviour();
  setUpClock();
  setUpWire();
}

function setUpBehaviour() {
  const form = byId("behaviour-form");
  const field = form.elements;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => save(wishes(phone().behaviour)));
  byId("behaviour-reset").addEventListener("click", () => save({ word_ms: NATURAL }));
  onNews((kind) => { if (["select", "snapshot"].includes(kind)) draw(); });

  function draw() {
    const { message = {}, callbacks = {}, whatsapp = {}, ...own } = phone().behaviour ?? {};
    const set = (name, value) => { if (document.activeElement !== field[name]) field[name].value = value ?? ""; };
    set("answers", own.answers === "person" ? "" : own.answers);
    set("speech", own.speech === "instant" ? "instant" : own.word_ms >= 200 ? "natural" : phone().known ? "fast" : "natural");
    set("outcome", message.outcome === "delivered" ? "" : message.outcome);
    set("error_code", message.error_code);
    set("whatsapp", whatsapp.account === false ? (whatsapp.error_code === 63003 ? "63003" : "63024") : whatsapp.read_receipts === false ? "no-receipts" : "");
    set("delay", callbacks.delay_ms ? callbacks.delay_ms / 1000 : "");
    set("lose", callbacks.lose ? Math.round(callbacks.lose * 100) : "");
    set("repeat", callbacks.repeat || "");
    field.reorder.checked = callbacks.reorder === true;
    field.bad_signature.checked = callbacks.bad_signature === true;
    field.error_code.disabled = !["undelivered", "failed"].includes(field.outcome.value);
    const faults = [callbacks.delay_ms && "late", callbacks.lose && "lost", callbacks.repeat && "repeated", callbacks.reorder && "shuffled", callbacks.bad_signature && "forged"].filter(Boolean);
    say(byId("behaviour-brief"), [ANSWERS[own.answers] ?? "a person answers", message.outcome && message.outcome !== "delivered" ? `texts ${message.outcome}` : "", whatsapp.account === false ? "not on WhatsApp" : "", faults.length ? `callbacks ${faults.join(", ")}` : ""].filter(Boolean).join(" · "));
  }

  /** The form's wishes over those that it does not show. */
  function wishes({ message = {}, callbacks = {}, ...own } = {}) {
    const number = (name, most) => field[name].value === "" ? undefined : Math.min(most, Math.max(0, Number(field[name].value) || 0));
    const there = field.whatsapp.value;
    const whatsapp = { "": {}, "no-receipts": { read_receipts: false } }[there] ?? { account: false, error_code: Number(there) };
    const failing = ["undelivered", "failed"].includes(field.outcome.value);
    const [delay, lose, repeat] = [number("delay", 3600), number("lose", 100), number("repeat", 3)];
    return {
      ...own,
      answers: field.answers.value || undefined,
      speech: field.speech.value === "instant" ? "instant" : undefined,
      word_ms: field.speech.value === "natural" ? NATURAL : undefined,
      message: { ...message, outcome: field.outcome.value || undefined, error_code: failing && field.error_code.value ? Number(field.error_code.value) : undefined },
      whatsapp,
      callbacks: { ...callbacks, delay_ms: delay && Math.round(delay * 1000), lose: lose && lose / 100, repeat: repeat && Math.round(repeat), reorder: field.reorder.checked || undefined, bad_signature: field.bad_signature.checked || undefined },
    };
  }

  async function save(behaviour) {
    const mine = phone();
    const { ok, value, problem } = await ask("PUT", `/sandbox/phones/${encodeURIComponent(mine.number)}`, behaviour);
    if (ok) [mine.behaviour = value, mine.known = true];
    say(byId("behaviour-said"), ok ? "Holds from the next text or call on." : problem);
    draw();
  }
}

function setUpClock() {
  const move = async (wish, said) => {
    const { ok, problem } = await ask("POST", "/sandbox/clock", wish);
    say(byId("clock-said"), ok ? said : problem);
  };
  for (const button of document.querySelectorAll("[data-advance]")) {
    button.addEventListener("click", () => move({ advance_seconds: Number(button.dataset.advance) }, `Moved on by ${button.textContent.replace("+ ", "")}.`));
  }
  byId("clock-stop").addEventListener("click", () => world.clock.stopped === null ? move({ stop: true }, "The clock stands.") : move({ run: true }, "The clock runs."));
  const tick = () => {
    say(byId("clock-stop"), world.clock.stopped === null ? "Stop" : "Run");
    say(byId("clock-brief"), `${clockTime(now(), true)}${world.clock.stopped === null ? "" : " · stopped"}`);
  };
  setInterval(tick, 500);
  onNews((kind) => { if (kind === "clock" || kind === "snapshot") tick(); });
}

function setUpWire() {
  const panel = byId("traffic");
  const look = shortly(200, fresh);
  let seen = 0;
  panel.addEventListener("toggle", look);
  byId("afresh").addEventListener("click", () => ask("DELETE", "/sandbox/state"));
  onNews((kind) => {
    if (kind === "exchange") {
      seen++;
      say(byId("traffic-brief"), `${seen} ${seen === 1 ? "exchange" : "exchanges"}`);
    }
    if (kind === "reset") [seen = 0, say(byId("traffic-brief"), "requests and callbacks")];
    if (["exchange", "snapshot", "reset"].includes(kind)) look();
  });

  async function fresh() {
    if (!panel.open) return;
    const { ok, value } = await ask("GET", `/sandbox/exchanges?limit=${LISTED}`);
    if (ok) draw(value);
  }

  function draw(list) {
    byId("traffic-empty").hidden = list.length > 0;
    reconcile(byId("exchanges"), list, { key: (exchange) => exchange.id, version: () => "", make: drawExchange });
  }

  function drawExchange(exchange) {
    const bad = exchange.status === null || exchange.status >= 400;
    const said = el("span", { class: "hint", role: "status" });
    const replay = async () => {
      const { value, problem } = await ask("POST", `/sandbox/exchanges/${exchange.id}/replay`);
      say(said, problem || `Sent again: ${value.status ?? value.error}.`);
    };
    const { method, url, headers, body } = exchange.request;
    const request = [`${method} ${url}`, ...headers.map(([name, text]) => `${name}: ${text}`), "", body].join("\n").trim();
    return el("li", { class: "exchange" }, el("details", {},
      el("summary", {},
        el("span", { class: "number", tone: bad ? "bad" : "good" }, String(exchange.status ?? "–")),
        el("span", { class: "kind" }, KIND[exchange.kind] ?? exchange.kind),
        el("span", { class: "verdict" }, exchange.verdict),
        el("time", { datetime: exchange.at, title: `${exchange.ms} ms` }, clockTime(exchange.at, true))),
      el("pre", { tabindex: "0" }, request),
      exchange.response?.body ? el("pre", { tabindex: "0" }, exchange.response.body) : null,
      el("p", { class: "row" },
        exchange.replayable ? el("button", { class: "quiet", type: "button", onclick: replay }, "Send again") : null,
        el("a", { href: `/sandbox/exchanges/${exchange.id}/http`, target: "_blank" }, "as an .http file"), said)));
  }
}
