// One row: a form made from the columns, an answer beside it, and errors beside their fields.

import { ask } from "./ask.js";
import { $, hintsOf, make, predictionOf, showErrors } from "./show.js";

const FEW = 12; // categories that fit a list to choose from; with more, one types

export function makeForm(about) {
  const fields = about.columns.map(makeField);
  $("one").hidden = false;
  $("fields").append(...fields.map((field) => field.element));
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    predict(about.target, fields);
  });
  $("form").addEventListener("reset", () => clear(fields));
  $("example").addEventListener("click", () => fields.forEach((field) => field.fill()));
  clear(fields);
}

/**
 * One column as {name, element, controls, read, fill}. What `read` gives is what the server
 * takes; what is no number goes there as the text it is, and the server says what is wrong.
 */
function makeField(column, number) {
  const id = `field-${number}`;
  const makers = { boolean: makeChoice, category: column.categories.length <= FEW ? makeSelect : makeInput };
  const { label, inputs, controls, read, fill } = (makers[column.column_type] ?? makeInput)(column, id);
  const range = ["number", "date"].includes(column.column_type) && column.seen;
  const hint = make("p", { class: "hint", id: `${id}-hint` }, range ? `seen: ${column.seen}` : "");
  const error = make("p", { class: "error", id: `${id}-error` });
  for (const control of controls) control.setAttribute("aria-describedby", `${hint.id} ${error.id}`);
  const tag = column.column_type === "boolean" ? "fieldset" : "div";
  const element = make(tag, { class: "field" }, label, ...inputs, hint, error);
  return { name: column.name, element, controls, error, read, fill };
}

function makeInput(column, id) {
  const categories = column.categories.map((category) => make("option", { value: category }));
  const list = make("datalist", { id: `${id}-list` }, ...categories);
  const input = make("input", { id, autocomplete: "off" });
  if (categories.length) input.setAttribute("list", list.id);
  if (column.column_type === "number") input.setAttribute("inputmode", "decimal");
  const read = () => {
    const text = input.value.trim();
    if (text === "") return null;
    return column.column_type === "number" && Number.isFinite(Number(text)) ? Number(text) : text;
  };
  const fill = () => { input.value = column.example; };
  const label = make("label", { for: id }, column.name);
  return { label, inputs: [input, list], controls: [input], read, fill };
}

function makeSelect(column, id) {
  const categories = column.categories.map((category) => make("option", { value: category }, category));
  const another = make("option", {}, "another \u2026");
  const select = make("select", { id }, make("option", { value: "" }, "unknown"), ...categories, another);
  const other = make("input", { class: "other", "aria-label": `${column.name}: another`, hidden: "" });
  const show = () => { other.hidden = !another.selected; };
  select.addEventListener("change", () => { show(); if (!other.hidden) other.focus(); });
  const read = () => (another.selected ? other.value.trim() : select.value) || null;
  const fill = () => { select.value = column.example; show(); };
  const label = make("label", { for: id }, column.name);
  return { label, inputs: [select, other], controls: [select, other], read, fill };
}

function makeChoice(column, id) {
  const values = { yes: true, no: false, unknown: null };
  const controls = Object.keys(values).map((word) => {
    const radio = make("input", { type: "radio", name: id, value: word });
    radio.defaultChecked = word === "unknown";
    return radio;
  });
  const choices = controls.map((radio) => make("label", {}, radio, radio.value));
  const read = () => values[controls.find((radio) => radio.checked).value];
  const fill = () => { controls.find((radio) => values[radio.value] === column.example).checked = true; };
  const label = make("legend", {}, column.name);
  return { label, inputs: [make("div", { class: "choices" }, ...choices)], controls, read, fill };
}

async function predict(target, fields) {
  const row = Object.fromEntries(fields.map(({ name, read }) => [name, read()]));
  const button = document.querySelector("#form [type=submit]");
  button.setAttribute("aria-disabled", "true");
  const headers = { "Content-Type": "application/json" };
  const { errors = [], predictions, warnings } = await ask(JSON.stringify({ rows: [row] }), headers);
  button.removeAttribute("aria-disabled");
  showBeside(fields, errors);
  if (!predictions) return;
  $("form-result").replaceChildren(...predictionOf(target, predictions[0]), ...hintsOf(warnings));
  $("form-result").scrollIntoView({ block: "nearest" });
}

/** Show each error beside its field, the others below the form, and go to the first. */
function showBeside(fields, errors) {
  const names = fields.map((field) => field.name);
  for (const { name, controls, error } of fields) {
    const found = errors.filter(({ field }) => field === name).map(({ message }) => message);
    error.textContent = found.join("; ");
    for (const control of controls) control.toggleAttribute("aria-invalid", false);
    if (found.length) for (const control of controls) control.setAttribute("aria-invalid", "true");
  }
  showErrors($("form-errors"), errors.filter(({ field }) => !names.includes(field)));
  document.querySelector("#form [aria-invalid=true]:not([hidden])")?.focus();
}

function clear(fields) {
  showBeside(fields, []);
  for (const other of document.querySelectorAll(".other")) other.hidden = true;
  $("form-result").replaceChildren(make("p", { class: "hint" }, "The prediction appears here."));
}
