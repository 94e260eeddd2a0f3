// The telephones: puts the page together and starts listening.

import { byId, pretty, say } from "./dom.js";
import { setUpBench } from "./bench.js";
import { setUpForm } from "./form.js";
import { setUpNumbers } from "./numbers.js";
import * as sound from "./sound.js";
import { setUpTelephone } from "./telephone.js";
import { setUpTemplates } from "./whatsapp.js";
import { ensure, listen, onNews, select, tell, turnTo } from "./world.js";

/** How long a banner stays, in milliseconds. */
const BANNER = 6000;

/** On a narrow window one side shows at a time. */
function show(view) {
  document.body.dataset.view = view;
  for (const tab of document.querySelectorAll("[data-show]")) tab.setAttribute("aria-pressed", String(tab.dataset.show === view));
  if (view === "phone") [byId("tab-badge").hidden = true, byId("banner").hidden = true];
  tell("view", {});
}

function setUpViews() {
  for (const tab of document.querySelectorAll("[data-show]")) tab.addEventListener("click", () => show(tab.dataset.show));
  let until = null;
  byId("banner").addEventListener("click", () => {
    const { number, app } = byId("banner").dataset;
    select(number);
    turnTo(app);
    show("phone");
  });
  onNews((kind, text) => {
    if (kind !== "text" || text.direction !== "received" || document.body.dataset.view === "phone") return;
    say(byId("banner-from"), `${text.channel === "whatsapp" ? "WhatsApp, " : ""}${pretty(text.from)} to ${pretty(text.number)}`);
    say(byId("banner-text"), text.body);
    Object.assign(byId("banner").dataset, { number: text.number, app: text.channel });
    byId("banner").hidden = byId("tab-badge").hidden = false;
    clearTimeout(until);
    until = setTimeout(() => { byId("banner").hidden = true; }, BANNER);
  });
}

function setUpSound() {
  const button = byId("sound");
  const draw = () => {
    button.setAttribute("aria-pressed", String(sound.isOn()));
    button.querySelector("use").setAttribute("href", sound.isOn() ? "#i-sound" : "#i-mute");
  };
  button.addEventListener("click", () => [sound.turn(!sound.isOn()), draw()]);
  draw();
}

function setUpAdding() {
  const dialog = byId("add-dialog");
  byId("add").addEventListener("click", () => [say(byId("add-error"), ""), dialog.showModal(), byId("add-number").select()]);
  byId("add-cancel").addEventListener("click", () => dialog.close());
  byId("add-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const number = byId("add-number").value.replace(/[\s().-]/g, "");
    if (!/^\+[1-9]\d{6,14}$/.test(number)) return say(byId("add-error"), "Write it with + and its country code, such as +14155550124.");
    await ensure(number);
    select(number);
    dialog.close();
    byId("add-number").value = "";
  });
}

onNews((kind, data) => {
  if (kind !== "link") return;
  byId("live").dataset.state = data.state;
  say(byId("live"), { live: "live", away: "reconnecting" }[data.state]);
});

setUpViews();
setUpSound();
setUpAdding();
const { useCode } = setUpForm({ show });
setUpTelephone({ useCode, show });
setUpBench();
setUpTemplates();
setUpNumbers();
listen();
