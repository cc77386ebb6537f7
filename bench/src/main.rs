//! The load of `cargo xtask bench`: takes one measure of one server, and prints it as a line of JSON.
//!
//! Every contestant serves the URLs of the original applications, so they all bear the same load.
//!
//! **Invariant:** one thread, and no work per message beyond counting it: what is measured is the server.

mod calls;
mod dashboards;
mod joins;
mod percentiles;
mod process;
mod target;

use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use serde_json::Value;
use tokio::time::timeout;

use crate::target::Target;

/// Whatever a server does, a measure ends.
const LIMIT: Duration = Duration::from_secs(300);

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    measure: Measure,
}

#[derive(Subcommand)]
enum Measure {
    /// From a call to the last of so many dashboards, one call after another.
    FanOut {
        #[arg(long)]
        dashboards: usize,
        #[arg(long)]
        calls: usize,
    },
    /// State calls from so many callers at once, while dashboards watch.
    Calls {
        #[arg(long)]
        dashboards: usize,
        #[arg(long)]
        callers: usize,
        #[arg(long)]
        seconds: u32,
        /// So many calls a second, instead of as many as are answered.
        #[arg(long)]
        pace: Option<u32>,
    },
    /// Dashboards that join, so many at once; with `behind`, having missed so many events.
    Joins {
        #[arg(long)]
        dashboards: usize,
        #[arg(long)]
        at_once: usize,
        #[arg(long)]
        behind: Option<u64>,
    },
    /// What a dashboard costs that hears nothing.
    Idle {
        #[arg(long)]
        dashboards: usize,
    },
    /// No measure: signs every doctor in, and prints them with their tokens.
    SignIn {
        #[arg(long)]
        password: String,
    },
    /// There and back on somebody's own connection.
    Echo {
        #[arg(long)]
        messages: usize,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Arguments { target, measure } = Arguments::parse();
    let measured = timeout(LIMIT, take(&target, measure)).await.context("this takes too long")??;
    println!("{measured}");
    Ok(())
}

async fn take(target: &Target, measure: Measure) -> Result<Value> {
    match measure {
        Measure::FanOut { dashboards, calls } => calls::fan_out(target, dashboards, calls).await,
        Measure::Calls { dashboards, callers, seconds, pace } => {
            calls::at_once(target, dashboards, callers, seconds, pace).await
        }
        Measure::Joins { dashboards, at_once, behind } => joins::joins(target, dashboards, at_once, behind).await,
        Measure::Idle { dashboards } => joins::idle(target, dashboards).await,
        Measure::SignIn { password } => Ok(serde_json::to_value(target.sign_in(&password).await?)?),
        Measure::Echo { messages } => joins::echo(target, messages).await,
    }
}
