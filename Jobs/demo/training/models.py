"""The two networks, as small as training needs them, with the parameter names of Hugging Face transformers.

`Tower` is CLIP's vision transformer and `Decoder` is Llama. Unlike the originals they run on any subset of the patches (at
their true positions) and on many questions that share one picture.
"""

import torch
import torch.nn.functional as F
from torch import nn

TOWER = dict(
    hidden_size=128, intermediate_size=512, num_hidden_layers=6, num_attention_heads=4, image_size=336, patch_size=14,
    projection_dim=128,
)  # fmt: skip
DECODER = dict(
    vocab_size=704, hidden_size=160, intermediate_size=384, num_hidden_layers=5, num_attention_heads=5,
    num_key_value_heads=5, max_position_embeddings=2048, rms_norm_eps=1e-5, rope_theta=100000.0,
)  # fmt: skip
PATCHES = (TOWER["image_size"] // TOWER["patch_size"]) ** 2


def split_heads(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


class TowerLayer(nn.Module):
    def __init__(self):
        super().__init__()
        width, inner = TOWER["hidden_size"], TOWER["intermediate_size"]
        self.self_attn = nn.ModuleDict({k: nn.Linear(width, width) for k in ("q_proj", "k_proj", "v_proj", "out_proj")})
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, inner), "fc2": nn.Linear(inner, width)})

    def forward(self, x):
        a, h = self.self_attn, self.layer_norm1(x)
        q, k, v = (split_heads(a[name](h), TOWER["num_attention_heads"]) for name in ("q_proj", "k_proj", "v_proj"))
        x = x + a["out_proj"](F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        h = self.mlp["fc1"](self.layer_norm2(x))
        return x + self.mlp["fc2"](h * torch.sigmoid(1.702 * h))  # CLIP's quick GELU


class Tower(nn.Module):
    """CLIP's vision transformer up to its last layer but one, whose output is what LLaVA reads."""

    def __init__(self):
        super().__init__()
        width = TOWER["hidden_size"]
        self.class_embedding = nn.Parameter(torch.randn(width) * 0.02)
        self.patch_embedding = nn.Linear(3 * TOWER["patch_size"] ** 2, width, bias=False)
        self.position_embedding = nn.Embedding(PATCHES + 1, width)
        nn.init.normal_(self.position_embedding.weight, std=0.02)
        self.pre_layrnorm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(TowerLayer() for _ in range(TOWER["num_hidden_layers"] - 1))

    def forward(self, pixels, index):
        """pixels (batch, n, 588), channel by channel; index (batch, n) of their patches. Out: (batch, 1 + n, width)."""
        x = self.patch_embedding(pixels) + self.position_embedding(index + 1)
        first = (self.class_embedding + self.position_embedding.weight[0]).expand(len(x), 1, -1)
        x = self.pre_layrnorm(torch.cat([first, x], 1))
        for layer in self.layers:
            x = layer(x)
        return x


class Projector(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear_1 = nn.Linear(TOWER["hidden_size"], DECODER["hidden_size"])
        self.linear_2 = nn.Linear(DECODER["hidden_size"], DECODER["hidden_size"])

    def forward(self, x):
        return self.linear_2(F.gelu(self.linear_1(x)))


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class DecoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        width, inner = DECODER["hidden_size"], DECODER["intermediate_size"]
        linear = lambda a, b: nn.Linear(a, b, bias=False)
        self.self_attn = nn.ModuleDict({k: linear(width, width) for k in ("q_proj", "k_proj", "v_proj", "o_proj")})
        self.mlp = nn.ModuleDict(
            {"gate_proj": linear(width, inner), "up_proj": linear(width, inner), "down_proj": linear(inner, width)}
        )
        self.input_layernorm = nn.RMSNorm(width, DECODER["rms_norm_eps"])
        self.post_attention_layernorm = nn.RMSNorm(width, DECODER["rms_norm_eps"])
        depth = (2 * DECODER["num_hidden_layers"]) ** -0.5
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
        self.self_attn["o_proj"].weight.data.mul_(depth)
        self.mlp["down_proj"].weight.data.mul_(depth)
        # Queries start equal to keys, so that from the first step on a word looks at patches that resemble it.
        self.self_attn["k_proj"].weight.data.copy_(self.self_attn["q_proj"].weight.data)

    def qkv(self, h, cos, sin):
        a, heads = self.self_attn, DECODER["num_attention_heads"]
        q, k, v = (split_heads(a[name](h), heads) for name in ("q_proj", "k_proj", "v_proj"))
        return rotate(q, cos, sin), rotate(k, cos, sin), v

    def rest(self, x, mixed):
        x = x + self.self_attn["o_proj"](mixed.transpose(1, 2).flatten(2))
        h = self.post_attention_layernorm(x)
        return x + self.mlp["down_proj"](F.silu(self.mlp["gate_proj"](h)) * self.mlp["up_proj"](h))

    def forward(self, prefix, text, prefix_turn, text_turn, mask):
        q, k, v = self.qkv(self.input_layernorm(prefix), *prefix_turn)
        after = self.rest(prefix, F.scaled_dot_product_attention(q, k, v, is_causal=True))
        tq, tk, tv = self.qkv(self.input_layernorm(text), *text_turn)
        mixed = F.scaled_dot_product_attention(tq, torch.cat([k, tk], 2), torch.cat([v, tv], 2), attn_mask=mask)
        return after, self.rest(text, mixed)


class Decoder(nn.Module):
    """Llama, run on a prefix (system text and picture) and on several questions that all see the prefix and themselves."""

    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(DECODER["vocab_size"], DECODER["hidden_size"])
        nn.init.normal_(self.embed_tokens.weight, std=0.5)
        self.layers = nn.ModuleList(DecoderLayer() for _ in range(DECODER["num_hidden_layers"]))
        self.norm = nn.RMSNorm(DECODER["hidden_size"], DECODER["rms_norm_eps"])
        self.lm_head = nn.Linear(DECODER["hidden_size"], DECODER["vocab_size"], bias=False)
        nn.init.normal_(self.lm_head.weight, std=0.02)

    def turn(self, positions):
        """Cosine and sine of the rotary embedding, (batch, 1, n, head width / 2)."""
        half = DECODER["hidden_size"] // DECODER["num_attention_heads"] // 2
        speed = DECODER["rope_theta"] ** (-torch.arange(half, device=positions.device) / half)
        angle = positions[:, None, :, None] * speed
        return angle.cos(), angle.sin()

    def forward(self, prefix, prefix_positions, text, text_positions, mask, tap=0):
        """Hidden states of the text, (batch, n, width), and those of prefix and text after layer tap.

        mask (batch, 1, n, prefix + n) says who may look at whom.
        """
        prefix_turn, text_turn = self.turn(prefix_positions), self.turn(text_positions)
        x = self.embed_tokens(text)
        tapped = None
        for number, layer in enumerate(self.layers, 1):
            prefix, x = layer(prefix, x, prefix_turn, text_turn, mask)
            if number == tap:
                tapped = prefix, x
        return self.norm(x), tapped
