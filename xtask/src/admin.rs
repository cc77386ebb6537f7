//! `cargo xtask admin`: the first administrator of a hospital. All further users are theirs to add.

use anyhow::{Context, Result, anyhow, bail};
use chrono::Utc;
use rollcall_core::{
    ApiError,
    account::NewUser,
    body::Fields,
    password::{self, TEMPORARY_LIFETIME},
};
use serde_json::json;

use crate::{
    setup,
    wrangler::{self, Which, quoted},
};

/// The administrator to create, and their hospital.
#[derive(clap::Args)]
pub struct Create {
    /// Their email.
    #[arg(long)]
    email: String,
    /// Given name.
    #[arg(long, default_value = "")]
    first_name: String,
    /// Family name.
    #[arg(long, default_value = "")]
    last_name: String,
    /// The number of their hospital.
    #[arg(long, default_value_t = 1)]
    hospital: u32,
    /// The hospital's name, if it is new.
    #[arg(long, default_value = "General Hospital")]
    hospital_name: String,
    /// The hospital's time zone, if it is new: an IANA name.
    #[arg(long, default_value = "UTC")]
    time_zone: String,
    #[command(flatten)]
    which: Which,
}

/// Creates an administrator with a temporary password, which is printed and stored nowhere.
pub fn create(who: Create) -> Result<()> {
    setup::for_building()?;
    let mut random = [0; password::TEMPORARY_BYTES];
    getrandom::fill(&mut random)?;
    let temporary = password::temporary(random);
    let admin = checked(&who, &temporary)?;
    let until = Utc::now() + TEMPORARY_LIFETIME;

    let sql = sql(&who, &admin, until.timestamp_millis())?;
    let database = who.which.database();
    wrangler::migrate(&database)?;
    if let Err(error) = wrangler::execute_text(&database, &sql) {
        if format!("{error:#}").contains("UNIQUE constraint failed") {
            bail!("there is a user with the email {} already; an administrator can give them that role", admin.email);
        }
        return Err(error);
    }
    println!(
        "{} administers hospital {} now.\nThe temporary password, until {}: {temporary}\nIt is good for choosing another one, at the first sign-in.",
        admin.email,
        who.hospital,
        until.format("%Y-%m-%d %H:%M UTC"),
    );
    Ok(())
}

/// The new user, checked by the rules for users whom an administrator adds.
fn checked(who: &Create, password: &str) -> Result<NewUser> {
    let Create { email, first_name, last_name, .. } = who;
    let body = json!({"email": email, "first_name": first_name, "last_name": last_name, "role": "admin", "password": password});
    let explained = |error: ApiError| {
        let body = error.body();
        anyhow!("--{}: {}", body.field.unwrap_or_default().replace('_', "-"), body.detail)
    };
    NewUser::parse(&Fields::parse(body.to_string().as_bytes()).map_err(explained)?).map_err(explained)
}

fn sql(who: &Create, admin: &NewUser, until_ms: i64) -> Result<String> {
    let mut salt = [0; password::SALT_BYTES];
    getrandom::fill(&mut salt)?;
    let hash = password::hash(&admin.password, salt).context("no memory to hash a password")?;
    let hospital = who.hospital;
    let [name, zone, email, username, first, last, hash] =
        [&who.hospital_name, &who.time_zone, &admin.email, &admin.username, &admin.first_name, &admin.last_name, &hash]
            .map(|text| quoted(text));
    Ok(format!(
        "INSERT OR IGNORE INTO hospitals (id, name, time_zone) VALUES ({hospital}, {name}, {zone});
         INSERT INTO users (hospital_id, email, username, first_name, last_name, role, password_hash, temporary_until_ms)
         VALUES ({hospital}, {email}, {username}, {first}, {last}, 'admin', {hash}, {until_ms});
         {}",
        wrangler::raise_revision(hospital)
    ))
}
