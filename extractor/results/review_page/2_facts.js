// The facts with what is decided about them: kept in the browser by article, undone, written out as gold and read back.
const STORE = "extractor-review/1/";
const BELIEVED = new Set(["kept", "repaired"]);
const NOT_AS_IT_STANDS = new Set(["schema", "doubled_key", "no_evidence", "quote_not_found"]); // decisions.py has them
const CODES = new Map(); // who a party is, wherever some row says it: so that an edited party keeps its country
const codeKey = (party) => JSON.stringify([party.name, party.kind, party.on_behalf_of ?? null]);
const countryName = (code) => DATA.countries[code] ?? code;

class Fact {
  constructor(row, index, article) {
    this.row = row;
    this.index = index;
    this.article = article;
    this.type = typeOf(row.type);
    this.verdict = row.verdict;
    this.given = row.value ?? row.said ?? null; // null: words that are no JSON object
    this.decision = null; // {decision: "accept" | "reject"} or {decision: "edit", value}
    this.at = -1; // place among the facts that pass the filters
    const seen = article.ids.get(row.id) ?? 0;
    if (this.verdict !== "merged") article.ids.set(row.id, seen + 1);
    this.key = seen ? `${row.id}#${seen + 1}` : row.id;
    for (const [path, party] of partiesIn(this.given)) if (row.countries?.[path]) CODES.set(codeKey(party), row.countries[path]);
  }
  get value() {
    return this.decision?.decision === "edit" ? this.decision.value : this.given;
  }
  get isBelieved() {
    if (this.decision) return this.decision.decision !== "reject";
    return BELIEVED.has(this.verdict);
  }
  get state() {
    return this.verdict === "merged" ? "repeat" : (this.decision?.decision ?? "open");
  }
  // why what the model said cannot be accepted without an edit; null where it can
  objection() {
    if (BELIEVED.has(this.verdict)) return null;
    if (!isObject(this.given)) return "its words are no JSON object";
    if (!this.row.evidence.length) return "none of its quotes is in the article";
    const code = this.row.issues.find((one) => one.severity === "error" && NOT_AS_IT_STANDS.has(one.code))?.code;
    return code ? (code === "quote_not_found" ? "one of its quotes is not in the article" : "it has not the form of its type") : null;
  }
  code(path, party) {
    return (this.decision?.decision === "edit" ? null : this.row.countries?.[path]) ?? CODES.get(codeKey(party)) ?? null;
  }
  codes() {
    const codes = {};
    for (const [path, party] of partiesIn(this.value)) {
      const code = this.code(path, party);
      if (code) codes[path] = code;
    }
    return codes;
  }
  headline() {
    return (this.line ??= headline(this.value ?? this.row.raw ?? "", this.type));
  }
  // what filters look at; made anew when the value changes
  read() {
    const value = this.value;
    this.line = null;
    this.hay = null;
    this.days = daysOf(value);
    this.closed = [];
    for (const path of this.type.closed.keys()) for (const said of isObject(value) ? atPath(value, path) : []) this.closed.push(`${path}\u0000${brief(said)}`);
    // where it counts: [filter, choice]
    this.tags = [["type", `type ${this.row.type}`], ["verdict", `verdict ${this.verdict}`], ["decision", `decision ${this.state}`], ["", `cell ${this.row.type} ${this.verdict}`]];
    for (const said of new Set(this.closed)) this.tags.push([said.slice(0, said.indexOf("\u0000")), said]);
    for (const code of new Set(this.row.issues.map((issue) => issue.code))) this.tags.push(["flag", `flag ${code}`]);
    this.who = new Map(); // lower-case name or country -> as shown
    for (const [path, party] of partiesIn(value)) {
      const code = this.code(path, party);
      for (const name of [party.name, code && countryName(code), party.on_behalf_of]) if (typeof name === "string" && name) this.who.set(name.toLowerCase(), name);
    }
  }
  get words() {
    if (this.hay === null) {
      const { row, article } = this;
      const parts = [article.id, article.title ?? "", row.id, row.type, ...textsIn(this.value ?? row.raw), ...row.evidence.map((span) => slice(article, span))];
      for (const issue of row.issues) parts.push(issue.code, issue.message);
      for (const name of this.who.values()) parts.push(name);
      this.hay = parts.join("\n").toLowerCase();
    }
    return this.hay;
  }
  quotes() {
    const { row, article } = this;
    if (this.decision?.decision === "edit" && Array.isArray(this.value?.evidence)) return located(this, this.value.evidence);
    return row.evidence.map((span) => ({ quote: slice(article, span), start: span[0], end: span[1] }));
  }
}

// where the quotes of an edited fact stand: at the span they had, else where the words stand first, else without offsets
function located({ article, row, given }, quotes) {
  // a quote that was found stands in the article in its own typography
  const isWhole = given?.evidence?.length === row.evidence.length && !row.issues.some((one) => one.code === "quote_not_found");
  return quotes.filter((quote) => typeof quote === "string").map((quote) => {
    const kept = row.evidence.find((span) => slice(article, span) === quote) ?? (isWhole ? row.evidence[given.evidence.indexOf(quote)] : undefined);
    if (kept) return { quote: slice(article, kept), start: kept[0], end: kept[1] };
    const unit = quote ? article.text.indexOf(quote) : -1;
    return unit < 0 ? { quote } : { quote, start: offsets(article).point(unit), end: offsets(article).point(unit + quote.length) };
  });
}

const ARTICLES = DATA.articles.map((article, index) => ({ ...article, index, ids: new Map(), facts: [], isComplete: false, others: {} }));
const FACTS = DATA.rows.map((row, index) => new Fact(row, index, ARTICLES[row.article]));
for (const fact of FACTS) {
  fact.article.facts.push(fact);
  if (!fact.type.schema) for (const [name, said] of Object.entries(isObject(fact.given) ? fact.given : {})) if (parties(said).length) fact.type.role(name, isParty(said));
}
DATA.rows = null;

const memory = { works: true, reason: "", refused: [] };
function load(article) {
  let stored = null;
  try {
    stored = JSON.parse(localStorage.getItem(STORE + article.key) ?? "null");
  } catch (error) {
    forget(error);
  }
  if (!isObject(stored) || !isObject(stored.decisions)) stored = { decisions: {}, complete: false };
  article.others = { ...stored.decisions };
  article.isComplete = stored.complete === true;
  for (const fact of article.facts) {
    const kept = fact.verdict === "merged" ? null : stored.decisions[fact.key];
    fact.decision = isDecision(kept) ? kept : null;
    if (fact.decision?.decision === "accept" && fact.objection()) {
      fact.decision = null; // kept by an earlier page
      memory.refused.push(fact);
    }
    if (fact.verdict !== "merged") delete article.others[fact.key];
    fact.read();
  }
}
const isDecision = (kept) => isObject(kept) && (["accept", "reject"].includes(kept.decision) || (kept.decision === "edit" && isObject(kept.value)));
function save(article) {
  const decisions = { ...article.others };
  for (const fact of article.facts) if (fact.decision) decisions[fact.key] = fact.decision;
  try {
    if (Object.keys(decisions).length || article.isComplete) localStorage.setItem(STORE + article.key, JSON.stringify({ decisions, complete: article.isComplete }));
    else localStorage.removeItem(STORE + article.key);
  } catch (error) {
    forget(error);
  }
}
function forget(error) {
  if (!memory.works) return;
  memory.works = false;
  memory.reason = `This browser does not keep decisions for this page (${error.name}). They last until it is closed: export them before.`;
  memory.tell?.();
}

const past = []; // what undo takes back, one step each
let unsaved = false; // decisions that were not exported yet
function decide(changes) {
  past.push(changes.map(({ fact, article }) => (fact ? { fact, before: fact.decision } : { article, before: article.isComplete })));
  apply(changes);
}
function apply(changes) {
  const touched = new Set();
  for (const { fact, article, to } of changes) {
    if (fact) {
      fact.decision = to;
      fact.read();
    } else article.isComplete = to;
    touched.add(fact ? fact.article : article);
  }
  for (const article of touched) save(article);
  unsaved = true;
}
function undo() {
  const step = past.pop();
  if (step) apply(step.map(({ fact, article, before }) => ({ fact, article, to: before })));
  return step ?? null;
}

// gold, as docs/gold.md has it

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}
function mark(fact) {
  const { evidence: _, ...said } = fact.value;
  return canonical([fact.article.id, fact.row.type, said]);
}
// in JSON.stringify's output a quotation mark inside a text has a backslash before it, so this can only be the object itself
const exactly = (text) => text.replace(/\{"\\u0000number":"([^"\\]*)"\}/g, "$1");
function goldLine(fact) {
  const { row, article, decision } = fact;
  const [model, prompt, schema] = DATA.made[row.made];
  const line = { id: row.id, fact_type: row.type, verdict: row.verdict, article_id: article.id };
  for (const name of ["title", "published", "source", "url"]) line[name] = article[name] ?? null;
  line.decision = decision.decision;
  if (isObject(fact.value)) line.value = fact.value;
  if (row.raw !== undefined) line.raw = row.raw;
  line.evidence = fact.quotes();
  return exactly(JSON.stringify({ ...line, model, prompt, schema }));
}
function gold() {
  const decided = FACTS.filter((fact) => fact.decision);
  const right = new Set(decided.filter((fact) => fact.decision.decision !== "reject").map(mark));
  // one that says what an accepted fact says, only with other quotes, is not known to be wrong: gold takes a fact as right or as rejected
  const twice = decided.filter((fact) => fact.decision.decision === "reject" && isObject(fact.value) && right.has(mark(fact)));
  const left = new Set(twice);
  const lines = [];
  for (const article of ARTICLES) {
    for (const fact of article.facts) if (fact.decision && !left.has(fact)) lines.push(goldLine(fact));
    if (isLabelled(article)) lines.push(JSON.stringify({ article_id: article.id, complete: true }));
  }
  return { text: lines.map((line) => `${line}\n`).join(""), decided: decided.length - twice.length, complete: ARTICLES.filter(isLabelled).length, open: ARTICLES.filter((one) => one.isComplete && !isLabelled(one)), twice };
}
// with a fact left open the article is not labelled, whatever was ticked: evaluation would take that fact for wrong
const isLabelled = (article) => article.isComplete && article.facts.every((fact) => fact.decision || !BELIEVED.has(fact.verdict));
// numbers keep their digits where the browser shows them to a reviver
const readJSON = (text) => JSON.parse(text, (_, value, context) => (typeof value === "number" && context?.source !== undefined && String(value) !== context.source ? { [EXACT]: context.source } : value));
function readGold(text) {
  const byId = new Map(ARTICLES.map((article) => [article.id, article]));
  const seen = new Map();
  const changes = [];
  const problems = [];
  for (const [index, line] of text.replace(/^\ufeff/, "").split("\n").entries()) {
    if (!line.trim()) continue;
    const problem = readLine(line, byId, seen, changes);
    if (problem) problems.push(`line ${index + 1}: ${problem}`);
  }
  return { changes, problems };
}
function readLine(line, byId, seen, changes) {
  let data;
  try {
    data = readJSON(line);
  } catch {
    return "not JSON";
  }
  const article = isObject(data) ? byId.get(data.article_id) : undefined;
  if (!article) return "its article is not on this page";
  if (typeof data.complete === "boolean" && data.fact_type === undefined) {
    changes.push({ article, to: data.complete });
    return null;
  }
  if (data.decision === undefined) return "no decision: a plain gold fact";
  const to = data.decision === "edit" ? { decision: "edit", value: data.value } : { decision: data.decision };
  if (!isDecision(to)) return "its decision is not accept, reject, or edit with a value";
  const place = `${article.index} ${data.id}`;
  const count = (seen.get(place) ?? 0) + 1;
  seen.set(place, count);
  const key = count > 1 ? `${data.id}#${count}` : data.id;
  const fact = article.facts.find((one) => one.key === key && one.verdict !== "merged");
  if (!fact) return `fact ${String(data.id)} is not on this page`;
  if (to.decision === "accept" && fact.objection()) return `accepted, but ${fact.objection()}`;
  changes.push({ fact, to });
  return null;
}
