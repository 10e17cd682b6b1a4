# The server alone: Postgres and Redis are given by URL. See compose.yaml for all three together.
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/barberpro
COPY requirements/runtime.txt requirements/
RUN /opt/barberpro/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY barberpro barberpro
RUN /opt/barberpro/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/barberpro barberpro
COPY --from=build /opt/barberpro /opt/barberpro
ENV PATH=/opt/barberpro/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BARBERPRO_HOST=0.0.0.0 \
    BARBERPRO_LOG_FORMAT=json
USER barberpro
WORKDIR /var/lib/barberpro
EXPOSE 8000
# The slim image has no curl; Python is there anyway.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["barberpro", "serve"]
