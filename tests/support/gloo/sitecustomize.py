"""Ultralytics' own multi-GPU path on CPU processes (gloo): put this folder on PYTHONPATH, it acts where RANK is set.

What needs a GPU is replaced, and nothing else: the device, the backend, `device_ids`, and the averaging reduction that
gloo does not know. It acts alike on the replicates and on the plain resume that they are compared with. Nothing is
imported earlier than without it, since the worker's guards have to come before Ultralytics.
"""

import importlib.util
import os
import sys

TRAINER = "ultralytics.engine.trainer"


def on_cpu(trainer):
    """Change Ultralytics' trainer module, which has just been imported."""
    import torch
    from torch import distributed as dist
    from torch import nn

    world = int(os.environ["WORLD_SIZE"])
    wrapped, reduce, init = nn.parallel.DistributedDataParallel, dist.reduce, trainer.BaseTrainer.__init__

    class OnCpu(wrapped):
        def __init__(self, module, device_ids=None, **options):
            super().__init__(module, **options)

    def averaged(tensor, dst=0, op=dist.ReduceOp.SUM, **options):
        mean = op == dist.ReduceOp.AVG
        reduce(tensor, dst=dst, op=dist.ReduceOp.SUM if mean else op, **options)
        if mean:
            tensor /= world

    def on_every_rank(self, *args, **options):
        init(self, *args, **options)
        self.world_size, self.ddp = world, False

    def lacks_memory(self):
        raise RuntimeError("CUDA out of memory, on one device alone")

    if os.environ.get("LACKS_MEMORY") == os.environ["RANK"]:
        trainer.BaseTrainer.optimizer_step = lacks_memory
    nn.parallel.DistributedDataParallel = OnCpu
    dist.reduce = averaged
    trainer.BaseTrainer.__init__ = on_every_rank
    trainer.BaseTrainer._setup_ddp = lambda self, *args: dist.init_process_group("gloo")
    trainer.select_device = lambda *args, **options: torch.device("cpu")


class Finder:
    """Lets the trainer module be found as it is, and changed once it has been executed."""

    def find_spec(self, name, path=None, target=None):
        if name != TRAINER:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def execute_and_change(module):
            execute(module)
            on_cpu(module)

        spec.loader.exec_module = execute_and_change
        return spec


if "RANK" in os.environ:
    sys.meta_path.insert(0, Finder())
