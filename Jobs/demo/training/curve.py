"""Draws loss.csv (stage, step, seconds, loss, note) as loss.svg: one panel for each stage, logarithmic loss against steps.

Where a stage went on in a later run, its steps begin again in the file; they are counted on here from a dashed line.
"""

import csv
import math
import sys
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 260, 170, 46, 26, 28


def read(source):
    """For each stage its (step, loss) points, and the steps at which later runs began."""
    stages, last, base, starts = {}, {}, {}, {}
    with source.open() as file:
        for stage, step, _, loss, _ in csv.reader(file):
            step = int(step)
            if step <= last.get(stage, 0):
                base[stage] = base.get(stage, 0) + last[stage]
                starts.setdefault(stage, []).append(base[stage])
            last[stage] = step
            stages.setdefault(stage, []).append((base.get(stage, 0) + step, float(loss)))
    return stages, starts


def panel(stage, points, starts, left):
    steps, losses = zip(*points)
    low, high = math.log10(min(losses)), math.log10(max(losses))
    x = lambda step: left + LEFT + (WIDTH - LEFT - 20) * step / max(steps)
    y = lambda loss: TOP + (HEIGHT - TOP - BOTTOM) * (high - math.log10(loss)) / (high - low)
    line = " ".join(f"{x(s):.1f},{y(l):.1f}" for s, l in points)
    return "".join(
        [
            f'<path d="M{x(0)} {TOP}V{HEIGHT - BOTTOM}H{x(max(steps))}" fill="none" stroke="#888"/>',
            *(f'<path d="M{x(s):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#888" stroke-dasharray="3 3"/>' for s in starts),
            f'<polyline points="{line}" fill="none" stroke="#2850c8" stroke-width="1.5"/>',
            f'<text x="{left + WIDTH / 2:.0f}" y="14" text-anchor="middle">{stage}: loss against steps</text>',
            *(f'<text x="{left + LEFT - 5}" y="{y(l) + 4:.1f}" text-anchor="end">{l:.2g}</text>' for l in (max(losses), min(losses))),
            *(f'<text x="{x(s):.1f}" y="{HEIGHT - 12}" text-anchor="middle">{s}</text>' for s in (0, max(steps))),
        ]
    )


def main(source):
    stages, starts = read(source)
    stages.pop("fit", None)
    panels = [panel(stage, points, starts.get(stage, []), WIDTH * i) for i, (stage, points) in enumerate(stages.items())]
    size = f'width="{WIDTH * len(panels)}" height="{HEIGHT}"'
    style = '<rect width="100%" height="100%" fill="white"/><g font-family="sans-serif" font-size="11">'
    source.with_suffix(".svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{style}{"".join(panels)}</g></svg>\n')


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "loss.csv")
