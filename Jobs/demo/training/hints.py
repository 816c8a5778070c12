"""Hints: what the decoder should know half-way, asked by linear heads that inference never sees.

Answers alone teach slowly where to look. After the third layer, at each shape that a question names, three heads ask how many
such things there are, in which row and column of cells the only one is, and its colour; at the centre of each thing among the
visual tokens, others ask which thing this is in reading order, of all and of its shape.
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


SHAPE_OF, COLOR_OF = numbered(scenes.SHAPES), numbered(scenes.COLOR_NAMES)


def facts(scene):
    """For colour (0: any) and shape: (9, 9, 4) of count, row, column, colour; the last three only for a single thing."""
    table = np.full((9, 9, 4), NONE, np.int64)
    table[..., 0] = 0
    for thing in scene.things:
        shape, color = scenes.SHAPES.index(thing.shape) + 1, scenes.COLOR_NAMES.index(thing.color) + 1
        for c in (0, color):
            many = table[c, shape, 0] + 1
            one = (int(thing.y) // scenes.CELL, int(thing.x) // scenes.CELL, color - 1 if c == 0 else NONE)
            table[c, shape] = (many, *(one if many == 1 else (NONE,) * 3))
    return table


def order(scene):
    """(576, 2): at the centre of a thing, its place among all and among those of its shape, from 0."""
    places, seen = np.full((scenes.GRID**2, 2), NONE, np.int64), []
    for thing in scene.things:
        places[thing.patch] = len(seen), seen.count(thing.shape)
        seen.append(thing.shape)
    return places


class Hints(nn.Module):
    aside = True

    def __init__(self):
        super().__init__()
        self.named = nn.Linear(DECODER["hidden_size"], sum(SIZES.values()))
        self.centers = nn.Linear(DECODER["hidden_size"], 2 * scenes.MOST_OBJECTS)

    def forward(self, made, ids, text, index, visual):
        """Loss of the hints. ids (batch, n) and text (batch, n, width); index (batch, m) and visual (batch, m, width)."""
        ids = ids.numpy()
        shape = SHAPE_OF[ids]
        color = np.pad(COLOR_OF[ids], ((0, 0), (1, 0)))[:, :-1]
        rows, columns = np.nonzero(shape)
        truth = np.stack([facts(scene) for scene in made])[rows, color[rows, columns], shape[rows, columns]]
        logits = self.named(text[torch.from_numpy(rows), torch.from_numpy(columns)])
        total = losses(logits.split(list(SIZES.values()), -1), torch.from_numpy(truth))
        places = np.stack([order(scene)[i] for scene, i in zip(made, index.numpy())])
        rows, columns = np.nonzero(places[..., 0] >= 0)
        logits = self.centers(visual[torch.from_numpy(rows), torch.from_numpy(columns)])
        return total + losses(logits.split(scenes.MOST_OBJECTS, -1), torch.from_numpy(places[rows, columns]))


def losses(parts, truth):
    total = 0
    for i, part in enumerate(parts):
        if (truth[:, i] >= 0).any():
            total = total + F.cross_entropy(part, truth[:, i], ignore_index=NONE)
    return total
