// What one hears: the ring, the keys, the speech. Everything is optional: a
// browser without an audio device or a speech engine is only silent.

import { memory } from "./dom.js";

const TONES = { 1: [697, 1209], 2: [697, 1336], 3: [697, 1477], 4: [770, 1209], 5: [770, 1336], 6: [770, 1477], 7: [852, 1209], 8: [852, 1336], 9: [852, 1477], "*": [941, 1209], 0: [941, 1336], "#": [941, 1477] };

/** Twilio names some languages otherwise than browsers do. */
const TAGS = { arb: "ar", "cmn-CN": "zh-CN", "cmn-TW": "zh-TW" };

let audio = null;
let ringing = null;
let on = memory.get("sound") !== "off";

// Browsers allow sound only after the person has done something on the page.
for (const gesture of ["pointerdown", "keydown"]) {
  addEventListener(gesture, () => {
    try {
      audio ??= new AudioContext();
      audio.resume().catch(() => {});
    } catch { /* no audio here */ }
  }, { passive: true });
}

export const isOn = () => on;

export function turn(wish) {
  on = wish;
  memory.set("sound", on ? null : "off");
  if (!on) {
    stopRing();
    hush();
  }
}

function tones(frequencies, from, length, volume) {
  if (!on || audio?.state !== "running") return;
  const gain = audio.createGain();
  const begin = audio.currentTime + from;
  gain.gain.setValueAtTime(0, begin);
  gain.gain.linearRampToValueAtTime(volume, begin + .015);
  gain.gain.setValueAtTime(volume, begin + length - .03);
  gain.gain.linearRampToValueAtTime(0, begin + length);
  gain.connect(audio.destination);
  for (const frequency of frequencies) {
    const tone = audio.createOscillator();
    tone.frequency.value = frequency;
    tone.connect(gain);
    tone.start(begin);
    tone.stop(begin + length);
  }
}

export const key = (name) => tones(TONES[name] ?? [], 0, .14, .06);

export function ping() {
  tones([1046], 0, .09, .05);
  tones([1568], .09, .16, .05);
}

export function startRing() {
  if (ringing) return;
  const trill = () => { for (let i = 0; i < 6; i++) tones(i % 2 ? [587, 880] : [659, 988], i * .13, .14, .05); };
  trill();
  ringing = setInterval(trill, 2200);
}

export function stopRing() {
  clearInterval(ringing);
  ringing = null;
}

/** Speaks a caption in its language; captions wait for one another. */
export function speak(text, language) {
  if (!on || !("speechSynthesis" in window)) return;
  try {
    const words = new SpeechSynthesisUtterance(text);
    if (language) {
      words.lang = TAGS[language] ?? language;
      const voices = speechSynthesis.getVoices();
      const bare = words.lang.split("-")[0];
      const same = voices.find((voice) => voice.lang === words.lang) ?? voices.find((voice) => voice.lang.split(/[-_]/)[0] === bare);
      if (same) words.voice = same;
    }
    if (text.length === 1) words.rate = .9;
    speechSynthesis.speak(words);
  } catch { /* no engine, or none for this language */ }
}

export function hush() {
  try { window.speechSynthesis?.cancel(); } catch { /* no engine */ }
}
