//! `status`: shows the current sign-in. Sends no request.

use chrono::Utc;
use clap::Args;
use serde_json::Value;

use super::CommandOutput;
use crate::auth::{SignInMethod, Source, Status, TOKEN_VARIABLE, Tenant};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::{Content, Output, Record, Row};
use crate::text::format_timestamp;

pub const EXAMPLES: &str = "\
Examples:
  mscommerce status
  mscommerce status --all
  mscommerce status -q -o tsv >/dev/null || mscommerce connect
  mscommerce status --query tenantId -o tsv";

#[derive(Args, Debug)]
pub struct StatusArgs {
    /// List the sign-ins of all profiles
    #[arg(long, conflicts_with_all = ["profile", "tenant"])]
    pub all: bool,
}

struct StatusRecord {
    profile: Option<String>,
    status: Status,
}

impl Record for StatusRecord {
    const FIELDS: &'static [&'static str] =
        &["profile", "account", "tenantId", "method", "source", "clientId", "roles", "expiresAt"];
    const COLUMNS: &'static [(&'static str, Content)] = &[
        ("PROFILE", Content::Unbroken("profile")),
        ("ACCOUNT", Content::Unbroken("account")),
        ("TENANT", Content::Unbroken("tenantId")),
        ("METHOD", Content::Text("method")),
        ("EXPIRES", Content::Unbroken("expiresAt")),
    ];

    fn into_row(self) -> Row {
        let status = self.status;
        let source = match status.source {
            Source::Environment => "environment",
            Source::Cache => "saved-sign-in",
        };
        let expires_at = status.expires_at.map(format_timestamp);
        Row {
            values: vec![
                Value::from(self.profile),
                Value::from(status.account),
                Value::from(status.tenant_id),
                Value::from(status.method.to_string()),
                Value::from(source),
                Value::from(status.client_id),
                Value::from(status.roles),
                Value::from(expires_at),
            ],
            ..Row::default()
        }
    }
}

pub async fn run(args: &StatusArgs, context: &Context) -> Result<CommandOutput> {
    if args.all {
        return list(context).await;
    }
    let status = context.session()?.status().await?;
    match status.expires_at {
        _ if status.source == Source::Environment && status.method == SignInMethod::Application => {
            let tenant = context.settings.sign_in_tenant()?.0;
            let tenant_suffix = tenant.map(|tenant| format!(" to tenant {tenant}")).unwrap_or_default();
            let variables = context.settings.env_application()?.variables().unwrap_or_default();
            context.ui.info(&format!(
                "The application in the environment ({variables}) signs in{tenant_suffix} for each command. It takes precedence over saved sign-ins."
            ));
        }
        _ if status.source == Source::Environment => {
            context.ui.info(&format!("The token in {TOKEN_VARIABLE} takes precedence over saved sign-ins."));
        }
        None => {
            let tenant = context.settings.tenant().map_or("this tenant", Tenant::as_str);
            context.ui.info(&format!("There is no access token for {tenant} yet. The next command requests one."));
        }
        Some(end) if end <= Utc::now() && status.can_refresh => {
            context.ui.info("The access token has expired. The next command refreshes it.");
        }
        Some(_) => {}
    }
    // A credential from the environment does not belong to a profile.
    let profile = (status.source == Source::Cache).then(|| context.settings.profile.value.clone());
    Ok(Output::one(StatusRecord { profile, status }).into())
}

/// Lists the saved sign-ins, expired ones too.
async fn list(context: &Context) -> Result<CommandOutput> {
    let profiles = context.token_cache()?.load(context.http.remaining()).await?.profiles;
    if profiles.is_empty() {
        return Err(Error::auth("not signed in").with_hint("mscommerce connect"));
    }
    if context.settings.has_env_token() {
        context.ui.info(&format!("The token in {TOKEN_VARIABLE} takes precedence over saved sign-ins."));
    } else if let Some(variables) = context.settings.env_application()?.variables() {
        context
            .ui
            .info(&format!("The application in the environment ({variables}) takes precedence over saved sign-ins."));
    }
    let records = profiles
        .into_iter()
        .map(|(profile, credential)| StatusRecord { profile: Some(profile), status: credential.status(None) });
    Ok(Output::list(records).into())
}
