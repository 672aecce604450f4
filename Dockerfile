# CPU:  docker build -t stylegenes .
# GPU:  docker build -t stylegenes --build-arg BASE=nvidia/cuda:12.8.1-runtime-ubuntu24.04 .
ARG BASE=python:3.12-slim
FROM ${BASE}

# The CUDA base has no Python of its own.
RUN command -v python3 > /dev/null \
    || (apt-get update && apt-get install -y --no-install-recommends python3 python3-venv && rm -rf /var/lib/apt/lists/*)

# An index with torch built for this base, where the usual one has another: --build-arg PIP_EXTRA_INDEX_URL=...
ARG PIP_EXTRA_INDEX_URL=""
WORKDIR /opt/stylegenes
COPY pyproject.toml constraints.txt README.md CHANGELOG.md CITATION.cff LICENSE NOTICE ./
COPY stylegenes ./stylegenes
RUN python3 -m venv env
RUN env/bin/pip install --no-cache-dir -c constraints.txt '.[video,onnx,hub]'
ENV PATH=/opt/stylegenes/env/bin:$PATH

# Pictures, runs and the cache of data go where the user's files are.
WORKDIR /pictures
ENV STYLEGENES_CACHE=/pictures/.stylegenes-cache
ENTRYPOINT ["stylegenes"]
CMD ["--help"]
