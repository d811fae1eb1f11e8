// Many rows in a CSV file, or images: chosen or dropped, shown, and for rows downloaded.

import { ask } from "./ask.js";
import { $, bar, hintsOf, make, percent, predictionOf, readable, showErrors } from "./show.js";

const SHOWN = 20; // rows of a table that are shown; the download has them all
const FEW_BARS = 3; // classes that are shown below one of many images
const FEW = 5; // classes whose counts fit a sentence

export function makeUpload(about) {
  const { bytes, rows, images } = about.limits;
  const size = `${Math.floor(bytes / 2 ** 20)} MB`;
  const words = about.image
    ? ["Images", "Choose images, or drop them here", `${arrayHint(about.image)}At most ${images} at once, ${size} in all.`]
    : ["Many rows", "Choose a CSV file, or drop it here", `With a header; at most ${rows.toLocaleString("en")} rows, ${size}.`];
  ["many-title", "file-label", "file-hint"].forEach((id, n) => { $(id).textContent = words[n]; });
  $("file").accept = about.image ? about.image.files : ".csv,.tsv,.txt,text/csv";
  $("file").multiple = Boolean(about.image);
  $("many").hidden = false;
  $("file").addEventListener("change", () => send(about, [...$("file").files]));
  makeDrop(about);
}

/** Images that no image file holds are sent as arrays, which a browser cannot show. */
function isArray(image) {
  return image.files === ".npy";
}

function arrayHint(image) {
  if (!isArray(image)) return "";
  const { dtype, channels, height, width } = image;
  return `Each a .npy file that holds ${dtype} (${channels}, ${height}, ${width}). `;
}

function makeDrop(about) {
  const over = (event, is) => { event.preventDefault(); $("drop").classList.toggle("over", is); };
  $("drop").addEventListener("dragover", (event) => over(event, true));
  $("drop").addEventListener("dragleave", (event) => over(event, false));
  $("drop").addEventListener("drop", (event) => {
    over(event, false);
    send(about, [...event.dataTransfer.files]);
  });
}

async function send(about, files) {
  if (!files.length) return;
  const { errors = [], predictions, warnings } = await predict(about, files);
  $("file").value = ""; // so that the same file, once corrected, can be chosen again
  $("file-status").replaceChildren();
  $("file-result").replaceChildren();
  showErrors($("file-errors"), errors);
  if (!predictions) return;
  if (about.image) showImages(about, files, predictions);
  else showTable(about, files[0].name, predictions);
  $("file-result").prepend(...hintsOf(warnings));
}

async function predict(about, files) {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size > about.limits.bytes) {
    const most = `${about.limits.bytes.toLocaleString("en")} bytes`;
    return { errors: [{ message: `At most ${most} at once; these are ${size.toLocaleString("en")}.` }] };
  }
  $("file-status").replaceChildren("Predicting \u2026");
  const form = new FormData();
  for (const file of files) form.append("file", file);
  return ask(form);
}

function showImages(about, files, predictions) {
  const cards = predictions.map((prediction, n) => {
    const image = isArray(about.image) ? [] : [makeImage(files[n])];
    return make("li", { class: "result" }, ...image, ...predictionOf(files[n].name, prediction, FEW_BARS));
  });
  $("file-status").replaceChildren(`${cards.length} predicted.`);
  $("file-result").replaceChildren(make("ul", { class: "images" }, ...cards));
}

function makeImage(file) {
  const address = URL.createObjectURL(file);
  const image = make("img", { src: address, alt: file.name });
  image.addEventListener("load", () => URL.revokeObjectURL(address));
  return image;
}

function showTable(about, name, predictions) {
  const count = `${name}: ${predictions.length.toLocaleString("en")} rows predicted`;
  const rest = predictions.length > SHOWN ? `; the first ${SHOWN} are shown.` : ".";
  const save = make("button", { type: "button", class: "quiet" }, "Download as CSV");
  save.addEventListener("click", () => download(`predictions_${name}`, toCsv(about, predictions)));
  $("file-status").replaceChildren(count + summary(about, predictions) + rest, save);
  const heads = ["row", about.target, ...(about.classes.length ? ["probability"] : [])];
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const rows = predictions.slice(0, SHOWN).map(makeRow);
  const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
  const caption = { class: "scroll", tabindex: "0", role: "region", "aria-label": "Predictions by row" };
  $("file-result").replaceChildren(make("div", caption, table));
}

/** How often each of a few classes was predicted. */
function summary({ classes }, predictions) {
  if (!classes.length || classes.length > FEW) return "";
  const counts = classes.map((name) => predictions.filter((p) => String(p.prediction) === name).length);
  return `: ${classes.map((name, n) => `${name} ${counts[n].toLocaleString("en")}`).join(", ")}`;
}

function makeRow({ prediction, probabilities }, number) {
  const row = make("tr", {}, make("th", { scope: "row" }, String(number)), make("td", {}, readable(prediction)));
  if (!probabilities) return row;
  const best = Math.max(...Object.values(probabilities));
  row.append(make("td", {}, make("div", { class: "share" }, make("span", {}, percent(best)), bar(best))));
  return row;
}

/** The same file that `kindling predict` writes. */
function toCsv(about, predictions) {
  const names = about.classes.map((name) => `prob_${name}`);
  const lines = predictions.map(({ prediction, probabilities }, row) =>
    [row, prediction, ...about.classes.map((name) => probabilities[name])]);
  return [["row", "prediction", ...names], ...lines].map((line) => `${line.map(quoted).join(",")}\n`).join("");
}

function quoted(value) {
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
