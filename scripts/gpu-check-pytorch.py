#!/usr/bin/env python3
"""Measures training steps of a LoRA model in plain PyTorch, to compare lora-graph with.

The model is a classifier of RoBERTa-base's size, written out here so that PyTorch is all it needs:
12 layers of 768, LoRA of rank 4 beside query and every output layer, as
`lora-graph inject --match 'query|output' --rank 4` puts it, the head trained in full, AdamW, gradients
clipped to norm 1, no dropout. One step is forward, loss, backward and optimizer.

Prints one JSON object a line: mode (eager or compiled), precision (fp32, tf32, bf16 or fp16), samples
per second and peak memory, or the problem where something cannot be measured.
"""
import argparse
import json
import math
import resource
import statistics
import sys
import time

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit("this Python has no PyTorch")


class LoraLinear(nn.Module):
    """A frozen layer with an adapter beside it."""

    def __init__(self, inner, outer, rank):
        super().__init__()
        self.base = nn.Linear(inner, outer)
        self.lora_a = nn.Parameter(torch.randn(inner, rank) / math.sqrt(inner))
        self.lora_b = nn.Parameter(torch.zeros(rank, outer))

    def forward(self, x):
        return self.base(x) + (x @ self.lora_a) @ self.lora_b


class Layer(nn.Module):
    def __init__(self, hidden, heads, rank):
        super().__init__()
        self.heads = heads
        self.query = LoraLinear(hidden, hidden, rank)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.attention_output = LoraLinear(hidden, hidden, rank)
        self.attention_norm = nn.LayerNorm(hidden, eps=1e-5)
        self.intermediate = nn.Linear(hidden, 4 * hidden)
        self.output = LoraLinear(4 * hidden, hidden, rank)
        self.norm = nn.LayerNorm(hidden, eps=1e-5)

    def split(self, x):
        batch, sequence, hidden = x.shape
        return x.view(batch, sequence, self.heads, hidden // self.heads).transpose(1, 2)

    def forward(self, x, mask):
        query, key, value = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        if hasattr(nn.functional, "scaled_dot_product_attention"):
            context = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        else:
            scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
            context = torch.softmax(scores + mask, dim=-1) @ value
        context = context.transpose(1, 2).reshape(x.shape)
        x = self.attention_norm(x + self.attention_output(context))
        return self.norm(x + self.output(nn.functional.gelu(self.intermediate(x))))


class Classifier(nn.Module):
    def __init__(self, vocabulary, positions, hidden, layers, heads, rank):
        super().__init__()
        self.words = nn.Embedding(vocabulary, hidden)
        self.positions = nn.Embedding(positions, hidden)
        self.norm = nn.LayerNorm(hidden, eps=1e-5)
        self.layers = nn.ModuleList([Layer(hidden, heads, rank) for _ in range(layers)])
        self.dense = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 2)
        for name, parameter in self.named_parameters():
            trained = "lora_" in name or name.startswith(("dense.", "out."))
            parameter.requires_grad_(trained)

    def forward(self, ids, mask):
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.norm(self.words(ids) + self.positions(places))
        for layer in self.layers:
            x = layer(x, mask)
        return self.out(torch.tanh(self.dense(x[:, 0])))


def measure(options, precision, compiled):
    device = torch.device(options.device)
    on_gpu = device.type == "cuda"
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    model = Classifier(
        options.vocabulary, 514, options.hidden, options.layers, options.hidden // 64 or 1, options.rank
    ).to(device)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    half = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(precision)
    scaler = torch.cuda.amp.GradScaler(enabled=precision == "fp16" and on_gpu)
    ids = torch.randint(3, options.vocabulary, (options.batch_size, options.sequence), device=device)
    lengths = options.sequence - torch.arange(options.batch_size, device=device).clamp(max=options.sequence - 1)
    padding = torch.arange(options.sequence, device=device)[None, :] >= lengths[:, None]
    # What is added to attention has the type that attention is computed in.
    kind = half or torch.float32
    mask = padding[:, None, None, :].to(kind) * torch.finfo(kind).min
    labels = torch.zeros(options.batch_size, dtype=torch.long, device=device)
    network = torch.compile(model) if compiled else model

    def step():
        with torch.autocast(device.type, dtype=half or torch.bfloat16, enabled=half is not None):
            loss = nn.functional.cross_entropy(network(ids, mask).float(), labels)
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(trained, 1.0)
        scaler.step(optimizer)
        scaler.update()
        return loss

    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
    for _ in range(3):
        step()
    times = []
    for _ in range(options.steps):
        if on_gpu:
            torch.cuda.synchronize(device)
        start = time.perf_counter()
        # As in training that shows its loss at times only: steps are queued, the last is waited for.
        for _ in range(options.queued):
            step()
        if on_gpu:
            torch.cuda.synchronize(device)
        times.append((time.perf_counter() - start) / options.queued)
    seconds = statistics.median(times)
    peak = (
        torch.cuda.max_memory_allocated(device)
        if on_gpu
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    return {
        "stepSeconds": seconds,
        "samplesPerSecond": options.batch_size / seconds,
        "peakGigabytes": peak / 1e9,
        "trainable": sum(p.numel() for p in trained),
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--sequence", type=int, default=128)
    parser.add_argument("--steps", type=int, default=20, help="measurements; the median is printed")
    parser.add_argument("--queued", type=int, default=8, help="steps in a measurement")
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=768)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--vocabulary", type=int, default=50265)
    parser.add_argument("--precisions", default="fp32,tf32,bf16,fp16")
    options = parser.parse_args()
    on_gpu = options.device.startswith("cuda")
    if on_gpu and not torch.cuda.is_available():
        sys.exit("this PyTorch sees no CUDA device")
    precisions = options.precisions.split(",")
    if not on_gpu:
        precisions = [p for p in precisions if p in ("fp32", "bf16")]
    modes = ["eager"]
    if hasattr(torch, "compile"):
        modes.append("compiled")
    for mode in modes:
        for precision in precisions:
            line = {
                "torch": torch.__version__,
                "device": torch.cuda.get_device_name(options.device) if on_gpu else "cpu",
                "mode": mode,
                "precision": precision,
                "batchSize": options.batch_size,
                "sequence": options.sequence,
            }
            try:
                line.update(measure(options, precision, mode == "compiled"))
            except Exception as problem:  # noqa: BLE001: one figure less, not none
                line["problem"] = (str(problem).strip() or repr(problem)).splitlines()[0]
            print(json.dumps(line), flush=True)
            if on_gpu:
                torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
