// The account's numbers: which there are, and whom a telephone texts and calls.

import { byId, el, pretty, reconcile, say } from "./dom.js";
import { onNews, phone, tell, world } from "./world.js";

/** What was chosen on a telephone, until somebody else writes or calls. */
const chosen = new Map();

/** Whom a telephone texts and calls: who was chosen, else who wrote or called last. */
export const addressee = () => chosen.get(world.selected) ?? phone().peer ?? undefined;

export function setUpNumbers() {
  byId("to").addEventListener("change", (event) => {
    chosen.set(world.selected, event.target.value);
    tell("view", {});
  });
  onNews((kind, data) => {
    if (kind === "reset") chosen.clear();
    if (kind === "text" && data.direction === "received") chosen.delete(data.number);
    if (kind === "call" && data.direction !== "inbound" && data.live) chosen.delete(data.number);
    if (["snapshot", "numbers"].includes(kind)) drawList();
    drawChoice();
  });
}

/** The list to choose from shows once there is a choice. */
function drawChoice() {
  const own = [...world.numbers.numbers, ...world.numbers.short_codes];
  const now = addressee() ?? world.sender;
  const numbers = [...new Set([now, ...own.filter(reachable).map((one) => one.number)])].filter(Boolean);
  byId("to").hidden = world.screen !== "sms" || numbers.length < 2;
  reconcile(byId("to"), numbers, {
    key: (number) => number,
    version: label,
    make: (number) => el("option", { value: number }, label(number)),
  });
  byId("to").value = now;
}

const reachable = ({ capabilities: can }) => !can || can.sms || can.voice;

function label(number) {
  const one = [...world.numbers.numbers, ...world.numbers.short_codes].find((own) => own.number === number);
  const name = one?.friendly_name.match(/[A-Za-z]/) ? `${one.friendly_name}, ` : "";
  return `to ${name}${pretty(number)}${one ? only(one) : ""}`;
}

function only({ capabilities: can }) {
  if (!can) return ", texts only";
  return can.sms && can.voice ? "" : can.sms ? ", texts only" : ", calls only";
}

function drawList() {
  const { numbers, short_codes: codes, caller_ids: callers } = world.numbers;
  reconcile(byId("number-list"), [...numbers, ...codes], {
    key: (one) => one.sid,
    version: (one) => JSON.stringify(one),
    make: (one) => el("li", { class: "template" },
      el("code", {}, pretty(one.number)),
      el("p", {}, [one.type, able(one), one.registered === false ? "not registered" : ""].filter(Boolean).join(" · ")),
      el("p", { class: "hint" }, `Texts: ${one.texts_go_to ?? "nowhere"}`),
      one.capabilities ? el("p", { class: "hint" }, `Calls: ${one.calls_go_to ?? "nowhere"}`) : null),
  });
  say(byId("numbers-brief"), `${numbers.length + codes.length} owned${callers.length ? `, ${callers.length} verified` : ""}`);
}

const able = ({ capabilities: can }) => can ? ["voice", "sms", "mms"].filter((one) => can[one]).join(", ") || "nothing" : "sms";
