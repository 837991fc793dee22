# Production dependencies only; the sources run as they are under Node 24.
FROM node:24-slim AS deps
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production DATADIR=/data
WORKDIR /app
COPY --from=deps /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
COPY outputs ./outputs
COPY sources ./sources
COPY rules ./rules
RUN install -d -m 0700 -o 1234 -g 1234 /data
USER 1234:1234
VOLUME /data
EXPOSE 2801 2810 9765
# A port with TLS answers plain HTTP with 400: it lives.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.LISTENPORT || 2801) + '/healthz').then((r) => process.exit(r.ok || r.status === 400 ? 0 : 1), () => process.exit(1))"]
# A young generation of 16 MiB: a third less memory under load, at the same speed.
ENTRYPOINT ["node", "--max-semi-space-size=16", "src/eyrie.js"]
