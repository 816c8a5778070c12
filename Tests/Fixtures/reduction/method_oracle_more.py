"""Float64 oracles of the reduction methods that compare more than one row or one layer: PruMerge, SparseVLM, PyramidDrop,
DART, HoloV, CDPruner with the question, and attention rollout. One step on one sequence at a time.

Written from the papers' descriptions; each docstring says what the authors' code does differently. Conventions are those
of method_oracle.py: x (N, C) are the visual tokens alone, `keep` how many rows come out, made tokens counted among them.
A made token takes the place of one of the tokens it is made of. Ties go to the lower index. `Step.merges` is here a list
of (source, target).
"""
import numpy as np

from method_oracle import Step, descending, plain, unit


def cosines(x, y):
    """(len(x), len(y)). Products are added pair by pair, so that equal rows have equal cosines to the last bit."""
    return (unit(x)[:, None] * unit(y)[None]).sum(-1)


# --- PruMerge: Shang et al., LLaVA-PruMerge, ICCV 2025, arXiv:2403.15388 -------------------------------------------


def next_block_attention(q, k):
    """How much the class token would look at each patch if all heads were one: softmax(q·k / sqrt(width)).

    q (C) is the class token's query and k (rows, C) the keys of the block after the one whose output the projector reads;
    row 0 is the class token. It counts in the softmax and is left out afterwards, without normalising again, as in the
    authors' code; their text does not say.
    """
    logits = (q * k).sum(-1) / np.sqrt(len(q))
    weights = np.exp(logits - logits.max())
    return (weights / weights.sum())[1:]


def outliers(a):
    """How many weights lie above Q3 + 1.5 (Q3 - Q1), quartiles interpolated linearly."""
    low, high = np.percentile(a, [25, 75])
    return int((a > high + 1.5 * (high - low)).sum())


def neighbourhood(k, i, count):
    """The `count` tokens of largest key cosine with token i, kept or not, i itself excluded."""
    closeness = cosines(k[i:i + 1], k)[0]
    return [j for j in descending(closeness) if j != i][:count]


def gather_neighbours(x, a, k, kept, neighbours, ranking=None):
    """What PruMerge makes of the tokens `kept`, and of all others the token that is appended last.

        y_i = x_i + sum over the neighbourhood of a_j x_j,   extra = sum over the discarded of a_j x_j

    The weights are the raw attention; the authors' code has their normalisation commented out. Every sum reads the
    original x. The extra token stands where the first of `ranking`, by default falling attention, stood that goes.
    """
    discarded = [j for j in ranking or descending(a) if j not in set(kept)]
    near = {i: neighbourhood(k, i, neighbours) for i in kept}
    made = [x[i] + sum(a[j] * x[j] for j in near[i]) for i in kept]
    extra = sum(a[j] * x[j] for j in discarded)
    place = discarded[0]
    merges = [(j, place) for j in discarded if j != place]
    merges += [(j, i) for i in kept for j in near[i] if j not in set(kept)]
    step = Step(list(kept) + [place], np.array(made + [extra]), sorted(merges))
    step.neighbours = near
    return step


def pru_merge(x, a, k, keep=None, neighbours=32):
    """PruMerge with `keep` rows, or with as many as there are outliers and the extra token. Order: falling attention.

    x are the features, a and k (patches only) the next block's. The code counts int(N · (outliers / N)), the same number.
    """
    count = outliers(a) if keep is None else keep - 1
    return gather_neighbours(x, a, k, descending(a)[:count], min(neighbours, len(x) - 1))


def adaptive_grid(n, count):
    """PruMerge+'s grid for `count` outliers of n tokens: every ⌊⌊n / count⌋ / 3⌋-th, never the last token.

    The authors' range ends at 575 of 576. Without outliers their step divides by zero; then here every ⌊n / 3⌋-th.
    """
    return list(range(0, n - 1, max(1, (n // count if count else n) // 3)))


def pru_merge_plus(x, a, k, keep=None, attention=0.25, neighbours=32):
    """PruMerge+: evenly spaced tokens beside those of largest attention; otherwise as PruMerge.

    With `keep`, round(attention · (keep - 1)) tokens, one at least, are chosen by attention and the others stand evenly
    among the rest: rest[⌊t · |rest| / count⌋]. That is ours: the authors lay the grid over all tokens and leave out
    those already chosen, so the number of tokens is what it happens to be. Three of four on the grid is their step's
    ratio. Order: the first part by falling attention, then the grid.
    """
    n = len(x)
    if keep is None:
        best = descending(a)[:outliers(a)]
        grid = [i for i in adaptive_grid(n, len(best)) if i not in best]
    else:
        count = keep - 1
        best = descending(a)[:min(count, max(1, int(np.floor(attention * count + 0.5))))]
        rest = [i for i in range(n) if i not in best]
        spread = count - len(best)
        grid = [rest[t * len(rest) // spread] for t in range(spread)]
    return gather_neighbours(x, a, k, best + grid, min(neighbours, n - 1))


# --- SparseVLM: Zhang et al., ICML 2025, arXiv:2410.04417; authors' branch v1.5 ------------------------------------


def raters(visual, text):
    """Which text tokens may rate: those whose share of the visual tokens' attention is above the average.

        P = softmax over the text of visual · textᵀ,   m = mean over the visual rows,   m_j > mean(m)

    on the decoder's input embeddings, without scale; `text` are the rows after the image. Where none stands out, all.
    """
    logits = (visual[:, None] * text[None]).sum(-1)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    share = (weights / weights.sum(1, keepdims=True)).mean(0)
    chosen = [j for j in range(len(text)) if share[j] > share.mean()]
    return chosen or list(range(len(text)))


def recycled(gone):
    """How many of `gone` tokens are recycled, and into how many clusters: int(0.3 m) + 1 and int(m' / 10) + 1."""
    best = 3 * gone // 10 + 1
    return best, best // 10 + 1


def sparse_counts(n, keep):
    """How many tokens stay as they are and how many clusters are made, so that together they are `keep`.

    The authors give the first number, and the clusters come on top.
    """
    for kept in range(keep, 0, -1):
        clusters = recycled(n - kept)[1]
        if kept + clusters <= keep:
            return kept, clusters
    return 1, keep - 1


def density_peaks(x, order, count):
    """DPC-kNN (Rodriguez and Laio 2014; Du, Ding and Jia 2016): the centres, best first, and each token's centre.

    `order` names the tokens, so that ties can go to the lower name. The density counts the `count` nearest, the token
    itself among them. With two clusters, therefore, two tokens that are each other's nearest are always equally dense, so
    ties matter, and distances must be the same to the last bit in both directions. The authors add noise to the densities;
    here of equal densities the lower name is the denser.
    """
    tokens = sorted(order)
    d = np.sqrt(((x[tokens][:, None] - x[tokens][None]) ** 2).sum(-1)) / np.sqrt(x.shape[1])
    density = np.exp(-(np.sort(d, 1)[:, :count] ** 2).mean(1))
    rank = {i: place for place, i in enumerate(descending(density))}
    apart = [min((d[i, j] for j in range(len(d)) if rank[j] < rank[i]), default=d.max()) for i in range(len(d))]
    centres = descending(np.array(apart) * density)[:count]
    home = [i if i in centres else centres[int(np.argmin(d[i, centres]))] for i in range(len(d))]
    return [tokens[c] for c in centres], {tokens[i]: tokens[home[i]] for i in range(len(d))}


def sparse_vlm(x, score, keep, recycle=True, order="score"):
    """One SparseVLM layer: the best by `score` stay, of the others the best 30 % are clustered into means.

    score: head-mean attention, averaged over the raters' rows. The authors' means divide by the size plus 1e-6.
    Order: the kept in raster order, then the clusters by falling density × distance (`order="sequence"`: raster).
    """
    ranked = descending(score)
    stay, clusters = sparse_counts(len(x), keep) if recycle else (keep, 0)
    kept = sorted(ranked[:stay])
    if clusters == 0:
        return plain(x, kept)
    gone = ranked[stay:]
    best = gone[:max(recycled(len(gone))[0], clusters)]
    centres, home = density_peaks(x, best, clusters)
    if order == "sequence":
        centres = sorted(centres)
    means = np.array([x[[i for i in sorted(best) if home[i] == c]].mean(0) for c in centres])
    merges = sorted((i, c) for i, c in home.items() if i != c)
    return Step(kept + centres, np.concatenate([x[kept], means]), merges)


# --- PyramidDrop: Xing et al., CVPR 2025, arXiv:2410.17247 ---------------------------------------------------------


def pyramid_drop(x, a, keep):
    """One stage: the last prompt row's attention ranks, raster order stays.

    a comes from the layer that *follows*: its norm, its queries and keys, before it runs. FastV reads the layer before.
    """
    return plain(x, sorted(descending(a)[:keep]))


def geometric_counts(n, keep, stages):
    """The tokens left after each of `stages` stages that keep the same share; halves are rounded up."""
    return [int(np.floor(n * (keep / n) ** ((s + 1) / stages) + 0.5)) for s in range(stages)]


def average_counts(n, average, layers, depth):
    """Counts n · λ^s after the stages before `layers` of `depth` whose mean over all layers is nearest to `average`.

    None where even λ = 0 leaves more: layers before the first stage see all n.
    """
    bounds = [0, *layers, depth]
    lengths = [high - low for low, high in zip(bounds, bounds[1:])]
    mean = lambda share: sum(length * n * share ** s for s, length in enumerate(lengths)) / depth
    if not mean(0.0) < average <= n:
        return None
    low, high = 0.0, 1.0
    for _ in range(200):
        low, high = ((low + high) / 2, high) if mean((low + high) / 2) < average else (low, (low + high) / 2)
    return [int(np.floor(n * high ** (s + 1) + 0.5)) for s in range(len(layers))]


# --- DART: Wen et al., Stop Looking for Important Tokens, EMNLP 2025, arXiv:2502.11494 ------------------------------


def dart_shares(keep, image_pivots, text_pivots):
    """How many tokens each pivot takes. The authors: budget // 8 each, beside the image pivots; here exactly `keep`."""
    pivots = image_pivots + text_pivots
    return [(keep - image_pivots) // pivots + (p < (keep - image_pivots) % pivots) for p in range(pivots)]


def dart(states, keys, image, keep, image_pivots=4, text_pivots=4):
    """Which visual tokens differ most from a few pivots. Returns them ascending.

    states (rows, C) are those of the whole prompt after the decoder's final norm, keys (rows, width) those of the layer
    before, after their rotation, heads side by side. Pivots are the image tokens, and the text tokens after the image,
    whose keys have the largest sum of magnitudes. In turn, image pivots first and the largest first, each takes the
    tokens of lowest cosine to it. The authors walk through the pivots in the order of a Python set, which is arbitrary.
    """
    size = np.abs(keys).sum(-1)
    first, last = image
    own = descending(size[first:last])[:min(image_pivots, keep)]
    words = descending(size[last:])[:text_pivots]
    chosen = list(own)
    pivots = [first + i for i in own] + [last + j for j in words]
    for pivot, share in zip(pivots, dart_shares(keep, len(own), len(words))):
        likeness = cosines(states[pivot:pivot + 1], states[first:last])[0]
        chosen += [i for i in descending(-likeness) if i not in set(chosen)][:share]
    return sorted(chosen)


# --- HoloV: Zou et al., Don't Just Chase "Highlighted Tokens", NeurIPS 2025, arXiv:2510.02912 -----------------------


def crop_bounds(n, crops):
    """Contiguous runs of the sequence, the first n % crops of them one longer."""
    crops = min(crops, n)
    sizes = [n // crops + (c < n % crops) for c in range(crops)]
    ends = np.cumsum(sizes)
    return [(int(end) - size, int(end)) for size, end in zip(sizes, ends)]


def crop_score(x, a, variance):
    """The mean of 1000 · attention + variance · (scaled) variance of the cosines inside of one crop.

    As in the authors' code the cosine of a token with itself counts as a zero in the variance, and three sums carry 1e-6.
    A crop of one token has no variance; theirs then also forgets the 1000, which cannot happen with 16 crops of 576.
    """
    attention = 1000 * a
    if len(x) == 1:
        return float(attention[0])
    u = x / (np.linalg.norm(x, axis=1, keepdims=True) + 1e-6)
    s = (u[:, None] * u[None]).sum(-1) * (1 - np.eye(len(x)))
    mean = s.sum(1, keepdims=True) / (len(x) - 1)
    spread = ((s - mean) ** 2).sum(1) / (len(x) - 1)
    return float((attention + variance * spread * (np.abs(attention).mean() / (spread.mean() + 1e-6))).mean())


def quotas(scores, sizes, keep):
    """`keep` tokens shared out in proportion to the scores, no crop more than it has.

    The floor of each share first; then one each by falling score, round after round, to crops with room. The authors
    hand out one round before they cut to size, and fill what is lost with zero vectors.
    """
    weights = np.array(scores) / (np.sum(scores) + 1e-6)
    out = [min(int(np.floor(w * keep)), size) for w, size in zip(weights, sizes)]
    while sum(out) < keep:
        for c in descending(scores):
            if sum(out) < keep and out[c] < sizes[c]:
                out[c] += 1
    return out


def holo_v(x, a, keep, crops=16, variance=0.09, order="published"):
    """Each crop of the picture keeps its share of tokens, those of largest class attention.

    The authors' cosines are those of the projected features. Order: crop after crop and inside by falling attention,
    except that a crop kept whole stays as it is; `order="sequence"`: raster order.
    """
    bounds = crop_bounds(len(x), crops)
    scores = [crop_score(x[low:high], a[low:high], variance) for low, high in bounds]
    kept = []
    for (low, high), quota in zip(bounds, quotas(scores, [high - low for low, high in bounds], keep)):
        whole = quota == high - low
        kept += list(range(low, high)) if whole else [low + i for i in descending(a[low:high])[:quota]]
    return plain(x, sorted(kept) if order == "sequence" else kept)


# --- CDPruner: Zhang et al., Beyond Attention or Similarity, NeurIPS 2025, arXiv:2506.10967 -------------------------


def clip_relevance(features, post_norm, projection, text):
    """(segments, N): cosines of each patch with each segment of the question in CLIP's common space.

    features (N, Cv): the layer that the projector reads; post_norm: weight, bias and epsilon of the tower's last norm;
    projection (P, Cv); text (segments, P).
    """
    weight, bias, epsilon = post_norm
    centred = features - features.mean(-1, keepdims=True)
    normed = centred / np.sqrt((centred ** 2).mean(-1, keepdims=True) + epsilon) * weight + bias
    return cosines(text, normed @ projection.T)


def relevance(cosine, sign=-1):
    """One weight for each token from its cosines (segments, N): (rel - min + 1e-6) / (max - min).

    The authors' sign makes patches *unlike* the question the relevant ones. They take min and max over the batch, here
    it is over the picture. Where all are equal, all are 1.
    """
    mean = sign * cosine.mean(0)
    low, high = mean.min(), mean.max()
    return np.ones(len(mean)) if high == low else (mean - low + 1e-6) / (high - low)


def conditional_dpp(x, weights, keep):
    """Greedy MAP of the kernel w_i cos(x_i, x_j) w_j, by the plain definition: the largest gain in determinant.

    What the chosen already span (less than 1e-6 of it is new, weights aside) is out of the race; if that is all, the
    earliest follow.
    """
    similar = cosines(x, x)
    kernel = weights[:, None] * similar * weights[None]
    gain = lambda m, i, c: m[i, i] - (m[i, c] @ np.linalg.solve(m[np.ix_(c, c)], m[c, i]) if c else 0.0)
    chosen = []
    while len(chosen) < keep:
        open_ = [i for i in range(len(x)) if i not in chosen]
        race = [i for i in open_ if gain(similar, i, chosen) >= 1e-6]
        if not race:
            chosen += open_[:keep - len(chosen)]
            break
        gains = [gain(kernel, i, chosen) for i in race]
        chosen.append(next(i for i, g in zip(race, gains) if g >= max(gains) * (1 - 1e-11)))
    return plain(x, sorted(chosen))


# --- Attention rollout: Abnar and Zuidema, Quantifying Attention Flow in Transformers, ACL 2020, arXiv:2005.00928 ---


def rollout(maps):
    """R = Â_L … Â_1 with Â the rows of (A + I) divided by their sums, A (rows, rows) averaged over heads."""
    out = np.eye(len(maps[0]))
    for a in maps:
        flow = a + np.eye(len(a))
        out = (flow / flow.sum(1, keepdims=True)) @ out
    return out


def rollout_scores(maps, observers, image):
    """How much of each visual token reaches the observing rows, averaged over them: larger stays."""
    first, last = image
    return rollout(maps)[observers].mean(0)[first:last]
