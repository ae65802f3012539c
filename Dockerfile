# The images of Caricature: docker build --target controller|worker|inference|avatar-source|worker-gpu .
# `make images` builds them without Docker. What is in them, and how large they are: docs/images.md.
ARG BASE=node:24-bookworm-slim
ARG BUILD_BASE=${BASE}

FROM ${BUILD_BASE} AS build
ARG DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates g++ python3 python3-pip \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# First what changes rarely: dependencies, the database client, TensorFlow.
COPY package.json package-lock.json .npmrc prisma.config.ts ./
COPY prisma prisma
COPY scripts/setup scripts/setup
RUN node scripts/setup/setup.mjs --without-build
COPY . .
RUN node scripts/setup/setup.mjs && node scripts/images/collect.mjs /out

FROM ${BASE} AS program
ENV NODE_ENV=production
WORKDIR /app
USER 65532:65532

FROM program AS controller
COPY --from=build /out/controller /app
EXPOSE 3000
# By itself the heap grows several times over before it is collected, and 128 MiB are kept for what is new: a controller is to be small, and has the time.
ENTRYPOINT ["node", "--heap-growing-percent=30", "--max-semi-space-size=16", "/app/dist/apps/controller/src/main.js"]

FROM program AS avatar-source
COPY --from=build /out/avatar-source /app
EXPOSE 4010
ENTRYPOINT ["node", "/app/dist/apps/avatar-source/src/main.js"]

# The large layer that the next two share.
FROM program AS tensorflow
COPY --from=build /out/tensorflow /app

FROM tensorflow AS inference
COPY --from=build /out/inference /app
EXPOSE 3100
ENTRYPOINT ["node", "/app/dist/apps/inference/src/main.js"]

FROM tensorflow AS worker
COPY --from=build /out/worker /app
ENTRYPOINT ["node", "/app/dist/apps/worker/src/main.js"]

# The same program on TensorFlow's libraries for NVIDIA GPUs. The driver is the node's.
FROM build AS cuda
RUN node scripts/images/cuda.mjs /out/cuda

FROM program AS worker-gpu
COPY --from=cuda /out/cuda /app
COPY --from=build /out/worker /app
ENV LD_LIBRARY_PATH=/app/cuda NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
ENTRYPOINT ["node", "/app/dist/apps/worker/src/main.js"]
