// WhatsApp on the telephone: its bubbles, and the templates that may open a
// conversation.

import { ask, byId, clockTime, el, icon, reconcile, say } from "./dom.js";
import { onNews, world } from "./world.js";

const TICKS = { sent: "sent", delivered: "delivered", read: "read", received: "sent" };
const APPROVAL = { approved: "approved", unapproved: "not approved", paused: "paused", disabled: "disabled" };
/** How long a button says that it has copied, in milliseconds. */
const SAID = 2000;

/** A message; `useCode` is for browsers that do not let a page copy. */
export function chatBubble(text, useCode) {
  const received = text.direction === "received";
  const copy = el("button", { class: "copy-code", type: "button", onclick: () => copyCode(copy, text.copy_code, useCode) }, icon("copy"), el("span", {}, "Copy code"));
  return el("li", { class: received ? "bubble" : "bubble sent" },
    text.body ? el("p", { dir: "auto" }, ...bold(text.body)) : null,
    ...pictures(text),
    el("footer", {}, `${clockTime(text.received_at)} · ${TICKS[text.status] ?? text.status}`),
    received && text.copy_code ? copy : null);
}

/** The pictures of a text, and what else came with it. */
export function pictures(text) {
  return (text.media ?? []).map((one) => one.content_type.startsWith("image/")
    ? el("img", { class: "picture", src: one.url, alt: "Picture" })
    : el("a", { href: one.url, download: "" }, one.content_type));
}

/** The words with *what stands between asterisks* in bold, as WhatsApp has it. */
function bold(text) {
  return text.split(/\*([^*\n]+)\*/).map((part, at) => at % 2 ? el("strong", {}, part) : part);
}

async function copyCode(button, code, useCode) {
  try {
    await navigator.clipboard.writeText(code);
  } catch {
    return useCode(code);
  }
  const label = button.querySelector("span");
  say(label, "Code copied");
  say(byId("say-politely"), "Code copied");
  setTimeout(() => say(label, "Copy code"), SAID);
}

export function setUpTemplates() {
  onNews((kind) => {
    if (!["snapshot", "templates"].includes(kind)) return;
    reconcile(byId("template-list"), world.templates, {
      key: (template) => template.sid,
      version: (template) => JSON.stringify(template),
      make: drawTemplate,
    });
    const bad = world.templates.filter((template) => template.status !== "approved").length;
    say(byId("templates-brief"), bad ? `${bad} may not go out` : "all approved");
  });
}

function drawTemplate({ sid, body, status }, old) {
  // Redrawing would take the focus from a list that was just used.
  if (old?.contains(document.activeElement)) return old;
  const wish = async (event) => {
    const { ok, problem } = await ask("PUT", `/sandbox/templates/${sid}`, { status: event.target.value });
    say(byId("templates-said"), ok ? "Holds from the next message on." : problem);
  };
  const options = Object.entries(APPROVAL).map(([value, name]) => el("option", { value, selected: value === status }, name));
  return el("li", { class: "template" },
    el("code", {}, sid),
    body ? el("p", { dir: "auto" }, ...bold(body)) : null,
    el("label", { class: "field" }, "is", el("select", { onchange: wish }, ...options)));
}
