"""django-helpdesk itself, on loopback: a Django project of its own with SQLite in a temporary folder."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from socialsupport_core.model import Payload

MISSING = "django-helpdesk is not installed (PyPI: django-helpdesk)"
HOST = "desk.example"
US = ("socialsupport", "password-of-ours")
AGENT = ("dana", "password-of-dana")
MAIL = "hub@acme.example"
SECRET = "the-secret-of-the-door"

# Tables are made from the models, in a third of the time that the migrations take.
_SETTINGS = """
from pathlib import Path
FOLDER = Path(__file__).parent
SECRET_KEY = "loopback"
DEBUG = True
ALLOWED_HOSTS = ["*"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
    "django.contrib.sites", "django.contrib.humanize", "django.contrib.staticfiles", "django.contrib.admin",
    "rest_framework", "helpdesk",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {
    "context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages"]}}]
ROOT_URLCONF = "desk_urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "desk.sqlite",
    "OPTIONS": {"timeout": 20, "init_command": "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY"}}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MIGRATION_MODULES = {"helpdesk": None, "auth": None, "contenttypes": None, "admin": None, "sessions": None, "sites": None}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
SITE_ID = 1
LOGIN_URL = "/helpdesk/login/"
MEDIA_ROOT, MEDIA_URL, STATIC_URL = FOLDER / "media", "/media/", "/static/"
EMAIL_BACKEND, EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", FOLDER / "mail"
HELPDESK_TEAMS_MODE_ENABLED = False
"""
_URLS = """
from django.conf import settings
from django.conf.urls.static import static
from django.urls import include, path
urlpatterns = [path("helpdesk/", include("helpdesk.urls")), *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)]
"""
_PEOPLE = """
import django
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from helpdesk.models import Queue
call_command("migrate", run_syncdb=True, verbosity=0)
call_command("loaddata", "emailtemplate.json", verbosity=0)
User.objects.create_user("kerry", "kerry@acme.example", "x")
User.objects.create_user({us!r}, {mail!r}, {ours!r}, is_staff=True)
User.objects.create_user({agent!r}, "dana@acme.example", {theirs!r}, is_staff=True, first_name="Dana")
Queue.objects.create(title="Support", slug="support", email_address="support@acme.example")
"""


def is_installed() -> bool:
    return importlib.util.find_spec("helpdesk") is not None


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class Door:
    """What our hub is to django-helpdesk: it takes webhooks and keeps them."""

    def __init__(self) -> None:
        door = self
        self.taken: list[Payload] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = tuple((name.lower(), value) for name, value in self.headers.items())
                url = f"https://hub.example{self.path}"
                door.taken.append(Payload(url=url, headers=headers, body=body, received_at=datetime.now(UTC)))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://socialsupport:{SECRET}@127.0.0.1:{self.server.server_port}/hooks/desk"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


class RealDesk:
    """What the kit wants of a counterpart: `handle`, `speak`, `due`. Calls to `https://desk.example` go to loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.door = folder, free_port(), Door()
        (folder / "desk_settings.py").write_text(_SETTINGS)
        (folder / "desk_urls.py").write_text(_URLS)
        names = {"us": US[0], "ours": US[1], "agent": AGENT[0], "theirs": AGENT[1], "mail": MAIL}
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "desk_settings",
            "PYTHONPATH": str(folder),
            "HELPDESK_FOLLOWUP_WEBHOOK_URLS": self.door.address,
            "no_proxy": "127.0.0.1",
        }
        self._run(["-c", _PEOPLE.format(**names)])
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}/", timeout=60)
        self.process = self._start()

    def _run(self, arguments: list[str]) -> None:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"django-helpdesk cannot be set up: {done.stderr.decode()[-2000:]}")

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "django", "runserver", "--noreload", f"127.0.0.1:{self.port}"]
        with (self.folder / "server.log").open("wb") as log:
            process = subprocess.Popen(
                command, env=self.environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        for _ in range(300):
            with suppress(httpx.HTTPError):
                if self.client.get("helpdesk/api/tickets/", auth=US).status_code == 200:
                    return process
            if process.poll() is not None:
                break
            time.sleep(0.1)
        self._end(process)
        raise RuntimeError(f"django-helpdesk does not start: {(self.folder / 'server.log').read_text()[-2000:]}")

    def close(self) -> None:
        self.client.close()
        self._end(self.process)
        self.door.close()

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    # as the kit's counterpart

    def handle(self, request: httpx.Request) -> httpx.Response:
        """As a proxy in front of it would hand it on."""
        target = request.url.copy_with(scheme="http", host="127.0.0.1", port=self.port)
        headers = [(name, value) for name, value in request.headers.items() if name != "host"]
        headers += [("host", HOST), ("x-forwarded-proto", "https")]
        answer = self.client.request(request.method, target, content=request.read(), headers=headers)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def agent(self, method: str, path: str, **content: Any) -> Any:
        """A call by Dana."""
        answer = self.client.request(method, f"helpdesk/api/{path}", auth=AGENT, **content)
        assert answer.is_success, (answer.status_code, answer.text[:2000])
        return answer.json() if answer.content else None

    def speak(self, person: str, text: str, place: str, public: bool = True) -> dict[str, Any]:
        assert person == AGENT[0]
        told: dict[str, Any] = self.agent(
            "POST", "followups/", json={"ticket": int(place), "comment": text, "public": public}
        )
        return told

    def due(self) -> list[Payload]:
        """django-helpdesk posts its webhooks before it answers, so none is on its way still."""
        taken, self.door.taken = self.door.taken, []
        return taken

    def mails(self) -> str:
        """All that was mailed."""
        return "\n".join(file.read_text() for file in (self.folder / "mail").glob("*"))

    def ticket(self, number: str) -> dict[str, Any]:
        told: dict[str, Any] = self.agent("GET", f"tickets/{number}/")
        return told
