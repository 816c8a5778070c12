#!/usr/bin/env python3
"""Makes small tokenizer.json files of every form that is read, and what Hugging Face's tokenizers make of texts with them.

Forms that differ from the demo checkpoint's tokenizer.json in steps only are made of that file in the tests, too, from the
changes in forms.json; the byte-level ones are trained here. Needs transformers 4.57:

    python make_tokenizer_json.py
"""

import copy
import json
import os
import random
import shutil
import tempfile

from make_tokenizer_goldens import DEMO, HERE, PARTS, WRITTEN, texts

LETTERS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
ODD = {
    "<l>": {"lstrip": True}, "<r>": {"rstrip": True}, "<b>": {"lstrip": True, "rstrip": True}, "word": {"single_word": True},
    "nrm": {"normalized": True, "special": False}, "<n2>": {"normalized": True, "special": False, "lstrip": True},
    "pl ain": {"special": False}, "\u00e91": {}, "nword": {"normalized": True, "single_word": True},
}
MORE = [
    "'s", "'S", "'\u017f", "'RE", "'ll", "'d'm", " '", "\r\n", "\n\n", " \n ", "\t\t", "\u3000", "\u0085", "\u2028", "\u0663\u0664", "\u00bd",
    "\u2167", "\u00b2", "\ufb01", "\ud55c\uad6d\uc5b4", "\u0939\u093f\u0928\u094d\u0926\u0940", "e\u0301\u0323", "\u212b", "(x)", "[0]", "==", "x_1",
    "don't", "1234567", "\U0001f3fd", "\u0130", "\u01c5", "\u180e", "\x1c", "\U00011de0", *ODD, "<|eot_id|>", "<|im_end|>",
]


def metaspace(scheme):
    return {"normalizer": None, "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": False}}


def forms():
    """Changes to the demo's tokenizer.json: of its top level, its model and its tokenizer_config.json."""
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    back = {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}
    return {
        "legacy": {"top": {}, "model": {}, "config": {}, "odd": True},
        "first": {"top": metaspace("first"), "model": {}, "config": {}, "odd": True},
        "always": {"top": metaspace("always"), "model": {}, "config": {}, "odd": False},
        "never": {"top": metaspace("never"), "model": {"unk_token": None}, "config": {"tokenizer_class": "PreTrainedTokenizerFast"}, "odd": False},
        "no_prefix": {
            "top": {"normalizer": replace, "decoder": {"type": "Sequence", "decoders": [back, {"type": "ByteFallback"}, {"type": "Fuse"}]}},
            "model": {"ignore_merges": True}, "config": {"add_bos_token": False}, "odd": False,
        },
        "fused_unknown": {"top": {}, "model": {"byte_fallback": False}, "config": {}, "odd": False},
        "unknown": {"top": {}, "model": {"byte_fallback": False, "fuse_unk": False}, "config": {}, "odd": False},
    }


def add_odd(tokenizer, count):
    for content, changes in ODD.items():
        token = {"id": count, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        tokenizer["added_tokens"].append({**token, **changes})
        count += 1


def write(path, value):
    with open(path, "w") as file:
        json.dump(value, file, ensure_ascii=True, indent=None, separators=(",", ":"))
        file.write("\n")


def goldens(folder, output, count):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    chosen = random.Random(21)
    all_texts = WRITTEN[::2] + ["".join(chosen.choice(PARTS + MORE) for _ in range(chosen.randint(1, 9))) for _ in range(count)]
    all_texts += chosen.sample(texts(), 30)
    encodings = [[text, tokenizer(text).input_ids] for text in all_texts]
    special = list(tokenizer.added_tokens_decoder)
    lists = []
    for _ in range(count):
        ids = chosen.choice(encodings)[1]
        start = chosen.randrange(len(ids) + 1)
        lists.append(ids[start : start + chosen.randint(0, 6)])
        lists.append([chosen.choice([chosen.randrange(len(tokenizer)), chosen.randrange(3, 259), chosen.choice(special)]) for _ in range(5)])
    decodings = []
    for ids in lists:
        plain, full = (tokenizer.decode(ids, skip_special_tokens=skip, clean_up_tokenization_spaces=False) for skip in (True, False))
        decodings.append({"ids": ids, "plain": plain, "full": full})
    write(output, {"encodings": [{"text": text, "ids": ids} for text, ids in encodings], "decodings": decodings})


def byte_level(name, folder):
    """A vocabulary of 700 byte-level pieces, trained on the texts that the goldens are made of."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    is_llama = name == "llama3"
    tokenizer = Tokenizer(models.BPE(ignore_merges=is_llama))
    if not is_llama:
        tokenizer.normalizer = normalizers.NFC()
    pattern = Regex(LETTERS % ("{1,3}" if is_llama else ""))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(pattern, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    words = [text for text in texts() for _ in range(3)] + ["100 200 2024 don't I'll we've 1234"] * 50
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(words, trainers.BpeTrainer(vocab_size=700, initial_alphabet=alphabet, show_progress=False))
    if is_llama:
        names = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<image>", "<pad>"]
        config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": names[0], "eos_token": "<|eot_id|>", "pad_token": "<pad>"}
    else:
        names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>"]
        config = {"tokenizer_class": "Qwen2Tokenizer", "bos_token": None, "eos_token": "<|im_end|>", "pad_token": names[0], "add_bos_token": False}
    tokenizer.add_special_tokens([AddedToken(content, special=True, normalized=False) for content in names])
    level = processors.ByteLevel(trim_offsets=False)
    if is_llama:
        begin = (names[0], tokenizer.token_to_id(names[0]))
        template = processors.TemplateProcessing(single=f"{names[0]} $A", pair=f"{names[0]} $A {names[0]}:1 $B:1", special_tokens=[begin])
        tokenizer.post_processor = processors.Sequence([level, template])
    else:
        tokenizer.post_processor = level
    os.makedirs(folder, exist_ok=True)
    saved = json.loads(tokenizer.to_str())
    if not is_llama:
        add_odd(saved, tokenizer.get_vocab_size())
    write(f"{folder}/tokenizer.json", saved)
    write(f"{folder}/tokenizer_config.json", config)


def main():
    described = forms()
    for form in described.values():
        odd = {"added_tokens": []}
        if form["odd"]:
            add_odd(odd, 642)
        form["odd"] = odd["added_tokens"]
    write(f"{HERE}/forms.json", described)
    for name, form in described.items():
        with tempfile.TemporaryDirectory() as folder:
            tokenizer = json.load(open(f"{DEMO}/tokenizer.json"))
            tokenizer.update(copy.deepcopy(form["top"]))
            tokenizer["model"].update(form["model"])
            tokenizer["added_tokens"] += form["odd"]
            write(f"{folder}/tokenizer.json", tokenizer)
            write(f"{folder}/tokenizer_config.json", {**json.load(open(f"{DEMO}/tokenizer_config.json")), **form["config"]})
            shutil.copy(f"{DEMO}/config.json", folder)
            goldens(folder, f"{HERE}/{name}.json", 90)
    for name in ["llama3", "qwen2"]:
        byte_level(name, f"{HERE}/{name}")
        goldens(f"{HERE}/{name}", f"{HERE}/{name}.json", 150)


if __name__ == "__main__":
    main()
