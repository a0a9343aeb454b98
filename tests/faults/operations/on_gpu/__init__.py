"""on_gpu: needs a worker that offers a graphics processor."""
