"""From a config to its network, with or without the weights that its training left."""
import torch

from journal import CACHE, device, finished, read_config
from lcnet import LightEmbedder
from residual import ResidualEmbedder

LIGHT = ("scale", "last_stride", "excite", "skips", "pool", "reduce")


def build_embedder(config):
    if config["network"] == "residual":
        return ResidualEmbedder(config["side"], config["dim"], tuple(config["widths"]))
    return LightEmbedder(config["side"], config["dim"], **{k: config[k] for k in LIGHT if k in config})


def load_embedder(name):
    """A finished recognition network in evaluation mode."""
    state = finished(name)
    net = build_embedder(read_config(name))
    net.load_state_dict(state["net"])
    return net.eval()


def load_head(name):
    """The class weights (proxies) of a finished recognition training, unit rows."""
    return torch.nn.functional.normalize(finished(name)["head"]["weight"])


def teacher_embeddings(name, pool, batch=250):
    """Unit embeddings of all pool pictures by a finished network, N x dim halves, made once and kept."""
    import numpy as np

    from pool import normalise

    file = CACHE / "runs" / name / "embeddings.npy"
    if not file.exists():
        at = device()
        net = load_embedder(name).to(at, memory_format=torch.channels_last)
        out = np.empty((pool.size, read_config(name)["dim"]), np.float16)
        with torch.no_grad():
            for i in range(0, pool.size, batch):
                pictures = pool.pictures(range(i, min(pool.size, i + batch)))
                out[i:i + batch] = torch.nn.functional.normalize(net(normalise(pictures.to(at)))).half().cpu().numpy()
                if i % 20000 == 0:
                    print(f"embeddings of {name} {i}/{pool.size}", flush=True)
        with open(file.with_suffix(".tmp"), "wb") as fresh:
            np.save(fresh, out)
        file.with_suffix(".tmp").rename(file)
    return torch.from_numpy(np.load(file))
