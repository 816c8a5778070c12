#!/usr/bin/env python3
"""What the methods but FiCoCo do inside a whole model: makes placed_goldens.json from ../model/hf, in float64.

    make_placed_goldens.py

One step of each method comes from ../reduction/method_oracle.py, the arithmetic from make_reduced_goldens.py. This file
is about the places: where evidence is taken, where rows go, which positions they keep, and what attention counts.

Needs numpy, h5py and Pillow.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

import make_reduced_goldens as reference
from make_reduced_goldens import gelu, heads_of, layer_norm, rms_norm, rotate, sigmoid, softmax

sys.path.insert(0, str(reference.HERE.parent / "reduction"))
import method_oracle as oracle

LAYERS = 3
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
]


def removals(case):
    """Tokens that each layer gives up: of the tower, of the projector, of the decoder."""
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
    elif method in ("divprune", "cdpruner"):
        projector = [576 - keep]
    elif method == "fastv":
        before = int(case["options"].get("layer", 2))
        if case["options"].get("budget") == "average":
            keep = LAYERS * keep - before * 576
        decoder[before - 1] = 576 - keep
    else:
        tower[-1] = 576 - keep
    return tower, projector, decoder


class Picture:
    """One picture on its way: positions and sizes of what is left, in sequence order."""

    def __init__(self, case):
        self.method, self.options = case["method"], case["options"]
        self.tower, self.projector, self.decoder = removals(case)
        self.positions, self.sizes, self.steps = np.arange(576), np.ones(576), []

    def step(self, x, attention, keys, count, first_row):
        keep = len(x) - count
        match self.method:
            case "average-pool": return oracle.average_pool(x, (24, 24), keep)
            case "fastervlm" | "fastv": return oracle.faster_vlm(x, attention, keep)
            case "visionzip": return oracle.vision_zip(x, attention, keys, keep)
            case "vispruner": return oracle.vis_pruner(x, attention, keep, 0.5)
            case "tome": return oracle.tome(x, keys, self.sizes, keep, first_row)
            case "evit": return oracle.evit(x, attention, keep)
            case "divprune": return oracle.div_prune(x, keep)
            case "cdpruner": return oracle.dpp(x, keep)

    def reduce(self, place, layer, rows, first, attention=None, keys=None):
        """The sequence after a step, and the rows it is made of."""
        count = {"encoder": self.tower, "projector": self.projector, "decoder": self.decoder}[place][layer]
        if count == 0:
            return rows, np.arange(len(rows))
        image = slice(first, first + len(self.positions))
        step = self.step(
            rows[image], None if attention is None else attention[image], None if keys is None else keys[image], count,
            first)
        kept = np.array(step.kept)
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


def tower(model, pixels, picture):
    c = model.config["vision_config"]
    prefix = "vision_tower.vision_model."
    linear, weight = model.part(prefix)
    side, patch = c["image_size"] // c["patch_size"], c["patch_size"]
    patches = pixels.reshape(3, side, patch, side, patch).transpose(1, 3, 0, 2, 4).reshape(side * side, -1)
    x = patches @ weight("embeddings.patch_embedding.weight").reshape(c["hidden_size"], -1).T
    x = np.vstack([weight("embeddings.class_embedding"), x]) + weight("embeddings.position_embedding.weight")
    x = layer_norm(x, weight("pre_layrnorm.weight"), weight("pre_layrnorm.bias"), c["layer_norm_eps"])
    for index in range(LAYERS):
        linear, weight = model.part(f"{prefix}encoder.layers.{index}.")
        h = layer_norm(x, weight("layer_norm1.weight"), weight("layer_norm1.bias"), c["layer_norm_eps"])
        q, k, v = (heads_of(linear(h, f"self_attn.{n}_proj"), c["num_attention_heads"]) for n in ("q", "k", "v"))
        logits = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        if picture.method == "tome" and picture.options.get("attention") != "plain":
            logits = logits + np.log(np.concatenate([[1], picture.sizes]))
        shares = softmax(logits)
        x = x + linear((shares @ v).transpose(1, 0, 2).reshape(len(x), -1), "self_attn.out_proj")
        observer, keys = shares.mean(0)[0], k.mean(0)
        if picture.inside:
            x, _ = picture.reduce("encoder", index, x, 1, observer, keys)
        h = layer_norm(x, weight("layer_norm2.weight"), weight("layer_norm2.bias"), c["layer_norm_eps"])
        h = linear(h, "mlp.fc1")
        x = x + linear(h * sigmoid(1.702 * h), "mlp.fc2")
        if not picture.inside:
            x, _ = picture.reduce("encoder", index, x, 1, observer, keys)
    return x[1:]


def decoder(model, x, positions, cache, picture, first):
    """Logits after the last row; without a picture nothing is reduced."""
    c = model.config["text_config"]
    for index in range(LAYERS):
        linear, weight = model.part(f"language_model.model.layers.{index}.")
        h = rms_norm(x, weight("input_layernorm.weight"), c["rms_norm_eps"])
        q, k, v = (heads_of(linear(h, f"self_attn.{n}_proj"), c["num_attention_heads"]) for n in ("q", "k", "v"))
        q, k = rotate(q, positions, c["rope_theta"]), rotate(k, positions, c["rope_theta"])
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
        if picture:
            x, stay = picture.reduce("decoder", index, x, first, shares.mean(0)[-1])
            positions = np.asarray(positions)[stay]
    last = rms_norm(x[-1:], model.weights["language_model.model.norm.weight"], c["rms_norm_eps"])
    return (last @ model.weights["language_model.lm_head.weight"].T)[0]


def run(model, case, prompts):
    prompt = prompts[case["prompt"]]
    picture = Picture(case)
    features = model.project(tower(model, reference.read_pixels(prompt, 336), picture))
    features, _ = picture.reduce("projector", 0, features, 0)
    ids = prompt["prompt_token_ids"]
    before = ids.index(reference.IMAGE)
    x = np.vstack([model.embed(ids[:before]), features, model.embed(ids[before + 1 :])])
    cache, position = [None] * LAYERS, len(x)
    logits = first = decoder(model, x, np.arange(len(x)), cache, picture, before)
    tokens = []
    for _ in range(reference.ANSWER_LENGTH):
        tokens.append(int(logits.argmax()))
        logits = decoder(model, model.embed(tokens[-1:]), [position], cache, None, 0)
        position += 1
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
