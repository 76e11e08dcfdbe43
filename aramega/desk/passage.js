// Passages as elements. Everything a dataset says gets onto the page through `see`, as text, inside `bdi` or an
// element with a direction of its own: it cannot become markup, and its marks of direction are shown, not obeyed.

const OBEYED = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const HARMLESS = new Set(["\u200c", "\u200d"]);

function see(text) {
  return String(text).replace(OBEYED, (character) => {
    if (HARMLESS.has(character)) return character;
    const code = character.codePointAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
  });
}

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

const bdi = (text) => make("bdi", {}, see(text));
const clock = (seconds) => {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
};
const percent = (share) => (share > 0 && share < 0.01 ? "<1 %" : `${Math.round(100 * share)} %`);

// A text with what was searched for marked.
function marked(text, wanted, rules) {
  const nodes = [];
  let at = 0;
  for (const [start, end] of hitsIn(text, wanted, rules)) {
    nodes.push(see(text.slice(at, start)), make("mark", {}, see(text.slice(start, end))));
    at = end;
  }
  return [...nodes, see(text.slice(at))].filter((node) => node !== "");
}

// Some words around the first hit, or the beginning.
function snippet(text, wanted, rules, most = 150) {
  const [first] = hitsIn(text, wanted, rules);
  const start = first === undefined || first[0] < most / 2 ? 0 : text.indexOf(" ", first[0] - most / 2) + 1;
  const cut = text.slice(start, start + most);
  const end = start + most < text.length ? cut.lastIndexOf(" ") : cut.length;
  const shown = cut.slice(0, end > 0 ? end : cut.length);
  return [start ? "… " : "", ...marked(shown, wanted, rules), start + shown.length < text.length ? " …" : ""];
}

const slug = (text) => text.replaceAll(" ", "-").replace(/[^a-z-]/g, "");

function rowElement(row, wanted, rules) {
  const about = wanted.words.length || wanted.phrases.length ? bestText(row, wanted, rules) : row.summary || row.transcript;
  const chips = [row.dialect, row.emotion, row.split].filter(Boolean).map((said) => make("span", {}, bdi(said)));
  return make("li", {},
    make("a", { href: `#${encodeURIComponent(row.id)}`, class: `row ${slug(row.decision)}`, "data-id": row.id },
      make("strong", { dir: "auto" }, ...(row.title ? marked(row.title, wanted, rules) : ["(no title)"])),
      make("span", { class: "say", dir: "auto" }, ...snippet(about || "", wanted, rules)),
      make("span", { class: "chips" },
        make("span", {}, clock(row.seconds)), ...chips,
        row.decision ? make("span", {}, bdi(row.decision)) : null,
        row.score !== null ? make("span", {}, `score ${row.score.toFixed(2)}`) : null,
        row.verification === "none" ? null : make("span", { class: "good" }, row.verification === "whole" ? "✓ verified" : "✓ in part"),
        row.accepted === false ? make("span", { class: "bad" }, "✗ rejected") : null)));
}

// The text that holds what was searched for, the summary if it does.
function bestText(row, wanted, rules) {
  const texts = [row.summary, row.transcript].filter(Boolean);
  return texts.find((text) => hitsIn(text, wanted, rules).length) ?? texts[0];
}

function passageElement(passage, looks, wanted, rules) {
  const shown = passage.drafted ? passage.texts : onlyFinal(passage.texts);
  return make("article", { "aria-label": "Passage", "data-id": passage.id },
    make("p", { class: "back" }, make("a", { href: "#" }, "Back to the list")),
    headElement(passage, wanted, rules),
    make("div", { class: "player" }),
    passage.drafted ? legendElement(looks) : make("p", { class: "quiet" }, "No draft to compare with: only what was settled was published."),
    ...["title", "summary", "transcript"].filter((name) => shown[name]?.length).map((name) => textElement(name, passage, looks, wanted, rules)),
    passage.topics.length ? make("ul", { class: "topics", dir: "auto" }, ...passage.topics.map((topic) => make("li", {}, bdi(topic)))) : null,
    labelsElement(passage),
    make("p", { class: "id quiet" }, make("a", { href: `#${encodeURIComponent(passage.id)}` }, make("code", {}, see(passage.id)))));
}

const onlyFinal = (texts) => Object.fromEntries(Object.entries(texts).map(([name, voices]) => [name, voices.slice(-1)]));

function headElement(passage, wanted, rules) {
  const about = passage.about.flatMap((part, i) => [i ? " · " : "", make("bdi", {}, ...marked(part, wanted, rules))]);
  const verdict = [passage.decision, ...passage.reasons].filter(Boolean);
  const facts = [
    ["from", clock(passage.start)], ["length", `${passage.seconds.toFixed(1)} s`],
    ["split", passage.split], ["score", passage.score?.toFixed(2)], ["priority", passage.priority?.toFixed(2)],
    ["changed", passage.changed === null ? "" : percent(passage.changed)],
    ["verified", passage.verified.join(", ") || "by nobody"],
  ].filter(([, said]) => said);
  return make("div", { class: "head" },
    make("p", { class: "who" }, make("bdi", {}, ...marked(passage.name, wanted, rules))),
    make("p", { class: "quiet" }, ...about),
    verdict.length ? make("p", { class: `verdict ${slug(passage.decision)}` }, bdi(verdict.join(", "))) : null,
    passage.accepted === null ? null
      : make("p", { class: passage.accepted ? "settled" : "settled bad" }, passage.accepted ? "✓ accepted " : "✗ rejected ", bdi(passage.note)),
    make("dl", { class: "facts" }, ...facts.map(([name, said]) => make("div", {}, make("dt", {}, name), make("dd", {}, bdi(said))))));
}

function legendElement(looks) {
  const box = (id, text) => make("label", {}, make("input", { type: "checkbox", id, checked: looks[id] }), ` ${text}`);
  return make("div", { class: "looks" },
    box("changes", "Show what changed"),
    box("fold", "Ignore hamzas, diacritics, punctuation"),
    make("p", { class: "quiet" }, make("del", {}, "in the draft only"), " ", make("ins", {}, "not in the draft")));
}

function textElement(name, passage, looks, wanted, rules) {
  const voices = passage.texts[name];
  const final = voices.at(-1);
  const reviews = voices.slice(0, -1);
  return make("section", { class: "text", "data-text": name },
    make("h2", {}, name, passage.verified.includes(name) ? make("small", { class: "good" }, "✓ verified") : null,
      passage.drafted ? make("small", {}, howChanged(final)) : null),
    make("p", { class: "voice", dir: "rtl", lang: "ar" }, ...compared(final.pieces, looks, wanted, rules)),
    reviews.length ? make("details", { open: reviews.length < 4 },
      make("summary", {}, `${reviews.length} of ${passage.reviews.length === 1 ? "1 review says" : `${passage.reviews.length} reviews say`} something of it`),
      make("dl", { class: "voices" }, ...reviews.flatMap((review) => reviewElements(review, passage, looks, wanted, rules)))) : null);
}

function reviewElements(review, passage, looks, wanted, rules) {
  const note = passage.reviews.find(({ who }) => who === review.who)?.note ?? "";
  return [
    make("dt", {}, bdi(review.who), make("small", {}, bdi(note)), make("small", {}, howChanged(review))),
    make("dd", { class: "voice", dir: "rtl", lang: "ar" }, ...compared(review.pieces, looks, wanted, rules)),
  ];
}

function howChanged({ changed, respelled }) {
  if (changed) return "changed";
  return respelled ? "spelt otherwise" : "as drafted";
}

// The pieces of a comparison: what was cut struck through, what was added underlined.
function compared(pieces, looks, wanted, rules) {
  const plain = (text) => make("span", {}, ...marked(text, wanted, rules));
  const cut = (text) => (text ? make("del", {}, ...marked(text, wanted, rules)) : null);
  const added = (text) => (text ? make("ins", {}, ...marked(text, wanted, rules)) : null);
  const elements = pieces.flatMap(([sign, one, other]) => {
    if (sign === "=") return [plain(one)];
    if (sign === "~" && (looks.fold || !looks.changes)) return other ? [plain(other)] : [];
    if (sign === "~") return [cut(one), added(other)];
    if (sign === "+") return [looks.changes ? added(one) : plain(one)];
    return looks.changes ? [cut(one)] : [];
  });
  const said = elements.filter(Boolean).flatMap((element) => [element, " "]);
  return said.length ? said : [make("span", { class: "quiet" }, "(empty)")];
}

function labelsElement(passage) {
  const named = Object.entries(passage.labels).filter(([, said]) => said.length);
  return named.length
    ? make("dl", { class: "labels" }, ...named.flatMap(([name, said]) => [
        make("dt", {}, name, passage.verified.includes(name) ? make("small", { class: "good" }, "✓ verified") : null),
        make("dd", {}, ...said.flatMap((one, i) => [i ? " → " : "", make("small", {}, bdi(one.who), " "), make("b", {}, bdi(one.said))]))]))
    : null;
}
