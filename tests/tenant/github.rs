//! Where a workflow of GitHub Actions gets a token that says which workflow it is \[GitHub's reference\].

use serde_json::json;

use super::SimulatedTenant;
use super::response::{Received, Response};
use super::token::federated_token;

/// Who issues the tokens of GitHub Actions.
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The workflow that the tokens of this world are about.
pub const GITHUB_SUBJECT: &str = "repo:contoso/licences:ref:refs/heads/main";

/// The audience of a token for which none was asked: whoever owns the repository.
const OWNER: &str = "https://github.com/contoso";
/// What a workflow with the permission `id-token: write` is given to ask for tokens with.
const REQUEST_TOKEN: &str = "simulated-request-token-of-a-workflow";
const LIFETIME_SECONDS: i64 = 5 * 60;

/// Answers a request below `/github/oidc/`. The bodies of its refusals are unverified.
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
    /// The variables by which a workflow finds where to get a token.
    pub fn github_oidc(&self) -> [(&'static str, String); 2] {
        [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/github/oidc/token?api-version=2.0", self.url())),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN.to_owned()),
        ]
    }
}
