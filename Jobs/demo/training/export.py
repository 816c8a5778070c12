"""Writes the trained parts as a checkpoint in the layout of the llava-hf repositories, in bf16.

The tokenizer and preprocessor files of the model folder stay as they are; config.json gets the sizes.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

import words
from models import DECODER, TOWER


def tower_tensors(state):
    """CLIP's names. The last layer, whose output LLaVA does not read, passes its input through."""
    names = {"class_embedding": "embeddings.class_embedding", "position_embedding.weight": "embeddings.position_embedding.weight"}
    made = {}
    for key, value in state.items():
        if key == "patch_embedding.weight":
            key, value = "embeddings.patch_embedding.weight", value.unflatten(1, (3, TOWER["patch_size"], TOWER["patch_size"]))
        elif key.startswith("layers."):
            key = "encoder." + key
        made[names.get(key, key)] = value
    last, width = TOWER["num_hidden_layers"] - 1, TOWER["hidden_size"]
    for key, value in state.items():
        if key.startswith("layers.0."):
            passes = torch.ones_like(value) if "layer_norm" in key and key.endswith("weight") else torch.zeros_like(value)
            made[f"encoder.layers.{last}." + key.removeprefix("layers.0.")] = passes
    made["post_layernorm.weight"], made["post_layernorm.bias"] = torch.ones(width), torch.zeros(width)
    return {"vision_tower.vision_model." + key: value for key, value in made.items()}


def decoder_tensors(state):
    return {("language_model." if key.startswith("lm_head") else "language_model.model.") + key: v for key, v in state.items()}


def write(folder, model=words.MODEL):
    folder, model = Path(folder), Path(model)
    tensors = tower_tensors(torch.load(folder / "vision.pt")["tower"])
    joined = torch.load(folder / "join.pt")
    tensors |= decoder_tensors(joined["decoder"])
    tensors |= {"multi_modal_projector." + key: value for key, value in joined["projector"].items()}
    tensors = {key: value.to(torch.bfloat16).contiguous() for key, value in sorted(tensors.items())}
    save_file(tensors, model / "model.safetensors", {"format": "pt"})
    config = json.loads((model / "config.json").read_text())
    config["vision_config"].update(TOWER)
    config["text_config"].update(DECODER, head_dim=DECODER["hidden_size"] // DECODER["num_attention_heads"])
    (model / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    return sum(tensor.numel() for tensor in tensors.values())


if __name__ == "__main__":
    import sys

    print(f"{write(*sys.argv[1:]) / 1e6:.2f} million parameters")
