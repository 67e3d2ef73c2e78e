// What the page is made of: the embedded rows, and how a value of any fact type is read. Data reaches the page as text nodes alone.
const DATA = JSON.parse(document.getElementById("data").textContent);
const EXACT = "\u0000number"; // {EXACT: "1.0"}: a number that JavaScript would write otherwise; kept digit by digit
const ISO_DAY = /^\d{4}-\d\d-\d\d$/;
const TOLD = new Set(["evidence", "attribution", "is_background"]); // how a fact is told, not what it says
const SAYS_NOTHING = new Set([null, undefined, "", "unspecified", false]);

const $ = (id) => document.getElementById(id);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isExact = (value) => isObject(value) && typeof value[EXACT] === "string" && Object.keys(value).length === 1;
const isParty = (value) => isObject(value) && "name" in value && "kind" in value;
const isEmpty = (value) => SAYS_NOTHING.has(value) || (Array.isArray(value) && value.length === 0);
const words = (name) => String(name).replaceAll("_", " ");
const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1).trimEnd()}…` : text);
const many = (count, one, more = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
const button = (label, attributes = {}) => el("button", { type: "button", ...attributes }, label);

// Python counts code points, JavaScript UTF-16 units
class Offsets {
  constructor(text) {
    this.length = text.length;
    this.starts = null;
    if (/[\ud800-\udbff][\udc00-\udfff]/.test(text)) {
      const starts = new Uint32Array(text.length + 1);
      let count = 0;
      for (let at = 0; at < text.length; at += text.codePointAt(at) > 0xffff ? 2 : 1) starts[count++] = at;
      starts[count] = text.length;
      this.starts = starts.subarray(0, count + 1);
    }
  }
  unit(point) {
    return this.starts ? this.starts[Math.min(point, this.starts.length - 1)] : Math.min(point, this.length);
  }
  point(unit) {
    if (!this.starts) return unit;
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle] < unit) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
const offsets = (article) => (article.offsets ??= new Offsets(article.text));
const slice = (article, [start, end]) => article.text.slice(offsets(article).unit(start), offsets(article).unit(end));

// JSON Schema, as far as pydantic writes it

function arms(node, root, nullable = false) {
  if (!isObject(node)) return { options: [], nullable };
  if (node.$ref) {
    const target = root.$defs?.[node.$ref.split("/").at(-1)];
    return arms(target, root, nullable);
  }
  if (node.type === "null") return { options: [], nullable: true };
  if (Array.isArray(node.anyOf)) {
    const found = node.anyOf.map((arm) => arms(arm, root));
    return { options: found.flatMap((arm) => arm.options), nullable: nullable || found.some((arm) => arm.nullable) };
  }
  return { options: [node], nullable };
}
const isPartySchema = (node) => Boolean(node.properties?.name && node.properties?.kind);

class FactType {
  constructor({ name, schemas }, place) {
    this.name = name;
    this.place = place;
    this.colour = `t${place % 8}`;
    this.schemas = schemas;
    this.schema = Object.values(schemas).at(-1) ?? null;
    this.roles = []; // fields that hold parties, in the type's own order
    this.closed = new Map(); // field path -> true, for fields of fixed words
    for (const schema of Object.values(schemas)) this.learn(schema);
  }
  learn(root) {
    const visit = (node, path, depth) => {
      for (const [name, about] of Object.entries(node.properties ?? {})) {
        const at = path ? `${path}.${name}` : name;
        for (const option of arms(about, root).options) {
          const inner = option.type === "array" ? arms(option.items, root).options : [option];
          for (const one of inner) {
            if (one.enum || (one.type === "boolean" && !path)) this.closed.set(at, true);
            else if (isPartySchema(one)) {
              if (!path) this.role(name, option.type !== "array");
            } else if (one.properties && depth < 3) visit(one, at, depth + 1);
          }
        }
      }
    };
    visit(root, "", 0);
  }
  role(name, single) {
    if (!this.roles.some((role) => role.name === name)) this.roles.push({ name, single });
  }
  required() {
    return this.schema?.required ? new Set(this.schema.required) : null;
  }
}
const TYPES = new Map(DATA.types.map((entry, place) => [entry.name, new FactType(entry, place)]));
function typeOf(name) {
  if (!TYPES.has(name)) TYPES.set(name, new FactType({ name, schemas: {} }, TYPES.size));
  return TYPES.get(name);
}

// values in a few words

function number(value) {
  const text = isExact(value) ? value[EXACT] : String(value);
  return /^-?\d{4,}(\.\d+)?$/.test(text) ? text.replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",") : text;
}
function reading(value) {
  const [low, high] = "minimum" in value || "maximum" in value ? [value.minimum, value.maximum] : [value.earliest, value.latest];
  if ([low, high].every((bound) => bound === null || bound === undefined)) return "";
  const said = JSON.stringify(low) === JSON.stringify(high) ? number(low) : `${low === null || low === undefined ? "…" : number(low)} to ${high === null || high === undefined ? "…" : number(high)}`;
  return [value.approximate === true ? "about" : "", said, value.currency ?? ""].filter(Boolean).join(" ");
}
function partyWords(party, code) {
  const behalf = party.on_behalf_of ? ` for ${brief(party.on_behalf_of)}` : "";
  return `${isEmpty(party.name) ? words(brief(party.kind)) : brief(party.name)}${behalf}${code ? ` (${code})` : ""}`;
}
function brief(value, path = "", codes = {}) {
  if (isExact(value) || typeof value === "number") return number(value);
  if (Array.isArray(value)) return value.map((item, index) => brief(item, `${path}[${index}]`, codes)).join(", ");
  if (!isObject(value)) return value === true ? "yes" : value === false ? "no" : value === null || value === undefined ? "none" : String(value);
  if (isParty(value)) return partyWords(value, codes[path]);
  if ("as_written" in value) {
    const meant = reading(value);
    return meant && meant !== value.as_written ? `${brief(value.as_written)} = ${meant}` : brief(value.as_written);
  }
  return Object.entries(value)
    .filter(([, inner]) => !isEmpty(inner))
    .map(([name, inner]) => `${words(name)} ${brief(inner, `${path}.${name}`, codes)}`)
    .join("; ");
}
function told(value) {
  const about = value.attribution;
  if (!isObject(about)) return "";
  const who = [about.speaker, about.relayed_by].filter((name) => !isEmpty(name)).map((name) => brief(name)).join(" via ");
  return `${brief(about.certainty)}${who ? ` by ${who}` : ""}${value.is_background === true ? ", background" : ""}`;
}
const parties = (value) => (Array.isArray(value) ? value : [value]).filter(isParty);

// one line that tells a fact from its neighbours: who → whom · how much · what
function headline(value, type) {
  if (!isObject(value)) return cut(brief(value) || "(nothing)", 160);
  const [from, to] = [parties(value[type.roles[0]?.name]), whom(value, type)].map((side) => side.map((party) => partyWords(party)).join(", "));
  const needed = type.required();
  const entries = Object.entries(value).filter(([name, said]) => !TOLD.has(name) && !isEmpty(said));
  const closed = (name) => type.closed.has(name);
  const sums = entries.filter(([, said]) => isObject(said) && "as_written" in said && ("minimum" in said || "maximum" in said)).slice(0, 1);
  const texts = entries.filter(([name, said]) => typeof said === "string" && !closed(name) && (!needed || needed.has(name))).slice(0, 1);
  const fixed = texts.length ? [] : entries.filter(([name]) => closed(name) && (!needed || needed.has(name))).slice(0, 2);
  const thing = texts.map(([, said]) => said);
  const sum = sums.map(([, said]) => brief(said.as_written));
  const counted = sums.length && texts.length && !("currency" in sums[0][1]) ? [`${sum[0]} ${thing[0]}`] : [...sum, ...thing];
  const what = [...counted, ...fixed.map(([, said]) => words(brief(said)))];
  const who = from || to ? [`${from || "?"}${to ? ` → ${to}` : ""}`] : [];
  return cut([...who, ...what].join(" · ") || brief(Object.fromEntries(entries)) || words(type.name), 220);
}
// a field for one party stands in where the list of receivers is empty
function whom(value, type) {
  const later = type.roles.slice(1);
  const first = later.length ? parties(value[later[0].name]) : [];
  return first.length ? first : parties(value[later.slice(1).find((role) => role.single && isParty(value[role.name]))?.name]);
}
function daysOf(value) {
  const days = [];
  for (const [name, said] of Object.entries(isObject(value) ? value : {})) {
    const day = isObject(said) ? (said.earliest ?? said.latest) : said;
    if (typeof day === "string" && ISO_DAY.test(day)) days.push([name, day]);
  }
  return days;
}
function* partiesIn(value, path = "") {
  if (isParty(value)) yield [path, value];
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* partiesIn(item, `${path}[${index}]`);
  else if (isObject(value)) for (const [name, item] of Object.entries(value)) yield* partiesIn(item, path ? `${path}.${name}` : name);
}
function* textsIn(value) {
  if (typeof value === "string") yield value;
  else if (isExact(value)) yield value[EXACT];
  else if (typeof value === "number") yield String(value);
  else if (value !== null && typeof value === "object") for (const item of Object.values(value)) yield* textsIn(item);
}
function atPath(value, path) {
  let found = [value];
  for (const name of path.split(".")) {
    found = found.flatMap((one) => (Array.isArray(one) ? one : [one])).filter(isObject).map((one) => one[name]);
  }
  return found.flat().filter((one) => one !== null && one !== undefined && typeof one !== "object");
}
