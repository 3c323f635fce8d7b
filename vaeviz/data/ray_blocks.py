"""Run a function on the blocks of a Ray Dataset, where they are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from vaeviz.data.dask_blocks import Cluster, ShippedFunction, group_blocks, run_on_block
from vaeviz.data.ray_dataset import SOURCE, RayRows, ray_errors
from vaeviz.data.sample_columns import stack_sample_columns
from vaeviz.errors import InputError


def ray_cluster() -> Cluster:
    """Return how functions are sent to the workers of Ray."""
    return Cluster(sys.modules["ray"].cloudpickle.dumps, 'ray.init(runtime_env={{"py_modules": ["{}.py"]}})')


def map_ray_blocks(
    shipped: ShippedFunction, x: RayRows, *per_row: np.ndarray | None, bytes_per_row: int, on_gpu: bool
) -> Iterator[Any]:
    """Run a function on each block of rows, and yield what it returns in the order of the rows.

    Parameters
    ----------
    shipped : ShippedFunction
        Receives the rows of a block and those of each array in `per_row`.
    x : RayRows, shape (N, ...)
        The samples.
    *per_row : ndarray, shape (N, ...), or None
        Further arrays, in memory.
    bytes_per_row : int
        Size of what the function returns for a row, which bounds how many blocks are computed at once.
    on_gpu : bool
        Whether the function needs a GPU.

    Yields
    ------
    Any
        What the function returns for a block. Blocks without rows are left out.

    Raises
    ------
    InputError
        If a block fails (the message names it), Ray fails, or the cluster has no GPU that is needed.
    """
    ray = sys.modules["ray"]
    if on_gpu and not ray.cluster_resources().get("GPU"):  # tasks would wait for one for ever
        raise InputError(
            "The model is on a GPU, but the Ray cluster has none.",
            got="no GPU",
            expected="a GPU",
            fix="Move the model to the CPU: model.cpu().",
        )
    run = ray.remote(num_gpus=int(on_gpu))(_try_on_block)
    with ray_errors():
        on_workers = ray.put(shipped)
    for group in group_blocks(x.sizes, bytes_per_row):
        with ray_errors():
            tasks = [
                run.remote(
                    on_workers,
                    (number, rows.start),
                    x.blocks[number],
                    x.names,
                    *(None if part is None else part[rows] for part in per_row),
                )
                for number, rows in group
            ]
            results = ray.get(tasks)
        for result in results:
            if isinstance(result, InputError):
                raise result
            yield result


def _try_on_block(
    shipped: ShippedFunction,
    place: tuple[int, int],
    block: dict[str, np.ndarray],
    names: list[str],
    *parts: np.ndarray | None,
) -> Any:
    """Run a function on one block, and return an error of ours as it is: Ray would wrap one that is raised."""
    try:
        return run_on_block(shipped, place, stack_sample_columns(block, names, SOURCE), *parts)
    except InputError as error:
        return error
