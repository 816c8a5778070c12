#!/usr/bin/env python3
"""A tiny random LLaVA-NeXT checkpoint, and what Hugging Face transformers 4.57 computes with it.

    venv/bin/python make_next_goldens.py        # packages of requirements.txt and pillow < 13; less than a minute on one core

Writes next/ (56 px, patch 14, 16 visual tokens a tile; fp16; two query heads to a key head), next_images/, next_golden.json
and next_golden.h5. README.md, one folder up, names every field. From 13.0 on Pillow may resize columns first, which changes
the pixels of tall pictures.
"""

import json
import shutil

import h5py
import numpy as np
import torch
from PIL import Image
from transformers import (
    AutoTokenizer,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextImageProcessor,
    LlavaNextProcessor,
    MistralConfig,
)

from make_model_goldens import DEMO, HERE, SYSTEM, TOKENIZER_FILES, fill, greedy, tokenizer, versions

SIDE = 56
PINPOINTS = [[56, 112], [112, 56], [112, 112], [168, 56], [56, 168]]  # height, width
LENGTH = 32  # greedy tokens per prompt
MARGIN = 0.003  # least gap between the best two logits, so that rounding cannot change a greedy token
SIZES = {  # width, height
    "wide": (107, 80), "tall": (56, 83), "tiny": (20, 13), "square": (83, 83), "small_square": (33, 33),
    "exact_2x2": (112, 112), "exact_1x3": (168, 56), "panorama": (250, 50), "tower": (50, 250),
    "tie_portrait": (6, 17), "no_grid_rows": (168, 4), "rounding": (188, 47), "grey": (70, 50), "rgba": (50, 70),
}
QUESTIONS = "What is this?|Where is the white bar?|Describe the image.|Is there a red disc?|How many rings are there?".split("|")


def prompts():
    """Text and pictures of every prompt."""
    asked = {name: (f"USER: <image>\n{QUESTIONS[i % 5]} ASSISTANT:", [name]) for i, name in enumerate(SIZES)}
    return asked | {
        "system": (f"{SYSTEM}USER: <image>\nWhat is this? ASSISTANT:", ["wide"]),
        "image_last": ("USER: What is this? <image>", ["square"]),
        "two_pictures": ("USER: <image>\n<image>\nWhere is the white bar? ASSISTANT:", ["wide", "tall"]),
        "interleaved": ("This <image> is near this <image> and <image>. Is it?", ["tall", "tiny", "small_square"]),
        "same_twice": ("<image><image>\nIs there a red disc?", ["tall", "tall"]),
        "text_only": ("USER: Is there a red disc? ASSISTANT:", []),
    }


def draw(index, width, height):
    """Stripes, a gradient and a disc, all in integers."""
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([x * 255 // (width - 1), y * 255 // (height - 1), (x + y) * 40 * (index + 1) // 30 % 256], -1)
    picture[(x // (5 + index % 7) + y // (9 - index % 6)) % 2 == 0] //= 2 + index % 2
    disc = (x - width * (index % 6 + 2) // 9) ** 2 + (y - height // 2) ** 2 < (min(width, height) // 3) ** 2
    picture[disc] = (230 - 15 * index, 40 + 12 * index, 60 + 100 * (index % 2))
    return Image.fromarray(picture.astype(np.uint8))


def draw_pictures():
    folder = HERE / "next_images"
    folder.mkdir(exist_ok=True)
    for index, (name, size) in enumerate(SIZES.items()):
        picture = draw(index, *size)
        if name == "grey":
            picture = picture.convert("L")
        if name == "rgba":
            picture.putalpha(draw(3, *size).convert("L"))
        picture.save(folder / f"{name}.png", optimize=True)
    return {name: Image.open(folder / f"{name}.png") for name in SIZES}


def random_model(seed):
    words = tokenizer()
    vision = CLIPVisionConfig(
        hidden_size=36, num_attention_heads=3, num_hidden_layers=3, intermediate_size=76, image_size=SIDE, patch_size=14,
        projection_dim=36)
    text = LlamaConfig(
        vocab_size=704, hidden_size=40, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=2,
        intermediate_size=84, max_position_embeddings=2048, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
        pad_token_id=words.pad_token_id)
    model = LlavaNextForConditionalGeneration(LlavaNextConfig(
        vision_config=vision, text_config=text, image_token_index=words.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=PINPOINTS, image_seq_length=(SIDE // 14) ** 2, tie_word_embeddings=False))
    fill(model, words, seed)
    newline = torch.randn(40, generator=torch.Generator().manual_seed(seed)) * 0.8
    model.model.image_newline.data = newline
    return model.half().eval()


def image_processor():
    return LlavaNextImageProcessor(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}, image_grid_pinpoints=PINPOINTS)


def save_checkpoint(model):
    folder = HERE / "next"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, safe_serialization=True)
    image_processor().save_pretrained(folder)
    for name in TOKENIZER_FILES + ["processor_config.json"]:
        shutil.copyfile(DEMO / "model" / name, folder / name)
    return folder


def load(folder):
    model = LlavaNextForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager").eval()
    processor = LlavaNextProcessor(
        image_processor=image_processor(), tokenizer=AutoTokenizer.from_pretrained(folder), patch_size=14,
        vision_feature_select_strategy="default", num_additional_image_tokens=1)
    return model, processor


def samples(pixels):
    """The uint8 tiles, (tiles, side, side, 3), that transformers normalised; asserts that they are the only ones."""
    mean, deviation = (np.array(v, np.float32) for v in (image_processor().image_mean, image_processor().image_std))
    table = ((np.arange(256) * 0.00392156862745098).astype(np.float32)[:, None] - mean) / deviation
    pixels = pixels.transpose(0, 2, 3, 1)
    tiles = np.stack([np.searchsorted(table[:, c], pixels[..., c]) for c in range(3)], -1)
    assert np.array_equal(np.stack([table[tiles[..., c], c] for c in range(3)], -1), pixels)
    return tiles.astype(np.uint8)


@torch.no_grad()
def run(model, processor, pictures):
    arrays, seen, asked = {}, [], []
    for name, picture in pictures.items():
        inputs = processor.image_processor(picture.convert("RGB"), return_tensors="pt")
        pixels = inputs["pixel_values"][0]
        features = model.get_image_features(inputs["pixel_values"], inputs["image_sizes"])[0]
        arrays[f"tiles/{name}"] = samples(pixels.numpy())
        arrays[f"features/{name}"] = features.numpy()
        seen.append({"name": name, "width": picture.width, "height": picture.height, "rows": features.shape[0]})
    for name, (text, names) in prompts().items():
        inputs = processor(
            images=[pictures[n].convert("RGB") for n in names] or None, text=text, return_tensors="pt")
        ids, logits, margin = greedy(model, inputs, LENGTH)
        asked.append({
            "name": name, "prompt": text, "pictures": names,
            "prompt_token_ids": processor.tokenizer(text)["input_ids"], "rows": inputs["input_ids"].shape[1],
            "token_ids": ids, "margin": float(f"{margin.min():.3g}"),
        })
        arrays[f"last_logits/{name}"] = logits[0]
    return arrays, seen, asked


@torch.no_grad()
def check_mistral(model, processor, pictures, asked):
    """Asserts that a Mistral decoder that sees all rows answers as the Llama decoder of the same weights does."""
    config = model.config.to_dict()
    text = {key: config["text_config"][key] for key in (
        "vocab_size", "hidden_size", "num_attention_heads", "num_key_value_heads", "num_hidden_layers",
        "intermediate_size", "max_position_embeddings", "rms_norm_eps", "rope_theta", "bos_token_id", "eos_token_id",
        "pad_token_id")}
    config["text_config"] = MistralConfig(**text, sliding_window=None).to_dict()
    mistral = LlavaNextForConditionalGeneration(LlavaNextConfig(**config)).eval()
    mistral.load_state_dict(model.state_dict())
    for case in asked:
        inputs = processor(
            images=[pictures[n].convert("RGB") for n in case["pictures"]] or None, text=case["prompt"],
            return_tensors="pt")
        assert greedy(mistral, inputs, LENGTH)[0] == case["token_ids"], case["name"]


def main():
    torch.set_num_threads(1)
    pictures = draw_pictures()
    for seed in range(1, 400):
        model, processor = load(save_checkpoint(random_model(seed)))
        arrays, seen, asked = run(model, processor, pictures)
        least = min(case["margin"] for case in asked)
        varied = len({tuple(case["token_ids"][:6]) for case in asked}) >= len(asked) - 3
        print("seed", seed, "margin", least, "varied", varied)
        if least >= MARGIN and varied:
            break
    else:
        raise SystemExit("no seed found")
    check_mistral(model, processor, pictures, asked)
    with h5py.File(HERE / "next_golden.h5", "w") as file:
        for name, value in arrays.items():
            file.create_dataset(name, data=value, compression="gzip", compression_opts=9)
    made_with = versions() | {"seed": seed}
    lines = [",\n".join(json.dumps(case) for case in cases) for cases in (seen, asked)]
    (HERE / "next_golden.json").write_text(
        f'{{"made_with": {json.dumps(made_with)},\n"pictures": [\n{lines[0]}\n],\n"prompts": [\n{lines[1]}\n]}}\n')


if __name__ == "__main__":
    main()
