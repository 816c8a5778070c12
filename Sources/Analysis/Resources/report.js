// A zero byte stands for what is no number.
const data = JSON.parse(document.getElementById("data").textContent, (_, value) => (value === "\0" ? NaN : value));
const batches = data.batches, comparison = data.comparison, at = (id) => document.getElementById(id);

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
const whole = (value) => value.toLocaleString("en-US");
const scaled = (value, unit, units = ["", "k", "M", "G", "T", "P"]) => {
  let power = 0;
  while (Math.abs(value) >= 999.5 && power < units.length - 1) { value /= 1000; power += 1; }
  return `${digits(value)} ${units[power]}${unit}`;
};
const flops = (value) => scaled(value, "FLOP");
const seconds = (value) => value < 1 ? `${digits(value * 1000)} ms` : value < 120 ? `${digits(value)} s`
  : value < 7200 ? `${digits(value / 60)} min` : `${digits(value / 3600)} h`;
const percent = (value) => `${digits(value * 100)} %`;
const proportion = (p) => p ? `${percent(p.share)} (${digits(p.low * 100, 2)}–${digits(p.high * 100, 2)})` : "–";
// A difference of shares in points; strong if its interval leaves 0 out. Pictures that all say the same, such as a single one, make no interval.
const signed = (value) => value === 0 ? "0" : `${value < 0 ? "−" : "+"}${Math.abs(value * 100).toFixed(1)}`;
const difference = (d) => d && !(d.low < d.high) ? make("span", { class: "difference", title: "the pictures do not differ enough for an interval" }, signed(d.value))
  : d ? make(d.low > 0 || d.high < 0 ? "strong" : "span", { class: `difference ${d.high < 0 ? "wrong" : d.low > 0 ? "right" : ""}` },
  `${signed(d.value)} (${signed(d.low)}\u00a0to\u00a0${signed(d.high)})`) : "–";
// A number with its unit in small print.
const measured = (text) => { const [number, ...unit] = text.split(" "); return make("span", {}, number, make("small", {}, ` ${unit.join(" ")}`)); };
// The least and the largest of some values, which may break between the two: "6.37–18.4 ms", "982 ms–1.2 s".
const spread = (values, text) => {
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => text(value));
  if (low === high) return measured(high);
  const isOfOneUnit = low.split(" ").slice(1).join(" ") === high.split(" ").slice(1).join(" ");
  return make("span", {}, isOfOneUnit ? low.split(" ")[0] : measured(low), "–", make("wbr"), measured(high));
};
const sum = (values) => values.reduce((total, value) => total + value, 0);
const phaseOf = (phases, name) => sum(phases.filter((p) => p.name === name).map((p) => p.mean));
const total = (batch) => sum(batch.flops.map((p) => p.mean));

// Colours --------------------------------------------------------------------------------------------------------------

// Batches have one palette, phases another. Results of one method have one hue: its budgets are shades of it, or of many batches
// all alike. What reduces nothing is grey if all others do.
const HUES = 8, isCrowd = batches.length > HUES;
const isReduced = (b) => b.budget !== null && b.budget !== undefined;
const isGrey = (b) => !isReduced(b) && batches.length > 1 && batches.filter((other) => !isReduced(other)).length === 1;
const series = [...new Set(batches.filter((b) => !isGrey(b)).map((b) => b.series))];
const hueOf = (index) => isGrey(batches[index]) ? -1 : series.indexOf(batches[index].series);
const colour = (index) => {
  if (hueOf(index) < 0) return "var(--unreduced)";
  const hue = `var(--b${hueOf(index) % HUES})`, own = batches.filter((b) => !isGrey(b) && b.series === batches[index].series);
  const place = own.indexOf(batches[index]), count = own.length;
  if (count < 2 || isCrowd) return hue;
  // From dark to light.
  const shade = count === 2 ? place : 2 * place / (count - 1) - 1;
  return shade === 0 ? hue : `color-mix(in oklab, ${hue} ${Math.round(100 - (shade < 0 ? 40 : 38) * Math.abs(shade))}%, var(--${shade < 0 ? "ink" : "panel"}))`;
};
const phaseColour = (name) => `var(--phase-${name.replaceAll(" ", "-")})`;
const swatch = (style) => make("span", { class: "swatch", style });
const named = (index) => make("span", {}, swatch(`background:${colour(index)}`), batches[index].name);

// The batches that are drawn and stand side by side; all of a few, of many the first of some methods.
const chosen = new Set(batches.map((_, index) => index));
if (isCrowd) batches.forEach((b, index) => { if (batches.findIndex((other) => other.series === b.series) !== index || index >= 60) chosen.delete(index); });
if (isCrowd) [...chosen].slice(4).forEach((index) => chosen.delete(index));
const drawn = () => batches.map((b, index) => [b, index]).filter(([, index]) => chosen.has(index));

// Summary --------------------------------------------------------------------------------------------------------------

// A long value is smaller and may break, so that it stays in its tile.
const card = (label, value, more, bad) => {
  const shown = typeof value === "string" ? measured(value) : value, length = shown.textContent.length;
  return make("div", { class: bad ? "card bad" : "card" }, make("div", { class: "label" }, label),
    make("div", { class: length > 16 ? "longest value" : length > (typeof value === "string" ? 11 : 9) ? "long value" : "value" }, shown), make("div", { class: "more" }, more));
};

// What methods side by side have in common is a sum; of all else each has its own, from the least to the largest: a mean of several
// methods would be the value of none. Batches about other questions make one mean over all jobs, but for medians.
const summarise = () => {
  const jobs = sum(batches.map((b) => b.jobs)), failed = sum(batches.map((b) => b.failed)), ok = jobs - failed;
  const mean = (value, count = (b) => b.jobs - b.failed) => sum(batches.map((b) => value(b) * count(b))) / sum(batches.map(count));
  const pictured = batches.filter((b) => b.pictured), count = sum(pictured.map((b) => b.pictured));
  const overall = (of, value, text, weight) => comparison ? spread(of.map(value), text) : measured(text(mean(value, weight)));
  const scored = batches.filter((b) => b.accuracy), timed = batches.filter((b) => b.throughput);
  const first = ["prefill", "vision to prefill"].find((name) => batches.every((b) => b.flops.some((p) => p.name === name)));
  const isEach = comparison !== null && comparison !== undefined, medians = spread(batches.map((b) => b.latency.p50), seconds);
  const cards = [
    card("jobs", whole(jobs), `${batches.length} ${batches.length === 1 ? "batch" : comparison ? "side by side" : "batches"}`),
    card("failed", whole(failed), failed ? percent(failed / jobs) + " of all" : "none", failed > 0),
    card("visual tokens", count ? overall(pictured, (b) => b.tokensOut, digits, (b) => b.pictured) : "–", !count ? "no answer is about a picture"
      : `of ${digits(mean((b) => b.tokensIn, (b) => b.pictured))} are kept, on average${count < ok ? " where there is a picture" : ""}${isEach ? "; least to most" : ""}`),
    card("operations a job", overall(batches, total, flops), isEach ? "means; least to most" : !first ? "mean of all"
      : `${percent(mean((b) => phaseOf(b.flops, first)) / mean(total))} of them ${first === "prefill" ? "read the prompt" : "before the first token"}`),
    card("latency", medians, `${batches.length === 1 ? "median" : "medians"}; 95 % within ${seconds(Math.max(...batches.map((b) => b.latency.p95)))}`),
  ];
  if (timed.length) cards.push(card("throughput", `${digits(Math.max(...timed.map((b) => b.throughput)))} /s`, batches.length > 1 ? "jobs, the fastest batch" : "jobs, over the whole batch"));
  if (scored.length) {
    const best = scored.reduce((a, b) => b.accuracy.share > a.accuracy.share ? b : a);
    cards.push(card("accuracy", percent(best.accuracy.share), scored.length > 1 ? `best: ${best.name}` : `of ${whole(best.accuracy.scored)} with known answers`));
  }
  at("cards").append(...cards);
};

// A heading is a text, and perhaps a class of its cells; narrow screens show each row as a block with headings beside cells.
const table = (headings, rows) => make("table", {},
  make("thead", {}, make("tr", {}, ...headings.map(([text, kind]) => make("th", { class: kind || null, scope: "col" }, text)))),
  make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell, index) =>
    make("td", { class: headings[index][1] || null, "data-label": headings[index][2] || headings[index][0] }, cell))))));

const listBatches = () => {
  const most = Math.max(...batches.map(total)), isOne = batches.length === 1;
  const choice = (index) => {
    const box = make("input", { type: "checkbox", "aria-label": `show ${batches[index].name}` });
    box.checked = chosen.has(index);
    box.addEventListener("change", () => { if (box.checked) chosen.add(index); else chosen.delete(index); showChosen(); });
    return make("label", { class: "choice" }, box, named(index));
  };
  at("batches-title").textContent = isOne ? "Batch" : comparison ? "Methods" : "Batches";
  if (isOne) at("batches-note").remove();
  else at("batches-note").textContent = `What is ticked is in the charts${comparison ? " and side by side" : ""}. Accuracy has its 95 % interval (Wilson).`;
  // A name that tells its method needs no column for it.
  const methods = isOne || batches.some((b) => !b.name.endsWith(b.method));
  const folders = new Set(batches.map((b) => b.folder)).size > 1, isTimed = batches.some((b) => b.throughput);
  if (isCrowd) at("batches").classList.add("many");
  at("batches").append(table(
    [[isOne ? "batch" : "name", "text"], ...(methods ? [["method", "text"]] : []), ...(folders ? [["folder", "text"]] : []), ["jobs", "number"], ["failed", "number"], ["visual tokens", "number"],
      ["operations a job", "number"], ["median latency", "number"], ["95 %", "number", "95 % within"], ...(isTimed ? [["jobs/s", "number"]] : []), ["accuracy", "number"]],
    batches.map((b, index) => [
      isOne ? named(index) : choice(index), ...(methods ? [b.method] : []), ...(folders ? [b.folder] : []),
      whole(b.jobs), b.failed ? make("span", { class: "wrong" }, whole(b.failed)) : "0",
      b.pictured ? `${digits(b.tokensIn)} → ${digits(b.tokensOut)}` : "–",
      make("span", {}, flops(total(b)), make("span", { class: "bar" }, make("i", { style: `width:${100 * total(b) / most}%;background:${colour(index)}` }))),
      seconds(b.latency.p50), seconds(b.latency.p95), ...(isTimed ? [digits(b.throughput)] : []), proportion(b.accuracy),
    ])));
};

const listFailures = () => {
  const rows = batches.flatMap((b) => b.failures.map((failure) => [b.name, whole(failure.count), failure.reason, failure.example]));
  if (!rows.length) { at("failures-section").remove(); return; }
  at("failures").append(table([["batch"], ["jobs", "number"], ["reason", "wide"], ["such as"]], rows));
};

// Comparison -----------------------------------------------------------------------------------------------------------

const listPairs = () => {
  const filter = (count, right, wrong) => count === 0 ? "0" : make("button", { type: "button", class: "count", title: "show those in this page",
    onclick: () => { at("right-in").value = right; at("wrong-in").value = wrong; showFitting(); at("gallery-section").scrollIntoView(); } }, whole(count));
  const shown = comparison.pairs.filter((p) => chosen.has(p.first) && chosen.has(p.second));
  const scored = shown.some((p) => p.difference);
  at("pairs").replaceChildren(table(
    [["A"], ["B"], ["same answer", "number"], ...(scored ? [["both right", "number"], ["only A right", "number"], ["only B right", "number"], ["both wrong", "number"],
      ["B minus A, points", "number"]] : [])],
    shown.map((p) => [named(p.first), named(p.second), proportion(p.agreement), ...(scored ? [
      whole(p.both), filter(p.onlyFirst, p.first, p.second), filter(p.onlySecond, p.second, p.first), whole(p.neither), difference(p.difference)] : [])])));
};

const listGroups = () => {
  if (!comparison.groups.some((g) => g.cells.some((c) => c.accuracy))) { at("groups").hidden = true; return; }
  const shown = [...chosen].sort((a, b) => a - b), reference = batches[0].name;
  at("groups").replaceChildren(table(
    [["questions"], ["number", "number"], ...shown.map((index) => [index === 0 ? named(0) : make("span", {}, named(index)), "number", batches[index].name])],
    comparison.groups.map((g) => [g.label ? `${g.label}: ${g.value}` : "all", whole(g.questions), ...shown.map((index) => {
      const cell = g.cells[index];
      return index === 0 || !cell.difference ? proportion(cell.accuracy)
        : make("span", { class: "two" }, proportion(cell.accuracy), make("br"), make("small", { title: `minus ${reference}` }, difference(cell.difference)));
    })])));
};

const compare = () => {
  if (!comparison) { at("comparison-section").remove(); return; }
  const unshared = batches.map((b, index) => [b, comparison.unshared[index]]).filter(([, count]) => count > 0);
  const isAll = comparison.pairs.length === batches.length * (batches.length - 1) / 2;
  at("comparison-note").textContent = `${whole(comparison.questions)} questions that all of them answered`
    + (unshared.length ? `; left out are ${unshared.map(([b, count]) => `${whole(count)} of ${b.name}`).slice(0, 4).join(", ")}${unshared.length > 4 ? " and more" : ""}` : "")
    + `. Answers are the same but for case, articles and punctuation. By label: accuracy, below it the difference to ${batches[0].name} in points. `
    + `Differences have 95 % intervals over pictures, both methods on the same ones (paired bootstrap)${isAll ? "" : `; each method stands beside ${batches[0].name}`}.`;
};
