from django.urls import path

from .consumers import ConnectConsumer, DoctorStatusConsumer

websocket_urlpatterns = [
    path("ws/doctor-status/", DoctorStatusConsumer.as_asgi()),
    path("ws/connect/", ConnectConsumer.as_asgi()),
]
