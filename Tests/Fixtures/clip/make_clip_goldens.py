#!/usr/bin/env python3
"""Makes clip_goldens.json, and model/, a tiny CLIP whose text tower and tokenizer the tests run.

    make_clip_goldens.py

Needs transformers 4.57, torch, safetensors, ftfy and numpy. The vocabulary is learned here, by byte pair encoding of the
sentences below; the weights are random. model/ holds the text tower, both projections and the last norm of the
vision tower, which is that of ../model/small, so that the two folders belong together as LLaVA-1.5 and its CLIP do.
References: transformers' tokenizers, and transformers' model in float64; clip_text_oracle.py must agree with it.
"""
import collections
import json
import pathlib
import re
import sys

import ftfy
import numpy as np
import torch
import transformers
from safetensors.numpy import load_file, save_file
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer, CLIPTokenizerFast
from transformers.models.clip.tokenization_clip import bytes_to_unicode

import clip_text_oracle as oracle

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "reduction"))
import method_oracle_more  # noqa: E402
from make_reduction_goldens import Generator, states  # noqa: E402

torch.set_default_dtype(torch.float64)  # transformers makes its causal mask in the default type
MERGES, SEED, BEGIN, END = 160, 20, "<|startoftext|>", "<|endoftext|>"
CORPUS = """
what is the color of the bus? what color is the dog's collar? is there a person in the image? are there any cars on the street?
how many people are standing next to the table? how many birds can you see? what is the man holding in his hand?
what is written on the sign? what does the sign say? where is the cat sitting? who is wearing a red hat?
is the woman to the left or to the right of the car? what kind of animal is this? what type of vehicle is shown in the picture?
which side of the photo is the chair on, the left or the right? what is in front of the building? what is behind the fence?
provide a one-sentence caption for the provided image. reference ocr token: stop, one, way, street, 12, 24
answer the question using a single word or phrase. answer with the option's letter from the given choices directly.
please describe this image in detail. what time does the clock show? it's a sunny day, isn't it? don't they look happy?
we've seen that they're playing tennis; she'll serve and he'd return. i'm looking at the ocean. this is the last one.
what is the brand of the phone? what is the number on the player's shirt? is it raining or snowing? what food is on the plate?
"""
TEXTS = [
    "", " ", "\n", "what is this?", "What is the color of the bus?", "  What   is\tthe\ncolor \r\n of the bus ?  ", "WHAT IS THIS?",
    "Is there a dog in the image?", "How many people are standing next to the table?",
    "What is written on the sign?\nReference OCR token: STOP, 12, ONE-WAY, #!", "it's", "IT'S", "don't won't we've they're I'm she'll he'd",
    "'s's 's 'S ''s 'sx x's'", "o'clock rock'n'roll", "it’s a “quote” – ‘really’…", "12 345 3.14 1,000", "a1b2c3", "½ ² Ⅳ ① ٣ 三",
    "!!! ... ?!? --- ___ ,,,", "a_b-c.d,e", "(a) [b] {c} <d>", "<|endoftext|>", "a<|startoftext|>b <|endoftext|> c", "<|ENDOFTEXT|>", "<|end|>",
    "café Café CAFÉ", "cafe\u0301 CAFE\u0301", "naïve façade Ärger Straße GROẞ", "ΟΔΥΣΣΕΥΣ Σ σς", "İstanbul ISPARTA ıI", "ǅ ǆ Ǆ ﬁ ﬀ ℌ Å",
    "Привет мир", "שלום עולם", "مرحبا بالعالم", "नमस्ते दुनिया", "图片里有什么？", "請直接回答選項字母。", "日本語のテキスト カタカナ", "한국어 텍스트",
    "ａｂｃ １２３ ！", "😀 👨‍👩‍👧 🇩🇪 👍🏽", "a\u00a0b\u3000c\u2028d\u2009e", "a\u200bb\ufeffc\u180ed\u0085e", "x\u0301\u0302y \u0301", "\u0001\u0007a\u007f\u001f",
    "&amp; &lt;b&gt; &quot;", "caf\u00c3\u00a9 it\u00e2\u20ac\u2122s", "\ud7a3\u1112\u1161\u11ab", "e\u0301e\u0302\u0323 \u212b \u2126", "https://example.org/a?b=c&d=%20",
    "zzzzqqqqxxxx", "antidisestablishmentarianism", "A" * 60, "the the the the", "a", "i", "🙂", "\U0010ffff \ufffd", "tab\tand\u000bvt\u000cff",
    "Which side of the photo is the chair on, the left or the right?",
    "What does the sign say? " * 7, "Please describe this image in detail. " * 14,
]


def learn_merges(alphabet):
    """Byte pair encoding of the corpus: the most frequent pair first, of equal ones the first in order."""
    words = collections.Counter(re.findall(r"'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^\sa-z0-9]+", CORPUS.lower()))
    parts = {w: tuple(alphabet[b] for b in w.encode()[:-1]) + (alphabet[w.encode()[-1]] + "</w>",) for w in words}
    merges = []
    while len(merges) < MERGES:
        pairs = collections.Counter()
        for word, symbols in parts.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += words[word]
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        for word, symbols in parts.items():
            out = []
            for symbol in symbols:
                if out and (out[-1], symbol) == best:
                    out[-1] += symbol
                else:
                    out.append(symbol)
            parts[word] = tuple(out)
    return merges


def make_tokenizer(folder):
    alphabet = bytes_to_unicode()
    merges = learn_merges(alphabet)
    symbols = list(alphabet.values())
    symbols += [s + "</w>" for s in symbols] + ["".join(m) for m in merges] + [BEGIN, END]
    assert len(set(symbols)) == len(symbols)
    (folder / "vocab.json").write_text(json.dumps({s: i for i, s in enumerate(symbols)}, ensure_ascii=False), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), "utf-8")
    special = dict(bos_token=BEGIN, eos_token=END, unk_token=END, pad_token=END)
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(
        special | dict(add_prefix_space=False, do_lower_case=True, errors="replace", model_max_length=77,
                       tokenizer_class="CLIPTokenizer"), indent=2) + "\n")
    return len(symbols)


def make_model(folder, vocabulary):
    """A CLIPModel in float64 whose stored values are float32."""
    small = json.loads((HERE.parent / "model/small/config.json").read_text())["vision_config"]
    text = dict(vocab_size=vocabulary, hidden_size=24, intermediate_size=44, num_hidden_layers=3, num_attention_heads=3,
                max_position_embeddings=77, hidden_act="quick_gelu", layer_norm_eps=1e-5, projection_dim=20,
                bos_token_id=0, eos_token_id=2, pad_token_id=1)
    config = CLIPConfig(text_config=text, vision_config=small | dict(projection_dim=20), projection_dim=20)
    config._attn_implementation = "sdpa"  # eager takes its softmax in float32
    model = CLIPModel(config).double().eval()
    random = np.random.default_rng(SEED)
    tower = load_file(HERE.parent / "model/small/model.safetensors")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            stored = tower.get("vision_tower." + name)
            if stored is None:
                draw = random.standard_normal(parameter.shape)
                if parameter.ndim == 0:
                    draw = np.float64(2.5)
                elif "norm" in name:
                    draw = (1 if name.endswith("weight") else 0) + 0.2 * draw
                elif name.endswith("bias"):
                    draw = 0.2 * draw
                elif "embedding" in name:
                    draw = 0.8 * draw
                else:
                    draw = (2.0 if "q_proj" in name or "k_proj" in name else 1.0) * draw / np.sqrt(parameter.shape[-1])
                stored = np.asarray(draw, np.float32)
            parameter.copy_(torch.tensor(stored.astype(np.float64)))
    keep = ("text_model.", "text_projection.", "visual_projection.", "vision_model.post_layernorm.", "logit_scale")
    weights = {n: p.detach().numpy() for n, p in model.named_parameters() if n.startswith(keep)}
    save_file({n: np.ascontiguousarray(w.astype(np.float32)) for n, w in weights.items()}, folder / "model.safetensors",
              {"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    written = dict(architectures=["CLIPModel"], model_type="clip", projection_dim=20, logit_scale_init_value=2.6592,
                   text_config=text | dict(model_type="clip_text_model"), vision_config=small | dict(projection_dim=20))
    (folder / "config.json").write_text(json.dumps(written, indent=2, sort_keys=True) + "\n")
    return model, weights, text


def reference_embedding(model, row, end):
    model.text_model.eos_token_id = end
    ids = torch.tensor([row])
    with torch.no_grad():
        return model.text_projection(model.text_model(input_ids=ids).pooler_output)[0].numpy()


def main():
    folder = HERE / "model"
    folder.mkdir(exist_ok=True)
    vocabulary = make_tokenizer(folder)
    model, weights, config = make_model(folder, vocabulary)
    files = str(folder / "vocab.json"), str(folder / "merges.txt")
    fast, slow = CLIPTokenizerFast(*files), CLIPTokenizer(*files)
    begin, end = fast.bos_token_id, fast.eos_token_id
    assert (begin, end) == (vocabulary - 2, vocabulary - 1) and slow.fix_text is not None

    tokenized, embeddings = [], []
    for text in TEXTS:
        ids, other = fast(text)["input_ids"], slow(text)["input_ids"]
        tokenized.append(dict(text=text, ids=ids) | ({} if other == ids else dict(repaired_ids=other)))
    features = states(Generator(SEED), 16, 36)
    post_norm = (weights["vision_model.post_layernorm.weight"], weights["vision_model.post_layernorm.bias"], 1e-5)
    with torch.no_grad():
        patches = model.visual_projection(model.vision_model.post_layernorm(torch.tensor(features))).numpy()
    worst = 0.0
    for text in ["what is this?", "What is the color of the bus?", "", "请", "a<|endoftext|>b", *TEXTS[-3:]]:
        ids = fast(text)["input_ids"]
        for wrapped in (False, True):
            if wrapped and len(ids) <= 77:
                continue
            rows = oracle.segments(ids, 77, begin, end, wrapped) if len(ids) > 77 else [ids]
            for eos in (2, end):
                made = [oracle.embed(row, weights, config | dict(eos_token_id=eos)) for row in rows]
                expected = [reference_embedding(model, row, eos) for row in rows]
                worst = max(worst, np.abs(np.array(made) - expected).max())
                cosine = method_oracle_more.clip_relevance(
                    features, post_norm, weights["visual_projection.weight"], np.array(made))
                worst = max(worst, np.abs(cosine - method_oracle_more.cosines(np.array(expected), patches)).max())
                embeddings.append(dict(
                    text=text, segments="wrapped" if wrapped else "published", eos_token_id=eos, rows=rows,
                    embeddings=[[float(v) for v in e] for e in made], cosines=[[float(v) for v in c] for c in cosine]))
    assert worst < 1e-12, worst
    # Padding to a full row changes nothing.
    padded = fast("what is this?")["input_ids"]
    assert np.allclose(oracle.embed(padded + [0] * (77 - len(padded)), weights, config), oracle.embed(padded, weights, config))
    trace = oracle.hidden_states(fast(TEXTS[3])["input_ids"], weights, config)
    golden = dict(
        made_with=dict(transformers=transformers.__version__, torch=torch.__version__, ftfy=ftfy.__version__),
        tokenizer=tokenized, embeddings=embeddings,
        features=dict(seed=SEED, rows=16, width=36),
        trace=dict(text=TEXTS[3], hidden=[[[round(float(v), 12) for v in row] for row in x] for x in trace]))
    target = HERE / "clip_goldens.json"
    target.write_text("{\n" + ",\n".join(
        f'"{key}":' + ("[\n" + ",\n".join(json.dumps(v, separators=(",", ":")) for v in value) + "\n]"
                       if isinstance(value, list) else json.dumps(value, separators=(",", ":")))
        for key, value in golden.items()) + "\n}\n", "utf-8")
    print(f"{vocabulary} pieces; {len(tokenized)} texts, {sum('repaired_ids' in t for t in tokenized)} where repair matters; "
          f"largest difference from transformers {worst:.1e}; {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
