/** Sends one text to every socket of a room that was accepted with a tag, and says how many it went to. */
export function sendToTagged(state, tag, text) {
  let sent = 0;
  for (const socket of state.getWebSockets(tag)) {
    try {
      socket.send(text);
      sent++;
    } catch {
      // It is closing, and resumes when it is back.
    }
  }
  return sent;
}
