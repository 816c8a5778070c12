"""Questions about a scene, with the answers that count as right. Nine kinds."""

from scenes import CELL, COLOR_NAMES, SHAPES, SIZE

SHORT = "\nAnswer the question using a single word or phrase."
LETTER = "\nAnswer with the option's letter from the given choices directly."
KINDS = ["exist", "color", "count", "relation", "text", "where", "choice", "shape", "describe"]


def with_article(words):
    return ("an " if words[0] in "aeio" else "a ") + words


def name(thing):
    return f"{thing.color} {thing.shape}"


def place(thing):
    return ("top" if thing.y < SIZE / 2 else "bottom") + " " + ("left" if thing.x < SIZE / 2 else "right")


def singles(scene):
    """Things that no other thing equals in colour and shape."""
    names = [name(thing) for thing in scene.things]
    return [thing for thing in scene.things if names.count(name(thing)) == 1]


def color(rng, scene):
    shapes = [thing.shape for thing in scene.things]
    unique = [thing for thing in scene.things if shapes.count(thing.shape) == 1]
    if unique:
        thing = rng.choice(unique)
        return f"What color is the {thing.shape}?" + SHORT, thing.color


def shape(rng, scene):
    colors = [thing.color for thing in scene.things]
    unique = [thing for thing in scene.things if colors.count(thing.color) == 1]
    if unique:
        thing = rng.choice(unique)
        return f"What shape is {thing.color}?" + SHORT, thing.shape


def count(rng, scene):
    shapes = [thing.shape for thing in scene.things]
    if rng.random() < 0.3:
        return "How many shapes are there?" + SHORT, str(len(shapes))
    repeated = [s for s in shapes if shapes.count(s) > 1]
    asked = rng.choice(repeated) if repeated and rng.random() < 0.6 else rng.choice(shapes + [rng.choice(SHAPES)])
    return f"How many {asked}s are there?" + SHORT, str(shapes.count(asked))


def exist(rng, scene):
    """Half of the answers are no, and most of those are about a thing of which half is there."""
    thing = rng.choice(scene.things)
    asked = name(thing)
    if rng.random() < 0.5:
        present = {name(thing) for thing in scene.things}
        while asked in present:
            near = rng.random()
            asked_color = thing.color if near < 0.35 else rng.choice(COLOR_NAMES)
            asked_shape = thing.shape if near > 0.65 else rng.choice(SHAPES)
            asked = f"{asked_color} {asked_shape}"
        return f"Is there {with_article(asked)} in the image?" + SHORT, "no"
    return f"Is there {with_article(asked)} in the image?" + SHORT, "yes"


def where(rng, scene):
    unique = singles(scene)
    if unique:
        thing = rng.choice(unique)
        return f"Where is the {name(thing)}?" + SHORT, place(thing)


def text(rng, scene):
    if scene.sign or rng.random() < 0.2:
        return "What is written on the sign?" + SHORT, scene.sign.text if scene.sign else "nothing"


def relation(rng, scene):
    pairs = [(a, b) for a in singles(scene) for b in singles(scene) if abs(a.x - b.x) > CELL / 2]
    if pairs:
        a, b = rng.choice(pairs)
        side = rng.choice(("left", "right"))
        answer = (a.x < b.x) == (side == "left")
        return f"Is the {name(a)} to the {side} of the {name(b)}?" + SHORT, "yes" if answer else "no"


def choice(rng, scene):
    present = {name(thing) for thing in scene.things}
    right = name(rng.choice(scene.things))
    options = [right]
    while len(options) < 4:
        option = f"{rng.choice(COLOR_NAMES)} {rng.choice(SHAPES)}"
        if option not in options and option not in present:
            options.append(option)
    rng.shuffle(options)
    lines = "".join(f"\n{letter}. {option}" for letter, option in zip("ABCD", options))
    return "Which of these is in the image?" + lines + LETTER, "ABCD"[options.index(right)]


def describe(rng, scene):
    parts = [with_article(name(thing)) for thing in scene.things]
    if scene.sign:
        parts.append(f"a sign that says {scene.sign.text}")
    listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    return "Describe the image.", f"The image shows {listed}."


MAKERS = {k: globals()[k] for k in KINDS}


def ask(rng, scene, kind):
    """A question of a kind and its answer, or None where the scene gives none."""
    return MAKERS[kind](rng, scene)
