"""Muon for the matrices of the layers, Adam for the rest."""

import torch


class Muon(torch.optim.Optimizer):
    """Momentum whose matrix is brought to singular values near one before each step (Jordan and others, 2024).

    Matrices of one shape are orthogonalised together; all in f32, since bf16 has no arithmetic on many processors.
    """

    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.02):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                if p.grad is not None:
                    shapes.setdefault(p.shape, []).append(p)
            for shape, list_ in shapes.items():
                updates = []
                for p in list_:
                    buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                    buffer.lerp_(p.grad, 1 - group["momentum"])
                    updates.append(p.grad.lerp(buffer, group["momentum"]))
                directions = orthogonalise(torch.stack(updates))
                size = 0.2 * max(shape) ** 0.5  # as large a step as Adam's
                for p, direction in zip(list_, directions):
                    p.mul_(1 - group["lr"] * group["weight_decay"]).add_(direction, alpha=-group["lr"] * size)


def orthogonalise(x, steps=5):
    """Newton-Schulz iteration with the usual quintic coefficients; x (n, rows, columns)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = x.shape[1] <= x.shape[2]
    x = x if wide else x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x if wide else x.mT


def optimizers(modules, rate, decay=0.02):
    """Muon and Adam for the parameters of modules. `aside` in a module's class keeps all of its parameters with Adam."""
    matrices, others = [], []
    for module in modules:
        for name, p in module.named_parameters():
            inner = p.dim() == 2 and "layers." in name and not getattr(module, "aside", False)
            (matrices if inner else others).append(p)
    made = [torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0)]
    if matrices:
        made.append(Muon(matrices, rate, weight_decay=decay))
    for optimizer in made:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return made


def set_rate(made, progress, step, warm=100):
    """Warm-up, then constant, then linear to a fiftieth of the rate over the last 40 % of the time."""
    factor = min(1, (step + 1) / warm) * min(1, max(0.02, (1 - progress) / 0.4))
    for optimizer in made:
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor


def step_all(made, loss, parameters):
    for optimizer in made:
        optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    for optimizer in made:
        optimizer.step()
