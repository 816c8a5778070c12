#!/usr/bin/env python3
"""Hugging Face transformers' answers to prompts about several pictures: pictures_golden.json beside this script.

    venv/bin/python make_picture_goldens.py        # packages of requirements.txt; a few seconds on one core

The checkpoints `small/` and `hf/`, f32, eager attention, greedy, pictures cut to squares. Only prompts whose answers no rounding
can change are kept: `margin` is the least gap between the best two logits over the steps.
"""

import json

import torch
from PIL import Image

from make_model_goldens import HERE, greedy, load, versions

# Places of pictures among the text, and which pictures.
PROMPTS = [
    ("USER: <image>\n<image>\nWhat differs? ASSISTANT:", [0, 1]),
    ("<image> before, and after: <image>. Which is red?", [2, 3]),
    ("Look at <image> and <image> and <image>", [4, 0, 5]),
    ("<image><image>", [1, 4]),
    ("the same twice: <image> <image> yes?", [3, 3]),
    ("first <image>", [5]),
    ("USER: one <image> two <image> three ASSISTANT:", [0, 2]),
    ("USER: one <image> two <image> three ASSISTANT:", [2, 0]),
    ("<image>\nA sign.\n<image>\nA circle.\n<image>\nA square.\nWhich has two?", [1, 2, 3]),
    ("Is it larger? <image> or <image>", [5, 1]),
]
LENGTH = 16


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    prompts = []
    for name in ["small", "hf"]:
        model, processor = load(HERE / name, torch.float32)
        for text, pictures in PROMPTS:
            images = [Image.open(HERE / "images" / f"picture-{number}.png").convert("RGB") for number in pictures]
            inputs = processor(images=images, text=text, return_tensors="pt")
            ids, logits, margin = greedy(model, inputs, LENGTH)
            if margin.min() < 0.01:
                continue
            prompts.append({
                "model": name, "prompt": text, "pictures": pictures,
                "prompt_token_ids": processor.tokenizer(text)["input_ids"],
                "rows": inputs["input_ids"].shape[1], "token_ids": ids, "margin": float(f"{margin.min():.3g}"),
                "last_logits": [float(f"{x:.7g}") for x in logits[0].flatten()],
            })
    lines = ",\n".join(json.dumps(prompt) for prompt in prompts)
    (HERE / "pictures_golden.json").write_text(f'{{"made_with": {json.dumps(versions())}, "prompts": [\n{lines}\n]}}\n')
    print(len(prompts), "of", 2 * len(PROMPTS))


if __name__ == "__main__":
    main()
