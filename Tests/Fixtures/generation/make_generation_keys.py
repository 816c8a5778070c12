#!/usr/bin/env python3
"""Makes generation_keys.json: the settings of GenerationConfig in transformers 4.57, with what each is by default.

    make_generation_keys.py

Needs transformers 4.57 and no torch.
"""
import json
import pathlib

import transformers
from transformers import GenerationConfig

assert transformers.__version__.startswith("4.57.")
settings = GenerationConfig().__dict__
target = pathlib.Path(__file__).with_name("generation_keys.json")
target.write_text(json.dumps(settings | {"transformers_version": "4.57"}, indent=1, sort_keys=True) + "\n")
print(f"{target.name}: {len(settings)} settings")
