// Charts ---------------------------------------------------------------------------------------------------------------

const svg = (tag, attributes = {}, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const words = (x, y, text, anchor = "start", kind = "") => svg("text", { x, y, "text-anchor": anchor, class: kind }, text);
const titled = (element, text) => { element.append(svg("title", {}, text)); return element; };
const letterWidth = 6.6;
const shortened = (text, width) => text.length * letterWidth <= width ? text : text.slice(0, Math.max(3, Math.floor(width / letterWidth) - 1)) + "…";

// A chart is drawn when all are in their places: one unit of a drawing is one pixel of the page, so that text has its size on
// every screen.
const charts = [];
const chart = (title, note, draw, legend = []) => {
  const place = make("div");
  at("charts").append(make("figure", { class: "chart" }, make("h3", {}, title), make("p", {}, note), place,
    legend.length ? make("div", { class: "legend" }, ...legend.map(([text, style, mark]) => make("span", {}, mark || swatch(style), text))) : null));
  charts.push([place, draw]);
};
const finishCharts = () => { for (const [place, draw] of charts.splice(0)) place.append(draw(Math.max(220, place.clientWidth))); };
const batchLegend = (shown = drawn()) => batches.length < 2 ? [] : shown.map(([b, index]) => [b.name, `background:${colour(index)}`]);

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
const plot = ({ x: [x0, x1], y: [y0, y1], xLabel, yLabel, xText = digits, yText = digits, width, height = 230 }) => {
  const left = 54, right = 14, top = 12, bottom = 38;
  const x = (value) => left + (value - x0) / ((x1 - x0) || 1) * (width - left - right);
  const y = (value) => height - bottom - (value - y0) / ((y1 - y0) || 1) * (height - top - bottom);
  const area = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": yLabel });
  for (const value of ticks(y0, y1, 4)) area.append(
    svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "rule" }), words(left - 8, y(value) + 4, yText(value), "end"));
  for (const value of ticks(x0, x1, Math.max(2, Math.floor(width / 90)))) area.append(words(x(value), height - bottom + 17, xText(value), "middle"));
  area.append(svg("line", { x1: left, x2: width - right, y1: y(y0), y2: y(y0), class: "axis" }),
    words(width - right, height - 4, xLabel, "end"));
  return { area, x, y, left, right: width - right, top, bottom: height - bottom };
};

// One bar a batch, made of phases; names stand above their bars if there is no room beside them.
const stacked = (phases, text) => (width) => {
  const shown = drawn(), hasRoom = width >= 420 && shown.every(([b]) => b.name.length * letterWidth <= 150);
  const row = hasRoom ? 30 : 46, left = hasRoom ? 160 : 0, right = 84;
  const most = Math.max(...shown.map(([b]) => sum(phases(b).map((p) => p.mean)))) || 1;
  const area = svg("svg", { viewBox: `0 0 ${width} ${shown.length * row + 4}`, role: "img" });
  shown.forEach(([b], place) => {
    let start = left; const top = place * row + (hasRoom ? 5 : 20);
    area.append(hasRoom ? words(left - 10, top + 14, b.name, "end", "name") : words(0, top - 6, shortened(b.name, width), "start", "name"));
    for (const phase of phases(b)) {
      const length = phase.mean / most * (width - left - right);
      area.append(titled(svg("rect", { x: start, y: top, width: Math.max(length - 1, 0), height: 20, rx: 2, style: `fill:${phaseColour(phase.name)}` }), `${b.name}, ${phase.name}: ${text(phase.mean)}`));
      start += length;
    }
    area.append(words(start + 7, top + 14, text(sum(phases(b).map((p) => p.mean)))));
  });
  return area;
};
const phaseLegend = (phases) => [...new Set(drawn().flatMap(([b]) => phases(b).map((p) => p.name)))].map((name) => [name, `background:${phaseColour(name)}`]);

// A circle, square, diamond or triangle, as more methods than colours ask for it.
const marker = (x, y, index) => {
  const style = `fill:${colour(index)};stroke:var(--panel);stroke-width:1.5`, r = 5;
  switch (Math.floor(Math.max(hueOf(index), 0) / HUES) % 4) {
    case 0: return svg("circle", { cx: x, cy: y, r, style });
    case 1: return svg("rect", { x: x - r + .5, y: y - r + .5, width: 2 * r - 1, height: 2 * r - 1, style });
    case 2: return svg("path", { d: `M${x} ${y - r - 1}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z`, style });
    default: return svg("path", { d: `M${x} ${y - r - 1}l${r + 1} ${2 * r}h${-2 * r - 2}z`, style });
  }
};

// Boxes are [left, top, right, bottom].
const overlaps = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

// Intervals stand apart, and a name stands where it covers no interval, point or other name; the legend has them all.
const accuracyAgainstOperations = (scored) => (width) => {
  const most = Math.max(...scored.map(([b]) => total(b))) * 1.06;
  const low = Math.max(0, Math.min(...scored.map(([b]) => b.accuracy.low)) - .05), high = Math.min(1, Math.max(...scored.map(([b]) => b.accuracy.high)) + .08);
  const p = plot({ x: [0, most], y: [low, high], xLabel: "FLOP a job", yLabel: "accuracy", xText: (v) => scaled(v, ""), yText: (v) => `${Math.round(v * 100)} %`, width, height: 280 });
  const room = 12, hasRoom = scored.length * room < p.right - p.left;
  let last = -Infinity;
  const points = scored.map(([b, index]) => ({ b, index, x: p.x(total(b)), y: p.y(b.accuracy.share), ends: [p.y(b.accuracy.high), p.y(b.accuracy.low)],
    hasBar: hasRoom || chosen.has(index) })).sort((a, b) => a.x - b.x);
  for (const point of points) if (point.hasBar) { point.x = Math.max(point.x, last + room); last = point.x; }
  const barred = points.filter((point) => point.hasBar);
  // What was pushed beyond the right edge pushes back.
  let edge = p.right - 6;
  for (const point of barred.toReversed()) { point.x = Math.min(point.x, edge); edge = point.x - room; }
  for (const method of new Set(points.map((point) => point.b.series))) {
    const own = points.filter((point) => point.b.series === method);
    if (own.length > 1) p.area.append(svg("polyline", { points: own.map((point) => `${point.x},${point.y}`).join(" "), fill: "none", "stroke-dasharray": isCrowd ? "none" : "3 4", class: "joined", style: `stroke:${isCrowd ? colour(own[0].index) : "var(--muted)"}` }));
  }
  for (const { index, x, ends } of barred) for (const [x1, x2, y1, y2] of [[x, x, ...ends], [x - 4, x + 4, ends[0], ends[0]], [x - 4, x + 4, ends[1], ends[1]]])
    p.area.append(svg("line", { x1, x2, y1, y2, class: "interval", style: `stroke:${colour(index)};stroke-width:1.5` }));
  for (const { b, index, x, y } of points) p.area.append(titled(marker(x, y, index), `${b.name}: ${proportion(b.accuracy)} of ${whole(b.accuracy.scored)} at ${flops(total(b))}`));
  const taken = points.flatMap(({ x, y, ends, hasBar }) => [[x - 6, y - 6, x + 6, y + 6], ...(hasBar ? [[x - 5, ends[0] - 1, x + 5, ends[1] + 1]] : [])]);
  for (const { b, x, y, ends, hasBar } of points) {
    if (!hasBar) continue;
    const text = isCrowd ? `${b.budget ?? b.method}` : b.name, length = text.length * letterWidth;
    const places = [[x, ends[0] - 7, "middle"], [x + 9, y + 4, "start"], [x - 9, y + 4, "end"], [x, ends[1] + 15, "middle"]];
    for (const [left, base, anchor] of places) {
      const start = anchor === "start" ? left : anchor === "end" ? left - length : left - length / 2;
      const box = [start - 2, base - 10, start + length + 2, base + 3];
      if (box[0] < p.left || box[2] > width || box[1] < 0 || box[3] > p.bottom || taken.some((other) => overlaps(box, other))) continue;
      taken.push(box); p.area.append(words(left, base, text, anchor, "name")); break;
    }
  }
  return p.area;
};

const drawCharts = () => {
  at("charts").replaceChildren();
  const shown = drawn();
  if (!shown.length) return;
  chart("Operations a job", "mean by phase; one multiply-add counts 2", stacked((b) => b.flops, flops), phaseLegend((b) => b.flops));
  chart("Time a job", "mean by phase; reduction is part of vision and prefill, reused work takes none", stacked((b) => b.seconds, seconds), phaseLegend((b) => b.seconds));

  const scored = batches.map((b, index) => [b, index]).filter(([b]) => b.accuracy);
  if (scored.length) chart("Accuracy against operations",
    "answers that their items accept, but for case, articles and punctuation; bars are 95 % confidence (Wilson), lines join the budgets of one method",
    accuracyAgainstOperations(scored), isCrowd ? [...new Map(scored.map(([b, index]) => [b.budget === null || b.budget === undefined ? b.method : b.method.replace(/, keep \d+$/, ""), [index]]))].map(([text, [index]]) => [text, "", svg("svg", { width: 14, height: 14, class: "mark" }, marker(7, 7, index))]) : batchLegend(scored));

  const longest = Math.max(...shown.map(([b]) => b.latency.quantiles[99]), 1e-9);
  chart("Latency", "share of jobs done within a time; waiting in the queue not counted", (width) => {
    const p = plot({ x: [0, longest], y: [0, 1], xLabel: longest < 1 ? "ms" : "s", yLabel: "share of jobs", xText: (v) => digits(longest < 1 ? v * 1000 : v), yText: (v) => `${Math.round(v * 100)} %`, width });
    for (const [b, index] of shown) {
      const points = b.latency.quantiles.slice(0, 100).map((value, q) => `${p.x(value)},${p.y(q / 100)}`).join(" ");
      p.area.append(titled(svg("polyline", { points, fill: "none", style: `stroke:${colour(index)};stroke-width:2` }), b.name));
    }
    return p.area;
  }, batchLegend());

  const timed = shown.filter(([b]) => b.throughput);
  if (timed.length) chart("Throughput", "answers a second while the batch ran", (width) => {
    const rates = new Map(timed.map(([b, index]) => [index, b.rate.map((n) => n / (b.span / b.rate.length || 1))]));
    const p = plot({ x: [0, Math.max(...timed.map(([b]) => b.span), 1e-9)], y: [0, Math.max(...[...rates.values()].flat(), 1e-9) * 1.05], xLabel: "seconds since the first answer", yLabel: "jobs a second", width });
    for (const [b, index] of timed) {
      const part = b.span / b.rate.length;
      const points = rates.get(index).flatMap((n, k) => [`${p.x(k * part)},${p.y(n)}`, `${p.x((k + 1) * part)},${p.y(n)}`]).join(" ");
      p.area.append(titled(svg("polyline", { points, fill: "none", style: `stroke:${colour(index)};stroke-width:2` }), b.name));
    }
    return p.area;
  }, batchLegend(timed));

  if (shown.some(([b]) => b.layers.length)) chart("Visual tokens layer by layer", "V: vision tower, L: language model; mean of the jobs in the gallery", (width) => {
    // The tower's layers, then the decoder's.
    const tower = Math.max(0, ...shown.flatMap(([b]) => b.layers.filter((l) => l.place !== "decoder").map((l) => l.layer + 1)));
    const place = (l) => l.place === "decoder" ? tower + 1 + l.layer : l.place === "projector" ? tower + .5 : l.layer;
    const end = Math.max(...shown.flatMap(([b]) => b.layers.map(place))) + 1;
    const p = plot({ x: [0, end], y: [0, Math.max(...shown.map(([b]) => b.tokensIn))], xLabel: "layer", yLabel: "visual tokens", xText: (v) => v > tower && tower ? `L${digits(v - tower - 1)}` : `${tower ? "V" : "L"}${digits(v)}`, width });
    for (const [b, index] of shown) {
      if (!b.pictured) continue;
      let before = b.tokensIn; const points = [`${p.x(0)},${p.y(before)}`];
      for (const l of b.layers) { points.push(`${p.x(place(l))},${p.y(before)}`, `${p.x(place(l))},${p.y(l.tokens)}`); before = l.tokens; }
      points.push(`${p.x(end)},${p.y(before)}`);
      p.area.append(titled(svg("polyline", { points: points.join(" "), fill: "none", "stroke-linejoin": "round", style: `stroke:${colour(index)};stroke-width:2` }), b.name));
    }
    return p.area;
  }, batchLegend(shown.filter(([b]) => b.pictured)));
  finishCharts();
};
