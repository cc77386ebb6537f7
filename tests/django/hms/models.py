from django.contrib.auth.models import AbstractUser
from django.db import models


class CustomUser(AbstractUser):
    email = models.EmailField()
    role = models.CharField(max_length=20, default="doctor")
    specialization = models.CharField(max_length=100, blank=True, null=True)
    hospital = models.CharField(max_length=200, blank=True, null=True)
    consultation_hours = models.CharField(max_length=100, blank=True, null=True)
    is_available_for_consultation = models.BooleanField(default=False)
    is_live = models.BooleanField(default=False)
