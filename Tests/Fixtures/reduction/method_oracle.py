"""Float64 oracles of the reduction methods but FiCoCo, written from their papers, one step on one sequence at a time.

Each returns a `Step`: which visual tokens stay and in what order, the states of the tokens that stay, and who took in
whom. ToMe, EViT and FastV are checked against `baselines_oracle.py` where that is at hand; see make_method_goldens.py.

Conventions: x (N, C) are the visual tokens alone, a (N) the head-mean attention of the observing row, k (N, d) the
head-mean keys, `keep` how many tokens stay. Ties go to the lower index.
"""
from dataclasses import dataclass, field

import numpy as np

MASK = (1 << 64) - 1


@dataclass
class Step:
    kept: list                                   # in output order
    states: np.ndarray                           # (kept, C)
    merges: dict = field(default_factory=dict)   # source -> target
    sizes: np.ndarray = None


def descending(values):
    return [int(i) for i in np.argsort(-np.asarray(values, float), kind="stable")]


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def plain(x, kept):
    return Step(list(kept), x[list(kept)])


def split_mix(seed, count):
    state, out = seed & MASK, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        out.append(((z ^ (z >> 31)) >> 11) / float(1 << 53))
    return np.array(out)


def random(x, keep, seed):
    draws = split_mix(seed, len(x))
    return plain(x, sorted(descending(-draws)[:keep]))


def cells(grid, keep):
    """The cells of the picture, as lists of patches, and the patch in the middle of each."""
    rows, columns = grid
    n = rows * columns
    # round() of Python rounds halves to even; the rule is halves away from zero.
    bands = min(max(int(np.floor(np.sqrt(keep * rows / columns) + 0.5)), 1), keep)
    out = []
    for b in range(bands):
        low, high = keep * b // bands, keep * (b + 1) // bands
        band = sorted(range(n * low // keep, n * high // keep), key=lambda p: (p % columns, p // columns))
        for c in range(high - low):
            cell = band[len(band) * c // (high - low):len(band) * (c + 1) // (high - low)]
            row, column = sum(p // columns for p in cell) / len(cell), sum(p % columns for p in cell) / len(cell)
            distance = {p: (p // columns - row) ** 2 + (p % columns - column) ** 2 for p in cell}
            out.append((cell, min(cell, key=lambda p: (distance[p], p))))
    assert len(out) == keep and sorted(p for cell, _ in out for p in cell) == list(range(n))
    return out


def uniform_grid(x, grid, keep):
    return plain(x, sorted(middle for _, middle in cells(grid, keep)))


def average_pool(x, grid, keep):
    pools = sorted(cells(grid, keep), key=lambda pool: pool[1])
    return Step([m for _, m in pools], np.array([x[cell].mean(0) for cell, _ in pools]),
                {p: m for cell, m in pools for p in cell if p != m})


def faster_vlm(x, a, keep):
    return plain(x, sorted(descending(a)[:keep]))


def vision_zip(x, a, k, keep, share=0.15625, merge="sum"):
    contextual = int(np.floor(share * keep + 0.5))
    ranked = descending(a)
    dominant = sorted(ranked[:keep - contextual])
    rest = sorted(ranked[keep - contextual:])
    if contextual == 0:
        return plain(x, dominant)
    step = max(1, len(rest) // contextual)
    targets = rest[::step][:contextual]
    assert len(targets) == contextual
    others = [t for t in rest if t not in set(targets)]
    assigned = {t: [] for t in targets}
    merges = {}
    for t in others:
        j = targets[int(np.argmax(unit(k)[targets] @ unit(k)[t]))]
        assigned[j].append(t)
        merges[t] = j
    made = []
    for t in targets:
        if not assigned[t]:
            made.append(x[t])
        elif merge == "sum":
            made.append(x[t] + x[assigned[t]].mean(0))
        else:
            made.append(x[[t] + assigned[t]].mean(0))
    return Step(dominant + targets, np.concatenate([x[dominant], np.array(made)]), merges)


def div_prune(x, keep):
    d = 1 - unit(x) @ unit(x).T
    # The smallest entry of a column is the distance to itself.
    second = np.where(np.eye(len(x), dtype=bool), np.inf, d).min(0)
    chosen = [int(np.argmax(second))]
    while len(chosen) < keep:
        nearest = d[:, chosen].min(1)
        nearest[chosen] = -np.inf
        chosen.append(int(np.argmax(nearest)))
    return plain(x, sorted(chosen))


def dpp(x, keep):
    """Greedy MAP of a determinantal point process with the kernel of cosines, by the plain definition: at each step the
    token that makes the determinant of the chosen kernel largest (Chen, Zhang and Zhou 2018 do the same faster)."""
    kernel = unit(x) @ unit(x).T
    chosen = []
    for _ in range(keep):
        best, gain = None, -np.inf
        for i in range(len(x)):
            if i in chosen:
                continue
            # det(K with i) / det(K) = K_ii - K_iC K_C^-1 K_Ci
            g = kernel[i, i]
            if chosen:
                g -= kernel[i, chosen] @ np.linalg.solve(kernel[np.ix_(chosen, chosen)], kernel[chosen, i])
            if g > gain + 1e-13:
                best, gain = i, g
        chosen.append(best)
    return plain(x, sorted(chosen))


def vis_pruner(x, a, keep, important):
    first = int(keep * important)
    ranked = descending(a)
    best, rest = ranked[:first], ranked[first:]
    u = unit(x)
    while len(rest) > keep - first:
        even, odd = rest[::2], rest[1::2]
        if keep == first:
            rest = []
            break
        r = min(8, len(rest) - (keep - first), len(even))
        close = [max(float(u[i] @ u[j]) for j in odd) for i in even]
        order = descending(close)
        rest = [even[i] for i in order[r:]] + odd
    return plain(x, sorted(best + rest))


def tome(x, k, sizes, keep, first_row):
    """first_row is the row of token 0 in the sequence: its class token, if any, stands before it."""
    n = len(x)
    even = [i for i in range(n) if (i + first_row) % 2 == 0]
    odd = [i for i in range(n) if (i + first_row) % 2 == 1]
    s = unit(k)[even] @ unit(k)[odd].T
    gone = [even[i] for i in descending(s.max(1))[:n - keep]]
    target = {i: odd[int(np.argmax(s[even.index(i)]))] for i in gone}
    kept = [i for i in even if i not in target] + odd
    groups = [[j] + [i for i in gone if target[i] == j] for j in kept]
    made = np.array([sum(sizes[i] * x[i] for i in g) / sum(sizes[i] for i in g) for g in groups])
    return Step(kept, made, target, np.array([sum(sizes[i] for i in g) for g in groups]))


def evit(x, a, keep, normalize=False):
    ranked = descending(a)
    best, rest = ranked[:keep - 1], ranked[keep - 1:]
    fused = sum(a[i] * x[i] for i in rest)
    if normalize:
        fused = fused / sum(a[i] for i in rest)
    return Step(best + [rest[0]], np.concatenate([x[best], [fused]]), {i: rest[0] for i in rest[1:]})
