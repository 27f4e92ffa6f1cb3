# Runs PaddleClas's own retrieval evaluation on generated cases and writes cases.json.
#
#   python3 make.py PADDLECLAS_CHECKOUT        (release/2.3, the branch of PP-ShiTu v1; NumPy only, no Paddle needed)
#
# Their retrieval_eval and metrics are executed as they are; what they call of Paddle is put under them in NumPy below. One thing is decided
# here: paddle.argsort does not say how it orders equal similarities, so it is made stable (the smaller row first).
import importlib.util, json, os, sys, types
import numpy as np


class Tensor(np.ndarray):
    def t(self): return self.T
    def numpy(self): return np.asarray(self)


def tensor(x): return np.asarray(x).view(Tensor)


def module(name, **members):
    m = types.ModuleType(name)
    m.__dict__.update(members)
    sys.modules[name] = m
    return m


class Layer:
    def __call__(self, *args, **kwargs): return self.forward(*args, **kwargs)


def split(x, num_or_sections): return [tensor(p) for p in np.split(x, np.cumsum(num_or_sections)[:-1])]
def argsort(x, axis, descending): return tensor(np.argsort(-x if descending else x, axis=axis, kind="stable"))
def argmax(x, axis): return tensor(np.argmax(x, axis=axis))
def mean(x, axis=None): return tensor(np.atleast_1d(np.mean(x, axis=axis, dtype=np.float32)))
def total(x, axis=None, keepdim=False): return tensor(np.sum(x, axis=axis, keepdims=keepdim))


functional = module("paddle.nn.functional")
nn = module("paddle.nn", Layer=Layer, functional=functional, Sigmoid=Layer)
module("paddle", nn=nn, argsort=argsort, argmax=argmax, mean=mean, sum=total, split=split, to_tensor=tensor,
       transpose=lambda x, perm: tensor(np.transpose(x, perm)), broadcast_to=lambda x, shape: tensor(np.broadcast_to(x, shape)),
       index_sample=lambda x, i: tensor(np.take_along_axis(np.asarray(x), np.asarray(i), axis=1)), equal=lambda a, b: tensor(a == b),
       logical_and=lambda a, b: tensor(np.logical_and(a, b)), logical_or=lambda a, b: tensor(np.logical_or(a, b)), cast=lambda x, t: x.astype(t),
       greater_than=lambda a, b: tensor(a > b), nonzero=lambda x: tensor(np.argwhere(x)), reshape=lambda x, s: x.reshape(s),
       index_select=lambda x, i, axis: tensor(np.take(x, i, axis=axis)), cumsum=lambda x, axis: tensor(np.cumsum(x, axis=axis)),
       arange=lambda n: tensor(np.arange(n)), divide=lambda a, b: tensor(a / b), multiply=lambda a, b: tensor(a * b), subtract=lambda a, b: tensor(a - b),
       matmul=lambda a, b, transpose_y: tensor(np.asarray(a) @ np.asarray(b).T), sign=lambda x: tensor(np.sign(x)), round=lambda x: tensor(np.floor(np.abs(x) + 0.5) * np.sign(x)),
       sqrt=lambda x: tensor(np.sqrt(x)), square=lambda x: tensor(np.square(x)), concat=lambda xs: tensor(np.concatenate(xs)),
       distributed=types.SimpleNamespace(get_world_size=lambda: 1))
module("sklearn")
module("sklearn.metrics", hamming_loss=None, accuracy_score=None, multilabel_confusion_matrix=None)
module("sklearn.preprocessing", binarize=None)
module("ppcls")
module("ppcls.utils", logger=types.SimpleNamespace(info=lambda *_: None))
root = sys.argv[1]


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, os.path.join(root, path))
    m = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(m)
    return m


metrics = load("metrics", "ppcls/metric/metrics.py")
evaluation = load("retrieval", "ppcls/engine/evaluation/retrieval.py")


class Loader(list):
    @property
    def dataset(self): return range(sum(len(b[0]) for b in self))


def batches(features, labels, uids):
    loader = Loader()
    for i in range(0, len(features), 50):
        parts = [features[i:i + 50], labels[i:i + 50]] + ([] if uids is None else [uids[i:i + 50]])
        loader.append([np.array(p) for p in parts])
    return loader


class Model:
    def eval(self): pass
    def __call__(self, x, y): return {"features": x}


KS = (1, 5, 10)


class Exact(float):
    """retrieval_eval prints five decimals; this prints them all."""
    def __mul__(self, x): return Exact(float(self) * float(x))
    def __truediv__(self, x): return Exact(float(self) / float(x))
    def __add__(self, x): return Exact(float(self) + float(x))
    def __format__(self, _): return repr(float(self))


def evaluate(case):
    funcs = [metrics.Recallk(topk=KS), metrics.mAP(), metrics.mINP(), metrics.Precisionk(topk=KS)]

    def all_metrics(*args):
        out = {}
        for f in funcs: out.update({k: Exact(v) for k, v in f(*args).items()})
        return out

    captured = {}
    engine = types.SimpleNamespace(model=Model(), use_dali=False, eval_loss_func=True, eval_metric_func=all_metrics, gallery_query_dataloader=None,
                                   config={"Global": {"print_batch_step": 1000, "feature_normalize": False, **({"feature_binarize": case["binarize"]} if case["binarize"] else {})}})
    gallery = batches(case["gallery"], case["galleryLabels"], case["galleryUids"])
    if case["query"] is None: engine.gallery_query_dataloader = gallery
    else:
        engine.gallery_dataloader = gallery
        engine.query_dataloader = batches(case["query"], case["queryLabels"], case["queryUids"])
    # retrieval_eval returns only its first metric; the rest is in the line that it logs.
    evaluation.logger.info = lambda text: captured.update(text=text)
    with np.errstate(all="ignore"): evaluation.retrieval_eval(engine, 0)
    fields = captured["text"].split("[Avg]")[1].split(", ")
    return {f.split(": ")[0]: (float(f.split(": ")[1]) if np.isfinite(float(f.split(": ")[1])) else f.split(": ")[1]) for f in fields}


def generate(seed):
    r = np.random.RandomState(seed)
    same = seed % 3 == 0
    n, m = int(r.randint(30, 200)), int(r.randint(20, 120))
    classes, dim = int(r.randint(3, 40)), 6
    centres = r.randint(-3, 4, (classes, dim))
    # Whole numbers: float32 sums are exact, so that only the rules can make a difference. Small ones tie often, large ones seldom.
    spread, scale = (1, 1) if seed % 2 else (300, 1000)

    def side(count):
        labels = r.randint(0, classes, count)
        return (centres[labels] * scale + r.randint(-spread, spread + 1, (count, dim))).astype(np.float32), labels

    gallery, gallery_labels = side(m)
    query, query_labels = (None, None) if same else side(n)
    with_uids = same or seed % 4 == 1
    cameras = int(r.randint(2, 6))
    gallery_uids = (np.arange(m) if seed % 2 else r.randint(0, cameras, m)) if with_uids else None
    query_uids = r.randint(0, cameras, n) if with_uids and not same else None
    binarize = [None, None, "sign", "round"][seed % 4]
    if binarize == "round": gallery, query = np.abs(gallery) % 2 / 2 + 0.25, None if same else np.abs(query) % 2 / 2 + 0.25
    to_list = lambda x: None if x is None else x.tolist()
    return {"binarize": binarize, "gallery": to_list(gallery), "galleryLabels": to_list(gallery_labels), "galleryUids": to_list(gallery_uids),
            "query": to_list(query), "queryLabels": to_list(query_labels), "queryUids": to_list(query_uids)}


def as_float32(case):
    return {**case, "gallery": np.array(case["gallery"], np.float32), "query": None if case["query"] is None else np.array(case["query"], np.float32)}


cases = []
for seed in range(36):
    case = generate(seed)
    case["expected"] = evaluate(as_float32(case))
    cases.append(case)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
for i, c in enumerate(cases): print(i, c["binarize"], c["query"] is None, c["galleryUids"] is not None, c["expected"])
