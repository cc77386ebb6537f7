// Every word that the pages say, in English. Another language is another file of this shape.

import type { LoginAction, Reason, Role } from "../wire.ts";

const plural = new Intl.PluralRules("en");

function counted(count: number, one: string, other: string): string {
  return `${count.toLocaleString("en")} ${plural.select(count) === "one" ? one : other}`;
}

/** `2 d 3 h`, `3 h 5 min`: the two units that matter. */
function lasting(minutes: number): string {
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min` : "under a minute";
}

const CAME_OR_WENT: Record<LoginAction, string> = { login: "logged in", logout: "logged out" };
const REASON: Record<Reason, string> = { connection_lost: "connection lost", admin: "by an administrator" };
const ROLE: Record<Role, string> = { admin: "Administrator", doctor: "Doctor", user: "User" };

export const en = {
  app: {
    name: "Rollcall",
    forDoctors: "Rollcall for doctors",
    socketTest: "Rollcall: socket test",
    views: {
      board: "Board",
      history: "History",
      connections: "Connections",
      users: "Users",
      account: "My account",
      wall: "Wall screen",
    },
    navigation: "Views",
    loading: "Loading…",
    oneMoment: "One moment…",
    close: "Close",
    cancel: "Cancel",
    tryAgain: "Try again",
    signOut: "Sign out",
    /** The title of the browser's tab. */
    title: (unread: number) => (unread > 0 ? `(${unread > 999 ? "999+" : unread}) Rollcall` : "Rollcall"),
    timesAreIn: (zone: string) => `Times are the hospital's: ${zone.replaceAll("_", " ")}.`,
  },

  theme: {
    label: "Colours",
    choices: { auto: "As the device", light: "Light", dark: "Dark" },
  },

  /** Failures that have no words from the server. */
  failure: {
    unreachable: "The server cannot be reached. Please try again.",
    strange: (status: number) => `The server answered with an error (${status}). Please try again.`,
  },

  link: {
    connecting: "Connecting…",
    connected: "Connected",
    offline: "Offline",
    offlineHelp: "Check this device's network. The page connects again by itself.",
    reconnecting: "Reconnecting…",
    tryingNow: (attempt: number) => `Attempt ${attempt}. What you see may be out of date.`,
    waiting: (attempt: number, seconds: number) =>
      `Attempt ${attempt} in ${seconds} s. What you see may be out of date.`,
    tryNow: "Try now",
    stopped: "Disconnected",
    connectAgain: "Connect again",
    closedBecause: (code: number) => {
      switch (code) {
        case 1008:
          return "The server closed the connection: too many connections or messages.";
        case 4001:
        case 4002:
          return "Your session was not accepted. Please sign out and in again.";
        case 4003:
          return "You are not allowed to connect here.";
        case 4004:
          return "An administrator closed the connection.";
        default:
          return `The server closed the connection (code ${code}).`;
      }
    },
  },

  missed: {
    title: (count: number) => `${counted(count, "change", "changes")} while you were away`,
    onlyLatest: (shown: number) => `The latest ${shown} of them; the history has them all.`,
    none: "The history has them.",
    dismiss: "Got it",
  },

  session: {
    signIn: "Sign in",
    signingIn: "Signing in…",
    account: "Email or username",
    password: "Password",
    signedOut: "You are signed out.",
    ended:
      "Signed out: your session has ended. It was ended elsewhere, or ten hours are over. Please sign in again.",
    wrongPage: (meantFor: string, email: string) => `This page is for ${meantFor}. You are signed in as ${email}.`,
    forAdministrators: "administrators",
    forDoctors: "doctors",
    toDoctors: "Go to the doctors' page",
    toAdministrators: "Go to the administrators' page",
    orSignOut: ", or sign out to use another account.",
    mustSignOut: "Sign out to use another account.",
  },

  password: {
    title: "Choose your own password",
    why: "You signed in with a temporary password. Choose one that only you know to go on.",
    account: "Account",
    temporary: "Temporary password",
    next: "New password",
    repeat: "Repeat it",
    notTheSame: "This is not the same as the new password.",
    change: "Change password",
  },

  doctor: {
    name: ({ first_name, last_name }: { first_name: string; last_name: string }) => `Dr. ${first_name} ${last_name}`,
    onDuty: "On duty",
    offDuty: "Off duty",
    available: "Available",
    busy: "Busy",
  },

  event: {
    cameOrWent: (action: LoginAction) => CAME_OR_WENT[action],
    becameAvailable: "is available for consultation",
    becameBusy: "is busy",
    at: (time: string) => ` at ${time}`,
    because: (reason: Reason) => ` (${REASON[reason]})`,
  },

  board: {
    waiting: "Waiting for the first state of the board…",
    onDuty: "On duty",
    availableNow: "Available now",
    connected: "Connected people",
    eventsToday: "Events today",
    unknown: "…",
  },

  roster: {
    title: "Doctors",
    search: "Search",
    searchHint: "Name or specialization",
    specialization: "Specialization",
    everySpecialization: "All",
    presence: "State",
    presences: {
      any: "Any",
      available: "Available",
      busy: "Busy",
      on_duty: "On duty",
      off_duty: "Off duty",
    },
    columns: { name: "Name", specialization: "Specialization", state: "State", since: "Since" },
    shown: (shown: number, all: number) => `${shown} of ${counted(all, "doctor", "doctors")}`,
    clear: "Show all",
    none: "No doctors yet",
    noneHint: "Doctors appear here when an administrator adds them under “Users”.",
    noMatch: "No doctor matches.",
  },

  notifications: {
    title: "Doctor Login/Logout Notifications",
    test: "Test Notification",
    testDoctor: "Dr. Test Doctor",
    none: "No login/logout notifications yet",
    noneHint: "Notifications will appear here when doctors log in or out",
    popUps: "New notifications",
  },

  alerts: {
    desktop: "Desktop notifications",
    sound: "Sound",
    needsTouch: "The browser plays no sound until you click somewhere on this page, or press a key.",
    andOthers: (count: number) => `(and ${count} more)`,
    denied: "This browser does not allow notifications from this page. Its settings for this site can change that.",
    unsupported: "This browser cannot show desktop notifications.",
  },

  timeline: {
    title: "On duty today",
    none: "Nobody has been on duty today.",
    most: (count: number, time: string) => `Most at once: ${count}, at ${time}.`,
    count: "Doctors on duty over the day",
    stay: (from: string, to: string) => `${from} to ${to}`,
    untilNow: (from: string) => `${from} until now`,
    loading: "Reading today's events…",
    failed: "Today's events could not be read.",
  },

  history: {
    title: "History",
    doctor: "Doctor",
    everyDoctor: "All",
    from: "From",
    to: "To",
    export: "Export CSV",
    exporting: "Exporting…",
    file: (day: string) => `rollcall-${day}.csv`,
    more: "Show older events",
    end: "This is the beginning.",
    none: "No events yet",
    noneHint: "Everything that happens to a doctor will be listed here.",
    noMatch: "Nothing happened that matches.",
    backwards: "“To” is before “From”.",
    failed: "The history could not be read.",
  },

  wall: {
    onDuty: (count: number) => `${count} on duty`,
    available: (count: number) => `${count} available`,
    nobody: "Nobody is on duty.",
    fullScreen: "Full screen",
    leave: "Back to the board",
    page: (page: number, pages: number) => `Page ${page} of ${pages}`,
    pause: "Hold this page",
    resume: "Turn pages",
  },

  connections: {
    title: "Active connections",
    count: (people: number) => counted(people, "person", "people"),
    loading: "Reading who is connected…",
    failed: "Who is connected could not be read.",
    outOfDate: "This list may be out of date.",
    none: "Nobody is connected",
    noneHint: "A doctor whose page or app is open appears here.",
    columns: {
      email: "Email",
      since: "Connected since",
      lastActivity: "Last activity",
      tabs: "Tabs",
      actions: "Action",
    },
    lasting: (minutes: number) => `for ${lasting(minutes)}`,
    ago: (minutes: number) => (minutes < 1 ? "just now" : `${lasting(minutes)} ago`),
    tabs: (tabs: number) => counted(tabs, "tab", "tabs"),
    disconnect: "Disconnect",
    disconnectPerson: (email: string) => `Disconnect ${email}`,
    disconnectTitle: (email: string) => `Disconnect ${email}?`,
    disconnectMeans: (email: string, tabs: number) =>
      `This closes ${counted(tabs, "tab", "tabs")} of ${email}. They can connect again.`,
    disconnectDoctor: "A doctor on duty who does not come back is taken off duty shortly after.",
    disconnected: (email: string, closed: number) =>
      `Closed ${counted(closed, "connection", "connections")} of ${email}.`,
    alreadyGone: (email: string) => `${email} was not connected any more. Nothing had to be closed.`,
  },

  users: {
    title: "Users",
    roles: ROLE,
    search: "Search",
    searchHint: "Name, email or specialization",
    role: "Role",
    everyRole: "All",
    shown: (shown: number, all: number) =>
      shown < all ? `${shown.toLocaleString("en")} of ${counted(all, "user", "users")}` : counted(all, "user", "users"),
    loading: "Reading the users…",
    failed: "The users could not be read.",
    more: "Show more",
    none: "No users yet",
    noMatch: "No user matches.",
    showAll: "Show all",
    columns: { name: "Name", role: "Role", state: "State", actions: "Actions" },
    you: "You",
    active: "Active",
    deactivated: "Deactivated",
    edit: "Edit",
    editPerson: (name: string) => `Edit ${name}`,
    resetPassword: "Reset password",
    resetPasswordOf: (name: string) => `Reset password of ${name}`,
    deactivate: "Deactivate",
    deactivatePerson: (name: string) => `Deactivate ${name}`,
    activate: "Activate",
    activatePerson: (name: string) => `Activate ${name}`,
    ownAccount: "Only another administrator can deactivate you or reset your password.",
    deactivateTitle: (name: string) => `Deactivate ${name}?`,
    deactivateMeans: "They are signed out everywhere at once, and cannot sign in again until they are activated.",
    deactivateDoctor: "They go off duty, and leave the board.",
    activateTitle: (name: string) => `Activate ${name}?`,
    activateMeans: "They can sign in again with the password they had.",
    activateDoctor: "They are back on the board, off duty.",
    resetTitle: (name: string) => `Reset the password of ${name}?`,
    resetMeans:
      "They are signed out everywhere at once, and their password stops working. You get a temporary one to hand over.",
    resetDoctor: "They go off duty.",
    wasDeactivated: (name: string) => `${name} is deactivated.`,
    wasActivated: (name: string) => `${name} is active again.`,
    add: "Add user",
    adding: "Adding…",
    added: (name: string) => `${name} was added.`,
    editTitle: (name: string) => `Edit ${name}`,
    save: "Save",
    saving: "Saving…",
    edited: (name: string) => `${name} was changed.`,
    firstName: "First name",
    lastName: "Last name",
    email: "Email",
    username: "Username",
    usernameHint: "The email, unless you enter another one.",
    ownRole: "Only another administrator can change your role.",
    roleChanges: "With another role they are signed out everywhere.",
    specialization: "Specialization",
    specializationHint: "For example Cardiology",
    hours: "Consultation hours",
    hoursHint: "For example 09:00-17:00",
    password: "Password",
    passwordHint: "8 to 1,024 characters. They can sign in with it at once.",
    showPassword: "Show the password",
    temporary: {
      title: (name: string) => `Temporary password of ${name}`,
      password: "Temporary password",
      copy: "Copy",
      copied: "Copied.",
      notCopied: "This browser did not copy it. Select it and copy it yourself.",
      goodUntil: (time: string) => `Good until ${time}.`,
      once: "It is shown this once: when you close this, nobody can see it again.",
      means: "Whoever signs in with it has to choose a password of their own.",
      done: "Close",
    },
  },

  account: {
    title: "My account",
    name: "Name",
    email: "Email",
    username: "Username",
    role: "Role",
    zone: "Time zone",
    zoneIsHospitals: "The hospital's: all times are in it.",
    sessions: "Where you are signed in",
    sessionsHint: "If you do not recognize one, end it and change your password.",
    loading: "Reading your sessions…",
    failed: "Your sessions could not be read.",
    program: (name: string | null, system: string | null) =>
      name && system ? `${name} on ${system}` : (name ?? (system ? `A program on ${system}` : "Unknown program")),
    thisOne: "This one",
    signedIn: (time: string) => `Signed in ${time}`,
    until: (time: string) => `ends ${time}`,
    onlyThisOne: "You are signed in nowhere else.",
    end: "End",
    endSession: (program: string, time: string) => `End the session of ${program}, signed in ${time}`,
    endAsk: (count: number) => `End ${counted(count, "session", "sessions")}?`,
    endMeans: "Whoever uses it is signed out at once.",
    endOthers: "End all others",
    ended: (count: number) => `${counted(count, "session", "sessions")} ended.`,
    changePassword: "Change password",
    changePasswordMeans: "You stay signed in here, and are signed out everywhere else.",
    currentPassword: "Current password",
    passwordChanged: "Your password is changed. Every other session has ended.",
  },

  duty: {
    goOnDuty: "Go on duty",
    goOffDuty: "Go off duty",
    since: (time: string) => `since ${time}`,
    available: "Available for consultation",
    yes: "Yes",
    no: "No, busy",
    countsOnDuty: "Counts once you are on duty.",
    takenOffDuty: "You were taken off duty while this page was not connected.",
    connectionLost: (time: string) => `You were taken off duty at ${time}, because your connection was lost.`,
    adminCameOrWent: (action: LoginAction, time: string) =>
      action === "login"
        ? `An administrator put you on duty at ${time}.`
        : `An administrator took you off duty at ${time}.`,
    adminSet: (available: boolean, time: string) =>
      `An administrator set you to ${available ? "available" : "busy"} at ${time}.`,
    notConnected: "You are taken off duty soon, unless this page connects again.",
  },

  socketTest: {
    states: { closed: "Disconnected", opening: "Connecting…", open: "Connected" },
    email: "Email",
    emailHint: "user@example.com",
    connect: "Connect",
    disconnect: "Disconnect",
    message: "Message",
    send: "Send",
    otherPerson: (email: string) =>
      `This browser is signed in as ${email}. A signed-in browser connects as that person only, so another email is ` +
      "refused.",
    log: "Log",
    nothing: "Nothing yet",
    sent: "Sent",
    received: "Received",
    connectingTo: (url: string) => `Connecting to ${url}`,
    open: "Open",
    closed: (code: number, reason: string) => `Closed with code ${code}${reason && `: ${reason}`}`,
    signedOut: "Signed out",
  },
};
