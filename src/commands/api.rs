//! `api`: sends a request of the user's own to the endpoint.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use reqwest::Method;
use serde_json::Value;

use super::{CommandOutput, with_fallback_hint};
use crate::api::{CustomResponse, resolve_path};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::files;
use crate::http::Response;
use crate::output::{Format, Query, render_json};

/// In bytes. Larger than any request of the service.
const MAX_BODY_SIZE: usize = 1024 * 1024;

pub const HELP: &str = "\
Requests are sent without confirmation and are not recorded in the history. GET
and PUT are retried after transient errors, other methods are sent once.

Examples:
  mscommerce api v1.0/policies
  mscommerce api v1.0/policies --query 'items[].policyId'
  mscommerce api v1.0/policies/P/products/CFQ7TTC0H9MP -X PUT --input body.json";

#[derive(Args, Debug)]
pub struct ApiArgs {
    /// Path below the endpoint, such as v1.0/policies, or a URL below it
    #[arg(value_name = "PATH")]
    pub path: String,
    /// HTTP method
    #[arg(short = 'X', long, value_name = "METHOD", default_value = "GET", ignore_case = true)]
    #[arg(value_parser = PossibleValuesParser::new(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .try_map(|name| name.to_ascii_uppercase().parse::<Method>()))]
    pub method: Method,
    /// JSON file with the request body (- for standard input)
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
}

pub async fn run(args: ApiArgs, context: &Context) -> Result<CommandOutput> {
    let ApiArgs { path, method, input } = args;
    if context.settings.format.flag().is_some_and(|format| *format != Format::Json) {
        return Err(
            Error::usage("api prints the response unchanged and accepts only --output json").with_hint("omit --output")
        );
    }
    let url = resolve_path(&context.settings.endpoint.value, &path)?;
    if input.is_some() && method == Method::GET {
        return Err(Error::usage("--input requires a method with a request body; GET has none")
            .with_hint("add a method, for example -X PUT"));
    }
    let body = match &input {
        Some(file) => Some(read_body(file, context).await?),
        None => None,
    };
    let api = context.api()?;
    let request = api.send_custom(method.clone(), url, body.as_deref());
    let CustomResponse { response, error } = if method == Method::GET {
        request.await?
    } else {
        // The service may have applied an abandoned request, so let it complete.
        context.interrupt.defer();
        tokio::select! {
            biased;
            response = request => response?,
            () = context.interrupt.wait_for_repetition() => return Err(abandoned_error(&method)),
        }
    };
    let note = response.is_blank().then(|| format!("The response has no body (status {}).", response.status));
    let query = context.settings.query.as_ref().filter(|_| error.is_none());
    let (text, query_error) = format_body(&response, query, context.ui.tty().stdout);
    let error = error.map(|error| with_fallback_hint(error, context)).or(query_error);
    Ok(CommandOutput { text: Some(text), note, error, ..CommandOutput::default() })
}

/// Reads a JSON file. Returns its text, because parsing may change numbers.
async fn read_body(path: &Path, context: &Context) -> Result<String> {
    let file = files::input_name(path);
    let bytes = context.ui.read_file(path, MAX_BODY_SIZE).await;
    let bytes = bytes.map_err(|error| Error::usage(error).context(format!("--input: could not read {file}")))?;
    let text = files::to_text(&bytes).ok_or_else(|| Error::usage(format!("--input: {file} is not UTF-8 text")))?;
    match serde_json::from_str::<Value>(&text) {
        Ok(_) => Ok(text),
        Err(error) => {
            Err(Error::usage(format!("--input: {file} is not JSON: line {}, column {}", error.line(), error.column())))
        }
    }
}

/// The body to print: what `--query` selects, JSON with indentation on a terminal, otherwise the body as it is. The
/// error is that of the query, and the body is whole then.
fn format_body(response: &Response, query: Option<&Query>, is_terminal: bool) -> (String, Option<Error>) {
    let body = String::from_utf8_lossy(&response.body).into_owned();
    let json = if is_terminal || query.is_some() { response.json() } else { None };
    let (json, query_error) = match (query, json) {
        (Some(_), None) => (None, Some(Error::failed("--query: the response is not JSON"))),
        (Some(query), Some(json)) => match query.select(&json) {
            Ok(selected) => (Some(selected), None),
            Err(error) => (None, Some(error)),
        },
        (None, json) => (json, None),
    };
    match json.map(|json| render_json(&json)) {
        Some(Ok(text)) => (text, query_error),
        Some(Err(error)) => (body, Some(error)),
        None if is_terminal && !body.is_empty() && !body.ends_with('\n') => (body + "\n", query_error),
        None => (body, query_error),
    }
}

fn abandoned_error(method: &Method) -> Error {
    let message = format!("interrupted: the service may or may not have applied the {method} request");
    Error::failed(message).with_kind(ErrorKind::Interrupted)
}
