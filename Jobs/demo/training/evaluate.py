"""Exact-match accuracy of the checkpoint, by kind: transformers, f32, greedy, all 576 visual tokens.

    python evaluate.py ITEMS.jsonl [--template hf|vicuna_v1] [--answers ANSWERS.jsonl] [--limit N]

ITEMS.jsonl is a batch's items with answers and `labels.kind`; pictures are found from the folder `--images`, by default the
folder of the items. ANSWERS.jsonl gets one line for each question: id, answer, right.
"""

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path

import torch
from PIL import Image
from transformers import AutoProcessor, LlavaForConditionalGeneration

import words


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("items", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--model", default=str(words.MODEL))
    parser.add_argument("--template", choices=("hf", "vicuna_v1"), default="hf")
    parser.add_argument("--answers", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    items = [json.loads(line) for line in given.items.read_text().splitlines()][: given.limit]
    images = given.images or given.items.parent
    model = LlavaForConditionalGeneration.from_pretrained(given.model, dtype=torch.float32).eval()
    processor = AutoProcessor.from_pretrained(given.model)
    before = words.SYSTEM if given.template == "vicuna_v1" else ""
    by_picture = defaultdict(list)
    for item in items:
        by_picture[item["image"]].append(item)
    began, results = time.time(), {}
    for name, group in by_picture.items():
        with Image.open(images / name) as file:
            picture = file.convert("RGB")
        with torch.no_grad():
            for item in group:
                text = f"{before}USER: <image>\n{item['prompt']} ASSISTANT:"
                inputs = processor(images=picture, text=text, return_tensors="pt")
                made = model.generate(**inputs, max_new_tokens=48, do_sample=False)
                answer = processor.tokenizer.decode(made[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip()
                results[item["id"]] = (answer, answer in item["answers"], item["labels"]["kind"])
    by_kind = defaultdict(list)
    for _, right, kind in results.values():
        by_kind[kind].append(right)
    for kind, list_ in sorted(by_kind.items()):
        print(f"{kind:10s} {100 * sum(list_) / len(list_):5.1f} %  of {len(list_)}")
    mean = sum(sum(list_) / len(list_) for list_ in by_kind.values()) / len(by_kind)
    print(f"{'mean':10s} {100 * mean:5.1f} %  of {len(results)}, {time.time() - began:.0f} s")
    if given.answers:
        lines = (json.dumps({"id": id_, "answer": answer, "right": right}) for id_, (answer, right, _) in results.items())
        given.answers.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
