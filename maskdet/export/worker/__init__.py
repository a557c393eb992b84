"""What runs in the worker process. The only code of export that may import Paddle."""
