"""First language stage: the decoder learns to answer from ideal visual tokens, before and beside any seeing.

An ideal token is the sum of what its patch shows: word embeddings of shape and colour, character and its place in the text,
centre mark, row and column. A picture costs some thirty tokens then, and no drawing. `Ideal` is what the projector is
fitted to afterwards.
"""

import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import hints
import questions
import scenes
import words
from models import DECODER, PATCHES, Decoder
from optimize import optimizers, set_rate, step_all


class Ideal(nn.Module):
    """Visual tokens from labels."""

    aside = True

    def __init__(self, embed_tokens):
        super().__init__()
        width = DECODER["hidden_size"]
        self.shape, self.color = nn.Embedding(9, width), nn.Embedding(9, width)
        self.character, self.slot = nn.Embedding(37, width), nn.Embedding(6, width)
        self.center = nn.Embedding(2, width)
        self.row, self.column = nn.Embedding(scenes.GRID, width), nn.Embedding(scenes.GRID, width)
        for table, names in ((self.shape, scenes.SHAPES), (self.color, scenes.COLOR_NAMES), (self.character, scenes.CHARACTERS)):
            nn.init.normal_(table.weight, std=0.5)
            table.weight.data[0] = 0
            for i, name in enumerate(names):
                table.weight.data[i + 1] = embed_tokens.weight.data[words.token(name)]
        for table in (self.slot, self.center, self.row, self.column):
            nn.init.normal_(table.weight, std=0.5)
        self.slot.weight.data[0] = self.center.weight.data[0] = 0
        ramp = torch.linspace(-1, 1, scenes.GRID)[:, None]  # neighbours start alike
        for table in (self.row, self.column):
            table.weight.data = torch.randn(1, width) * ramp * 0.7 + table.weight.data * 0.2

    def forward(self, labels, index):
        """labels (batch, n, 5) in the order of scenes.Labels; index (batch, n) of the patches."""
        tables = (self.shape, self.color, self.character, self.slot, self.center)
        total = sum(table(labels[..., i]) for i, table in enumerate(tables))
        return total + self.row(index // scenes.GRID) + self.column(index % scenes.GRID)


def stack(labels):
    """(576, 5): the labels of each patch."""
    return np.stack([labels.shape, labels.color, labels.character, labels.slot, labels.center], 1)


def choose_patches(rng, labels, thinned):
    """Indices of the patches that matter, or, thinned, of each thing's centre and a third of the rest; and of the others."""
    front = labels[:, :4].any(1)
    keep = (labels[:, 4] > 0) | (labels[:, 2] > 0) | (rng.random(PATCHES) < 0.35)
    return np.flatnonzero(front & keep if thinned else front), rng.permutation(np.flatnonzero(~front))


class Weights:
    """How often each kind is asked: more often the worse it is answered."""

    def __init__(self):
        self.right = dict.fromkeys(questions.KINDS, 0.0)

    def update(self, kind, share):
        self.right[kind] = 0.95 * self.right[kind] + 0.05 * share

    def list(self):
        return [0.25 + (1 - self.right[kind]) for kind in questions.KINDS]

    def __str__(self):
        return " ".join(f"{kind} {share:.2f}" for kind, share in self.right.items())


def answer_loss(decoder, hidden, targets, kinds_of, weights, groups):
    """Cross entropy of the answers; also counts, by kind, the answers whose every token is the most probable one."""
    chosen = targets != -100
    logits = decoder.lm_head(hidden[chosen])
    loss = F.cross_entropy(logits, targets[chosen])
    right = torch.ones_like(targets, dtype=torch.bool)
    right[chosen] = logits.argmax(-1) == targets[chosen]
    right = right.numpy()
    shares = {}
    for row, (group, kinds) in enumerate(zip(groups, kinds_of)):
        at = 0
        for (prompt, answer), kind in zip(group, kinds):
            end = at + len(prompt) + len(answer)
            shares.setdefault(kind, []).append(right[row, at:end].all())
            at = end
    for kind, list_ in shares.items():
        weights.update(kind, float(np.mean(list_)))
    return loss


def train(minutes, folder, seed, log, start=None, clock=time.process_time):
    torch.manual_seed(seed)
    decoder = Decoder()
    ideal = Ideal(decoder.embed_tokens)
    helper = hints.Hints()
    if start:
        for module, key in ((decoder, "decoder"), (ideal, "ideal"), (helper, "hints")):
            module.load_state_dict(torch.load(start)[key])
    made = optimizers([decoder, ideal, helper], 2e-3)
    rng, np_rng = random.Random(f"language {seed}"), np.random.default_rng(seed)
    weights, began, step, mean = Weights(), clock(), 0, None
    parameters = [p for module in (decoder, ideal, helper) for p in module.parameters()]
    def save():
        parts = {"decoder": decoder, "ideal": ideal, "hints": helper}
        torch.save({name: part.state_dict() for name, part in parts.items()}, Path(folder) / "language.pt")

    while (progress := min((clock() - began) / (60 * minutes), 1)) < 1:
        set_rate(made, progress, step)
        batch = 10
        made_scenes = [scenes.make(f"language {seed} {bool(start)} {step} {i}") for i in range(batch)]
        stacked = [stack(scenes.label(s)) for s in made_scenes]
        background = rng.choice((0, 4, 8, 16, 48) if progress < 0.6 else (4, 16, 48, 160))
        picked = [choose_patches(np_rng, labels, rng.random() < 0.5) for labels in stacked]
        size = max(len(front) for front, _ in picked) + background
        index = np.stack([np.sort(np.concatenate([front, back[: size - len(front)]])) for front, back in picked])
        truth = torch.from_numpy(np.stack([l[i] for l, i in zip(stacked, index)]))
        labels = truth.clone()
        if rng.random() < 0.5:  # the tower is not sure of places in a text: columns must do as well
            labels[..., 3] = 0
        index = torch.from_numpy(index)
        lead = words.VICUNA if rng.random() < 0.12 else words.PLAIN
        groups, kinds = zip(*(words.draw_questions(rng, s, 100, weights.list(), 0.5) for s in made_scenes))
        ids, positions, targets, mask = words.pack(groups, len(lead) + size, len(lead) + PATCHES)
        tokens = ideal(labels, index)
        tokens = tokens + torch.randn_like(tokens) * 0.15
        opening = decoder.embed_tokens(torch.tensor(lead)).expand(batch, -1, -1)
        prefix_positions = torch.cat([torch.arange(len(lead)).expand(batch, -1), index + len(lead)], 1)
        hidden, (prefix, text) = decoder(
            torch.cat([opening, tokens], 1), prefix_positions, ids, positions, mask, hints.LAYER
        )
        answers = answer_loss(decoder, hidden, targets, kinds, weights, groups)
        hint = helper(made_scenes, ids, text, index, prefix[:, len(lead) :], truth)
        loss = answers + 0.3 * hint
        step_all(made, loss, parameters)
        step += 1
        mean = answers.item() if mean is None else 0.97 * mean + 0.03 * answers.item()
        if step % 25 == 0:
            log("language", step, clock() - began, mean, f"hints {hint.item():.2f} {weights}")
        if step % 250 == 0:
            save()
    save()

