"""Makes the arrays that the golden specs compare with: layers, losses, gradients and steps of training computed by PyTorch in float64.

    python make.py      (torch 2.9, numpy 2; cases.json is written by the specs: npm test -- libs/models/golden -u)

Everything is [N, H, W, C] and every parameter is shaped as in TensorFlow; only convolutions are turned into PyTorch's order and back.
"""
import json
from pathlib import Path

import numpy
import torch
from torch.nn import functional as F

HERE = Path(__file__).parent
# A prime number of values: networks that are made one after another do not get the same ones again.
NOISE_COUNT = 16_381
LEAK = 0.2
EPSILON = 1e-5
MOVING_SHARE = 0.1

torch.set_default_dtype(torch.float64)


class Noise:
    """Takes the committed normal noise one value after another, from the start again at its end."""

    def __init__(self):
        self.values = numpy.load(HERE / "noise.npy").astype(numpy.float64)
        self.position = 0

    def take(self, shape):
        count = int(numpy.prod(shape))
        taken = self.values[(self.position + numpy.arange(count)) % len(self.values)]
        self.position += count
        return torch.from_numpy(taken).reshape(shape)

    def images(self, count, shape):
        """Of uint8 pixels, in −1…1 as the networks see them."""
        pixels = torch.clamp(torch.floor(128 + 60 * self.take([count, *shape])), 0, 255)
        return pixels / 127.5 - 1


class Network:
    def __init__(self, description, noise=None):
        self.layers = description["layers"]
        self.parameters = {}
        shapes, shape = {}, description["inputShape"]
        for layer in self.layers:
            for name, size in parameter_shapes(layer, shape).items():
                self.add(f"{layer['name']}/{name}", parameter_value(name, noise.take(size)))
            shape = output_shape(layer, shape, shapes)
            shapes[layer["name"]] = shape
        self.output_shape = shape

    def add(self, name, value):
        self.parameters[name] = value.clone().requires_grad_("moving_" not in name)

    @property
    def trainable(self):
        return [p for p in self.parameters.values() if p.requires_grad]

    @property
    def statistics(self):
        return [p for p in self.parameters.values() if not p.requires_grad]

    def __call__(self, x, training=False, keep_statistics=False, seed=0):
        values = {}
        for place, layer in enumerate(self.layers):
            p = {name.split("/")[1]: v for name, v in self.parameters.items() if name.split("/")[0] == layer["name"]}
            x = apply_layer(layer, p, x, values, training, keep_statistics, (seed, place))
            values[layer["name"]] = x
        return x

    def clone(self):
        copy = object.__new__(Network)
        copy.layers, copy.output_shape, copy.parameters = self.layers, self.output_shape, {}
        for name, value in self.parameters.items():
            copy.add(name, value.detach())
        return copy

    @torch.no_grad()
    def follow(self, other, decay):
        for name, value in self.parameters.items():
            value.copy_(decay * value + (1 - decay) * other.parameters[name])

    def flat(self):
        return flat(self.parameters.values())


def parameter_shapes(layer, shape):
    kind, channels = layer["kind"], shape[-1]
    bias = {"bias": [layer.get("filters", layer.get("units"))]} if layer.get("bias") else {}
    if kind == "conv":
        return {"kernel": [layer["kernel"], layer["kernel"], channels, layer["filters"]], **bias}
    if kind == "deconv":
        return {"kernel": [layer["kernel"], layer["kernel"], layer["filters"], channels], **bias}
    if kind == "dense":
        return {"kernel": [channels, layer["units"]], **bias}
    if kind == "batchNorm":
        return {name: [channels] for name in ("gamma", "beta", "moving_mean", "moving_variance")}
    return {}


def parameter_value(name, noise):
    if name == "kernel":
        return 0.15 * noise
    if name == "gamma":
        return 1 + 0.2 * noise
    return 1 + 0.2 * noise.abs() if name == "moving_variance" else 0.2 * noise


def output_shape(layer, shape, shapes):
    kind = layer["kind"]
    if kind == "conv":
        return [-(-shape[0] // layer["stride"]), -(-shape[1] // layer["stride"]), layer["filters"]]
    if kind == "deconv":
        return [shape[0] * layer["stride"], shape[1] * layer["stride"], layer["filters"]]
    if kind == "upsample":
        return [shape[0] * 2, shape[1] * 2, shape[2]]
    if kind == "concat":
        return [*shape[:-1], shape[-1] + shapes[layer["with"]][-1]]
    if kind == "dense":
        return [layer["units"]]
    return layer["shape"] if kind == "reshape" else shape


def apply_layer(layer, p, x, values, training, keep_statistics, seeds):
    kind = layer["kind"]
    if kind in ("conv", "deconv"):
        y = (conv if kind == "conv" else deconv)(x, p["kernel"], layer["stride"])
        return y + p["bias"] if layer["bias"] else y
    if kind == "dense":
        return F.linear(x, p["kernel"].T, p.get("bias"))
    if kind == "batchNorm":
        statistics = [p["moving_mean"], p["moving_variance"]]
        if training and keep_statistics:
            statistics = [s.clone() for s in statistics]
        return F.batch_norm(x.reshape(-1, x.shape[-1]), *statistics, p["gamma"], p["beta"], training, MOVING_SHARE, EPSILON).reshape(x.shape)
    if kind == "activation":
        return {"relu": F.relu, "tanh": torch.tanh, "leakyRelu": lambda v: F.leaky_relu(v, LEAK)}[layer["activation"]](x)
    if kind == "dropout":
        return x * dropout_mask(x.shape, layer["rate"], seeds) / (1 - layer["rate"]) if training else x
    if kind == "reshape":
        return x.reshape(len(x), *layer["shape"])
    if kind == "upsample":
        return x.repeat_interleave(2, 1).repeat_interleave(2, 2)
    if kind == "concat":
        return torch.cat([x, values[layer["with"]]], -1)
    assert kind == "add"
    return x + values[layer["with"]]


def to_torch(x):
    return x.permute(0, 3, 1, 2)


def to_tensorflow(x):
    return x.permute(0, 2, 3, 1)


def conv(x, kernel, stride):
    """Padded as TensorFlow's 'same': an odd pixel goes to the right and to the bottom."""

    def padding(size):
        total = max((-(-size // stride) - 1) * stride + kernel.shape[0] - size, 0)
        return total // 2, total - total // 2

    padded = F.pad(to_torch(x), (*padding(x.shape[2]), *padding(x.shape[1])))
    return to_tensorflow(F.conv2d(padded, kernel.permute(3, 2, 0, 1).contiguous(), stride=stride))


def deconv(x, kernel, stride):
    whole = F.conv_transpose2d(to_torch(x), kernel.permute(3, 2, 0, 1).contiguous(), stride=stride)
    start = (kernel.shape[0] - stride) // 2
    return to_tensorflow(whole[:, :, start : start + x.shape[1] * stride, start : start + x.shape[2] * stride])


def dropout_mask(shape, rate, seeds):
    """1 where a value is kept: TensorFlow's StatelessRandomUniform, Philox 4×32 with 10 rounds, its key and counter scrambled from the seeds."""
    mixed = philox([numpy.array([s & 0xFFFFFFFF, s >> 32], numpy.uint64) for s in seeds], (0x3EC8F720, 0x02461E29))
    count = int(numpy.prod(shape))
    blocks = numpy.arange(-(-count // 4), dtype=numpy.uint64)
    words = philox_words([blocks, 0 * blocks, 0 * blocks + mixed[2], 0 * blocks + mixed[3]], (int(mixed[0]), int(mixed[1])))
    bits = numpy.stack(words, -1).reshape(-1)[:count]
    uniform = (bits & numpy.uint64(0x7FFFFF)).astype(numpy.float64) / 2**23
    return torch.from_numpy(numpy.floor(uniform + (1 - rate))).reshape(list(shape))


def philox(seeds, key):
    return [int(w[0]) for w in philox_words([s[i : i + 1] for s in seeds for i in (0, 1)], key)]


def philox_words(counter, key):
    mask = numpy.uint64(0xFFFFFFFF)
    for _ in range(10):
        first, second = counter[0] * numpy.uint64(0xD2511F53), counter[2] * numpy.uint64(0xCD9E8D57)
        high = [product >> numpy.uint64(32) for product in (first, second)]
        counter = [high[1] ^ counter[1] ^ numpy.uint64(key[0]), second & mask, high[0] ^ counter[3] ^ numpy.uint64(key[1]), first & mask]
        key = (key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF
    return counter


def flat(tensors):
    return numpy.concatenate([t.detach().numpy().reshape(-1) for t in tensors])


def save(name, values):
    path = HERE / f"{name}.npy"
    path.parent.mkdir(exist_ok=True)
    numpy.save(path, numpy.asarray(values, numpy.float32))


def make_layer(name, case, dropout_seed):
    noise = Noise()
    network = Network(case, noise)
    x = noise.take([case["batch"], *case["inputShape"]]).requires_grad_()
    weights = noise.take([case["batch"], *network.output_shape])
    y = network(x, training=case["training"], seed=dropout_seed)
    gradients = torch.autograd.grad((y * weights).sum(), [x, *network.trainable])
    save(f"layers/{name}", flat([y, *gradients, *network.statistics]))


def d_loss(logits, smoothing=0):
    """PyTorch smooths over all classes, ours over the others."""
    return sum(F.cross_entropy(l, torch.full((len(l),), k), label_smoothing=smoothing * 3 / 2) for k, l in enumerate(logits))


def gang_loss(*logits):
    return sum(F.cross_entropy(l, torch.full((len(l),), 2)) for l in logits)


def tv_loss(x):
    return F.l1_loss(x[:, 1:], x[:, :-1]) + F.l1_loss(x[:, :, 1:], x[:, :, :-1])


def real_loss(logits):
    return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))


def fake_loss(logits):
    return F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))


def squares_loss(scores, target):
    return F.mse_loss(scores, torch.full_like(scores, target))


def known_cross_entropy(logits):
    """The third row's label is unknown: it adds nothing to the sum, but counts in the mean."""
    return F.cross_entropy(logits[[0, 1, 3]], torch.tensor([2, 0, 4]), reduction="sum") / 4


def make_losses():
    logits, images, patches = [4, 3], [2, 4, 4, 3], [2, 3, 3, 1]
    losses = {
        "discriminator": ([logits] * 3, lambda *l: d_loss(l)),
        "discriminator-smoothed": ([logits] * 3, lambda *l: d_loss(l, 0.2)),
        "gang": ([logits] * 2, gang_loss),
        "const": ([[4, 5]] * 2, F.mse_loss),
        "tid": ([images] * 2, F.mse_loss),
        "tv": ([images], tv_loss),
        "cross-entropy": ([[4, 5]], known_cross_entropy),
        "real": ([patches], real_loss),
        "fake": ([patches], fake_loss),
        "least-squares-real": ([patches], lambda s: squares_loss(s, 1)),
        "least-squares-fake": ([patches], lambda s: squares_loss(s, 0)),
        "absolute-error": ([images] * 2, F.l1_loss),
    }
    for name, (shapes, loss) in losses.items():
        noise = Noise()
        inputs = [noise.take(shape).requires_grad_() for shape in shapes]
        value = loss(*inputs)
        save(f"losses/{name}", flat([value, *torch.autograd.grad(value, inputs)]))


def share(condition):
    return condition.double().mean()


def create_optimizer(settings, networks, rate=1):
    parameters = [p for network in networks for p in network.trainable]
    learning_rate = settings["learningRate"] * rate
    if settings["optimizer"] == "Adam":
        return torch.optim.Adam(parameters, learning_rate, (settings["beta1"], 0.999), 1e-8)
    return torch.optim.SGD(parameters, learning_rate, settings["beta1"] if settings["optimizer"] == "Momentum" else 0)


def update(optimizer, loss):
    """Only the optimizer's own parameters get gradients."""
    parameters = optimizer.param_groups[0]["params"]
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters)):
        parameter.grad = gradient
    optimizer.step()


def weighted(terms, weights):
    return sum(weights[name] * term for name, term in terms.items())


def classifier(case, n, photos, avatars):
    optimizer = create_optimizer(case["settings"], [n["f"], n["head"]])

    def step(step, places):
        labels = places % case["labels"]
        logits = n["head"](n["f"](photos[places], training=True), training=True)
        loss = F.cross_entropy(logits, labels)
        update(optimizer, loss)
        return {"loss": loss, "accuracy": share(logits.argmax(-1) == labels)}

    return step, []


def dtn(case, n, photos, avatars):
    settings, f, g, D, head = case["settings"], n["f"], n["g"], n["D"], n.get("head")
    trained = [g, f, head] if head else [g]
    g_optimizer, d_optimizer = create_optimizer(settings, trained), create_optimizer(settings, [D], settings["discriminatorRate"])

    def step(step, places):
        x, target = photos[places], avatars[places]
        batch = len(x)
        features = f(torch.cat([x, target]))
        if not head:
            features = features.detach()
        pictures = g(features, training=True, seed=case["seed"] * 65_537 + step)
        logits = D(torch.cat([pictures, target]), training=True).split(batch)
        terms = {
            "gan": gang_loss(*logits[:2]),
            "const": F.mse_loss(f(pictures[:batch]), features[:batch]),
            "tid": F.mse_loss(pictures[batch:], target),
            "tv": tv_loss(pictures),
        }
        if head:
            terms["naming"] = F.cross_entropy(head(features[:batch]), places % case["labels"])
        loss = weighted(terms, {**settings["weights"], "naming": settings["naming"]})
        update(g_optimizer, loss)
        # The same judgement once more: g's update has freed what led to it.
        logits = D(torch.cat([pictures.detach(), target]), training=True, keep_statistics=True).split(batch)
        loss_of_d = d_loss(logits, settings["labelSmoothing"])
        update(d_optimizer, loss_of_d)
        kinds = ("transferred", "reconstructed", "target")
        accuracies = {f"accuracy/{kind}": share(logits[k].argmax(-1) == k) for k, kind in enumerate(kinds)}
        return {"g": loss, **terms, "d": loss_of_d, **accuracies}

    return step, ["g", "f", "head"] if head else ["g"]


def pix2pix(case, n, photos, avatars):
    settings, G, D = case["settings"], n["G"], n["D"]
    g_optimizer, d_optimizer = create_optimizer(settings, [G]), create_optimizer(settings, [D])

    def step(step, places):
        x, y = photos[places], avatars[places]
        pictures = G(x, training=True, seed=case["seed"] * 65_537 + step)
        terms = {"gan": real_loss(D(torch.cat([x, pictures], -1), training=True)), "l1": F.l1_loss(pictures, y)}
        loss = weighted(terms, settings["weights"])
        update(g_optimizer, loss)
        real = D(torch.cat([x, y], -1), training=True)
        drawn = D(torch.cat([x, pictures.detach()], -1), training=True)
        loss_of_d = (real_loss(real) + fake_loss(drawn)) / 2
        update(d_optimizer, loss_of_d)
        return {"g": loss, **terms, "d": loss_of_d, "accuracy/target": share(real > 0), "accuracy/transferred": share(drawn < 0)}

    return step, ["G"]


def cyclegan(case, n, photos, avatars):
    settings, G, F_, of_avatars, of_photos = case["settings"], n["G"], n["F"], n["D-avatar"], n["D-photo"]
    g_optimizer, d_optimizer = create_optimizer(settings, [G, F_]), create_optimizer(settings, [of_avatars, of_photos])

    def step(step, places):
        x, y = photos[places], avatars[places]
        drawn, undrawn = G(x, training=True), F_(y, training=True)
        other = {"training": True, "keep_statistics": True}
        terms = {
            "gan": squares_loss(of_avatars(drawn, **other), 1) + squares_loss(of_photos(undrawn, **other), 1),
            "cycle": F.l1_loss(F_(drawn, **other), x) + F.l1_loss(G(undrawn, **other), y),
            "identity": F.l1_loss(G(y, **other), y) + F.l1_loss(F_(x, **other), x),
        }
        loss = weighted(terms, settings["weights"])
        update(g_optimizer, loss)
        metrics, loss_of_d = {}, 0
        for kind, D, real, pictures in (("avatars", of_avatars, y, drawn), ("photos", of_photos, x, undrawn)):
            on_real, on_drawn = D(real, training=True), D(pictures.detach(), **other)
            loss_of_d = loss_of_d + (squares_loss(on_real, 1) + squares_loss(on_drawn, 0)) / 2
            metrics[f"accuracy/{kind}"] = (share(on_real > 0.5) + share(on_drawn < 0.5)) / 2
        update(d_optimizer, loss_of_d)
        return {"g": loss, **terms, "d": loss_of_d, **metrics}

    return step, ["G", "F"]


def make_steps(name, case):
    settings, noise = case["settings"], Noise()
    networks = {key: Network(description, noise) for key, description in case["networks"].items()}
    batch, count = settings["batchSize"], settings["batchSize"] * settings["steps"]
    photos, avatars = noise.images(count, case["shape"]), noise.images(count, case["shape"])
    create = {"classifier": classifier, "dtn": dtn, "pix2pix": pix2pix, "cyclegan": cyclegan}[name.split("-")[0]]
    step, averaged = create(case, networks, photos, avatars)
    averages = {key: networks[key].clone() for key in averaged}
    rows = []
    for s in range(settings["steps"]):
        metrics = step(s, torch.arange(s * batch, (s + 1) * batch))
        rows.append([metrics[key].item() for key in sorted(metrics)])
        for key, average in averages.items():
            average.follow(networks[key], min(settings["averageDecay"], (s + 1) / (s + 10)))
    save(f"steps/{name}.metrics", rows)
    for key, network in networks.items():
        save(f"steps/{name}.{key}", network.flat())
    for key, average in averages.items():
        save(f"steps/{name}.average-{key}", average.flat())


def main():
    save("noise", numpy.random.default_rng(1).standard_normal(NOISE_COUNT))
    cases = json.loads((HERE / "cases.json").read_text())
    for name, case in cases["layers"].items():
        make_layer(name, case, cases["dropoutSeed"])
    make_losses()
    for name, case in cases["steps"].items():
        make_steps(name, case)


main()
