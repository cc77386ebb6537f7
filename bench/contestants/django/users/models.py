from django.contrib.auth.models import AbstractUser
from django.db import models


class CustomUser(AbstractUser):
    email = models.EmailField(unique=True)
    role = models.CharField(max_length=20, default="doctor")
    specialization = models.CharField(max_length=100, blank=True)
    hospital = models.CharField(max_length=200, blank=True)
    consultation_hours = models.CharField(max_length=100, blank=True)
    is_available_for_consultation = models.BooleanField(default=False)
    is_live = models.BooleanField(default=False)


class Token(models.Model):
    """What rest_framework.authtoken has, with room for 64 hexadecimal digits instead of 40."""

    key = models.CharField(max_length=64, primary_key=True)
    user = models.OneToOneField(CustomUser, related_name="auth_token", on_delete=models.CASCADE)


class ActiveWebSocketConnection(models.Model):
    email = models.EmailField(unique=True)
    connected_at = models.DateTimeField(auto_now_add=True)
    last_activity = models.DateTimeField(auto_now=True)
