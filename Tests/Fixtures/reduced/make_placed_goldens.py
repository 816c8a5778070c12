#!/usr/bin/env python3
"""What the methods but FiCoCo do inside a whole model: makes placed_goldens.json from ../model/hf, in float64.

    make_placed_goldens.py

One step of each method comes from ../reduction/method_oracle.py and method_oracle_more.py, the arithmetic from
make_reduced_goldens.py. This file is about the places: where evidence is taken, where rows go, which positions they
keep, and what attention counts. Prompts of the later cases are those whose answers rounding to single precision keeps.

Needs numpy, h5py and Pillow.
"""

import json
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import make_reduced_goldens as reference
from make_reduced_goldens import gelu, heads_of, layer_norm, rms_norm, rotate, sigmoid, softmax

sys.path.insert(0, str(reference.HERE.parent / "reduction"))
import method_oracle as oracle
import method_oracle_more as more

LAYERS = 3  # that run: three of the tower's four, and the decoder's
DECODER_HEADS = 6
CASES = [
    dict(prompt=0, method="average-pool", keep=64, options={}),
    dict(prompt=1, method="fastervlm", keep=64, options={}),
    dict(prompt=2, method="visionzip", keep=64, options={}),
    dict(prompt=3, method="vispruner", keep=64, options={}),
    dict(prompt=4, method="tome", keep=200, options={}),
    dict(prompt=5, method="tome", keep=200, options={"attention": "plain"}),
    dict(prompt=6, method="evit", keep=100, options={}),
    dict(prompt=7, method="divprune", keep=64, options={}),
    dict(prompt=0, method="cdpruner", keep=20, options={}),
    dict(prompt=1, method="fastv", keep=64, options={}),
    dict(prompt=2, method="fastv", keep=400, options={"budget": "average"}),
    dict(prompt=3, method="fastv", keep=100, options={"layer": "1"}),
    dict(prompt=3, method="prumerge", keep=64, options={}),
    dict(prompt=2, method="prumerge", keep=576, options={"count": "adaptive"}),
    dict(prompt=6, method="prumerge+", keep=100, options={}),
    dict(prompt=7, method="prumerge+", keep=576, options={"count": "adaptive"}),
    dict(prompt=0, method="holov", keep=64, options={}),
    dict(prompt=1, method="holov", keep=192, options={"order": "sequence"}),
    dict(prompt=2, method="dart", keep=64, options={}),
    dict(prompt=3, method="dart", keep=132, options={"layer": "1"}),
    dict(prompt=5, method="sparsevlm", keep=64, options={}),
    dict(prompt=7, method="sparsevlm", keep=192, options={"recycle": "false"}),
    dict(prompt=6, method="pyramiddrop", keep=72, options={}),
    dict(prompt=4, method="pyramiddrop", keep=270, options={"budget": "average"}),
    dict(prompt=0, method="composed", keep=64,
         options={"filter": "attention-rollout", "filter-layers": "3", "schedule": "after-last"}),
    # A look at the next layer, and then merges into rows that this layer reads: it computes them anew.
    dict(prompt=1, method="composed", keep=64,
         options={"filter": "upcoming-attention", "correlate": "key-neighbours", "compress": "neighbour-sum",
                  "place": "decoder", "schedule": "before:1"}),
    dict(prompt=2, method="composed", keep=64,
         options={"filter": "upcoming-attention", "filter-heads-as-one": "true", "correlate": "key-neighbours",
                  "correlate-neighbours": "8", "compress": "neighbour-sum", "place": "encoder",
                  "schedule": "before:1,2"}),
]

# Before which of the paper's 32 decoder layers a method reduces, the same share of tokens staying each time.
BEFORE = {"pyramiddrop": (8, 16, 24), "sparsevlm": (3, 7, 16)}


def layer_before(layer):
    """The decoder layer after which a reduction before `layer` happens, in a model as shallow as this one."""
    return min(max(layer, 1), LAYERS - 1) - 1


def in_stages(method, keep):
    """Tokens that each decoder layer gives up; several stages may meet in one."""
    decoder, left = [0] * LAYERS, 576
    for layer, after in zip(BEFORE[method], more.geometric_counts(576, keep, 3)):
        decoder[layer_before(math.floor(layer / 32 * LAYERS + 0.5))] += left - after
        left = after
    return decoder


def before_each(layers, keep):
    """Tokens that each layer gives up where the same share stays before each of `layers`, whatever the depth."""
    counts, left = [0] * LAYERS, 576
    for layer, after in zip(layers, more.geometric_counts(576, keep, len(layers))):
        counts[layer - 1], left = left - after, after
    return counts


def mean_count(decoder):
    """Tokens that a decoder layer sees on average."""
    return sum(576 - sum(decoder[:layer]) for layer in range(LAYERS)) / LAYERS


def removals(case):
    """Tokens that each layer gives up: of the tower, of the projector, of the decoder.

    Where the picture settles how many stay, `keep` is the most, and so these are the fewest.
    """
    tower, projector, decoder = [0] * LAYERS, [0], [0] * LAYERS
    keep, method = case["keep"], case["method"]
    if method == "tome":
        tower = reference.even(576, keep, 0, LAYERS)
    elif method == "evit":
        left = 576
        for step, layer in enumerate((6, 12, 18)):
            after = math.floor(576 * (keep / 576) ** ((step + 1) / 3) + 0.5)
            tower[min(math.floor(layer / 23 * LAYERS + 0.5), LAYERS - 1)] += left - after
            left = after
    elif method in ("divprune", "cdpruner", "holov"):
        projector = [576 - keep]
    elif method == "fastv":
        before = int(case["options"].get("layer", 2))
        if case["options"].get("budget") == "average":
            keep = LAYERS * keep - before * 576
        decoder[before - 1] = 576 - keep
    elif method == "dart":
        decoder[layer_before(int(case["options"].get("layer", 2)))] = 576 - keep
    elif method in BEFORE:
        if case["options"].get("budget") == "average":
            keep = min(range(1, 577), key=lambda last: abs(mean_count(in_stages(method, last)) - case["keep"]))
        decoder = in_stages(method, keep)
    elif case["options"].get("schedule", "").startswith("before:"):
        counts = before_each([int(layer) for layer in case["options"]["schedule"][7:].split(",")], keep)
        tower, decoder = (tower, counts) if case["options"]["place"] == "decoder" else (counts, decoder)
    else:
        tower[-1] = 576 - keep
    return tower, projector, decoder


@dataclass
class Evidence:
    """What a layer offers to a step, for all rows of the sequence."""

    observer: np.ndarray = None  # attention of the class token's or the last row, mean over heads
    keys: np.ndarray = None  # mean over heads
    maps: list = field(default_factory=list)  # attention of the layers up to this one, means over heads
    whole_keys: np.ndarray = None  # all heads side by side, rotated
    normed: np.ndarray = None  # the layer's output after the decoder's final norm
    # Of the next layer: the observing row's query and the keys, all heads side by side, rotated in the decoder.
    upcoming: tuple = None


def next_layer_attention(upcoming, heads):
    """How much the observing row will look at each row, softmax(qkᵀ/√d), averaged over `heads`."""
    query, keys = (heads_of(rows, heads) for rows in upcoming)
    return softmax(query @ keys.transpose(0, 2, 1) / math.sqrt(keys.shape[-1])).mean(0)[0]


def ahead_and_merged(x, evidence, keep, image, heads, neighbours):
    """PruMerge's sums anywhere: ranked by the next layer's attention, averaged over `heads`, and in sequence order."""
    ranking = oracle.descending(next_layer_attention(evidence.upcoming, heads)[image])
    weights = next_layer_attention(evidence.upcoming, 1)[image]
    step = more.gather_neighbours(x, weights, evidence.upcoming[1][image], ranking[: keep - 1], neighbours, ranking)
    order = np.argsort(step.kept)
    return oracle.Step([step.kept[i] for i in order], step.states[order], step.merges)


class Picture:
    """One picture on its way: positions and sizes of what is left, in sequence order."""

    def __init__(self, case):
        self.method, self.options = case["method"], case["options"]
        self.tower, self.projector, self.decoder = removals(case)
        self.positions, self.sizes, self.steps = np.arange(576), np.ones(576), []
        self.raters = None

    def step(self, x, evidence, keep, image):
        """`image` are the rows of x in the sequence; without `keep` the picture says how many stay."""
        attention = None if evidence.observer is None else evidence.observer[image]
        keys = None if evidence.keys is None else evidence.keys[image]
        match self.method:
            case "average-pool": return oracle.average_pool(x, (24, 24), keep)
            case "fastervlm" | "fastv": return oracle.faster_vlm(x, attention, keep)
            case "visionzip": return oracle.vision_zip(x, attention, keys, keep)
            case "vispruner": return oracle.vis_pruner(x, attention, keep, 0.5)
            case "tome": return oracle.tome(x, keys, self.sizes, keep, image.start)
            case "evit": return oracle.evit(x, attention, keep)
            case "divprune": return oracle.div_prune(x, keep)
            case "cdpruner": return oracle.dpp(x, keep)
            case "prumerge" | "prumerge+":
                merge = more.pru_merge if self.method == "prumerge" else more.pru_merge_plus
                query, keys = evidence.upcoming
                return merge(x, more.next_block_attention(query[0], keys), keys[image], keep)
            case "holov": return more.holo_v(x, attention, keep, order=self.options.get("order", "published"))
            case "dart":
                kept = more.dart(evidence.normed, evidence.whole_keys, (image.start, image.stop), keep)
                return oracle.plain(x, kept)
            case "sparsevlm":
                # The text behind the picture moves up when tokens go; who rates stays the same.
                scores = evidence.maps[-1][[image.stop + rater for rater in self.raters], image].mean(0)
                return more.sparse_vlm(x, scores, keep, self.options.get("recycle") != "false")
            case "pyramiddrop":
                return more.pyramid_drop(x, next_layer_attention(evidence.upcoming, DECODER_HEADS)[image], keep)
            case "composed" if self.options["filter"] == "upcoming-attention":
                heads = 1 if self.options.get("filter-heads-as-one") == "true" else DECODER_HEADS
                neighbours = int(self.options.get("correlate-neighbours", 32))
                return ahead_and_merged(x, evidence, keep, image, heads, neighbours)
            case "composed":
                maps = evidence.maps[-int(self.options["filter-layers"]) :]
                scores = more.rollout_scores(maps, [0], (image.start, image.stop))
                return oracle.faster_vlm(x, scores, keep)

    def reduce(self, place, layer, rows, first, evidence):
        """The sequence after a step, and the rows it is made of."""
        count = {"encoder": self.tower, "projector": self.projector, "decoder": self.decoder}[place][layer]
        adaptive = self.options.get("count") == "adaptive" and (place, layer) == ("encoder", LAYERS - 1)
        if count == 0 and not adaptive:
            return rows, np.arange(len(rows))
        image = slice(first, first + len(self.positions))
        step = self.step(rows[image], evidence, None if adaptive else len(self.positions) - count, image)
        kept = np.array(step.kept)
        assert adaptive or len(kept) == len(self.positions) - count
        if step.sizes is not None:
            self.sizes = step.sizes
        else:
            self.sizes = self.sizes[kept]
        self.positions = self.positions[kept]
        self.steps.append({"place": place, "layer": layer, "kept": self.positions.tolist()})
        made = np.vstack([rows[:first], step.states, rows[image.stop :]])
        return made, np.concatenate([np.arange(first), first + kept, np.arange(image.stop, len(rows))])

    @property
    def inside(self):
        return self.method in ("tome", "evit")

    @property
    def renumbers(self):
        """Whether the rows that stay are numbered anew, in every layer after a reduction."""
        return self.method in BEFORE


def side_by_side(x):
    """(heads, rows, size) to (rows, heads * size)"""
    return x.transpose(1, 0, 2).reshape(x.shape[1], -1)


def tower(model, pixels, picture):
    """Patch rows of the last layer but one, and how the class token looks at the patches in that layer."""
    c = model.config["vision_config"]
    prefix = "vision_tower.vision_model."
    linear, weight = model.part(prefix)
    side, patch = c["image_size"] // c["patch_size"], c["patch_size"]
    patches = pixels.reshape(3, side, patch, side, patch).transpose(1, 3, 0, 2, 4).reshape(side * side, -1)
    x = patches @ weight("embeddings.patch_embedding.weight").reshape(c["hidden_size"], -1).T
    x = np.vstack([weight("embeddings.class_embedding"), x]) + weight("embeddings.position_embedding.weight")
    x = layer_norm(x, weight("pre_layrnorm.weight"), weight("pre_layrnorm.bias"), c["layer_norm_eps"])

    def normed_heads(index, x, names):
        linear, weight = model.part(f"{prefix}encoder.layers.{index}.")
        h = layer_norm(x, weight("layer_norm1.weight"), weight("layer_norm1.bias"), c["layer_norm_eps"])
        return (heads_of(linear(h, f"self_attn.{n}_proj"), c["num_attention_heads"]) for n in names)

    maps = []
    for index in range(LAYERS):
        linear, weight = model.part(f"{prefix}encoder.layers.{index}.")
        q, k, v = normed_heads(index, x, ("q", "k", "v"))
        logits = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        if picture.method == "tome" and picture.options.get("attention") != "plain":
            logits = logits + np.log(np.concatenate([[1], picture.sizes]))
        shares = softmax(logits)
        x = x + linear((shares @ v).transpose(1, 0, 2).reshape(len(x), -1), "self_attn.out_proj")
        maps.append(shares.mean(0))
        evidence = Evidence(observer=maps[-1][0], keys=k.mean(0), maps=maps)
        if picture.inside:
            x, _ = picture.reduce("encoder", index, x, 1, evidence)
        h = layer_norm(x, weight("layer_norm2.weight"), weight("layer_norm2.bias"), c["layer_norm_eps"])
        h = linear(h, "mlp.fc1")
        x = x + linear(h * sigmoid(1.702 * h), "mlp.fc2")
        if not picture.inside:
            # Features are those of the last layer but one, so the layer behind the last that runs is there to be asked.
            query, keys = (side_by_side(part) for part in normed_heads(index + 1, x, ("q", "k")))
            evidence.upcoming = query[:1], keys
            x, _ = picture.reduce("encoder", index, x, 1, evidence)
    return x[1:], evidence.observer[1:]


def decoder(model, x, positions, cache, picture, first):
    """Logits after the last row; `positions` holds those of the rows, layer by layer. Without a picture nothing is
    reduced."""
    c = model.config["text_config"]
    positions, maps = list(positions), []
    final_norm = model.weights["language_model.model.norm.weight"]

    def normed_heads(index, x, names):
        linear, weight = model.part(f"language_model.model.layers.{index}.")
        h = rms_norm(x, weight("input_layernorm.weight"), c["rms_norm_eps"])
        return (heads_of(linear(h, f"self_attn.{n}_proj"), c["num_attention_heads"]) for n in names)

    for index in range(LAYERS):
        linear, weight = model.part(f"language_model.model.layers.{index}.")
        q, k, v = normed_heads(index, x, ("q", "k", "v"))
        q, k = (rotate(part, positions[index], c["rope_theta"]) for part in (q, k))
        if cache[index] is not None:
            k, v = (np.concatenate([old, new], 1) for old, new in zip(cache[index], (k, v)))
        cache[index] = (k, v)
        logits = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        rows, columns = logits.shape[1:]
        logits = np.where(np.tril(np.ones((rows, columns), bool), columns - rows), logits, -np.inf)
        shares = softmax(logits)
        x = x + linear((shares @ v).transpose(1, 0, 2).reshape(rows, -1), "self_attn.o_proj")
        h = rms_norm(x, weight("post_attention_layernorm.weight"), c["rms_norm_eps"])
        gate = linear(h, "mlp.gate_proj")
        x = x + linear(gate * sigmoid(gate) * linear(h, "mlp.up_proj"), "mlp.down_proj")
        if picture and index + 1 < LAYERS:
            maps.append(shares.mean(0))
            upcoming = normed_heads(index + 1, x, ("q", "k"))
            query, keys = (side_by_side(rotate(part, positions[index], c["rope_theta"])) for part in upcoming)
            evidence = Evidence(
                observer=maps[-1][-1], maps=maps, whole_keys=side_by_side(k),
                normed=rms_norm(x, final_norm, c["rms_norm_eps"]), upcoming=(query[-1:], keys))
            before = len(x)
            x, stay = picture.reduce("decoder", index, x, first, evidence)
            if len(x) < before:
                later = np.arange(len(x)) if picture.renumbers else positions[index][stay]
                positions[index + 1 :] = [later] * (LAYERS - index - 1)
    last = rms_norm(x[-1:], final_norm, c["rms_norm_eps"])
    return (last @ model.weights["language_model.lm_head.weight"].T)[0]


def run(model, case, prompts):
    prompt = prompts[case["prompt"]]
    picture = Picture(case)
    rows, observer = tower(model, reference.read_pixels(prompt, 336), picture)
    features, _ = picture.reduce("projector", 0, model.project(rows), 0, Evidence(observer=observer))
    ids = prompt["prompt_token_ids"]
    before = ids.index(reference.IMAGE)
    x = np.vstack([model.embed(ids[:before]), features, model.embed(ids[before + 1 :])])
    picture.raters = more.raters(features, x[before + len(features) :])
    cache = [None] * LAYERS
    logits = first = decoder(model, x, [np.arange(len(x))] * LAYERS, cache, picture, before)
    # The answer goes on behind the last number that a layer has given away.
    positions = [keys.shape[1] if picture.renumbers else len(x) for keys, _ in cache]
    tokens = []
    for _ in range(reference.ANSWER_LENGTH):
        tokens.append(int(logits.argmax()))
        logits = decoder(model, model.embed(tokens[-1:]), [[position] for position in positions], cache, None, 0)
        positions = [position + 1 for position in positions]
    samples = [0, len(features) // 2, len(features) - 1]
    return {
        **case,
        "removals": {"encoder": picture.tower, "projector": picture.projector, "decoder": picture.decoder},
        "steps": picture.steps,
        "cache_rows": [keys.shape[1] - reference.ANSWER_LENGTH for keys, _ in cache],
        "feature_rows": samples,
        "features": [[float(f"{v:.12g}") for v in features[row]] for row in samples],
        "last_logits": [float(f"{v:.11g}") for v in first],
        "token_ids": tokens,
    }


def main():
    model = reference.Model()
    prompts = json.loads((reference.MODEL / "golden.json").read_text())["prompts"]
    results = [run(model, case, prompts) for case in CASES]
    path = reference.HERE / "placed_goldens.json"
    path.write_text("[\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in results) + "\n]\n")
    print(f"{path.name}: {len(results)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
