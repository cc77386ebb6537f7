"""Create the doctors of a JSON file, with their tokens: python prepare.py doctors.json"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthcare.settings")
django.setup()

from django.contrib.auth.hashers import make_password  # noqa: E402
from django.db import transaction  # noqa: E402

from users.models import CustomUser, Token  # noqa: E402

with open(sys.argv[1], encoding="utf-8") as file:
    doctors = json.load(file)

with transaction.atomic():
    for doctor in doctors:
        key = doctor.pop("token")
        # Nobody signs in with a password here, and hashing one per doctor would take long.
        user = CustomUser.objects.create(password=make_password(None), role="doctor", **doctor)
        Token.objects.create(key=key, user=user)

print(f"{len(doctors)} doctors")
