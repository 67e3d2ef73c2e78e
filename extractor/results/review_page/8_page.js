// The whole: which article and fact are open, the list of articles, keys, files.
let current = null;
let selected = null;
let edited = null;
let moveOn = true;

function say(text) {
  $("said").textContent = text;
}
function note(text, { isBad = false, key = "" } = {}) {
  if (key) for (const before of $("notes").querySelectorAll(`[data-key="${key}"]`)) before.remove();
  const box = el("div", { class: isBad ? "note bad" : "note", "data-key": key || null }, el("span", {}, text), button("Dismiss", { onclick: () => box.remove() }));
  $("notes").append(box);
}
function showPane(name) {
  $("work").dataset.pane = name;
  for (const tab of $("tabs").children) tab.setAttribute("aria-pressed", String(tab.dataset.pane === name));
}
const isNarrow = matchMedia("(max-width: 860px)");

// the list of articles: only those in sight are in the page

// read when they change: reading them while filtering would lay the page out twice
const sight = { row: 51, top: 0, height: 0 };
function measureArticles() {
  const nav = $("articles");
  sight.row = parseFloat(getComputedStyle(document.documentElement).fontSize) * 3.4;
  sight.top = nav.scrollTop;
  sight.height = nav.clientHeight || innerHeight;
}
function drawArticles() {
  const list = $("articles").firstElementChild;
  const rowHeight = sight.row;
  list.style.height = `${listed.length * rowHeight}px`;
  const first = Math.max(0, Math.floor(sight.top / rowHeight) - 6);
  const last = Math.min(listed.length, first + Math.ceil(sight.height / rowHeight) + 12);
  const held = document.activeElement?.closest?.("#articles li")?.dataset.place;
  list.replaceChildren(...Array.from({ length: last - first }, (_, index) => articleRow(listed[first + index], first + index)));
  if (!listed.length) list.replaceChildren(el("li", { class: "empty" }, "No article passes the filters."));
  if (held !== undefined) list.querySelector(`[data-place="${held}"] button`)?.focus({ preventScroll: true });
}
function articleRow(article, place) {
  const passing = matchedIn.get(article) ?? [];
  const decidable = article.facts.filter((fact) => fact.verdict !== "merged");
  const open = decidable.filter((fact) => !fact.decision).length;
  const isDone = decidable.length > 0 && open === 0;
  const facts = passing.length === article.facts.length ? many(passing.length, "fact") : `${passing.length} of ${many(article.facts.length, "fact")}`;
  const rest = decidable.length ? (isDone ? ", all decided" : open < decidable.length ? `, ${open} open` : "") : "";
  const meta = el("span", { class: "meta" }, `${article.published ? `${article.published} · ` : ""}${facts}${rest}`, article.status !== "complete" && el("span", { class: "bad" }, ` · ${article.status}`));
  const pick = button([el("span", { class: "title" }, el("bdi", {}, article.title ?? article.id)), meta], { title: article.id, "aria-current": article === current ? "true" : null, onclick: () => {
    open_(article);
    showPane(isNarrow.matches ? "text" : $("work").dataset.pane);
  } });
  const row = el("li", { class: isDone ? "done" : null, "data-place": place, "aria-posinset": place + 1, "aria-setsize": listed.length }, pick);
  row.style.top = `${place * sight.row}px`;
  return row;
}
function revealArticle() {
  const place = listed.indexOf(current);
  if (place < 0) return;
  const top = place * sight.row;
  if (top < sight.top) scrollArticles(top);
  else if (top + sight.row > sight.top + sight.height) scrollArticles(top + sight.row - sight.height);
}
function scrollArticles(top) {
  $("articles").firstElementChild.style.height = `${listed.length * sight.row}px`;
  $("articles").scrollTop = top;
  sight.top = $("articles").scrollTop;
}

// opening

function open_(article, fact = undefined) {
  current = article;
  edited = null;
  selected = fact === undefined ? (matchedIn.get(article)?.[0] ?? null) : fact;
  drawCurrent();
  $("text").scrollTop = 0;
  $("facts").scrollTop = 0;
  revealArticle();
  drawArticles();
}
function drawCurrent() {
  Object.assign(drawnNow, { article: current, facts: (current && matchedIn.get(current)) ?? [], fact: selected });
  if (!current) {
    for (const id of ["text-head", "text-body"]) $(id).replaceChildren();
    $("facts-head").firstElementChild.textContent = "";
    $("facts").querySelector("ol").replaceChildren();
    return;
  }
  drawHead(current);
  drawText(current, matchedIn.get(current) ?? []);
  drawFacts(current);
  if (selected) lightText(selected, true);
  lightQuery();
}
function go(fact, { from = "keys", evenHidden = false } = {}) {
  if (!fact) return;
  if (evenHidden && fact.at < 0) clearFilters();
  if (edited && edited !== fact) edited = null;
  const before = selected;
  if (fact.article !== current) open_(fact.article, fact);
  else {
    selected = fact;
    if (before && before !== fact) {
      lightText(before, false);
      redraw(before);
    }
    lightText(fact, true);
    if (before !== fact) redraw(fact);
  }
  if (shown.includes(fact) && !cards.has(fact)) drawCards(shown.indexOf(fact) + PER_SCREEN);
  const node = cards.get(fact);
  if (isNarrow.matches && from === "text") showPane("facts");
  if (from !== "text" || isNarrow.matches) node?.focus({ preventScroll: true });
  node?.scrollIntoView({ block: "nearest" });
  if (from !== "text" && !(isNarrow.matches && $("work").dataset.pane !== "text")) {
    const marks = marksOf.get(fact);
    if (marks?.length && !inSight(marks[0])) marks[0].scrollIntoView({ block: "center", behavior: from === "keys" || calm.matches ? "auto" : "smooth" });
  }
}
function inSight(node) {
  const [box, pane] = [node.getBoundingClientRect(), $("text").getBoundingClientRect()];
  return box.top >= Math.max(pane.top, 0) && box.bottom <= Math.min(pane.bottom, innerHeight);
}
function step(by) {
  if (!matched.length) return;
  if (selected && selected.at >= 0) return go(matched[Math.min(matched.length - 1, Math.max(0, selected.at + by))]);
  const here = selected?.index ?? current?.facts[0]?.index ?? 0;
  go(by > 0 ? (matched.find((fact) => fact.index >= here) ?? matched.at(-1)) : (matched.findLast((fact) => fact.index < here) ?? matched[0]));
}
function stepArticle(by) {
  if (!listed.length) return;
  const place = listed.indexOf(current);
  open_(listed[Math.min(listed.length - 1, Math.max(0, place + by))]);
  say(`${current.title ?? current.id}, ${many((matchedIn.get(current) ?? []).length, "fact")}`);
}
function stepOpen() {
  const start = selected?.at ?? -1;
  const next = [...matched.slice(start + 1), ...matched.slice(0, start + 1)].find((fact) => fact.state === "open");
  if (next) go(next);
  else say("No undecided fact is left under these filters");
}

// deciding

function press(name) {
  if (!selected) return;
  if (selected.verdict === "merged") return say("This repeats another fact: decide there");
  if (name === "edit") {
    edited = selected;
    redraw(selected);
    const form = cards.get(selected)?.querySelector(".edit");
    const proof = selected.objection() && form?.querySelector("[aria-label='evidence 1'], [aria-label='Add to evidence']"); // mostly it is the quotes
    (proof || form?.querySelector("input, select, textarea"))?.focus();
    return;
  }
  const why = name === "accept" ? selected.objection() : null;
  if (why) return note(`${selected.headline()}: it cannot be accepted as it stands, for ${why}. Edit it, or reject it.`, { key: "accept" });
  settle({ decision: name });
}
function settle(to) {
  const fact = selected;
  edited = null;
  const place = fact.at;
  decide([{ fact, to }]);
  const wasLast = place >= matched.length - 1;
  const following = matched[place + 1] ?? null;
  say(`${to ? DECISIONS[to.decision] : "cleared"}: ${fact.headline()}`);
  decided();
  if (to && moveOn && following && !wasLast) go(following);
  else if (fact.at >= 0) go(fact);
  else if (following) go(following);
}
function stopEditing() {
  const fact = edited;
  edited = null;
  if (!fact) return;
  redraw(fact);
  cards.get(fact)?.focus({ preventScroll: true });
}
function takeBack() {
  const steps = undo();
  if (!steps) return say("Nothing to undo");
  edited = null;
  decided();
  const fact = steps.find((one) => one.fact)?.fact;
  say("Undone");
  if (fact && fact.at >= 0) go(fact);
}
// decisions changed: counts, and the lists that depend on them
function decided() {
  refilter();
  showCounts();
  drawCurrent();
  drawArticles();
  later();
}
let waiting = 0;
function later() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(() => setTimeout(drawOverview)); // the lists first, the pictures after
}
// as the run counts them: what is not believed, and what only repeats a fact, is no fact more
const others = VERDICTS.filter((verdict) => !BELIEVED.has(verdict)).map((verdict) => [FACTS.filter((fact) => fact.verdict === verdict).length, verdict]);
const holds = [many(FACTS.filter((fact) => BELIEVED.has(fact.verdict)).length, "fact"), ...others.filter(([count]) => count).map(([count, verdict]) => many(count, verdict, verdict))].join(", ");
function showCounts() {
  const all = FACTS.length;
  const isFiltered = matched.length !== all || listed.length !== ARTICLES.length;
  $("count").textContent = isFiltered ? `${matched.length.toLocaleString("en")} of ${all.toLocaleString("en")} in ${many(matchedIn.size, "article")}` : `${all.toLocaleString("en")} in ${many(ARTICLES.length, "article")}: ${holds}`;
  $("clear").hidden = activeTests().length === 0;
  $("overview-of").textContent = isFiltered ? "of the facts that pass the filters" : "";
  showChips("chips-type", "type");
  showChips("chips-verdict", "verdict");
  showChips("chips-decision", "decision");
  showFields();
  const decidable = FACTS.filter((fact) => fact.verdict !== "merged");
  const done = decidable.filter((fact) => fact.decision).length;
  $("progress").max = Math.max(1, decidable.length);
  $("progress").value = done;
  $("progress-words").textContent = `${done.toLocaleString("en")} of ${decidable.length.toLocaleString("en")} decided`;
  $("undo").disabled = past.length === 0;
  $("export").disabled = done === 0 && !ARTICLES.some((article) => article.isComplete);
}
function filtersChanged() {
  const wasEdited = edited !== null;
  edited = null;
  refilter();
  showCounts();
  if (!listed.includes(current)) {
    current = listed[0] ?? null;
    $("text").scrollTop = 0;
  }
  if (!selected || selected.at < 0 || selected.article !== current) selected = (current && matchedIn.get(current)?.[0]) ?? null;
  if (wasEdited || isStale()) drawCurrent();
  else lightQuery();
  if (sight.top) scrollArticles(0);
  revealArticle();
  drawArticles();
  later();
}
const drawnNow = { article: null, facts: [], fact: null };
function isStale() {
  const facts = (current && matchedIn.get(current)) ?? [];
  return drawnNow.article !== current || drawnNow.fact !== selected || facts.length !== drawnNow.facts.length || facts.some((fact, place) => fact !== drawnNow.facts[place]);
}

// files

function exportGold() {
  const { text, decided: count, complete, open, twice } = gold();
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" })), download: "decisions.jsonl" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  unsaved = false;
  const left = twice.length ? `\nLeft out: ${twice.map((fact) => `${fact.article.id}, ${fact.headline()}`).join("; ")}. Rejected, but an accepted fact says the same with other quotes, and gold cannot have both.` : "";
  const early = open.length ? `\nNot marked as fully labelled, for they have undecided facts: ${open.map((article) => article.id).join(", ")}.` : "";
  note(`${many(count, "decision")} written to decisions.jsonl${complete ? `, with ${many(complete, "article")} marked as fully labelled` : ""}. Next: extractor evaluate RUN_DIR --gold decisions.jsonl${left}${early}`, { key: "export" });
}
async function importGold(files) {
  for (const file of files) {
    const { changes, problems } = readGold(await file.text());
    if (changes.length) decide(changes);
    const told = problems.slice(0, 8).join("\n") + (problems.length > 8 ? `\nand ${problems.length - 8} more` : "");
    note(`${file.name}: ${many(changes.length, "decision")} read${problems.length ? `; ${many(problems.length, "line")} passed over:\n${told}` : ""}`, { key: "import", isBad: !changes.length });
  }
  decided();
}

// keys

const KEYS = [
  ["j  ↓", "next fact, also of the next article", () => step(1)],
  ["k  ↑", "previous fact", () => step(-1)],
  ["J", "next article", () => stepArticle(1)],
  ["K", "previous article", () => stepArticle(-1)],
  ["n", "next undecided fact", stepOpen],
  ["a", "accept", () => press("accept")],
  ["r", "reject", () => press("reject")],
  ["e", "edit; Ctrl Enter saves, Esc leaves", () => press("edit")],
  ["u", "undo", takeBack],
  ["/", "search", () => $("query").select()],
  ["c", "clear all filters", clearFilters],
  ["o", "fold or unfold the overview", () => { $("overview").open = !$("overview").open; }],
  ["?", "these keys", () => $("help").showModal()],
];
const ARROWS = { ArrowDown: "j", ArrowUp: "k" };
function keydown(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $("help").open) return;
  const { target } = event;
  const isTyping = target.matches("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape" && isTyping) return target.blur();
  if (event.key === "Escape" && edited) return stopEditing();
  if (isTyping || edited && cards.get(edited)?.contains(target)) return;
  let { key } = event;
  if (key in ARROWS) {
    if (target.closest("#articles")) {
      const row = target.closest("li");
      const next = Number(row?.dataset.place ?? -1) + (key === "ArrowDown" ? 1 : -1);
      if (!row || !listed[next]) return;
      event.preventDefault();
      stepArticle(next - listed.indexOf(current));
      document.querySelector(`#articles [data-place="${next}"] button`)?.focus({ preventScroll: true });
      return;
    }
    if (target !== document.body && !target.closest("#facts")) return; // elsewhere arrows scroll
    key = ARROWS[key];
  }
  const found = KEYS.find(([names]) => names.split("  ")[0] === key);
  if (!found) return;
  event.preventDefault();
  found[2]();
}

function start() {
  for (const article of ARTICLES) load(article);
  learnParties();
  fields = fieldControls();
  chips("chips-type", "type", [...TYPES.keys()], words, true);
  chips("chips-verdict", "verdict", VERDICTS.filter((verdict) => FACTS.some((fact) => fact.verdict === verdict)), (name) => name, false);
  chips("chips-decision", "decision", Object.keys(DECISIONS), (name) => DECISIONS[name], false);
  const tick = el("input", { type: "checkbox", id: "move-on" });
  tick.checked = true;
  tick.addEventListener("change", () => {
    moveOn = tick.checked;
  });
  $("facts-head").append(el("span"), el("label", {}, tick, "move on after deciding"));
  $("about").textContent = DATA.about;
  $("help-body").replaceChildren(el("dl", {}, ...KEYS.flatMap(([names, what]) => [el("dt", {}, ...names.split("  ").flatMap((name) => [el("kbd", {}, name), " "])), el("dd", {}, what)])),
    el("p", {}, "Decisions are kept in this browser, by article and fact: a page made anew from the same run, or from another run over the same text, has them again. Export writes them as JSONL, which extractor evaluate takes as gold."),
    el("p", {}, "In a fact being edited, mark words in the article to add them as a quote."));
  if (isNarrow.matches) $("overview").open = false;
  refilter();
  overviewControls();
  showCounts();
  current = listed[0] ?? null;
  selected = (current && matchedIn.get(current)?.[0]) ?? null;
  drawCurrent();
  measureArticles();
  drawArticles();
  drawOverview();
  listen();
  for (const text of DATA.notes) note(text);
  memory.tell = () => note(memory.reason, { isBad: true, key: "memory" });
  if (!memory.works) memory.tell();
  if (memory.refused.length) note(`No longer accepted, for they cannot count as they stand: ${memory.refused.map((fact) => `${fact.article.id}, ${fact.headline()}: ${fact.objection()}`).join("; ")}.`, { key: "refused" });
  document.documentElement.dataset.ready = "yes";
  warm(0, FACTS, (fact) => fact.words);
  warm(0, ARTICLES, (article) => article.lower());
}
// what a first search would make is made while nothing else is to be done
function warm(from, items, make) {
  const until = performance.now() + 8;
  let place = from;
  while (place < items.length && performance.now() < until) make(items[place++]);
  if (place < items.length) setTimeout(warm, 4, place, items, make);
}
function listen() {
  for (const facet of ["query", "party"]) {
    $(facet).addEventListener("input", () => {
      chosen[facet] = $(facet).value;
      filtersChanged();
    });
    $(facet).addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), $(facet).blur(), cards.get(selected)?.focus()));
  }
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("more").addEventListener("click", () => {
    $("more-fields").hidden = !$("more-fields").hidden;
    $("more").setAttribute("aria-expanded", String(!$("more-fields").hidden));
    showFields();
  });
  $("clear").addEventListener("click", clearFilters);
  $("export").addEventListener("click", exportGold);
  $("import").addEventListener("click", () => $("import-file").click());
  $("import-file").addEventListener("change", async () => {
    await importGold([...$("import-file").files]);
    $("import-file").value = "";
  });
  $("undo").addEventListener("click", takeBack);
  $("help-open").addEventListener("click", () => $("help").showModal());
  for (const tab of $("tabs").children) tab.addEventListener("click", () => showPane(tab.dataset.pane));
  $("articles").addEventListener("scroll", () => {
    sight.top = $("articles").scrollTop;
    drawArticles();
  }, { passive: true });
  $("overview").addEventListener("toggle", drawOverview);
  document.addEventListener("keydown", keydown);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (width !== innerWidth) later();
    width = innerWidth;
  });
  new ResizeObserver(() => {
    measureArticles();
    drawArticles();
  }).observe($("articles"));
  new ResizeObserver(() => document.documentElement.style.setProperty("--bar", `${$("filters").offsetHeight}px`)).observe($("filters"));
  // another tab with the same article decided something
  addEventListener("storage", (event) => {
    const article = event.key?.startsWith(STORE) && ARTICLES.find((one) => STORE + one.key === event.key);
    if (!article || edited) return;
    load(article);
    decided();
  });
  addEventListener("beforeunload", (event) => {
    if (!memory.works && unsaved) event.preventDefault();
  });
}
start();
