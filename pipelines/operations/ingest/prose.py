"""Some texts of each column of an upload, to tell prose from names."""

import pyarrow as pa

PER_CHUNK = 50  # texts looked at in each chunk of the file, spread over it
MOST = 400  # of a column


def sampled(values: pa.Array) -> list[str]:
    """Some of the different texts of a chunk, spread over it."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return []
    step = max(1, len(values) // PER_CHUNK)
    return [str(value) for value in values.take(pa.array(range(0, len(values), step))).to_pylist()]
