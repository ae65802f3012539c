"""The Domain Transfer Network in PyTorch, trained whole on the data, layers, losses and steps of a preset: what ours is compared with.

Reads a plan (JSON: networks as lists of layers, settings, folders of data), prints its scores as JSON.
"""
import copy
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent.parent / "models"))
from torch_peer import build, optimizer  # noqa: E402

CHUNK = 256


def read(folder):
    """A data set's images [N, C, H, W] in -1..1 and labels [N]."""
    shards = json.loads((Path(folder) / "manifest.json").read_text())["shards"]
    images = np.concatenate([np.load(Path(folder) / s["file"]) for s in shards])
    labels = np.concatenate([np.load(Path(folder) / s["labelsFile"]) for s in shards])
    return torch.from_numpy(images).permute(0, 3, 1, 2).float().div_(127.5).sub_(1), torch.from_numpy(labels).long()


def initialize(network, how):
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.xavier_uniform_(module.weight) if how == "xavier" else nn.init.normal_(module.weight, 0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            # The share of a new batch in the running statistics is PyTorch's own, 0.1.
            module.eps = 1e-5
    return network


def rate(settings, step):
    """The learning rate of a step, as libs/models/src/optimizer/schedule.ts has it."""
    peak, done = settings["learningRate"], step / settings["steps"]
    if settings["schedule"] == "constant":
        return peak
    if settings["schedule"] == "linearDecay":
        return peak if done < 0.5 else peak * max(0.05, (1 - done) / 0.5)
    if done < 0.25:
        return peak * (0.04 + 0.96 * (1 - np.cos(np.pi * done / 0.25)) * 0.5)
    return peak * max(1e-3, 0.5 * (1 + np.cos(np.pi * (done - 0.25) / 0.75)))


def batches(count, size, generator):
    """Shuffled epochs without end."""
    while True:
        order = torch.randperm(count, generator=generator)
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]


def augment(x):
    """What f's training images go through, as libs/models/src/classifier/augmentation.ts has it: shift, blur, light, contrast, few tones."""
    n, c, h, w = x.shape
    reach = max(1, round(h / 24))
    padded = F.pad(x, (reach,) * 4, mode="replicate")
    dx, dy = torch.randint(0, 2 * reach + 1, (2, n))
    x = torch.stack([padded[i, :, dy[i] : dy[i] + h, dx[i] : dx[i] + w] for i in range(n)])
    blurred = x.clone()
    blurred[:, :, 1:-1, 1:-1] = F.avg_pool2d(x, 3, stride=1)
    x = torch.where((torch.rand(n) < 0.3)[:, None, None, None], blurred, x)
    levels = (x + 1) * 127.5
    gain = torch.empty(n, 1, 1, 1).uniform_(0.8, 1.25) * torch.empty(n, c, 1, 1).uniform_(0.92, 1.08)
    tones = torch.where(torch.rand(n) < 0.25, torch.randint(4, 9, (n,)), torch.full((n,), 256))
    width = (255 / (tones - 1))[:, None, None, None]
    levels = torch.round(((levels - 128) * gain + 128 + torch.empty(n, 1, 1, 1).uniform_(-25, 25)) / width) * width
    return levels.round().clamp(0, 255) / 127.5 - 1


def train_classifier(extractor, head, data, settings, changed, generator, log):
    images, labels = data
    model = nn.Sequential(extractor, head).train()
    update = optimizer(settings, model.parameters())
    chosen = batches(len(images), settings["batchSize"], generator)
    for step in range(settings["steps"]):
        update.param_groups[0]["lr"] = rate(settings, step)
        index = next(chosen)
        loss = F.cross_entropy(model(augment(images[index]) if changed else images[index]), labels[index])
        update.zero_grad(set_to_none=True)
        loss.backward()
        update.step()
        if (step + 1) % 100 == 0:
            log(f"step {step + 1}: loss {loss.item():.3f}")
    model.eval().requires_grad_(False)


def adapt(f, head, images, changed, noise, generator):
    """f as it reads the target domain, as libs/models/src/dtn/adapted-hypothesis.ts makes it: no label is used, and the classifier stays."""
    adapted = copy.deepcopy(f).requires_grad_(True).train()
    chosen = batches(len(images), 128, generator)
    with torch.no_grad():
        for _ in range(40):
            adapted(images[next(chosen)])
    settings = {"optimizer": "Adam", "learningRate": 5e-4, "beta1": 0.9, "schedule": "oneCycle", "steps": 300}
    update = optimizer(settings, adapted.parameters())
    chosen = batches(len(images), 128, generator)
    for step in range(settings["steps"]):
        update.param_groups[0]["lr"] = rate(settings, step)
        x = images[next(chosen)]
        x = augment(x) if changed else x
        names = head(adapted(x + noise * (2 * torch.rand_like(x) - 1))).softmax(1)
        loss = entropy(names) - entropy(names.mean(0, keepdim=True))
        update.zero_grad(set_to_none=True)
        loss.backward()
        update.step()
    return adapted.eval().requires_grad_(False)


def entropy(distributions):
    return -(distributions * (distributions + 1e-8).log()).sum(1).mean()


def apply(network, x):
    with torch.no_grad():
        return torch.cat([network(x[i : i + CHUNK]) for i in range(0, len(x), CHUNK)])


def shift_alike(x, count, reach):
    """[count · B, C, H, W], the kinds one after another, moved by up to `reach` pixels, all kinds alike."""
    if reach == 0:
        return x
    height, width = x.shape[2:]
    kinds = []
    moves = torch.randint(0, 2 * reach + 1, (4, 2)).tolist()
    for kind in F.pad(x, (reach,) * 4, value=-1).chunk(count):
        kinds += [part[:, :, top : top + height, left : left + width] for part, (top, left) in zip(kind.tensor_split(4), moves)]
    return torch.cat(kinds)


def unsteady(x, shift, noise):
    """What f is shown for L_CONST: moved, with noise."""
    return shift_alike(x, 1, shift) + noise * (2 * torch.rand_like(x) - 1)


class Repeat(nn.Module):
    """A network that draws one channel, repeated: what ours does for a target without colour."""

    def __init__(self, network, channels):
        super().__init__()
        self.network, self.channels = network, channels

    def forward(self, x):
        return self.network(x).expand(-1, self.channels, -1, -1)


def build_generator(plan, channels):
    g = build(plan["g"])
    return g if plan["colour"] else Repeat(g, channels)


def total_variation(x):
    return (x[:, :, 1:] - x[:, :, :-1]).abs().mean() + (x[:, :, :, 1:] - x[:, :, :, :-1]).abs().mean()


def transfer_score(weights, f, f_of_target, head, g, photos, avatars):
    """What the kept weights are chosen by, as libs/models/src/dtn/transfer-score.ts has it: no label of the target."""
    with torch.no_grad():
        of_photos, of_avatars = f(photos), f_of_target(avatars)
        of_pictures = f_of_target(g(of_photos))
        moments = (of_pictures.mean(0) - of_avatars.mean(0)).square() + (of_pictures.std(0, correction=0) - of_avatars.std(0, correction=0)).square()
        terms = {
            "const": F.mse_loss(of_pictures, of_photos),
            "tid": F.mse_loss(g(of_avatars), avatars),
            "distance": moments.mean(),
            "reading": F.cross_entropy(head(of_pictures), head(of_photos).softmax(1)),
        }
    return sum(weights.get(name, 0) * term.item() for name, term in terms.items())


def train_dtn(plan, f, f_of_target, head, source, target, generator, log):
    """f frozen, its features computed once; g(f(x)) once for g's and for D's update. Gives g's running average where it scored best."""
    settings, weights = plan["dtn"], plan["dtn"]["weights"]
    batch, smoothing = settings["batchSize"], settings["labelSmoothing"]
    selection, channels = settings["selection"], source.shape[1]
    g, d, mean = (initialize(network, plan["initialization"]) for network in (build_generator(plan, channels), build(plan["D"]), build_generator(plan, channels)))
    mean.load_state_dict(g.state_dict())
    mean.eval()
    scored = [x[torch.randperm(len(x), generator=generator)[: plan["scored"]]] for x in (source, target)]
    best = float("inf"), None
    update_g, update_d = optimizer(settings, g.parameters()), optimizer(settings, d.parameters())
    features = apply(f, source), apply(f_of_target, target)
    chosen = batches(len(source), batch, generator), batches(len(target), batch, generator)
    classes, real = torch.arange(3).repeat_interleave(batch), torch.full((2 * batch,), 2)
    for step in range(settings["steps"]):
        update_g.param_groups[0]["lr"] = rate(settings, step)
        update_d.param_groups[0]["lr"] = rate(settings, step) * settings["discriminatorRate"]
        of_source, of_target = next(chosen[0]), next(chosen[1])
        given, wanted = torch.cat([features[0][of_source], features[1][of_target]]), target[of_target]
        pictures = g(given)
        gan = 2 * F.cross_entropy(d(shift_alike(torch.cat([pictures, wanted]), 3, settings["shift"]))[: 2 * batch], real)
        const = F.mse_loss(f_of_target(unsteady(pictures[:batch], **settings.get("unsteady", {"shift": 0, "noise": 0}))), given[:batch])
        tid = F.mse_loss(pictures[batch:], wanted)
        tv = total_variation(pictures)
        loss = weights["gan"] * gan + weights["const"] * const + weights["tid"] * tid + weights["tv"] * tv
        update_g.zero_grad(set_to_none=True)
        loss.backward()
        update_g.step()
        d_loss = 3 * F.cross_entropy(d(shift_alike(torch.cat([pictures.detach(), wanted]), 3, settings["shift"])), classes, label_smoothing=smoothing * 3 / 2)
        update_d.zero_grad(set_to_none=True)
        d_loss.backward()
        update_d.step()
        follow(mean, g, min(settings["averageDecay"], (step + 1) / (step + 10)))
        if (step + 1) % 100 == 0:
            log(f"step {step + 1}: g {loss.item():.3f} gan {gan.item():.3f} const {const.item():.3f} tid {tid.item():.3f} d {d_loss.item():.3f}")
        if selection["keep"] == "best" and (step + 1) % selection["everySteps"] == 0:
            score = transfer_score(selection["weights"], f, f_of_target, head, mean, *scored)
            if score < best[0]:
                best = score, {name: value.clone() for name, value in mean.state_dict().items()}
    if best[1]:
        mean.load_state_dict(best[1])
    return mean


def follow(mean, network, decay):
    with torch.no_grad():
        for ours, theirs in zip(mean.state_dict().values(), network.state_dict().values()):
            if ours.is_floating_point():
                ours.lerp_(theirs, 1 - decay)


def frechet(a, b):
    a, b = a.double(), b.double()
    c, d = torch.cov(a.T), torch.cov(b.T)
    values, vectors = torch.linalg.eigh(c)
    root = vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ d @ root).clamp(min=0).sqrt().sum()
    return ((a.mean(0) - b.mean(0)).square().sum() + c.trace() + d.trace() - 2 * cross).item()


def share_right(head, features, labels):
    return (apply(head, features).argmax(1) == labels).float().mean().item()


def main():
    plan = json.loads(Path(sys.argv[1]).read_text())
    torch.manual_seed(plan["seed"])
    generator = torch.Generator().manual_seed(plan["seed"])
    data = {name: read(folder) for name, folder in plan["data"].items()}
    started = time.monotonic()

    def log(line):
        print(f"{time.monotonic() - started:6.0f} s  {line}", file=sys.stderr, flush=True)

    f, head, judge, judge_head = (initialize(build(plan[name]), "xavier") for name in ("f", "head", "judge", "judgeHead"))
    train_classifier(f, head, data["sourceTrain"], plan["classifier"], plan["augmentation"] != "none", generator, log)
    target = data["targetTrain"][0]
    noise = plan["dtn"].get("unsteady", {"noise": 0})["noise"]
    f_of_target = adapt(f, head, target, plan["augmentation"] != "none", noise, generator) if plan["dtn"]["adaptation"] == "hypothesis" else f
    g = train_dtn(plan, f, f_of_target, head, data["sourceTrain"][0], target, generator, log)
    seconds = time.monotonic() - started
    train_classifier(judge, judge_head, data["targetTrain"], plan["judgeSettings"], False, generator, log)
    (photos, labels), (real, real_labels) = ((x[: plan["images"]], y[: plan["images"]]) for x, y in (data["sourceHeldOut"], data["targetHeldOut"]))
    drawn = apply(judge, apply(g, apply(f, photos)))
    reference = apply(judge, real)
    scores = {
        "labelPreservation": share_right(judge_head, drawn, labels),
        "judgeAccuracy": share_right(judge_head, reference, real_labels),
        "fAccuracy": share_right(head, apply(f, photos), labels),
        "frechetDistance": frechet(drawn, reference),
        "diversity": (torch.pdist(drawn).mean() / torch.pdist(reference).mean()).item(),
        "trainingSeconds": seconds,
    }
    print(json.dumps(scores))


main()
