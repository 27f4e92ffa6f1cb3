"""Writes the small files of other tools that the readers of vectors are tested with.

Python 3.11, numpy, h5py and pyarrow as in requirements.txt.
"""

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

x = (np.arange(24, dtype=np.float32).reshape(8, 3) - 5) / 4
q = np.asarray([[1, 0, 0], [0, 0.5, -1]], dtype=np.float32)

with h5py.File("angular.hdf5", "w") as f:
    f.attrs["type"] = "dense"
    f.attrs["distance"] = "angular"
    f.create_dataset("train", data=x)
    f.create_dataset("test", data=q)
    f.create_dataset("neighbors", data=np.zeros((2, 1), dtype=np.int32))

with h5py.File("no-train.hdf5", "w") as f:
    f.attrs["distance"] = "euclidean"
    f.create_dataset("test", data=q)

labels = [f"label {i // 4}" for i in range(8)]
table = pa.table({"path": [f"{i}.jpg" for i in range(8)], "label": labels, "vector": x.tolist()})
pq.write_table(table, "snappy.parquet", compression="snappy")
fixed = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), 3)
pq.write_table(pa.table({"vector": fixed}), "zstd.parquet", compression="zstd")
ragged = pa.table({"vector": [[1.0, 2.0], [3.0]]})
pq.write_table(ragged, "ragged.parquet")

# Feather as pyarrow writes it by default (LZ4), and with ZSTD.
rows = [[((i * 7 + d) % 11) / 4 for d in range(8)] for i in range(64)]
table = pa.table(
    {
        "vector": pa.array(rows, type=pa.list_(pa.float32(), 8)),
        "label": pa.array([f"label {i % 3}" for i in range(64)]),
    }
)
feather.write_feather(table, "lz4.feather")
feather.write_feather(table, "zstd.feather", compression="zstd")
