import os
import sqlite3

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthcare.settings")

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402

# Before the routing, because the models can only be imported after it.
http = get_asgi_application()

from users.routing import websocket_urlpatterns  # noqa: E402

# Under ASGI each request opens and closes its own connection. The last one to close moves the write-ahead log into the
# database, waits for the disk and deletes the log. This one stays open and idle, so that no request has to do that.
keeps_wal_open = sqlite3.connect(settings.DATABASES["default"]["NAME"], check_same_thread=False)
keeps_wal_open.execute("SELECT count(*) FROM sqlite_master").fetchall()

application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(websocket_urlpatterns)})
