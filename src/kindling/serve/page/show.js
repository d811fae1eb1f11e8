// What is shown: elements whose names and values are set as text, never as HTML.

const TOP = 10; // classes that are shown of one prediction

export const $ = (id) => document.getElementById(id);

/** Make an element from attributes and children; a child that is text stays text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function percent(share) {
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

/** Numbers with as many digits as a person reads; labels as they are. */
export function readable(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value);
}

/** A share between 0 and 1 as a bar; its number stands beside it for those who do not see it. */
export function bar(share) {
  const filled = make("div");
  filled.style.width = `${100 * share}%`;
  return make("div", { class: "groove", "aria-hidden": "true" }, filled);
}

/** Say in one sentence what the answer can be. */
export function describe({ problem_type, classes }) {
  if (problem_type === "regression") return "The answer is a number, in the unit of the training data.";
  const more = classes.length > TOP ? ` and ${classes.length - TOP} more` : "";
  return `The answer is one of ${classes.length} classes: ${classes.slice(0, TOP).join(", ")}${more}.`;
}

/** One prediction under a caption: the label in large, and the most probable classes as bars. */
export function predictionOf(caption, { prediction, probabilities }, top = TOP) {
  const parts = [make("p", { class: "hint" }, caption), make("p", { class: "label" }, readable(prediction))];
  if (!probabilities) return parts;
  const best = Object.entries(probabilities).sort((a, b) => b[1] - a[1]).slice(0, top);
  const bars = best.map(([name, share]) =>
    make("li", {}, make("span", {}, name), make("span", {}, percent(share)), bar(share)));
  return [...parts, make("ul", { class: "bars" }, ...bars)];
}

/** What of a request is no row, or is not as the train rows were. */
export function hintsOf(warnings = []) {
  return warnings.map((text) => make("p", { class: "hint" }, text));
}

export function showErrors(place, errors) {
  place.replaceChildren(...errors.map(({ field, row, message }) => {
    const where = [field, Number.isInteger(row) ? `row ${row}` : ""].filter(Boolean).join(", ");
    return make("p", { class: "error" }, where ? `${where}: ${message}` : message);
  }));
}
