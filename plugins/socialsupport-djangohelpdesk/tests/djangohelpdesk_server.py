"""django-helpdesk itself, on loopback: a Django project of its own with SQLite in a temporary folder."""

import importlib.util
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from socialsupport_core.model import Payload
from socialsupport_core.testing.loopback import LoopbackServer, free_port

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


class RealDesk(LoopbackServer):
    """What the kit wants of a counterpart: `handle`, `speak`, `due`. Calls to `https://desk.example` go to loopback."""

    name = "django-helpdesk"
    base = "helpdesk/api/"
    agent_login = AGENT
    headers = (("host", HOST), ("x-forwarded-proto", "https"))

    def __init__(self, folder: Path) -> None:
        self.door = Door()
        told = {"DJANGO_SETTINGS_MODULE": "desk_settings", "HELPDESK_FOLLOWUP_WEBHOOK_URLS": self.door.address}
        super().__init__(folder, free_port(), PYTHONPATH=str(folder), no_proxy="127.0.0.1", **told)
        (folder / "desk_settings.py").write_text(_SETTINGS)
        (folder / "desk_urls.py").write_text(_URLS)
        names = {"us": US[0], "ours": US[1], "agent": AGENT[0], "theirs": AGENT[1], "mail": MAIL}
        self.set_up([sys.executable, "-c", _PEOPLE.format(**names)])
        command = [sys.executable, "-m", "django", "runserver", "--noreload", f"127.0.0.1:{self.port}"]
        self.start(command, "tickets/", US)

    def close(self) -> None:
        super().close()
        self.door.close()

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
