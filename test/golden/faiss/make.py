"""What Faiss's own Python package finds on the vectors of test/eval/choose/faiss-golden.test.ts.

Python 3.11 with requirements.txt: the version of Faiss that the set-up builds by default.
Writes expected.json: recall@10 against the exact search, and the first queries' distances.
"""

import json

import faiss
import numpy as np

N, QUERIES, DIM, K, SHOWN = 4000, 200, 32, 10, 4


def numbers(count, seed):
    """Numbers in [-0.5, 0.5) by the linear congruence of Numerical Recipes: any language has it."""
    state, out = seed, np.empty(count, dtype=np.float32)
    for i in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        out[i] = np.float32(state / 2**32 - 0.5)
    return out


def recall(found, exact):
    return float(np.mean([len(set(f) & set(e)) / K for f, e in zip(found, exact)]))


faiss.omp_set_num_threads(1)
x = numbers(N * DIM, 1).reshape(N, DIM)
q = numbers(QUERIES * DIM, 2).reshape(QUERIES, DIM)
exact = faiss.IndexFlatIP(DIM)
exact.add(x)
truth = exact.search(q, K)[1]

cases = []
for factory, build, search in [
    ("Flat", {}, {}),
    ("HNSW32", {"efConstruction": 40}, {"efSearch": 16}),
    ("HNSW32", {"efConstruction": 40}, {"efSearch": 64}),
    ("HNSW16", {"efConstruction": 100}, {"efSearch": 32}),
    ("IVF16,Flat", {}, {"nprobe": 4}),
    ("IVF64,Flat", {}, {"nprobe": 8}),
    ("SQ8", {}, {}),
    ("PQ8x4", {}, {}),
    ("IVF16,PQ8x4", {}, {"nprobe": 4}),
    ("IVF16,SQ8", {}, {"nprobe": 4}),
    ("HNSW32,SQ8", {"efConstruction": 40}, {"efSearch": 64}),
]:
    index = faiss.index_factory(DIM, factory, faiss.METRIC_INNER_PRODUCT)
    index.train(x)
    if "efConstruction" in build:
        index.hnsw.efConstruction = build["efConstruction"]
    index.add(x)
    for name, value in search.items():
        target = index.hnsw if name == "efSearch" else index
        setattr(target, name, value)
    d, ids = index.search(q, K)
    cases.append({"factory": factory, "codes": "real", "build": build, "parameters": search,
                  "recall": recall(ids, truth), "distances": np.round(d[:SHOWN], 7).tolist()})

codes, asked = np.packbits(x > 0, axis=1), np.packbits(q > 0, axis=1)
for factory, search in [("BFlat", {}), ("BHNSW32", {"efSearch": 64}), ("BIVF16", {"nprobe": 4})]:
    index = faiss.index_binary_factory(DIM, factory)
    index.train(codes)
    index.add(codes)
    for name, value in search.items():
        target = index.hnsw if name == "efSearch" else index
        setattr(target, name, value)
    d, ids = index.search(asked, K)
    cases.append({"factory": factory, "codes": "sign", "build": {}, "parameters": search,
                  "recall": recall(ids, truth), "distances": d[:SHOWN].tolist()})

with open("expected.json", "w") as f:
    version = faiss.__version__
    json.dump({"faiss": version, "k": K, "cases": cases}, f, separators=(",", ":"))
    f.write("\n")
