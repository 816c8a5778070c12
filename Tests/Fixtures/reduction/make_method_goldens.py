#!/usr/bin/env python3
"""Makes method_goldens.json: what the float64 oracles in method_oracle.py compute for inputs anybody can make again.

    make_method_goldens.py [BASELINES_FOLDER]

BASELINES_FOLDER, if given, holds `baselines_oracle.py`, an independent numpy transcription of one step of ToMe, EViT and
FastV; our oracles are compared with it. Inputs come from the generator of make_reduction_goldens.py.
"""
import json
import pathlib
import sys

import numpy as np

import method_oracle as oracle
from make_reduction_goldens import Generator, attention, states

HEADS, KEY_WIDTH = 3, 7


def inputs(case):
    n = case["grid"][0] * case["grid"][1]
    before, after = case["text"]
    rows = before + n + after
    x = states(Generator(case["seed"]), rows, case["width"])
    a = attention(Generator(case["seed"] + 1000), HEADS, rows, "probabilities", case["causal"])
    k = states(Generator(case["seed"] + 2000), rows, KEY_WIDTH)
    sizes = 1 + np.floor(4 * Generator(case["seed"] + 3000).numbers(n))
    return x, a, k, sizes


def run(case, baselines):
    x, a, k, sizes = inputs(case)
    n, (before, _), options = case["grid"][0] * case["grid"][1], case["text"], case["options"]
    image, keep = slice(before, before + n), case["keep"]
    observer = a.mean(0)[0 if case["class_token"] else -1, image]
    name = case["method"]
    if name == "random":
        return oracle.random(x[image], keep, int(options.get("seed", 0)))
    if name == "uniform-grid":
        return oracle.uniform_grid(x[image], case["grid"], keep)
    if name == "average-pool":
        return oracle.average_pool(x[image], case["grid"], keep)
    if name == "fastervlm":
        return oracle.faster_vlm(x[image], observer, keep)
    if name == "visionzip":
        return oracle.vision_zip(x[image], observer, k[image], keep, float(options.get("contextual", 0.15625)),
                                 options.get("merge", "sum"))
    if name == "divprune":
        return oracle.div_prune(x[image], keep)
    if name == "cdpruner":
        return oracle.dpp(x[image], keep)
    if name == "vispruner":
        return oracle.vis_pruner(x[image], observer, keep, float(options.get("important", 0.5)))
    if name == "fastv":
        step = oracle.faster_vlm(x[image], observer, keep)
        if baselines:
            chosen = baselines.fastv_select(a, before, n, n_keep=keep).keep
            assert [i - before for i in chosen if before <= i < before + n] == step.kept
        return step
    if name == "evit":
        step = oracle.evit(x[image], observer, keep, options.get("normalize") == "true")
        if baselines and "normalize" not in options:
            made = baselines.evit_step(x, a, n_keep=keep - 1)[0]
            assert np.allclose(made[1:], step.states, atol=1e-13)
        return step
    if name == "tome":
        step = oracle.tome(x[image], k[image], sizes, keep, before)
        if baselines and before:
            made, new, *_ = baselines.tome_step(x, k, n - keep, np.concatenate([[1], sizes]))
            assert np.allclose(made[1:], step.states, atol=1e-13) and np.allclose(new[1:], step.sizes)
        return step
    raise KeyError(name)


def cases():
    seed = 500
    tower = dict(text=(1, 0), class_token=True, causal=False)
    projector = dict(text=(0, 0), class_token=False, causal=False)
    decoder = dict(text=(5, 8), class_token=False, causal=True)
    for method, place, variants in [
        ("random", tower, [{}, {"seed": "7"}]),
        ("uniform-grid", tower, [{}]),
        ("average-pool", tower, [{}]),
        ("fastervlm", tower, [{}]),
        ("visionzip", tower, [{}, {"merge": "mean", "contextual": "0.5"}, {"contextual": "0"}, {"contextual": "1"}]),
        ("divprune", projector, [{}]),
        ("fastv", decoder, [{}]),
        ("evit", tower, [{}, {"normalize": "true"}]),
        ("tome", tower, [{}]),
        ("vispruner", tower, [{}, {"important": "0.75"}, {"important": "1.0"}]),
        ("cdpruner", projector, [{}]),
    ]:
        for options in variants:
            for grid, keeps in (((6, 6), (9, 20, 35)), ((4, 9), (11, 24)), ((3, 3), (1, 2, 8)), ((12, 12), (64, 23))):
                for keep in keeps:
                    n = grid[0] * grid[1]
                    if method == "tome" and n - keep > n // 2:
                        continue
                    # A determinant of more tokens than they are wide is 0 whichever they are.
                    width = max(40, keep + 4) if method == "cdpruner" else 6
                    yield dict(method=method, options=options, seed=seed, grid=grid, keep=keep, width=width, **place)
                    seed += 1


def main():
    baselines = None
    if len(sys.argv) > 1:
        sys.path.insert(0, sys.argv[1])
        import baselines_oracle as baselines
    out = []
    for case in cases():
        step = run(case, baselines)
        n = case["grid"][0] * case["grid"][1]
        assert len(step.kept) == len(set(step.kept)) == case["keep"]
        case["kept"] = [int(i) for i in step.kept]
        case["merges"] = [[int(s), int(t)] for s, t in sorted(step.merges.items())]
        if n <= 9:
            case["states"] = [[float(v) for v in row] for row in step.states]
        else:
            case["row_sums"] = [float(v) for v in step.states @ np.where(np.arange(case["width"]) % 3, 1.0, -1.0)]
        if step.sizes is not None:
            case["sizes"] = [float(v) for v in step.sizes]
        out.append(case)
    target = pathlib.Path(__file__).with_name("method_goldens.json")
    target.write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in out) + "\n]\n")
    print(f"{target.name}: {len(out)} cases, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
