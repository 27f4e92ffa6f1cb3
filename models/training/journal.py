"""What every training shares: its folder, checkpoints that can be resumed, and a small CSV log."""
import csv
import json
import math
import os
import time
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = Path(os.environ.get("SHITU_TRAINING_CACHE", ROOT / ".cache" / "training"))


def read_config(name):
    """configs/NAME.json, with its name added. `same_as` takes another config's values first."""
    config = json.loads((HERE / "configs" / f"{name}.json").read_text())
    if "same_as" in config:
        config = {**read_config(config.pop("same_as")), **config}
    config["name"] = name
    return config


def one_thread(config):
    """One thread and one seed, so that a run repeats on the same machine (a GPU's sums do not)."""
    torch.set_num_threads(int(os.environ.get("THREADS", "1")))
    torch.manual_seed(config["seed"])


def device():
    """A GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def cosine(step, steps, warm=100, floor=0.01):
    """Learning-rate factor: linear warm-up, then a half cosine down to `floor`."""
    return min(1.0, (step + 1) / warm) * (floor + (1 - floor) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / steps))))


class Journal:
    """A run's folder: CACHE/runs/NAME with last.pt and log.csv. A resumed run continues its log."""

    def __init__(self, name):
        self.folder = CACHE / "runs" / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log_file = self.folder / "log.csv"
        self.name = name
        self.start = time.time()
        self.before = 0.0

    def resume(self):
        """The last checkpoint, or None."""
        file = self.folder / "last.pt"
        if not file.exists():
            return None
        state = torch.load(file, map_location="cpu")
        self.before = state["seconds"]
        self._trim(state["step"])
        return state

    def _trim(self, step):
        """Drops log rows from after the checkpoint: they will be made again."""
        if not self.log_file.exists():
            return
        rows = list(csv.reader(self.log_file.open()))
        kept = [rows[0]] + [row for row in rows[1:] if int(row[0]) <= step]
        with self.log_file.open("w", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows(kept)

    def seconds(self):
        return self.before + time.time() - self.start

    def save(self, step, **state):
        """Writes a checkpoint whole or not at all."""
        fresh = self.folder / "last.tmp"
        torch.save({"step": step, "seconds": self.seconds(), **state}, fresh)
        os.replace(fresh, self.folder / "last.pt")

    def log(self, **row):
        """Appends a row; the first one writes the heading. `step` comes first."""
        row = {**row, "seconds": round(self.seconds())}
        new = not self.log_file.exists()
        with self.log_file.open("a", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            if new:
                writer.writerow(row)
            writer.writerow([f"{v:.4f}" if isinstance(v, float) else v for v in row.values()])
        print(self.name, " ".join(f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)


def finished(name):
    """The weights of a finished training: its state dict under "net", and what else it saved."""
    state = torch.load(CACHE / "runs" / name / "last.pt", map_location="cpu")
    if state["step"] < state["steps"]:
        raise SystemExit(f"{name} has done {state['step']} of {state['steps']} steps: finish it first (make -C models/training {name})")
    return state
