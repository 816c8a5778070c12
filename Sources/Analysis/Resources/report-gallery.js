// Patches --------------------------------------------------------------------------------------------------------------

const bytes = (text) => Uint8Array.from(atob(text || ""), (character) => character.charCodeAt(0));
const SURVIVED = 255, LEFT_OUT = 254, DISCARDED = 65535, NO_PICTURE = -2;

class Trace {
  constructor(job) {
    this.rows = job.rows; this.columns = job.columns; this.steps = job.steps;
    this.left = bytes(job.left);
    this.went = new Uint16Array(bytes(job.went).buffer);
    this.score = bytes(job.score);
    const packed = bytes(job.merges), view = new DataView(packed.buffer);
    this.merges = [];
    for (let place = 0; place + 6 <= packed.length; place += 6) this.merges.push({
      step: packed[place], weight: packed[place + 1] / 255, source: view.getUint16(place + 2, true), target: view.getUint16(place + 4, true) });
  }
  // A token that shows padding alone never entered the language model.
  isThere(token, step) { return this.left[token] !== LEFT_OUT && this.left[token] >= step; }
  // The token that holds most of this one's content after `step` steps: itself, another, or null where it is gone.
  holder(token, step) {
    for (let hops = 0; hops <= this.left.length; hops += 1) {
      if (this.isThere(token, step)) return token;
      const next = this.went[token];
      if (next === undefined || next === DISCARDED || next === token || next >= this.left.length) return null;
      token = next;
    }
    return null;
  }
  tokensAfter(step) { return step === 0 ? this.left.filter((left) => left !== LEFT_OUT).length : this.steps[step - 1].out; }
  // Whether it is known which tokens are left, and some are not.
  isReduced() { return this.left.some((left) => left < LEFT_OUT); }
  name(token) { return `row ${Math.floor(token / this.columns) + 1}, column ${token % this.columns + 1}`; }
}

const hue = (token) => (token * 0.618033988749895 % 1) * 360;
const images = data.images.map(() => new Image());
const loaded = Promise.all(images.map((image, index) => new Promise((end) => { image.onload = image.onerror = end; image.src = data.images[index]; })));

// "kept" dims every patch that is gone; "flow" tints it in the colour of the token that holds most of its content, and dims
// those whose content was discarded.
const DIMMED = "rgba(14,16,20,.78)";
const draw = (canvas, job, trace, step, view, followed = null) => {
  const side = canvas.width, context = canvas.getContext("2d"), image = images[job.image];
  context.clearRect(0, 0, side, side);
  if (image && image.complete && image.naturalWidth) context.drawImage(image, 0, 0, side, side);
  else { context.fillStyle = "#777"; context.fillRect(0, 0, side, side); }
  if (view === "original" || !trace.left.length) return;
  const w = side / trace.columns, h = side / trace.rows;
  // Edges on whole pixels leave no seams between patches.
  const box = (token, inset = 0) => {
    const column = token % trace.columns, row = Math.floor(token / trace.columns);
    const x = Math.round(column * w), y = Math.round(row * h);
    return [x + inset, y + inset, Math.round((column + 1) * w) - x - 2 * inset, Math.round((row + 1) * h) - y - 2 * inset];
  };
  for (let token = 0; token < trace.left.length; token += 1) {
    if (view === "score" && trace.score.length) {
      const value = trace.score[token] / 255;
      context.fillStyle = `hsla(${250 - 200 * value}, 85%, ${22 + 40 * value}%, .62)`;
      context.fillRect(...box(token));
      if (trace.isThere(token, step)) { context.strokeStyle = "rgba(255,255,255,.85)"; context.lineWidth = side / 480; context.strokeRect(...box(token, side / 600)); }
      continue;
    }
    if (trace.isThere(token, step)) continue;
    const holder = view === "flow" ? trace.holder(token, step) : null;
    context.fillStyle = holder === null ? DIMMED : `hsla(${hue(holder)}, 80%, 55%, .42)`;
    context.fillRect(...box(token));
  }
  if (view === "flow") for (const holder of new Set(held(trace, step))) {
    context.strokeStyle = `hsl(${hue(holder)}, 85%, 55%)`; context.lineWidth = Math.max(1.5, side / 170);
    context.strokeRect(...box(holder, side / 340));
  }
  if (followed !== null) follow(context, trace, step, followed, w, h);
};

const held = (trace, step) => {
  const found = [];
  for (let token = 0; token < trace.left.length; token += 1) if (!trace.isThere(token, step)) {
    const holder = trace.holder(token, step);
    if (holder !== null) found.push(holder);
  }
  return found;
};

const follow = (context, trace, step, token, w, h) => {
  const centre = (t) => [(t % trace.columns + .5) * w, (Math.floor(t / trace.columns) + .5) * h];
  const arrow = (from, to, weight) => {
    const [x0, y0] = centre(from), [x1, y1] = centre(to), angle = Math.atan2(y1 - y0, x1 - x0), head = w * .42;
    context.strokeStyle = context.fillStyle = `rgba(255,255,255,${.35 + .65 * weight})`; context.lineWidth = 1 + w * .09 * weight;
    context.beginPath(); context.moveTo(x0, y0); context.lineTo(x1, y1); context.stroke();
    context.beginPath(); context.moveTo(x1, y1);
    for (const turn of [-.45, .45]) context.lineTo(x1 - head * Math.cos(angle + turn), y1 - head * Math.sin(angle + turn));
    context.fill();
  };
  context.shadowColor = "rgba(0,0,0,.8)"; context.shadowBlur = 4;
  if (trace.isThere(token, step)) {
    for (let source = 0; source < trace.left.length; source += 1)
      if (source !== token && trace.holder(source, step) === token && !trace.isThere(source, step)) arrow(source, token, .5);
  } else {
    const edges = trace.merges.filter((edge) => edge.source === token);
    if (edges.length) for (const edge of edges) arrow(token, edge.target, edge.weight);
    else if (trace.went[token] !== DISCARDED) arrow(token, trace.went[token], 1);
  }
  context.shadowBlur = 0; context.strokeStyle = "#fff"; context.lineWidth = Math.max(2, w * .12);
  context.strokeRect(token % trace.columns * w, Math.floor(token / trace.columns) * h, w, h);
};

// Gallery --------------------------------------------------------------------------------------------------------------

const stepText = (job, step) => step === 0 ? `all ${job.tokensIn} tokens`
  : `${{ encoder: "vision", projector: "projector", decoder: "LLM", "": "all steps" }[job.steps[step - 1].place]}${job.steps[step - 1].place ? ` ${job.steps[step - 1].layer}` : ""}: ${job.steps[step - 1].out}`;
const verdict = (job) => job.status === "failed" ? "failed" : job.correct < 0 ? "unscored" : job.correct ? "right" : "wrong";
const verdictClass = (job) => ({ right: "right", wrong: "wrong" }[verdict(job)] || null);
const items = [];
const side = 336;
const titleOf = (job) => job.tile ? `${job.id}, ${job.tile}` : job.id;

// One method's picture of a job, with what `item` is drawn by; null where there is none to look at.
const keptPatches = (item) => {
  const { job, trace } = item;
  if (job.status === "failed" || job.image === NO_PICTURE) return null;
  const canvas = make("canvas", { width: side, height: side, tabindex: 0, role: "button", "aria-label": `patches of ${titleOf(job)}, ${batches[job.batch].name}`,
    onclick: () => open(item), onkeydown: (event) => { if (event.key === "Enter") open(item); } });
  item.show = (step) => {
    item.step = Math.min(step, job.steps.length);
    if (item.label) item.label.textContent = comparison && item.step === job.steps.length ? `${job.tokensOut} of ${job.tokensIn} tokens` : stepText(job, item.step);
    if (item.slider) item.slider.value = item.step;
    draw(canvas, job, trace, item.step, at("view").value);
  };
  return canvas;
};
const original = (job) => {
  const canvas = make("canvas", { width: side, height: side, role: "img", "aria-label": `the picture of ${titleOf(job)}` });
  return [canvas, () => draw(canvas, job, { left: [] }, 0, "original")];
};
const answerText = (job) => make("div", { class: `answer ${verdictClass(job) || ""}` }, job.answer || "(empty)",
  verdict(job) === "wrong" && job.expected.length && !comparison ? make("span", { class: "note" }, ` expected ${job.expected[0]}`) : "");

// A job by itself: the picture, and beside it the patches that were kept.
const addItem = (job) => {
  const item = { job, trace: new Trace(job), step: job.steps.length };
  // Where there is no picture to look at, all of the prompt has room.
  const isBlank = job.image === NO_PICTURE && job.status !== "failed";
  const text = make("div", { class: "words" },
    make("div", { class: isBlank ? "whole question" : "question", title: job.prompt }, isBlank ? job.prompt : job.prompt.split("\n")[0]),
    job.status === "failed" ? null : answerText(job),
    make("div", { class: "meta" }, make("span", { title: job.id }, titleOf(job)), make("span", {}, batches.length > 1 ? batches[job.batch].name : flops(job.flops))));
  const canvas = keptPatches(item);
  if (!canvas) {
    item.element = make("article", { class: "item" }, job.status === "failed" ? make("div", { class: "failed" }, job.error) : make("div", { class: "blank" }, "text-only"), text);
  } else {
    const [picture, drawPicture] = original(job);
    item.drawOriginal = drawPicture;
    const last = job.steps.length;
    if (last) {
      item.label = make("output", {});
      item.slider = make("input", { type: "range", min: 0, max: last, value: last, "aria-label": "step" });
      item.slider.addEventListener("input", () => item.show(Number(item.slider.value)));
    }
    item.element = make("article", { class: "item" }, make("div", { class: "pair" }, picture, canvas),
      last ? make("div", { class: "step" }, item.slider, item.label) : make("div", { class: "step" }, make("output", {}, item.trace.left.length ? `all ${job.tokensIn} tokens kept` : "not stored which tokens were kept")), text);
  }
  items.push(item);
  at("gallery").append(item.element);
};

// A question, or one tile of its pictures: the picture, and beside it every method with its kept patches and its answer.
const rows = [];
const addRow = (jobs) => {
  const first = jobs[0], own = jobs.map((job) => ({ job, trace: new Trace(job), step: job.steps.length }));
  const row = { items: own, jobs };
  const pictured = jobs.find((job) => job.image >= 0) || jobs.find((job) => job.image !== NO_PICTURE);
  const cells = [];
  if (pictured) {
    const [picture, drawPicture] = original(pictured);
    row.drawOriginal = drawPicture;
    cells.push(make("figure", { class: "cell" }, picture, make("figcaption", {}, make("div", { class: "method" }, "original"))));
  }
  for (const item of own) {
    const { job } = item, canvas = keptPatches(item);
    item.label = canvas && job.steps.length ? make("small", {}) : null;
    item.cell = make("figure", { class: "cell" }, canvas || (job.status === "failed" ? make("div", { class: "failed" }, job.error) : null),
      make("figcaption", {}, make("div", { class: "method", title: batches[job.batch].method }, named(job.batch)),
        job.status === "failed" ? make("div", { class: "answer wrong" }, "failed") : answerText(job),
        item.label || (canvas ? make("small", {}, item.trace.left.length ? `all ${job.tokensIn} tokens` : `${job.tokensOut} of ${job.tokensIn} tokens, not stored which`) : null)));
    cells.push(item.cell);
    items.push(item);
  }
  const [question, ...rest] = first.prompt.split("\n");
  row.element = make("article", { class: "row" },
    make("header", {}, make("h3", { title: first.prompt }, question), ...(pictured ? [] : rest.map((line) => make("div", {}, line))),
      make("div", { class: "note" }, titleOf(first), first.expected.length ? ` · expected ${first.expected.slice(0, 3).join(", ")}` : "")),
    make("div", { class: "cells" }, ...cells));
  rows.push(row);
  at("gallery").append(row.element);
};

const fitsText = (job, text) => text === "" || `${job.id}\n${job.prompt}\n${job.answer}\n${job.error}`.toLowerCase().includes(text);
const setShown = (element, isShown) => { element.hidden = !isShown; element.style.display = isShown ? "" : "none"; };

const filterItems = (answer, text) => {
  const batch = at("by-batch").value;
  let shown = 0;
  for (const { job, element } of items) {
    const fits = (batch === "" || String(job.batch) === batch) && (answer === "" || verdict(job) === answer) && fitsText(job, text);
    setShown(element, fits);
    shown += fits ? 1 : 0;
  }
  const all = sum(batches.map((b) => b.jobs));
  at("shown").textContent = `${shown} shown of ${items.length} in this page` + (all > items.length ? `, ${whole(all)} in all` : "");
};

const filterRows = (answer, text) => {
  const right = at("right-in").value, wrong = at("wrong-in").value;
  const has = (row, batch, expected) => batch === "" || row.jobs.some((job) => String(job.batch) === batch && verdict(job) === expected);
  // Whoever is asked for stands there too.
  const asked = new Set([right, wrong].filter((value) => value !== "").map(Number)), isSeen = (job) => chosen.has(job.batch) || asked.has(job.batch);
  let shown = 0;
  for (const row of rows) {
    const seen = row.jobs.filter(isSeen), verdicts = new Set(seen.map(verdict));
    const differs = verdicts.has("unscored") ? new Set(seen.map((job) => job.answer.trim().toLowerCase())).size > 1 : verdicts.size > 1;
    const fits = has(row, right, "right") && has(row, wrong, "wrong") && row.jobs.some((job) => fitsText(job, text))
      && (answer === "" || (answer === "differ" ? differs : answer === "same" ? !differs : seen.some((job) => verdict(job) === answer)));
    setShown(row.element, fits);
    shown += fits ? 1 : 0;
    row.element.style.setProperty("--columns", seen.length + (row.drawOriginal ? 1 : 0));
    for (const item of row.items) if (item.cell) setShown(item.cell, isSeen(item.job));
  }
  at("shown").textContent = `${shown} shown of ${rows.length} in this page` + (comparison.questions > rows.length ? `, ${whole(comparison.questions)} questions in all` : "");
};

const showFitting = () => (comparison ? filterRows : filterItems)(at("by-answer").value, at("search").value.trim().toLowerCase());
const redraw = () => {
  for (const item of items) if (item.show) item.show(item.step);
  for (const { drawOriginal } of comparison ? rows : items) if (drawOriginal) drawOriginal();
};

const fillGallery = () => {
  const option = (value, text = value) => make("option", { value }, text);
  const options = (id, ...found) => at(id).append(...found);
  const all = batches.map((b, index) => option(index, b.name));
  if (comparison) {
    at("gallery-title").textContent = "Side by side";
    at("gallery").className = "rows";
    at("batch-label").remove();
    options("by-answer", option("", "all"), option("differ", "methods differ"), option("same", "all alike"), option("failed", "failed somewhere"));
    options("right-in", option("", "any"), ...all); options("wrong-in", option("", "any"), ...all.map((element) => element.cloneNode(true)));
    const byKey = new Map();
    for (const job of data.gallery) { const key = JSON.stringify([job.id, job.tile]); byKey.set(key, [...(byKey.get(key) || []), job]); }
    for (const jobs of byKey.values()) addRow(jobs);
  } else {
    at("gallery").className = "gallery";
    if (batches.length === 1) at("batch-label").style.display = "none";
    options("by-batch", option("", "all"), ...all);
    options("by-answer", option("", "all"), ...["right", "wrong"].map((name) => option(name)), option("unscored", "not scored"), option("failed"));
    for (const element of document.querySelectorAll(".compared")) element.remove();
    data.gallery.forEach(addItem);
  }
  at("gallery-note").textContent = (comparison ? "Each question with the square that the model saw, and beside it for each method the patches that are left, the rest dimmed. "
    : "The square that the model saw, and beside it the patches that are left, the rest dimmed. The slider goes from step to step. ")
    + "“Merge colours” tints a patch in the colour of the one that holds most of its content; dark patches were discarded. Click a picture to follow single patches.";
  if (!items.length) at("gallery-section").remove();
};

const open = (item) => {
  const { job, trace } = item, dialog = at("detail"), last = job.steps.length;
  const canvas = make("canvas", { width: 1008, height: 1008 });
  let step = item.step, followed = null, pinned = false;
  const about = make("div", { class: "patch" });
  const bars = make("div", { class: "steps", "aria-hidden": "true" }, ...Array.from({ length: last + 1 }, (_, index) => make("button", {
    type: "button", tabindex: -1, title: stepText(job, index), style: `height:${Math.max(4, 100 * trace.tokensAfter(index) / Math.max(1, job.tokensIn))}%`, onclick: () => show(index) })));
  const label = make("output", {}), slider = make("input", { type: "range", autofocus: "", min: 0, max: last, style: "width:100%", "aria-label": "step" });
  slider.addEventListener("input", () => show(Number(slider.value)));
  const describe = () => {
    about.replaceChildren();
    if (followed === null) { about.append(make("p", { class: "note" }, "Point at a patch to see where its content went; click to hold it.")); return; }
    const isThere = trace.isThere(followed, step), left = trace.left[followed];
    about.append(make("strong", {}, trace.name(followed)));
    if (isThere) {
      const sources = []; for (let t = 0; t < trace.left.length; t += 1) if (t !== followed && !trace.isThere(t, step) && trace.holder(t, step) === followed) sources.push(t);
      about.append(make("p", { class: "note" }, left === SURVIVED && step === last ? "kept to the end" : `here after this step`, sources.length ? `; holds most of ${sources.length} ${sources.length === 1 ? "other" : "others"}` : ""));
    } else if (left === LEFT_OUT) {
      about.append(make("p", { class: "note" }, "shows padding alone; it never entered the language model"));
    } else {
      const edges = trace.merges.filter((edge) => edge.source === followed && edge.weight > 0).sort((a, b) => b.weight - a.weight);
      const isKnown = edges.length || job.steps[left]?.place;
      about.append(make("p", { class: "note" }, `left at ${stepText(job, left + 1).split(":")[0]}` + (!isKnown ? "" : edges.length || trace.went[followed] !== DISCARDED ? "; its content went to" : "; its content was discarded")));
      const targets = edges.length ? edges : trace.went[followed] === DISCARDED ? [] : [{ target: trace.went[followed], weight: 1 }];
      about.append(make("ul", {}, ...targets.slice(0, 5).map((edge) => make("li", {}, `${trace.name(edge.target)}: ${percent(edge.weight)}`)),
        ...(targets.length > 5 ? [make("li", {}, `and ${targets.length - 5} more`)] : [])));
    }
  };
  const show = (value) => {
    step = value; slider.value = step; label.textContent = stepText(job, step);
    [...bars.children].forEach((bar, index) => bar.classList.toggle("on", index === step));
    draw(canvas, job, trace, step, at("view").value, followed); describe();
  };
  const patchAt = (event) => {
    const frame = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - frame.left) / frame.width * trace.columns), row = Math.floor((event.clientY - frame.top) / frame.height * trace.rows);
    return column >= 0 && column < trace.columns && row >= 0 && row < trace.rows && trace.left.length ? row * trace.columns + column : null;
  };
  canvas.addEventListener("mousemove", (event) => { if (!pinned) { followed = patchAt(event); show(step); } });
  canvas.addEventListener("mouseleave", () => { if (!pinned) { followed = null; show(step); } });
  canvas.addEventListener("click", (event) => { followed = patchAt(event); pinned = !pinned; show(step); });
  const facts = [["batch", batches[job.batch].name], ["method", batches[job.batch].method], ["question", job.prompt], ["answer", job.answer],
    ["expected", job.expected.join(", ")], ["tokens", `${job.tokensIn} → ${job.tokensOut}`], ["operations", flops(job.flops)], ["time", seconds(job.seconds)]];
  dialog.replaceChildren(make("div", { class: "detail" }, canvas, make("div", { class: "side" },
    make("h3", { style: "padding-right:60px" }, titleOf(job)),
    make("dl", {}, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
    last ? make("div", {}, bars, slider, label) : null, about)), make("button", { class: "close", type: "button", onclick: () => dialog.close() }, "close"));
  show(step);
  dialog.showModal();
  dialog.follow = (token) => { followed = token; pinned = true; show(step); };
};

// The page -------------------------------------------------------------------------------------------------------------

const setTheme = (theme) => {
  if (theme) document.documentElement.dataset.theme = theme; else delete document.documentElement.dataset.theme;
  at("theme").textContent = { light: "☀ light", dark: "☾ dark" }[theme] || "◐ auto";
};
at("theme").addEventListener("click", () => setTheme({ undefined: "light", light: "dark" }[document.documentElement.dataset.theme]));
const wish = new URLSearchParams(location.hash.slice(1));
setTheme(wish.get("theme"));
at("detail").addEventListener("click", (event) => { if (event.target === at("detail")) at("detail").close(); });

const showChosen = () => {
  drawCharts();
  if (comparison) { listPairs(); listGroups(); }
  if (items.length) showFitting();
};

summarise(); listBatches(); compare(); listFailures(); fillGallery();
if (wish.has("view") && items.length) at("view").value = wish.get("view");
showChosen();
let width = at("charts").clientWidth;
addEventListener("resize", () => { if (at("charts").clientWidth !== width) { width = at("charts").clientWidth; drawCharts(); } });
if (items.length) {
  for (const id of ["by-batch", "by-answer", "right-in", "wrong-in"]) at(id)?.addEventListener("change", showFitting);
  at("search").addEventListener("input", showFitting);
  at("view").addEventListener("change", redraw);
  at("all-steps").addEventListener("input", () => items.forEach((item) =>
    item.show && item.show(Math.round(Number(at("all-steps").value) / 100 * item.job.steps.length))));
}
loaded.then(() => {
  redraw();
  for (const [key, id] of [["batch", "by-batch"], ["right", "right-in"], ["wrong", "wrong-in"]]) if (wish.has(key) && at(id)) at(id).value = wish.get(key);
  if (items.length) showFitting();
  const job = items.find((item) => item.show && item.job.id === wish.get("job") && (!wish.has("batch") || String(item.job.batch) === wish.get("batch")));
  if (wish.has("step")) items.forEach((item) => item.show && item.show(Number(wish.get("step"))));
  if (job) { open(job); if (wish.has("patch")) at("detail").follow(Number(wish.get("patch"))); }
  document.documentElement.dataset.ready = "true";
});
