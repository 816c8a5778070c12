#!/usr/bin/env python3
"""Hugging Face transformers' answers to text-only prompts: text_golden.json beside this script.

    venv/bin/python make_text_goldens.py        # packages of requirements.txt; a second on one core

The checkpoint `hf/`, f32, eager attention, greedy. Only prompts whose answers no rounding can change are kept: `margin` is the
least gap between the best two logits over the steps.
"""

import json

import torch

from make_model_goldens import HERE, greedy, load, versions

VICUNA = ("A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, and "
          "polite answers to the user's questions. USER: {} ASSISTANT:")
QUESTIONS = [
    "What is the colour of the sky?",
    "Which of these is red?\nA. the circle\nB. the square\nAnswer with the option's letter from the given choices directly.",
    "How many?", "Say a word.", "Is there a circle left of the square?", "yes", "Read the sign.",
    "Context: none\nWhat is larger?\nA. one\nB. two", "left, right or above", "7 and 3",
]
LENGTH = 16


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    model, processor = load(HERE / "hf", torch.float32)
    prompts = []
    for number, question in enumerate(QUESTIONS):
        template, shape = [("none", "{}"), ("hf", "USER: {} ASSISTANT:"), ("vicuna_v1", VICUNA)][number % 3]
        inputs = processor.tokenizer(shape.format(question), return_tensors="pt")
        ids, logits, margin = greedy(model, inputs, LENGTH)
        if margin.min() < 0.01:
            continue
        prompts.append({
            "template": template, "question": question, "prompt_token_ids": inputs["input_ids"][0].tolist(), "token_ids": ids,
            "margin": float(f"{margin.min():.3g}"), "last_logits": [float(f"{x:.7g}") for x in logits[0].flatten()],
        })
    lines = ",\n".join(json.dumps(prompt) for prompt in prompts)
    (HERE / "text_golden.json").write_text(f'{{"made_with": {json.dumps(versions())}, "prompts": [\n{lines}\n]}}\n')
    print(len(prompts), "of", len(QUESTIONS))


if __name__ == "__main__":
    main()
