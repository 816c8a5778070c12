#!/usr/bin/env python3
"""Writes scoring_goldens.json beside itself: constructed cases and what `official_rules.py` says of them.

Python 3.11, nothing else: python3 make_scoring_goldens.py
"""

import json
import random
from pathlib import Path

import official_rules as rules

NORMALISED = [
    "Yes", "  two ", "The red car.", "none", "A dog, a cat", "it's", "dog's", "don't know", "dont", "What?",
    "1,000", "1,000 people", "3.5", "3.5 m.", "v1.0.", "end...", "yes/no", "yes / no", "left-right", "left - right",
    "(a)", "( a )", "e.g. this", "U.S.A.", "ten to one", "One", "line\nbreak", "tab\there", "  ", "", "the", "an a the",
    "Im", "I'dve", "somebody'd", "she's", "let's", "'ow'sat", "yall'd've", "o'clock", "oclock", "hes here", "well done!",
    "hello!world", "x_y", "\"quoted\"", "`tick`", "semi;colon", "semi; colon", "a@b.com", "$5.00", "50%", "#1", "10-12",
    "10 - 12", "[a] {b} <c>", "back\\slash", "plus+minus=zero", "." * 40, "a" + "." * 40 + "b", "Ünïcode Straße",
    "非常 好", "caf\u00e9", "cafe\u0301", "nbsp\u00a0here", "１，０００", "٣,٤", "wait, 1,2 (x)y", "zero point five", "NONE",
    "they'd've", "theyd've", "youre", "'twas", "twas", "wouldn'tve", "mixed. 2.5. end.", "?,!", "hyphen-ated, word",
]

TEN = ["red"] * 10
ACCURACY = [
    ("red", TEN), ("blue", TEN), ("Red.", TEN), ("red", ["red"] + ["blue"] * 9), ("red", ["red"] * 2 + ["blue"] * 8),
    ("red", ["red"] * 3 + ["blue"] * 7), ("red", ["red"] * 4 + ["blue"] * 6), ("2", ["two"] * 5 + ["2"] * 5),
    ("two", ["2"] * 10), ("the cat", ["cat"] * 9 + ["a cat"]), ("a cat", ["a cat"] * 10), ("cat", ["a cat"] * 10),
    ("yes", ["Yes"] * 10), ("Yes", ["Yes"] * 10), ("10:30", ["10:30"] * 3 + ["10 30"] * 7), ("dont know", ["don't know"] * 5 + ["no"] * 5),
    ("1,000", ["1000"] * 6 + ["1,000"] * 4), ("1,000", ["1,000"] * 10), ("", ["nothing"] * 9 + ["a"]), ("unanswerable", ["unanswerable"] * 7 + ["cat", "dog", "cow"]),
    ("caf\u00e9", ["cafe\u0301"] * 10), ("coca-cola", ["coca cola"] * 8 + ["coke"] * 2), ("cat\n", ["cat\t"] * 10), ("it's", ["it's"] * 9 + ["its"]),
]

POPE_TEXTS = [
    "Yes", "No", "yes", "no", "No, there is not.", "Yes, there is a cat. It is not black.", "There is no dog", "not", "Not at all",
    "nothing", "NO", "No.", ".No", "", "Yes no", "No\n", "no,no", "none", "I do not know", "cannot", "Yes.No", "it is,not",
    "No  way", "know", "\u4e0d no",
]
POPE_SETS = [
    (["Yes", "No", "Yes", "No"], ["yes", "no", "no", "yes"]), (["No", "No"], ["yes", "no"]), (["Yes", "Yes"], ["no", "no"]),
    (["Yes"] * 3 + ["No"], ["yes"] * 3 + ["no"]), (["No"] * 3, ["no"] * 3), (["Yes", "No"], ["maybe", "no"]),
]

SCIENCE = [
    ("A", 2), ("B", 2), ("C", 2), ("E", 5), ("F", 5), ("a", 4), ("A.", 4), ("A. ", 4), ("A. red", 4), ("B) blue", 4), ("D. x", 3),
    ("The answer is B.", 4), ("The answer is B", 4), ("The answer is Blue", 4), ("The answer is B. The answer is C.", 4),
    ("I think. The answer is C, yes", 4), ("The answer is F.", 5), ("the answer is B.", 4), ("The answer is A\n", 4), ("", 4), ("FAILED", 4),
    (" A", 4), ("AB", 4), ("E. ", 5), ("The answer is D.\nThe answer is D", 4),
]

MME_TEXTS = [
    "Yes", "No", "yes.", "No, it is not", "YES!", " no", "  no", "    no", "not sure", "know", "Yep", "nyes", "noyes", "", "other", "Well, yes",
    "nO", "ye s", "İyes", "never", "ano yes",
]
MME_SETS = [
    [[("Yes", "yes"), ("No", "no")], [("Yes", "yes"), ("Yes", "no")]], [[("maybe", "yes"), ("No", "no")]],
    [[("Yes", "yes"), ("No", "no")]] * 3, [[("No", "yes"), ("Yes", "no")]], [[("Yes", "no"), ("yes", "yes")], [("no", "no"), ("nothing", "no")], [("x", "yes"), ("y", "no")]],
]

M = 1_000_000
MMBENCH = [
    [(0, "A", "A")], [(0, "B", "A")], [(0, "A", "A"), (M, "B", "B")], [(0, "A", "A"), (M, "A", "B")], [(0, " A ", "A")], [(0, "A.", "A")], [(0, "a", "A")],
    [(0, "", "A")], [(0, "A", "A"), (1, "B", "A")], [(7, "A", "A"), (M + 7, "B", "B"), (2 * M + 7, "C", "C"), (3 * M + 7, "D", "D")],
    [(7, "A", "A"), (M + 7, "B", "B"), (2 * M + 7, "C", "C"), (3 * M + 7, "C", "D")], [(3 * M + 7, "D", "D"), (7, "A", "A")],
    [(241, "A", "A"), (M + 242, "B", "C"), (242, "B", "B")], [(999_999, "A", "A"), (1_999_999, "B", "B"), (M, "C", "C")],
    [(1, "A", "A"), (2, "A", "A"), (3, "B", "A"), (M + 3, "A", "A")], [(5, "A\n", "A"), (M + 5, "\tB", "B")],
    [(8, "D. blue", "D")], [(8, "The answer is D", "D"), (9, "D", "D")],
]

GQA = ["Yes.", "yes", "No...", "Left", "on the left.", "", ".", "3.5", "a.b.", "RED ", "yes. "]


def main():
    generator = random.Random(6)
    alphabet = "aAtheonw 12.,?!'s-/\n\t()" + "\u00e9"
    noise = ["".join(generator.choice(alphabet) for _ in range(generator.randrange(1, 24))) for _ in range(200)]
    accuracy = ACCURACY + [(p, [generator.choice([p, "x", "X."]) for _ in range(10)]) for p in NORMALISED]
    goldens = {
        "normalised": [{"text": t, "evalai": rules.evalai(t), "vqa": rules.vqa(t)} for t in NORMALISED + noise + sorted(rules.CONTRACTIONS)],
        "accuracy": [
            {"prediction": p, "answers": a, "textvqa": rules.textvqa_accuracy(p, a), "vqa": rules.vqa_accuracy(p, a)} for p, a in accuracy
        ],
        "pope_texts": [{"text": t, "yes": rules.pope_says_yes(t)} for t in POPE_TEXTS],
        "pope_sets": [{"texts": t, "labels": l, "scores": rules.pope_scores(t, l)} for t, l in POPE_SETS],
        "scienceqa": [{"text": t, "choices": n, "choice": rules.scienceqa_choice(t, n)} for t, n in SCIENCE],
        "mme_texts": [{"text": t, "reply": rules.mme_reply(t)} for t in MME_TEXTS],
        "mme_sets": [{"pairs": [[list(q) for q in pair] for pair in s], "score": rules.mme_score(s)} for s in MME_SETS],
        "mmbench": [
            {"rows": [{"index": i, "prediction": p, "answer": a} for i, p, a in rows], "accuracy": rules.mmbench_accuracy(rows)} for rows in MMBENCH
        ],
        "gqa": [{"text": t, "prediction": rules.gqa_prediction(t)} for t in GQA],
    }
    path = Path(__file__).with_name("scoring_goldens.json")
    lines = [f"{json.dumps(kind)}: [\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]" for kind, cases in goldens.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print({kind: len(cases) for kind, cases in goldens.items()})


if __name__ == "__main__":
    main()
