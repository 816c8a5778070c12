"""Trains the demo model, all of it or one stage, and writes the checkpoint.

    python train.py all --work FOLDER [--scale 1.0]        # every stage in turn, then ../model
    python train.py vision|language|join --work FOLDER --minutes N [--more]
    python train.py export --work FOLDER

Stages keep their weights in FOLDER and add to FOLDER/loss.csv. `--more` goes on from the weights of an earlier run of the same
stage. Vision and language do not need each other and may run side by side. Set
MALLOC_MMAP_THRESHOLD_=4000000000 MALLOC_TRIM_THRESHOLD_=8000000000 on Linux: steps take a third less time.
"""

import argparse
import csv
import time
from pathlib import Path

import torch

import export
import join
import language
import vision

MINUTES = {"vision": 50, "language": 44, "join": 43}  # of processor time
STAGES = {"vision": vision.train, "language": language.train, "join": join.train}


def logger(folder):
    """Prints a line and appends it to loss.csv."""

    def log(stage, step, seconds, loss, note):
        print(f"{stage} {step} {seconds:.0f} s loss {loss:.4f} {note}", flush=True)
        with open(folder / "loss.csv", "a", newline="") as file:
            csv.writer(file).writerow([stage, step, f"{seconds:.0f}", f"{loss:.4f}", note])

    return log


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("stage", choices=("all", *STAGES, "export"))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--scale", type=float, default=1.0, help="of the minutes of all stages")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--more", action="store_true")
    parser.add_argument("--wall", action="store_true", help="minutes of the clock on the wall, not of processor time")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.work.mkdir(parents=True, exist_ok=True)
    clock = time.monotonic if given.wall else time.process_time
    for stage, train in STAGES.items():
        if given.stage in (stage, "all"):
            minutes = given.minutes or MINUTES[stage] * given.scale
            start = given.work / f"{stage}.pt" if given.more else None
            train(minutes, given.work, given.seed, logger(given.work), start, clock)
    if given.stage in ("export", "all"):
        print(f"{export.write(given.work) / 1e6:.2f} million parameters")


if __name__ == "__main__":
    main()
