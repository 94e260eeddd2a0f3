// What is attached to the text that is being written: pictures and other files, read
// here and sent with the text.

import { byId, el, icon, reconcile, say } from "./dom.js";

/** The most files of one text, and the most bytes of each and of all: the sandbox takes no more. */
const FILES = 10;
const LARGEST = 5 * 1024 * 1024;
const ALL = 5 * 1024 * 1024;

let files = [];
let made = 0;

/** What goes out with the text: [{ content_type, base64 }]. */
export const attached = () => files.map(({ content_type, data }) => ({ content_type, base64: data.slice(data.indexOf(",") + 1) }));

/** Takes everything off again. */
export function detachAll() {
  files = [];
  draw();
}

export function setUpAttaching() {
  const picker = byId("files");
  // The field itself is hidden; the button has its name, and the keyboard.
  byId("attach").addEventListener("click", () => picker.click());
  picker.addEventListener("change", async () => {
    const chosen = [...picker.files];
    picker.value = "";
    say(byId("composer-error"), await take(chosen));
    draw();
    byId("write").focus({ preventScroll: true });
  });
}

/** Attaches files; gives what is wrong with the first that is not attached. */
async function take(chosen) {
  for (const file of chosen) {
    const bytes = files.reduce((sum, one) => sum + one.size, file.size);
    if (files.length >= FILES) return `A text carries ${FILES} files at most.`;
    if (file.size > LARGEST) return `${file.name} is larger than 5 MiB.`;
    if (bytes > ALL) return "The files of a text are 5 MiB at most, all together.";
    const data = await read(file);
    if (!data) return `${file.name} cannot be read.`;
    made += 1;
    files.push({ id: made, name: file.name, size: file.size, content_type: kind(file), data });
    say(byId("say-politely"), `${file.name} attached`);
  }
  return "";
}

/** Browsers do not know every kind by its name. */
const kind = (file) => file.type || (/\.vcf$/i.test(file.name) ? "text/vcard" : "application/octet-stream");

function read(file) {
  return new Promise((done) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(reader.result));
    reader.addEventListener("error", () => done(null));
    reader.readAsDataURL(file);
  });
}

function remove(id) {
  const gone = files.find((file) => file.id === id);
  files = files.filter((file) => file !== gone);
  draw();
  say(byId("say-politely"), `${gone.name} removed`);
  (byId("attached").querySelector("button") ?? byId("attach")).focus({ preventScroll: true });
}

function draw() {
  byId("attached").hidden = files.length === 0;
  reconcile(byId("attached"), files, {
    key: (file) => file.id,
    version: () => "",
    make: (file) => el("li", {},
      file.content_type.startsWith("image/") ? el("img", { src: file.data, alt: "" }) : icon("copy"),
      el("span", { title: file.name }, file.name),
      el("button", { type: "button", "aria-label": `Remove ${file.name}`, onclick: () => remove(file.id) }, "×")),
  });
}
