"""Vision stage: the tower learns from dense labels what each patch shows, and [CLS] what the whole picture shows.

Most of a scene is empty. For most of the time the tower therefore sees only the patches that show something, half of their
neighbours and a few others, each at its true position, which costs a sixth; the rest of the time it sees whole pictures.
"""

import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import scenes
from models import PATCHES, TOWER, Tower
from optimize import optimizers, set_rate, step_all

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32) * 255
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], np.float32) * 255
# Classes of the seven dense labels: shape, colour, character, slot, centre, row, column; and their weights.
CLASSES = (9, 9, 37, 6, 2, 24, 24)
IMPORTANCE = (1, 1, 1.5, 1, 1, 0.1, 0.1)


def patches_of(picture, index=slice(None)):
    """(n, 588): normalised pixels of the patches of an index, channel by channel, as a convolution reads them."""
    side, grid = scenes.PATCH, scenes.GRID
    x = picture.reshape(grid, side, grid, side, 3).transpose(0, 2, 4, 1, 3).reshape(PATCHES, 3, -1)[index]
    return ((x - MEAN[:, None]) / DEVIATION[:, None]).reshape(len(x), -1)


def stack(labels):
    """(576, 7): the dense labels of each patch."""
    row, column = np.divmod(np.arange(PATCHES), scenes.GRID)
    return np.stack([labels.shape, labels.color, labels.character, labels.slot, labels.center, row, column], 1)


def summary(scene):
    """What [CLS] must know: which coloured shapes and which characters are there."""
    there = np.zeros(64 + 36, np.float32)
    for thing in scene.things:
        there[scenes.SHAPES.index(thing.shape) * 8 + scenes.COLOR_NAMES.index(thing.color)] = 1
    for sign in scene.signs:
        for character in sign.text:
            there[64 + scenes.CHARACTERS.index(character)] = 1
    return there


def interesting(rng, labels, size):
    """Indices of size patches: those that show something, about half of their neighbours, and others."""
    front = labels[:, :4].any(1)
    grid = np.pad(front.reshape(scenes.GRID, scenes.GRID), 1)
    near = sum(np.roll(grid, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1))[1:-1, 1:-1].reshape(-1) > 0
    near = near & ~front & (rng.random(PATCHES) < 0.5)
    near, left = (rng.permutation(np.flatnonzero(x)) for x in (near, ~front & ~near))
    front = np.flatnonzero(front)
    near = near[: max(0, size - len(front) - 4)]
    return np.sort(np.concatenate([front, near, left])[:size])


def batch_of(rng, name, size, whole, crowded):
    """Pixels (size, n, 588), patch indices (size, n), labels (size, n, 7) and summaries (size, 100)."""
    made = [scenes.make(f"{name} {i}", crowded and i % 4 > 0) for i in range(size)]
    labels = [stack(scenes.label(scene)) for scene in made]
    if whole:
        order = np.tile(np.arange(PATCHES), (size, 1))
    else:
        order = np.stack([interesting(rng, l, 80) for l in labels])
    pixels = np.stack([patches_of(scenes.draw(scene), i) for scene, i in zip(made, order)])
    labels = np.stack([l[i] for l, i in zip(labels, order)])
    arrays = (pixels, order, labels, np.stack([summary(scene) for scene in made]))
    return tuple(torch.from_numpy(x) for x in arrays)


def dense_loss(logits, labels):
    """Sum of the cross entropies, a patch that shows something counting four times; and how often those are right."""
    total, right = 0, []
    for part, classes, weight in zip(logits.split(CLASSES, -1), CLASSES, IMPORTANCE):
        target = labels[..., len(right)]
        each = F.cross_entropy(part.flatten(0, 1), target.flatten(), reduction="none")
        some = target.flatten() > 0
        total = total + weight * (each * (1 + 3 * some)).mean()
        hits = (part.flatten(0, 1).argmax(-1) == target.flatten())[some]
        right.append(hits.float().mean().item() if len(hits) else 1.0)
    return total, right


def train(minutes, folder, seed, log, start=None, clock=time.process_time):
    torch.manual_seed(seed)
    tower, head, aside = Tower(), nn.Linear(TOWER["hidden_size"], sum(CLASSES)), nn.Linear(TOWER["hidden_size"], 100)
    if start:
        for module, key in ((tower, "tower"), (head, "head"), (aside, "aside")):
            module.load_state_dict(torch.load(start)[key])
    made = optimizers([tower, head, aside], 2e-3)
    parameters = [p for m in (tower, head, aside) for p in m.parameters()]
    rng, began, step, mean = np.random.default_rng(seed), clock(), 0, None

    def save():
        state = {"tower": tower.state_dict(), "head": head.state_dict(), "aside": aside.state_dict()}
        torch.save(state, Path(folder) / "vision.pt")

    # Going on skips the crowded scenes and the high rates.
    first = 0.65 if start else 0
    while (progress := first + (1 - first) * (clock() - began) / (60 * minutes)) < 1:
        set_rate(made, progress, step)
        whole = progress > 0.8
        pixels, index, labels, there = batch_of(rng, f"vision {seed} {bool(start)} {step}", 4 if whole else 16, whole, progress < 0.65)
        seen = tower(pixels, index)
        loss, right = dense_loss(head(seen[:, 1:]), labels)
        loss = loss + 2 * F.binary_cross_entropy_with_logits(aside(seen[:, 0]), there)
        step_all(made, loss, parameters)
        step += 1
        now = [loss.item(), *right[:5]]
        mean = now if mean is None else [0.95 * a + 0.05 * b for a, b in zip(mean, now)]
        if step % 25 == 0:
            names = ("shape", "color", "character", "slot", "center")
            log("vision", step, clock() - began, mean[0], " ".join(f"{n} {v:.3f}" for n, v in zip(names, mean[1:])))
        if step % 250 == 0:
            save()
    save()

