// Charts ---------------------------------------------------------------------------------------------------------------

const svg = (tag, attributes = {}, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const words = (x, y, text, anchor = "start", kind = "") => svg("text", { x, y, "text-anchor": anchor, class: kind }, text);
const titled = (element, text) => { element.append(svg("title", {}, text)); return element; };
// Widths in the font of charts, in pixels.
const ruler = document.createElement("canvas").getContext("2d");
ruler.font = `11.5px ${getComputedStyle(document.documentElement).fontFamily}`;
const widthOf = (text) => ruler.measureText(text).width;
const shortened = (text, width) => {
  if (widthOf(text) <= width) return text;
  let length = text.length - 1;
  while (length > 3 && widthOf(text.slice(0, length) + "…") > width) length -= 1;
  return text.slice(0, length) + "…";
};
// The names of batches as labels in a chart: without what all of them begin with.
const shortNames = (() => {
  const starts = batches.map((b) => b.name.includes(" · ") ? b.name.slice(0, b.name.indexOf(" · ") + 3) : "");
  return batches.map((b) => batches.length > 1 && starts.every((start) => start === starts[0]) ? b.name.slice(starts[0].length) : b.name);
})();

// A chart is drawn when all are in their places: one unit of a drawing is one pixel of the page, so that text has its size on
// every screen.
const charts = [];
const chart = (title, note, draw, legend = [], isWide = false) => {
  const place = make("div");
  at("charts").append(make("figure", { class: isWide ? "wide chart" : "chart" }, make("h3", {}, title), make("p", {}, note), place,
    legend.length ? make("div", { class: "legend" }, ...legend.map(([text, style]) => make("span", {}, swatch(style), text))) : null));
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
const plot = ({ x: [x0, x1], y: [y0, y1], xLabel, yLabel, xText = digits, yText = digits, width, height = 230, top = 12, left = 54 }) => {
  const right = 14, bottom = 38;
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
  const shown = drawn(), hasRoom = width >= 420 && shown.every(([b]) => widthOf(b.name) <= 150);
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
  const style = `fill:${colour(index)};stroke:var(--panel);stroke-width:1.5`, r = 5, kind = "point";
  switch (Math.floor(Math.max(hueOf(index), 0) / HUES) % 4) {
    case 0: return svg("circle", { cx: x, cy: y, r, style, class: kind });
    case 1: return svg("rect", { x: x - r + .5, y: y - r + .5, width: 2 * r - 1, height: 2 * r - 1, style, class: kind });
    case 2: return svg("path", { d: `M${x} ${y - r - 1}l${r + 1} ${r + 1}l${-r - 1} ${r + 1}l${-r - 1} ${-r - 1}z`, style, class: kind });
    default: return svg("path", { d: `M${x} ${y - r - 1}l${r + 1} ${2 * r}h${-2 * r - 2}z`, style, class: kind });
  }
};

// Boxes are [left, top, right, bottom].
const overlaps = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

// Small boxes along a line.
const boxesAlong = ([x1, y1], [x2, y2]) => {
  const count = Math.max(1, Math.ceil(Math.hypot(x2 - x1, y2 - y1) / 5));
  return Array.from({ length: count + 1 }, (_, k) => [x1 + (x2 - x1) * k / count, y1 + (y2 - y1) * k / count]).map(([x, y]) => [x - 1, y - 1, x + 1, y + 1]);
};

// Puts a label at every point, where it covers no interval, point, line or other label; one that stands away from its point has a
// line to it. `bounds` is the box that labels stay in, `lines` are boxes along other lines, `text` gives the label of a point.
const labelPoints = (area, points, bounds, lines, text) => {
  const [left, top, right, bottom] = bounds;
  const taken = lines.concat(points.flatMap(({ x, y, ends }) => [[x - 6, y - 6, x + 6, y + 6], [x - 5, ends[0] - 1, x + 5, ends[1] + 1]]));
  const leaders = svg("g"), labels = svg("g");
  for (const point of points) {
    const { x, y, ends } = point, label = shortened(text(point), right - left - 4), length = widthOf(label);
    const boxAt = (start, base) => [start - 2, base - 10, start + length + 2, base + 3];
    const isFree = (box) => box[0] >= left && box[2] <= right && box[1] >= top && box[3] <= bottom && !taken.some((other) => overlaps(box, other));
    // A label above or below slides aside at the edges.
    const middle = Math.min(Math.max(x - length / 2, left + 2), right - length - 2);
    const beside = [[middle, ends[0] - 5], [x + 9, y + 4], [x - 9 - length, y + 4], [middle, ends[1] + 13]];
    let [start, base] = beside.find((place) => isFree(boxAt(...place))) || [], isAway = false;
    if (start === undefined) {
      // The nearest of all free places.
      let least = Infinity;
      for (let row = top + 11; row <= bottom - 3; row += 4) for (let column = left + 2; column + length + 2 <= right; column += 6) {
        const distance = Math.hypot(Math.max(column - x, 0, x - column - length), 1.5 * (row - 4 - y));
        if (distance < least && isFree(boxAt(column, row))) { least = distance; [start, base] = [column, row]; isAway = true; }
      }
    }
    if (start === undefined) [start, base] = beside[0];
    taken.push(boxAt(start, base));
    if (isAway) leaders.append(svg("line", { x1: Math.min(Math.max(x, start), start + length), y1: base > y ? base - 10 : base + 2, x2: x, y2: y, class: "leader" }));
    labels.append(words(start, base, label, "start", "name"));
  }
  area.prepend(leaders);
  area.append(labels);
};

const intervalOf = ({ x, ends, index }) => [[x, x, ...ends], [x - 4, x + 4, ends[0], ends[0]], [x - 4, x + 4, ends[1], ends[1]]].map(([x1, x2, y1, y2]) =>
  svg("line", { x1, x2, y1, y2, class: "interval", style: `stroke:${colour(index)};stroke-width:1.5` }));

// Points with their intervals at least `room` pixels apart, joined if they are of one method, and labelled.
const drawPoints = (p, scored, text, bounds, room = 12, lines = []) => {
  const points = scored.map(([b, index]) => ({ b, index, x: p.x(total(b)), y: p.y(b.accuracy.share), ends: [p.y(b.accuracy.high), p.y(b.accuracy.low)] })).sort((a, b) => a.x - b.x);
  let last = -Infinity, edge = p.right - 6;
  for (const point of points) { point.x = Math.max(point.x, last + room); last = point.x; }
  // What was pushed beyond the right edge pushes back.
  for (const point of points.toReversed()) { point.x = Math.min(point.x, edge); edge = point.x - room; }
  const drawing = svg("g");
  for (const method of new Set(points.filter(({ b }) => isReduced(b)).map(({ b }) => b.series))) {
    const own = points.filter((point) => isReduced(point.b) && point.b.series === method);
    own.slice(1).forEach((point, k) => lines.push(...boxesAlong([own[k].x, own[k].y], [point.x, point.y])));
    if (own.length > 1) drawing.append(svg("polyline", { points: own.map((point) => `${point.x},${point.y}`).join(" "), class: "joined",
      style: `stroke:var(--b${hueOf(own[0].index) % HUES})` }));
  }
  drawing.append(...points.flatMap(intervalOf));
  for (const { b, index, x, y } of points) drawing.append(titled(marker(x, y, index), `${b.name}: ${proportion(b.accuracy)} of ${whole(b.accuracy.scored)} at ${flops(total(b))}`));
  labelPoints(drawing, points, bounds, lines, text);
  p.area.append(drawing);
};

// The range of some operations with room at both ends.
const around = (values) => {
  const low = Math.min(...values), high = Math.max(...values), room = (high - low) * .08 || high * .1 || 1;
  return [Math.max(0, low - room), high + room];
};
// The range of accuracies with their intervals, and below it room for a line of text.
const shares = (scored) => {
  const low = Math.min(...scored.map(([b]) => b.accuracy.low)), high = Math.max(...scored.map(([b]) => b.accuracy.high));
  return [Math.max(0, low - Math.max(.05, .17 * (high - low))), Math.min(1, high + .04)];
};
const inPercent = (value) => `${Math.round(value * 100)} %`;

const accuracyAgainstOperations = (scored) => (width) => {
  const p = plot({ x: around(scored.map(([b]) => total(b))), y: shares(scored), xLabel: "FLOP a job", yLabel: "accuracy", xText: (v) => scaled(v, ""), yText: inPercent, width, height: 290, top: 20 });
  drawPoints(p, scored, ({ index }) => shortNames[index], [p.left, 0, width, p.bottom]);
  return p.area;
};

// Of many batches each method has a panel with its budgets; the accuracies of all panels have one scale.
const accuracyByMethod = (scored) => (width) => {
  const grey = scored.filter(([b]) => !isReduced(b)), [low, high] = shares(scored);
  const methods = [...new Set(scored.filter(([b]) => isReduced(b)).map(([b]) => b.series))];
  const columns = Math.max(1, Math.floor((width + 14) / 260)), across = Math.floor((width - 14 * (columns - 1)) / columns);
  return make("div", { class: "panels", style: `grid-template-columns:repeat(${columns}, minmax(0, 1fr))` }, ...methods.map((method) => {
    const own = scored.filter(([b]) => isReduced(b) && b.series === method), index = own[0][1];
    const p = plot({ x: around(own.map(([b]) => total(b))), y: [low, high], xLabel: "", yLabel: "accuracy", xText: (v) => scaled(v, ""), yText: inPercent, width: across, height: 186, top: 20, left: 44 });
    for (const [b] of grey) p.area.append(titled(svg("line", { x1: p.left, x2: p.right, y1: p.y(b.accuracy.share), y2: p.y(b.accuracy.share), class: "baseline" }), `${b.name}: ${proportion(b.accuracy)}`));
    const baselines = grey.flatMap(([b]) => boxesAlong([p.left, p.y(b.accuracy.share)], [p.right, p.y(b.accuracy.share)]));
    drawPoints(p, own, ({ b }) => `${b.budget}`, [p.left, 0, across, p.bottom], 14, baselines);
    return make("div", {}, make("h4", {}, swatch(`background:${colour(index)}`), own[0][0].method.replace(/, keep \d+$/, "")), p.area);
  }));
};

const drawCharts = () => {
  at("charts").replaceChildren();
  const shown = drawn();
  if (!shown.length) return;
  chart("Operations a job", "mean by phase; one multiply-add counts 2", stacked((b) => b.flops, flops), phaseLegend((b) => b.flops));
  chart("Time a job", "mean by phase; reduction is part of vision and prefill, reused work takes none", stacked((b) => b.seconds, seconds), phaseLegend((b) => b.seconds));

  const scored = batches.map((b, index) => [b, index]).filter(([b]) => b.accuracy), isByMethod = isCrowd && scored.some(([b]) => isReduced(b));
  const bars = "bars are 95 % confidence (Wilson), lines join the budgets of one method";
  const rule = "answers that their items accept, but for case, articles and punctuation";
  if (scored.length && !isByMethod) chart("Accuracy against operations", `${rule}; ${bars}`, accuracyAgainstOperations(scored), batchLegend(scored));

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
  if (isByMethod) chart("Accuracy against operations", `${rule}, over FLOP a job; numbers at points are the visual tokens to keep, ${bars}, `
    + "the dashed line reduces nothing; accuracy has one scale in all panels", accuracyByMethod(scored), [], true);
  finishCharts();
};
