#!/usr/bin/env python3
"""What FiCoCo does inside a whole model: makes reduced_goldens.json from ../model/hf, in float64.

    make_reduced_goldens.py ORACLE_FOLDER

ORACLE_FOLDER holds `ficoco_oracle.py`, a numpy transcription of the paper's equations. The model around it is the short
forward pass below; before anything is reduced it is compared with transformers (../model/golden.h5).

Needs numpy, h5py and Pillow.
"""

import json
import math
import sys
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
MODEL = HERE.parent / "model"
ANSWER_LENGTH = 16
IMAGE = 640
# What is left of the paper's layers 11 of 23 (tower) and 3 of 32 (decoder) at 3 layers: round(depth * 3).
FIRST_VISION, FIRST_TEXT = 1, 0

# One reading of each half, whatever Winnow's defaults are.
VL = {"encoder-axis": "column", "encoder-scores": "probabilities", "decoder-version": "v4"}
CASES = [
    dict(prompt=0, method="ficoco-v", keep=192, options={"axis": "column", "scores": "probabilities"}),
    dict(prompt=1, method="ficoco-v", keep=64, options={"axis": "column", "scores": "probabilities"}),
    dict(prompt=2, method="ficoco-v", keep=192, options={"axis": "row", "scores": "logits"}),
    dict(prompt=3, method="ficoco-l", keep=128, options={"version": "v4"}),
    dict(prompt=4, method="ficoco-l", keep=128, options={"axis": "literal", "version": "v4"}),
    dict(prompt=7, method="ficoco-vl", keep=80, options=VL),
    dict(prompt=6, method="ficoco-vl", keep=100, options=VL | {"encoder-axis": "row", "decoder-axis": "literal"}),
]


# -------------------------------------------------------------------------------------------------- reading
def read_weights(path):
    """safetensors in bf16, the upper halves of f32."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    weights = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        assert entry["dtype"] == "BF16"
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        halves = np.frombuffer(data[first:last], np.uint16).astype(np.uint32) << 16
        weights[name] = halves.view(np.float32).astype(np.float64).reshape(entry["shape"])
    return weights


def read_pixels(case, size):
    """(3, size, size): shortest edge to `size`, centre cut out, normalised in f32."""
    picture = Image.open(MODEL / "images" / case["image"]).convert("RGB")
    if case["image_mode"] == "pad":
        side = max(picture.size)
        square = Image.new("RGB", (side, side), (122, 116, 104))
        square.paste(picture, ((side - picture.size[0]) // 2, (side - picture.size[1]) // 2))
        picture = square
    width, height = picture.size
    long = int(size * max(width, height) / min(width, height))
    width, height = (size, long) if width <= height else (long, size)
    left, top = (width - size) // 2, (height - size) // 2
    picture = picture.resize((width, height), Image.BICUBIC).crop((left, top, left + size, top + size))
    settings = json.loads((MODEL / "hf" / "preprocessor_config.json").read_text())
    scaled = (np.array(picture) * settings["rescale_factor"]).astype(np.float32)
    mean, deviation = (np.array(settings[key], np.float32) for key in ("image_mean", "image_std"))
    return ((scaled - mean) / deviation).transpose(2, 0, 1).astype(np.float64)


# -------------------------------------------------------------------------------------------------- arithmetic
def softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def layer_norm(x, gain, bias, epsilon):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon) * gain + bias


def rms_norm(x, gain, epsilon):
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon) * gain


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gelu(z):
    return z / 2 * (1 + np.vectorize(math.erf)(z / math.sqrt(2)))


def heads_of(x, heads):
    """(rows, heads * size) to (heads, rows, size)"""
    return x.reshape(len(x), heads, -1).transpose(1, 0, 2)


def rotate(x, positions, base):
    """RoPE of (heads, rows, size). As in transformers, angles are products in f32 and their cosines are f32."""
    size = x.shape[-1]
    exponents = (2 * np.arange(size // 2, dtype=np.float32)) / np.float32(size)
    powers = np.array([math.pow(base, float(e)) for e in exponents]).astype(np.float32)
    angles = np.asarray(positions, np.float32)[:, None] * (np.float32(1) / powers)
    cos, sin = (f(angles.astype(np.float64)).astype(np.float32).astype(np.float64) for f in (np.cos, np.sin))
    a, b = x[..., : size // 2], x[..., size // 2 :]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


# -------------------------------------------------------------------------------------------------- the model
class Model:
    def __init__(self):
        self.weights = read_weights(MODEL / "hf" / "model.safetensors")
        self.config = json.loads((MODEL / "hf" / "config.json").read_text())

    def part(self, prefix):
        """x to xWᵀ + b, by the name of the weight below `prefix`."""
        w = self.weights

        def linear(x, name):
            bias = w.get(f"{prefix}{name}.bias", 0)
            return x @ w[f"{prefix}{name}.weight"].T + bias

        return linear, lambda name: w[prefix + name]

    def tower(self, pixels, reduce):
        """Patch rows of the last layer but one. `reduce(layer, rows, probabilities, logits)` stands between attention
        and MLP; maps are means over heads."""
        c = self.config["vision_config"]
        prefix = "vision_tower.vision_model."
        linear, weight = self.part(prefix)
        side, patch = c["image_size"] // c["patch_size"], c["patch_size"]
        patches = pixels.reshape(3, side, patch, side, patch).transpose(1, 3, 0, 2, 4).reshape(side * side, -1)
        x = patches @ weight("embeddings.patch_embedding.weight").reshape(c["hidden_size"], -1).T
        x = np.vstack([weight("embeddings.class_embedding"), x]) + weight("embeddings.position_embedding.weight")
        x = layer_norm(x, weight("pre_layrnorm.weight"), weight("pre_layrnorm.bias"), c["layer_norm_eps"])
        for index in range(c["num_hidden_layers"] - 1):
            linear, weight = self.part(f"{prefix}encoder.layers.{index}.")
            h = layer_norm(x, weight("layer_norm1.weight"), weight("layer_norm1.bias"), c["layer_norm_eps"])
            q, k, v = (
                heads_of(linear(h, f"self_attn.{n}_proj"), c["num_attention_heads"]) for n in ("q", "k", "v")
            )
            logits = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
            shares = softmax(logits)
            x = x + linear((shares @ v).transpose(1, 0, 2).reshape(len(x), -1), "self_attn.out_proj")
            x = reduce(index, x, shares.mean(0), logits.mean(0))
            h = layer_norm(x, weight("layer_norm2.weight"), weight("layer_norm2.bias"), c["layer_norm_eps"])
            h = linear(h, "mlp.fc1")
            x = x + linear(h * sigmoid(1.702 * h), "mlp.fc2")
        return x[1:]

    def project(self, rows):
        linear, _ = self.part("multi_modal_projector.")
        return linear(gelu(linear(rows, "linear_1")), "linear_2")

    def embed(self, ids):
        return self.weights["language_model.model.embed_tokens.weight"][ids]

    def decoder(self, x, positions, cache, reduce):
        """Logits after the last row; `cache` holds keys and values of each layer and grows. `reduce` returns the rows
        that stay, and which."""
        c = self.config["text_config"]
        for index in range(c["num_hidden_layers"]):
            linear, weight = self.part(f"language_model.model.layers.{index}.")
            h = rms_norm(x, weight("input_layernorm.weight"), c["rms_norm_eps"])
            q, k, v = (
                heads_of(linear(h, f"self_attn.{n}_proj"), c["num_attention_heads"]) for n in ("q", "k", "v")
            )
            q, k = rotate(q, positions, c["rope_theta"]), rotate(k, positions, c["rope_theta"])
            if cache[index] is not None:
                k, v = (np.concatenate([old, new], 1) for old, new in zip(cache[index], (k, v)))
            cache[index] = (k, v)
            logits = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
            rows, columns = logits.shape[1:]
            logits = np.where(np.tril(np.ones((rows, columns), bool), columns - rows), logits, -np.inf)
            shares = softmax(logits)
            x = x + linear((shares @ v).transpose(1, 0, 2).reshape(rows, -1), "self_attn.o_proj")
            x, stay = reduce(index, x, shares.mean(0))
            positions = np.asarray(positions)[stay]
            h = rms_norm(x, weight("post_attention_layernorm.weight"), c["rms_norm_eps"])
            gate = linear(h, "mlp.gate_proj")
            x = x + linear(gate * sigmoid(gate) * linear(h, "mlp.up_proj"), "mlp.down_proj")
        last = rms_norm(x[-1:], self.weights["language_model.model.norm.weight"], c["rms_norm_eps"])
        return (last @ self.weights["language_model.lm_head.weight"].T)[0]


# -------------------------------------------------------------------------------------------------- reducing it
def even(count, keep, first, layers):
    """Removals of each layer: evenly from `first` on, larger ones first."""
    each, rest = divmod(count - keep, layers - first)
    return [0 if layer < first else each + (layer - first < rest) for layer in range(layers)]


class Picture:
    """One picture on its way through the model: which of its tokens are left, and what happened."""

    def __init__(self, oracle, case):
        self.oracle, self.options = oracle, case["options"]
        self.positions = np.arange(576)
        self.steps, self.margins = [], []
        between = {
            "none": 576,
            "ficoco-v": case["keep"],
            "ficoco-l": 576,
            "ficoco-vl": round(math.sqrt(576 * case["keep"])),
        }[case["method"]]
        self.vision = even(576, between, FIRST_VISION, 3)
        self.text = even(between, case["keep"], FIRST_TEXT, 3)

    def option(self, part, name, default):
        return self.options.get(f"{part}-{name}", self.options.get(name, default))

    def record(self, place, layer, result, rows_before):
        """`rows_before` rows stand before the picture's in the sequence."""
        kept = result.kept[(result.kept >= rows_before) & (result.kept < rows_before + len(self.positions))]
        ranked = np.sort(result.scores)[::-1]
        self.margins.append(float(ranked[len(result.pruned) - 1] - ranked[len(result.pruned)]))
        self.positions = self.positions[kept - rows_before]
        self.steps.append({"place": place, "layer": layer, "kept": self.positions.tolist()})

    def reduce_vision(self, layer, x, probabilities, logits):
        if self.vision[layer] == 0:
            return x
        axis = {"column": "col", "row": "row"}[self.option("encoder", "axis", "column")]
        scores = self.option("encoder", "scores", "probabilities")
        result = self.oracle.reduce_v(
            x,
            logits if scores == "logits" else probabilities,
            self.vision[layer],
            self.oracle.VParams(vision_axis=axis, grid=24, grid_pos=self.positions),
        )
        self.record("encoder", layer, result, 1)
        return result.states

    def reduce_text(self, before):
        def reduce(layer, x, probabilities):
            if self.text[layer] == 0:
                return x, np.arange(len(x))
            result = self.oracle.reduce_l(
                x,
                probabilities,
                (before, before + len(self.positions)),
                self.text[layer],
                self.oracle.LParams(axis=self.option("decoder", "axis", "received")),
            )
            self.record("decoder", layer, result, before)
            return result.states, result.kept

        return reduce


def run(model, oracle, case, prompts):
    prompt = prompts[case["prompt"]]
    picture = Picture(oracle, case)
    features = model.project(model.tower(read_pixels(prompt, 336), picture.reduce_vision))
    ids = prompt["prompt_token_ids"]
    before = ids.index(IMAGE)
    x = np.vstack([model.embed(ids[:before]), features, model.embed(ids[before + 1 :])])
    cache, position = [None] * 3, len(x)
    logits = first = model.decoder(x, np.arange(len(x)), cache, picture.reduce_text(before))
    tokens, gaps = [], []
    for _ in range(ANSWER_LENGTH):
        best = np.sort(logits)
        gaps.append(float(best[-1] - best[-2]))
        tokens.append(int(logits.argmax()))
        logits = model.decoder(
            model.embed(tokens[-1:]), [position], cache, lambda layer, x, a: (x, np.arange(len(x)))
        )
        position += 1
    samples = [0, len(features) // 2, len(features) - 1]
    return {
        **case,
        "removals": {"encoder": picture.vision, "decoder": picture.text},
        "steps": picture.steps,
        "step_margin": min(picture.margins, default=None),
        "cache_rows": [keys.shape[1] - ANSWER_LENGTH for keys, _ in cache],
        "feature_rows": samples,
        "features": [[float(f"{v:.12g}") for v in features[row]] for row in samples],
        "last_logits": [float(f"{v:.11g}") for v in first],
        "token_ids": tokens,
        "token_margin": min(gaps),
    }


def main():
    sys.path.insert(0, sys.argv[1])
    import ficoco_oracle as oracle

    model = Model()
    prompts = json.loads((MODEL / "golden.json").read_text())["prompts"]
    with h5py.File(MODEL / "golden.h5") as file:
        for index in (0, 1, 2):
            plain = run(model, oracle, dict(prompt=index, method="none", keep=576, options={}), prompts)
            expected = file[f"last_logits/{index}"][:]
            assert np.abs(plain["last_logits"] - expected).max() < 1e-5 * np.abs(expected).max()
            assert plain["token_ids"] == prompts[index]["token_ids"][:ANSWER_LENGTH]
    results = [run(model, oracle, case, prompts) for case in CASES]
    path = HERE / "reduced_goldens.json"
    path.write_text("[\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in results) + "\n]\n")
    for r in results:
        print(r["method"], r["keep"], r["removals"], f"{r['step_margin']:.1e} {r['token_margin']:.1e}")
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
