"""PyTorch's side: the same networks, built from the same descriptions, trained by the same losses. Speaks as harness/contestant.mjs says."""
import argparse
import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

LEAK = 0.2
# As bench/models/peak.mjs: [batch, height and width, channels in, channels out], all 3 × 3 with stride 1.
PEAK_SHAPES = [[16, 64, 64, 64], [16, 32, 128, 128], [32, 16, 256, 256]]


class Reshape(nn.Module):
    def __init__(self, shape):
        super().__init__()
        # Descriptions give [H, W, C]; PyTorch's order is [C, H, W].
        self.shape = [shape[2], shape[0], shape[1]] if len(shape) == 3 else shape

    def forward(self, x):
        return x.reshape(x.shape[0], *self.shape)


def build(description):
    """A network from its description: [{kind, name, …}, …] on an input of inputShape ([H, W, C] or [size])."""
    shape = list(description["inputShape"])
    layers = []
    for layer in description["layers"]:
        kind = layer["kind"]
        if kind == "conv":
            kernel, stride = layer["kernel"], layer["stride"]
            # So that the size is ours: rounded up, also of an odd one under an even kernel.
            missing = max((-(-shape[0] // stride) - 1) * stride + kernel - shape[0], 0)
            layers.append(nn.Conv2d(shape[2], layer["filters"], kernel, stride, padding=-(-missing // 2), bias=layer["bias"]))
            shape = [-(-shape[0] // stride), -(-shape[1] // stride), layer["filters"]]
        elif kind == "deconv":
            kernel, stride = layer["kernel"], layer["stride"]
            padding = (kernel - stride + 1) // 2
            extra = stride - kernel + 2 * padding
            layers.append(nn.ConvTranspose2d(shape[2], layer["filters"], kernel, stride, padding=padding, output_padding=extra, bias=layer["bias"]))
            shape = [shape[0] * stride, shape[1] * stride, layer["filters"]]
        elif kind == "dense":
            layers.append(nn.Linear(shape[0], layer["units"], bias=layer["bias"]))
            shape = [layer["units"]]
        elif kind == "batchNorm":
            layers.append(nn.BatchNorm2d(shape[2]) if len(shape) == 3 else nn.BatchNorm1d(shape[0]))
        elif kind == "activation":
            layers.append({"relu": nn.ReLU(inplace=True), "leakyRelu": nn.LeakyReLU(LEAK, inplace=True), "tanh": nn.Tanh()}[layer["activation"]])
        elif kind == "dropout":
            layers.append(nn.Dropout(layer["rate"]))
        elif kind == "reshape":
            layers.append(Reshape(layer["shape"]))
            shape = list(layer["shape"])
        elif kind == "upsample":
            layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
            shape = [shape[0] * 2, shape[1] * 2, shape[2]]
        else:
            raise ValueError(f"no layer of kind {kind} here")
    return nn.Sequential(*layers)


def optimizer(settings, parameters):
    if settings["optimizer"] == "Adam":
        return torch.optim.Adam(parameters, lr=settings["learningRate"], betas=(settings["beta1"], 0.999))
    momentum = settings["beta1"] if settings["optimizer"] == "Momentum" else 0
    return torch.optim.SGD(parameters, lr=settings["learningRate"], momentum=momentum)


def classifier_step(plan, images, layout, compiled):
    batch, labels = plan["batchSize"], plan["labels"]
    model = nn.Sequential(build(plan["f"]), build(plan["head"])).to(memory_format=layout)
    update = optimizer(plan["settings"], model.parameters())
    names = torch.randint(labels, (len(images),))

    def loss_of(x, y):
        return F.cross_entropy(model(x), y)

    def step():
        chosen = torch.randint(len(images), (batch,))
        x, y = images[chosen].contiguous(memory_format=layout), names[chosen]
        loss = step.loss_of(x, y)
        update.zero_grad(set_to_none=True)
        loss.backward()
        update.step()
        return loss.item()

    step.loss_of = loss_of
    return step


def dtn_step(plan, images, layout, compiled):
    """f frozen, its features computed once; G(x) once for g's and for D's update, and D's judgement too unless compiled; g's running average as the settings say."""
    batch, settings = plan["batchSize"], plan["settings"]
    weights, smoothing = settings["weights"], settings["labelSmoothing"]
    f, g, d = (build(plan[name]).to(memory_format=layout) for name in ("f", "g", "D"))
    f.eval().requires_grad_(False)
    update_g, update_d = optimizer(settings, g.parameters()), optimizer(settings, d.parameters())
    average = [p.detach().clone() for p in g.parameters()]
    with torch.no_grad():
        features = torch.cat([f(images[i : i + 32].contiguous(memory_format=layout)) for i in range(0, len(images), 32)])
    classes = torch.arange(3).repeat_interleave(batch)

    def generator_loss(given, target):
        pictures = g(given)
        logits = d(torch.cat([pictures, target]))
        return weighted_terms(pictures, logits, given, target), pictures, logits

    def weighted_terms(pictures, logits, given, target):
        transferred, reconstructed = pictures[:batch], pictures[batch:]
        real = torch.full((2 * batch,), 2)
        gan = 2 * F.cross_entropy(logits[: 2 * batch], real)
        const = F.mse_loss(f(unsteady_view(transferred, settings.get("unsteady"))), given[:batch])
        tid = F.mse_loss(reconstructed, target)
        loss = weights["gan"] * gan + weights["const"] * const + weights["tid"] * tid
        if weights["tv"] > 0:
            tv = (pictures[:, :, 1:] - pictures[:, :, :-1]).abs().mean() + (pictures[:, :, :, 1:] - pictures[:, :, :, :-1]).abs().mean()
            loss = loss + weights["tv"] * tv
        return loss

    def discriminator_loss(logits):
        return 3 * F.cross_entropy(logits, classes, label_smoothing=smoothing * 3 / 2)

    def discriminator_loss_of(pictures, target):
        return discriminator_loss(d(torch.cat([pictures, target])))

    def step():
        source, wanted = torch.randint(len(images), (batch,)), torch.randint(len(images), (batch,))
        target = images[wanted].contiguous(memory_format=layout)
        given = torch.cat([features[source], features[wanted]])
        if compiled:
            loss, d_loss = update_one_after_the_other(given, target)
        else:
            loss, d_loss = update_by_one_judgement(given, target)
        if settings["averageDecay"] > 0:
            with torch.no_grad():
                torch._foreach_lerp_(average, list(g.parameters()), 1 - settings["averageDecay"])
        return loss.item() + d_loss.item()

    def update_by_one_judgement(given, target):
        loss, _, logits = generator_loss(given, target)
        d_loss = discriminator_loss(logits)
        for network, value, last in ((g, loss, False), (d, d_loss, True)):
            parameters = list(network.parameters())
            for parameter, gradient in zip(parameters, torch.autograd.grad(value, parameters, retain_graph=not last)):
                parameter.grad = gradient
        update_g.step()
        update_d.step()
        return loss, d_loss

    def update_one_after_the_other(given, target):
        """What is compiled goes back once through all that it returns."""
        d.requires_grad_(False)
        loss, pictures, _ = step.generator_loss(given, target)
        update_g.zero_grad(set_to_none=True)
        loss.backward()
        update_g.step()
        d.requires_grad_(True)
        d_loss = step.discriminator_loss(pictures.detach(), target)
        update_d.zero_grad(set_to_none=True)
        d_loss.backward()
        update_d.step()
        return loss, d_loss

    if compiled:
        step.generator_loss, step.discriminator_loss = generator_loss, discriminator_loss_of
    return step


def unsteady_view(pictures, unsteady):
    """Pictures as f is shown them for L_CONST: moved by a few pixels with mirrored edges, with evenly spread noise."""
    if not unsteady:
        return pictures
    shift, size = unsteady["shift"], pictures.shape[-1]
    down, right = torch.randint(2 * shift + 1, (2,)).tolist()
    moved = F.pad(pictures, (shift, shift, shift, shift), mode="reflect")[:, :, down : down + size, right : right + size]
    return moved + (torch.rand_like(moved) - 0.5) * 2 * unsteady["noise"]


def measure_peak(layout):
    """Floating-point operations a second of the fastest round of the fastest convolution."""
    best = 0
    with torch.no_grad():
        for batch, size, channels, filters in PEAK_SHAPES:
            x = torch.rand(batch, channels, size, size).contiguous(memory_format=layout)
            kernel = torch.rand(filters, channels, 3, 3).contiguous(memory_format=layout)
            for _ in range(8):
                began = time.perf_counter()
                F.conv2d(x, kernel, padding=1)
                best = max(best, 2 * batch * size * size * 9 * channels * filters / (time.perf_counter() - began))
    return best


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("plan")
    arguments.add_argument("--layout", choices=["nchw", "nhwc"], default="nchw")
    arguments.add_argument("--compile", action="store_true")
    arguments = arguments.parse_args()
    with open(arguments.plan) as file:
        plan = json.load(file)
    torch.manual_seed(1)
    layout = torch.channels_last if arguments.layout == "nhwc" else torch.contiguous_format
    height, width, channels = plan["shape"]
    images = torch.rand(4 * plan["batchSize"], channels, height, width) * 2 - 1
    step = (classifier_step if plan["network"] == "classifier" else dtn_step)(plan, images, layout, arguments.compile)
    if arguments.compile:
        for name in list(vars(step)):
            setattr(step, name, torch.compile(getattr(step, name)))
        step()
    print(json.dumps({"ready": {"torch": torch.__version__, "threads": torch.get_num_threads()}}), flush=True)
    for line in sys.stdin:
        if line.strip() in ("end", "memory"):
            print(json.dumps({"peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)
            if line.strip() == "end":
                return
            continue
        if line.strip() == "peak":
            print(json.dumps({"flops": measure_peak(layout)}), flush=True)
            continue
        seconds = []
        for _ in range(int(line)):
            began = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - began)
        print(json.dumps({"seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
