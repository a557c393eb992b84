"""Compile the modules that the server imports, and only those: with a read-only root nobody does it later.

Hash-based files stay valid whatever time stamps the image's builder sets.
"""

import importlib
import py_compile
import sys
from pathlib import Path

SERVER = (
    "maskdet.cli.app",
    "maskdet.cli.serve",
    "maskdet.serving.process.server",
    "maskdet.serving.process.supervisor",
    "maskdet.serving.process.worker",
    "maskdet.registry.signing",
    "model_signing.verifying",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.httptools_impl",
)

for name in SERVER:
    importlib.import_module(name)
for module in list(sys.modules.values()):
    path = getattr(module, "__file__", None) or ""
    if path.startswith(sys.prefix) and Path(path).suffix == ".py":
        py_compile.compile(
            path, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )
