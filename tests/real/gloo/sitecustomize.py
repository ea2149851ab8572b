"""Ultralytics' own multi-GPU path on CPU processes (gloo): put this folder on PYTHONPATH, it acts where RANK is set.

What needs a GPU is replaced, and nothing else: the device, the backend, `device_ids`, and the averaging reduction that
gloo does not know. It acts alike on the replicates and on the plain resume that they are compared with.
"""

import contextlib
import os
import sys

if "RANK" in os.environ:
    import torch
    from torch import distributed as dist
    from torch import nn

    with contextlib.redirect_stdout(sys.stderr):  # a worker's stdout is for its messages
        from ultralytics.engine import trainer

    WORLD = int(os.environ["WORLD_SIZE"])
    wrapped, reduce, init = nn.parallel.DistributedDataParallel, dist.reduce, trainer.BaseTrainer.__init__

    class OnCpu(wrapped):
        def __init__(self, module, device_ids=None, **options):
            super().__init__(module, **options)

    def averaged(tensor, dst=0, op=dist.ReduceOp.SUM, **options):
        mean = op == dist.ReduceOp.AVG
        reduce(tensor, dst=dst, op=dist.ReduceOp.SUM if mean else op, **options)
        if mean:
            tensor /= WORLD

    def on_every_rank(self, *args, **options):
        init(self, *args, **options)
        self.world_size, self.ddp = WORLD, False

    nn.parallel.DistributedDataParallel = OnCpu
    dist.reduce = averaged
    trainer.BaseTrainer.__init__ = on_every_rank
    trainer.BaseTrainer._setup_ddp = lambda self, *args: dist.init_process_group("gloo")
    trainer.select_device = lambda *args, **options: torch.device("cpu")
