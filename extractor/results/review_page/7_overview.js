// The run at a glance, under the filters: counts, a timeline, and who stands with whom. Plain SVG, drawn from the rows of any type.
const PAIRS = 50; // in the table
const NAMES = 10; // on each side of the picture: as many as can be read without scrolling
const BINS = 60;
const UNITS = [
  ["day", 1], ["week", 7], ["month", 30.4], ["quarter", 91.3], ["year", 365.25], ["decade", 3652.5], ["century", 36525],
];
const NO_ONE = "\u0000";
const OTHERS = "\u0002";

function drawOverview() {
  if (!$("overview").open) return;
  drawCounts();
  drawTimeline();
  drawFlows();
}
function drawCounts() {
  const verdicts = VERDICTS.filter((verdict) => FACTS.some((fact) => fact.verdict === verdict));
  const cell = (type, verdict) => {
    const count = type ? (tally.get(`cell ${type} ${verdict}`) ?? 0) : matched.filter((fact) => fact.verdict === verdict).length;
    if (!count) return el("td", {}, el("span", { class: "dim" }, "0"));
    const label = `${many(count, "fact")}: ${type ? `${words(type)}, ` : ""}${verdict}; show only these`;
    return el("td", {}, button(count.toLocaleString("en"), { "aria-label": label, onclick: () => only(type, verdict) }));
  };
  const total = (type) => el("td", {}, el("span", {}, (type ? verdicts.reduce((sum, verdict) => sum + (tally.get(`cell ${type} ${verdict}`) ?? 0), 0) : matched.length).toLocaleString("en")));
  const head = el("tr", {}, el("td"), ...verdicts.map((verdict) => el("th", { scope: "col" }, verdict)), el("th", { scope: "col" }, "all"));
  const rows = [...TYPES.values()].map((type) => el("tr", {}, el("th", { scope: "row" }, el("span", { class: `dot ${type.colour}` }, words(type.name))), ...verdicts.map((verdict) => cell(type.name, verdict)), total(type.name)));
  const foot = el("tr", {}, el("th", { scope: "row" }, "all"), ...verdicts.map((verdict) => cell("", verdict)), total(""));
  $("counts").querySelector(".scroll").replaceChildren(el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows), el("tfoot", {}, foot)));
}
function only(type, verdict) {
  chosen.type.clear();
  chosen.verdict.clear();
  if (type) chosen.type.add(type);
  chosen.verdict.add(verdict);
  filtersChanged();
}

// what a click in a picture does, for keyboard and screen reader; it stays open, and keeps the focus, when the picture is drawn anew
function asTable(box, title, rows) {
  const table = el("details", {}, el("summary", {}, title), el("table", {}, ...rows));
  table.open = box.querySelector("details")?.open ?? false;
  return table;
}
function redrawn(box, ...parts) {
  const hadFocus = box.contains(document.activeElement);
  box.replaceChildren(...parts);
  if (hadFocus) box.querySelector("summary").focus({ preventScroll: true });
}

// facts by date

const DAY = 86_400_000;
function floorTo(unit, day) {
  const date = new Date(`${day}T00:00:00Z`);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  if (unit === "week") date.setTime(date.getTime() - ((date.getUTCDay() + 6) % 7) * DAY);
  else if (unit === "month") date.setUTCDate(1);
  else if (unit === "quarter") date.setUTCMonth(month - (month % 3), 1);
  else if (unit !== "day") date.setUTCFullYear(year - (year % { year: 1, decade: 10, century: 100 }[unit]), 0, 1);
  return date;
}
function nextBin(unit, date) {
  const next = new Date(date);
  const [year, month] = [next.getUTCFullYear(), next.getUTCMonth()];
  if (unit === "day" || unit === "week") next.setTime(next.getTime() + (unit === "day" ? 1 : 7) * DAY);
  else if (unit === "month" || unit === "quarter") next.setUTCMonth(month + (unit === "month" ? 1 : 3));
  else next.setUTCFullYear(year + { year: 1, decade: 10, century: 100 }[unit]);
  return next;
}
const iso = (date) => date.toISOString().slice(0, 10);
// bins over the bulk of the dates; a tank of 1944 does not squeeze this year into one bar
function binned(days) {
  const sorted = days.map(({ day }) => day).sort();
  let [left, right] = [0.04, 0.96].map((share) => Math.min(sorted.length - 1, Math.floor(share * sorted.length)));
  const span = (low, high) => (Date.parse(high) - Date.parse(low)) / DAY;
  const unitOf = (low, high) => UNITS.find(([, length]) => span(low, high) / length < BINS) ?? UNITS.at(-1);
  const [all, bulk] = [unitOf(sorted[0], sorted.at(-1)), unitOf(sorted[left], sorted[right])];
  const isCut = UNITS.indexOf(all) > UNITS.indexOf(bulk);
  const [unit, length] = isCut ? bulk : all;
  const fits = (from, to) => span(sorted[from], sorted[to]) / length < BINS - 1;
  while (left > 0 && (!isCut || fits(left - 1, right))) left -= 1;
  while (right < sorted.length - 1 && (!isCut || fits(left, right + 1))) right += 1;
  const [low, high] = [sorted[left], sorted[right]];
  const bins = [];
  for (let date = floorTo(unit, low); iso(date) <= high && bins.length <= BINS + 2; date = nextBin(unit, date)) bins.push({ from: iso(date), to: iso(new Date(nextBin(unit, date).getTime() - DAY)), counts: new Map(), total: 0 });
  const first = { from: "", to: iso(new Date(Date.parse(bins[0].from) - DAY)), counts: new Map(), total: 0, isEdge: true };
  const last = { from: iso(new Date(Date.parse(bins.at(-1).to) + DAY)), to: "", counts: new Map(), total: 0, isEdge: true };
  let place = 0;
  for (const { day, fact } of days.sort((one, other) => (one.day < other.day ? -1 : one.day > other.day ? 1 : 0))) {
    while (place < bins.length - 1 && day > bins[place].to) place += 1;
    const bin = day < bins[0].from ? first : day > bins.at(-1).to ? last : bins[place];
    bin.total += 1;
    bin.counts.set(fact.type, (bin.counts.get(fact.type) ?? 0) + 1);
  }
  return { unit, bins: [...(first.total ? [first] : []), ...bins, ...(last.total ? [last] : [])] };
}
const binName = (unit, bin) => (bin.isEdge ? (bin.from ? `after ${bin.from}` : `before ${bin.to}`) : unit === "day" ? bin.from : unit === "month" ? bin.from.slice(0, 7) : unit === "year" ? bin.from.slice(0, 4) : `${bin.from} to ${bin.to}`);
function believed() {
  const isAsked = chosen.verdict.size > 0 || chosen.decision.size > 0;
  return matched.filter((fact) => (isAsked || fact.isBelieved) && isObject(fact.value));
}
function drawTimeline() {
  const box = $("timeline").querySelector(".picture");
  const facts = believed();
  const by = $("timeline-by").value;
  const days = facts.map((fact) => ({ fact, day: dayOf(fact, by) })).filter(({ day }) => day && ISO_DAY.test(day) && !Number.isNaN(Date.parse(day)));
  if (!days.length) return box.replaceChildren(el("p", {}, "No dates."));
  const { unit, bins } = binned(days);
  const width = Math.max(260, box.clientWidth || 460);
  const [left, top, height] = [26, 8, 150];
  const most = Math.max(...bins.map((bin) => bin.total));
  const step = (width - left - 4) / bins.length;
  const y = (count) => top + height - (count / most) * height;
  const ticks = [...new Set([most, Math.round(most / 2)])].filter(Boolean);
  const marks = ticks.map((count) => [svg("line", { class: "grid", x1: left, x2: width, y1: y(count), y2: y(count) }), svg("text", { class: "faint", x: left - 5, y: y(count) + 4, "text-anchor": "end" }, count.toLocaleString("en"))]).flat();
  const bars = bins.flatMap((bin, index) => {
    let under = 0;
    const x = left + index * step + Math.min(1, step * 0.1);
    const wide = Math.max(1, Math.min(26, step - Math.min(2, step * 0.2)));
    return [...bin.counts].sort((one, other) => one[0].place - other[0].place).map(([type, count]) => {
      under += count;
      return svg("rect", { class: `bar ${type.colour}`, x, width: wide, y: y(under), height: y(under - count) - y(under), opacity: bin.isEdge ? 0.5 : null });
    });
  });
  const hits = bins.map((bin, index) => {
    const hit = svg("rect", { class: "hit", x: left + index * step, width: step, y: top, height }, svg("title", {}, `${binName(unit, bin)}: ${[...bin.counts].map(([type, count]) => `${count} ${words(type.name)}`).join(", ") || "none"}`));
    hit.addEventListener("click", () => bin.total && within(bin, by));
    return hit;
  });
  const every = Math.ceil(bins.length / Math.max(2, Math.floor((width - left) / 84)));
  const labels = bins.map((bin, index) => (index % every || (index > 0 && left + index * step > width - 60) ? null : svg("text", { class: "faint", x: left + index * step, y: top + height + 15 }, bin.isEdge ? (bin.from ? "later" : "earlier") : unit === "day" || unit === "week" ? bin.from : unit === "month" || unit === "quarter" ? bin.from.slice(0, 7) : bin.from.slice(0, 4))));
  const say = `${many(days.length, "fact")} by ${unit}, from ${bins.find((bin) => bin.total).from || "earlier"}; the most, ${most}, in ${binName(unit, bins.find((bin) => bin.total === most))}`;
  const picture = svg("svg", { width, height: top + height + 22, viewBox: `0 0 ${width} ${top + height + 22}`, role: "img", "aria-label": say }, ...marks, svg("line", { class: "axis", x1: left, x2: width, y1: top + height, y2: top + height }), ...bars, ...labels, ...hits);
  const undated = facts.length - days.length;
  const types = [...TYPES.values()].filter((type) => days.some(({ fact }) => fact.type === type));
  const key = el("div", { class: "key" }, ...types.map((type) => el("span", { class: `dot ${type.colour}` }, words(type.name))), el("span", {}, `by ${unit}${undated ? `; ${undated} without a date` : ""}`));
  const rows = bins.filter((bin) => bin.total).map((bin) => el("tr", {}, el("th", { scope: "row" }, binName(unit, bin)), el("td", {}, button(many(bin.total, "fact"), { onclick: () => within(bin, by) }))));
  redrawn(box, picture, key, asTable(box, "As a table", rows));
}
function within(bin, by) {
  Object.assign(chosen, { from: bin.from, to: bin.to, dateBy: by });
  $("more-fields").hidden = false;
  $("more").setAttribute("aria-expanded", "true");
  filtersChanged();
}

// who → whom

function sideOf(fact, role, value) {
  const found = parties(value[role]).map((party, index) => {
    const code = fact.code(Array.isArray(value[role]) ? `${role}[${index}]` : role, party);
    return code ? { key: code, label: countryName(code) } : isEmpty(party.name) ? { key: NO_ONE, label: "(not named)" } : { key: String(party.name).toLowerCase(), label: String(party.name) };
  });
  return found.length ? found : [{ key: NO_ONE, label: "(not named)" }];
}
function pairsOf(type) {
  const pairs = new Map();
  const [giver, taker, ...others] = type.roles;
  for (const fact of believed()) {
    if (fact.type !== type) continue;
    const { value } = fact;
    const receiver = parties(value[taker.name]).length ? taker : (others.find((role) => role.single && isParty(value[role.name])) ?? taker);
    for (const from of sideOf(fact, giver.name, value)) {
      for (const to of sideOf(fact, receiver.name, value)) {
        if (from.key === NO_ONE && to.key === NO_ONE) continue;
        const key = `${from.key}\u0001${to.key}`;
        const before = pairs.get(key);
        if (before) before.count += 1;
        else pairs.set(key, { from, to, count: 1 });
      }
    }
  }
  return [...pairs.values()].sort((one, other) => other.count - one.count || (one.from.label < other.from.label ? -1 : 1));
}
function sumsOf(pairs, side) {
  const sums = new Map();
  for (const pair of pairs) sums.set(pair[side].key, (sums.get(pair[side].key) ?? 0) + pair.count);
  return sums;
}
// the rarest names of a side as one, so that the picture has every fact and still fits
function folded(pairs) {
  const rare = { from: new Map(), to: new Map() };
  for (const side of ["from", "to"]) {
    const sums = [...sumsOf(pairs, side)].sort((one, other) => other[1] - one[1]);
    const left = sums.length > NAMES ? sums.slice(NAMES - 1) : [];
    for (const [key] of left) rare[side].set(key, { key: OTHERS, label: `${left.length} others` });
  }
  const found = new Map();
  for (const pair of pairs) {
    const [from, to] = [rare.from.get(pair.from.key) ?? pair.from, rare.to.get(pair.to.key) ?? pair.to];
    const key = `${from.key}\u0001${to.key}`;
    const before = found.get(key);
    if (before) before.count += pair.count;
    else found.set(key, { from, to, count: pair.count });
  }
  return [...found.values()];
}
function ranked(pairs, side, order) {
  const nodes = new Map();
  for (const pair of pairs) {
    const node = nodes.get(pair[side].key) ?? { ...pair[side], count: 0, pull: 0 };
    node.count += pair.count;
    if (order) node.pull += pair.count * order.get(pair.from.key).place;
    nodes.set(node.key, node);
  }
  // receivers stand near those who give to them: fewer bands cross
  const isLast = (node) => Number(node.key === OTHERS);
  const sorted = [...nodes.values()].sort((one, other) => isLast(one) - isLast(other) || (order ? one.pull / one.count - other.pull / other.count : 0) || other.count - one.count || (one.label < other.label ? -1 : 1));
  sorted.forEach((node, place) => {
    node.place = place;
  });
  return nodes;
}
function stack(nodes, unit, gap) {
  let y = 4;
  for (const node of [...nodes.values()].sort((one, other) => one.place - other.place)) {
    node.size = Math.max(13, node.count * unit);
    node.y = y;
    node.used = (node.size - node.count * unit) / 2;
    y += node.size + gap;
  }
  return y;
}
function drawFlows() {
  const box = $("flows").querySelector(".picture");
  const type = TYPES.get($("flows-of").value);
  if (!type || type.roles.length < 2) return box.replaceChildren(el("p", {}, "No type has two sides of parties."));
  const all = pairsOf(type);
  const pairs = folded(all);
  const [giver, taker, ...others] = type.roles;
  const instead = others.find((role) => role.single);
  const caption = `${words(giver.name)} → ${words(taker.name)}${instead ? ` (else ${words(instead.name)})` : ""}; width: number of facts`;
  if (!pairs.length) return box.replaceChildren(el("p", {}, "No pairs among these facts."));
  const from = ranked(pairs, "from", null);
  const to = ranked(pairs, "to", from);
  const total = pairs.reduce((sum, pair) => sum + pair.count, 0);
  const unit = Math.min(9, 110 / total);
  const height = Math.max(stack(from, unit, 3), stack(to, unit, 3)) + 2;
  const width = Math.max(280, (box.clientWidth || 460) - 12);
  const label = Math.min(170, width * 0.34);
  const [x1, x2] = [label, width - label];
  const bands = [...pairs].sort((one, other) => from.get(one.from.key).place - from.get(other.from.key).place || to.get(one.to.key).place - to.get(other.to.key).place).map((pair) => {
    const [a, b] = [from.get(pair.from.key), to.get(pair.to.key)];
    const thick = Math.max(1.2, pair.count * unit);
    const [ya, yb] = [a.y + a.used + (pair.count * unit) / 2, b.y + b.used + (pair.count * unit) / 2];
    a.used += pair.count * unit;
    b.used += pair.count * unit;
    const band = svg("path", { class: `band ${type.colour}`, d: `M${x1 + 5},${ya} C${(x1 + x2) / 2},${ya} ${(x1 + x2) / 2},${yb} ${x2 - 5},${yb}`, "stroke-width": thick }, svg("title", {}, `${a.label} → ${b.label}: ${many(pair.count, "fact")}`));
    if (isNamed(a) || isNamed(b)) band.addEventListener("click", () => onlyParties([a, b], type));
    return band;
  });
  const side = (nodes, x, text, anchor) => [...nodes.values()].flatMap((node) => {
    const count = node.count.toLocaleString("en");
    const room = Math.floor(label / 6.4) - count.length - 1;
    const name = svg("text", { class: isNamed(node) ? "who" : "faint", x: text, y: node.y + node.size / 2 + 4, "text-anchor": anchor }, `${cut(node.label, room)} ${count}`, svg("title", {}, node.label));
    if (isNamed(node)) name.addEventListener("click", () => onlyParties([node], type));
    return [svg("rect", { class: "node", x, width: 4, y: node.y, height: node.size }), name];
  });
  const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${caption}. ${all.slice(0, 5).map((pair) => `${pair.from.label} to ${pair.to.label}: ${pair.count}`).join("; ")}` }, ...bands, ...side(from, x1, x1 - 6, "end"), ...side(to, x2 - 4, x2 + 6, "start"));
  const rows = all.slice(0, PAIRS).map((pair) => el("tr", {}, el("td", {}, pair.from.label), el("td", {}, pair.to.label), el("td", {}, button(many(pair.count, "fact"), { onclick: () => onlyParties([pair.from, pair.to], type) }))));
  const title = all.length > PAIRS ? `As a table: the ${PAIRS} most frequent of ${all.length} pairs` : "As a table";
  redrawn(box, picture, el("p", {}, caption), asTable(box, title, rows));
}
const isNamed = (node) => node.key !== NO_ONE && node.key !== OTHERS;
function onlyParties(nodes, type) {
  const named = nodes.filter(isNamed).map((node) => node.label);
  $("party").value = named.join(" + ");
  chosen.party = $("party").value;
  chosen.type.clear();
  chosen.type.add(type.name);
  filtersChanged();
}
function overviewControls() {
  const names = new Set(FACTS.flatMap((fact) => fact.days.map(([name]) => name)));
  $("timeline-by").replaceChildren(el("option", { value: FIRST_STATED }, "first date stated, else publication"), el("option", { value: PUBLISHED }, "publication"), ...[...names].sort().map((name) => el("option", { value: name }, words(name))));
  $("timeline-by").addEventListener("change", () => {
    if (chosen.from || chosen.to) {
      chosen.dateBy = $("timeline-by").value;
      filtersChanged();
    } else drawTimeline();
  });
  const sided = [...TYPES.values()].filter((type) => type.roles.length > 1);
  $("flows-of").replaceChildren(...sided.map((type) => el("option", { value: type.name }, words(type.name))));
  $("flows-of").hidden = sided.length < 2;
  const pairs = new Map(sided.map((type) => [type.name, pairsOf(type).filter((pair) => pair.from.key !== NO_ONE && pair.to.key !== NO_ONE).length]));
  $("flows-of").value = [...pairs].sort((one, other) => other[1] - one[1])[0]?.[0] ?? "";
  $("flows-of").addEventListener("change", drawFlows);
}
