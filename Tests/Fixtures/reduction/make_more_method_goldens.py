#!/usr/bin/env python3
"""Makes method_goldens_more.json and method_budgets.json: what the oracles in method_oracle_more.py compute.

    make_more_method_goldens.py

Inputs come from the generator of make_reduction_goldens.py, as in make_method_goldens.py, whose fields these cases share.
Added are, each from a seed of its own:

    seed + 4000   query of the next block, six times states(rows, 10); only the class token's row is used   (prumerge)
    seed + 5000   keys with heads side by side, states(rows, 10)          (prumerge: the next block's; dart: after rotation)
    seed + 6000   the decoder's input embeddings, states(rows, width)     (sparsevlm)
    seed + 7000   cosines of question and patches, states(segments, N)    (cdpruner)
    seed + 8000   weights of the decoder's final norm, 0.5 + numbers(width)                                    (dart)
    seed + 1000 + 10 l   the attention of layer l of `layers`             (attention-rollout)

With `alike` m, visual token i has every input of visual token i mod m: rows, and columns of the attention after its rows
have been normalised. `merges` lists sources that go with each of their targets; `neighbours` (4 x 4 grids) what each kept
token takes in, kept ones included. Where `keep` is left to the method (`count`: adaptive) it is what came out. No decision
in any case changes when all inputs move by a millionth.
"""
import json
import pathlib

import numpy as np

import method_oracle_more as oracle
from make_reduction_goldens import Generator, attention, states

HEADS, KEY_WIDTH, NOISE = 3, 10, 1e-6


class Inputs:
    """The inputs of one case; with a `noise` seed every number is off by up to a millionth."""

    def __init__(self, case, noise=None):
        self.case = case
        self.count = case["grid"][0] * case["grid"][1]
        self.first = case["text"][0]
        self.rows = sum(case["text"]) + self.count
        self.image = slice(self.first, self.first + self.count)
        self.random = np.random.default_rng(noise) if noise is not None else None

    def made(self, numbers, axes):
        """The numbers with noise, and alike along the given axes where the case says so."""
        if self.random is not None:
            numbers = numbers * (1 + NOISE * self.random.uniform(-1, 1, numbers.shape))
        period = self.case.get("alike")
        for axis, first in axes if period else []:
            source = np.arange(numbers.shape[axis])
            source[first:first + self.count] = first + np.arange(self.count) % period
            numbers = np.take(numbers, source, axis)
        return numbers

    def table(self, offset, width, scale=1.0):
        return self.made(scale * states(Generator(self.case["seed"] + offset), self.rows, width), [(0, self.first)])

    def states(self):
        return self.table(0, self.case["width"])

    def map(self, layer=0):
        whole = attention(Generator(self.case["seed"] + 1000 + 10 * layer), HEADS, self.rows, "probabilities",
                          self.case["causal"])
        return self.made(whole, [(1, self.first), (2, self.first)]).mean(0)

    def observer(self):
        return self.map()[0 if self.case["class_token"] else -1, self.image]

    def cosines(self):
        numbers = states(Generator(self.case["seed"] + 7000), self.case["segments"], self.count)
        return self.made(numbers, [(1, 0)])

    def norm(self):
        return self.made(0.5 + Generator(self.case["seed"] + 8000).numbers(self.case["width"]), [])


def pru_merge(case, given):
    options, keys = case["options"], given.table(5000, KEY_WIDTH)
    a = oracle.next_block_attention(given.table(4000, KEY_WIDTH, 6.0)[0], keys)
    more = dict(neighbours=int(options.get("neighbours", 32)))
    if case["method"] == "prumerge+":
        more["attention"] = float(options.get("attention", 0.25))
    method = oracle.pru_merge_plus if case["method"] == "prumerge+" else oracle.pru_merge
    keep = None if options.get("count") == "adaptive" else case["keep"]
    return method(given.states()[given.image], a, keys[given.image], keep, **more)


def sparse_vlm(case, given):
    options, embedded = case["options"], given.table(6000, case["width"])
    text = given.image.stop
    raters = oracle.raters(embedded[given.image], embedded[text:])
    score = given.map()[[text + j for j in raters], given.image].mean(0)
    return oracle.sparse_vlm(given.states()[given.image], score, case["keep"], options.get("recycle") != "false",
                             options.get("order", "score"))


def dart(case, given):
    options, x = case["options"], given.states()
    kept = oracle.dart(x * given.norm(), given.table(5000, KEY_WIDTH), (given.image.start, given.image.stop), case["keep"],
                       int(options.get("image-pivots", 4)), int(options.get("text-pivots", 4)))
    return oracle.plain(x[given.image], kept)


def holo_v(case, given):
    options = case["options"]
    return oracle.holo_v(given.states()[given.image], given.observer(), case["keep"], int(options.get("crops", 16)),
                         float(options.get("variance", 0.09)), options.get("order", "published"))


def cd_pruner(case, given):
    sign = 1 if case["options"].get("relevance") == "positive" else -1
    return oracle.conditional_dpp(given.states()[given.image], oracle.relevance(given.cosines(), sign), case["keep"])


def rollout(case, given):
    last = given.rows - 1
    observers = {"class": [0], "last": [last]}[case["observer"]]
    scores = oracle.rollout_scores([given.map(layer) for layer in range(case["layers"])], observers,
                                   (given.image.start, given.image.stop))
    step = oracle.plain(given.states()[given.image], sorted(oracle.descending(scores)[:case["keep"]]))
    step.scores = scores
    return step


METHODS = {
    "prumerge": pru_merge, "prumerge+": pru_merge, "sparsevlm": sparse_vlm, "dart": dart, "holov": holo_v,
    "cdpruner": cd_pruner, "attention-rollout": rollout,
    "pyramiddrop": lambda case, given: oracle.pyramid_drop(given.states()[given.image], given.observer(), case["keep"]),
}

TOWER = dict(text=(1, 0), class_token=True, causal=False)
PROJECTOR = dict(text=(0, 0), class_token=False, causal=False)
DECODER = dict(text=(5, 8), class_token=False, causal=True)


def cases():
    small = [((4, 4), (1, 2, 7, 15)), ((6, 6), (9, 20, 35)), ((4, 9), (11, 24))]
    large = [((12, 12), (64, 12))]
    for method, place, variants, sizes in [
        ("prumerge", TOWER, [{}, {"neighbours": "3"}], small),
        ("prumerge", TOWER, [{"count": "adaptive"}], [((4, 4), (0, 0, 0)), ((6, 6), (0, 0, 0)), ((12, 12), (0, 0))]),
        ("prumerge+", TOWER, [{}, {"attention": "0.5", "neighbours": "5"}, {"attention": "0.0"}], small),
        ("prumerge+", TOWER, [{"count": "adaptive"}], [((4, 4), (0, 0)), ((6, 6), (0, 0, 0)), ((12, 12), (0, 0))]),
        ("sparsevlm", DECODER, [{}, {"recycle": "false"}], small + large),
        ("pyramiddrop", DECODER, [{}], small),
        ("dart", DECODER, [{}, {"image-pivots": "2", "text-pivots": "1"}, {"text-pivots": "0"}], small + large),
        ("holov", TOWER, [{}, {"crops": "4"}, {"crops": "5", "order": "sequence"}, {"variance": "1.0"}], small + large),
        ("cdpruner", PROJECTOR, [{}, {"relevance": "positive"}], small),
        ("attention-rollout", TOWER, [{}], small),
        ("attention-rollout", DECODER, [{}], small),
    ]:
        for options in variants:
            for grid, keeps in sizes:
                for keep in keeps:
                    width = max(40, keep + 4) if method == "cdpruner" else 6
                    extra = {"segments": 1 + keep % 3} if method == "cdpruner" else {}
                    if method == "attention-rollout":
                        extra = {"layers": 1 + keep % 3, "observer": "class" if place is TOWER else "last"}
                    yield dict(method=method, options=options, grid=grid, keep=keep, width=width, **extra, **place)
    # Ties: all tokens alike, or a few kinds of them.
    for method, place, extra, keeps in [
        ("prumerge", TOWER, {}, (3, 9)), ("prumerge+", TOWER, {}, (3, 9)), ("sparsevlm", DECODER, {}, (3, 9)),
        ("pyramiddrop", DECODER, {}, (3, 9)), ("dart", DECODER, {}, (3, 9)), ("holov", TOWER, {}, (3, 9)),
        ("cdpruner", PROJECTOR, {"segments": 1}, (3, 9)),
        ("attention-rollout", TOWER, {"layers": 2, "observer": "class"}, (3, 9)),
    ]:
        for alike in (1, 5):
            for keep in keeps:
                width = 40 if method == "cdpruner" else 6
                yield dict(method=method, options={}, grid=(4, 4), keep=keep, width=width, alike=alike, **extra, **place)


def outcome(step):
    return list(map(int, step.kept)), [list(map(int, pair)) for pair in step.merges or []], getattr(step, "neighbours", {})


def run(case):
    """The step, if no decision depends on the last digits; else None."""
    step = METHODS[case["method"]](case, Inputs(case))
    for noise in range(4):
        if outcome(METHODS[case["method"]](case, Inputs(case, noise))) != outcome(step):
            return None
    return step


def record(case, step):
    adaptive = case["options"].get("count") == "adaptive"
    case["keep"] = len(step.kept) if adaptive else case["keep"]
    assert len(step.kept) == len(set(step.kept)) == case["keep"] == len(step.states)
    case["kept"], case["merges"], near = outcome(step)
    if near and case["grid"] == (4, 4):
        case["neighbours"] = [[int(i), [int(j) for j in near[i]]] for i in sorted(near)]
    if hasattr(step, "scores"):
        case["scores"] = [float(v) for v in step.scores]
    if len(case["kept"]) <= 9:
        case["states"] = [[float(v) for v in row] for row in step.states]
    else:
        case["row_sums"] = [float(v) for v in step.states @ np.where(np.arange(case["width"]) % 3, 1.0, -1.0)]
    return case


def budgets():
    """How counts come about, where a rule and not a ranking settles them."""
    shares = [[0.02, 0.5, 0.1, 0.1, 0.28], [1, 1, 1, 1], [0, 0, 0], [3, 0, 0, 1], [0.5, 0.25, 0.125, 0.125]]
    sizes = [[3, 3, 3, 3, 2], [4, 4, 4, 4], [5, 5, 5], [7, 7, 6, 6], [36, 36, 36, 36]]
    sample = Generator(77).numbers(40)
    lists = [list(sample ** 30), list(sample[:5]), [0.25] * 4, [1.0, 2.0, 3.0, 100.0], [7.0]]
    return {
        "geometric": [dict(count=n, keep=keep, stages=stages, counts=oracle.geometric_counts(n, keep, stages))
                      for n, keep, stages in [(576, 72, 3), (576, 64, 3), (576, 192, 3), (36, 1, 3), (16, 15, 2), (2, 1, 3)]],
        "average": [dict(count=576, average=average, layers=layers, depth=depth,
                         counts=oracle.average_counts(576, average, layers, depth))
                    for average in (576, 270, 192, 145, 144, 128)
                    for layers, depth in (((8, 16, 24), 32), ((2,), 32), ((3, 7, 16), 32), ((10, 20, 30), 40))],
        "sparsevlm": [dict(count=n, keep=keep, kept=oracle.sparse_counts(n, keep)[0],
                           clusters=oracle.sparse_counts(n, keep)[1])
                      for n, keep in [(576, 309), (309, 204), (204, 113), (576, 64), (576, 18), (576, 2), (576, 1),
                                      (576, 575), (16, 15), (16, 1), (2, 1), (144, 40)]],
        "dart": [dict(keep=keep, image_pivots=image, text_pivots=text, shares=oracle.dart_shares(keep, image, text))
                 for keep, image, text in [(132, 4, 4), (128, 4, 4), (64, 4, 4), (5, 4, 4), (4, 4, 4), (2, 2, 4), (9, 2, 0)]],
        "quotas": [dict(scores=scores, sizes=size, keep=keep, quotas=oracle.quotas(scores, size, keep))
                   for scores, size in zip(shares, sizes) for keep in (1, 2, sum(size) // 2, sum(size) - 1)],
        "crops": [dict(count=n, crops=crops, bounds=oracle.crop_bounds(n, crops))
                  for n, crops in [(576, 16), (36, 16), (16, 16), (5, 16), (37, 5)]],
        "outliers": [dict(values=[float(v) for v in values], count=oracle.outliers(np.array(values))) for values in lists],
        "grid": [dict(count=n, outliers=k, grid=oracle.adaptive_grid(n, k))
                 for n, k in [(576, 32), (576, 3), (36, 0), (36, 1), (36, 5), (36, 20), (16, 2)]],
    }


def write(name, lines, opening, closing):
    target = pathlib.Path(__file__).with_name(name)
    target.write_text(opening + ",\n".join(lines) + closing)
    print(f"{name}: {len(lines)} entries, {target.stat().st_size} bytes")


def main():
    out, seed, tries = [], 900, 0
    for case in cases():
        while True:
            case["seed"] = seed
            seed, tries = seed + 1, tries + 1
            step = run(case)
            if step is not None:
                break
        out.append(record(case, step))
    print(f"{tries} seeds tried")
    dense = lambda value: json.dumps(value, separators=(",", ":"))
    write("method_goldens_more.json", [dense(case) for case in out], "[\n", "\n]\n")
    write("method_budgets.json", [f"{dense(key)}:{dense(value)}" for key, value in budgets().items()], "{\n", "\n}\n")


if __name__ == "__main__":
    main()
