# Baton's one image: web, serve, engine and worker run the same code (docker-compose.yml).
FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
WORKDIR /baton
RUN python -m venv .venv
COPY requirements/tools.txt requirements/app.txt requirements/
RUN .venv/bin/pip install --require-hashes -r requirements/tools.txt \
    && .venv/bin/uv pip install --python .venv/bin/python --require-hashes --no-deps \
        -r requirements/app.txt
COPY manage.py pyproject.toml LICENSE ./
COPY personas personas
COPY pipelines pipelines
COPY portal portal
COPY static static
COPY templates templates
COPY locale locale
RUN .venv/bin/python -m compileall -q manage.py personas pipelines portal \
    && BATON_VAR=/tmp/var .venv/bin/python manage.py translations compile

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /home/baton baton \
    && install -d -o baton -g baton -m 0700 /var/lib/baton
COPY --from=build /baton /baton
WORKDIR /baton
ENV PATH=/baton/.venv/bin:$PATH \
    BATON_VAR=/var/lib/baton \
    BATON_HOST=0.0.0.0 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER baton
VOLUME /var/lib/baton
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
# Without arguments: everything in one container, on the embedded servers.
ENTRYPOINT ["python", "manage.py"]
CMD ["up"]
