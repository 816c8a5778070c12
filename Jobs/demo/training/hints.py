"""Hints: what the decoder should know half-way, asked by linear heads that inference never sees.

After the third layer, at each shape that a question names, heads ask how many such things there are, in which row and column of
cells the only one is, and its colour; at "shapes", how many things there are in all. Among the visual tokens, others ask at the
centre of each thing which thing this is in reading order, of all and of its shape, and its shape and colour; at each character,
which it is and its place in its text.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import scenes
import words
from models import DECODER

LAYER = 3
SIZES = {"count": 6, "row": 4, "column": 4, "color": 8}
CENTERS = (scenes.MOST_OBJECTS, scenes.MOST_OBJECTS, len(scenes.SHAPES), len(scenes.COLORS))
LETTERS = (len(scenes.CHARACTERS), scenes.LONGEST_TEXT)
NONE = -100


def numbered(names):
    """For each token id the number of the name it stands for, from 1, or 0; plurals count where they are one token."""
    table = np.zeros(DECODER["vocab_size"], np.int64)
    for number, name in enumerate(names, 1):
        for form in (name, name + "s"):
            tokens = words.PIECES.encode(form)
            if len(tokens) == 1:
                table[tokens[0]] = number
    return table


ANY = len(scenes.SHAPES) + 1
SHAPE_OF, COLOR_OF = numbered([*scenes.SHAPES, "shape"]), numbered(scenes.COLOR_NAMES)
SHAPE_OF[words.token("shape")] = 0  # only "How many shapes"


def facts(scene):
    """For colour (0: any) and shape: (9, 10, 4) of count, row, column, colour; the last three only for a single thing."""
    table = np.full((9, ANY + 1, 4), NONE, np.int64)
    table[..., 0] = 0
    table[:, ANY, 0] = len(scene.things)
    for thing in scene.things:
        shape, color = scenes.SHAPES.index(thing.shape) + 1, scenes.COLOR_NAMES.index(thing.color) + 1
        for c in (0, color):
            many = table[c, shape, 0] + 1
            one = (int(thing.y) // scenes.CELL, int(thing.x) // scenes.CELL, color - 1 if c == 0 else NONE)
            table[c, shape] = (many, *(one if many == 1 else (NONE,) * 3))
    return table


def centers(scene):
    """(576, 4): at the centre of a thing, its place among all and among those of its shape, from 0; its shape and colour."""
    truth, seen = np.full((scenes.GRID**2, 4), NONE, np.int64), []
    for thing in scene.things:
        shape, color = scenes.SHAPES.index(thing.shape), scenes.COLOR_NAMES.index(thing.color)
        truth[thing.patch] = len(seen), seen.count(shape), shape, color
        seen.append(shape)
    return truth


def letters(labels):
    """From the dense labels (batch, n, 5 or more), (batch, n, 2): character and its place in its text, from 0."""
    return np.where(labels[..., 2:4] > 0, labels[..., 2:4] - 1, NONE)


class Hints(nn.Module):
    aside = True

    def __init__(self):
        super().__init__()
        self.named = nn.Linear(DECODER["hidden_size"], sum(SIZES.values()))
        self.centers = nn.Linear(DECODER["hidden_size"], sum(CENTERS))
        self.letters = nn.Linear(DECODER["hidden_size"], sum(LETTERS))

    def forward(self, made, ids, text, index, visual, labels):
        """Loss of the hints. ids (batch, n) and text (batch, n, width); index (batch, m), visual (batch, m, width), labels."""
        ids = ids.numpy()
        shape = SHAPE_OF[ids]
        color = np.pad(COLOR_OF[ids], ((0, 0), (1, 0)))[:, :-1]
        rows, columns = np.nonzero(shape)
        truth = np.stack([facts(scene) for scene in made])[rows, color[rows, columns], shape[rows, columns]]
        logits = self.named(text[torch.from_numpy(rows), torch.from_numpy(columns)])
        total = losses(logits.split(list(SIZES.values()), -1), torch.from_numpy(truth))
        there = np.stack([centers(scene)[i] for scene, i in zip(made, index.numpy())])
        for head, sizes, truth in ((self.centers, CENTERS, there), (self.letters, LETTERS, letters(labels.numpy()))):
            rows, columns = np.nonzero(truth[..., 0] >= 0)
            logits = head(visual[torch.from_numpy(rows), torch.from_numpy(columns)])
            total = total + losses(logits.split(sizes, -1), torch.from_numpy(truth[rows, columns]))
        return total


def losses(parts, truth):
    total = 0
    for i, part in enumerate(parts):
        if (truth[:, i] >= 0).any():
            total = total + F.cross_entropy(part, truth[:, i], ignore_index=NONE)
    return total
