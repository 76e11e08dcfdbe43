// Sources: where the page's passages come from. Both answer the same three questions: which passages a query
// finds, one passage in full, and where its sound is.

// The server this page came from. Addresses are relative, so that its token stays in them.
function servedSource() {
  const ask = async (path) => {
    const answer = await fetch(path, { credentials: "omit", referrerPolicy: "no-referrer" });
    if (!answer.ok) throw new Error((await answer.text()).trim() || `status ${answer.status}`);
    return answer.json();
  };
  return {
    find: (query, first, count) => {
      const { text, chosen, low, high, sort, down } = query;
      const asked = { q: text, ...chosen, sort, down: down ? "1" : "0", first, count };
      if (low !== null) asked.low = low;
      if (high !== null) asked.high = high;
      return ask(`search?${new URLSearchParams(asked)}`);
    },
    open: (id) => ask(`passage/${encodeURIComponent(id)}`),
    sound: (passage) => (passage.sounds ? `sound/${encodeURIComponent(passage.id)}` : ""),
    whySilent: async (passage) => {
      if (!passage.sounds) return "Its sound was not published.";
      const answer = await fetch(`sound/${encodeURIComponent(passage.id)}`);
      return answer.ok ? "This browser cannot play its sound." : `No sound: ${(await answer.text()).trim()}`;
    },
  };
}

// The passages that the page itself carries.
function carriedSource(facts) {
  const passages = facts.passages.map((passage, place) => ({ ...passage, place }));
  const byId = new Map(passages.map((passage) => [passage.id, passage]));
  const texts = new Map();
  const textOf = (passage) => {
    if (!texts.has(passage.id)) texts.set(passage.id, searchedText(passage));
    return texts.get(passage.id);
  };
  return {
    find: async (query, first, count) => {
      const wanted = readText(query.text);
      const found = passages.filter((p) => isWanted(p, query) && holds(textOf(p), wanted, facts));
      found.sort(comparison(query));
      return { total: found.length, rows: found.slice(first, first + count) };
    },
    open: async (id) => {
      if (!byId.has(id)) throw new Error(`${id}: no such passage here.`);
      return byId.get(id);
    },
    sound: (passage) =>
      facts.sounds[passage.id] === undefined ? "" : `data:audio/mpeg;base64,${facts.sounds[passage.id]}`,
    whySilent: async (passage) => facts.silent[passage.id] ?? "Its sound was not published.",
  };
}

function isWanted(passage, query) {
  const facts = { ...passage, verified: passage.verification };
  if (Object.entries(query.chosen).some(([name, value]) => (facts[name] ?? "") !== value)) return false;
  if (query.low !== null && !(passage.score !== null && passage.score >= query.low)) return false;
  return query.high === null || (passage.score !== null && passage.score <= query.high);
}

// Nothing known comes last, whichever way round.
function comparison({ sort, down }) {
  return (a, b) => {
    const [one, other] = [a[sort] ?? null, b[sort] ?? null];
    if (one === null || other === null) return (one === null) - (other === null) || a.place - b.place;
    return (down ? other - one : one - other) || a.place - b.place;
  };
}

function searchedText(passage) {
  const said = ["title", "summary", "transcript"].flatMap((name) => [
    passage[name] ?? "",
    ...(passage.texts[name] ?? []).slice(-1).map((voice) => draftOf(voice.pieces)),
  ]);
  return [...said, ...passage.topics, passage.name, ...passage.about, passage.id].map((part) => ` ${fold(part)} `);
}

// What the text was before a voice changed it.
function draftOf(pieces) {
  return pieces.filter(([sign]) => sign !== "+").map((piece) => piece[1]).join(" ");
}

// Whether all that is wanted is somewhere in the parts of a text.
function holds(parts, wanted, rules) {
  const words = wanted.words.length ? parts.flatMap((part) => part.split(" ")) : [];
  return (
    wanted.phrases.every((phrase) => parts.some((part) => part.includes(` ${phrase} `))) &&
    wanted.words.every((one) => words.some((word) => isForm(word, one, rules)))
  );
}
