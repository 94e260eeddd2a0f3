// What the page knows of the sandbox: a snapshot, kept true by events, and read
// again whenever the stream was interrupted.

import { ask } from "./dom.js";

/** Where the first telephone is, before anybody has added one. */
export const FIRST = "+14155550123";
/** Milliseconds a word takes for people who listen; the sandbox's own default suits programs. */
export const NATURAL = 320;

export const world = {
  ready: false,
  /** whether the whole service is beside the sandbox, and whether what answers for Verify is */
  app: false,
  verify: false,
  account: "",
  sender: "",
  /** number → { number, behaviour, effective, peer, texts, calls } */
  phones: new Map(),
  selected: FIRST,
  unread: new Map(),
  /** the app that is open on the telephone: sms or whatsapp */
  screen: "sms",
  templates: [],
  /** what the account has: { numbers, short_codes, caller_ids, validations } */
  numbers: { numbers: [], short_codes: [], caller_ids: [], validations: [] },
  clock: { ahead: 0, stopped: null },
};

const listeners = [];
/** Registers `hear(kind, data)`, called after the world has changed. */
export const onNews = (hear) => listeners.push(hear);
export const tell = (kind, data) => listeners.forEach((hear) => hear(kind, data));

/** The sandbox's time, in milliseconds. */
export const now = () => world.clock.stopped ?? Date.now() + world.clock.ahead;

/** A phone; one that the sandbox does not know yet is empty. */
export function phone(number = world.selected) {
  let found = world.phones.get(number);
  if (!found) {
    found = { number, known: false, behaviour: {}, effective: {}, peer: null, texts: [], calls: [] };
    world.phones.set(number, found);
  }
  return found;
}

/** Makes the sandbox know a phone, speaking so that one can listen. */
export async function ensure(number) {
  if (phone(number).known) return;
  const { ok } = await ask("PUT", `/sandbox/phones/${encodeURIComponent(number)}`, { word_ms: NATURAL });
  if (ok) phone(number).known = true;
}

export function select(number) {
  world.selected = number;
  if (world.screen === "sms") world.unread.delete(number);
  phone(number);
  tell("select", { number });
}

/** Opens one of the telephone's apps. */
export function turnTo(screen) {
  world.screen = screen;
  select(world.selected);
}

/** How many WhatsApp messages wait to be opened. The sandbox counts these, for it tells who wrote. */
export const unopened = (number) => world.phones.get(number)?.texts.filter((text) => text.unread).length ?? 0;

/** Opens a phone's chats. */
export async function openChats(number) {
  const { ok, value } = await ask("POST", `/sandbox/phones/${encodeURIComponent(number)}/read`, {});
  if (ok) changes.opened({ number, sids: value.opened });
  return ok;
}

/** The call that a phone is busy with, if any. */
export const liveCall = (number = world.selected) => phone(number).calls.findLast((call) => call.live && call.status !== "queued");

function setClock({ now: at, stopped }) {
  const ms = Date.parse(at);
  world.clock = stopped ? { ahead: 0, stopped: ms } : { ahead: ms - Date.now(), stopped: null };
}

function takePhone(view) {
  const mine = phone(view.number);
  Object.assign(mine, { known: true, behaviour: view.behaviour, effective: view.effective_behaviour, peer: view.peer, texts: view.messages, calls: view.calls });
}

async function snapshot() {
  const { ok, value } = await ask("GET", "/sandbox/state");
  if (!ok) return false;
  Object.assign(world, { ready: true, app: value.app, verify: value.verify, account: value.account_sid, sender: value.sender, templates: value.templates, numbers: value.numbers });
  setClock(value.clock);
  world.phones = new Map();
  value.phones.forEach(takePhone);
  if (!world.phones.has(world.selected)) {
    const busy = value.phones.findLast((phone) => phone.messages.length || phone.calls.length) ?? value.phones[0];
    world.selected = busy?.number ?? world.selected;
  }
  phone(world.selected);
  tell("snapshot", {});
  return true;
}

const upsert = (list, item) => {
  const at = list.findIndex((other) => other.sid === item.sid);
  if (at < 0) list.push(item);
  else list[at] = { ...list[at], ...item };
  return at < 0;
};

const changes = {
  text(text) {
    const mine = phone(text.number);
    mine.known = true;
    const texted = text.direction === "received" && text.channel === "sms";
    if (texted) mine.peer = text.from;
    if (upsert(mine.texts, text) && texted && (text.number !== world.selected || world.screen !== "sms")) {
      world.unread.set(text.number, (world.unread.get(text.number) ?? 0) + 1);
    }
  },
  message(message) {
    for (const number of [message.to, message.from]) {
      const bare = number?.replace(/^whatsapp:/, "");
      const text = world.phones.get(bare)?.texts.find((text) => text.sid === message.sid);
      if (text) text.status = message.status;
    }
  },
  opened({ number, sids }) {
    for (const text of phone(number).texts) if (sids.includes(text.sid)) text.unread = false;
  },
  templates(list) {
    world.templates = list;
  },
  numbers(all) {
    world.numbers = all;
  },
  call(call) {
    const mine = phone(call.number);
    mine.known = true;
    if (upsert(mine.calls, call)) mine.peer = call.direction === "inbound" ? call.to : call.from;
  },
  clock: setClock,
};

/**
 * News waits while something is read: what is read may be older than it, and would
 * take its place.
 */
let reading = 0;
const waiting = [];

async function meanwhile(read) {
  reading += 1;
  try {
    return await read();
  } finally {
    reading -= 1;
    while (!reading && waiting.length) waiting.shift()();
  }
}

function news(kind, data) {
  if (reading) return waiting.push(() => news(kind, data));
  changes[kind]?.(data);
  tell(kind, data);
}

async function refetch({ number }) {
  const { ok, value } = await ask("GET", `/sandbox/phones/${encodeURIComponent(number)}`);
  if (ok) takePhone(value);
  tell("select", { number: world.selected });
}

/** Listens for ever; the browser reconnects by itself, and then all is read again. */
export function listen() {
  const stream = new EventSource("/sandbox/events");
  // The stream's first event comes after it is open: nothing falls between the
  // snapshot and the news.
  for (const again of ["hello", "resync", "reset"]) stream.addEventListener(again, async () => {
    if (again === "reset") tell("reset", {});
    tell("link", { state: (await meanwhile(snapshot)) ? "live" : "away" });
  });
  stream.addEventListener("error", () => tell("link", { state: "away" }));
  for (const kind of ["text", "message", "opened", "templates", "numbers", "call", "clock", "exchange", "alert"]) {
    stream.addEventListener(kind, (event) => news(kind, JSON.parse(event.data)));
  }
  stream.addEventListener("phone", (event) => meanwhile(() => refetch(JSON.parse(event.data))));
}
