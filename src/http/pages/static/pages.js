// What the pages do better with a script. Nothing here is needed: every step
// is a form, and the server alone knows where a session stands.

const $ = (selector) => document.querySelector(selector);
/** From so many seconds on the end of a code's life is told. */
const SOON = 150;
const clock = (seconds) => {
  const [hours, ...rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  const two = ([first, ...others]) => [first, ...others.map((part) => String(part).padStart(2, "0"))].join(":");
  return two(hours ? [hours, ...rest] : rest);
};

/** One form is sent once; a page that comes back from history is fresh again. */
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    (event.submitter ?? form.querySelector("button"))?.setAttribute("aria-busy", "true");
    const busy = $("#busy");
    busy.textContent = busy.dataset.text;
    setTimeout(() => { for (const button of document.querySelectorAll("button")) button.disabled = true; });
  });
}
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
/** Shows how things stand now. While a form is under way its answer says it, and a page
    that was read anew meanwhile would never be taken there; only where none has led away
    after so long (the person stopped it, an app opened instead) is it read anew. */
const refresh = () => {
  const isUnderWay = [...document.forms].some((form) => form.dataset.sent);
  if (isUnderWay) setTimeout(() => location.reload(), 30_000); else location.reload();
};

/** The example follows the country. */
const region = $("#region");
region?.addEventListener("change", () => {
  const hint = $("#hint");
  hint.textContent = hint.dataset.hint.replace("{example}", `\u2066${region.selectedOptions[0].dataset.example}\u2069`);
});

/** A code may come with spaces and dashes; once whole it is sent by itself. So is
    what was pasted: the server finds the code in a whole message. */
const code = $("#code");
if (code) {
  const form = $("#code-form");
  const bare = () => code.value.replace(/[\s\p{Pd}.]/gu, "");
  let tried = "";
  const take = () => {
    const typed = bare();
    if (typed.length !== Number(code.dataset.length) || typed === tried) return;
    tried = typed;
    code.value = typed;
    form.requestSubmit();
  };
  code.addEventListener("input", take);
  code.addEventListener("paste", () => setTimeout(() => {
    if (code.value !== tried && bare().length > Number(code.dataset.length)) form.requestSubmit();
  }));

  if ("OTPCredential" in window) {
    const abort = new AbortController();
    form.addEventListener("submit", () => abort.abort());
    navigator.credentials.get({ otp: { transport: ["sms"] }, signal: abort.signal }).then((otp) => {
      if (!otp?.code) return;
      code.value = otp.code;
      take();
    }).catch(() => { /* The person types it. */ });
  }
}

/** Counts down; what opens at zero is closed until then. */
for (const line of document.querySelectorAll("[data-count]")) {
  const end = Date.now() + Number(line.dataset.count) * 1000;
  const closed = "opens" in line.dataset ? [...document.querySelectorAll("#ways [data-waits]")] : [];
  for (const button of closed) button.disabled = true;
  const tick = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    if ("soon" in line.dataset) line.hidden = left > SOON;
    line.textContent = line.dataset.text.replace("{time}", clock(left));
    if (left > 0) return;
    clearInterval(tick);
    for (const button of closed) button.disabled = false;
    if ("opens" in line.dataset) line.hidden = true; else refresh();
  }, 1000);
}

/** What is happening with the message, as it happens. */
const now = $("#now");
if (now && "EventSource" in window) {
  const events = new EventSource(now.dataset.events);
  events.addEventListener("now", ({ data }) => {
    const told = JSON.parse(data);
    if (told.over) {
      events.close();
      return refresh();
    }
    if (told.state !== now.dataset.state) $("#said").textContent = told.text;
    now.dataset.state = told.state;
    now.toggleAttribute("data-failed", told.failed);
    $("#now-text").textContent = told.text;
    // What is about to follow by itself can be called off for as long as it is.
    const stay = $("#stay");
    if (stay) stay.hidden = !told.stop;
    if (stay && told.stop) stay.querySelector("button").textContent = told.stop;
    // Who wants no texts is offered the ways that work first.
    if (told.state === "opted_out" && told.state !== now.dataset.was) {
      for (const way of told.ways) $("#ways").append(document.querySelector(`#ways [value="${way}"]`) ?? "");
    }
    now.dataset.was = told.state;
    for (const button of document.querySelectorAll("#ways button")) {
      button.hidden = !told.ways.includes(button.value);
      // Another way is open at once when this one has failed.
      if (!("waits" in button.dataset) || !told.open.includes(button.value)) continue;
      delete button.dataset.waits;
      button.disabled = false;
    }
    // The last way may be the only one left that waits.
    const line = $("[data-opens]");
    if (line && document.querySelectorAll("#ways [data-waits]").length === 1) line.dataset.text = line.dataset.one;
  });
  addEventListener("pagehide", () => events.close());
}

/** Back to the application after a moment to read. */
const go = $("form[data-go]");
if (go) setTimeout(() => go.requestSubmit(), 1500);
