#!/usr/bin/env python3
"""Makes reduction_goldens.json: what a float64 oracle of FiCoCo computes for inputs anybody can make again.

    make_reduction_goldens.py ORACLE_FOLDER [OUTPUT]

ORACLE_FOLDER holds `ficoco_oracle.py`, a numpy transcription of the paper's equations and of the authors' code. FiCoCo-L
with both terms of length one is transcribed here. The inputs are not stored:
they come from the small generator below, which the Swift tests repeat number for number. Only +, *, / and exact
integer arithmetic are used to make them, so that both sides agree to the last bit.
"""
import json
import pathlib
import sys

import numpy as np

MASK = (1 << 64) - 1


class Generator:
    """A 64-bit linear congruential generator (Knuth's MMIX constants); numbers are the upper 53 bits over 2^53."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & MASK
        return (self.state >> 11) / float(1 << 53)

    def numbers(self, count):
        return np.array([self.next() for _ in range(count)])


def states(generator, rows, width):
    return 2 * generator.numbers(rows * width).reshape(rows, width) - 1


def attention(generator, heads, rows, kind, causal):
    """(heads, rows, rows). Logits lie in -2 … 6; probabilities are rows of u^4 over their sum, so that a few stand out."""
    cells = generator.numbers(heads * rows * rows).reshape(heads, rows, rows)
    if kind == "logits":
        return 8 * cells - 2
    cells = (cells * cells) * (cells * cells)
    if causal:
        cells = np.where(np.tril(np.ones((rows, rows), bool)), cells, 0.0)
    # cumsum adds from left to right, as the Swift side does; sum() would add pairwise.
    return cells / np.cumsum(cells, -1)[..., -1:]


def column_of(value):
    return {"row": "row", "column": "col"}[value]


def make_vision(oracle, case):
    grid, options = case["grid"], case["options"]
    kind = options.get("scores", "probabilities")
    x = states(Generator(case["seed"]), grid[0] * grid[1] + 1, case["width"])
    positions = np.arange(grid[0] * grid[1])
    for layer, removal in enumerate(case["removals"]):
        a = attention(Generator(case["seed"] + 1000 + layer), case["heads"], len(x), kind, False)
        # The oracle's grid is square; it reads only the columns of it, and all whole windows of the rows, see main().
        red = oracle.reduce_v(x, a, removal, oracle.VParams(
            lam=float(options.get("lambda", 0.65 if options.get("normalize") == "l2" else 0.35)),
            normalize=options.get("normalize"), eps=float(options.get("epsilon", 0.998)),
            window=int(options.get("window", 2)), coef=float(options.get("penalty", 2)),
            vision_axis=column_of(options.get("axis", "column")), grid=grid[1], grid_pos=positions))
        yield red, len(x)
        x, positions = red.states, red.extra["grid_pos"]


def make_language(oracle, case):
    grid, options = case["grid"], case["options"]
    count = grid[0] * grid[1]
    before, after = case["text"]
    x = states(Generator(case["seed"]), before + count + after, case["width"])
    for layer, removal in enumerate(case["removals"]):
        a = attention(Generator(case["seed"] + 1000 + layer), case["heads"], len(x), "probabilities", case["causal"])
        reduce = language_of_length_one if options.get("normalize") == "l2" else oracle.reduce_l
        red = reduce(x, a, (before, before + count), removal, oracle.LParams(
            beta=float(options.get("beta", 0.6)), gamma=float(options.get("gamma", 0.6)),
            eps=float(options.get("epsilon", 0.998)), axis=options.get("axis", "received"),
            version=options.get("version", "v4")))
        yield red, len(x)
        x, count = red.states, count - removal


def language_of_length_one(x, a, image, removal, params):
    """Equations 3, 4 and 2 of FiCoCo-L, the two terms of equation 3 divided by their Euclidean lengths."""
    import ficoco_oracle as oracle

    a = a.mean(0)
    first, end = image
    visual = list(range(first, end))
    text = [row for row in range(len(x)) if row not in visual]
    looks = (lambda i, k: a[i, k]) if params.axis == "literal" else (lambda i, k: a[k, i])
    share = 1 / len(text) if params.version == "v4" else 1.0
    repeated = np.array([sum(looks(i, j) for j in visual) / len(visual) for i in visual])
    asked = np.array([sum(looks(i, k) for k in text) * share for i in visual])
    scores = (params.beta * repeated / np.sqrt((repeated ** 2).sum())
              - (1 - params.beta) * asked / np.sqrt((asked ** 2).sum()))
    order = sorted(range(len(visual)), key=lambda i: -scores[i])
    gone = np.array([visual[i] for i in order[:removal]])
    stay = np.array([i for i in visual if i not in gone])
    direct = a[np.ix_(gone, stay)]
    through = np.array([[sum(looks(i, k) * a[k, j] for k in text) * share for j in stay] for i in gone])
    alpha = oracle.correlate(params.gamma * direct + (1 - params.gamma) * through, params.eps)
    merged, size = oracle.compress(x[stay], x[gone], alpha, "self_preserving")
    out = x.copy()
    out[stay] = merged
    kept = np.array([row for row in range(len(x)) if row not in gone])
    return oracle.Reduction(out[kept], kept, gone, scores, alpha, stay, (alpha > 0).sum(1), size)


def check_against_released_code(oracle):
    """Rows of logits, both terms of length one, 0.65 on the vision term: what goes is what the released filter discards in
    the first layer of its first picture, where its local penalty is the paper's."""
    for seed in range(16):
        x = states(Generator(seed), 577, 3)
        a = attention(Generator(seed + 1000), 1, 577, "logits", False)
        ours = oracle.reduce_v(x, a, 42, oracle.VParams(lam=0.65, normalize="l2", vision_axis="row"))
        theirs = oracle.reduce_v(x, a, 42, oracle.VParams(mode="official"))
        assert set(ours.pruned) == set(theirs.pruned), seed


def record(red, width, brief):
    alpha = red.weights
    merges = [[int(red.pruned[i]), int(red.targets[j]), float(alpha[i, j])]
              for i in range(alpha.shape[0]) for j in np.flatnonzero(alpha[i])]
    # The narrowest decision: between the last token that goes and the first that stays.
    ranked = np.sort(red.scores)[::-1]
    r = len(red.pruned)
    out = {"pruned": [int(p) for p in red.pruned], "merges": merges,
           "margin": float(ranked[r - 1] - ranked[r]) if 0 < r < len(ranked) else None}
    if brief:
        # Large cases: one sum per row pins the states without storing them.
        signs = np.array([1.0 if c % 3 else -1.0 for c in range(width)])
        out["row_sums"] = [float(v) for v in red.states @ signs]
    else:
        out["scores"] = [float(v) for v in red.scores]
        out["states"] = [[float(v) for v in row] for row in red.states]
    return out


def cases():
    # Removals are even, larger first: as a schedule that starts in layer 0 makes them.
    seed = 11
    for axis in ("row", "column"):
        for scores in ("probabilities", "logits"):
            for grid, removals in (((6, 6), [7]), ((4, 9), [8, 8, 7]), ((7, 7), [12])):
                yield dict(method="ficoco-v", seed=seed, grid=grid, heads=3, width=5, removals=removals,
                           options=dict(axis=axis, scores=scores))
                seed += 1
            # Several targets for each source.
            yield dict(method="ficoco-v", seed=seed, grid=(6, 6), heads=2, width=5, removals=[7, 7],
                       options={"axis": axis, "scores": scores, "epsilon": "0.9", "lambda": "0.5",
                                "window": "3", "penalty": "1.5"})
            seed += 1
    for axis in ("literal", "received"):
        for version in ("v4", "v1"):
            for causal in (True, False):
                yield dict(method="ficoco-l", seed=seed, grid=(6, 6), heads=2, width=5, removals=[9], text=(5, 8),
                           causal=causal, options=dict(axis=axis, version=version))
                seed += 1
            yield dict(method="ficoco-l", seed=seed, grid=(4, 8), heads=2, width=5, removals=[6, 6, 6], text=(3, 6),
                       causal=True, options=dict(axis=axis, version=version, epsilon="0.9", beta="0.5", gamma="0.3"))
            seed += 1
    # The paper's size: two targets for each source as long as 501 tokens stay.
    for scores in ("probabilities", "logits"):
        yield dict(method="ficoco-v", seed=seed, grid=(24, 24), heads=1, width=3, removals=[44, 43], brief=True,
                   options=dict(axis="column", scores=scores))
        seed += 1
    yield dict(method="ficoco-l", seed=seed, grid=(24, 24), heads=1, width=3, removals=[18, 18], text=(35, 25),
               causal=True, brief=True, options=dict(axis="received", version="v4"))
    seed += 1
    # Both terms of length one.
    for options in (dict(axis="row", scores="logits"), dict(axis="row", scores="logits", penalty="1"),
                    dict(axis="column", scores="probabilities"), {"axis": "row", "scores": "logits", "lambda": "0.35"}):
        for grid, removals in (((6, 6), [7]), ((4, 9), [8, 8, 7])):
            yield dict(method="ficoco-v", seed=seed, grid=grid, heads=3, width=5, removals=removals,
                       options=options | dict(normalize="l2"))
            seed += 1
    for axis in ("literal", "received"):
        for version in ("v4", "v1"):
            for grid, removals in (((6, 6), [9]), ((4, 8), [6, 6, 6])):
                yield dict(method="ficoco-l", seed=seed, grid=grid, heads=2, width=5, removals=removals, text=(5, 8),
                           causal=True, options=dict(axis=axis, version=version, normalize="l2"))
                seed += 1


def main():
    sys.path.insert(0, sys.argv[1])
    import ficoco_oracle as oracle

    check_against_released_code(oracle)
    target = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else pathlib.Path(__file__).with_name(
        "reduction_goldens.json")
    out = []
    for case in cases():
        case = {"text": (0, 0), "causal": False, "brief": False} | case
        rows, columns = case["grid"]
        window = int(case["options"].get("window", 2))
        # On a grid with fewer rows than columns the oracle's square windows are ours only if they fit the rows.
        assert rows == columns or (rows < columns and rows % window == 0)
        make = make_vision if case["method"] == "ficoco-v" else make_language
        case["steps"] = [record(red, case["width"], case["brief"]) for red, _ in make(oracle, case)]
        out.append(case)
    target.write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in out) + "\n]\n")
    margins = [step["margin"] for case in out for step in case["steps"] if step["margin"] is not None]
    print(f"{target}: {len(out)} cases, {target.stat().st_size} bytes, narrowest decision {min(margins):.2e}")


if __name__ == "__main__":
    main()
