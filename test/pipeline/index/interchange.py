"""Searches saved indexes with Faiss's own Python package: python3 interchange.py FOLDER.

FOLDER holds real.index, binary.index, ... (FACTORY is not needed: Faiss tells by the file), queries.f32 and queries.u8; the results go to
NAME.rows (int64) and NAME.scores (float32 or int32), k = 5. Then NAME.python.index: the same vectors as Faiss's Python writes them.
"""
import pathlib
import sys

import faiss
import numpy as np

folder = pathlib.Path(sys.argv[1])
for file in sorted(folder.glob("*.index")):
    binary = file.name.startswith("B") or file.name.startswith("IDMap2_B")
    index = faiss.read_index_binary(str(file)) if binary else faiss.read_index(str(file))
    queries = np.fromfile(folder / ("queries.u8" if binary else "queries.f32"), np.uint8 if binary else np.float32).reshape(-1, index.d // 8 if binary else index.d)
    # One at a time, as searchSync does: larger batches go through BLAS, which rounds otherwise.
    results = [index.search(queries[i : i + 1], 5) for i in range(len(queries))]
    np.concatenate([r[1] for r in results]).tofile(folder / f"{file.stem}.rows")
    np.concatenate([r[0] for r in results]).tofile(folder / f"{file.stem}.scores")
    again = folder / "python" / file.name
    again.parent.mkdir(exist_ok=True)
    (faiss.write_index_binary if binary else faiss.write_index)(index, str(again))
