// Which facts are shown: one pass over all of them counts every choice under the other filters.
const chosen = { type: new Set(), verdict: new Set(), decision: new Set(), fields: new Map(), flag: "", query: "", party: "", dateBy: "", from: "", to: "" };
const FIRST_STATED = "\u0000first";
const PUBLISHED = "\u0000published";
const DECISIONS = { open: "open", accept: "accepted", edit: "edited", reject: "rejected" };
const VERDICTS = ["kept", "repaired", "quarantined", "merged"];
let matched = [];
let matchedIn = new Map(); // article -> its facts that pass
let listed = [];
let tally = new Map();

function dayOf(fact, by) {
  if (by === PUBLISHED) return fact.article.published;
  if (by === FIRST_STATED || !by) return fact.days[0]?.[1] ?? fact.article.published;
  return fact.days.find(([name]) => name === by)?.[1] ?? null;
}
function partyTest(text) {
  const terms = text.toLowerCase().split(" + ").map((term) => term.trim()).filter(Boolean);
  const tests = terms.map((term) => (knownParties.has(term) ? (fact) => fact.who.has(term) : (fact) => [...fact.who.keys()].some((name) => name.includes(term))));
  return (fact) => tests.every((test) => test(fact));
}
function activeTests() {
  const tests = [];
  const add = (facet, test) => tests.push({ facet, test });
  if (chosen.type.size) add("type", (fact) => chosen.type.has(fact.row.type));
  if (chosen.verdict.size) add("verdict", (fact) => chosen.verdict.has(fact.verdict));
  if (chosen.decision.size) add("decision", (fact) => chosen.decision.has(fact.state));
  for (const [path, said] of chosen.fields) add(path, (fact) => fact.closed.includes(`${path}\u0000${said}`));
  if (chosen.flag) add("flag", (fact) => fact.row.issues.some((issue) => issue.code === chosen.flag) || (chosen.flag === "\u0000any" && fact.row.issues.length > 0));
  if (chosen.from || chosen.to) {
    add("date", (fact) => {
      const day = dayOf(fact, chosen.dateBy);
      return Boolean(day) && (!chosen.from || day >= chosen.from) && (!chosen.to || day <= chosen.to);
    });
  }
  if (chosen.party.trim()) add("party", partyTest(chosen.party));
  const terms = chosen.query.toLowerCase().split(/\s+/).filter(Boolean);
  if (terms.length) add("query", (fact) => terms.every((term) => fact.words.includes(term)));
  return tests;
}
function refilter() {
  const tests = activeTests();
  const counts = new Map();
  const next = [];
  const byArticle = new Map();
  for (const fact of FACTS) {
    fact.at = -1;
    let failed = null;
    let fails = 0;
    for (const { facet, test } of tests) {
      if (!test(fact)) {
        failed = facet;
        if (++fails > 1) break;
      }
    }
    if (fails > 1) continue;
    if (!fails) {
      fact.at = next.push(fact) - 1;
      const before = byArticle.get(fact.article);
      if (before) before.push(fact);
      else byArticle.set(fact.article, [fact]);
    }
    for (const [facet, key] of fact.tags) if (!failed || failed === facet) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  matched = next;
  matchedIn = byArticle;
  tally = counts;
  const isFiltered = tests.length > 0;
  const terms = tests.every((test) => test.facet === "query") ? chosen.query.toLowerCase().split(/\s+/).filter(Boolean) : [];
  // a search looks into articles without facts as well; other filters are about facts
  const speaks = (article) => terms.length > 0 && terms.every((term) => article.lower().includes(term));
  listed = isFiltered ? ARTICLES.filter((article) => byArticle.has(article) || speaks(article)) : ARTICLES;
  return isFiltered;
}
for (const article of ARTICLES) article.lower = () => (article.small ??= `${article.id}\n${article.title ?? ""}\n${article.text}`.toLowerCase());

const knownParties = new Map(); // lower case -> [as shown, number of facts]
function learnParties() {
  for (const fact of FACTS) {
    for (const [low, shown] of fact.who) {
      const before = knownParties.get(low);
      if (before) before[1] += 1;
      else knownParties.set(low, [shown, 1]);
    }
  }
  const often = [...knownParties.values()].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1)).slice(0, 400);
  $("parties").replaceChildren(...often.map(([shown, count]) => el("option", { value: shown, label: many(count, "fact") })));
}

// the controls

function chips(id, facet, names, label, dot) {
  const set = chosen[facet];
  $(id).replaceChildren(
    ...names.map((name) => {
      const total = el("b");
      const chip = button([dot ? el("span", { class: `dot ${typeOf(name).colour}` }) : null, label(name), total], { "aria-pressed": "false", "data-name": name });
      chip.addEventListener("click", () => {
        if (!set.delete(name)) set.add(name);
        filtersChanged();
      });
      return chip;
    }),
  );
}
function showChips(id, facet) {
  for (const chip of $(id).children) {
    const { name } = chip.dataset;
    chip.setAttribute("aria-pressed", String(chosen[facet].has(name)));
    chip.querySelector("b").textContent = (tally.get(`${facet} ${name}`) ?? 0).toLocaleString("en");
  }
}
function fieldControls() {
  const paths = new Map(); // field path -> its words
  for (const fact of FACTS) {
    for (const said of fact.closed) {
      const [path, word] = said.split("\u0000");
      if (!paths.has(path)) paths.set(path, new Set());
      paths.get(path).add(word);
    }
  }
  const names = [...paths.keys()].sort();
  const controls = names.map((path) => {
    const select = el("select", { "data-path": path });
    select.addEventListener("change", () => {
      if (select.value) chosen.fields.set(path, select.value);
      else chosen.fields.delete(path);
      filtersChanged();
    });
    return el("label", {}, words(path).replaceAll(".", " · "), select);
  });
  const flag = el("select", { id: "flag" });
  flag.addEventListener("change", () => {
    chosen.flag = flag.value;
    filtersChanged();
  });
  const dates = ["from", "to"].map((end) => {
    const input = el("input", { type: "date", id: `date-${end}` });
    input.addEventListener("change", () => {
      chosen[end] = input.value;
      chosen.dateBy = $("timeline-by").value;
      filtersChanged();
    });
    return el("label", {}, `date ${end}`, input);
  });
  $("more-fields").replaceChildren(el("label", {}, "flag", flag), ...dates, ...controls);
  return { names, paths };
}
let fields = { names: [], paths: new Map() };
function options(select, now, entries, any) {
  select.replaceChildren(el("option", { value: "" }, any), ...entries.map(([value, label, count]) => el("option", { value }, `${label} (${count.toLocaleString("en")})`)));
  select.value = now ?? "";
  if (now && select.value !== now) select.append(el("option", { value: now, selected: true }, `${words(now)} (0)`));
}
function showFields() {
  if ($("more-fields").hidden) return;
  for (const select of $("more-fields").querySelectorAll("select[data-path]")) {
    const { path } = select.dataset;
    const entries = [...fields.paths.get(path)].map((word) => [word, words(word), tally.get(`${path}\u0000${word}`) ?? 0]).filter(([, , count]) => count);
    options(select, chosen.fields.get(path), entries.sort((one, other) => other[2] - one[2]), "any");
    select.parentElement.hidden = entries.length === 0 && !chosen.fields.has(path);
  }
  const flags = [...tally].filter(([key]) => key.startsWith("flag ")).map(([key, count]) => [key.slice(5), words(key.slice(5)), count]);
  options($("flag"), chosen.flag, flags.sort((one, other) => other[2] - one[2]), "any or none");
  $("date-from").value = chosen.from;
  $("date-to").value = chosen.to;
}
function clearFilters() {
  for (const facet of ["type", "verdict", "decision", "fields"]) chosen[facet].clear();
  for (const facet of ["flag", "query", "party", "from", "to"]) chosen[facet] = "";
  $("query").value = "";
  $("party").value = "";
  filtersChanged();
}
