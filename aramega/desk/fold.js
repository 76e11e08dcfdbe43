// Folding: what is compared of a text. The same rules as `aramega.text`'s `asr` profile and `query.py`;
// a test holds the two against each other. Used to search a page without server, and to mark what was found.
"use strict";

const INVISIBLE = /[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u00ad\u0640]/g;
const DIACRITIC = "\\u0610-\\u061a\\u064b-\\u065f\\u0670\\u06d6-\\u06dc\\u06df-\\u06e4\\u06e7\\u06e8\\u06ea-\\u06ed";
const DIACRITICS = new RegExp(`[${DIACRITIC}]`, "g");
const PRESENTATION = /[\ufb50-\ufefc]+/g;
const SPACES = /[\s\x1c-\x1f\x85]+/g;
const SIGNS = /[\p{P}\p{S}]+/gu;
const BARE = { "آ": "ا", "أ": "ا", "إ": "ا", "ؤ": "و", "ئ": "ي", "ء": "", "پ": "ب", "ڤ": "ف", "ٱ": "ا" };
const CARRIERS = new RegExp(`[${Object.keys(BARE).join("")}]`, "g");
const DIGITS = /[\u0660-\u0669\u06f0-\u06f9]/g;
// A lone و belongs to the word after it.
const WORD = new RegExp(`و[${DIACRITIC}]*\\s+\\S+|\\S+`, "g");

const foldSpaces = (text) => text.replace(SPACES, " ").trim();

function cleanText(text) {
  const letters = text
    .replace(INVISIBLE, "")
    .replace(PRESENTATION, (found) => found.normalize("NFKC").replaceAll("\u0640", ""));
  return foldSpaces(letters.normalize("NFC"));
}

function fold(text) {
  const letters = cleanText(text)
    .replace(DIACRITICS, "")
    .replace(DIGITS, (digit) => String(digit.charCodeAt(0) & 0xf))
    .replace(CARRIERS, (letter) => BARE[letter])
    .replace(SIGNS, "");
  return foldSpaces(letters.normalize("NFC")).replace(/(?<!\S)و +(?=\S)/g, "و").toLowerCase();
}

function readText(text) {
  const plain = text.replace(/[“”„«»″]/g, '"');
  const phrases = [...plain.matchAll(/"([^"]*)"?/g)].map((found) => fold(found[1])).filter(Boolean);
  return { words: fold(plain.replace(/"[^"]*"?/g, " ")).split(" ").filter(Boolean), phrases };
}

// Which of a wanted word's forms begins a word of a text: with what Arabic writes before it, and any ending.
function isForm(word, wanted, rules) {
  if (wanted.length < rules.shortest_open) return word === wanted;
  return rules.proclitics.some((before) => word.startsWith(before + wanted));
}

// The stretches of a text that a search asked for, as [start, end] pairs in order.
function hitsIn(text, wanted, rules) {
  if (!wanted.words.length && !wanted.phrases.length) return [];
  const words = [...text.matchAll(WORD)]
    .map((found) => ({ start: found.index, end: found.index + found[0].length, folded: fold(found[0]) }))
    .filter((word) => word.folded);
  const hit = new Set();
  words.forEach((word, place) => {
    if (wanted.words.some((one) => isForm(word.folded, one, rules))) hit.add(place);
    for (const phrase of wanted.phrases) {
      const parts = phrase.split(" ");
      if (parts.every((part, i) => words[place + i]?.folded === part)) parts.forEach((_, i) => hit.add(place + i));
    }
  });
  return [...hit].sort((a, b) => a - b).map((place) => [words[place].start, words[place].end]);
}
