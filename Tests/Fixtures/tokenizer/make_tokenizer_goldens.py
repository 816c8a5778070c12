#!/usr/bin/env python3
"""Writes what Hugging Face's tokenizer makes of a few hundred texts and lists of ids.

The demo checkpoint's tokenizer gives demo.json. A folder with another tokenizer may be named, for a file of its own. Needs
transformers 4.57:

    python make_tokenizer_goldens.py [FOLDER OUTPUT.json]
"""

import json
import os
import random
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

HERE = os.path.dirname(os.path.abspath(__file__))
DEMO = os.path.join(HERE, "..", "..", "..", "Jobs", "demo", "model")
SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
WRITTEN = [
    "", " ", "  ", "   x", "x   ", "\n", "\r\n", "\t\n \n", "a  b   c\t\n\n d", " hello", "hello ", "12345 3.14", "1,234.5e-6",
    "<image>", "<image>\nHi", "<image> <image>", "<image><image>", " <image> ", "<image", "<im age>", "<<image>>", "<image>\n",
    "USER: <image>\nWhat is this? ASSISTANT:", "USER: <image> \nWhat", "USER: <image>What", "USER:<image>",
    "USER: <image><image>\nx ASSISTANT: ok</s>USER: hi ASSISTANT:", f"{SYSTEM} USER: <image>\nWhat is this? ASSISTANT:",
    f"{SYSTEM} USER: What is shown? Answer the question using a single word or phrase. ASSISTANT: It is a dog.</s>",
    "<s>hello</s> x<unk>y", "<s>", "</s>", "<unk>", "<pad>", "<s></s>", "<s> </s>", "</s></s>a", "hello <pad> there", "<S>", "< s>",
    "<0x0A>", "<0x41>x", "a\u0000b", "\u0001\u001f\u007f", "\u00e9", "e\u0301", "\u4e2d\u6587\u6d4b\u8bd5", "\u65e5\u672c\u8a9e",
    "\U0001F600", "\U0001F468\u200d\U0001F469\u200d\U0001F467", "\U0001F1E9\U0001F1EA", "\u2581", "\u2581x \u2581 y", "x\u2581\u2581y",
    "\u00a0x", "\u3000y", "\u200bz", "\ufeffb", "\ufffd", "\U0010ffff", "\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631\u062d\u0628\u0627",
    "ASSISTANT: It is a dog.</s>", "def f(x):\n    return x*2  # (a-b)/c", "https://example.org/a?b=c&d=%20", "aaaaaaaaaaaaaaaaaaaaaaaaa",
]
PARTS = [
    "<image>", "<s>", "</s>", "<unk>", "<pad>", "<", ">", "</", "<im", "age>", " ", "  ", "\n", "\t", "\u2581", "the", " dog", "USER:",
    "What is", "?", ".", "red", "bus", "7", "42", "\u00e9", "\u4e2d", "\U0001F600", "\u0301", "\u0000", "\u00df", "I", "qZ", "\u00a0", "\r",
]


def texts():
    chosen = random.Random(11)
    made = ["".join(chosen.choice(PARTS) for _ in range(chosen.randint(1, 10))) for _ in range(200)]
    points = [*range(32, 127)] * 2 + [*range(0, 32), *range(0xA0, 0x250), *range(0x4E00, 0x4E40), *range(0x1F600, 0x1F630)]
    made += ["".join(chr(chosen.choice(points)) for _ in range(chosen.randint(1, 14))) for _ in range(100)]
    return WRITTEN + made


def id_lists(tokenizer):
    """Random ids, rich in byte tokens (valid characters and broken ones), special tokens and ids past the vocabulary."""
    chosen = random.Random(12)
    pieces = tokenizer.vocab_size
    byte = {value: tokenizer.convert_tokens_to_ids(f"<0x{value:02X}>") for value in range(256)}
    special = [0, 1, 2, len(tokenizer) - 2, len(tokenizer) - 1]
    lists = [[], [1], [1, 1], [2, 2], [pieces + 40]]
    while len(lists) < 400:
        ids = []
        for _ in range(chosen.randint(1, 9)):
            kind = chosen.randrange(6)
            if kind == 0:
                ids += [byte[b] for b in chosen.choice(["\u00e9", "\u4e2d", "\U0001F600", "A", "\n"]).encode()]
            elif kind == 1:
                ids += [byte[chosen.randrange(256)] for _ in range(chosen.randint(1, 3))]
            elif kind == 2:
                ids.append(chosen.choice(special))
            elif kind == 3 and chosen.random() < 0.2:
                ids.append(pieces + chosen.randrange(2, 60))
            else:
                ids.append(chosen.randrange(3, pieces))
        lists.append(ids)
    return lists


def main():
    from transformers import AutoTokenizer

    folder, output = sys.argv[1:3] if len(sys.argv) > 2 else (DEMO, os.path.join(HERE, "demo.json"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encodings = [[text, tokenizer(text).input_ids] for text in texts()]
    decodings = [
        [ids, tokenizer.decode(ids, skip_special_tokens=True), tokenizer.decode(ids, skip_special_tokens=False)]
        for ids in id_lists(tokenizer) + [ids for _, ids in encodings[: len(WRITTEN)]]
    ]
    with open(output, "w") as file:
        file.write('{\n "encodings": [\n  ' + ",\n  ".join(json.dumps({"text": t, "ids": i}) for t, i in encodings))
        rows = (json.dumps({"ids": i, "plain": p, "full": f}) for i, p, f in decodings)
        file.write('\n ],\n "decodings": [\n  ' + ",\n  ".join(rows) + "\n ]\n}\n")
    print(f"{len(encodings)} texts, {len(decodings)} lists of ids, {os.path.getsize(output)} bytes")


if __name__ == "__main__":
    main()
