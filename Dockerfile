# The server: slim, not root, and nothing is written outside /models, /data and /tmp. The models are a volume, which `companion setup` fills.
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY companion companion
COPY animator animator
COPY prompts prompts
COPY configs configs
COPY clients/web clients/web
RUN python -m venv /opt/vasari && /opt/vasari/bin/pip install --no-cache-dir '.[postgres,otel]'

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --create-home vasari && install -d -o vasari /models /data
COPY --from=build /opt/vasari /opt/vasari
ENV PATH=/opt/vasari/bin:$PATH PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/tmp/numba VASARI_CACHE=/models VASARI_DATA=/data
VOLUME ["/models", "/data"]
USER 10001
WORKDIR /data
EXPOSE 8765
HEALTHCHECK --interval=15s --timeout=5s --start-period=120s CMD ["python", "-c", "import urllib.request as request; request.urlopen('http://127.0.0.1:8765/health', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["companion"]
CMD ["serve", "--host", "0.0.0.0", "--config", "/etc/vasari/vasari.toml", "--log-json"]
