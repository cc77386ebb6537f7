"""Create users as years of use leave them: python fill.py <password of everybody>"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hms.settings")
django.setup()

from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password  # noqa: E402
from django.db import transaction  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from hms.models import CustomUser  # noqa: E402

PASSWORD = sys.argv[1]
HASHER = PBKDF2PasswordHasher()


def user(pk, **fields):
    """One of the many: what differs from them is given."""
    first_name, last_name = fields.pop("name", (f"First{pk}", f"Last{pk}"))
    return CustomUser(**{
        "pk": pk,
        "username": f"user{pk}",
        "email": f"user{pk}@example.com",
        "first_name": first_name,
        "last_name": last_name,
        # Fewer iterations than Django makes, so that a thousand of them take no minutes.
        "password": HASHER.encode(PASSWORD, HASHER.salt(), iterations=1000),
        "specialization": "Cardiology",
        "hospital": "General Hospital",
        "consultation_hours": "09:00-17:00",
        "is_available_for_consultation": pk % 2 == 0,
        "is_live": pk % 3 == 0,
    } | fields)


with transaction.atomic():
    CustomUser.objects.bulk_create([
        # As `createsuperuser` leaves them: their role is the default of the model's, or none of ours.
        user(1, role="superuser", is_superuser=True, is_staff=True, hospital=None, password=make_password(PASSWORD)),
        user(2, name=("Ann", "O'Neil'); DROP TABLE users; -- \\ /* $$ ☤"), password=make_password(PASSWORD)),
        user(3, role="Doctor", hospital=" general  hospital", password=make_password(PASSWORD)),
        user(4, role="user", specialization=None, consultation_hours=None, hospital=""),
        user(5, is_active=False),
        user(6, password=make_password(None)),
        user(7, role="receptionist", specialization="", hospital="North Clinic"),
        *[user(pk) for pk in range(8, 1001)],
    ])
    # What cannot be imported.
    CustomUser.objects.bulk_create([
        user(1001, email="USER8@example.com"),
        user(1002, email=""),
        user(1003, specialization="x" * 300),
    ])
    for pk in (1, 2, 3, 5, 8, 9, 1001):
        Token.objects.create(user_id=pk)
