// Editing: a form out of the value and, where the ledger has it, the type's JSON Schema. Each control gives its value back as JSON.
class WrongInput extends Error {
  constructor(message, control = null) {
    super(message);
    this.control = control;
  }
}
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const DAYS = new Set(["earliest", "latest"]);
let formCount = 0;

function blank(node, root) {
  const { options, nullable } = arms(node, root);
  if (node && "default" in node) return structuredClone(node.default);
  if (nullable || !options.length) return null;
  const [first] = options;
  if (first.enum) return first.enum[0];
  if (first.type === "object" || first.properties) return Object.fromEntries(Object.entries(first.properties ?? {}).map(([name, about]) => [name, blank(about, root)]));
  return { array: [], integer: 0, number: 0, boolean: false }[first.type] ?? "";
}
function blankLike(value) {
  if (isExact(value) || typeof value === "number") return 0;
  if (Array.isArray(value)) return [];
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, blankLike(inner)]));
  return typeof value === "boolean" ? false : typeof value === "string" ? "" : null;
}
// the arm of a union that a value is of
function armFor(value, node, root) {
  const { options, nullable } = arms(node, root);
  const fits = (arm) => (Array.isArray(value) ? arm.type === "array" : isObject(value) && !isExact(value) ? Boolean(arm.properties) || arm.type === "object" : typeof value === "boolean" ? arm.type === "boolean" : typeof value === "number" || isExact(value) ? ["integer", "number"].includes(arm.type) : typeof value === "string" ? arm.type === "string" || arm.enum : true);
  return { arm: options.find(fits) ?? (options.length ? null : undefined) ?? null, options, nullable };
}
// {element, read}: `read` gives the value, or throws WrongInput
function control(value, node, context) {
  const { arm, options, nullable } = armFor(value, node, context.root);
  if (value === null || value === undefined) {
    const scalar = options.find((one) => !one.properties && !["array", "object"].includes(one.type));
    if (scalar && !scalar.enum && scalar.type !== "boolean") return scalarControl(null, scalar, true, context);
    if (scalar?.enum) return enumControl(null, scalar, true, context);
    return absent(node, options[0] ?? null, context);
  }
  const inner = arm?.enum && !isObject(value) ? enumControl(value, arm, nullable, context)
    : isExact(value) || typeof value !== "object" ? (typeof value === "boolean" ? tick(value, context) : scalarControl(value, arm, nullable, context))
    : Array.isArray(value) ? listControl(value, arm, context) : objectControl(value, arm, context);
  if (!nullable || !isObject(value) || isExact(value)) return inner;
  return removable(inner, node, options[0], context);
}
function labelled(input, context) {
  input.id = `f${++formCount}`;
  if (context.isItem) {
    input.setAttribute("aria-label", context.label);
    return input;
  }
  return el("label", { for: input.id, title: context.about }, el("span", { class: "label" }, context.label), input);
}
function enumControl(value, arm, nullable, context) {
  const select = el("select");
  if (nullable) select.append(el("option", { value: "" }, "none"));
  const known = arm.enum.includes(value) || value === null ? arm.enum : [...arm.enum, value];
  for (const [index, one] of known.entries()) select.append(el("option", { value: String(index + 1), selected: one === value }, words(brief(one))));
  return { element: labelled(select, context), read: () => (select.value ? known[Number(select.value) - 1] : null) };
}
function tick(value, context) {
  const input = el("input", { type: "checkbox", id: `f${++formCount}` });
  input.checked = value;
  return { element: el("label", { class: "tick", title: context.about }, input, el("span", { class: "label" }, context.label)), read: () => input.checked };
}
function scalarControl(value, arm, nullable, context) {
  const isNumber = isExact(value) || typeof value === "number" || (value === null && ["integer", "number"].includes(arm?.type));
  const text = value === null ? "" : isExact(value) ? value[EXACT] : String(value);
  const isLong = !isNumber && (text.length > 60 || context.isQuote);
  const input = isLong ? el("textarea", { rows: Math.min(8, Math.ceil((text.length + 1) / 46) || 1), dir: "auto" }) : el("input", { type: "text", dir: "auto", inputmode: isNumber ? "decimal" : null });
  input.value = text;
  const isSame = text === input.value; // a control changes line breaks; what was not touched stays as it was
  const shownFirst = input.value;
  const isDay = arm?.format === "date" || DAYS.has(context.name);
  if (isDay) input.placeholder = "YYYY-MM-DD";
  const hint = context.isQuote ? el("span", { class: "hint", role: "status" }) : null;
  const check = () => {
    const said = input.value === shownFirst && !isSame ? text : input.value;
    if (hint) hint.textContent = !said || located(context.fact, [said])[0].start !== undefined ? "" : "These words are not in the article.";
  };
  input.addEventListener("input", check);
  check();
  const read = () => {
    const said = input.value === shownFirst && !isSame ? text : input.value;
    if (said === text && value !== null) return value;
    if (said === "" && (nullable || value === null)) return null;
    if (isNumber) {
      const bare = said.trim();
      if (!NUMBER.test(bare) || (arm?.type === "integer" && !/^-?\d+$/.test(bare))) throw new WrongInput(`${context.label}: ${JSON.stringify(said)} is no ${arm?.type === "integer" ? "whole number" : "number"}`, input);
      return String(Number(bare)) === bare ? Number(bare) : { [EXACT]: bare };
    }
    const isRealDay = () => ISO_DAY.test(said) && !Number.isNaN(Date.parse(said)) && new Date(said).toISOString().startsWith(said);
    if (isDay && !isRealDay()) throw new WrongInput(`${context.label}: ${JSON.stringify(said)} is no day; write it as 2026-03-31`, input);
    if (arm?.pattern && !matches(arm.pattern, said)) throw new WrongInput(`${context.label}: ${JSON.stringify(said)} does not have the form ${arm.pattern}`, input);
    return said;
  };
  const element = labelled(input, context);
  return { element: hint ? el("div", {}, element, hint) : element, read };
}
function matches(pattern, text) {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true; // a pattern of another dialect
  }
}
function swap(box, held, fresh) {
  held.now = fresh;
  box.replaceChildren(fresh.element);
}
function absent(node, arm, context) {
  const held = { now: null };
  const box = el("div");
  const none = { element: el("div", {}, el("span", { class: "label" }, context.label, " "), button("Add", { class: "small", "aria-label": `Add ${context.label}`, disabled: !arm, onclick: () => add() })), read: () => null };
  const add = () => {
    swap(box, held, removable(control(blank(arm, context.root), arm, context), node, arm, context));
    box.querySelector("input, select, textarea, button")?.focus();
  };
  swap(box, held, none);
  return { element: box, read: () => held.now.read() };
}
function removable(inner, node, arm, context) {
  const held = { now: null };
  const box = el("div");
  const remove = button("Remove", { class: "small", "aria-label": `Remove ${context.label}`, onclick: () => swap(box, held, absent(node, arm, context)) });
  swap(box, held, { element: el("div", { class: "item" }, inner.element, remove), read: inner.read });
  return { element: box, read: () => held.now.read() };
}
function listControl(value, arm, context) {
  const box = el("div");
  const items = [];
  const add = (item) => {
    const place = { ...context, label: `${context.label} ${items.length + 1}`, isItem: true };
    const inner = control(item, arm?.items ?? null, place);
    const row = el("div", { class: "item" }, inner.element);
    const entry = { row, read: inner.read };
    row.append(button("Remove", { class: "small", "aria-label": `Remove ${place.label}`, onclick: () => {
      items.splice(items.indexOf(entry), 1);
      row.remove();
      more.focus();
    } }));
    items.push(entry);
    box.append(row);
    return row;
  };
  for (const item of value) add(item);
  const template = () => (arm?.items ? blank(arm.items, context.root) : value.length ? blankLike(value[0]) : "");
  const more = button("Add", { class: "small", "aria-label": `Add to ${context.label}`, onclick: () => add(template()).querySelector("input, select, textarea")?.focus() });
  const marked = context.isQuote ? button("Add the words marked in the article", { class: "small", onclick: () => markedWords && add(markedWords) }) : null;
  marked?.addEventListener("mousedown", (event) => event.preventDefault());
  return { element: el("fieldset", {}, el("legend", { title: context.about }, context.label), box, more, " ", marked), read: () => items.map((item) => item.read()) };
}
function objectControl(value, arm, context) {
  const about = arm?.properties ?? {};
  const names = [...Object.keys(value), ...Object.keys(about).filter((name) => !(name in value))];
  const inner = names.map((name) => [name, control(value[name] ?? null, about[name] ?? null, { ...context, name, label: words(name), about: about[name]?.description, isItem: false, isQuote: context.isTop && name === "evidence", isTop: false })]);
  // what is said comes before how it is told
  const fieldsIn = context.isTop ? [...inner.filter(([name]) => !TOLD.has(name)), ...inner.filter(([name]) => TOLD.has(name))].map(([, one]) => one.element) : inner.map(([, one]) => one.element);
  const element = context.isTop ? el("div", {}, ...fieldsIn) : el("fieldset", {}, el("legend", { title: context.about }, context.label), ...fieldsIn);
  // a field that the value did not have and that still says nothing is not added
  return { element, read: () => Object.fromEntries(inner.map(([name, one]) => [name, one.read()]).filter(([name, said]) => name in value || said !== null)) };
}

// an edited fact needs its evidence in the article as well; null where it has it
function unproven(fact, value) {
  if (!Array.isArray(value.evidence) || !value.evidence.length) return "A fact needs evidence";
  if (!value.evidence.every((quote) => typeof quote === "string")) return "Each quote of the evidence is a text";
  const lost = located(fact, value.evidence).find((one) => one.start === undefined);
  return lost ? `“${cut(lost.quote, 80)}” is not in the article` : null;
}

function editor(fact) {
  const schema = fact.type.schemas[DATA.made[fact.row.made][2]] ?? fact.type.schema;
  const start = isObject(fact.value) ? fact.value : schema ? blank({ ...schema, default: undefined, type: "object" }, schema) : {};
  const from = isObject(start) ? start : Object.fromEntries(Object.entries(schema?.properties ?? {}).map(([name, about]) => [name, blank(about, schema)]));
  const alert = el("p", { class: "alert", role: "alert" });
  const box = el("div");
  const held = { now: null, isJson: false };
  const asForm = (value) => swap(box, held, control(value, schema, { root: schema ?? {}, isTop: true, label: words(fact.row.type), fact }));
  const asJson = (value) => {
    const area = el("textarea", { class: "json", spellcheck: "false", "aria-label": "Value as JSON" });
    area.value = exactly(JSON.stringify(value, null, 1));
    const read = () => {
      let said;
      try {
        said = readJSON(area.value);
      } catch (error) {
        throw new WrongInput(`Not JSON: ${error.message}`, area);
      }
      if (!isObject(said)) throw new WrongInput("An object with the fact's fields is needed.", area);
      return said;
    };
    swap(box, held, { element: area, read });
  };
  const attempt = (act) => {
    alert.textContent = "";
    for (const node of box.querySelectorAll(".wrong")) node.classList.remove("wrong");
    try {
      act(held.now.read());
    } catch (error) {
      if (!(error instanceof WrongInput)) throw error;
      alert.textContent = error.message;
      error.control?.classList.add("wrong");
      error.control?.focus();
    }
  };
  const toggle = button("As JSON", { "aria-pressed": "false", onclick: () => attempt((value) => {
    held.isJson = !held.isJson;
    toggle.setAttribute("aria-pressed", String(held.isJson));
    (held.isJson ? asJson : asForm)(value);
  }) });
  const hasFields = Object.keys(from).length > 0;
  held.isJson = !hasFields;
  toggle.setAttribute("aria-pressed", String(held.isJson));
  (hasFields ? asForm : asJson)(from);
  const form = el("form", { class: "edit", "aria-label": "Edit this fact" }, box,
    el("div", { class: "decide" }, alert, el("div", { class: "acts" }, el("button", { type: "submit", class: "save" }, "Save ", el("kbd", { "aria-hidden": "true" }, "Ctrl Enter")), button(["Cancel ", el("kbd", { "aria-hidden": "true" }, "Esc")], { onclick: () => stopEditing() }), toggle)));
  const submit = () => attempt((value) => {
    const isSame = canonical(value) === canonical(fact.given);
    const why = isSame ? fact.objection() : unproven(fact, value);
    if (why) throw new WrongInput(isSame ? `Nothing is changed, and ${why}.` : `${why}. Mark its words in the article, or copy them from there.`);
    edited = null;
    settle(isSame ? { decision: "accept" } : { decision: "edit", value });
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      submit();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      stopEditing();
    }
  });
  return form;
}
