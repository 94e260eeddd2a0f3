// Writes regions.json: the names of every region that has a calling code, in
// each language that the pages speak, in that language's order of letters.
//
//   npm pack cldr-localenames-full@48 && tar xzf cldr-localenames-full-48*.tgz
//   node src/http/pages/words/regions.mjs package/main
//
// The names are Unicode CLDR's (territories.json), the long ones where it has
// short ones too ("US"), as on a form. The languages are the toml files beside this one, the regions those of the file
// that there is. Needs a node with full ICU, as all are since version 13.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const here = new URL(".", import.meta.url);
const cldr = process.argv[2];
const file = new URL("regions.json", here);
const old = JSON.parse(readFileSync(file));
const ids = old.en.map(([id]) => id);

// CLDR's folders that are named otherwise than our files.
const folders = { "pt-BR": "pt", "zh-CN": "zh", "zh-TW": "zh-Hant", nb: "no", tl: "fil" };

function names(locale) {
  const folder = folders[locale] ?? locale;
  const { territories } = JSON.parse(readFileSync(`${cldr}/${folder}/territories.json`))
    .main[folder].localeDisplayNames;
  const { compare } = new Intl.Collator(locale);
  return ids.map((id) => [id, territories[id]]).sort(([, one], [, other]) => compare(one, other));
}

// The order of the file that there is, then new ones by name.
const there = Object.keys(old);
const rank = (locale) => (there.includes(locale) ? there.indexOf(locale) : there.length);
const locales = readdirSync(here).filter((name) => name.endsWith(".toml")).map((name) => name.slice(0, -5));
locales.sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1));
const lines = locales.map((locale) => `  ${JSON.stringify(locale)}: ${JSON.stringify(names(locale))}`);
writeFileSync(file, `{\n${lines.join(",\n")}\n}\n`);
