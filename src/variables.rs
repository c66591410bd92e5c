//! The environment variables that this tool reads, and their meanings. docs/environment.md has the same tables.

/// A heading, and the variables below it with their meanings (Markdown).
pub type Group = (&'static str, &'static [(&'static str, &'static str)]);

/// All variables, in the order of the page.
pub const GROUPS: &[Group] = &[
    (
        "Sign-in",
        &[
            ("MSCOMMERCE_TOKEN", "access token; takes precedence over every other credential"),
            (
                "AZURE_CLIENT_ID",
                "client ID of a service principal, which takes precedence over saved sign-ins; needs `AZURE_TENANT_ID` and one of the credentials below",
            ),
            (
                "AZURE_TENANT_ID",
                "tenant of the service principal; without `AZURE_CLIENT_ID`, the tenant for `connect` if `--tenant` is not set",
            ),
            ("AZURE_CLIENT_SECRET", "client secret; first choice of the four credentials"),
            (
                "AZURE_CLIENT_CERTIFICATE_PATH",
                "file with a certificate and its RSA key, PEM or PKCS#12 (PFX); second choice",
            ),
            ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "password of the certificate file"),
            ("AZURE_FEDERATED_TOKEN_FILE", "file with a token of another issuer; third choice"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "GitHub Actions sets it in a job with `id-token: write`; fourth choice"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "GitHub Actions sets it in a job with `id-token: write`"),
            ("GITHUB_ACTIONS", "GitHub Actions sets it; changes a hint only"),
            (
                "AZURE_AUTHORITY_HOST",
                "sign-in service (default: `https://login.microsoftonline.com`); for national clouds",
            ),
            ("MSCOMMERCE_CLIENT_ID", "client ID that `connect` uses; a saved sign-in keeps its own"),
            ("MSCOMMERCE_SCOPE", "scope that `connect` requests; a saved sign-in keeps its own"),
        ],
    ),
    (
        "Settings",
        &[
            ("MSCOMMERCE_PROFILE", "profile if `--profile` is not set (default: `default`)"),
            ("MSCOMMERCE_OUTPUT", "output format if `--output` is not set (default: `table`)"),
            ("MSCOMMERCE_HOME", "state directory: sign-ins, history, products for completion"),
            ("MSCOMMERCE_ENDPOINT", "policy endpoint (default: `https://licensing.m365.microsoft.com`)"),
            ("XDG_STATE_HOME", "parent of the state directory on Linux if `MSCOMMERCE_HOME` is not set"),
        ],
    ),
    (
        "Network",
        &[
            ("HTTPS_PROXY", "proxy, `http://HOST:PORT` or `https://HOST:PORT`; lower case works too"),
            ("ALL_PROXY", "proxy if `HTTPS_PROXY` is not set; lower case works too"),
            ("NO_PROXY", "hosts to reach without the proxy; lower case works too"),
            ("SSL_CERT_FILE", "file with root certificates (PEM) to use instead of the system's"),
            ("SSL_CERT_DIR", "directory with root certificates; not on macOS and Windows"),
            ("REQUESTS_CA_BUNDLE", "not used; changes a hint only"),
            ("CURL_CA_BUNDLE", "not used; changes a hint only"),
        ],
    ),
    (
        "Terminal",
        &[
            ("NO_COLOR", "turns color off if it is set"),
            ("TERM", "`dumb` turns color and progress off"),
            ("BROWSER", "browser for `connect`"),
            ("DISPLAY", "on Linux, shows that a browser can be opened"),
            ("WAYLAND_DISPLAY", "on Linux, shows that a browser can be opened"),
            ("WSL_DISTRO_NAME", "WSL sets it; shows that the browser of Windows can be opened"),
            ("SSH_CONNECTION", "SSH sets it; `connect` does not open a browser then, unless `BROWSER` is set"),
            ("MSCOMMERCE_COMPLETE", "the completion script sets it"),
        ],
    ),
];

/// Whether a variable has an entry. Unix programs read some names in lower case as well.
pub fn is_documented(name: &str) -> bool {
    GROUPS.iter().any(|(_, variables)| variables.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_every_variable_with_its_meaning() {
        let row = |(name, meaning): &(&str, &str)| format!("| `{name}` | {meaning} |\n");
        let table = |(heading, variables): &Group| {
            let rows: String = variables.iter().map(row).collect();
            format!("## {heading}\n\n| variable | meaning |\n| --- | --- |\n{rows}")
        };
        let expected: Vec<String> = GROUPS.iter().map(table).collect();
        let page = include_str!("../docs/environment.md");
        let (_, tables) = page.split_once("\n## ").expect("a heading");
        assert_eq!(format!("## {tables}"), expected.join("\n"));
    }

    #[test]
    fn is_documented_ignores_case() {
        assert!(is_documented("no_proxy") && !is_documented("MSCOMMERCE_NONESUCH"));
    }
}
