"""Writes the pictures and questions of the demo batch and of the demo benchmark. The same files from every run.

    python benchmark.py

Neither shares a scene with training: training seeds are named after their stage, these `demo N` and `benchmark N`.
"""

import json
import random
from pathlib import Path

from PIL import Image

import questions
import scenes

DEMO = Path(__file__).parent.parent
BENCHMARK = DEMO.parent / "benchmarks" / "demo"
BENCHMARK_SCENES, BENCHMARK_QUESTIONS = 250, 1000
DEMO_SCENES, DEMO_QUESTIONS = 24, 120


def item(picture, number, kind, made):
    prompt, answer = made
    return {
        "id": f"{Path(picture).stem}/q{number}", "image": picture, "prompt": prompt, "answers": [answer],
        "labels": {"kind": kind},
    }  # fmt: skip


def ask_all(rng, pictures, total):
    """Questions in equal numbers of each kind, as evenly over the scenes as they allow, none twice about one scene."""
    asked = {name: [] for name, _ in pictures}
    taken = set()
    for turn in range(total):
        kind = questions.KINDS[turn % len(questions.KINDS)]
        for name, scene in sorted(pictures, key=lambda pair: (len(asked[pair[0]]), rng.random())):
            made = questions.ask(rng, scene, kind)
            if made and (name, made[0]) not in taken:
                taken.add((name, made[0]))
                asked[name].append((kind, made))
                break
        else:
            raise SystemExit(f"no scene is left for a question of kind {kind}")
    return [item(name, n, kind, made) for name, list_ in asked.items() for n, (kind, made) in enumerate(list_)]


def write_items(path, items):
    path.write_text("".join(json.dumps(i) + "\n" for i in items))


def widen(picture, index):
    """The same scene in another size: the middle of what is written here is the scene, as the centre crop finds it."""
    size = scenes.SIZE
    if index % 3 == 1:  # wide, with margins that the crop takes away
        made = Image.new("RGB", (size * 4 // 3, size), picture.getpixel((0, 0)))
        made.paste(picture, (size // 6, 0))
        return made
    if index % 3 == 2:  # tall and larger
        made = Image.new("RGB", (size, size * 5 // 4), picture.getpixel((size - 1, size - 1)))
        made.paste(picture, (0, size // 8))
        return made.resize((size * 2, size * 5 // 2), Image.BICUBIC)
    return picture


def demo():
    pictures = []
    (DEMO / "images").mkdir(exist_ok=True)
    for old in (DEMO / "images").iterdir():
        old.unlink()
    for i in range(DEMO_SCENES):
        scene = scenes.make(f"demo {i}")
        ending = {2: "png", 4: "webp"}.get(i % 6, "jpg")
        name = f"images/scene-{i:03d}.{ending}"
        options = {"jpg": dict(quality=92, subsampling=0), "png": dict(optimize=True), "webp": dict(quality=90, method=6)}
        widen(Image.fromarray(scenes.draw(scene)), i).save(DEMO / name, **options[ending])
        pictures.append((name, scene))
    write_items(DEMO / "questions.jsonl", ask_all(random.Random("demo"), pictures, DEMO_QUESTIONS))


def benchmark():
    pictures = []
    (BENCHMARK / "images").mkdir(parents=True, exist_ok=True)
    for i in range(BENCHMARK_SCENES):
        scene = scenes.make(f"benchmark {i}")
        name = f"images/{i:03d}.webp"
        Image.fromarray(scenes.draw(scene)).save(BENCHMARK / name, quality=90, method=6)
        pictures.append((name, scene))
    items = ask_all(random.Random("benchmark"), pictures, BENCHMARK_QUESTIONS)
    write_items(BENCHMARK / "questions.jsonl", items)


if __name__ == "__main__":
    demo()
    benchmark()
