"""Scenes that can be drawn, labelled and asked about, all from one seed.

A scene is a 336 x 336 px picture: one to five coloured shapes in a 4 x 4 grid of cells and, mostly, a sign with a number
or a word. Everything is plain NumPy (no font file, no drawing library), so a seed gives the same pixels on every machine.
"""

import random
from dataclasses import dataclass, field

import numpy as np

SIZE = 336
PATCH = 14
GRID = SIZE // PATCH  # patches a side
CELL = 84  # px; six patches

COLORS = {
    "red": (220, 40, 40), "green": (40, 170, 60), "blue": (45, 80, 220), "yellow": (240, 215, 50),
    "purple": (150, 60, 180), "orange": (245, 140, 30), "white": (245, 245, 245), "black": (20, 20, 20),
}  # fmt: skip
COLOR_NAMES = list(COLORS)
SHAPES = ["circle", "square", "triangle", "star", "cross", "ring", "diamond", "bar"]
WORDS = "stop go exit open cafe park bus taxi zoo bank hotel shop fish milk tea book".split()
CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
LONGEST_TEXT = 5
MOST_OBJECTS = 5

# Each character is 7 rows of 5 pixels, the leftmost pixel in the highest bit.
GLYPHS = dict(zip(CHARACTERS, [
    (14, 17, 19, 21, 25, 17, 14), (4, 12, 4, 4, 4, 4, 14), (14, 17, 1, 6, 8, 16, 31), (30, 1, 1, 14, 1, 1, 30),
    (2, 6, 10, 18, 31, 2, 2), (31, 16, 30, 1, 1, 17, 14), (6, 8, 16, 30, 17, 17, 14), (31, 1, 2, 4, 8, 8, 8),
    (14, 17, 17, 14, 17, 17, 14), (14, 17, 17, 15, 1, 2, 12),
    (14, 17, 17, 31, 17, 17, 17), (30, 17, 17, 30, 17, 17, 30), (14, 17, 16, 16, 16, 17, 14),
    (30, 17, 17, 17, 17, 17, 30), (31, 16, 16, 30, 16, 16, 31), (31, 16, 16, 30, 16, 16, 16),
    (14, 17, 16, 23, 17, 17, 14), (17, 17, 17, 31, 17, 17, 17), (14, 4, 4, 4, 4, 4, 14), (7, 2, 2, 2, 2, 18, 12),
    (17, 18, 20, 24, 20, 18, 17), (16, 16, 16, 16, 16, 16, 31), (17, 27, 21, 21, 17, 17, 17),
    (17, 25, 25, 21, 19, 19, 17), (14, 17, 17, 17, 17, 17, 14), (30, 17, 17, 30, 16, 16, 16),
    (14, 17, 17, 17, 21, 18, 13), (30, 17, 17, 30, 20, 18, 17), (15, 16, 16, 14, 1, 1, 30),
    (31, 4, 4, 4, 4, 4, 4), (17, 17, 17, 17, 17, 17, 14), (17, 17, 17, 17, 17, 10, 4), (17, 17, 17, 21, 21, 27, 17),
    (17, 17, 10, 4, 10, 17, 17), (17, 17, 10, 4, 4, 4, 4), (31, 1, 2, 4, 8, 16, 31),
]))  # fmt: skip
GLYPH_PIXEL = (3, 2)  # height, width in px: a glyph is 21 x 10 px in a field of 28 x 14


@dataclass
class Thing:
    """A coloured shape: centre and radius in px."""

    shape: str
    color: str
    x: float
    y: float
    radius: float

    @property
    def patch(self):
        """Index of the patch that holds the centre, row by row."""
        return int(self.y // PATCH) * GRID + int(self.x // PATCH)


@dataclass
class Sign:
    """Text on a plate; x and y are the top left corner of the text's first character field, in px."""

    text: str
    x: int
    y: int
    dark: bool


@dataclass
class Scene:
    things: list
    signs: list
    paint: random.Random = field(repr=False)

    @property
    def sign(self):
        return self.signs[0] if self.signs else None


@dataclass
class Labels:
    """What each of the 576 patches shows; 0 is nothing, so classes start from 1."""

    shape: np.ndarray
    color: np.ndarray
    character: np.ndarray
    slot: np.ndarray  # place of the character in its text, from 1
    center: np.ndarray  # 1 in the one patch that holds the centre of a thing


def make(seed, crowded=False):
    """The scene of a seed. A crowded one has up to three signs with any characters and seven things: much to see at once."""
    rng = random.Random(f"scene {seed}")
    cells = [(row, column) for row in range(4) for column in range(4)]
    rng.shuffle(cells)
    signs = []
    for _ in range(rng.choice((2, 3)) if crowded else rng.random() < 0.7):
        if crowded:
            text = "".join(rng.choices(CHARACTERS, k=rng.randint(2, LONGEST_TEXT)))
        else:
            text = str(rng.randint(0, 99)) if rng.random() < 0.6 else rng.choice(WORDS)
        free = [(row, column) for row, column in cells if (row, column + 1) in cells]
        if not free:
            break
        row, column = rng.choice(free)
        cells.remove((row, column))
        cells.remove((row, column + 1))
        x = column * CELL + PATCH * rng.randint(1, 11 - len(text)) + rng.randint(-2, 2) + 2
        y = row * CELL + PATCH * rng.randint(1, 3) + rng.randint(-3, 3) + 3
        signs.append(Sign(text, x, y, rng.random() < 0.3))
    shapes, colors = SHAPES, COLOR_NAMES
    if rng.random() < 0.3 and not crowded:  # so that there is something to count
        shapes = rng.sample(SHAPES, 2)
    middle = [rng.choice((2, 3)) for _ in range(4)]  # one patch row for all things of a row of cells
    things = []
    for row, column in cells[: 7 if crowded else rng.choice((1, 2, 2, 3, 3, 4, 4, 5))]:
        x = column * CELL + PATCH * rng.choice((2, 3)) + PATCH / 2 + rng.uniform(-4, 4)
        y = row * CELL + PATCH * middle[row] + PATCH / 2 + rng.uniform(-4, 4)
        things.append(Thing(rng.choice(shapes), rng.choice(colors), x, y, rng.uniform(14, 25)))
    things.sort(key=lambda thing: thing.patch)
    return Scene(things, signs, rng)


def inside(shape, u, v):
    """Whether points lie in a shape; u to the right and v downwards, in radii from its centre."""
    a, b = np.abs(u), np.abs(v)
    if shape == "circle":
        return u * u + v * v <= 1
    if shape == "ring":
        square = u * u + v * v
        return (square <= 1) & (square >= 0.36)
    if shape == "square":
        return np.maximum(a, b) <= 0.85
    if shape == "triangle":
        return (v <= 0.7) & (a <= (v + 1.1) * 0.56)
    if shape == "diamond":
        return a / 0.75 + b / 1.15 <= 1
    if shape == "cross":
        return ((a <= 1) & (b <= 0.33)) | ((b <= 1) & (a <= 0.33))
    if shape == "bar":
        return (a <= 1.15) & (b <= 0.3)
    if shape == "star":  # fold the angle into one half of a point, then one straight edge remains
        tip, notch, turn = 1.15, 0.45, np.pi / 5
        angle = np.abs((np.arctan2(u, -v) + turn) % (2 * turn) - turn)
        radius = np.hypot(u, v)
        x, y = radius * np.cos(angle), radius * np.sin(angle)
        ex, ey = notch * np.cos(turn) - tip, notch * np.sin(turn)
        return ex * y - ey * (x - tip) >= 0
    raise ValueError(f"no shape is called {shape}")


def coverage(thing, samples):
    """Left and top edge in px, and how much of each pixel around there a thing covers, from samples x samples points."""
    reach = int(thing.radius * 1.15) + 2
    left, top = int(thing.x) - reach, int(thing.y) - reach
    offsets = (np.arange((2 * reach + 1) * samples) + 0.5) / samples
    u = (left + offsets - thing.x)[None, :] / thing.radius
    v = (top + offsets - thing.y)[:, None] / thing.radius
    n = 2 * reach + 1
    mask = inside(thing.shape, u, v).reshape(n, samples, n, samples).mean((1, 3), dtype=np.float32)
    return left, top, mask


def draw(scene):
    """The picture, (336, 336, 3) bytes. Draws once: the noise comes from the scene's own generator."""
    rng = scene.paint
    grey = rng.randint(90, 200)
    first = np.array([grey + rng.randint(-25, 25) for _ in range(3)], np.float32)
    last = np.clip(first + np.array([rng.randint(-35, 35) for _ in range(3)], np.float32), 70, 205)
    ramp = np.linspace(0, 1, SIZE, dtype=np.float32)
    line = first + (last - first) * ramp[:, None]
    picture = np.empty((SIZE, SIZE, 3), np.float32)
    picture[:] = line[:, None, :] if rng.random() < 0.5 else line[None, :, :]
    blocks = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(2, 9), (SIZE // 4, SIZE // 4))
    picture += blocks.astype(np.float32).repeat(4, 0).repeat(4, 1)[:, :, None]
    for thing in scene.things:
        left, top, mask = coverage(thing, 2)
        part = picture[top : top + len(mask), left : left + len(mask)]
        part += mask[:, :, None] * (np.array(COLORS[thing.color], np.float32) - part)
    for sign in scene.signs:
        paint_sign(picture, sign)
    return np.clip(picture, 0, 255).astype(np.uint8)


def paint_sign(picture, sign):
    plate, ink = ((30, 45, 70), (250, 250, 240)) if sign.dark else ((250, 250, 245), (10, 10, 10))
    top, bottom = sign.y - 6, sign.y + 27
    left, right = sign.x - 8, sign.x + 14 * len(sign.text) + 4
    picture[top:bottom, left:right] = (30, 30, 30)
    picture[top + 2 : bottom - 2, left + 2 : right - 2] = plate
    tall, wide = GLYPH_PIXEL
    for index, character in enumerate(sign.text):
        for row, bits in enumerate(GLYPHS[character]):
            for column in range(5):
                if bits >> (4 - column) & 1:
                    y, x = sign.y + tall * row, sign.x + PATCH * index + wide * column
                    picture[y : y + tall, x : x + wide] = ink


def label(scene):
    """Which patch shows what. A patch belongs to a thing that covers an eighth of it or has its centre there."""
    zeros = lambda: np.zeros((GRID, GRID), np.int64)
    labels = Labels(zeros(), zeros(), zeros(), zeros(), zeros())
    for thing in scene.things:
        left, top, mask = coverage(thing, 1)
        r0, c0 = max(top, 0) // PATCH, max(left, 0) // PATCH
        field_ = np.zeros((6 * PATCH, 6 * PATCH), np.float32)
        y, x = top - r0 * PATCH, left - c0 * PATCH
        field_[y : y + len(mask), x : x + len(mask)] = mask
        share = field_.reshape(6, PATCH, 6, PATCH).mean((1, 3))
        row, column = divmod(thing.patch, GRID)
        share[row - r0, column - c0] = 1
        for dr, dc in np.argwhere(share > 0.125):
            labels.shape[r0 + dr, c0 + dc] = SHAPES.index(thing.shape) + 1
            labels.color[r0 + dr, c0 + dc] = COLOR_NAMES.index(thing.color) + 1
        labels.center[row, column] = 1
    for sign in scene.signs:
        row = (sign.y + 7) // PATCH
        for index, character in enumerate(sign.text):
            column = (sign.x + 5 + PATCH * index) // PATCH
            for r in (row, row + 1):
                labels.character[r, column] = CHARACTERS.index(character) + 1
                labels.slot[r, column] = index + 1
    for name in vars(labels):
        setattr(labels, name, getattr(labels, name).reshape(-1))
    return labels
