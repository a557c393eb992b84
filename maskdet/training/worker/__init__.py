"""What runs in the worker process. The only code of training that may import Paddle."""
