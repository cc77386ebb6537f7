/** Sends one text to every socket of a room that was accepted with a tag. */
export function sendToTagged(state, tag, text) {
  for (const socket of state.getWebSockets(tag)) {
    try {
      socket.send(text);
    } catch {
      // It is closing, and resumes when it is back.
    }
  }
}
