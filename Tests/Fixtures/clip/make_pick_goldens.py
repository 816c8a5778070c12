#!/usr/bin/env python3
"""Makes picks.json: which visual tokens CDPruner keeps of a picture for a question, through whole models.

    make_pick_goldens.py

Needs the packages of ../model/requirements.txt. transformers runs ../model/small over a picture and the text tower of model/
over the question, both in float64; relevance and choice are those of ../reduction/method_oracle_more.py. A token's score is
1 - w² d², where d² is what the tokens chosen before it leave of it and w its relevance as a share of the greatest.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import load_file
from transformers import CLIPTextModelWithProjection, CLIPTokenizerFast, LlavaForConditionalGeneration

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "reduction"), str(HERE.parent / "model")]
import method_oracle_more as oracle  # noqa: E402
from make_model_goldens import image_processor  # noqa: E402

PICTURES = ["picture-0.png", "picture-3.png"]
QUESTIONS = [
    "What is this?", "What color is the ring?", "How many rings are there?", "WHERE is   the white bar\u00a0?", "请直接回答选项字母。",
    "Is there a sign? " + "What is written on the sign, and is the ring larger than the bar? " * 4,
    "Who's there? " + "Where is the writer, and how many letters does he write? " * 12,
]
KEEP, NARROWEST = (1, 4, 9), 1e-4


def embeddings(text):
    """(pieces, projection): all ids of the text, filled up with zeros and cut every 77, as CDPruner's code does."""
    tokenizer = CLIPTokenizerFast(str(HERE / "model/vocab.json"), str(HERE / "model/merges.txt"))
    tower = CLIPTextModelWithProjection.from_pretrained(HERE / "model", dtype=torch.float64, attn_implementation="sdpa")
    ids = tokenizer(text)["input_ids"]
    missing = -len(ids) % 77
    rows = torch.tensor(ids + [0] * missing).reshape(-1, 77)
    mask = torch.tensor([1] * len(ids) + [0] * missing).reshape(-1, 77)
    return tower.eval()(input_ids=rows, attention_mask=mask).text_embeds.numpy()


def scores(x, weights, keep):
    """The choice's scores, by determinants, and how narrow its narrowest decision was."""
    similar = oracle.cosines(x, x)
    shares, chosen, narrowest = (weights / weights.max()) ** 2, [], np.inf

    def gains():
        if not chosen:
            return shares * np.diag(similar)
        inner = np.linalg.solve(similar[np.ix_(chosen, chosen)], similar[chosen])
        return shares * (np.diag(similar) - (similar[chosen] * inner).sum(0))

    result = np.zeros(len(x))
    for _ in range(keep):
        gain = gains()
        gain[chosen] = -np.inf
        first, second = np.argsort(-gain, kind="stable")[:2]
        narrowest = min(narrowest, gain[first] - gain[second])
        result[first] = 1 - gain[first]
        chosen.append(int(first))
    open_ = [token for token in range(len(x)) if token not in chosen]
    result[open_] = 1 - gains()[open_]
    return sorted(chosen), result, narrowest


@torch.no_grad()
def main():
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # transformers makes its causal mask in the default type
    llava = LlavaForConditionalGeneration.from_pretrained(
        HERE.parent / "model/small", dtype=torch.float64, attn_implementation="sdpa").eval()
    clip = {name: w.astype(np.float64) for name, w in load_file(HERE / "model/model.safetensors").items()}
    norm = clip["vision_model.post_layernorm.weight"], clip["vision_model.post_layernorm.bias"], 1e-5
    cases, narrowest = [], np.inf
    texts = {question: embeddings(question) for question in QUESTIONS}
    for name in PICTURES:
        picture = Image.open(HERE.parent / "model/images" / name).convert("RGB")
        pixels = image_processor(56)(picture, return_tensors="pt").pixel_values.double()
        tower = llava.model.vision_tower(pixels, output_hidden_states=True).hidden_states[-2][0, 1:]
        features = llava.model.multi_modal_projector(tower).numpy()
        for question, text in texts.items():
            cosines = oracle.clip_relevance(tower.numpy(), norm, clip["visual_projection.weight"], text)
            for option, sign in (("question", -1), ("question-positive", 1)):
                weights = oracle.relevance(cosines, sign)
                for keep in KEEP if sign < 0 else KEEP[1:2]:
                    kept, score, margin = scores(features, weights, keep)
                    assert np.array_equal(oracle.conditional_dpp(features, weights, keep).states, features[kept])
                    narrowest = min(narrowest, margin)
                    cases.append(dict(image=name, question=question, relevance=option, keep=keep, kept=kept,
                                      scores=[float(s) for s in score]))
    assert narrowest > NARROWEST, narrowest
    (HERE / "picks.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
    print(len(cases), "cases; pieces", [len(t) for t in texts.values()], "narrowest decision", narrowest)
    for question in QUESTIONS:
        print(question[:20], [c["kept"] for c in cases if c["question"] == question and c["keep"] == 4])


if __name__ == "__main__":
    main()
