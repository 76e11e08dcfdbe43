// The page at work: what is searched, which passage is open, and the keys.

const facts = JSON.parse(document.getElementById("facts").textContent);
const source = facts.served ? servedSource() : carriedSource(facts);
const at = (id) => document.getElementById(id);
const PAGE = 50;
const ANY = "any";
const NAMES = {
  verified: { whole: "transcript and summary", part: "in part", none: "by nobody" },
  split: { "": "in no split" },
  decision: { "": "not judged" },
};
const SORTED_BY = {
  place: "recording and time", score: "score", changed: "how much people changed", seconds: "length", priority: "priority for review",
};
const looks = { changes: true, fold: true };
const wide = matchMedia("(min-width: 60rem)");
let rows = [];
let total = 0;
let query = null;
let open = null;
let asked = 0; // the newest search: an answer to an older one comes too late
let opened = 0;

function readQuery() {
  const chosen = {};
  for (const select of at("choices").querySelectorAll("select")) {
    if (select.value !== ANY) chosen[select.name] = select.value.slice(1);
  }
  const number = (id) => (at(id).value === "" ? null : Number(at(id).value));
  return { text: at("q").value, chosen, low: number("low"), high: number("high"), sort: at("sort").value, down: at("down").value === "1" };
}

async function search() {
  const mine = ++asked;
  query = readQuery();
  const active = Object.keys(query.chosen).length + (query.low !== null) + (query.high !== null);
  at("active").textContent = active ? `(${active})` : "";
  try {
    const found = await source.find(query, 0, PAGE);
    if (mine !== asked) return;
    rows = [];
    at("list").replaceChildren();
    total = found.total;
    add(found.rows);
    const of = total === facts.total ? "" : ` of ${facts.total.toLocaleString("en")}`;
    at("count").textContent = facts.total === 0 ? "No passages here yet." : `${total.toLocaleString("en")}${of} passages${total ? "" : ": nothing fits"}`;
    if (open) await show(open.id);
    else if (wide.matches && rows.length) await show(rows[0].id);
  } catch (error) {
    if (mine === asked) at("count").textContent = `The search failed: ${see(error.message)}`;
  }
}

function add(more) {
  rows.push(...more);
  const wanted = readText(query.text);
  at("list").append(...more.map((row) => rowElement(row, wanted, facts)));
  at("more").hidden = rows.length >= total;
  markOpen();
}

async function showMore() {
  const mine = asked;
  const found = await source.find(query, rows.length, PAGE);
  if (mine === asked) add(found.rows);
}

async function show(id) {
  const mine = ++opened;
  try {
    const passage = await source.open(id);
    if (mine !== opened) return;
    const same = open?.id === id && at("passage").querySelector("audio");
    open = passage;
    const article = passageElement(passage, looks, readText(query.text), facts);
    const place = article.querySelector(".player");
    if (same) place.replaceChildren(same); // goes on playing
    else putPlayer(place, passage);
    at("passage").replaceChildren(article);
    markOpen();
  } catch (error) {
    if (mine === opened) at("passage").replaceChildren(make("p", { class: "notice" }, see(error.message)));
  }
}

function putPlayer(place, passage) {
  const silent = async () => place.replaceChildren(make("p", { class: "notice" }, see(await source.whySilent(passage))));
  const sound = source.sound(passage);
  if (!sound) return silent();
  const audio = make("audio", { controls: true, preload: "metadata", src: sound, "aria-label": `Sound, ${clock(passage.seconds)} long` });
  audio.addEventListener("error", silent);
  place.replaceChildren(audio);
}

function markOpen() {
  for (const row of at("list").querySelectorAll(".row")) {
    if (row.dataset.id === open?.id) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

// The passage named in the address, or the list.
async function follow() {
  const id = decodeURIComponent(location.hash.slice(1));
  document.body.classList.toggle("reading", id !== "" && id !== "passage");
  if (id === "passage" || (id === "" && wide.matches)) return;
  if (id === "") return close();
  await show(id);
  if (!wide.matches) scrollTo(0, 0);
}

function close() {
  at("passage").querySelector("audio")?.pause();
  const last = [...at("list").querySelectorAll(".row")].find((row) => row.dataset.id === open?.id);
  last?.scrollIntoView({ block: "center" });
}

async function step(by) {
  const place = rows.findIndex((row) => row.id === open?.id);
  if (place + by >= rows.length && rows.length < total) await showMore();
  const next = rows[Math.max(0, place + by)];
  if (!next || next.id === open?.id) return;
  history.replaceState(null, "", `#${encodeURIComponent(next.id)}`);
  await follow();
  [...at("list").querySelectorAll(".row")].find((row) => row.dataset.id === next.id)?.scrollIntoView({ block: "nearest" });
}

function play() {
  const audio = at("passage").querySelector("audio");
  if (!audio) return;
  if (audio.paused) audio.play().catch(() => {}); // a sound that cannot be had says so itself
  else audio.pause();
}

// Where a keyboard writes Arabic, the keys are known by their places.
function keyOf(event) {
  if (/^[ -~]$/.test(event.key) || event.key.length > 1) return event.key;
  return { KeyJ: "j", KeyK: "k", Slash: "/", Space: " " }[event.code] ?? event.key;
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const key = keyOf(event);
  if (key === "Escape") {
    if (document.activeElement !== document.body) document.activeElement.blur();
    else if (location.hash) location.hash = "";
    return;
  }
  if (event.target.closest("input, select, button, summary, audio")) return;
  const acts = { j: () => step(1), k: () => step(-1), " ": play, "/": () => at("q").select() };
  if (!Object.hasOwn(acts, key)) return;
  event.preventDefault();
  if (key === "/") at("q").focus();
  acts[key]();
});

function putChoices() {
  for (const [name, values] of Object.entries(facts.choices)) {
    if (values.length < 2) continue;
    const options = values.map(([value, count]) =>
      make("option", { value: `=${value}` }, see(`${NAMES[name]?.[value] ?? (value || "unknown")} (${count.toLocaleString("en")})`)));
    at("choices").append(make("label", { class: "field" }, make("span", {}, name), make("select", { name }, make("option", { value: ANY }, "any"), ...options)));
  }
  at("sort").append(...facts.sorts.map((name) => make("option", { value: name }, SORTED_BY[name])));
  at("scores").hidden = !facts.sorts.includes("score");
}

function start() {
  at("name").textContent = see(facts.name);
  document.title = `${see(facts.name)}: aramega browse`;
  at("origin").textContent = facts.served
    ? `aramega ${facts.version}. The ${facts.kind === "workspace" ? "workspace" : "set"} as it was when this was started; only this machine can see it.`
    : `aramega ${facts.version}. This file asks no server for anything. It carries texts and small copies of the sound (${Object.keys(facts.sounds).length} of ${facts.total} passages): mail it to those who may have them.`;
  at("filters").open = wide.matches;
  putChoices();
  let waiting = 0;
  at("q").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 150);
  });
  at("search").addEventListener("change", (event) => event.target !== at("q") && search());
  at("search").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    search();
    at("q").blur();
  });
  at("search").addEventListener("reset", () => setTimeout(search));
  at("more").addEventListener("click", showMore);
  at("passage").addEventListener("change", (event) => {
    if (!Object.hasOwn(looks, event.target.id)) return;
    looks[event.target.id] = event.target.checked;
    const back = event.target.id;
    show(open.id).then(() => at(back)?.focus());
  });
  at("skip").addEventListener("click", (event) => {
    event.preventDefault();
    at("passage").focus();
  });
  addEventListener("hashchange", follow);
  search().then(() => location.hash && follow());
}

start();
