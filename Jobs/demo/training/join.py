"""Second language stage: the projector is fitted to the ideal tokens, then decoder and projector learn on what the tower sees.

The tower stays as it is. Most steps see the patches that show something and some others, most of the last quarter whole pictures.
"""

import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import hints
import language
import scenes
import vision
import words
from models import PATCHES, Decoder, Projector, Tower
from optimize import optimizers, set_rate, step_all


def look(tower, made, rng, size):
    """What the tower makes of scenes: features (batch, n, width), patch indices and labels (batch, n, 7). size 0: whole."""
    labels = [vision.stack(scenes.label(scene)) for scene in made]
    index = [vision.interesting(rng, l, size) if size else np.arange(PATCHES) for l in labels]
    pixels = np.stack([vision.patches_of(scenes.draw(scene), i) for scene, i in zip(made, index)])
    index = torch.from_numpy(np.stack(index))
    with torch.no_grad():
        seen = tower(torch.from_numpy(pixels), index)[:, 1:]
    return seen, index, torch.from_numpy(np.stack([l[i] for l, i in zip(labels, index.numpy())]))


def fit(projector, tower, ideal, seed, log, pictures=240, steps=1500):
    """Least squares from the tower's features to the ideal tokens; a patch that shows something counts four times."""
    rng, features, wanted, weight = np.random.default_rng(seed), [], [], []
    for i in range(pictures // 8):
        whole = i % 6 == 0
        made = [scenes.make(f"fit {seed} {i} {j}") for j in range(2 if whole else 8)]
        seen, index, labels = look(tower, made, rng, 0 if whole else 70)
        with torch.no_grad():
            wanted.append(ideal(labels[..., :5], index).flatten(0, 1))
        features.append(seen.flatten(0, 1))
        weight.append(1 + 3 * labels[..., :4].any(-1).flatten().float())
    features, wanted, weight = torch.cat(features), torch.cat(wanted), torch.cat(weight)
    optimizer = torch.optim.Adam(projector.parameters(), 3e-3)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / steps)
        some = torch.from_numpy(rng.integers(len(features), size=768))
        error = (projector(features[some]) - wanted[some]).square().mean(-1)
        loss = (error * weight[some]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 250 == 249:
            log("fit", step + 1, 0.0, loss.item(), f"variance {wanted.var(0).mean().item():.3f}")


def train(minutes, folder, seed, log, start=None, clock=time.process_time):
    torch.manual_seed(seed)
    folder = Path(folder)
    tower, decoder, projector = Tower().eval(), Decoder(), Projector()
    ideal = language.Ideal(decoder.embed_tokens)
    tower.load_state_dict(torch.load(folder / "vision.pt")["tower"])
    state = torch.load(start or folder / "language.pt")
    decoder.load_state_dict(state["decoder"])
    if start:
        projector.load_state_dict(state["projector"])
    else:
        ideal.load_state_dict(state["ideal"])
        fit(projector, tower, ideal, seed, log)
    helper = hints.Hints()
    if "hints" in state:
        helper.load_state_dict(state["hints"])
    made = optimizers([decoder, projector, helper], 2e-3)
    parameters = [p for module in (decoder, projector, helper) for p in module.parameters()]
    rng, np_rng = random.Random(f"join {seed} {bool(start)}"), np.random.default_rng(seed)
    weights, began, step, mean = language.Weights(), clock(), 0, None
    saved = began

    def save():
        parts = {"decoder": decoder, "projector": projector, "hints": helper}
        torch.save({name: part.state_dict() for name, part in parts.items()}, folder / "join.pt")

    while (progress := min((clock() - began) / (60 * minutes), 1)) < 1:
        set_rate(made, progress, step, warm=30)
        late = progress > 0.75
        whole = rng.random() < (0.7 if late else 0.06)
        batch = 4 if whole else 12
        scenes_ = [scenes.make(f"join {seed} {bool(start)} {step} {i}") for i in range(batch)]
        seen, index, labels = look(tower, scenes_, np_rng, 0 if whole else rng.choice((60, 80, 120)))
        size = seen.shape[1]
        lead = words.VICUNA if rng.random() < (0.3 if late else 0.15) else words.PLAIN
        # The closing instruction is half of most questions: left out more often at first, there is time for more of them.
        room, short = 300 if whole else 150, 0.2 if late else 0.6
        groups, kinds = zip(*(words.draw_questions(rng, s, room, weights.list(), short) for s in scenes_))
        # A third of the parts of pictures count their tokens without gaps, as a reduced picture's are counted.
        gapless = not whole and rng.random() < 0.33
        places = torch.arange(size).expand(batch, -1) if gapless else index
        ids, positions, targets, mask = words.pack(groups, len(lead) + size, len(lead) + (size if gapless else PATCHES))
        prefix = torch.cat([decoder.embed_tokens(torch.tensor(lead)).expand(batch, -1, -1), projector(seen)], 1)
        prefix_positions = torch.cat([torch.arange(len(lead)).expand(batch, -1), places + len(lead)], 1)
        hidden, (middle, text) = decoder(prefix, prefix_positions, ids, positions, mask, hints.LAYER)
        answers = language.answer_loss(decoder, hidden, targets, kinds, weights, groups)
        hint = helper(scenes_, ids, text, index, middle[:, len(lead) :], labels)
        step_all(made, answers + 0.2 * hint, parameters)
        step += 1
        mean = answers.item() if mean is None else 0.97 * mean + 0.03 * answers.item()
        if step % 25 == 0:
            log("join", step, clock() - began, mean, f"hints {hint.item():.2f} {weights}")
        if clock() - saved > 300:
            save()
            saved = clock()
    save()

