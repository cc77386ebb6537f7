// The object's messages: those of the original applications. The contestant on partyserver has the same.

/** Whether a path puts a doctor on duty, by path. */
const CHANGES = { "/api/users/login-status/": 1, "/api/users/logout-status/": 0 };

/** The change that a request asks for: the doctor, and whether they are on duty after it; `null` for other paths. */
export function changeOf(url) {
  const live = CHANGES[url.pathname];
  return live === undefined ? null : { doctor: Number(url.searchParams.get("doctor")), live, at: new Date().toISOString() };
}

export function notification({ doctor, live, at }, seq) {
  return JSON.stringify({
    type: "doctor_login_logout",
    doctor_id: doctor,
    action: actionOf(live),
    doctor_name: "Dr. Ann Lee",
    timestamp: at,
    message: `Dr. Ann Lee logged ${live ? "in" : "out"} at 09:00 AM on November 21, 2026`,
    seq,
  });
}

export function actionOf(live) {
  return live ? "login" : "logout";
}

export function greeting(email) {
  return JSON.stringify({ type: "connection_established", message: `Connected successfully as ${email}` });
}

export function echo(frame, email) {
  const message = `Server received: ${JSON.parse(frame).message}`;
  return JSON.stringify({ type: "message", message, from: email });
}
