"use strict";
(() => {
// A zero byte stands for what is no number.
const data = JSON.parse(document.getElementById("data").textContent, (_, value) => (value === "\0" ? NaN : value));
const batches = data.batches, at = (id) => document.getElementById(id);
const colour = (index) => `var(--c${index % 8})`;

// Text and numbers -----------------------------------------------------------------------------------------------------

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
};
const digits = (value, places = 3) => {
  if (value === null || value === undefined || !isFinite(value)) return "–";
  if (value === 0) return "0";
  return Number(value.toPrecision(places)).toLocaleString("en-US", { maximumFractionDigits: 6 });
};
const scaled = (value, unit, units = ["", "k", "M", "G", "T", "P"]) => {
  let power = 0;
  while (Math.abs(value) >= 999.5 && power < units.length - 1) { value /= 1000; power += 1; }
  return `${digits(value)} ${units[power]}${unit}`;
};
const flops = (value) => scaled(value, "FLOP");
const seconds = (value) => value < 1 ? `${digits(value * 1000)} ms` : value < 120 ? `${digits(value)} s`
  : value < 7200 ? `${digits(value / 60)} min` : `${digits(value / 3600)} h`;
const percent = (value) => `${digits(value * 100)} %`;
// A number with its unit in small print.
const measured = (text) => { const [number, ...unit] = text.split(" "); return make("span", {}, number, make("small", {}, ` ${unit.join(" ")}`)); };
const sum = (values) => values.reduce((total, value) => total + value, 0);
const phases = ["vision", "projector", "prefill", "decode"];
const total = (batch) => sum(phases.map((phase) => batch.flops[phase]));

// Summary --------------------------------------------------------------------------------------------------------------

const card = (label, value, more, bad) => make("div", { class: bad ? "card bad" : "card" },
  make("div", { class: "label" }, label), make("div", { class: "value" }, measured(value)), make("div", { class: "more" }, more));

const summarise = () => {
  const jobs = sum(batches.map((b) => b.jobs)), failed = sum(batches.map((b) => b.failed)), ok = jobs - failed;
  const mean = (value, count = (b) => b.jobs - b.failed) => sum(batches.map((b) => value(b) * count(b))) / sum(batches.map(count));
  const tokens = (value) => digits(mean(value, (b) => b.pictured)), pictured = sum(batches.map((b) => b.pictured));
  const scored = batches.filter((b) => b.accuracy);
  const cards = [
    card("jobs", jobs.toLocaleString("en-US"), `${batches.length} ${batches.length === 1 ? "batch" : "batches"}`),
    card("failed", failed.toLocaleString("en-US"), failed ? percent(failed / jobs) + " of all" : "none", failed > 0),
    card("visual tokens", tokens((b) => b.tokensOut), !pictured ? "no answer is about a picture"
      : `of ${tokens((b) => b.tokensIn)} are kept, on average${pictured < ok ? " where there is a picture" : ""}`),
    card("operations a job", flops(mean(total)), `${percent(mean((b) => b.flops.prefill) / mean(total))} of them read the prompt`),
    card("latency", seconds(mean((b) => b.latency.p50)), `median; 95 % within ${seconds(Math.max(...batches.map((b) => b.latency.p95)))}`),
    card("throughput", `${digits(Math.max(...batches.map((b) => b.throughput)))} /s`, batches.length > 1 ? "jobs, the fastest batch" : "jobs, over the whole batch"),
  ];
  if (scored.length) {
    const best = scored.reduce((a, b) => b.accuracy.share > a.accuracy.share ? b : a);
    cards.push(card("accuracy", percent(best.accuracy.share), scored.length > 1 ? `best: ${best.name}` : `of ${best.accuracy.scored} with known answers`));
  }
  at("cards").append(...cards);
};

const table = (headings, rows) => make("table", {},
  make("thead", {}, make("tr", {}, ...headings.map(([text, kind]) => make("th", { class: kind || null, scope: "col" }, text)))),
  make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell, index) =>
    make("td", { class: headings[index][1] || null }, cell))))));

const listBatches = () => {
  const most = Math.max(...batches.map(total));
  at("batches").append(table(
    [["batch"], ["method"], ["jobs", "number"], ["failed", "number"], ["visual tokens", "number"], ["operations a job", "number"],
      ["median latency", "number"], ["95 %", "number"], ["jobs/s", "number"], ["accuracy", "number"]],
    batches.map((b, index) => [
      make("span", {}, make("span", { class: "swatch", style: `background:${colour(index)}` }), b.name), b.method,
      b.jobs.toLocaleString("en-US"), b.failed ? make("span", { class: "wrong" }, b.failed.toLocaleString("en-US")) : "0",
      b.pictured ? `${digits(b.tokensIn)} → ${digits(b.tokensOut)}` : "–",
      make("span", {}, flops(total(b)), make("span", { class: "bar" }, make("i", { style: `width:${100 * total(b) / most}%` }))),
      seconds(b.latency.p50), seconds(b.latency.p95), digits(b.throughput),
      b.accuracy ? `${percent(b.accuracy.share)} (${digits(b.accuracy.low * 100, 2)}–${digits(b.accuracy.high * 100, 2)})` : "–",
    ])));
};

const listFailures = () => {
  const rows = batches.flatMap((b) => b.failures.map((failure) => [b.name, failure.count.toLocaleString("en-US"), failure.reason, failure.example]));
  if (!rows.length) { at("failures-section").remove(); return; }
  at("failures").append(table([["batch"], ["jobs", "number"], ["reason", "wide"], ["such as"]], rows));
};

// Charts ---------------------------------------------------------------------------------------------------------------

const svg = (tag, attributes = {}, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const words = (x, y, text, anchor = "start", kind = "") => svg("text", { x, y, "text-anchor": anchor, class: kind }, text);
const titled = (element, text) => { element.append(svg("title", {}, text)); return element; };
const chart = (title, note, drawing, legend = []) => at("charts").append(make("figure", { class: "chart", style: "margin:0" },
  make("h3", {}, title), make("p", {}, note), drawing,
  legend.length ? make("div", { class: "legend" }, ...legend.map(([text, style]) =>
    make("span", {}, make("span", { class: "swatch", style }), text))) : null));
const batchLegend = () => batches.length < 2 ? [] : batches.map((b, index) => [b.name, `background:${colour(index)}`]);

const nice = (most, count = 4) => {
  const raw = most / count, power = 10 ** Math.floor(Math.log10(raw || 1));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= raw) || power;
};
const ticks = (low, high, count) => {
  const step = nice(high - low || 1, count), found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-6; value += step) found.push(value);
  return found;
};

// Axes with room for numbers; x and y turn values into places.
const plot = ({ x: [x0, x1], y: [y0, y1], xLabel, yLabel, xText = digits, yText = digits, height = 230 }) => {
  const width = 520, left = 54, right = 12, top = 12, bottom = 38;
  const x = (value) => left + (value - x0) / ((x1 - x0) || 1) * (width - left - right);
  const y = (value) => height - bottom - (value - y0) / ((y1 - y0) || 1) * (height - top - bottom);
  const area = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": yLabel });
  for (const value of ticks(y0, y1, 4)) area.append(
    svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "rule" }), words(left - 8, y(value) + 4, yText(value), "end"));
  for (const value of ticks(x0, x1, 6)) area.append(words(x(value), height - bottom + 17, xText(value), "middle"));
  area.append(svg("line", { x1: left, x2: width - right, y1: y(y0), y2: y(y0), class: "axis" }),
    words(width - right, height - 4, xLabel, "end"));
  return { area, x, y, left, right: width - right };
};

// One bar a batch, made of parts.
const stacked = (parts, value, text) => {
  const row = 30, left = 132, width = 520, right = 84, most = Math.max(...batches.map((b) => sum(parts.map((p) => value(b, p))))) || 1;
  const area = svg("svg", { viewBox: `0 0 ${width} ${batches.length * row + 4}`, role: "img" });
  batches.forEach((b, index) => {
    let start = left;
    area.append(words(left - 10, index * row + 19, b.name.length > 19 ? b.name.slice(0, 18) + "…" : b.name, "end", "name"));
    parts.forEach((part, number) => {
      const length = value(b, part) / most * (width - left - right);
      area.append(titled(svg("rect", { x: start, y: index * row + 5, width: Math.max(length - 1, 0), height: 20, rx: 2, style: `fill:${colour(number)}` }), `${b.name}, ${part}: ${text(value(b, part))}`));
      start += length;
    });
    area.append(words(start + 7, index * row + 19, text(sum(parts.map((p) => value(b, p))))));
  });
  return area;
};

const drawCharts = () => {
  chart("Operations a job", "mean by part of the model; one multiply-add counts 2", stacked(phases, (b, p) => b.flops[p], flops),
    phases.map((p, index) => [p, `background:${colour(index)}`]));
  const times = ["load", "vision", "prefill", "decode"];
  chart("Time a job", "mean by phase; reduction is part of vision and prefill, reused work takes none", stacked(times, (b, p) => b.seconds[p], seconds),
    times.map((p, index) => [p, `background:${colour(index)}`]));

  const scored = batches.map((b, index) => [b, index]).filter(([b]) => b.accuracy);
  if (scored.length) {
    const most = Math.max(...scored.map(([b]) => total(b))) * 1.12;
    const low = Math.max(0, Math.min(...scored.map(([b]) => b.accuracy.low)) - .05), high = Math.min(1, Math.max(...scored.map(([b]) => b.accuracy.high)) + .1);
    const p = plot({ x: [0, most], y: [low, high], xLabel: "FLOP a job", yLabel: "accuracy", xText: (v) => scaled(v, ""), yText: (v) => `${Math.round(v * 100)} %` });
    const line = scored.slice().sort(([a], [b]) => total(a) - total(b)).map(([b]) => `${p.x(total(b))},${p.y(b.accuracy.share)}`).join(" ");
    if (scored.length > 1) p.area.append(svg("polyline", { points: line, fill: "none", class: "axis", "stroke-dasharray": "3 4", style: "stroke:var(--muted)" }));
    const labels = [];
    scored.forEach(([b, index]) => {
      const x = p.x(total(b)), y = p.y(b.accuracy.share), stroke = `stroke:${colour(index)};stroke-width:1.5`;
      p.area.append(svg("line", { x1: x, x2: x, y1: p.y(b.accuracy.low), y2: p.y(b.accuracy.high), style: stroke }));
      for (const end of [b.accuracy.low, b.accuracy.high]) p.area.append(svg("line", { x1: x - 4, x2: x + 4, y1: p.y(end), y2: p.y(end), style: stroke }));
      p.area.append(titled(svg("circle", { cx: x, cy: y, r: 5.5, style: `fill:${colour(index)};stroke:var(--panel);stroke-width:2` }),
        `${b.name}: ${percent(b.accuracy.share)} of ${b.accuracy.scored} at ${flops(total(b))}`));
      labels.push([x, p.y(b.accuracy.high) - 8, b.name]);
    });
    // Names that would touch step up, one line each.
    const placed = [];
    for (const [x, y, name] of labels.sort((a, b) => a[0] - b[0])) {
      const half = name.length * 3.3 + 6;
      let line = y;
      while (placed.some(([from, to, other]) => x - half < to && x + half > from && Math.abs(other - line) < 13)) line -= 13;
      placed.push([x - half, x + half, line]);
      p.area.append(words(Math.min(x, 508 - half), line, name, "middle", "name"));
    }
    chart("Accuracy against operations", "answers that their items accept, but for case, articles and punctuation; bars are 95 % confidence (Wilson)", p.area);
  }

  const longest = Math.max(...batches.map((b) => b.latency.quantiles[99]), 1e-9);
  const latency = plot({ x: [0, longest], y: [0, 1], xLabel: longest < 1 ? "ms" : "s", yLabel: "share of jobs", xText: (v) => digits(longest < 1 ? v * 1000 : v), yText: (v) => `${Math.round(v * 100)} %` });
  batches.forEach((b, index) => {
    const points = b.latency.quantiles.slice(0, 100).map((value, q) => `${latency.x(value)},${latency.y(q / 100)}`).join(" ");
    latency.area.append(titled(svg("polyline", { points, fill: "none", style: `stroke:${colour(index)};stroke-width:2` }), b.name));
  });
  chart("Latency", "share of jobs done within a time; waiting in the queue not counted", latency.area, batchLegend());

  const span = Math.max(...batches.map((b) => b.span), 1e-9), rates = batches.map((b) => b.rate.map((n) => n / (b.span / b.rate.length || 1)));
  const rate = plot({ x: [0, span], y: [0, Math.max(...rates.flat(), 1e-9) * 1.05], xLabel: "seconds since the first answer", yLabel: "jobs a second" });
  batches.forEach((b, index) => {
    const width = b.span / b.rate.length;
    const points = rates[index].flatMap((n, k) => [`${rate.x(k * width)},${rate.y(n)}`, `${rate.x((k + 1) * width)},${rate.y(n)}`]).join(" ");
    rate.area.append(titled(svg("polyline", { points, fill: "none", style: `stroke:${colour(index)};stroke-width:2` }), b.name));
  });
  chart("Throughput", "answers a second while the batch ran", rate.area, batchLegend());

  if (batches.some((b) => b.layers.length)) {
    // The tower's layers, then the decoder's.
    const tower = Math.max(0, ...batches.flatMap((b) => b.layers.filter((l) => l.place !== "decoder").map((l) => l.layer + 1)));
    const place = (l) => l.place === "decoder" ? tower + 1 + l.layer : l.place === "projector" ? tower + .5 : l.layer;
    const end = Math.max(...batches.flatMap((b) => b.layers.map(place))) + 1;
    const p = plot({ x: [0, end], y: [0, Math.max(...batches.map((b) => b.tokensIn))], xLabel: "layer", yLabel: "visual tokens", xText: (v) => v > tower && tower ? `L${digits(v - tower - 1)}` : `${tower ? "V" : "L"}${digits(v)}` });
    batches.forEach((b, index) => {
      if (!b.pictured) return;
      let before = b.tokensIn; const points = [`${p.x(0)},${p.y(before)}`];
      for (const l of b.layers) { points.push(`${p.x(place(l))},${p.y(before)}`, `${p.x(place(l))},${p.y(l.tokens)}`); before = l.tokens; }
      points.push(`${p.x(end)},${p.y(before)}`);
      p.area.append(titled(svg("polyline", { points: points.join(" "), fill: "none", "stroke-linejoin": "round", style: `stroke:${colour(index)};stroke-width:2` }), b.name));
    });
    chart("Visual tokens layer by layer", "V: vision tower, L: language model; mean of the jobs in the gallery", p.area, batchLegend());
  }
};

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
      if (next === DISCARDED || next === token || next >= this.left.length) return null;
      token = next;
    }
    return null;
  }
  tokensAfter(step) { return step === 0 ? this.left.filter((left) => left !== LEFT_OUT).length : this.steps[step - 1].out; }
  name(token) { return `row ${Math.floor(token / this.columns) + 1}, column ${token % this.columns + 1}`; }
}

const hue = (token) => (token * 0.618033988749895 % 1) * 360;
const images = data.images.map((source) => { const image = new Image(); image.src = source; return image; });

const draw = (canvas, job, trace, step, view, followed = null) => {
  const side = canvas.width, context = canvas.getContext("2d"), image = images[job.image];
  context.clearRect(0, 0, side, side);
  if (image && image.complete && image.naturalWidth) context.drawImage(image, 0, 0, side, side);
  else { context.fillStyle = "#777"; context.fillRect(0, 0, side, side); }
  if (view === "plain" || !trace.left.length) return;
  const w = side / trace.columns, h = side / trace.rows;
  const box = (token, inset = 0) => [token % trace.columns * w + inset, Math.floor(token / trace.columns) * h + inset, w - 2 * inset, h - 2 * inset];
  for (let token = 0; token < trace.left.length; token += 1) {
    if (view === "score" && trace.score.length) {
      const value = trace.score[token] / 255;
      context.fillStyle = `hsla(${250 - 200 * value}, 85%, ${22 + 40 * value}%, .62)`;
      context.fillRect(...box(token));
      if (trace.isThere(token, step)) { context.strokeStyle = "rgba(255,255,255,.85)"; context.lineWidth = side / 480; context.strokeRect(...box(token, side / 600)); }
      continue;
    }
    if (trace.isThere(token, step)) continue;
    const holder = trace.holder(token, step);
    context.fillStyle = "rgba(17,19,23,.78)"; context.fillRect(...box(token));
    if (holder !== null) { context.fillStyle = `hsla(${hue(holder)}, 75%, 58%, .34)`; context.fillRect(...box(token)); }
  }
  if (view === "flow") for (const holder of new Set(held(trace, step))) {
    context.strokeStyle = `hsl(${hue(holder)}, 78%, 60%)`; context.lineWidth = Math.max(1, side / 260);
    context.strokeRect(...box(holder, side / 520));
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
  : `${{ encoder: "vision", projector: "projector", decoder: "LLM" }[job.steps[step - 1].place]} ${job.steps[step - 1].layer}: ${job.steps[step - 1].out}`;
const verdict = (job) => job.status === "failed" ? "failed" : job.correct < 0 ? "unscored" : job.correct ? "right" : "wrong";
const items = [];

const addItem = (job) => {
  const trace = new Trace(job), last = job.steps.length;
  // Where there is no picture to look at, all of the prompt has room.
  const isBlank = job.image === NO_PICTURE && job.status !== "failed";
  const words = make("div", { class: "words" },
    make("div", { class: isBlank ? "whole question" : "question", title: job.prompt }, isBlank ? job.prompt : job.prompt.split("\n")[0]),
    job.status === "failed" ? null : make("div", { class: `answer ${{ right: "right", wrong: "wrong" }[verdict(job)] || ""}` }, job.answer || "(empty)",
      verdict(job) === "wrong" && job.expected.length ? make("span", { class: "note" }, ` expected ${job.expected[0]}`) : ""),
    make("div", { class: "meta" }, make("span", { title: job.id }, job.tile ? `${job.id}, ${job.tile}` : job.id), make("span", {}, batches.length > 1 ? batches[job.batch].name : flops(job.flops))));
  const item = { job, trace, step: last };
  if (job.status === "failed") {
    item.element = make("article", { class: "item" }, make("div", { class: "failed" }, job.error), words);
  } else if (isBlank) {
    item.element = make("article", { class: "item" }, make("div", { class: "blank" }, "text-only"), words);
  } else {
    const canvas = make("canvas", { width: 336, height: 336, tabindex: 0, role: "button", "aria-label": `patches of ${job.id}`, onclick: () => open(item),
      onkeydown: (event) => { if (event.key === "Enter") open(item); } });
    const label = make("output", {});
    const slider = make("input", { type: "range", min: 0, max: last, value: last, "aria-label": "step" });
    slider.addEventListener("input", () => item.show(Number(slider.value)));
    item.show = (step) => {
      item.step = step; slider.value = step; label.textContent = stepText(job, step);
      draw(canvas, job, trace, step, at("view").value);
    };
    item.element = make("article", { class: "item" }, canvas, last ? make("div", { class: "step" }, slider, label) : null, words);
  }
  items.push(item);
  at("gallery").append(item.element);
};

const filter = () => {
  const batch = at("by-batch").value, answer = at("by-answer").value, text = at("search").value.trim().toLowerCase();
  let shown = 0;
  for (const { job, element } of items) {
    const fits = (batch === "" || String(job.batch) === batch) && (answer === "" || verdict(job) === answer)
      && (text === "" || `${job.id}\n${job.prompt}\n${job.answer}\n${job.error}`.toLowerCase().includes(text));
    element.hidden = !fits; element.style.display = fits ? "" : "none";
    shown += fits ? 1 : 0;
  }
  const all = sum(batches.map((b) => b.jobs));
  at("shown").textContent = `${shown} shown of ${items.length} in this page` + (all > items.length ? `, ${all.toLocaleString("en-US")} in all` : "");
};
const redraw = () => items.forEach((item) => item.show && item.show(item.step));

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
    } else {
      const edges = trace.merges.filter((edge) => edge.source === followed && edge.weight > 0).sort((a, b) => b.weight - a.weight);
      about.append(make("p", { class: "note" }, `left at ${stepText(job, left + 1).split(":")[0]}` + (edges.length || trace.went[followed] !== DISCARDED ? "; its content went to" : "; its content was discarded")));
      const targets = edges.length ? edges : trace.went[followed] === DISCARDED ? [] : [{ target: trace.went[followed], weight: 1 }];
      about.append(make("ul", {}, ...targets.slice(0, 5).map((edge) => make("li", {}, `${trace.name(edge.target)}: ${percent(edge.weight)}`)),
        ...(targets.length > 5 ? [make("li", {}, `and ${targets.length - 5} more`)] : [])));
    }
  };
  const show = (value) => {
    step = value; slider.value = step; label.textContent = stepText(job, step);
    [...bars.children].forEach((bar, index) => bar.classList.toggle("on", index === step));
    draw(canvas, job, trace, step, at("view").value === "plain" ? "flow" : at("view").value, followed); describe();
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
    make("h3", { style: "padding-right:60px" }, job.tile ? `${job.id}, ${job.tile}` : job.id),
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

summarise(); listBatches(); drawCharts(); listFailures();
at("by-batch").append(make("option", { value: "" }, "all"), ...batches.map((b, index) => make("option", { value: index }, b.name)));
data.gallery.forEach(addItem);
if (!items.length) at("gallery-section").remove();
for (const id of ["by-batch", "by-answer"]) at(id).addEventListener("change", filter);
at("search").addEventListener("input", filter);
at("view").addEventListener("change", redraw);
at("all-steps").addEventListener("input", () => items.forEach((item) =>
  item.show && item.show(Math.round(Number(at("all-steps").value) / 100 * item.job.steps.length))));
Promise.all(images.map((image) => image.decode().catch(() => {}))).then(() => {
  redraw(); filter();
  const job = items.find((item) => item.show && item.job.id === wish.get("job") && (!wish.has("batch") || String(item.job.batch) === wish.get("batch")));
  if (wish.has("batch")) { at("by-batch").value = wish.get("batch"); filter(); }
  if (wish.has("step")) items.forEach((item) => item.show && item.show(Math.min(Number(wish.get("step")), item.job.steps.length)));
  if (job) { open(job); if (wish.has("patch")) at("detail").follow(Number(wish.get("patch"))); }
  document.documentElement.dataset.ready = "true";
});
})();
