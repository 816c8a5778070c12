#!/usr/bin/env python3
"""Tiny random LLaVA-1.5 checkpoints, and what Hugging Face transformers 4.57 computes with them.

    python -m venv venv && venv/bin/pip install -r requirements.txt
    venv/bin/python make_model_goldens.py            # rewrites everything in this folder but this script
    venv/bin/python make_model_goldens.py demo       # only demo_golden.json, from Jobs/demo

Two checkpoints, both in the layout of the llava-hf repositories:

    hf/      336 px, patch 14, 576 visual tokens (the true geometry); bf16; equal numbers of query and key heads
    small/    56 px, patch 14,  16 visual tokens; fp16; two query heads to a key head

and for each of them `<name>_golden.json` (prompts, token ids, answers) and `<name>_golden.h5` (arrays). README.md, one
folder up, names every field. The tokenizer is the demo model's.
"""

import json
import math
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
import transformers
from PIL import Image
from transformers import (
    AutoTokenizer,
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
)

HERE = Path(__file__).resolve().parent
DEMO = HERE.parents[2] / "Jobs" / "demo"
PICTURES = HERE / "images"
TOKENIZER_FILES = (
    "tokenizer.model tokenizer.json tokenizer_config.json special_tokens_map.json added_tokens.json".split()
)
SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. "
)
QUESTIONS = (
    "What is this?|What color is the ring?|Where is the white bar?|How many rings are there?|Describe the image.|"
    "Is there a red disc?|What is written on the sign?|Which is larger, the bar or the ring?\n"
    "Answer the question using a single word or phrase."
).split("|")
ANSWER_LENGTH = 32  # greedy tokens per prompt
MARGIN = 0.02  # least gap between the best two logits, so that rounding cannot change a greedy token
PROMPTS = 8


@dataclass(frozen=True)
class Shape:
    """Sizes of a checkpoint. Few are multiples of eight, so that a kernel that forgets its tail shows."""

    name: str
    image_size: int
    vision: tuple  # hidden, heads, layers, intermediate
    text: tuple  # hidden, heads, key heads, layers, intermediate
    stored_as: torch.dtype
    row_stride: int  # every how many rows the trace keeps


SHAPES = [
    Shape("hf", 336, (48, 4, 4, 116), (72, 6, 6, 3, 132), torch.bfloat16, 16),
    Shape("small", 56, (36, 3, 3, 76), (40, 4, 2, 2, 84), torch.float16, 1),
]


# -------------------------------------------------------------------------------------------------- pictures
def draw_pictures():
    """Six small PNG files of different proportions: stripes, a gradient and a disc, all in integers."""
    PICTURES.mkdir(exist_ok=True)
    paths = []
    for index, (width, height) in enumerate([(96, 72), (60, 90), (84, 84), (128, 40), (45, 110), (100, 67)]):
        y, x = np.mgrid[0:height, 0:width]
        picture = np.stack(
            [x * 255 // (width - 1), y * 255 // (height - 1), (x + y) * 40 * (index + 1) // 30 % 256], -1
        )
        picture[(x // (7 + index) + y // (11 - index)) % 2 == 0] //= 2 + index % 2
        disc = (x - width * (index + 2) // 9) ** 2 + (y - height // 2) ** 2 < (min(width, height) // 3) ** 2
        picture[disc] = [(230, 40, 60), (20, 200, 90), (40, 60, 240), (250, 220, 30), (10, 10, 10), (240, 240, 250)][
            index
        ]
        path = PICTURES / f"picture-{index}.png"
        Image.fromarray(picture.astype(np.uint8)).save(path, optimize=True)
        paths.append(path)
    return paths


def padded_to_square(picture):
    """The LLaVA authors' padding: the picture in the middle of a square of the mean colour."""
    width, height = picture.size
    side = max(width, height)
    square = Image.new("RGB", (side, side), (122, 116, 104))
    square.paste(picture, ((side - width) // 2, (side - height) // 2))
    return square


# -------------------------------------------------------------------------------------------------- checkpoints
def tokenizer():
    return AutoTokenizer.from_pretrained(DEMO / "model")


def random_model(shape, seed):
    """Weights that make attention sharp, every bias and norm matter, and logits spread; added rows stay quiet."""
    words = tokenizer()
    hidden, heads, layers, inner = shape.vision
    vision = CLIPVisionConfig(
        hidden_size=hidden,
        num_attention_heads=heads,
        num_hidden_layers=layers,
        intermediate_size=inner,
        image_size=shape.image_size,
        patch_size=14,
        projection_dim=hidden,
    )
    hidden, heads, key_heads, layers, inner = shape.text
    text = LlamaConfig(
        vocab_size=704,
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=key_heads,
        num_hidden_layers=layers,
        intermediate_size=inner,
        max_position_embeddings=2048,
        rms_norm_eps=1e-5,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=words.pad_token_id,
    )
    model = LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=vision,
            text_config=text,
            image_token_index=words.convert_tokens_to_ids("<image>"),
            image_seq_length=(shape.image_size // 14) ** 2,
            projector_hidden_act="gelu",
            vision_feature_layer=-2,
            vision_feature_select_strategy="default",
            tie_word_embeddings=False,
        )
    )
    fill(model, words, seed)
    return model.to(shape.stored_as).eval()


def fill(model, words, seed):
    """Random weights for every parameter, and the ids of a tokenizer for generation."""
    spread = [
        ("bias", 0.08, 0.0),
        ("norm", 0.12, 1.0),
        ("layrnorm", 0.12, 1.0),
        ("class_embedding", 0.4, 0.0),
        ("position_embedding", 0.35, 0.0),
        ("embed_tokens", 0.6, 0.0),
    ]
    gain = [("patch_embedding", 1.1), ("lm_head", 2.4), ("q_proj", 1.3), ("k_proj", 1.3), ("", 0.85)]
    generator = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        found = next(
            (s for s in spread if name.endswith(s[0]) or s[0] != "bias" and s[0] in name and not name.endswith("bias")),
            None,
        )
        fan_in = weight[0].numel() if weight.dim() > 1 else 1
        deviation, mean = found[1:] if found else (next(g for part, g in gain if part in name) / math.sqrt(fan_in), 0.0)
        weight.data = torch.randn(weight.shape, generator=generator) * deviation + mean
    with torch.no_grad():  # `<image>`, `<pad>` and the rows after them never win, as in the released models
        model.lm_head.weight[len(words) - 2 :] *= 0.2
    model.generation_config.update(bos_token_id=1, eos_token_id=2, pad_token_id=words.pad_token_id)


def image_processor(size):
    return CLIPImageProcessor(
        size={"shortest_edge": size}, crop_size={"height": size, "width": size}, do_convert_rgb=True
    )


def save_checkpoint(model, shape):
    folder = HERE / shape.name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, safe_serialization=True)
    image_processor(shape.image_size).save_pretrained(folder)
    for name in TOKENIZER_FILES + ["processor_config.json"]:
        shutil.copyfile(DEMO / "model" / name, folder / name)
    return folder


def load(folder, dtype):
    model = LlavaForConditionalGeneration.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()
    size = model.config.vision_config.image_size
    processor = LlavaProcessor(
        image_processor=image_processor(size),
        tokenizer=AutoTokenizer.from_pretrained(folder),
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    return model, processor


# -------------------------------------------------------------------------------------------------- running it
def rendered(template, question):
    """The prompt text of each template, `<image>` included; `none` shows that any text may surround the picture."""
    if template == "none":
        return f"Look at this: <image> and answer.\n{question}"
    return f"{SYSTEM if template == 'vicuna_v1' else ''}USER: <image>\n{question} ASSISTANT:"


def candidates(pictures):
    """More prompts than needed; those without a near tie are kept. Modes and templates alternate."""
    for turn in range(len(QUESTIONS) * len(pictures)):
        template = ("hf", "vicuna_v1", "hf", "none")[turn % 4]
        question = QUESTIONS[(turn + turn // len(QUESTIONS)) % len(QUESTIONS)]
        mode = "pad" if turn % 5 == 4 else "crop"
        yield {
            "image": pictures[turn % len(pictures)].name,
            "image_mode": mode,
            "template": template,
            "question": question,
            "prompt": rendered(template, question),
        }


def inputs_of(case, processor, folder=PICTURES):
    picture = Image.open(folder / case["image"]).convert("RGB")
    if case["image_mode"] == "pad":
        picture = padded_to_square(picture)
    return processor(images=picture, text=case["prompt"], return_tensors="pt")


@torch.no_grad()
def greedy(model, inputs, length):
    """Token ids, the logits of every step, and the gap between the best two."""
    out = model.generate(
        **inputs, max_new_tokens=length, do_sample=False, return_dict_in_generate=True, output_logits=True
    )
    ids = out.sequences[0, inputs["input_ids"].shape[1] :].tolist()
    logits = torch.stack([step[0].float() for step in out.logits])
    best = logits.topk(2).values
    return ids, logits.numpy(), (best[:, 0] - best[:, 1]).numpy()


def choose_prompts(shape, pictures):
    """The first seed that gives enough prompts whose greedy answers are long, varied and free of near ties."""
    words = len(tokenizer()) - 2
    for seed in range(6, 200):
        model = save_checkpoint(random_model(shape, seed), shape)
        model, processor = load(HERE / shape.name, torch.float32)
        kept, modes, tried = [], set(), 0
        for case in candidates(pictures):
            tried += 1
            inputs = inputs_of(case, processor)
            ids, logits, margin = greedy(model, inputs, ANSWER_LENGTH)
            if (
                len(ids) == ANSWER_LENGTH
                and 2 not in ids
                and max(ids) < words
                and len(set(ids)) >= 12
                and margin.min() >= MARGIN
            ):
                if len({tuple(k["token_ids"][:4]) for k in kept} | {tuple(ids[:4])}) > len(kept):
                    kept.append(case | {"token_ids": ids, "margin": float(margin.min())})
            if len(kept) == PROMPTS or tried == 16 and len(kept) < 3:
                break
        print(shape.name, "seed", seed, "kept", len(kept), "of", tried)
        if (
            len(kept) == PROMPTS
            and {"hf", "vicuna_v1", "none"} == {k["template"] for k in kept}
            and {"crop", "pad"} == {k["image_mode"] for k in kept}
        ):
            return seed, kept
    raise SystemExit("no seed found; widen the candidates")


def crop_of(case, size):
    """The uint8 picture that normalisation starts from: shortest edge to `size`, bicubic, centre cut out."""
    picture = Image.open(PICTURES / case["image"]).convert("RGB")
    if case["image_mode"] == "pad":
        picture = padded_to_square(picture)
    width, height = picture.size
    long = int(size * max(width, height) / min(width, height))
    width, height = (size, long) if width <= height else (long, size)
    left, top = (width - size) // 2, (height - size) // 2
    return np.array(picture.resize((width, height), Image.BICUBIC).crop((left, top, left + size, top + size)))


@torch.no_grad()
def trace(model, inputs, case, shape, out):
    """What one prompt looks like inside the model; rows 0, s, 2s, … of every matrix, where s is `row_stride`."""
    tower, language = model.model.vision_tower.vision_model, model.model.language_model
    stride, kept, hooks = shape.row_stride, {}, []

    def keep(module, name):
        def hook(_, __, value):
            value = value[0] if isinstance(value, tuple) else value
            kept.setdefault(name, value[0].float().numpy())

        hooks.append(module.register_forward_hook(hook))

    keep(tower.pre_layrnorm, "vision/hidden_0")
    for index, layer in enumerate(tower.encoder.layers):
        keep(layer, f"vision/hidden_{index + 1}")
    keep(tower.encoder.layers[1].self_attn.k_proj, "vision/keys_1")
    keep(model.model.multi_modal_projector, "projector")
    for index, layer in enumerate(language.layers):
        keep(layer, f"text/hidden_{index + 1}")
    result = model(**inputs, output_attentions=True)
    for hook in hooks:
        hook.remove()
    vision = model.model.vision_tower(inputs["pixel_values"], output_attentions=True, output_hidden_states=True)
    kept["vision/selected"] = vision.hidden_states[-2][0, 1:].numpy()
    # Post-softmax attention of the second layer (layers[1]): the mean over heads, and its class-token row head by head.
    kept["vision/attention_1"] = vision.attentions[1][0].mean(0).numpy()
    kept["text/attention_1"] = result.attentions[1][0].mean(0).numpy()
    for name, value in kept.items():
        out[f"trace/{name}"] = value[::stride].astype(np.float32)
    out["trace/vision/class_attention_1"] = vision.attentions[1][0, :, 0].numpy()  # (heads, tokens)
    out["trace/row_stride"] = np.int32(stride)
    ids = inputs["input_ids"][0].numpy()
    positions = np.array([p for p in range(len(ids)) if ids[p] != 640 or p % (stride * 2) == 0], np.int32)
    out["trace/logit_positions"], out["trace/logits"] = positions, result.logits[0].numpy()[positions]
    out["trace/crop"] = crop_of(case, shape.image_size)
    pixels = inputs["pixel_values"][0].numpy()
    table = torch.from_numpy((np.arange(256) * 0.00392156862745098).astype(np.float32))
    mean, deviation = (np.array(v, np.float32) for v in (image_processor(1).image_mean, image_processor(1).image_std))
    expected = ((table.numpy()[out["trace/crop"]] - mean) / deviation).transpose(2, 0, 1)
    assert np.array_equal(expected, pixels), "the crop is not what transformers normalised"
    out["trace/pixel_values"] = pixels[:, ::stride]


def sampling(logits):
    """Probabilities that temperature and top-p leave for the first token of the first prompt."""
    from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopPLogitsWarper

    rows = []
    for temperature, top_p in [(1.0, 1.0), (0.7, 0.9), (0.2, 1.0), (1.5, 0.6)]:
        warp = LogitsProcessorList([TemperatureLogitsWarper(temperature), TopPLogitsWarper(top_p)])
        left = torch.softmax(warp(None, torch.from_numpy(logits.copy())[None]), -1)[0].numpy()
        ids = np.argsort(-left)[: int((left > 0).sum())][:40]
        rows.append(
            {
                "temperature": temperature,
                "top_p": top_p,
                "support": int((left > 0).sum()),
                "ids": ids.tolist(),
                "probabilities": [float(f"{left[i]:.8g}") for i in ids],
            }
        )
    return rows


def versions():
    return {
        "transformers": transformers.__version__,
        "torch": torch.__version__.split("+")[0],
        "pillow": Image.__version__,
    }


@torch.no_grad()
def make_checkpoint(shape, pictures):
    seed, cases = choose_prompts(shape, pictures)
    folder = HERE / shape.name
    exact, processor = load(folder, torch.float32)
    rounded, _ = load(folder, torch.bfloat16)
    doubled = load(folder, torch.float64)[0]
    arrays, worst = {}, {"bf16": 0.0, "f64": 0.0}
    for index, case in enumerate(cases):
        inputs = inputs_of(case, processor)
        logits = exact(**inputs).logits[0, -1].numpy()
        arrays[f"last_logits/{index}"] = logits
        arrays[f"last_logits_bf16/{index}"] = (
            rounded(**inputs | {"pixel_values": inputs["pixel_values"].bfloat16()}).logits[0, -1].float().numpy()
        )
        twice = doubled(**inputs | {"pixel_values": inputs["pixel_values"].double()}).logits[0, -1].numpy()
        worst["bf16"] = max(
            worst["bf16"], float(np.abs(arrays[f"last_logits_bf16/{index}"] - logits).max() / np.abs(logits).max())
        )
        worst["f64"] = max(worst["f64"], float(np.abs(twice - logits).max() / np.abs(twice).max()))
        ids = inputs["input_ids"][0].tolist()
        image = ids.index(640)
        visual = ids.count(640)
        case["prompt_token_ids"] = (
            ids[: image + 1] + ids[image + visual :]
        )  # with one `<image>`, as the tokenizer gives it
        case["visual_tokens"] = visual
        case["answer"] = processor.tokenizer.decode(case["token_ids"], skip_special_tokens=True).strip()
    trace(exact, inputs_of(cases[0], processor), cases[0], shape, arrays)
    about = versions() | {"seed": seed, "stored_as": str(shape.stored_as).split(".")[1], "relative_error_of_hf": worst}
    prefix = "golden" if shape.name == "hf" else f"{shape.name}_golden"
    (HERE / f"{prefix}.json").write_text(
        json.dumps(
            {"made_with": about, "prompts": cases, "sampling": sampling(arrays["last_logits/0"])},
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )
    with h5py.File(HERE / f"{prefix}.h5", "w", libver=("earliest", "v110")) as file:
        for name, value in sorted(arrays.items()):
            options = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if np.size(value) > 256 else {}
            file.create_dataset(name, data=value, track_times=False, **options)
    print(shape.name, about, [round(c["margin"], 3) for c in cases])


@torch.no_grad()
def make_demo():
    """Greedy answers of the demo model to its first twelve questions: f32, the plain Hugging Face prompt, crop."""
    model, processor = load(DEMO / "model", torch.float32)
    rows = []
    for line in (DEMO / "questions.jsonl").read_text().splitlines()[:12]:
        item = json.loads(line)
        case = {"image": item["image"], "image_mode": "crop", "prompt": rendered("hf", item["prompt"])}
        inputs = inputs_of(case, processor, DEMO)
        ids, logits, margin = greedy(model, inputs, ANSWER_LENGTH)
        rows.append(
            {
                "id": item["id"],
                "image": item["image"],
                "question": item["prompt"],
                "prompt": case["prompt"],
                "token_ids": ids,
                "answer": processor.tokenizer.decode(ids, skip_special_tokens=True).strip(),
                "margin": float(margin.min()),
                "last_logits": [float(f"{v:.7g}") for v in logits[0]],
            }
        )
        print(item["id"], repr(rows[-1]["answer"]), item["answers"], round(rows[-1]["margin"], 3))
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
    (HERE / "demo_golden.json").write_text(f'{{"made_with": {json.dumps(versions())}, "questions": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    assert transformers.__version__.startswith("4.57."), "written for transformers 4.57"
    torch.set_num_threads(1)
    if sys.argv[1:] != ["demo"]:
        pictures = draw_pictures()
        for shape in SHAPES:
            make_checkpoint(shape, pictures)
    make_demo()
