// The page for a person: made from /schema, asks /predict.

import { schema } from "./ask.js";
import { makeForm } from "./form.js";
import { $, describe } from "./show.js";
import { makeUpload } from "./upload.js";

const about = await schema();
document.title = `Predict ${about.target}`;
$("target").textContent = about.target;
$("about").textContent = describe(about);
if (about.columns) makeForm(about);
makeUpload(about);
document.body.setAttribute("data-ready", "");
