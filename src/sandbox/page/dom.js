// Building and changing the page. Data only ever becomes text: nothing here or
// elsewhere makes HTML of it.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** An element with properties and children; strings become text. */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name === "tone") node.dataset.tone = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Sets text only where it differs, so that nothing is announced twice. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Makes a container's children those of a list. A child stays the same node
 * while its key lasts, and is made anew when its version changes: focus and
 * scrolling survive, and only news is animated.
 */
export function reconcile(container, items, { key, version, make }) {
  const old = new Map([...container.children].map((node) => [node.dataset.key, node]));
  let place = container.firstElementChild;
  for (const item of items) {
    const name = String(key(item)), mark = String(version(item));
    let node = old.get(name);
    old.delete(name);
    if (node && node.dataset.version !== mark) {
      const fresh = make(item, node);
      if (node === place) place = fresh;
      if (fresh !== node) node.replaceWith(fresh);
      fresh.style.animation = "none";
      node = fresh;
    }
    node ??= make(item, null);
    node.dataset.key = name;
    node.dataset.version = mark;
    if (node === place) place = place.nextElementSibling;
    else container.insertBefore(node, place);
  }
  for (const node of old.values()) node.remove();
}

/** Remembers small wishes where the browser lets it. */
export const memory = {
  get: (name) => { try { return sessionStorage.getItem(name); } catch { return null; } },
  set: (name, value) => { try { value === null ? sessionStorage.removeItem(name) : sessionStorage.setItem(name, value); } catch { /* private windows may refuse */ } },
};

/** A number as people read it, as far as that is certain. */
export function pretty(number) {
  const bare = String(number ?? "").replace(/^whatsapp:/, "");
  const north = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(bare);
  return north ? `+1 ${north[1]} ${north[2]}-${north[3]}` : bare;
}

const hours = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", second: "2-digit" });

export const clockTime = (at, precise) => (precise ? seconds : hours).format(new Date(at));

/** Milliseconds as 0:07 or 1:02:03. */
export function span(ms) {
  const all = Math.max(0, Math.floor(ms / 1000));
  const pad = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  return h ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

/**
 * Does `work` `ms` milliseconds after it is asked for, once however often it is, and
 * once more if it is asked for while it is done: what is read then may be older.
 */
export function shortly(ms, work) {
  let soon = null;
  let again = false;
  return function when() {
    again = true;
    soon ??= setTimeout(async () => {
      again = false;
      await work();
      soon = null;
      if (again) when();
    }, ms);
  };
}

/** Asks the sandbox; never throws. `problem` is what to show when it failed. */
export async function ask(method, path, body) {
  try {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    let value = null;
    try { value = text ? JSON.parse(text) : null; } catch { /* not JSON: the status says enough */ }
    return { ok: answer.ok, status: answer.status, value, problem: answer.ok ? "" : problem(value, answer.status) };
  } catch {
    return { ok: false, status: 0, value: null, problem: "The sandbox does not answer. Is it still running?" };
  }
}

function problem(value, status) {
  const said = value?.detail ?? value?.title ?? [value?.error, value?.hint].filter(Boolean).join(": ");
  const text = said || `It failed with status ${status}.`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
