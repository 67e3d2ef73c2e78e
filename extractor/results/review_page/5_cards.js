// The facts beside the article: one line each, the selected one with all it says, what is wrong with it, and the three decisions.
const PER_SCREEN = 120; // cards drawn at once; more follow when they are scrolled to
let cards = new Map();
let drawn = 0;
let shown = [];
const moreCards = new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting)) drawCards(drawn + PER_SCREEN);
}, { rootMargin: "800px" });

function drawFacts(article) {
  shown = matchedIn.get(article) ?? [];
  cards = new Map();
  drawn = 0;
  moreCards.disconnect();
  const list = $("facts").querySelector("ol");
  list.replaceChildren();
  const all = article.facts.length;
  const counted = shown.length === all ? many(all, "fact") : `${shown.length} of ${many(all, "fact")}`;
  $("facts-head").firstElementChild.textContent = `${counted} in this article`;
  if (!shown.length) list.append(el("li", { class: "empty" }, all ? "None of its facts pass the filters." : "Nothing was extracted from this article."));
  drawCards(PER_SCREEN);
}
function drawCards(until) {
  const list = $("facts").querySelector("ol");
  list.querySelector(".more")?.remove();
  const end = Math.min(until, shown.length);
  for (; drawn < end; drawn++) {
    const node = card(shown[drawn], drawn);
    cards.set(shown[drawn], node);
    list.append(node);
  }
  if (drawn < shown.length) {
    const more = el("li", { class: "empty more" }, button(`Show more (${shown.length - drawn})`, { onclick: () => drawCards(drawn + PER_SCREEN) }));
    list.append(more);
    moreCards.disconnect();
    moreCards.observe(more);
  }
}
function redraw(fact) {
  const old = cards.get(fact);
  if (!old) return;
  const hadFocus = old.contains(document.activeElement);
  const fresh = card(fact, shown.indexOf(fact));
  cards.set(fact, fresh);
  old.replaceWith(fresh);
  if (hadFocus) fresh.focus({ preventScroll: true });
}
function card(fact, place) {
  const isOpen = fact === selected;
  const title = el("h3", { id: `fact-${fact.index}` }, el("bdi", {}, fact.headline()));
  const kicker = el(
    "div",
    { class: "kicker" },
    el("span", { class: "dot" }, words(fact.row.type)),
    el("span", { class: "end" }, fact.verdict !== "kept" && el("span", { class: `badge ${fact.verdict}` }, fact.verdict), fact.decision && el("span", { class: `badge ${fact.decision.decision}` }, DECISIONS[fact.decision.decision])),
  );
  const node = el(
    "li",
    { class: `fact ${fact.type.colour}${isOpen ? " on" : ""}${fact.state === "reject" ? " rejected" : ""}`, tabindex: "-1", "data-fact": fact.index, "aria-labelledby": `fact-${fact.index}`, "aria-current": isOpen ? "true" : null, "aria-posinset": place + 1, "aria-setsize": shown.length },
    kicker,
    title,
    fact === edited ? el("div", {}, issueList(fact), editor(fact)) : isOpen ? whole(fact) : el("p", { class: "words" }, gist(fact)),
  );
  if (!isOpen) node.addEventListener("click", () => go(fact, { from: "card" }));
  return node;
}
// the closed words and the number of flags: enough to pass over a fact that is plainly right
function gist(fact) {
  const value = isObject(fact.value) ? fact.value : {};
  const said = [...fact.type.closed.keys()].filter((path) => !path.includes(".") && !isEmpty(value[path])).map((path) => (value[path] === true ? words(path) : words(brief(value[path]))));
  const flags = fact.row.issues.length && fact.verdict !== "merged" ? [many(fact.row.issues.length, fact.verdict === "quarantined" ? "reason" : "flag")] : [];
  return [...said, ...flags].join(" · ");
}
function whole(fact) {
  return el("div", {}, fieldList(fact), quoteList(fact), issueList(fact), originals(fact), buttons(fact), provenance(fact));
}
function fieldList(fact) {
  const { value } = fact;
  if (!isObject(value)) return fact.row.raw === undefined ? null : el("p", { class: "words" }, "The model's words are no JSON object; they stand below.");
  const codes = fact.codes();
  const rows = [];
  for (const [name, said] of Object.entries(value)) if (!TOLD.has(name) && !isEmpty(said)) rows.push([words(name), parts(fact, name, said, codes)]);
  if (told(value)) rows.push(["told", [el("bdi", {}, told(value))]]);
  return el("dl", {}, ...rows.flatMap(([name, said]) => [el("dt", {}, name), el("dd", {}, ...said)]));
}
function parts(fact, path, said, codes) {
  if (Array.isArray(said)) return said.flatMap((item, index) => [index ? (isObject(item) && !isParty(item) ? el("br") : ", ") : null, ...parts(fact, `${path}[${index}]`, item, codes)]);
  if (isParty(said)) {
    const code = codes[path];
    const label = el("bdi", {}, partyWords(said));
    return [inText(fact, [`${path}.name`, path], label), code && el("span", {}, " ", el("abbr", { class: "code", title: countryName(code) }, code))].filter(Boolean);
  }
  const isClosed = typeof said === "string" && fact.type.closed.has(path.replace(/\[\d+\]/g, ""));
  const text = isObject(said) && !("as_written" in said) ? brief(said, path, codes) : isClosed ? words(said) : brief(said);
  return [inText(fact, [`${path}.as_written`, path], el("bdi", {}, text))];
}
function inText(fact, paths, label) {
  const path = paths.find((one) => fact.row.spans?.[one]);
  if (!path || fact.decision?.decision === "edit") return label;
  return el("button", { type: "button", title: "Show these words in the article", onclick: () => showInText((fieldsOf.get(fact) ?? []).filter((one) => one.path === path).map((one) => one.node)) }, label);
}
function quoteList(fact) {
  const quotes = fact.quotes();
  if (!quotes.length) return el("p", { class: "words" }, "None of its quotes is in the article.");
  return el(
    "ul",
    { class: "quotes", "aria-label": "Evidence" },
    ...quotes.map(({ quote, start, end }) => {
      const label = el("bdi", {}, `“${cut(quote, 320)}”`);
      if (start === undefined) return el("li", {}, label, " ", el("span", { class: "at" }, "not in the article"));
      const inside = button(label, { title: "Show in the article", onclick: () => showInText(marksAt(fact, quote, start)) });
      return el("li", {}, inside, " ", el("span", { class: "at" }, `[${start}, ${end})`));
    }),
  );
}
function marksAt(fact, quote, start) {
  const nodes = marksOf.get(fact) ?? [];
  const unit = offsets(fact.article).unit(start);
  return nodes.filter((node) => startOf(node) >= unit);
}
function startOf(node) {
  const range = document.createRange();
  range.selectNodeContents($("text-body"));
  range.setEndBefore(node);
  return range.toString().length;
}
function issue(one, when, kind) {
  return el("li", { class: kind }, el("b", {}, `${when}${one.path ? ` ${one.path}` : ""}: `), el("bdi", {}, one.message), " ", el("span", { class: "code" }, one.code));
}
function issueList(fact) {
  const { row, verdict } = fact;
  const items = row.issues.map((one) => issue(one, one.severity === "error" ? "Wrong" : verdict === "merged" ? "Repeat" : "Flag", one.severity === "error" ? "error" : "flag"));
  if (verdict === "repaired") for (const attempt of row.tries) for (const one of attempt.issues) if (one.severity === "error") items.push(issue(one, "At first", "past"));
  const list = items.length ? el("ul", { class: "issues", "aria-label": "Reasons and flags" }, ...items) : null;
  if (verdict !== "merged") return list;
  const twin = twinOf(fact);
  return el("div", {}, list, twin && button("Show the fact it repeats", { onclick: () => go(twin, { evenHidden: true }) }));
}
function twinOf(fact) {
  const named = fact.row.issues.map((one) => one.message).join(" ");
  const others = fact.article.facts.filter((one) => one.verdict !== "merged");
  return others.find((one) => named.includes(one.row.id)) ?? others.find((one) => one.row.id === fact.row.id) ?? null;
}
function pretty(text) {
  try {
    return exactly(JSON.stringify(readJSON(text), null, 1));
  } catch {
    return text;
  }
}
function originals(fact) {
  const { row } = fact;
  const all = [];
  if (row.raw !== undefined) all.push([fact.verdict === "quarantined" ? "What the model said" : "The repeated words", row.raw, []]);
  for (const [index, attempt] of row.tries.entries()) all.push([`Version ${index + 1}, not believed`, attempt.raw, attempt.issues]);
  if (fact.decision?.decision === "edit") all.push(["Before your edit", exactly(JSON.stringify(fact.given ?? row.raw)), []]);
  const isBare = row.raw !== undefined && !isObject(fact.given);
  return el("div", {}, ...all.map(([title, text, issues], index) => {
    const box = el("details", { open: isBare && index === 0 }, el("summary", {}, title));
    const unfold = () => box.childElementCount === 1 && box.append(...(issues.length && fact.verdict !== "repaired" ? [el("ul", { class: "issues" }, ...issues.map((one) => issue(one, one.severity === "error" ? "Wrong" : "Flag", "past")))] : []), el("pre", { tabindex: "0" }, pretty(text)));
    if (isBare && index === 0) unfold();
    box.addEventListener("toggle", unfold);
    return box;
  }));
}
function buttons(fact) {
  if (fact.verdict === "merged") return null;
  const why = fact.state === "edit" ? null : fact.objection();
  const reason = why && el("p", { class: "refused", id: `refused-${fact.index}` }, `It cannot be accepted as it stands: ${why}. Edit it, or reject it.`);
  const act = (name, label, key, more = {}) => button([label, " ", el("kbd", { "aria-hidden": "true" }, key)], { class: name, "aria-pressed": String(fact.state === name), "aria-keyshortcuts": key, onclick: () => press(name), ...more });
  const accept = act("accept", "Accept", "a", reason ? { "aria-disabled": "true", "aria-describedby": reason.id } : {});
  return el("div", { class: "decide" }, reason, el("div", { class: "acts", role: "group", "aria-label": "Decision" }, accept, act("edit", "Edit", "e"), act("reject", "Reject", "r"), fact.decision && button("Clear", { onclick: () => settle(null) })));
}
function provenance(fact) {
  const [model, prompt] = DATA.made[fact.row.made];
  return el("details", {}, el("summary", {}, "Where it comes from"), el("p", { class: "words" }, `${fact.row.id} · ${model} · ${prompt}`));
}
