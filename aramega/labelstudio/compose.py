"""A team's Label Studio as a docker-compose file: PostgreSQL behind it, secrets from an `.env` beside it."""

from __future__ import annotations

from aramega.labelstudio.local_server import VERSION
from aramega.workspace import WorkspaceFolder

CLIPS_INSIDE = "/label-studio/files/clips"
"""Where the server sees the clips: what `--audio local:…` must say."""


def compose_file(workspace: WorkspaceFolder, version: str = VERSION) -> str:
    """The file's text. It listens on this machine only: a proxy that speaks TLS belongs before it."""
    return f"""\
# Label Studio for a team, with PostgreSQL. Save as docker-compose.yml; beside it an .env, readable to you alone:
#   POSTGRES_PASSWORD=…   LABEL_STUDIO_USERNAME=you@example.org   LABEL_STUDIO_PASSWORD=…
#   LABEL_STUDIO_HOST=https://labels.example.org
# Then: docker compose up -d, and push with --audio local:{CLIPS_INSIDE}
services:
  label-studio:
    image: heartexlabs/label-studio:{version}
    command: label-studio-uwsgi
    restart: unless-stopped
    depends_on:
      db:
        condition: service_healthy
    ports:
      - "127.0.0.1:8080:8080"  # put a proxy with TLS before it
    environment:
      DJANGO_DB: default
      POSTGRE_NAME: labelstudio
      POSTGRE_USER: labelstudio
      POSTGRE_PASSWORD: ${{POSTGRES_PASSWORD:?}}
      POSTGRE_HOST: db
      POSTGRE_PORT: 5432
      LABEL_STUDIO_HOST: ${{LABEL_STUDIO_HOST:-}}
      LABEL_STUDIO_USERNAME: ${{LABEL_STUDIO_USERNAME:?}}
      LABEL_STUDIO_PASSWORD: ${{LABEL_STUDIO_PASSWORD:?}}
      LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK: "true"
      LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED: "true"
      LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT: /label-studio/files
      COLLECT_ANALYTICS: "false"
      LATEST_VERSION_CHECK: "false"
      SENTRY_DSN: ""
      FRONTEND_SENTRY_DSN: ""
    volumes:
      - label-studio-data:/label-studio/data
      - {_quoted(str(workspace.root / "clips"))}:{CLIPS_INSIDE}:ro
  db:
    image: postgres:16
    restart: unless-stopped
    environment:
      POSTGRES_DB: labelstudio
      POSTGRES_USER: labelstudio
      POSTGRES_PASSWORD: ${{POSTGRES_PASSWORD:?}}
    volumes:
      - postgres-data:/var/lib/postgresql/data
    healthcheck:
      test: ["CMD-SHELL", "pg_isready -U labelstudio"]
      interval: 5s
      retries: 20
volumes:
  label-studio-data:
  postgres-data:
"""


def _quoted(path: str) -> str:
    """Compose reads $ as the start of a variable."""
    return path.replace("$", "$$")
