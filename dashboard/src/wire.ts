// Made from core/wire.rs by `UPDATE=1 cargo test -p rollcall-core`. Do not edit.

export type DoctorInfo = { 
/**
 * The doctor's user id.
 */
id: number, 
/**
 * Login name.
 */
username: string, 
/**
 * Given name.
 */
first_name: string, 
/**
 * Family name.
 */
last_name: string, 
/**
 * Free for a consultation.
 */
is_available_for_consultation: boolean, 
/**
 * On duty.
 */
is_live: boolean, 
/**
 * Free text, for example `09:00-17:00`.
 */
consultation_hours: string, 
/**
 * Free text, for example `Cardiology`.
 */
specialization: string, 
/**
 * The hospital's name.
 */
hospital: string, };

export type LoginAction = "login" | "logout";

export type Reason = "connection_lost" | "admin";

export type DoctorEvent = { "type": "doctor_login_logout", 
/**
 * The doctor's user id.
 */
doctor_id: number, 
/**
 * Which way.
 */
action: LoginAction, 
/**
 * `Dr. <first> <last>`.
 */
doctor_name: string, 
/**
 * When it was recorded.
 */
timestamp: string, 
/**
 * The sentence to show, in the hospital's time zone.
 */
message: string, 
/**
 * Position in the hospital's sequence.
 */
seq: number, 
/**
 * Why, where it was not the doctor's own call.
 */
reason?: Reason, } | { "type": "doctor_status_change", 
/**
 * The doctor's user id.
 */
doctor_id: number, 
/**
 * Free from now on, or not.
 */
is_available_for_consultation: boolean, 
/**
 * The doctor after the change.
 */
doctor_info: DoctorInfo, 
/**
 * When it was recorded.
 */
timestamp: string, 
/**
 * Position in the hospital's sequence.
 */
seq: number, 
/**
 * Why, where it was not the doctor's own call.
 */
reason?: Reason, };

export type WatcherMessage = { "type": "snapshot", 
/**
 * The latest event that the state contains.
 */
seq: number, 
/**
 * Every active doctor of the hospital, by first, then last name.
 */
doctors: Array<DoctorInfo>, 
/**
 * The last ten events, newest first.
 */
recent: Array<DoctorEvent>, 
/**
 * Entries of the registry: people with an open `/ws/connect/` socket.
 */
connections: number, 
/**
 * When each doctor's `is_live` took its present value, by their id; not there where it never changed.
 */
live_since: Record<string, string>, } | { "type": "resumed", 
/**
 * The `since` that was asked for.
 */
from: number, 
/**
 * The latest event sent.
 */
seq: number, 
/**
 * Whether everything after `from` was sent.
 */
recovered: boolean, } | { "type": "connections", 
/**
 * Entries of the registry, as in a snapshot.
 */
connections: number, } | { "type": "error", 
/**
 * What was wrong with it.
 */
message: string, };

export type WatcherCommand = { "type": "ack", 
/**
 * The latest event applied.
 */
seq: number, };

export type ConnectionMessage = { "type": "connection_established", 
/**
 * `Connected successfully as <email>`.
 */
message: string, } | { "type": "message", 
/**
 * `Server received: <text>`.
 */
message: string, 
/**
 * The sender's email.
 */
from: string, } | { "type": "error", 
/**
 * What was wrong with it.
 */
message: string, };

export type ConnectionCommand = { 
/**
 * Any text; it is echoed.
 */
message: string, };

export type Role = "admin" | "doctor" | "user";

export type DoctorFields = { 
/**
 * Free for a consultation.
 */
is_available_for_consultation: boolean, 
/**
 * On duty.
 */
is_live: boolean, 
/**
 * Free text.
 */
consultation_hours: string, 
/**
 * Free text.
 */
specialization: string, 
/**
 * The hospital's name.
 */
hospital: string, };

export type User = { 
/**
 * The user's id.
 */
id: number, 
/**
 * Unique without regard to case.
 */
email: string, 
/**
 * Login name.
 */
username: string, 
/**
 * Given name.
 */
first_name: string, 
/**
 * Family name.
 */
last_name: string, 
/**
 * What they are at their hospital.
 */
role: Role, 
/**
 * Deactivated users cannot sign in.
 */
is_active: boolean, 
/**
 * They signed in with a temporary password, which is good for choosing another one only. Absent otherwise.
 */
must_change_password?: boolean, 
/**
 * The hospital they belong to.
 */
hospital_id: number, 
/**
 * That hospital's time zone, an IANA name; as it is stored, whether there is such a zone or not.
 */
time_zone: string, } & Partial<DoctorFields>;

export type Login = { 
/**
 * For `Authorization: Token <token>`.
 */
token: string, 
/**
 * When the token stops working.
 */
expires_at: string, 
/**
 * Who signed in.
 */
user: User, };

export type Users = { 
/**
 * How many there are in all.
 */
count: number, 
/**
 * These of them, by first, then last name.
 */
results: Array<User>, };

export type TemporaryPassword = { 
/**
 * To be handed over, shown this once.
 */
temporary_password: string, 
/**
 * Until when it may be used to choose another one.
 */
expires_at: string, };

export type SessionEntry = { 
/**
 * The session's id.
 */
id: number, 
/**
 * When they signed in.
 */
created_at: string, 
/**
 * When it ends by itself.
 */
expires_at: string, 
/**
 * What the browser or program called itself.
 */
user_agent: string, 
/**
 * It is the one that asks.
 */
current: boolean, };

export type Sessions = { 
/**
 * Newest first.
 */
sessions: Array<SessionEntry>, };

export type Ticket = { 
/**
 * For the subprotocol `ticket.<value>`, or `?ticket=`; good once.
 */
ticket: string, 
/**
 * When it stops working.
 */
expires_at: string, };

export type Success = "success";

export type StateAnswer = { 
/**
 * Always `success`.
 */
status: Success, 
/**
 * Whether anything changed; a repeated call changes nothing.
 */
changed: boolean, 
/**
 * The event's seq, or the hospital's latest when nothing changed.
 */
seq: number, 
/**
 * The doctor after the call.
 */
doctor: DoctorInfo, };

export type ActiveConnection = { 
/**
 * The person's email.
 */
email: string, 
/**
 * When the oldest open socket was opened.
 */
connected_at: string, 
/**
 * When any of them was last heard.
 */
last_activity: string, 
/**
 * How many are open: a browser has one for each of its tabs.
 */
sockets: number, };

export type ActiveConnections = { 
/**
 * Always `success`.
 */
status: Success, 
/**
 * How many entries.
 */
count: number, 
/**
 * The entries, oldest connection first.
 */
active_connections: Array<ActiveConnection>, };

export type Disconnected = { 
/**
 * Always `success`.
 */
status: Success, 
/**
 * How many sockets were closed.
 */
closed: number, };

export type RecordedEvent = { 
/**
 * The user who made the call; null for an automatic logout.
 */
actor_id: number | null, } & ({ "type": "doctor_login_logout", 
/**
 * The doctor's user id.
 */
doctor_id: number, 
/**
 * Which way.
 */
action: LoginAction, 
/**
 * `Dr. <first> <last>`.
 */
doctor_name: string, 
/**
 * When it was recorded.
 */
timestamp: string, 
/**
 * The sentence to show, in the hospital's time zone.
 */
message: string, 
/**
 * Position in the hospital's sequence.
 */
seq: number, 
/**
 * Why, where it was not the doctor's own call.
 */
reason?: Reason, } | { "type": "doctor_status_change", 
/**
 * The doctor's user id.
 */
doctor_id: number, 
/**
 * Free from now on, or not.
 */
is_available_for_consultation: boolean, 
/**
 * The doctor after the change.
 */
doctor_info: DoctorInfo, 
/**
 * When it was recorded.
 */
timestamp: string, 
/**
 * Position in the hospital's sequence.
 */
seq: number, 
/**
 * Why, where it was not the doctor's own call.
 */
reason?: Reason, });

export type EventPage = { 
/**
 * Ascending by seq.
 */
events: Array<RecordedEvent>, 
/**
 * The hospital's latest seq.
 */
latest: number, 
/**
 * The `since` of the next page, or null at the end and on a page asked for by `before`.
 */
next: number | null, 
/**
 * The `before` of the page before it, where one was asked for by `before` and there is more in front.
 */
previous?: number, };

export type ErrorBody = { 
/**
 * A sentence for people.
 */
detail: string, 
/**
 * A word for programs.
 */
code: string, 
/**
 * The field at fault, where there is one.
 */
field?: string, };
