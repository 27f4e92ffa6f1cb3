"""Id maps as PaddleClas's build_gallery.py pickles them: keys are numpy's int64.

    pip install "numpy<2"   (1.26.4 made these)   ->  python make.py
"""

import os
import pickle

import numpy as np

lines = ["0/0.jpg\t脉动", "1/0.jpg\t红牛", "2/my cup.jpg\ta b", "3/x.jpg water"]
ids = {}
for key, line in zip(list(np.arange(0, len(lines)).astype(np.int64)), lines):
    ids[key] = line
for protocol in (3, 4, 5):
    with open(f"numpy-keys-{protocol}.pkl", "wb") as file:
        pickle.dump(ids, file, protocol=protocol)
for protocol in (2, 3, 4):
    with open(f"plain-keys-{protocol}.pkl", "wb") as file:
        pickle.dump({int(k): v for k, v in ids.items()}, file, protocol=protocol)


class Harm:
    def __reduce__(self):
        return os.system, ("echo harm > harm-was-done",)


for name, value in {"call": {0: Harm()}, "list": ["a"], "nested": {0: {1: "a"}}}.items():
    with open(f"refused-{name}.pkl", "wb") as file:
        pickle.dump(value, file)
