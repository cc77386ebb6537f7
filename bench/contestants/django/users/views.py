import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.utils import timezone
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

logger = logging.getLogger(__name__)


class AvailabilitySerializer(serializers.Serializer):
    is_available_for_consultation = serializers.BooleanField()


class UserViewSet(viewsets.ViewSet):
    @action(detail=False, methods=["post"], url_path="login-status")
    def login_status(self, request):
        return self.set_live(request.user, True, "login")

    @action(detail=False, methods=["post"], url_path="logout-status")
    def logout_status(self, request):
        return self.set_live(request.user, False, "logout")

    @action(detail=False, methods=["post"], url_path="availability-status")
    def availability_status(self, request):
        serializer = AvailabilitySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        doctor = request.user
        doctor.is_available_for_consultation = serializer.validated_data["is_available_for_consultation"]
        doctor.save(update_fields=["is_available_for_consultation"])
        self.notify_status_change(doctor, "consultation")
        return Response({"status": "success"})

    def set_live(self, doctor, is_live, action):
        doctor.is_live = is_live
        doctor.save(update_fields=["is_live"])
        self.notify_status_change(doctor, action)
        return Response({"status": "success"})

    def notify_status_change(self, doctor, notification_type):
        """Send WebSocket notification for status change"""
        if notification_type in ("login", "logout"):
            current_time = timezone.now()
            doctor_name = f"Dr. {doctor.first_name} {doctor.last_name}"
            verb = "logged in" if notification_type == "login" else "logged out"
            message = {
                "type": "doctor_login_logout",
                "doctor_id": doctor.id,
                "action": notification_type,
                "doctor_name": doctor_name,
                "timestamp": current_time.isoformat(),
                "message": f"{doctor_name} {verb} at {current_time.strftime('%I:%M %p on %B %d, %Y')}",
            }
        else:
            message = {
                "type": "doctor_status_change",
                "doctor_id": doctor.id,
                "is_available_for_consultation": doctor.is_available_for_consultation,
                "doctor_info": {
                    "id": doctor.id,
                    "username": doctor.username,
                    "first_name": doctor.first_name,
                    "last_name": doctor.last_name,
                    "is_available_for_consultation": doctor.is_available_for_consultation,
                    "is_live": doctor.is_live,
                    "consultation_hours": doctor.consultation_hours,
                    "specialization": doctor.specialization,
                    "hospital": doctor.hospital,
                },
            }
        # The state is saved by now, so the call succeeds even if nobody can be told.
        try:
            async_to_sync(get_channel_layer().group_send)("doctor_status", message)
        except Exception:
            logger.exception("could not notify")
