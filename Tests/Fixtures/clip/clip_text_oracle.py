"""A float64 oracle of CLIP's text tower (Radford et al. 2021, arXiv:2103.00020), one row of ids at a time.

`weights` are named as in a checkpoint of Hugging Face's CLIPModel; shapes are (out, in).

    x = token + position
    x = x + attention(norm1(x)),  causal, queries times (head width)^-1/2
    x = x + fc2(act(fc1(norm2(x)))),  act z·σ(1.702 z)
    embedding = projection · final_norm(x)[pooled row], not normalised

What stands after the pooled row cannot change it, so padding never matters. Pooled is the first largest id where the
configuration says `eos_token_id` 2, as all of OpenAI's do, whatever the tokenizer says; else the first end of text, or row
0 where there is none.
"""
import numpy as np


def norm(x, weights, name, epsilon):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred ** 2).mean(-1, keepdims=True) + epsilon)
    return scaled * weights[name + ".weight"] + weights[name + ".bias"]


def linear(x, weights, name):
    return x @ weights[name + ".weight"].T + weights[name + ".bias"]


def attention(x, weights, name, heads):
    rows, width = x.shape
    split = lambda part: linear(x, weights, f"{name}.{part}_proj").reshape(rows, heads, -1).transpose(1, 0, 2)
    q, k, v = split("q") * (width // heads) ** -0.5, split("k"), split("v")
    logits = np.where(np.tril(np.ones((rows, rows), bool)), q @ k.transpose(0, 2, 1), -np.inf)
    share = np.exp(logits - logits.max(-1, keepdims=True))
    mixed = share / share.sum(-1, keepdims=True) @ v
    return linear(mixed.transpose(1, 0, 2).reshape(rows, width), weights, name + ".out_proj")


def hidden_states(ids, weights, config):
    """The input of the first block, the output of each, and the normed output of the last: each (len(ids), width)."""
    epsilon = config["layer_norm_eps"]
    x = weights["text_model.embeddings.token_embedding.weight"][ids]
    x = x + weights["text_model.embeddings.position_embedding.weight"][:len(ids)]
    out = [x]
    for layer in range(config["num_hidden_layers"]):
        name = f"text_model.encoder.layers.{layer}"
        x = x + attention(norm(x, weights, name + ".layer_norm1", epsilon), weights, name + ".self_attn",
                          config["num_attention_heads"])
        z = linear(norm(x, weights, name + ".layer_norm2", epsilon), weights, name + ".mlp.fc1")
        x = x + linear(z / (1 + np.exp(-1.702 * z)), weights, name + ".mlp.fc2")
        out.append(x)
    return out + [norm(x, weights, "text_model.final_layer_norm", epsilon)]


def pooled_row(ids, end):
    """`end` is the configuration's eos_token_id."""
    return int(np.argmax(ids)) if end == 2 else (list(ids).index(end) if end in ids else 0)


def embed(ids, weights, config):
    """(projection width): CLIP's embedding of one row of ids."""
    last = hidden_states(ids, weights, config)[-1]
    return weights["text_projection.weight"] @ last[pooled_row(ids, config["eos_token_id"])]


def segments(ids, length, begin, end, wrapped):
    """Rows of at most `length` ids of a text that is longer.

    Published (CDPruner's code): begin … end, cut every `length` ids and filled up with zeros. Only the first row then
    begins properly and only the last ends, and every other row's embedding is that of its largest id. Wrapped: every
    row begins and ends.
    """
    if not wrapped:
        ids = ids + [0] * (-len(ids) % length)
        return [ids[start:start + length] for start in range(0, len(ids), length)]
    inner = ids[1:-1]
    return [[begin] + inner[start:start + length - 2] + [end] for start in range(0, max(len(inner), 1), length - 2)]
