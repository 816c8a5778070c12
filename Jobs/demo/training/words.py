"""Text to tokens, as inference makes them: each text beside the picture is a segment of its own."""

from pathlib import Path

import numpy as np
import sentencepiece
import torch

import questions

MODEL = Path(__file__).parent.parent / "model"
SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, and "
    "polite answers to the user's questions. "
)
PIECES = sentencepiece.SentencePieceProcessor(model_file=str(MODEL / "tokenizer.model"))
BEGIN, END = 1, 2
PLAIN = [BEGIN] + PIECES.encode("USER: ")
VICUNA = [BEGIN] + PIECES.encode(SYSTEM + "USER: ")


def token(word):
    return PIECES.encode(word)[-1]


def pack(groups, prefix_length, first_position):
    """Several questions for each picture in one row.

    groups: for each picture a list of (prompt tokens, answer tokens). Returns token ids, their positions, the target of each
    token (-100 for none) and the mask (batch, 1, n, prefix_length + n) by which a question sees the picture and itself.
    """
    longest = max(sum(len(q) + len(a) for q, a in group) for group in groups)
    shape = (len(groups), longest)
    ids, positions = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    targets, segment = np.full(shape, -100, np.int64), np.full(shape, -1, np.int64)
    for row, group in enumerate(groups):
        at = 0
        for number, (prompt, answer) in enumerate(group):
            tokens, end = prompt + answer, at + len(prompt) + len(answer)
            ids[row, at:end] = tokens
            positions[row, at:end] = first_position + np.arange(len(tokens))
            targets[row, at + len(prompt) - 1 : end - 1] = answer
            segment[row, at:end] = number
            at = end
    own = (segment[:, :, None] == segment[:, None, :]) & np.tri(longest, dtype=bool)
    mask = np.concatenate([np.ones((*shape, prefix_length), bool), own], 2)[:, None]
    return tuple(torch.from_numpy(x) for x in (ids, positions, targets, mask))


def draw_questions(rng, scene, room, weights, short):
    """Token pairs of questions to a scene, at most room tokens in all, and their kinds.

    short is the share of questions without the closing instruction.
    """
    pairs, kinds = [], []
    while True:
        kind = rng.choices(questions.KINDS, weights)[0]
        made = questions.ask(rng, scene, kind)
        if made is None:
            continue
        question, answer = made
        if rng.random() < short:
            question = question.removesuffix(questions.SHORT).removesuffix(questions.LETTER)
        pair = (PIECES.encode(f"\n{question} ASSISTANT:"), PIECES.encode(answer) + [END])
        room -= len(pair[0]) + len(pair[1])
        if room < 0 and pairs:
            return pairs, kinds
        pairs.append(pair)
        kinds.append(kind)
