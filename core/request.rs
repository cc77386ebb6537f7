//! The shapes that no type here has, for the schema of the API only: bodies of requests are read field by field (`body.rs`), so that a refusal
//! can name the field at fault.

use utoipa::ToSchema;

/// The body of `POST /api/users/login/`.
#[derive(ToSchema)]
pub struct LoginRequest {
    /// Without regard to case.
    #[schema(nullable = false)]
    pub email: Option<String>,
    /// In place of the email.
    #[schema(nullable = false)]
    pub username: Option<String>,
    /// Compared exactly.
    #[schema(format = Password)]
    pub password: String,
}

/// The body of `POST /api/users/password/`.
#[derive(ToSchema)]
pub struct PasswordChange {
    /// The one that is to go.
    #[schema(format = Password)]
    pub current_password: String,
    /// Another one.
    #[schema(format = Password, min_length = 8, max_length = 1024)]
    pub new_password: String,
}

/// The body of `POST /api/users/login-status/` and `logout-status/`; a doctor may leave it out.
#[derive(ToSchema)]
pub struct StateChange {
    /// Whose state; an administrator has to say.
    #[schema(nullable = false, minimum = 1, maximum = 2147483647_i64)]
    pub doctor_id: Option<i64>,
}

/// The body of `POST /api/users/availability-status/`.
#[derive(ToSchema)]
pub struct AvailabilityChange {
    /// Whose state; an administrator has to say.
    #[schema(nullable = false, minimum = 1, maximum = 2147483647_i64)]
    pub doctor_id: Option<i64>,
    /// Free for a consultation from now on, or not.
    pub is_available_for_consultation: bool,
}

/// The body of `POST /api/ws-ticket/`.
#[derive(ToSchema)]
pub struct TicketRequest {
    /// The path that the ticket is for.
    #[schema(pattern = "^/ws/(doctor-status|connect)/?$")]
    pub path: String,
}

/// What a doctor has beyond a user, where a user may be none.
#[derive(ToSchema)]
pub struct DoctorFieldsIfAny {
    /// Free for a consultation.
    #[schema(nullable = false)]
    pub is_available_for_consultation: Option<bool>,
    /// On duty.
    #[schema(nullable = false)]
    pub is_live: Option<bool>,
    /// Free text.
    #[schema(nullable = false)]
    pub consultation_hours: Option<String>,
    /// Free text.
    #[schema(nullable = false)]
    pub specialization: Option<String>,
    /// The hospital's name.
    #[schema(nullable = false)]
    pub hospital: Option<String>,
}
