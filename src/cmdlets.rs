//! The names of the MSCommerce cmdlets and their parameters, which this tool accepts as commands and flags.

use std::ffi::OsString;

/// The cmdlets of the MSCommerce module with the commands that replace them.
const CMDLETS: [(&str, &[&str]); 6] = [
    ("Connect-MSCommerce", &["connect"]),
    ("Get-MSCommercePolicies", &["policy", "list"]),
    ("Get-MSCommercePolicy", &["policy", "get"]),
    ("Get-MSCommerceProductPolicies", &["product", "list"]),
    ("Get-MSCommerceProductPolicy", &["product", "get"]),
    ("Update-MSCommerceProductPolicy", &["product", "update"]),
];

/// The parameters of the cmdlets with the flags that replace them. `-Token` is not one, because the process list would
/// show the token.
const PARAMETERS: [(&str, &str); 9] = [
    ("-PolicyId", "--policy-id"),
    ("-ProductId", "--product-id"),
    ("-OfferType", "--offer-type"),
    ("-Scope", "--scope"),
    ("-Value", "--value"),
    ("-Enabled", "--enabled"),
    ("-WhatIf", "--dry-run"),
    ("-Confirm", "--confirm"),
    ("-Verbose", "--verbose"),
];

/// Replaces the name of a cmdlet, in any case, and the parameters after it.
pub fn translate(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut translated: Vec<OsString> = Vec::new();
    let mut is_cmdlet = false;
    for (index, argument) in arguments.into_iter().enumerate() {
        let text = argument.to_string_lossy();
        let cmdlet = CMDLETS.iter().find(|(name, _)| index == 1 && name.eq_ignore_ascii_case(&text));
        let flag = PARAMETERS.iter().find(|(name, _)| is_cmdlet && name.eq_ignore_ascii_case(&text));
        if let Some((_, words)) = cmdlet {
            is_cmdlet = true;
            translated.extend(words.iter().map(OsString::from));
        } else if let Some((_, flag)) = flag {
            translated.push(flag.into());
        } else {
            translated.push(argument);
        }
    }
    translated
}
