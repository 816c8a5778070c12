#!/usr/bin/env python3
"""Hugging Face transformers' answers to all questions of the demo benchmark: demo_answers.json beside this script.

    venv/bin/python make_demo_answers.py        # packages of ../model/requirements.txt; minutes on one core

f32, eager attention, greedy, at most 32 tokens, the plain Hugging Face prompt, centre crop, one question at a time. `margin`
is the least gap between the best two logits over the steps: rounding can only change an answer where it is tiny.
"""

import json
import sys
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "model"))

from make_model_goldens import greedy, inputs_of, load, rendered, versions  # noqa: E402

BENCHMARK = HERE.parents[2] / "Jobs" / "benchmarks" / "demo"
MODEL = HERE.parents[2] / "Jobs" / "demo" / "model"


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    model, processor = load(MODEL, torch.float32)
    rows, right = [], 0
    for line in (BENCHMARK / "questions.jsonl").read_text().splitlines():
        item = json.loads(line)
        case = {"image": item["image"], "image_mode": "crop", "prompt": rendered("hf", item["prompt"])}
        ids, _, margin = greedy(model, inputs_of(case, processor, BENCHMARK), 32)
        answer = processor.tokenizer.decode(ids, skip_special_tokens=True).strip()
        right += answer in item["answers"]
        rows.append({"id": item["id"], "answer": answer, "margin": float(f"{margin.min():.3g}")})
        if len(rows) % 50 == 0:
            print(len(rows), right / len(rows), flush=True)
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (HERE / "demo_answers.json").write_text(f'{{"made_with": {json.dumps(versions())}, "answers": [\n{lines}\n]}}\n')
    print("right", right, "of", len(rows), "least margin", min(row["margin"] for row in rows))


if __name__ == "__main__":
    main()
