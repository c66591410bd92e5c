//! The OIDC token endpoint of GitHub Actions \[GitHub's reference\].

use serde_json::json;

use super::SimulatedTenant;
use super::response::{Received, Response};
use super::token::federated_token;

/// The issuer of GitHub Actions tokens.
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The subject of simulated GitHub tokens.
pub const GITHUB_SUBJECT: &str = "repo:contoso/licences:ref:refs/heads/main";

/// The default audience: the owner of the repository.
const OWNER: &str = "https://github.com/contoso";
/// The request token of a job with the permission `id-token: write`.
const REQUEST_TOKEN: &str = "simulated-request-token-of-a-workflow";
const LIFETIME_SECONDS: i64 = 5 * 60;

/// Responds to a request below `/github/oidc/`. The bodies of its errors are unverified.
pub(super) fn respond(request: &Received, endpoint: &str) -> Response {
    let refused = |status, message: &str| Response::json(status, &json!({ "message": message }));
    if (request.method.as_str(), endpoint) != ("GET", "token") {
        return refused(404, "No such resource.");
    }
    if request.bearer() != Some(REQUEST_TOKEN) {
        return refused(401, "The request token is invalid.");
    }
    let parameters = request.parameters();
    if parameters.get("api-version").is_none_or(|version| version != "2.0") {
        return refused(400, "The API version is missing or unknown.");
    }
    let audience = parameters.get("audience").map_or(OWNER, String::as_str);
    let token = federated_token(GITHUB_ISSUER, GITHUB_SUBJECT, audience, LIFETIME_SECONDS);
    Response::json(200, &json!({ "count": 1, "value": token }))
}

impl SimulatedTenant {
    /// The environment variables of a job that can request a token.
    pub fn github_oidc(&self) -> [(&'static str, String); 2] {
        [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/github/oidc/token?api-version=2.0", self.url())),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN.to_owned()),
        ]
    }
}
