import json
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from .models import ActiveWebSocketConnection, CustomUser


class DoctorStatusConsumer(AsyncWebsocketConsumer):
    groups = ["doctor_status"]

    async def doctor_login_logout(self, event):
        """Send login/logout notification to WebSocket"""
        await self.send(text_data=json.dumps({
            "type": "doctor_login_logout",
            "doctor_id": event["doctor_id"],
            "action": event["action"],
            "doctor_name": event["doctor_name"],
            "timestamp": event["timestamp"],
            "message": event["message"],
        }))

    async def doctor_status_change(self, event):
        """Send availability notification to WebSocket"""
        await self.send(text_data=json.dumps({
            "type": "doctor_status_change",
            "doctor_id": event["doctor_id"],
            "is_available_for_consultation": event["is_available_for_consultation"],
            "doctor_info": event["doctor_info"],
        }))


class ConnectConsumer(AsyncWebsocketConsumer):
    email = None

    async def connect(self):
        email = parse_qs(self.scope["query_string"].decode()).get("email", [""])[0]
        if not email:
            await self.close(code=4000)
        elif not await self.save_connection(email):
            await self.close(code=4001)
        else:
            self.email = email
            await self.accept()
            await self.send(text_data=json.dumps({
                "type": "connection_established",
                "message": f"Connected successfully as {email}",
            }))

    async def disconnect(self, close_code):
        if self.email:
            await self.remove_connection(self.email)

    async def receive(self, text_data=None, bytes_data=None):
        try:
            message = json.loads(text_data or "").get("message", "")
        except (ValueError, AttributeError):
            await self.send(text_data=json.dumps({"type": "error", "message": "Invalid JSON format"}))
            return
        await self.send(text_data=json.dumps({
            "type": "message",
            "message": f"Server received: {message}",
            "from": self.email,
        }))

    @database_sync_to_async
    def save_connection(self, email):
        if not CustomUser.objects.filter(email=email).exists():
            return False
        connection, created = ActiveWebSocketConnection.objects.get_or_create(email=email)
        if not created:
            connection.save(update_fields=["last_activity"])
        return True

    @database_sync_to_async
    def remove_connection(self, email):
        ActiveWebSocketConnection.objects.filter(email=email).delete()
