"""What runs in the worker process. The only code of training that may import Paddle."""

from maskdet.training.worker.unused import leave_out

# Before any module of this package imports ppdet.
leave_out()
