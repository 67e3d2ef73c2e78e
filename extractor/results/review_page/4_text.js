// The article with its evidence: cut at every boundary, so that overlapping quotes are drawn side by side and no character twice.
const LANES = 3; // underlines below each other; deeper overlaps share the last
let marksOf = new Map(); // fact -> its segments of evidence
let fieldsOf = new Map(); // fact -> {path: segments}

function spansShown(facts, length, article) {
  const at = (point) => offsets(article).unit(point);
  const spans = [];
  const withFields = facts.length <= 150; // beyond, the cuts would cost more than they tell
  for (const fact of facts) {
    for (const { quote, start, end } of fact.quotes()) if (start !== undefined) spans.push({ fact, quote, start: at(start), end: at(end), path: null });
    if (withFields && fact.decision?.decision !== "edit") {
      for (const [path, [start, end]] of Object.entries(fact.row.spans ?? {})) spans.push({ fact, start: at(start), end: at(end), path });
    }
  }
  return spans.filter((span) => span.start < span.end && span.end <= length).sort((one, other) => one.start - other.start || other.end - one.end);
}
function lanes(spans) {
  const free = []; // where each lane's last quote ends
  for (const span of spans) {
    if (span.path !== null) continue;
    let lane = free.findIndex((end) => end <= span.start);
    if (lane < 0) lane = free.length;
    free[lane] = span.end;
    span.lane = Math.min(lane, LANES - 1);
  }
}
function drawText(article, facts) {
  const { text } = article;
  const spans = spansShown(facts, text.length, article);
  lanes(spans);
  const headEnd = article.title && text.startsWith(article.title) ? article.title.length : 0;
  const cuts = [...new Set([0, headEnd, text.length, ...spans.flatMap((span) => [span.start, span.end])])].sort((one, other) => one - other);
  marksOf = new Map();
  fieldsOf = new Map();
  const head = headEnd ? el("h2") : null;
  const body = el("div");
  let open = [];
  let next = 0;
  for (let place = 0; place + 1 < cuts.length; place++) {
    const [start, end] = [cuts[place], cuts[place + 1]];
    open = open.filter((span) => span.end > start);
    while (next < spans.length && spans[next].start === start) open.push(spans[next++]);
    const words = text.slice(start, end);
    (end <= headEnd ? head : body).append(open.length ? segment(words, open, start) : words);
  }
  if (article.language && /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(article.language)) $("text-body").lang = article.language;
  else $("text-body").removeAttribute("lang");
  $("text-body").replaceChildren(...[head, body].filter(Boolean));
}
function segment(words, open, start) {
  const quotes = open.filter((span) => span.path === null);
  const node = el(quotes.length ? "mark" : "span", { class: (quotes[0] ?? open[0]).fact.type.colour }, words);
  const facts = [...new Set(quotes.map((span) => span.fact))];
  if (facts.length > 1) node.classList.add("deep");
  if (facts.length && facts.every((fact) => fact.verdict === "quarantined")) node.classList.add("doubt");
  for (const span of quotes) node.style.setProperty(`--u${span.lane}`, `var(--t${span.fact.type.place % 8})`);
  for (const { fact, path } of open) {
    if (path === null) push(marksOf, fact, node);
    else push(fieldsOf, fact, { path, node });
  }
  if (!facts.length) return node;
  node.dataset.facts = facts.map((fact) => fact.index).join(" ");
  node.addEventListener("click", () => {
    if (String(getSelection())) return; // words are being marked, not clicked
    choose(facts);
  });
  const begins = quotes.filter((span) => span.start === start);
  if (begins.length) {
    // one stop for the keyboard where a quote begins, named with what it proves
    fill(node, { role: "button", tabindex: "0", "aria-label": begins.map((span) => `Evidence for ${describe(span.fact)}: ${span.quote}`).join(" — ") }, []);
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose([...new Set(begins.map((span) => span.fact))]);
    });
  }
  return node;
}
function push(map, key, item) {
  const before = map.get(key);
  if (before) before.push(item);
  else map.set(key, [item]);
}
const describe = (fact) => `${words(fact.row.type)}, ${fact.verdict}, ${fact.headline()}`;
// where several facts rest on the same words, each further click takes the next one
function choose(facts) {
  const now = facts.indexOf(selected);
  go(facts[(now + 1) % facts.length], { from: "text" });
}
function lightText(fact, on) {
  for (const node of marksOf.get(fact) ?? []) {
    node.classList.toggle("on", on);
    for (const colour of [...node.classList].filter((name) => /^t\d$/.test(name))) node.classList.remove(colour);
    node.classList.add(on ? fact.type.colour : FACTS[node.dataset.facts.split(" ")[0]].type.colour);
  }
  for (const { node } of fieldsOf.get(fact) ?? []) node.classList.toggle("field", on);
}
function showInText(nodes) {
  if (!nodes?.length) return;
  showPane("text");
  nodes[0].scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
}
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function drawHead(article) {
  const bits = [el("span", {}, article.id), article.published && el("time", {}, article.published), article.source && el("span", {}, article.source), article.language && el("span", {}, article.language)];
  if (article.url) {
    const isWeb = /^https?:\/\//i.test(article.url);
    bits.push(isWeb ? el("a", { href: article.url, rel: "noopener noreferrer", target: "_blank" }, cut(article.url, 70)) : el("span", {}, cut(article.url, 70)));
  }
  if (!article.present) bits.push(el("span", {}, "no longer in the input"));
  const tick = el("input", { type: "checkbox", id: "complete" });
  tick.checked = article.isComplete;
  tick.addEventListener("change", () => {
    decide([{ article, to: tick.checked }]);
    say(tick.checked ? "All facts of this article are labelled" : "This article is not fully labelled");
    decided();
  });
  bits.push(el("label", { title: "Nothing is missing: every fact of this article is accepted, edited or rejected. Only then does evaluation count what a run missed." }, tick, "No fact is missing"));
  if (article.status !== "complete") bits.push(el("span", { class: "bad" }, `${article.status}: ${article.reason ?? ""}`));
  $("text-head").replaceChildren(...bits.filter(Boolean));
}

// words of a search, marked without touching the text
function lightQuery() {
  if (!CSS.highlights) return;
  CSS.highlights.delete("found");
  const terms = chosen.query.toLowerCase().split(/\s+/).filter((term) => term.length > 1);
  if (!terms.length) return;
  const ranges = [];
  const walker = document.createTreeWalker($("text-body"), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node && ranges.length < 2000; node = walker.nextNode()) {
    const low = node.data.toLowerCase();
    if (low.length !== node.data.length) continue; // "İ" grows when made small
    for (const term of terms) {
      for (let at = low.indexOf(term); at >= 0; at = low.indexOf(term, at + term.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + term.length);
        ranges.push(range);
      }
    }
  }
  if (ranges.length) CSS.highlights.set("found", new Highlight(...ranges));
}

// the words last marked in the article, for a quote
let markedWords = "";
document.addEventListener("selectionchange", () => {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return;
  const range = selection.getRangeAt(0);
  if ($("text-body").contains(range.startContainer) && $("text-body").contains(range.endContainer)) markedWords = range.toString();
});
